//! The protocol `graphql-transport-ws` as a machine without sockets, clocks or tasks.
//!
//! Whoever drives it hands in what happened together with the time, performs the [`Action`]s it
//! gets back in order, and calls [`Protocol::timer`] when [`Protocol::deadline`] has come.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value as Json;

use super::backend::Farewell;
use super::error::{self, code};
use super::settings::SocketSettings;

/// The name of the protocol in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The reason in a close frame may have this many bytes at most.
const MAXIMUM_REASON_BYTES: usize = 123;
const MAXIMUM_OPERATION_ID_BYTES: usize = 128;

/// Codes of close frames.
pub mod close {
    /// The server is stopping; connect again.
    pub const RESTART: u16 = 1012;
    /// The server can't go on with this client now; connect again and resume.
    pub const TRY_AGAIN_LATER: u16 = 1013;
    /// A message is larger than the transport takes.
    pub const TOO_BIG: u16 = 1009;
    /// A message does not follow the protocol.
    pub const BAD_REQUEST: u16 = 4400;
    /// An operation came before the connection was acknowledged.
    pub const UNAUTHORIZED: u16 = 4401;
    /// The token is bad, or has expired; connect again with another.
    pub const FORBIDDEN: u16 = 4403;
    /// The client does not speak the protocol.
    pub const SUBPROTOCOL: u16 = 4406;
    /// The client did not introduce itself, or did not answer a ping, in time.
    pub const TIMEOUT: u16 = 4408;
    /// The id of an operation is in use.
    pub const DUPLICATE: u16 = 4409;
    /// The client introduced itself twice.
    pub const TOO_MANY_INITS: u16 = 4429;
}

/// What the driver has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this text.
    Send(String),
    /// Find out who the client is from the payload of its first message, then call
    /// [`Protocol::authenticated`] or [`Protocol::refused`].
    Authenticate(Option<Json>),
    /// Start the operation; hand what it yields to [`Protocol::outcome`].
    Start {
        /// The client's name for the operation.
        id: String,
        /// The parameters of the request.
        payload: Json,
    },
    /// Drop the operation; nothing it yields is wanted any more.
    Stop {
        /// The client's name for the operation.
        id: String,
    },
    /// Drop all operations, send a close frame and end.
    Close {
        /// The code of the frame.
        code: u16,
        /// The reason in the frame, at most 123 bytes.
        reason: String,
    },
}

/// What an operation yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A result, as JSON text.
    Next(String),
    /// The operation did not start, or its stream could not be made: a JSON list of errors.
    Error(String),
    /// The operation is over.
    End,
    /// The whole connection has to end.
    Close(Farewell),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingInit,
    Authenticating,
    Ready,
    Closed,
}

/// One connection.
#[derive(Debug)]
pub struct Protocol {
    settings: SocketSettings,
    phase: Phase,
    operations: HashSet<String>,
    init_deadline: Instant,
    ping_at: Option<Instant>,
    pong_deadline: Option<Instant>,
    expires_at: Option<Instant>,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Json>,
}

impl Protocol {
    /// A connection that was opened at `now`.
    pub fn new(settings: SocketSettings, now: Instant) -> Self {
        Self {
            init_deadline: now + Duration::from_millis(settings.init_milliseconds),
            settings,
            phase: Phase::AwaitingInit,
            operations: HashSet::new(),
            ping_at: None,
            pong_deadline: None,
            expires_at: None,
        }
    }

    /// When [`Protocol::timer`] wants to be called next; nothing while nothing is due.
    pub fn deadline(&self) -> Option<Instant> {
        let times = match self.phase {
            Phase::AwaitingInit => [Some(self.init_deadline), None, None],
            Phase::Ready => [self.expires_at, self.pong_deadline, self.ping_at],
            Phase::Authenticating | Phase::Closed => [None; 3],
        };
        times.into_iter().flatten().min()
    }

    /// A text message has come.
    pub fn text(&mut self, text: &str, now: Instant, actions: &mut Vec<Action>) {
        if self.phase == Phase::Closed {
            return;
        }
        let limit = match self.phase {
            Phase::Ready => self.settings.message_bytes,
            _ => self.settings.first_message_bytes,
        };
        if text.len() > limit {
            return self.close(close::BAD_REQUEST, "Message too large", actions);
        }
        let Ok(message) = serde_json::from_str::<Incoming>(text) else {
            return self.close(close::BAD_REQUEST, "Invalid message", actions);
        };
        // Whatever it says, the client is alive.
        self.alive(now);

        match (message.kind.as_str(), message.id, message.payload) {
            ("connection_init", _, payload @ (None | Some(Json::Object(_) | Json::Null))) => {
                if self.phase != Phase::AwaitingInit {
                    let reason = "Too many initialisation requests";
                    return self.close(close::TOO_MANY_INITS, reason, actions);
                }
                self.phase = Phase::Authenticating;
                actions.push(Action::Authenticate(payload.filter(Json::is_object)));
            }
            ("ping", _, payload) => {
                let payload = payload.filter(|payload| !payload.is_null());
                actions.push(Action::Send(match payload {
                    Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
                    None => r#"{"type":"pong"}"#.to_owned(),
                }));
            }
            ("pong", _, _) => {}
            ("subscribe", Some(id), Some(payload @ Json::Object(_)))
                if (1..=MAXIMUM_OPERATION_ID_BYTES).contains(&id.len()) =>
            {
                self.subscribe(id, payload, actions);
            }
            // The end of an operation the client does not want any more is not confirmed: the
            // confirmation could reach an operation that re-uses the id.
            ("complete", Some(id), _) => {
                if self.operations.remove(&id) {
                    actions.push(Action::Stop { id });
                }
            }
            _ => self.close(close::BAD_REQUEST, "Invalid message", actions),
        }
    }

    /// A message that is not text has come.
    pub fn binary(&mut self, actions: &mut Vec<Action>) {
        self.close(close::BAD_REQUEST, "Only text messages are accepted", actions);
    }

    /// The client is known, and may stay until `expires_at`.
    pub fn authenticated(&mut self, expires_at: Option<Instant>, now: Instant, actions: &mut Vec<Action>) {
        if self.phase != Phase::Authenticating {
            return;
        }
        if expires_at.is_some_and(|at| at <= now) {
            return self.close(close::FORBIDDEN, "Token expired", actions);
        }
        self.phase = Phase::Ready;
        self.expires_at = expires_at;
        self.alive(now);
        actions.push(Action::Send(r#"{"type":"connection_ack"}"#.to_owned()));
    }

    /// The client's token was refused.
    pub fn refused(&mut self, reason: &str, actions: &mut Vec<Action>) {
        self.close(close::FORBIDDEN, reason, actions);
    }

    /// An operation yielded something. Ignored for operations that were stopped.
    pub fn outcome(&mut self, id: &str, outcome: &Outcome, actions: &mut Vec<Action>) {
        if self.phase != Phase::Ready || !self.operations.contains(id) {
            return;
        }
        let (kind, payload) = match outcome {
            Outcome::Next(payload) => ("next", Some(payload)),
            Outcome::Error(errors) => ("error", Some(errors)),
            Outcome::End | Outcome::Close(_) => ("complete", None),
        };
        if !matches!(outcome, Outcome::Next(_)) {
            self.operations.remove(id);
        }
        actions.push(Action::Send(message(kind, id, payload.map(String::as_str))));
    }

    /// The deadline has come.
    pub fn timer(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        match self.phase {
            Phase::AwaitingInit if self.init_deadline <= now => {
                self.close(close::TIMEOUT, "Connection initialisation timeout", actions);
            }
            Phase::Ready if due(self.expires_at) => {
                self.close(close::FORBIDDEN, "Token expired", actions);
            }
            Phase::Ready if due(self.pong_deadline) => {
                self.close(close::TIMEOUT, "Pong timeout", actions);
            }
            Phase::Ready if due(self.ping_at) => {
                self.ping_at = None;
                self.pong_deadline = Some(now + Duration::from_millis(self.settings.pong_milliseconds));
                actions.push(Action::Send(r#"{"type":"ping"}"#.to_owned()));
            }
            _ => {}
        }
    }

    /// The server is stopping.
    pub fn shutdown(&mut self, actions: &mut Vec<Action>) {
        self.close(close::RESTART, "Service restart", actions);
    }

    /// Closes for a reason that lies outside the protocol.
    pub fn close(&mut self, code: u16, reason: &str, actions: &mut Vec<Action>) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closed;
        self.operations.clear();
        let end = reason.floor_char_boundary(MAXIMUM_REASON_BYTES);
        actions.push(Action::Close { code, reason: reason[..end].to_owned() });
    }

    fn subscribe(&mut self, id: String, payload: Json, actions: &mut Vec<Action>) {
        if self.phase != Phase::Ready {
            return self.close(close::UNAUTHORIZED, "Unauthorized", actions);
        }
        if self.operations.contains(&id) {
            let reason = format!("Subscriber for {id} already exists");
            return self.close(close::DUPLICATE, &reason, actions);
        }
        if self.operations.len() >= self.settings.operations {
            let refusal = error::coded(
                code::RESOURCE_EXHAUSTED,
                format!("At most {} operations run on one socket.", self.settings.operations),
            );
            let errors = serde_json::to_string(&[refusal]).unwrap_or_else(|_| "[]".to_owned());
            actions.push(Action::Send(message("error", &id, Some(&errors))));
            return;
        }
        self.operations.insert(id.clone());
        actions.push(Action::Start { id, payload });
    }

    fn alive(&mut self, now: Instant) {
        self.pong_deadline = None;
        self.ping_at = Some(now + Duration::from_millis(self.settings.ping_milliseconds));
    }
}

fn message(kind: &str, id: &str, payload: Option<&str>) -> String {
    let id = Json::from(id);
    match payload {
        Some(payload) => format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#),
        None => format!(r#"{{"id":{id},"type":"{kind}"}}"#),
    }
}

#[cfg(test)]
mod tests;
