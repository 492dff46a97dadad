//! One operation whose results go out one by one in the response to a request, whatever form they
//! have there.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::stream::{BoxStream, Stream};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::auth::TokenError;
use super::backend::{Backend, Bytes, Farewell, Message};
use super::caller::Caller;
use super::counters::{Open, Transport};
use super::edge::{EdgeState, instant_of};
use super::error::{self, code};
use super::places::Place;
use super::request::Prepared;
use super::response::{HttpRefusal, body_of};
use super::stream;

/// What a response in this form has to tell. When it ends without [`Happening::Complete`], the
/// client shall come again.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A result, as JSON text, and its cursor; also that the operation did not start, or failed.
    Result(Bytes, Option<Arc<str>>),
    /// The caller may have nothing more.
    Dismissed(ServerError),
    /// Nothing happened for a while; the client has everything up to the cursor.
    Quiet(Option<String>),
    /// The operation is over.
    Complete,
}

/// What a response holds as long as it is open.
#[derive(Debug)]
pub(crate) struct Holding {
    _open: Open,
    _place: Option<Place>,
    _token: TaskTrackerToken,
}

/// Room for one more open response.
///
/// # Errors
/// 503 while the server stops, 429 when the caller has too many open.
pub(crate) fn admit<B: Backend>(
    edge: &EdgeState<B>,
    caller: &Caller,
    transport: Transport,
) -> Result<Holding, HttpRefusal> {
    if edge.stopping.is_cancelled() {
        return Err(stopping());
    }
    let most = edge.settings.streams_per_caller;
    let place = match &caller.identity {
        Some(identity) => Some(edge.stream_places.take(identity, most).ok_or_else(|| {
            HttpRefusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                error::coded(code::LIMIT, format!("A caller may have {most} streams open.")),
            )
        })?),
        None => None,
    };
    let open = edge.counters.enter(transport, u64::MAX).ok_or_else(stopping)?;
    Ok(Holding { _open: open, _place: place, _token: edge.streams.token() })
}

/// The refusal of what would have to end at once.
pub(crate) fn stopping() -> HttpRefusal {
    let message = "The server is stopping; connect again.";
    HttpRefusal::new(StatusCode::SERVICE_UNAVAILABLE, error::coded(code::UNAVAILABLE, message))
}

/// What happens to an operation until it is over, its caller's token runs out or the server stops.
pub(crate) fn happenings<B: Backend>(
    edge: &Arc<EdgeState<B>>,
    prepared: Prepared,
    caller: Caller,
    transport: Transport,
    holding: Holding,
) -> impl Stream<Item = Happening> + Send + 'static {
    let edge = Arc::clone(edge);
    let keep_alive = Duration::from_secs(edge.settings.event_stream_keep_alive_seconds);
    let mark = Duration::from_millis(edge.settings.socket.ping_milliseconds);
    async_stream::stream! {
        let _holding = holding;
        let expiry = until(caller.identity.as_ref().map(|identity| identity.expires_at));
        let follows = prepared.operation_type == OperationType::Subscription;
        let mut messages = stream::open(&edge, prepared, caller.clone());
        let mut catching_up = false;
        let stopped = edge.until_stopped();
        tokio::pin!(expiry, stopped);
        // Said at once, so that the client sees the head before the first result.
        yield Happening::Quiet(None);
        let now = Instant::now();
        let (mut keep_alive_at, mut mark_at) = (now + keep_alive, now + mark);
        loop {
            let message = tokio::select! {
                biased;
                () = &mut expiry => {
                    drop(messages);
                    yield Happening::Dismissed(TokenError::Expired.into());
                    yield Happening::Complete;
                    return;
                }
                () = &mut stopped => return,
                message = next(&mut messages) => message,
                () = sleep_until(keep_alive_at.min(mark_at)) => {
                    let now = Instant::now();
                    keep_alive_at = now + keep_alive;
                    if now < mark_at || !follows {
                        yield Happening::Quiet(None);
                        continue;
                    }
                    mark_at = now + mark;
                    // First the cursor, then what came before it.
                    let newest = edge.backend.newest_cursor(&caller);
                    match next(&mut messages).now_or_never() {
                        Some(message) => message,
                        None => {
                            yield Happening::Quiet(newest.filter(|_| !catching_up));
                            continue;
                        }
                    }
                }
            };
            match message {
                Some(Message::Next { body, cursor }) => {
                    edge.counters.add_messages(transport, 1);
                    yield Happening::Result(body, cursor);
                    let now = Instant::now();
                    (keep_alive_at, mark_at) = (now + keep_alive, now + mark);
                }
                Some(Message::CatchingUp(reads_its_past)) => catching_up = reads_its_past,
                Some(Message::Error(errors)) => {
                    yield Happening::Result(refusal(errors, &caller.request_id), None);
                    yield Happening::Complete;
                    return;
                }
                Some(Message::Close(Farewell::SlowConsumer)) => return,
                Some(Message::Close(Farewell::AccessRevoked)) => {
                    drop(messages);
                    yield Happening::Dismissed(error::coded(code::FORBIDDEN, "Access revoked."));
                    yield Happening::Complete;
                    return;
                }
                None => {
                    yield Happening::Complete;
                    return;
                }
            }
        }
    }
}

/// What happens to an operation that was refused before it ran.
pub(crate) fn refused(refusal: ServerError, request_id: &str) -> impl Stream<Item = Happening> + Send + 'static {
    let body = self::refusal(vec![refusal], request_id);
    futures::stream::iter([Happening::Result(body, None), Happening::Complete])
}

/// The JSON text of an answer that holds errors only.
pub(crate) fn refusal(errors: Vec<ServerError>, request_id: &str) -> Bytes {
    let mut response = GraphqlResponse::from_errors(errors);
    error::finish_errors(&mut response, request_id);
    response.extensions.insert("requestId".to_owned(), Value::from(request_id));
    body_of(&response).into()
}

async fn next(messages: &mut BoxStream<'static, Message>) -> Option<Message> {
    poll_fn(|context| stream::poll_message(messages, context)).await
}

/// Waits for a point in time that may not come.
async fn until(time: Option<DateTime<Utc>>) {
    match time.and_then(instant_of) {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
