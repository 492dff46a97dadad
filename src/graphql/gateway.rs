//! Between the edge and the schema: turns the caller's claims into a session, and a message's
//! cursor into what event streams carry as their id.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Executor, Request, Response, ServerError, Value};
use futures::StreamExt;
use futures::stream::{self, BoxStream, Stream};

use super::context::{attach, attach_forgetful, code};
use super::{ApiSchema, schema, selection};
use crate::app::{App, Failure, Identity, Session};
use crate::http::backend::messages;
use crate::http::{Backend, Caller, LastEventId, Message};

/// The schema as the edge sees it.
#[derive(Clone)]
pub struct Gateway {
    schema: ApiSchema,
    app: Arc<App>,
}

/// Where a subscription leaves the cursor of the message it is about to send.
#[derive(Default)]
pub struct CursorSlot(Mutex<Option<String>>);

impl CursorSlot {
    /// Leaves a cursor.
    pub fn put(&self, cursor: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor.to_owned());
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Gateway {
    /// The gateway of an application.
    pub fn new(app: &Arc<App>) -> Self {
        Self { schema: schema(), app: app.clone() }
    }

    /// The caller's session; none for a request without a token.
    async fn session(&self, request: &Request) -> Result<Option<Session>, ServerError> {
        let Some(Caller { identity: Some(identity), request_id, .. }) = caller(request) else {
            return Ok(None);
        };
        let identity = Identity {
            subject: identity.subject.clone(),
            roles: identity.roles.clone(),
            unit: identity.unit.clone(),
            customer: identity.customer.clone(),
            channel: identity.channel.clone(),
        };
        // In a task of its own: a socket that closes must not take a connection along.
        let (app, id) = (self.app.clone(), request_id.clone());
        let opened = tokio::spawn(async move { Session::open(&app, &identity, &id).await }).await;
        match opened {
            Ok(Ok(session)) => Ok(Some(session)),
            Ok(Err(failure)) => Err(refused(&failure, request_id)),
            Err(error) => Err(refused(&Failure::Internal(error.to_string()), request_id)),
        }
    }

    /// The responses of a subscription, one by one.
    fn responses(self, mut request: Request) -> impl Stream<Item = Response> + Send + 'static {
        let responses = async move {
            let order = Order::of(&mut request);
            let session = match self.session(&request).await {
                Ok(session) => session,
                Err(error) => return stream::iter([Response::from_errors(vec![error])]).boxed(),
            };
            let slot = Arc::new(CursorSlot::default());
            let request = attach_forgetful(request, session).data(slot.clone());
            Executor::execute_stream(&self.schema, request, None)
                .map(move |response| {
                    let response = order.restore(response);
                    match slot.take() {
                        Some(cursor) => response.extension("cursor", Value::String(cursor)),
                        None => response,
                    }
                })
                .boxed()
        };
        stream::once(responses).flatten()
    }
}

fn caller(request: &Request) -> Option<&Caller> {
    request.data.get(&std::any::TypeId::of::<Caller>()).and_then(|data| data.downcast_ref::<Caller>())
}

fn refused(failure: &Failure, request_id: &str) -> ServerError {
    if let Failure::Internal(cause) = failure {
        tracing::error!(request_id, cause, "a session could not be opened");
    }
    let mut error = ServerError::new(failure.to_string(), None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", code(failure));
    error.extensions = Some(extensions);
    error
}

impl Backend for Gateway {
    async fn execute(&self, mut request: Request) -> Response {
        let order = Order::of(&mut request);
        match self.session(&request).await {
            Ok(session) => order.restore(self.schema.execute(attach(request, session)).await),
            Err(error) => Response::from_errors(vec![error]),
        }
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Message> {
        let request_id = caller(&request).map(|caller| caller.request_id.clone()).unwrap_or_default();
        messages(self.clone().responses(request), request_id)
    }

    fn newest_cursor(&self, _: &Caller) -> Option<String> {
        None
    }
}

/// The order in which an operation selects its fields.
struct Order {
    document: Option<ExecutableDocument>,
    operation: Option<String>,
}

impl Order {
    /// The edge has parsed the document; without that the executor will say what is wrong with it.
    fn of(request: &mut Request) -> Self {
        Self { document: request.parsed_query().ok().cloned(), operation: request.operation_name.clone() }
    }

    fn restore(&self, mut response: Response) -> Response {
        if let Some(document) = &self.document {
            selection::in_order(document, self.operation.as_deref(), &mut response.data);
        }
        response
    }
}

/// The cursor a client resumes from: the one it names, else the last one its event stream brought.
pub fn resume_from(ctx: &async_graphql::Context<'_>, after: Option<String>) -> Option<String> {
    after.or_else(|| ctx.data_opt::<LastEventId>().map(|last| last.0.clone()).filter(|last| !last.is_empty()))
}
