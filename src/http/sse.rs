//! Event streams: the protocol `graphql-sse` in the mode of distinct connections.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, Response as GraphqlResponse, ServerError, Value};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::stream::StreamExt;

use super::auth::TokenError;
use super::caller::{Caller, LastEventId};
use super::edge::{EdgeState, instant_of};
use super::request::Prepared;
use super::response::body_of;
use super::stream::{self, Item};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The entry of a result's extensions that becomes the id of the event.
const CURSOR: &str = "cursor";

/// Answers with the results of an operation as events, then `complete`.
///
/// When the caller's token runs out, the stream says so and completes. When the server stops, the
/// stream ends without `complete`, so that the client connects again and goes on after the last
/// event it saw.
pub(crate) fn respond<E: Executor>(
    edge: &Arc<EdgeState<E>>,
    mut prepared: Prepared,
    caller: Caller,
    expires_at: Option<DateTime<Utc>>,
    headers: &HeaderMap,
) -> Response {
    if let Some(id) = headers
        .get(LAST_EVENT_ID)
        .and_then(|value| value.to_str().ok())
    {
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
        loop {
            tokio::select! {
                biased;
                () = &mut expiry => {
                    drop(items);
                    yield refusal_event(TokenError::Expired.into(), &request_id);
                    yield complete();
                    return;
                }
                () = &mut stopped => return,
                item = items.next() => match item {
                    Some(Item::Next(response)) => yield next(&response),
                    Some(Item::Refused(errors)) => {
                        let response = GraphqlResponse::from_errors(errors);
                        yield next(&response);
                    }
                    None => {
                        yield complete();
                        return;
                    }
                },
            }
        }
    };
    into_response(
        Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(keep_alive)),
    )
}

/// Answers with one event for an operation that was refused before it ran.
pub(crate) fn refuse(refusal: ServerError, request_id: &str) -> Response {
    let events = [refusal_event(refusal, request_id), complete()];
    into_response(Sse::new(
        futures::stream::iter(events).map(Ok::<_, Infallible>),
    ))
}

fn into_response(stream: impl IntoResponse) -> Response {
    let mut response = stream.into_response();
    // Proxies that collect a response before they pass it on must not do so here.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

fn refusal_event(refusal: ServerError, request_id: &str) -> Event {
    let response =
        GraphqlResponse::from_errors(vec![refusal]).extension("requestId", Value::from(request_id));
    next(&response)
}

fn next(response: &GraphqlResponse) -> Event {
    let event = Event::default().event("next").data(body_of(response));
    match response.extensions.get(CURSOR) {
        // Other characters can't stand in an id.
        Some(Value::String(cursor)) if cursor.bytes().all(|byte| byte.is_ascii_graphic()) => {
            event.id(cursor)
        }
        _ => event,
    }
}

fn complete() -> Event {
    Event::default().event("complete").data("")
}
