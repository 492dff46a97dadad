//! The request that opens a socket, and its answer (RFC 6455, section 4.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::http::error::{self, code};
use crate::http::protocol::SUBPROTOCOL;
use crate::http::response::HttpRefusal;

/// What the answer to a client's key is made with.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) response: Response<Body>,
    pub(super) speaks_protocol: bool,
}

/// The answer to a request that may become a socket.
///
/// # Errors
/// 405, 426 or 400 for one that can't.
pub(super) fn accept(request: &Request) -> Result<Handshake, HttpRefusal> {
    let headers = request.headers();
    if request.method() != Method::GET {
        let mut refusal = refuse(StatusCode::METHOD_NOT_ALLOWED, "A socket is opened with GET.");
        refusal.allow = Some("GET, POST");
        return Err(refusal);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(refuse(StatusCode::UPGRADE_REQUIRED, "Version 13 of the WebSocket protocol is needed."));
    }
    if !lists(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err(refuse(StatusCode::BAD_REQUEST, "The connection is not to be upgraded."));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16))
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "The header Sec-WebSocket-Key is missing or bad."))?;

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    if let Ok(accepted) = HeaderValue::from_str(&STANDARD.encode(digest)) {
        answer.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
    }
    let speaks_protocol = lists(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|offer| offer == SUBPROTOCOL);
    // A client that is told none of its protocols closes by itself and never learns why.
    let chosen = match speaks_protocol {
        true => Some(SUBPROTOCOL),
        false => lists(headers, &header::SEC_WEBSOCKET_PROTOCOL).next(),
    };
    if let Some(chosen) = chosen.and_then(|name| HeaderValue::from_str(name).ok()) {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    Ok(Handshake { response, speaks_protocol })
}

/// The entries of a header that is a list.
fn lists<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'headers str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn refuse(status: StatusCode, message: &str) -> HttpRefusal {
    HttpRefusal::new(status, error::coded(code::BAD_USER_INPUT, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changes: &[(HeaderName, &str)]) -> Request {
        let mut request = Request::new(Body::empty());
        for (name, value) in [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (header::SEC_WEBSOCKET_PROTOCOL, "graphql-ws, graphql-transport-ws"),
        ]
        .iter()
        .chain(changes)
        {
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        request
    }

    #[test]
    fn answers_as_the_standard_says() {
        let handshake = accept(&request(&[])).unwrap();
        assert!(handshake.speaks_protocol);
        let headers = handshake.response.headers();
        // The example of RFC 6455, section 1.3.
        assert_eq!(headers[header::SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(headers[header::SEC_WEBSOCKET_PROTOCOL], SUBPROTOCOL);

        let other = accept(&request(&[(header::SEC_WEBSOCKET_PROTOCOL, "graphql-ws")])).unwrap();
        assert!(!other.speaks_protocol);
        assert_eq!(other.response.headers()[header::SEC_WEBSOCKET_PROTOCOL], "graphql-ws");
    }

    #[test]
    fn refuses_what_can_not_become_a_socket() {
        for (name, value, status) in [
            (header::SEC_WEBSOCKET_VERSION, "8", 426),
            (header::CONNECTION, "keep-alive", 400),
            (header::SEC_WEBSOCKET_KEY, "c2hvcnQ=", 400),
            (header::SEC_WEBSOCKET_KEY, "?", 400),
        ] {
            let refusal = accept(&request(&[(name.clone(), value)])).unwrap_err();
            assert_eq!(refusal.status.as_u16(), status, "{name}: {value}");
        }
        let mut post = request(&[]);
        *post.method_mut() = Method::POST;
        assert_eq!(accept(&post).unwrap_err().status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
