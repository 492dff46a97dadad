//! Sockets: performs what the [`Protocol`] machine wants on a real connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures::SinkExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{AbortHandle, Abortable, BoxStream, SelectAll, SplitSink, StreamExt};
use serde_json::Value as Json;

use super::auth::{Authenticator, Identity, TokenError, bearer};
use super::backend::{Backend, Farewell, Message as Item};
use super::caller::{Caller, Language, new_request_id};
use super::edge::{EdgeState, instant_of, token_of};
use super::error::{self, code};
use super::origin;
use super::protocol::{Action, Outcome, Protocol, SUBPROTOCOL, close};
use super::request::{Parameters, Prepared};
use super::response::HttpRefusal;
use super::server::ConnectionPermit;
use super::stream;

/// What one round collects before it is flushed: messages and their bytes.
const ROUND_MESSAGES: usize = 64;
const ROUND_BYTES: usize = 64 * 1024;

/// The library's default of 128 KiB is most of what an idle socket costs.
const READ_BUFFER_BYTES: usize = 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// How long a client that was sent a close frame may take to answer it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long it may take to find out who the client is.
const AUTHENTICATION: Duration = Duration::from_secs(10);

type Operation = BoxStream<'static, (String, Outcome)>;
type Verdict = Result<Option<Arc<Identity>>, TokenError>;

/// Whether a request asks for a socket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Turns a request into a socket.
///
/// # Errors
/// 403 for a page that may not open sockets, 400 for a request that can't become one.
pub(crate) async fn upgrade<B: Backend>(edge: &Arc<EdgeState<B>>, request: Request) -> Result<Response, HttpRefusal> {
    let (mut parts, _) = request.into_parts();
    if !origin::is_allowed(&parts.headers, &edge.settings.allowed_origins) {
        return Err(HttpRefusal::new(
            StatusCode::FORBIDDEN,
            error::coded(code::ORIGIN_NOT_ALLOWED, "Pages of this origin may not open sockets here."),
        ));
    }
    let permit = parts.extensions.get::<ConnectionPermit>().cloned();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(|failure| {
        HttpRefusal::new(StatusCode::BAD_REQUEST, error::coded(code::BAD_USER_INPUT, failure.body_text()))
    })?;
    // Somewhat more than the protocol allows, so that the protocol can say what is wrong.
    let bytes = edge.settings.socket.message_bytes * 2;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .protocols([SUBPROTOCOL]);
    let speaks_protocol = upgrade.selected_protocol().is_some();
    let introduction = Introduction {
        language: Language::from_headers(&parts.headers),
        token: token_of(&parts.headers).map(|token| token.map(str::to_owned)),
    };
    let edge = Arc::clone(edge);
    Ok(upgrade.on_upgrade(move |socket| {
        let tasks = edge.tasks.clone();
        let session = async move {
            let _permit = permit;
            run(edge, socket, introduction, speaks_protocol).await;
        };
        tasks.track_future(session)
    }))
}

/// What is kept of the request; its headers are larger than the rest of an idle socket.
struct Introduction {
    language: Language,
    token: Result<Option<String>, TokenError>,
}

struct Session<B> {
    edge: Arc<EdgeState<B>>,
    introduction: Introduction,
    identity: Option<Arc<Identity>>,
    sink: SplitSink<WebSocket, Message>,
    protocol: Protocol,
    actions: Vec<Action>,
    /// Every stream that has something goes to the end of the line after one message.
    operations: SelectAll<Operation>,
    stop: HashMap<String, AbortHandle>,
    authentication: Option<BoxFuture<'static, Verdict>>,
}

/// Why a socket ends.
enum End {
    /// A close frame was sent.
    Closed,
    /// The connection is broken, or the client takes nothing.
    Broken,
}

async fn run<B: Backend>(
    edge: Arc<EdgeState<B>>,
    socket: WebSocket,
    introduction: Introduction,
    speaks_protocol: bool,
) {
    let (sink, mut incoming) = socket.split();
    let mut session = Session {
        protocol: Protocol::new(edge.settings.socket.clone(), Instant::now()),
        introduction,
        identity: None,
        sink,
        actions: Vec::new(),
        operations: SelectAll::new(),
        stop: HashMap::new(),
        authentication: None,
        edge: Arc::clone(&edge),
    };
    if !speaks_protocol {
        let reason = "Subprotocol not acceptable";
        session.protocol.close(close::SUBPROTOCOL, reason, &mut session.actions);
    }
    let stopped = edge.until_stopped();
    tokio::pin!(stopped);

    let end = loop {
        if let Err(end) = session.perform().await {
            break end;
        }
        let deadline = session.protocol.deadline();
        let timer = async {
            match deadline {
                Some(instant) => tokio::time::sleep_until(instant.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = timer => session.protocol.timer(Instant::now(), &mut session.actions),
            () = &mut stopped => session.protocol.shutdown(&mut session.actions),
            verdict = pending_or(&mut session.authentication) => session.authenticated(verdict),
            Some((id, outcome)) = session.operations.next(), if !session.operations.is_empty() => {
                if session.drain(&id, &outcome) {
                    // Otherwise a flood on one socket would keep its thread from all others, and
                    // from noticing what the client sends.
                    tokio::task::yield_now().await;
                }
            }
            message = incoming.next() => match message {
                Some(Ok(message)) => session.receive(&message),
                Some(Err(_)) => {
                    let reason = "Unreadable message";
                    session.protocol.close(close::TOO_BIG, reason, &mut session.actions);
                }
                None => return,
            },
        }
    };
    if matches!(end, End::Closed) {
        // The frame is lost if the connection is torn down while the client still sends.
        let _ = tokio::time::timeout(FAREWELL, async { while let Some(Ok(_)) = incoming.next().await {} }).await;
    }
}

async fn pending_or(authentication: &mut Option<BoxFuture<'static, Verdict>>) -> Verdict {
    match authentication {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

impl<B: Backend> Session<B> {
    fn receive(&mut self, message: &Message) {
        match message {
            Message::Text(text) => {
                self.protocol.text(text.as_str(), Instant::now(), &mut self.actions);
            }
            Message::Binary(_) => self.protocol.binary(&mut self.actions),
            // The library answers pings, and ends the stream after a close frame.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }

    fn authenticated(&mut self, verdict: Verdict) {
        self.authentication = None;
        match verdict {
            Ok(identity) => {
                let expires_at = identity.as_ref().and_then(|identity| instant_of(identity.expires_at));
                self.identity = identity;
                self.protocol.authenticated(expires_at, Instant::now(), &mut self.actions);
            }
            Err(refused) => self.protocol.refused(refused.reason(), &mut self.actions),
        }
    }

    fn outcome(&mut self, id: &str, outcome: &Outcome) {
        if let Outcome::Close(farewell) = outcome {
            let (code, reason) = match farewell {
                Farewell::SlowConsumer => (close::TRY_AGAIN_LATER, code::SLOW_CONSUMER),
                Farewell::AccessRevoked => (close::FORBIDDEN, "Access revoked"),
            };
            return self.protocol.close(code, reason, &mut self.actions);
        }
        self.protocol.outcome(id, outcome, &mut self.actions);
        // After an error the id is free; the stream's own end must not reach its next user.
        if !matches!(outcome, Outcome::Next(_)) {
            self.stop(id);
        }
    }

    /// Takes what one operation yielded, and with it what others have ready; tells whether there
    /// may be more.
    fn drain(&mut self, id: &str, outcome: &Outcome) -> bool {
        self.outcome(id, outcome);
        let mut bytes = 0;
        while self.actions.len() < ROUND_MESSAGES && bytes < ROUND_BYTES {
            if let Some(Action::Send(text)) = self.actions.last() {
                bytes += text.len();
            }
            match self.operations.next().now_or_never() {
                Some(Some((id, outcome))) => self.outcome(&id, &outcome),
                Some(None) | None => return false,
            }
        }
        true
    }

    async fn perform(&mut self) -> Result<(), End> {
        let mut fed = false;
        for action in std::mem::take(&mut self.actions) {
            match action {
                Action::Send(text) => {
                    self.feed(Message::text(text)).await?;
                    fed = true;
                }
                Action::Authenticate(payload) => {
                    self.authentication = Some(self.authenticate(payload.as_ref()));
                }
                Action::Start { id, payload } => self.start(id, payload),
                Action::Stop { id } => self.stop(&id),
                Action::Close { code, reason } => {
                    self.operations.clear();
                    let frame = CloseFrame { code, reason: reason.into() };
                    self.feed(Message::Close(Some(frame))).await?;
                    self.flush().await?;
                    return Err(End::Closed);
                }
            }
        }
        if fed {
            self.flush().await?;
        }
        Ok(())
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        let time = Duration::from_millis(self.edge.settings.socket.write_milliseconds);
        written(tokio::time::timeout(time, self.sink.feed(message)).await)
    }

    async fn flush(&mut self) -> Result<(), End> {
        let time = Duration::from_millis(self.edge.settings.socket.write_milliseconds);
        written(tokio::time::timeout(time, self.sink.flush()).await)
    }

    fn authenticate(&self, payload: Option<&Json>) -> BoxFuture<'static, Verdict> {
        let authenticator: Authenticator = self.edge.authenticator.clone();
        let token = match token_in(payload) {
            Some(token) => token.map(Some),
            None => self.introduction.token.clone(),
        };
        async move {
            match token? {
                Some(token) => {
                    let verifying = authenticator.authenticate(&token);
                    tokio::time::timeout(AUTHENTICATION, verifying)
                        .await
                        .unwrap_or(Err(TokenError::KeysUnavailable))
                        .map(|identity| Some(Arc::new(identity)))
                }
                None => Ok(None),
            }
        }
        .boxed()
    }

    fn start(&mut self, id: String, payload: Json) {
        let (handle, registration) = AbortHandle::new_pair();
        let name = id.clone();
        let outcomes = self
            .operation(payload)
            .chain(futures::stream::iter([Outcome::End]))
            .map(move |outcome| (name.clone(), outcome));
        self.operations.push(Abortable::new(outcomes, registration).boxed());
        self.stop.insert(id, handle);
    }

    fn stop(&mut self, id: &str) {
        if let Some(handle) = self.stop.remove(id) {
            handle.abort();
        }
    }

    fn operation(&self, payload: Json) -> BoxStream<'static, Outcome> {
        let caller = Caller {
            identity: self.identity.clone(),
            request_id: new_request_id(),
            language: self.introduction.language,
        };
        match self.prepare(payload) {
            Ok(prepared) => stream::open(&self.edge, prepared, caller).map(outcome_of).boxed(),
            Err(refusal) => futures::stream::iter([refused(&[refusal])]).boxed(),
        }
    }

    fn prepare(&self, payload: Json) -> Result<Prepared, ServerError> {
        let parameters = Parameters::from_json(payload).map_err(|refusal| *refusal.error)?;
        let prepared = parameters
            .prepare(&self.edge.settings, self.edge.introspection)
            .map_err(|refusal| ServerError::from(*refusal))?;
        if prepared.operation_type == OperationType::Mutation {
            return Err(error::coded(code::METHOD_NOT_ALLOWED, "Mutations are sent by POST, not over a socket."));
        }
        Ok(prepared)
    }
}

fn written<T>(outcome: Result<Result<(), axum::Error>, T>) -> Result<(), End> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Broken),
    }
}

fn outcome_of(item: Item) -> Outcome {
    match item {
        Item::Next { body, .. } => Outcome::Next(String::from_utf8_lossy(&body).into_owned()),
        Item::Error(errors) => refused(&errors),
        Item::Close(farewell) => Outcome::Close(farewell),
        Item::CatchingUp(_) => Outcome::End,
    }
}

fn refused(errors: &[ServerError]) -> Outcome {
    Outcome::Error(serde_json::to_string(errors).unwrap_or_else(|failure| {
        tracing::error!(%failure, "errors could not be written as JSON");
        "[]".to_owned()
    }))
}

/// The token in the first message, which goes before the one in the request.
fn token_in(payload: Option<&Json>) -> Option<Result<String, TokenError>> {
    let entry = ["authorization", "Authorization"].iter().find_map(|name| payload?.get(name))?;
    match entry {
        Json::String(value) => Some(bearer(value).map(str::to_owned)),
        Json::Null => None,
        _ => Some(Err(TokenError::Malformed)),
    }
}
