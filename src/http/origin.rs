//! Which pages may open sockets.

use axum::http::{HeaderMap, header};

/// Whether the page a request comes from may open a socket: there is none, it is one of this
/// server's own host or of the loopback interface, or its origin is listed.
///
/// Browsers let any page open a socket to anywhere and only tell which page it is.
pub(crate) fn is_allowed(headers: &HeaderMap, listed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if listed.iter().any(|entry| entry.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    if !matches!(scheme, "http" | "https") {
        return false;
    }
    let own_host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).is_some_and(|host| {
        let with_port = |authority: &str| match scheme {
            "https" => authority.trim_end_matches(":443").to_ascii_lowercase(),
            _ => authority.trim_end_matches(":80").to_ascii_lowercase(),
        };
        with_port(host) == with_port(authority)
    });
    own_host || is_loopback(authority)
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn judges_origins() {
        let listed = ["https://console.example".to_owned()];
        for (origin, expected) in [
            (None, true),
            (Some("https://api.example"), true),
            (Some("https://API.example:443"), true),
            (Some("https://api.example:8443"), false),
            (Some("https://console.example"), true),
            (Some("http://console.example"), false),
            (Some("https://console.example.evil.example"), false),
            (Some("http://localhost:3000"), true),
            (Some("http://127.0.0.1:3000"), true),
            (Some("http://[::1]:3000"), true),
            (Some("http://localhost.evil.example"), false),
            (Some("http://127.0.0.1.evil.example:80"), false),
            (Some("https://evil.example"), false),
            (Some("null"), false),
            (Some("file://"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("api.example"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_allowed(&headers, &listed), expected, "{origin:?}");
        }
    }
}
