//! The protocol `graphql-transport-ws` as a machine without sockets, clocks or tasks.
//!
//! Whoever drives it hands in what happened together with the time, performs the [`Action`]s it
//! takes from [`Protocol::action`] in their order, and calls [`Protocol::timer`] when
//! [`Protocol::deadline`] has come.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value as Json;

use super::error::{self, code};
use super::settings::SocketSettings;

pub mod close;

/// The name of the protocol in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The end of a `next` message, after the result itself; see [`Protocol::next`].
pub const NEXT_END: &str = "}";

/// The reason in a close frame may have this many bytes at most.
const MAXIMUM_REASON_BYTES: usize = 123;
const MAXIMUM_OPERATION_ID_BYTES: usize = 128;

/// The machine's own name for an operation. Never used twice on one connection, so that what a
/// stopped operation still yields can't reach another one that re-uses its id.
pub type Key = u32;

/// What the driver has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this text.
    Send(String),
    /// Find out who the client is from the payload of its first message, then call
    /// [`Protocol::authenticated`] or [`Protocol::close`].
    Authenticate(Option<Json>),
    /// Check the further token that a client sent, in the form of an `Authorization` header, then
    /// call [`Protocol::renewed`] or [`Protocol::close`].
    Renew(Json),
    /// Send the text of [`ping`].
    Ping {
        /// Whether the client is asked for another token.
        reauth: bool,
    },
    /// Start the operation; hand what it yields to [`Protocol::next`], [`Protocol::fail`] and
    /// [`Protocol::complete`].
    Start {
        /// The operation.
        key: Key,
        /// The parameters of the request.
        payload: Json,
    },
    /// Drop the operation; nothing it yields is wanted any more.
    Stop {
        /// The operation.
        key: Key,
    },
    /// Drop all operations, send a close frame and end.
    Close {
        /// The code of the frame.
        code: u16,
        /// The reason in the frame, at most 123 bytes.
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingInit,
    Authenticating,
    Ready,
    Closed,
}

#[derive(Debug)]
struct Operation {
    key: Key,
    /// The client's id, as JSON text.
    id: Box<str>,
}

/// One connection.
#[derive(Debug)]
pub struct Protocol {
    settings: Arc<SocketSettings>,
    actions: VecDeque<Action>,
    operations: Vec<Operation>,
    next_key: Key,
    phase: Phase,
    init_deadline: Instant,
    ping_at: Option<Instant>,
    pong_deadline: Option<Instant>,
    expires_at: Option<Instant>,
    renew_at: Option<Instant>,
    restart_at: Option<Instant>,
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
    pub fn new(settings: Arc<SocketSettings>, now: Instant) -> Self {
        Self {
            init_deadline: now + Duration::from_millis(settings.init_milliseconds),
            settings,
            actions: VecDeque::new(),
            operations: Vec::new(),
            next_key: 0,
            phase: Phase::AwaitingInit,
            ping_at: None,
            pong_deadline: None,
            expires_at: None,
            renew_at: None,
            restart_at: None,
        }
    }

    /// The next thing to do; nothing until something happens.
    pub fn action(&mut self) -> Option<Action> {
        let action = self.actions.pop_front();
        if action.is_none() && self.actions.capacity() > 0 {
            // A connection is idle most of the time, and there are many.
            self.actions = VecDeque::new();
        }
        action
    }

    /// Whether the client is known and was told so.
    pub fn is_acknowledged(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Whether the connection is over: nothing follows [`Action::Close`].
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// When [`Protocol::timer`] wants to be called next; nothing while nothing is due.
    pub fn deadline(&self) -> Option<Instant> {
        let times = match self.phase {
            Phase::AwaitingInit => [self.restart_at, Some(self.init_deadline), None, None, None],
            Phase::Authenticating => [self.restart_at, None, None, None, None],
            Phase::Ready => [self.restart_at, self.expires_at, self.pong_deadline, self.ping_at, self.renew_at],
            Phase::Closed => [None; 5],
        };
        times.into_iter().flatten().min()
    }

    /// Bytes that the next message may have; see [`Protocol::too_large`].
    pub fn message_bytes(&self) -> usize {
        match self.phase {
            Phase::Ready => self.settings.message_bytes,
            _ => self.settings.first_message_bytes,
        }
    }

    /// A text message has come.
    pub fn text(&mut self, text: &str, now: Instant) {
        if self.phase == Phase::Closed {
            return;
        }
        if text.len() > self.message_bytes() {
            return self.too_large();
        }
        let Ok(message) = serde_json::from_str::<Incoming>(text) else {
            return self.close(close::BAD_REQUEST, "Invalid message");
        };
        // Whatever it says, the client is alive.
        self.pong_deadline = None;

        match (message.kind.as_str(), message.id, message.payload) {
            ("connection_init", _, payload @ (None | Some(Json::Object(_) | Json::Null))) => {
                if self.phase != Phase::AwaitingInit {
                    return self.close(close::TOO_MANY_INITS, "Too many initialisation requests");
                }
                self.phase = Phase::Authenticating;
                self.actions.push_back(Action::Authenticate(payload.filter(Json::is_object)));
            }
            ("ping", _, payload) => self.pinged(payload.filter(|payload| !payload.is_null())),
            ("pong", _, payload) => {
                if let Some(authorization) = authorization(payload.as_ref())
                    && self.phase == Phase::Ready
                {
                    self.actions.push_back(Action::Renew(authorization.clone()));
                }
            }
            ("subscribe", Some(id), Some(payload))
                if (1..=MAXIMUM_OPERATION_ID_BYTES).contains(&id.len()) && is_request(&payload) =>
            {
                self.subscribe(&id, payload, now);
            }
            // The end of an operation the client does not want any more is not confirmed: the
            // confirmation could reach an operation that re-uses the id.
            ("complete", Some(id), _) => {
                let id = Json::from(id).to_string();
                if let Some(index) = self.operations.iter().position(|operation| *operation.id == *id) {
                    let key = self.operations.swap_remove(index).key;
                    self.actions.push_back(Action::Stop { key });
                }
            }
            _ => self.close(close::BAD_REQUEST, "Invalid message"),
        }
    }

    /// A message that is not text has come.
    pub fn binary(&mut self) {
        self.close(close::BAD_REQUEST, "Only text messages are accepted");
    }

    /// A message that has more than [`Protocol::message_bytes`] is on its way.
    pub fn too_large(&mut self) {
        self.close(close::BAD_REQUEST, "Message too large");
    }

    /// The client is known, and may stay until `expires_at`.
    pub fn authenticated(&mut self, expires_at: Option<Instant>, now: Instant) {
        if self.phase != Phase::Authenticating {
            return;
        }
        self.phase = Phase::Ready;
        self.ping_at = Some(now + Duration::from_millis(self.settings.ping_milliseconds));
        if self.stays_until(expires_at, now) {
            self.actions.push_back(Action::Send(r#"{"type":"connection_ack"}"#.to_owned()));
        }
    }

    /// The client sent another good token, and may stay until that ends.
    pub fn renewed(&mut self, expires_at: Option<Instant>, now: Instant) {
        if self.phase == Phase::Ready && self.stays_until(expires_at, now) {
            self.actions.push_back(Action::Send(r#"{"type":"pong"}"#.to_owned()));
        }
    }

    fn stays_until(&mut self, expires_at: Option<Instant>, now: Instant) -> bool {
        if expires_at.is_some_and(|at| at <= now) {
            self.close(close::FORBIDDEN, "Token expired");
            return false;
        }
        // An older token does not take back what a newer one gave.
        self.expires_at = self.expires_at.max(expires_at);
        self.renew_at = self.expires_at.map(|at| at.checked_sub(self.notice()).map_or(now, |at| at.max(now)));
        true
    }

    /// How long before a token ends its client is asked for another.
    fn notice(&self) -> Duration {
        Duration::from_millis(self.settings.renew_milliseconds)
    }

    /// The text in front of a result that an operation yielded; after the result comes
    /// [`NEXT_END`]. Nothing for operations that were stopped.
    pub fn next(&self, key: Key) -> Option<[&str; 3]> {
        let operation = self.operations.iter().find(|operation| operation.key == key)?;
        Some([r#"{"id":"#, &operation.id, r#","type":"next","payload":"#])
    }

    /// An operation could not start, or can't go on: a JSON list of errors. Nothing follows.
    pub fn fail(&mut self, key: Key, errors: &str) {
        if let Some(id) = self.end(key) {
            self.actions.push_back(Action::Send(failure(&id, errors)));
        }
    }

    /// An operation is over.
    pub fn complete(&mut self, key: Key) {
        if let Some(id) = self.end(key) {
            self.actions.push_back(Action::Send(format!(r#"{{"id":{id},"type":"complete"}}"#)));
        }
    }

    fn end(&mut self, key: Key) -> Option<Box<str>> {
        let index = self.operations.iter().position(|operation| operation.key == key)?;
        Some(self.operations.swap_remove(index).id)
    }

    /// The deadline has come.
    pub fn timer(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        match self.phase {
            Phase::Closed => {}
            _ if due(self.restart_at) => self.close(close::RESTART, "Service restart"),
            Phase::AwaitingInit if self.init_deadline <= now => {
                self.close(close::TIMEOUT, "Connection initialisation timeout");
            }
            Phase::Ready if due(self.expires_at) => self.close(close::FORBIDDEN, "Token expired"),
            Phase::Ready if due(self.pong_deadline) => self.close(close::TIMEOUT, "Pong timeout"),
            Phase::Ready if due(self.ping_at) || due(self.renew_at) => {
                self.ping_at = Some(now + Duration::from_millis(self.settings.ping_milliseconds));
                self.renew_at = self.renew_at.filter(|at| *at > now);
                let patience = Duration::from_millis(self.settings.pong_milliseconds);
                // The first ping without an answer counts.
                self.pong_deadline = self.pong_deadline.or(Some(now + patience));
                let reauth = self.expires_at.is_some_and(|at| at <= now + self.notice());
                self.actions.push_back(Action::Ping { reauth });
            }
            _ => {}
        }
    }

    /// The server is stopping; the connection ends at `at`.
    pub fn restart(&mut self, at: Instant) {
        self.restart_at = Some(at);
    }

    /// Closes for a reason that lies outside the protocol.
    pub fn close(&mut self, code: u16, reason: &str) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closed;
        self.operations = Vec::new();
        // What was about to be sent or started is not any more.
        self.actions.clear();
        let end = reason.floor_char_boundary(MAXIMUM_REASON_BYTES);
        self.actions.push_back(Action::Close { code, reason: reason[..end].to_owned() });
    }

    fn pinged(&mut self, payload: Option<Json>) {
        let pong = match (payload, self.phase) {
            (Some(payload), phase) => match authorization(Some(&payload)) {
                Some(authorization) if phase == Phase::Ready => {
                    return self.actions.push_back(Action::Renew(authorization.clone()));
                }
                // A secret is not repeated.
                Some(_) => r#"{"type":"pong"}"#.to_owned(),
                None => format!(r#"{{"type":"pong","payload":{payload}}}"#),
            },
            (None, _) => r#"{"type":"pong"}"#.to_owned(),
        };
        self.actions.push_back(Action::Send(pong));
    }

    fn subscribe(&mut self, id: &str, payload: Json, now: Instant) {
        if self.phase != Phase::Ready {
            return self.close(close::UNAUTHORIZED, "Unauthorized");
        }
        // The timer may be late when there is much to do.
        if self.expires_at.is_some_and(|at| at <= now) {
            return self.close(close::FORBIDDEN, "Token expired");
        }
        let text = Json::from(id).to_string().into_boxed_str();
        if self.operations.iter().any(|operation| operation.id == text) {
            return self.close(close::DUPLICATE, &format!("Subscriber for {id} already exists"));
        }
        if self.operations.len() >= self.settings.operations {
            let refusal = error::coded(
                code::LIMIT,
                format!("At most {} operations run on one socket.", self.settings.operations),
            );
            let errors = serde_json::to_string(&[refusal]).unwrap_or_else(|_| "[]".to_owned());
            return self.actions.push_back(Action::Send(failure(&text, &errors)));
        }
        let key = self.next_key;
        self.next_key = key.wrapping_add(1);
        self.operations.reserve_exact(1);
        self.operations.push(Operation { key, id: text });
        self.actions.push_back(Action::Start { key, payload });
    }
}

/// The text of a ping: the newest cursor, if there is one, and whether another token is asked for.
pub fn ping(cursor: Option<&str>, reauth: bool) -> String {
    let mut payload = serde_json::Map::new();
    if let Some(cursor) = cursor {
        payload.insert("cursor".to_owned(), cursor.into());
    }
    if reauth {
        payload.insert("reauth".to_owned(), true.into());
    }
    if payload.is_empty() {
        r#"{"type":"ping"}"#.to_owned()
    } else {
        format!(r#"{{"type":"ping","payload":{}}}"#, Json::Object(payload))
    }
}

/// The entry for a token in a payload, in the form of an `Authorization` header.
pub fn authorization(payload: Option<&Json>) -> Option<&Json> {
    let payload = payload?;
    ["authorization", "Authorization"].iter().find_map(|name| payload.get(name)).filter(|value| !value.is_null())
}

/// Does the payload have the form that the protocol gives it?
fn is_request(payload: &Json) -> bool {
    let may_be = |name: &str, is: fn(&Json) -> bool| payload.get(name).is_none_or(|value| value.is_null() || is(value));
    payload.get("query").is_some_and(Json::is_string)
        && may_be("operationName", Json::is_string)
        && may_be("variables", Json::is_object)
        && may_be("extensions", Json::is_object)
}

fn failure(id: &str, errors: &str) -> String {
    format!(r#"{{"id":{id},"type":"error","payload":{errors}}}"#)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
