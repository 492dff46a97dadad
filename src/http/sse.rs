//! Event streams: the protocol `graphql-sse` in the mode of distinct connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::stream::{Stream, StreamExt};

use super::auth::TokenError;
use super::backend::{Backend, Message};
use super::caller::{Caller, LastEventId};
use super::edge::{EdgeState, instant_of};
use super::request::Prepared;
use super::response::body_of;
use super::stream;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Clients ignore it; it keeps an idle stream open.
const COMMENT: &str = ":\n\n";

/// Browsers drop events without a data line.
const COMPLETE: &str = "event: complete\ndata:\n\n";

/// Answers with the results of an operation as events, then `complete`.
///
/// When the caller's token runs out, the stream says so and completes. When the server stops, the
/// stream ends without `complete`, so that the client connects again and goes on after the last
/// event it saw.
pub(crate) fn respond<B: Backend>(
    edge: &Arc<EdgeState<B>>,
    mut prepared: Prepared,
    caller: Caller,
    expires_at: Option<DateTime<Utc>>,
    headers: &HeaderMap,
) -> Response {
    if let Some(id) = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()) {
        prepared.request = prepared.request.data(LastEventId(id.to_owned()));
    }
    let keep_alive = Duration::from_secs(edge.settings.event_stream_keep_alive_seconds);
    let request_id = caller.request_id.clone();
    let edge = Arc::clone(edge);
    let events = async_stream::stream! {
        let mut items = stream::open(&edge, prepared, caller);
        let expiry = async {
            match expires_at.and_then(instant_of) {
                Some(instant) => tokio::time::sleep_until(instant.into()).await,
                None => std::future::pending().await,
            }
        };
        let stopped = edge.until_stopped();
        tokio::pin!(expiry, stopped);
        // Sent at once, so that the client sees the head before the first event.
        yield COMMENT.to_owned();
        loop {
            tokio::select! {
                biased;
                () = &mut expiry => {
                    drop(items);
                    yield refusal_event(TokenError::Expired.into(), &request_id);
                    yield COMPLETE.to_owned();
                    return;
                }
                () = &mut stopped => return,
                item = items.next() => match item {
                    Some(Message::Next { body, cursor }) => yield event(&body, cursor.as_deref()),
                    Some(Message::Error(errors)) => {
                        yield next(&GraphqlResponse::from_errors(errors));
                    }
                    Some(Message::Close(_)) => return,
                    Some(Message::CatchingUp(_)) => {}
                    None => {
                        yield COMPLETE.to_owned();
                        return;
                    }
                },
                () = tokio::time::sleep(keep_alive) => yield COMMENT.to_owned(),
            }
        }
    };
    into_response(events)
}

/// Answers with one event for an operation that was refused before it ran.
pub(crate) fn refuse(refusal: ServerError, request_id: &str) -> Response {
    let events = [refusal_event(refusal, request_id), COMPLETE.to_owned()];
    into_response(futures::stream::iter(events))
}

fn into_response(events: impl Stream<Item = String> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
        // Proxies that collect a response before they pass it on must not do so here.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
}

fn refusal_event(refusal: ServerError, request_id: &str) -> String {
    let response = GraphqlResponse::from_errors(vec![refusal]).extension("requestId", Value::from(request_id));
    next(&response)
}

fn next(response: &GraphqlResponse) -> String {
    event(body_of(response).as_bytes(), None)
}

fn event(body: &[u8], cursor: Option<&str>) -> String {
    // JSON has no raw line breaks, so one line holds it.
    let data = String::from_utf8_lossy(body);
    match cursor {
        // Other characters can't stand in an id.
        Some(cursor) if cursor.bytes().all(|byte| byte.is_ascii_graphic()) => {
            format!("event: next\nid: {cursor}\ndata: {data}\n\n")
        }
        _ => format!("event: next\ndata: {data}\n\n"),
    }
}
