//! What the edge tells the layers below about a request.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};

use super::auth::Identity;

/// The header that carries the request id, in both directions.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAXIMUM_REQUEST_ID_BYTES: usize = 64;

/// Who asks, and how to answer. Every operation has one in its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The verified identity, or nothing for a request without a token.
    pub identity: Option<Arc<Identity>>,
    /// The id that the answer and the log carry; of one operation, not of a whole socket.
    pub request_id: String,
    /// The language for texts that people read.
    pub language: Language,
}

/// The id of the last event a client saw before it lost its stream, as the client sent it. In the
/// data of operations that come by event stream; not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEventId(pub String);

/// A language that texts for people exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Language {
    /// The language that an `Accept-Language` header likes best; English if it names none we have.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut best = (0, Self::default());
        for value in headers.get_all(header::ACCEPT_LANGUAGE) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let (tag, weight) = weighted(range);
                let primary = tag.split('-').next().unwrap_or_default();
                let language = if primary.eq_ignore_ascii_case("zh") {
                    Self::Zh
                } else if primary.eq_ignore_ascii_case("en") {
                    Self::En
                } else {
                    continue;
                };
                if weight > best.0 {
                    best = (weight, language);
                }
            }
        }
        best.1
    }
}

/// The request id the client sent, if it is harmless to log, or a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (8..=MAXIMUM_REQUEST_ID_BYTES).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        })
        .map_or_else(new_request_id, str::to_owned)
}

pub(crate) fn new_request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Splits an entry of an `Accept`-like header into its value and its weight in thousandths.
pub(crate) fn weighted(entry: &str) -> (&str, u16) {
    let mut parts = entry.split(';').map(str::trim);
    let value = parts.next().unwrap_or_default();
    let weight = parts
        .find_map(|parameter| {
            let (name, weight) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| weight.trim())
        })
        .map_or(1_000, thousandths);
    (value, weight)
}

fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    match whole {
        "1" => 1_000,
        "0" => format!("{fraction:0<3.3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn chooses_the_language() {
        for (sent, expected) in [
            ("", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-GB, zh;q=0.999", Language::En),
            ("fr, zh-Hant;q=0.3, en;q=0.25", Language::Zh),
            ("zh;q=0, fr", Language::En),
            ("zh;q=abc", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(sent));
            assert_eq!(Language::from_headers(&headers), expected, "{sent}");
        }
    }

    #[test]
    fn takes_only_harmless_request_ids() {
        let id_for = |sent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static(sent));
            request_id(&headers)
        };
        assert_eq!(id_for("trace-0001"), "trace-0001");
        for sent in ["", "short", "has space 1", "quote\"quote", "{\"a\":\"bbbbbb\"}"] {
            assert_ne!(id_for(sent), sent);
            assert_eq!(id_for(sent).len(), 36);
        }
    }
}
