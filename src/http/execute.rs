//! Runs operations so that neither a client that leaves nor a panic does harm.

use std::sync::Arc;

use async_graphql::{Request, Response};

use super::backend::Backend;
use super::edge::EdgeState;
use super::error::{self, code};

/// Runs one query or mutation in a task of its own and waits for the answer.
///
/// When the caller of this function goes away, the task runs on to its end: a unit of work that is
/// dropped halfway can leave a pooled database connection inside a transaction. For the same
/// reason an operation that takes too long is answered `TIMEOUT` but not cut.
pub(crate) async fn run<B: Backend>(edge: &EdgeState<B>, request: Request, request_id: &str) -> Response {
    let Ok(permit) = Arc::clone(&edge.operations).try_acquire_owned() else {
        return Response::from_errors(vec![error::coded(
            code::UNAVAILABLE,
            "The server has as many operations as it can take; try again later.",
        )]);
    };
    let backend = edge.backend.clone();
    let id = request_id.to_owned();
    let task = edge.tasks.spawn(async move {
        let _permit = permit;
        let mut response = backend.execute(request).await;
        error::finish_errors(&mut response, &id);
        response
    });
    match tokio::time::timeout(edge.settings.operation_time(), task).await {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => {
            tracing::error!(request_id, %failure, "an operation panicked");
            Response::from_errors(vec![error::internal(request_id)])
        }
        Err(_) => {
            tracing::warn!(request_id, "an operation ran into its time limit");
            Response::from_errors(vec![error::coded(
                code::TIMEOUT,
                format!(
                    "The operation took longer than {} seconds. It may still take effect.",
                    edge.settings.operation_seconds
                ),
            )])
        }
    }
}
