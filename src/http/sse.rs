//! Event streams: the protocol `graphql-sse` in the mode of distinct connections.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{Stream, StreamExt};

use super::backend::Bytes;
use super::caller::LastEventId;
use super::live::{Happening, refusal};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Clients ignore it; it keeps an idle stream open.
const COMMENT: &[u8] = b":\n\n";

/// Browsers drop events without a data line.
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Where a client goes on that lost its stream before.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<LastEventId> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    Some(LastEventId(id.to_owned()))
}

/// Answers with what happens as events.
///
/// When the caller's token runs out, the stream says so and completes. When the server stops, the
/// stream ends without `complete`, so that the client connects again and goes on after the last
/// event it saw.
pub(crate) fn respond(happenings: impl Stream<Item = Happening> + Send + 'static, request_id: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
        // Proxies that collect a response before they pass it on must not do so here.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let request_id = request_id.to_owned();
    let events = happenings.map(move |happening| Ok::<_, Infallible>(event(happening, &request_id)));
    (headers, Body::from_stream(events)).into_response()
}

fn event(happening: Happening, request_id: &str) -> Bytes {
    match happening {
        Happening::Result(body, cursor) => next(cursor.as_deref(), &body),
        Happening::Dismissed(reason) => next(None, &refusal(vec![reason], request_id)),
        Happening::Quiet(Some(cursor)) if is_id(&cursor) => {
            // Browsers remember the id of a block without data and tell nobody about it.
            format!("id: {cursor}\n\n").into()
        }
        Happening::Quiet(_) => Bytes::from_static(COMMENT),
        Happening::Complete => Bytes::from_static(COMPLETE),
    }
}

fn next(cursor: Option<&str>, body: &[u8]) -> Bytes {
    let cursor = cursor.filter(|cursor| is_id(cursor));
    let mut event = Vec::with_capacity(body.len() + cursor.map_or(0, str::len) + 32);
    event.extend_from_slice(b"event: next\n");
    if let Some(cursor) = cursor {
        for piece in ["id: ", cursor, "\n"] {
            event.extend_from_slice(piece.as_bytes());
        }
    }
    // JSON has no raw line breaks, so one line holds it.
    for piece in [b"data: ", body, b"\n\n"] {
        event.extend_from_slice(piece);
    }
    event.into()
}

/// Other characters can't stand in an id.
fn is_id(cursor: &str) -> bool {
    !cursor.is_empty() && cursor.bytes().all(|byte| byte.is_ascii_graphic())
}
