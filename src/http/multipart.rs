//! Responses in parts: Apollo's protocol for subscriptions over HTTP, version 1.0.

use std::convert::Infallible;

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{Stream, StreamExt, once};

use super::backend::Bytes;
use super::live::Happening;

const CONTENT_TYPE: &str = r#"multipart/mixed;boundary="graphql";subscriptionSpec=1.0"#;

/// A part ends where this begins: a client learns that a part is whole when the line after it has
/// come, so the line goes with the part and not with the next one.
const BOUNDARY: &[u8] = b"\r\n--graphql";

const HEAD: &[u8] = b"\r\nContent-Type: application/json\r\n\r\n";

/// After [`BOUNDARY`]: no part follows.
const END: &[u8] = b"--\r\n";

/// Answers with what happens as parts.
///
/// When the caller's token runs out, an error of the transport says so. When the server stops, the
/// response ends without the closing line.
pub(crate) fn respond(happenings: impl Stream<Item = Happening> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
        // Proxies that collect a response before they pass it on must not do so here.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let parts = once(std::future::ready(Bytes::from_static(BOUNDARY))).chain(happenings.map(part));
    (headers, Body::from_stream(parts.map(Ok::<_, Infallible>))).into_response()
}

fn part(happening: Happening) -> Bytes {
    match happening {
        Happening::Result(body, _) => assemble(&[br#"{"payload":"#, &body, b"}"]),
        Happening::Dismissed(reason) => assemble(&[br#"{"payload":null,"errors":["#, &json(&reason), b"]}"]),
        // There is no place for a cursor; the results have theirs.
        Happening::Quiet(_) => assemble(&[b"{}"]),
        Happening::Complete => Bytes::from_static(END),
    }
}

fn assemble(pieces: &[&[u8]]) -> Bytes {
    [&[HEAD], pieces, &[BOUNDARY]].concat().concat().into()
}

fn json(reason: &ServerError) -> Vec<u8> {
    serde_json::to_vec(reason).unwrap_or_else(|failure| {
        tracing::error!(%failure, "an error could not be written as JSON");
        br#"{"message":"Internal server error.","extensions":{"code":"INTERNAL"}}"#.to_vec()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error;

    #[test]
    fn parts_stand_between_boundaries() {
        let body = Bytes::from_static(br#"{"data":{"a":1}}"#);
        let text: Vec<u8> = [
            Bytes::from_static(BOUNDARY),
            part(Happening::Quiet(Some("c".to_owned()))),
            part(Happening::Result(body, None)),
            part(Happening::Dismissed(error::coded("X", "no"))),
            part(Happening::Complete),
        ]
        .concat();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "\r\n--graphql\r\nContent-Type: application/json\r\n\r\n{}\
             \r\n--graphql\r\nContent-Type: application/json\r\n\r\n{\"payload\":{\"data\":{\"a\":1}}}\
             \r\n--graphql\r\nContent-Type: application/json\r\n\r\n\
             {\"payload\":null,\"errors\":[{\"message\":\"no\",\"extensions\":{\"code\":\"X\"}}]}\
             \r\n--graphql--\r\n"
        );
    }
}
