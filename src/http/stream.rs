//! Operations whose results come one by one, whatever carries them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Response, ServerError, Value};
use futures::FutureExt;
use futures::stream::{BoxStream, StreamExt};

use super::caller::Caller;
use super::edge::EdgeState;
use super::error;
use super::execute;
use super::request::Prepared;

/// What an operation yields.
pub(crate) enum Item {
    /// A result.
    Next(Response),
    /// The operation could not be started; nothing follows.
    Refused(Vec<ServerError>),
}

/// Runs an operation of any type. Queries and mutations yield one item.
///
/// The stream of a subscription is dropped when its client leaves.
pub(crate) fn open<E: Executor>(
    edge: &Arc<EdgeState<E>>,
    prepared: Prepared,
    caller: Caller,
) -> BoxStream<'static, Item> {
    let edge = Arc::clone(edge);
    let request_id = caller.request_id.clone();
    let request = prepared.request.data(caller);
    if prepared.operation_type != OperationType::Subscription {
        return futures::stream::once(async move {
            let response = execute::run(&edge, request, &request_id).await;
            item(response, true)
        })
        .boxed();
    }
    async_stream::stream! {
        let responses = edge.executor.execute_stream(request, None);
        let mut responses = AssertUnwindSafe(responses).catch_unwind().fuse();
        let finish = |response: Result<Response, _>| {
            let mut response = response.unwrap_or_else(|_| {
                tracing::error!(request_id, "a subscription panicked");
                Response::from_errors(vec![error::internal(&request_id)])
            });
            error::finish_errors(&mut response, &request_id);
            if !response.errors.is_empty() {
                response
                    .extensions
                    .insert("requestId".to_owned(), Value::from(request_id.as_str()));
            }
            response
        };
        let Some(first) = responses.next().await else { return };
        let first = finish(first);
        if first.data == Value::Null && !first.errors.is_empty() {
            // The executor tells a source that could not be opened from an event that could not
            // be resolved only by ending at once.
            match responses.next().now_or_never() {
                Some(None) => {
                    yield Item::Refused(first.errors);
                    return;
                }
                Some(Some(second)) => {
                    yield item(first, false);
                    yield item(finish(second), false);
                }
                None => yield item(first, false),
            }
        } else {
            yield item(first, false);
        }
        while let Some(response) = responses.next().await {
            yield item(finish(response), false);
        }
    }
    .boxed()
}

fn item(response: Response, only: bool) -> Item {
    if only && error::is_request_error(&response) { Item::Refused(response.errors) } else { Item::Next(response) }
}
