//! Between the edge and the schema: turns the caller's claims into a session, and hands
//! subscriptions to the hub.

use std::any::TypeId;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, Variables};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::task::JoinHandle;

use super::context::{attach, code};
use super::live::{Hub, Messages};
use super::wanted::KnownDocument;
use super::{ApiSchema, schema, selection};
use crate::app::{App, Failure, Identity, Session, access_key};
use crate::http::auth::{self, TokenError};
use crate::http::guard::CheckedDocument;
use crate::http::{Backend, Caller, Message, error};

/// The schema as the edge sees it.
#[derive(Clone)]
pub struct Gateway {
    schema: ApiSchema,
    app: Arc<App>,
    hub: Hub,
}

impl Gateway {
    /// The gateway of an application.
    pub fn new(app: &Arc<App>) -> Self {
        let schema = schema();
        Self { hub: Hub::new(schema.clone(), app), schema, app: app.clone() }
    }

    /// The subscriptions of this node.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The caller's session; none for a request without a token.
    async fn session(&self, caller: Option<&Caller>) -> Result<Option<Session>, ServerError> {
        let Some(Caller { identity: Some(identity), request_id, .. }) = caller else {
            return Ok(None);
        };
        let opened = self.session_of(identity, request_id).await;
        opened.map(Some).map_err(|failure| refused(&failure, request_id))
    }

    /// The session of whoever an identity stands for.
    pub(crate) async fn session_of(
        &self,
        identity: &crate::http::auth::Identity,
        request_id: &str,
    ) -> Result<Session, Failure> {
        let identity = Identity {
            subject: identity.subject.clone(),
            roles: identity.roles.clone(),
            unit: identity.unit.clone(),
            customer: identity.customer.clone(),
            channel: identity.channel.clone(),
            order: identity.order.map(Into::into),
        };
        // In a task of its own: a socket that closes must not take a connection along.
        let (app, id) = (self.app.clone(), request_id.to_owned());
        let opened = tokio::spawn(async move { Session::open(&app, &identity, &id).await }).await;
        opened.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
    }

    async fn open(self, request: Request) -> Opened {
        let caller = caller(&request).cloned();
        // Thousands come back at once after a restart: so many at a time, each with what it takes.
        let _turn = self.hub.may_open().await;
        // Made when its turn has come: whoever waits holds no more than the request.
        let opening = async {
            match (self.session(caller.as_ref()).await, caller) {
                (Ok(Some(session)), Some(caller)) => self.hub.open(request, session, caller).await,
                (Ok(_), _) => {
                    let failure = Failure::Unauthenticated;
                    Err(vec![error::coded(error::code::UNAUTHENTICATED, failure.to_string())])
                }
                (Err(error), _) => Err(vec![error]),
            }
        };
        opening.boxed().await
    }
}

type Opened = Result<Messages, Vec<ServerError>>;

/// A subscription from the moment it is asked for.
enum Subscription {
    /// Nothing was said yet.
    New(JoinHandle<Opened>),
    /// It is being opened, in a task of its own: a socket that closes must not take a connection along.
    Opening(JoinHandle<Opened>),
    Open(Messages),
    Over,
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            match std::mem::replace(&mut *self, Self::Over) {
                Self::New(opening) => {
                    *self = Self::Opening(opening);
                    // Until it is open, it is not up to date.
                    return Poll::Ready(Some(Message::CatchingUp(true)));
                }
                Self::Opening(mut opening) => match opening.poll_unpin(cx) {
                    Poll::Pending => {
                        *self = Self::Opening(opening);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(Ok(messages))) => *self = Self::Open(messages),
                    Poll::Ready(Ok(Err(errors))) => return Poll::Ready(Some(Message::Error(errors))),
                    Poll::Ready(Err(panic)) => {
                        tracing::error!(%panic, "a subscription could not be opened");
                        return Poll::Ready(Some(Message::Error(vec![error::internal("")])));
                    }
                },
                Self::Open(mut messages) => {
                    let next = messages.poll_next_unpin(cx);
                    if !matches!(next, Poll::Ready(None)) {
                        *self = Self::Open(messages);
                    }
                    return next;
                }
                Self::Over => return Poll::Ready(None),
            }
        }
    }
}

fn caller(request: &Request) -> Option<&Caller> {
    request.data.get(&TypeId::of::<Caller>()).and_then(|data| data.downcast_ref::<Caller>())
}

fn refused(failure: &Failure, request_id: &str) -> ServerError {
    if let Failure::Internal(cause) = failure {
        tracing::error!(request_id, cause, "a session could not be opened");
        return error::internal(request_id);
    }
    error::coded(code(failure), failure.to_string())
}

fn identity(bearer: access_key::Bearer) -> auth::Identity {
    let access_key::Bearer { identity, expires_at } = bearer;
    auth::Identity {
        subject: identity.subject,
        roles: identity.roles,
        unit: identity.unit,
        customer: identity.customer,
        channel: identity.channel,
        order: identity.order.map(Into::into),
        expires_at,
    }
}

impl Backend for Gateway {
    async fn execute(&self, mut request: Request) -> Response {
        let order = Order::of(&mut request);
        let session = match self.session(caller(&request)).await {
            Ok(session) => session,
            Err(error) => return Response::from_errors(vec![error]),
        };
        if let Some(known) = order.known_to_be_valid() {
            let response = self.hub.trusting().execute(attach(known, session.clone())).await;
            if response.errors.is_empty() {
                return order.restore(response);
            }
            // Perhaps a variable is not what it should be: the rules say it best.
        }
        let response = self.schema.execute(attach(request, session)).await;
        order.note(&response);
        order.restore(response)
    }

    fn bearer_of_key(&self, token: &str) -> Option<BoxFuture<'static, Result<auth::Identity, TokenError>>> {
        token.starts_with(access_key::PREFIX).then(|| {
            let (app, token) = (self.app.clone(), token.to_owned());
            async move {
                // In a task of its own: a socket that closes must not take a connection along.
                match tokio::spawn(async move { access_key::bearer(&app, &token).await }).await {
                    Ok(Ok(Some(bearer))) => Ok(identity(bearer)),
                    Ok(Ok(None)) => Err(TokenError::KeyUnknown),
                    Ok(Err(failure)) => {
                        tracing::warn!(cause = ?failure, "an access key could not be looked up");
                        Err(TokenError::KeysUnavailable)
                    }
                    Err(panic) => {
                        tracing::error!(%panic, "an access key could not be looked up");
                        Err(TokenError::KeysUnavailable)
                    }
                }
            }
            .boxed()
        })
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Message> {
        Subscription::New(tokio::spawn(self.clone().open(request))).boxed()
    }

    fn newest_cursor(&self, caller: &Caller) -> Option<String> {
        self.hub.newest_cursor(caller)
    }
}

fn is_one_query(document: &ExecutableDocument) -> bool {
    let mut operations = document.operations.iter();
    let first = operations.next();
    first.is_some_and(|(_, operation)| operation.node.ty == OperationType::Query) && operations.next().is_none()
}

/// The order in which an operation selects its fields.
struct Order {
    document: Option<Document>,
    operation: Option<String>,
    variables: Variables,
}

/// A document as the edge keeps it, or of the request alone.
enum Document {
    Kept(Arc<CheckedDocument>),
    Own(Box<ExecutableDocument>),
}

impl Order {
    /// The edge has parsed the document; without that the executor will say what is wrong with it.
    fn of(request: &mut Request) -> Self {
        let kept = request.data.get(&TypeId::of::<Arc<CheckedDocument>>()).and_then(|data| data.downcast_ref());
        let document = match kept {
            Some(kept) => Some(Document::Kept(Arc::clone(kept))),
            None => request.parsed_query().ok().map(|document| Document::Own(Box::new(document.clone()))),
        };
        Self { document, operation: request.operation_name.clone(), variables: request.variables.clone() }
    }

    /// The same request for an executor that does not look at the document again: it was valid before, and
    /// asking twice does no harm.
    fn known_to_be_valid(&self) -> Option<Request> {
        let Some(Document::Kept(kept)) = &self.document else { return None };
        let known = Arc::clone(kept.notes.get()?).downcast::<KnownDocument>().ok()?;
        let mut request = Request::new(String::new()).variables(self.variables.clone());
        request.operation_name.clone_from(&self.operation);
        request.set_parsed_query(kept.document.clone());
        Some(request.data(known))
    }

    /// Notes that the document was valid, if it was and is a single query.
    fn note(&self, response: &Response) {
        if let Some(Document::Kept(kept)) = &self.document
            && response.errors.is_empty()
            && is_one_query(&kept.document)
        {
            kept.notes.get_or_init(|| Arc::new(KnownDocument::default()));
        }
    }

    fn restore(&self, mut response: Response) -> Response {
        if let Some(document) = &self.document {
            let document = match document {
                Document::Kept(kept) => &kept.document,
                Document::Own(document) => document,
            };
            selection::in_order(document, self.operation.as_deref(), &self.variables, &mut response.data);
        }
        response
    }
}
