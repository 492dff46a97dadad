//! Operations whose results come one by one, whatever carries them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use futures::stream::{BoxStream, StreamExt};

use super::backend::{Backend, Message};
use super::caller::Caller;
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
        return futures::stream::once(async move {
            let response = execute::run(&edge, request, &request_id).await;
            if error::is_request_error(&response) {
                Message::Error(response.errors)
            } else {
                Message::next(response, &request_id)
            }
        })
        .boxed();
    }
    let messages = edge.backend.subscribe(request);
    AssertUnwindSafe(messages)
        .catch_unwind()
        .map(move |message| {
            message.unwrap_or_else(|_| {
                tracing::error!(request_id, "a subscription panicked");
                Message::Error(vec![error::internal(&request_id)])
            })
        })
        .filter(|message| std::future::ready(!matches!(message, Message::CatchingUp(_))))
        .boxed()
}
