//! What an operator may set about the edge.

use std::time::Duration;

use serde::Deserialize;

use super::guard::Limits;

/// Everything about the edge that can be configured. The default suits a single server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeSettings {
    /// How large a document may be.
    pub limits: Limits,
    /// Bytes of one request body; larger ones are answered 413.
    pub body_bytes: usize,
    /// Bytes of one webhook's body; larger ones are answered 413. Shops send large orders as a whole.
    pub intake_body_bytes: usize,
    /// Seconds a client may take to send its body; slower ones are answered 408.
    pub body_seconds: u64,
    /// Seconds the caller waits for one query or mutation; then `TIMEOUT` is answered. The
    /// operation itself runs on, since to cut a write in the middle harms others.
    pub operation_seconds: u64,
    /// Queries and mutations that run at the same time; more are answered 503.
    pub operations: usize,
    /// Connections that are open at the same time; more are answered 503 and closed.
    pub connections: usize,
    /// Seconds a connection may take to send the head of a request. Also ends idle connections.
    pub header_seconds: u64,
    /// Seconds a write may wait for a client that reads nothing; then the connection is cut.
    pub write_seconds: u64,
    /// Seconds for which a stopping server at least goes on accepting and answering requests, so
    /// that whoever sends them here learns from `/readyz` to stop. Without a value: 5, but 0 when
    /// the server listens on the loopback interface only.
    pub drain_notice_seconds: Option<u64>,
    /// Seconds a stopping server waits for requests to end after that.
    pub drain_seconds: u64,
    /// Milliseconds over which a stopping server spreads the end of its streams and sockets, so
    /// that their clients don't all arrive elsewhere at once.
    pub drain_spread_milliseconds: u64,
    /// Origins whose pages may open sockets, such as `https://console.example`, besides pages of
    /// the server's own host and of the loopback interface.
    pub allowed_origins: Vec<String>,
    /// Event streams and multipart responses that one caller may have open here; more are
    /// answered 429.
    pub streams_per_caller: usize,
    /// Whether the schema may be asked for. Without a value: only when the server listens on the
    /// loopback interface.
    pub introspection: Option<bool>,
    /// Whether the page at `/` is served. Without a value: only when the server listens on the
    /// loopback interface.
    pub graphiql: Option<bool>,
    /// Whether `/metrics` is served. Without a value: only when the server listens on the loopback
    /// interface.
    pub metrics: Option<bool>,
    /// Seconds between the comments that keep an idle event stream open.
    pub event_stream_keep_alive_seconds: u64,
    /// Rules for WebSockets.
    pub socket: SocketSettings,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            body_bytes: 256 * 1024,
            intake_body_bytes: 2 * 1024 * 1024,
            body_seconds: 10,
            operation_seconds: 30,
            operations: 1_024,
            connections: 20_000,
            header_seconds: 10,
            write_seconds: 10,
            drain_notice_seconds: None,
            drain_seconds: 30,
            drain_spread_milliseconds: 10_000,
            allowed_origins: Vec::new(),
            streams_per_caller: 100,
            introspection: None,
            graphiql: None,
            metrics: None,
            event_stream_keep_alive_seconds: 12,
            socket: SocketSettings::default(),
        }
    }
}

/// Rules for one WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketSettings {
    /// Milliseconds within which the client must send `connection_init`; then 4408.
    pub init_milliseconds: u64,
    /// Milliseconds between the server's pings.
    pub ping_milliseconds: u64,
    /// Milliseconds the client has to answer a ping with any message; then 4408.
    pub pong_milliseconds: u64,
    /// Milliseconds before the end of its token at which a client is asked for another one.
    pub renew_milliseconds: u64,
    /// Milliseconds a write may wait for a client that does not read; then the socket is cut.
    pub write_milliseconds: u64,
    /// Operations that run on one socket at the same time.
    pub operations: usize,
    /// Sockets of one caller that are open here at the same time; the next is closed 1013. Callers
    /// without a token are not counted.
    pub per_caller: usize,
    /// Sockets that are open here at the same time; more are answered 503. Fewer than connections,
    /// so that requests still find room.
    pub per_node: u64,
    /// Bytes of one message before the connection is acknowledged; larger ones are closed 4400.
    pub first_message_bytes: usize,
    /// Bytes of one message afterwards; larger ones are closed 4400.
    pub message_bytes: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            init_milliseconds: 3_000,
            ping_milliseconds: 25_000,
            pong_milliseconds: 10_000,
            renew_milliseconds: 30_000,
            write_milliseconds: 10_000,
            operations: 100,
            per_caller: 20,
            per_node: 19_000,
            first_message_bytes: 4 * 1024,
            message_bytes: 64 * 1024,
        }
    }
}

impl EdgeSettings {
    pub(crate) fn operation_time(&self) -> Duration {
        Duration::from_secs(self.operation_seconds)
    }

    pub(crate) fn drain_notice(&self, loopback: bool) -> Duration {
        Duration::from_secs(self.drain_notice_seconds.unwrap_or(if loopback { 0 } else { 5 }))
    }

    pub(crate) fn drain_spread(&self) -> Duration {
        Duration::from_millis(self.drain_spread_milliseconds)
    }

    pub(crate) fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}
