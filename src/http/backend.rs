//! What the edge serves: whoever implements [`Backend`] is reached over HTTP, event streams and
//! sockets.

use std::future::Future;
use std::sync::Arc;

use async_graphql::{Request, Response, ServerError, Value};
pub use axum::body::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt};

use super::auth::{Identity, TokenError};
use super::caller::Caller;
use super::error;
use super::response::body_of;

/// The entry of a result's extensions that says where a client goes on after it.
pub const CURSOR_EXTENSION: &str = "cursor";

/// What the edge serves.
pub trait Backend: Clone + Send + Sync + 'static {
    /// Runs a query or mutation. The request's data hold a [`Caller`].
    fn execute(&self, request: Request) -> impl Future<Output = Response> + Send;

    /// Opens a subscription. The request's data hold a [`Caller`], perhaps a
    /// [`LastEventId`](super::LastEventId).
    ///
    /// The edge ends the stream when the caller's token does; on a socket the client may have
    /// renewed it by then, so that [`Identity::expires_at`](super::auth::Identity::expires_at) of
    /// the request is the earliest end, not the last word.
    ///
    /// The end of the stream is the operation's `complete`; nothing follows [`Message::Error`] and
    /// [`Message::Close`].
    fn subscribe(&self, request: Request) -> BoxStream<'static, Message>;

    /// The newest cursor for this caller, for pings: every event up to here has been handed to the
    /// streams that [`Backend::subscribe`] opened for it, which yield it when they are polled next.
    /// Nothing when there is none to tell.
    ///
    /// The edge asks first, then takes from the caller's streams until they have nothing more, and
    /// tells the cursor only then; never while one of them is [`Message::CatchingUp`].
    fn newest_cursor(&self, caller: &Caller) -> Option<String>;

    /// Whom a bearer token stands for that is a key of the backend's own, not a signed token. Nothing when
    /// it does not look like one.
    fn bearer_of_key(&self, _token: &str) -> Option<BoxFuture<'static, Result<Identity, TokenError>>> {
        None
    }
}

/// What a subscription yields: finished, so that many can share it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A result.
    Next {
        /// The result as JSON text without line breaks, such as
        /// `{"data":…,"extensions":{"cursor":…}}`.
        body: Bytes,
        /// The cursor of the result, which the body tells, too.
        cursor: Option<Arc<str>>,
    },
    /// The operation could not begin or cannot go on; it is over.
    Error(Vec<ServerError>),
    /// The whole connection has to end.
    Close(Farewell),
    /// Whether the subscription reads its past from now on. While it does, it may have nothing to
    /// yield although there is something between its last result and
    /// [`Backend::newest_cursor`]; a subscription that never says so is taken to be at the head.
    CatchingUp(bool),
}

/// Why a backend ends a whole connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The client is further behind than can be kept for it; it may come again and resume.
    SlowConsumer,
    /// The caller may not have what it has any more.
    AccessRevoked,
}

impl Message {
    /// A result of an executor, its errors made fit for the wire. The cursor is taken from the
    /// result's extensions, see [`CURSOR_EXTENSION`].
    pub fn next(response: Response, request_id: &str) -> Self {
        let cursor = match response.extensions.get(CURSOR_EXTENSION) {
            Some(Value::String(cursor)) => Some(cursor.as_str().into()),
            _ => None,
        };
        Self::Next { body: Self::body(response, request_id), cursor }
    }

    /// The text of a result, its errors made fit for the wire.
    pub fn body(mut response: Response, request_id: &str) -> Bytes {
        error::finish_errors(&mut response, request_id);
        if !response.errors.is_empty() {
            response.extensions.insert("requestId".to_owned(), Value::from(request_id));
        }
        body_of(&response).into()
    }
}

/// The messages of a subscription that an executor resolves event by event.
pub fn messages(
    responses: impl Stream<Item = Response> + Send + 'static,
    request_id: String,
) -> BoxStream<'static, Message> {
    async_stream::stream! {
        let mut responses = std::pin::pin!(responses.fuse());
        let Some(mut first) = responses.next().await else { return };
        if first.data == Value::Null && !first.errors.is_empty() {
            // The executor tells a source that could not be opened from an event that could not
            // be resolved only by ending at once.
            match responses.next().now_or_never() {
                Some(None) => {
                    error::finish_errors(&mut first, &request_id);
                    yield Message::Error(first.errors);
                    return;
                }
                Some(Some(second)) => {
                    yield Message::next(first, &request_id);
                    yield Message::next(second, &request_id);
                }
                None => yield Message::next(first, &request_id),
            }
        } else {
            yield Message::next(first, &request_id);
        }
        while let Some(response) = responses.next().await {
            yield Message::next(response, &request_id);
        }
    }
    .boxed()
}
