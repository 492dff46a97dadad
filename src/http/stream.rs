//! Operations whose results come one by one, whatever carries them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures::stream::{BoxStream, StreamExt, once};

use super::backend::{Backend, Message};
use super::caller::{Caller, new_request_id};
use super::edge::EdgeState;
use super::error;
use super::execute;
use super::request::Prepared;

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
