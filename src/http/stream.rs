//! Operations whose results come one by one, whatever carries them.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt, once};
use serde_json::Value as Json;

use super::backend::{Backend, Message};
use super::caller::{Caller, new_request_id};
use super::edge::EdgeState;
use super::error::{self, code};
use super::execute;
use super::request::{Parameters, Prepared};

/// Runs an operation of any type. Queries and mutations yield one message.
///
/// The stream of a subscription is dropped when its client leaves.
pub(crate) fn open<B: Backend>(
    edge: &Arc<EdgeState<B>>,
    prepared: Prepared,
    caller: Caller,
) -> BoxStream<'static, Message> {
    let request_id = caller.request_id.clone();
    let request = prepared.request.data(caller);
    if prepared.operation_type != OperationType::Subscription {
        let edge = Arc::clone(edge);
        return once(async move {
            let response = execute::run(&edge, request, &request_id).await;
            if error::is_request_error(&response) {
                Message::Error(response.errors)
            } else {
                Message::next(response, &request_id)
            }
        })
        .boxed();
    }
    catch_unwind(AssertUnwindSafe(|| edge.backend.subscribe(request)))
        .unwrap_or_else(|_| once(std::future::ready(after_panic())).boxed())
}

/// The same for an operation that has not been looked into yet. It is when its turn comes: after a restart
/// thousands of sockets ask for all their subscriptions at once, and those who wait hold no more
/// than what they sent. Mutations are refused.
pub(crate) fn open_in_turn<B: Backend>(
    edge: &Arc<EdgeState<B>>,
    payload: &Json,
    caller: Caller,
) -> BoxStream<'static, Message> {
    let edge = Arc::clone(edge);
    // A text in one piece: trees of thousands who wait leave holes between what stays.
    let payload = payload.to_string().into_boxed_str();
    let opening = async move {
        // Never closed; without a turn the operation would only be less bounded.
        let turn = Arc::clone(&edge.openings).acquire_owned().await.ok();
        match prepare(&edge, &payload) {
            Ok(mut prepared) => {
                if prepared.operation_type == OperationType::Subscription {
                    // Its turn ends when it is open, with the request.
                    prepared.request = prepared.request.data(turn);
                }
                open(&edge, prepared, caller)
            }
            Err(refusal) => once(std::future::ready(Message::Error(vec![refusal]))).boxed(),
        }
    };
    InTurn::New(opening.boxed()).boxed()
}

fn prepare<B: Backend>(edge: &EdgeState<B>, payload: &str) -> Result<Prepared, ServerError> {
    let payload = serde_json::from_str(payload)
        .map_err(|error| error::coded(code::BAD_USER_INPUT, format!("The payload is not JSON: {error}")))?;
    let parameters = Parameters::from_json(payload).map_err(|refusal| *refusal.error)?;
    let prepared = parameters.prepare(&edge.documents).map_err(|refusal| ServerError::from(*refusal))?;
    if prepared.operation_type == OperationType::Mutation {
        return Err(error::coded(code::METHOD_NOT_ALLOWED, "Mutations are sent by POST, not over a socket."));
    }
    Ok(prepared)
}

/// An operation that waits for its turn, and then runs.
enum InTurn {
    New(BoxFuture<'static, BoxStream<'static, Message>>),
    Waiting(BoxFuture<'static, BoxStream<'static, Message>>),
    Open(BoxStream<'static, Message>),
}

impl Stream for InTurn {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        match &mut *self {
            Self::New(opening) => {
                let opening = std::mem::replace(opening, pending().boxed());
                *self = Self::Waiting(opening);
                // Until it is open, it is not up to date.
                Poll::Ready(Some(Message::CatchingUp(true)))
            }
            Self::Waiting(opening) => {
                let mut messages = ready!(opening.poll_unpin(context));
                let first = messages.poll_next_unpin(context);
                *self = Self::Open(messages);
                match first {
                    Poll::Pending => Poll::Ready(Some(Message::CatchingUp(false))),
                    first => first,
                }
            }
            Self::Open(messages) => messages.poll_next_unpin(context),
        }
    }
}

/// The next message of an operation; a stream that panics fails. It must not be asked again after
/// [`Message::Error`].
pub(crate) fn poll_message(
    messages: &mut BoxStream<'static, Message>,
    context: &mut Context<'_>,
) -> Poll<Option<Message>> {
    let polled = catch_unwind(AssertUnwindSafe(|| messages.poll_next_unpin(context)));
    match polled.unwrap_or_else(|_| Poll::Ready(Some(after_panic()))) {
        Poll::Ready(Some(Message::Error(errors))) => {
            let mut response = Response::from_errors(errors);
            error::finish_errors(&mut response, &new_request_id());
            Poll::Ready(Some(Message::Error(response.errors)))
        }
        polled => polled,
    }
}

fn after_panic() -> Message {
    let id = new_request_id();
    tracing::error!(request_id = id, "a subscription panicked");
    Message::Error(vec![error::internal(&id)])
}
