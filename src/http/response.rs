//! From an answer of the executor to an HTTP response.

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::caller::weighted;
use super::error::{self, code};
use super::json;

/// The form an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/graphql-response+json`: the status tells about the operation.
    GraphqlResponse,
    /// `application/json`: 200 for whatever the executor answers, also for a bad document.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// `multipart/mixed` as Apollo's clients want it for subscriptions.
    Multipart,
}

impl MediaType {
    /// The form the client likes best; JSON if it does not say. Nothing if we have none it takes.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        Self::best(headers, |_| true)
    }

    /// The same without multipart: clients that take subscriptions in parts say so with everything
    /// they send, and still want the answer to a query in one piece.
    pub(crate) fn negotiate_whole(headers: &HeaderMap) -> Option<Self> {
        Self::best(headers, |media_type| media_type != Self::Multipart)
    }

    fn best(headers: &HeaderMap, wanted: impl Fn(Self) -> bool) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut said_anything = false;
        for value in headers.get_all(header::ACCEPT) {
            for entry in value.to_str().unwrap_or_default().split(',') {
                let (essence, weight) = weighted(entry);
                if essence.is_empty() {
                    continue;
                }
                said_anything = true;
                let media_type = match essence.to_ascii_lowercase().as_str() {
                    "application/graphql-response+json" => Self::GraphqlResponse,
                    "application/json" | "application/*" | "*/*" => Self::Json,
                    "text/event-stream" => Self::EventStream,
                    "multipart/mixed" if asks_for_subscriptions(entry) => Self::Multipart,
                    _ => continue,
                };
                if wanted(media_type) && weight > best.map_or(0, |(weight, _)| weight) {
                    best = Some((weight, media_type));
                }
            }
        }
        match best {
            Some((_, media_type)) => Some(media_type),
            None => (!said_anything).then_some(Self::Json),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json | Self::EventStream | Self::Multipart => "application/json; charset=utf-8",
        })
    }
}

/// Whether an entry of `Accept` names the version of Apollo's protocol that is spoken here.
fn asks_for_subscriptions(entry: &str) -> bool {
    entry.split(';').skip(1).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("subscriptionSpec") && value.trim().trim_matches('"') == "1.0"
    })
}

/// A request that is refused for what it is in HTTP, whatever form the answer has.
#[derive(Debug)]
pub(crate) struct HttpRefusal {
    pub(crate) status: StatusCode,
    pub(crate) error: Box<ServerError>,
    pub(crate) allow: Option<&'static str>,
}

impl HttpRefusal {
    pub(crate) fn new(status: StatusCode, error: ServerError) -> Self {
        Self { status, error: Box::new(error), allow: None }
    }

    pub(crate) fn into_response(self, media_type: MediaType, request_id: &str) -> Response {
        let answer = GraphqlResponse::from_errors(vec![*self.error]);
        let mut response = assemble(self.status, answer, media_type, request_id);
        if let Some(methods) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// The response for what the executor, or the guard in its place, answered.
pub(crate) fn respond(answer: GraphqlResponse, media_type: MediaType, request_id: &str) -> Response {
    assemble(status_of(&answer, media_type), answer, media_type, request_id)
}

/// The one place that maps an answer to a status.
fn status_of(answer: &GraphqlResponse, media_type: MediaType) -> StatusCode {
    if !error::is_request_error(answer) {
        return StatusCode::OK;
    }
    match answer.errors.first().and_then(error::code_of) {
        Some(code::UNAUTHENTICATED) => StatusCode::UNAUTHORIZED,
        Some(code::FORBIDDEN) => StatusCode::FORBIDDEN,
        Some(code::RESOURCE_EXHAUSTED | code::LIMIT) => StatusCode::TOO_MANY_REQUESTS,
        Some(code::TIMEOUT | code::UNAVAILABLE) => StatusCode::SERVICE_UNAVAILABLE,
        Some(code::INTERNAL) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(
            code::DOCUMENT_TOO_LARGE
            | code::DOCUMENT_TOO_MANY_TOKENS
            | code::DOCUMENT_TOO_DEEP
            | code::DOCUMENT_TOO_COMPLEX
            | code::DOCUMENT_TOO_MANY_ALIASES
            | code::INTROSPECTION_DISABLED,
        ) => StatusCode::BAD_REQUEST,
        _ if media_type == MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

fn assemble(status: StatusCode, mut answer: GraphqlResponse, media_type: MediaType, request_id: &str) -> Response {
    answer.extensions.insert("requestId".to_owned(), Value::from(request_id));
    let mut headers = std::mem::take(&mut answer.http_headers);
    headers.insert(header::CONTENT_TYPE, media_type.content_type());
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
        }
        _ => {}
    }
    (status, headers, body_of(&answer)).into_response()
}

/// The JSON text of an answer. There is no `data` when nothing was executed.
pub(crate) fn body_of(answer: &GraphqlResponse) -> String {
    let mut text = String::from("{");
    if !error::is_request_error(answer) {
        text.push_str("\"data\":");
        json::value(&answer.data, &mut text);
        text.push(',');
    }
    if !answer.errors.is_empty() {
        text.push_str("\"errors\":");
        match serde_json::to_string(&answer.errors) {
            Ok(errors) => text.push_str(&errors),
            Err(failure) => {
                tracing::error!(%failure, "errors could not be written as JSON");
                text.push_str(r#"[{"message":"Internal server error.","extensions":{"code":"INTERNAL"}}]"#);
            }
        }
        text.push(',');
    }
    if !answer.extensions.is_empty() {
        text.push_str("\"extensions\":{");
        for (name, value) in &answer.extensions {
            json::string(name, &mut text);
            text.push(':');
            json::value(value, &mut text);
            text.push(',');
        }
        close(&mut text);
        text.push(',');
    }
    close(&mut text);
    text
}

/// Ends an object, whose last entry has a comma behind it.
fn close(text: &mut String) {
    if text.ends_with(',') {
        text.pop();
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiates_the_media_type() {
        for (sent, expected) in [
            (None, Some(MediaType::Json)),
            (Some("*/*"), Some(MediaType::Json)),
            (Some("application/*"), Some(MediaType::Json)),
            (Some("application/json"), Some(MediaType::Json)),
            (Some("application/graphql-response+json"), Some(MediaType::GraphqlResponse)),
            (
                Some("application/json;q=0.9, Application/GraphQL-response+json; charset=utf-8"),
                Some(MediaType::GraphqlResponse),
            ),
            (Some("application/graphql-response+json;q=0.1, */*;q=0.5"), Some(MediaType::Json)),
            (Some("text/event-stream"), Some(MediaType::EventStream)),
            (Some("text/html, */*;q=0.8"), Some(MediaType::Json)),
            (
                Some("multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"),
                Some(MediaType::Multipart),
            ),
            (Some("multipart/mixed; subscriptionSpec=\"1.0\", application/json"), Some(MediaType::Multipart)),
            (Some("multipart/mixed;subscriptionSpec=2.0, application/json"), Some(MediaType::Json)),
            (Some("multipart/mixed;deferSpec=20220824,application/json"), Some(MediaType::Json)),
            (Some("multipart/mixed"), None),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(header::ACCEPT, HeaderValue::from_static(sent));
            }
            assert_eq!(MediaType::negotiate(&headers), expected, "{sent:?}");
        }
    }

    #[test]
    fn leaves_data_out_of_request_errors_only() {
        let refused = GraphqlResponse::from_errors(vec![error::coded("X", "no")]);
        assert!(!body_of(&refused).contains("data"));
        let failed = GraphqlResponse::from_errors(vec![
            error::coded("X", "no").with_path(vec![async_graphql::PathSegment::Field("a".to_owned())]),
        ]);
        assert!(body_of(&failed).starts_with("{\"data\":null"));
    }
}
