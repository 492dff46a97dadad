//! What a socket does: the actions of the protocol, and the results of its operations.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_graphql::ServerError;
use futures::future::{BoxFuture, FutureExt};
use serde_json::Value as Json;

use super::session::{Ping, Session, Stage, Verdict};
use crate::http::auth::{TokenError, bearer};
use crate::http::backend::{Backend, Farewell, Message};
use crate::http::caller::{Caller, new_request_id};
use crate::http::counters::Transport;
use crate::http::edge::instant_of;
use crate::http::error::code;
use crate::http::protocol::{self, Action, close};
use crate::http::stream;

/// What one round collects before it is written: messages and their bytes.
const ROUND_MESSAGES: u64 = 64;
const ROUND_BYTES: usize = 64 * 1024;

/// How long it may take to find out who the client is.
const AUTHENTICATION: Duration = Duration::from_secs(10);

impl<B: Backend> Session<B> {
    /// Does what the protocol wants done.
    pub(super) fn perform(&mut self) {
        while self.stage == Stage::Open && !self.outbox.is_full() {
            let Some(action) = self.protocol.action() else { break };
            match action {
                Action::Send(text) => self.outbox.text(&text),
                Action::Authenticate(payload) => {
                    let of_request = self.token.take().map_or(Ok(None), |token| *token);
                    let token = match protocol::authorization(payload.as_ref()) {
                        Some(authorization) => token_in(authorization).map(Some),
                        None => of_request,
                    };
                    self.authentication = Some(self.authenticate(token));
                }
                Action::Renew(authorization) => {
                    self.authentication = Some(self.authenticate(token_in(&authorization).map(Some)));
                }
                Action::Ping { reauth } => {
                    let cursor = self.edge.backend.newest_cursor(&self.caller());
                    self.ping = Some(Box::new(Ping { cursor, reauth }));
                }
                Action::Start { key, payload } => {
                    self.operations.start(key, stream::open_in_turn(&self.edge, &payload, self.caller()));
                }
                Action::Stop { key } => self.operations.stop(key),
                Action::Close { code, reason } => {
                    self.let_go(code);
                    self.outbox.close(code, &reason);
                    self.stage = Stage::Closing;
                }
            }
        }
        // Even while the frame has to wait: nothing more may be made for this client.
        if self.protocol.is_closed() {
            self.operations.clear();
        }
    }

    /// Takes from the operations in turn what they have, up to the size of a round; tells whether
    /// there may be more.
    pub(super) fn deliver(&mut self, context: &mut Context<'_>) -> bool {
        let mut sent = 0;
        let mut more = false;
        while self.stage == Stage::Open {
            if sent >= ROUND_MESSAGES || self.outbox.waiting() >= ROUND_BYTES || self.outbox.is_full() {
                more = true;
                break;
            }
            match self.operations.poll_next(context) {
                Poll::Pending => break,
                Poll::Ready((key, Some(Message::Next { body, .. }))) => {
                    if let Some(front) = self.protocol.next(key) {
                        self.outbox.result(front, body);
                        sent += 1;
                    }
                }
                Poll::Ready((key, Some(Message::Error(errors)))) => {
                    self.operations.stop(key);
                    self.protocol.fail(key, &json(&errors));
                }
                Poll::Ready((_, Some(Message::Close(Farewell::SlowConsumer)))) => {
                    self.protocol.close(close::TRY_AGAIN_LATER, code::SLOW_CONSUMER);
                }
                Poll::Ready((_, Some(Message::Close(Farewell::AccessRevoked)))) => {
                    self.protocol.close(close::FORBIDDEN, "Access revoked");
                }
                Poll::Ready((_, Some(Message::CatchingUp(_)))) => {}
                Poll::Ready((key, None)) => self.protocol.complete(key),
            }
            self.perform();
        }
        self.edge.counters.add_messages(Transport::Socket, sent);
        if !self.outbox.is_full()
            && self.stage == Stage::Open
            && let Some(ping) = self.ping.take()
        {
            let covered = !more && !self.operations.is_catching_up();
            let cursor = ping.cursor.filter(|_| covered);
            self.outbox.text(&protocol::ping(cursor.as_deref(), ping.reauth));
        }
        more
    }

    /// Draws the consequences of what became known about a token.
    pub(super) fn judge(&mut self, verdict: Verdict, now: Instant) {
        let renews = self.protocol.is_acknowledged();
        match verdict {
            Ok(identity) if renews => match (&self.identity, identity) {
                (Some(known), Some(identity)) if known.is_same_caller(&identity) => {
                    self.protocol.renewed(instant_of(identity.expires_at), now);
                    self.identity = Some(identity);
                }
                _ => self.protocol.close(close::FORBIDDEN, "The token is for another caller"),
            },
            Ok(identity) => {
                if let Some(identity) = &identity {
                    let most = self.edge.settings.socket.per_caller;
                    self.place = self.edge.socket_places.take(identity, most);
                    if self.place.is_none() {
                        return self.protocol.close(close::TRY_AGAIN_LATER, "Too many sockets");
                    }
                }
                let expires_at = identity.as_ref().and_then(|identity| instant_of(identity.expires_at));
                self.identity = identity;
                self.protocol.authenticated(expires_at, now);
            }
            // Nothing is wrong with the token; the old one is good for a while.
            Err(TokenError::KeysUnavailable) if renews => {}
            Err(refused @ TokenError::KeysUnavailable) => {
                self.protocol.close(close::TRY_AGAIN_LATER, refused.reason());
            }
            Err(refused) => self.protocol.close(close::FORBIDDEN, refused.reason()),
        }
    }

    fn authenticate(&self, token: Result<Option<String>, TokenError>) -> BoxFuture<'static, Verdict> {
        let edge = self.edge.clone();
        async move {
            let Some(token) = token? else { return Ok(None) };
            let verifying = edge.authenticate(&token);
            match tokio::time::timeout(AUTHENTICATION, verifying).await {
                Ok(verdict) => verdict.map(|identity| Some(Arc::new(identity))),
                Err(_) => Err(TokenError::KeysUnavailable),
            }
        }
        .boxed()
    }

    fn caller(&self) -> Caller {
        Caller { identity: self.identity.clone(), request_id: new_request_id(), language: self.language }
    }
}

fn json(errors: &[ServerError]) -> String {
    serde_json::to_string(errors).unwrap_or_else(|failure| {
        tracing::error!(%failure, "errors could not be written as JSON");
        "[]".to_owned()
    })
}

fn token_in(authorization: &Json) -> Result<String, TokenError> {
    match authorization {
        Json::String(value) => bearer(value).map(str::to_owned),
        _ => Err(TokenError::Malformed),
    }
}
