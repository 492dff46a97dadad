//! Dressing what was found: one execution of the document for each update, whoever it is for.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Executor, Request, Response, Value};
use futures::StreamExt;

use super::document::Operation;
use super::update::{Batch, Update};
use crate::app::Session;
use crate::graphql::context::attach;
use crate::graphql::{ApiSchema, selection};
use crate::http::backend::CURSOR_EXTENSION;
use crate::http::{Bytes, Message, error};

/// How long a database that is away is waited for before a result says so.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause before an execution is tried again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// A finished result.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its place in the log.
    pub position: i64,
    /// The result as JSON text.
    pub body: Bytes,
    /// Where to go on behind it.
    pub cursor: Arc<str>,
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self::Next { body: frame.body, cursor: Some(frame.cursor) }
    }
}

/// Executes the operation for each update, in order. What fails since something is not within reach
/// is tried again: a subscriber is told late rather than wrongly.
pub async fn execute(schema: &ApiSchema, operation: &Operation, session: &Session, updates: Vec<Update>) -> Vec<Frame> {
    let mut pause = PAUSE;
    let mut waited = Duration::ZERO;
    let mut frames = Vec::with_capacity(updates.len());
    while frames.len() < updates.len() {
        let rest = updates[frames.len()..].to_vec();
        let may_wait = waited < PATIENCE;
        if once(schema, operation, session, rest, may_wait, &mut frames).await {
            break;
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
    frames
}

/// Executes until something is out of reach; says whether it came to the end.
async fn once(
    schema: &ApiSchema,
    operation: &Operation,
    session: &Session,
    updates: Vec<Update>,
    may_wait: bool,
    frames: &mut Vec<Frame>,
) -> bool {
    let mut request = Request::new(String::new()).variables(operation.variables.clone());
    request.operation_name.clone_from(&operation.document.name);
    request.set_parsed_query(operation.document.parsed.clone());
    let request = attach(request, Some(session.clone())).data(Batch(updates.clone()));
    let responses = Executor::execute_stream(schema, request, None);
    let mut responses = AssertUnwindSafe(responses).catch_unwind().fuse();
    for update in updates {
        let response = match responses.next().await {
            Some(Ok(response)) => response,
            // The rest would be lost without a word: tell of each.
            Some(Err(_)) | None => {
                tracing::error!(request_id = &*session.request_id, "the execution of a subscription broke off");
                Response::from_errors(vec![error::internal(&session.request_id)])
            }
        };
        if may_wait && response.errors.iter().any(error::passes) {
            return false;
        }
        frames.push(frame(operation, session, update, response));
    }
    true
}

fn frame(operation: &Operation, session: &Session, update: Update, mut response: Response) -> Frame {
    let document = &operation.document;
    selection::in_order(&document.parsed, document.name.as_deref(), &operation.variables, &mut response.data);
    response.extensions.insert(CURSOR_EXTENSION.to_owned(), Value::from(&*update.cursor));
    Frame { position: update.position, body: Message::body(response, &session.request_id), cursor: update.cursor }
}
