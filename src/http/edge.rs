//! The parts of the edge and how they are put together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::auth::{Authenticator, Identity, TokenError, bearer};
use super::backend::Backend;
use super::counters::Counters;
use super::guard::Documents;
use super::places::Places;
use super::server::Server;
use super::settings::{EdgeSettings, SocketSettings};

/// Operations of sockets that are looked into and opened at the same time.
const OPENINGS: usize = 64;

/// Builds the network edge around a backend.
pub struct Edge<B> {
    backend: B,
    authenticator: Authenticator,
    settings: EdgeSettings,
    schema_text: String,
    ready: Arc<AtomicBool>,
    routes: Router,
    counters: Arc<Counters>,
}

impl<B: Backend> Edge<B> {
    /// An edge with default settings that is ready at once.
    pub fn new(backend: B, authenticator: Authenticator) -> Self {
        Self {
            backend,
            authenticator,
            settings: EdgeSettings::default(),
            schema_text: String::new(),
            ready: Arc::new(AtomicBool::new(true)),
            routes: Router::new(),
            counters: Arc::default(),
        }
    }

    /// Replaces the settings.
    #[must_use]
    pub fn settings(mut self, settings: EdgeSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The text served at `/schema.graphql` while introspection is on.
    #[must_use]
    pub fn schema_text(mut self, schema_text: impl Into<String>) -> Self {
        self.schema_text = schema_text.into();
        self
    }

    /// The flag that `/readyz` tells. The edge itself clears it when it begins to stop.
    #[must_use]
    pub fn ready(mut self, ready: Arc<AtomicBool>) -> Self {
        self.ready = ready;
        self
    }

    /// Adds routes of others, such as webhooks and metrics. They get the same connections, but
    /// none of the checks of `/graphql`.
    #[must_use]
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// What the edge counts, for those who show it.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Opens the listening socket.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn bind(self, address: impl ToSocketAddrs) -> std::io::Result<Server> {
        let mut outcome = Err(std::io::ErrorKind::AddrNotAvailable.into());
        for address in tokio::net::lookup_host(address).await? {
            outcome = listener(address);
            if outcome.is_ok() {
                break;
            }
        }
        self.listen(outcome?)
    }

    /// Takes a socket that listens already.
    ///
    /// # Errors
    /// When the socket does not know its address.
    pub fn listen(self, listener: TcpListener) -> std::io::Result<Server> {
        let loopback = listener.local_addr()?.ip().is_loopback();
        let introspection = self.settings.introspection.unwrap_or(loopback);
        let state = Arc::new(EdgeState {
            operations: Arc::new(Semaphore::new(self.settings.operations)),
            openings: Arc::new(Semaphore::new(OPENINGS)),
            introspection,
            documents: Documents::new(self.settings.limits.clone(), introspection),
            graphiql: self.settings.graphiql.unwrap_or(loopback),
            backend: self.backend,
            authenticator: self.authenticator,
            schema_text: self.schema_text,
            ready: self.ready,
            socket_settings: Arc::new(self.settings.socket.clone()),
            counters: self.counters,
            socket_places: Arc::default(),
            stream_places: Arc::default(),
            tasks: TaskTracker::new(),
            streams: TaskTracker::new(),
            stopping: CancellationToken::new(),
            loopback,
            settings: self.settings,
        });
        Server::new(listener, state, self.routes)
    }
}

/// What all requests share.
pub(crate) struct EdgeState<B> {
    pub(crate) backend: B,
    pub(crate) authenticator: Authenticator,
    pub(crate) settings: EdgeSettings,
    pub(crate) schema_text: String,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) introspection: bool,
    /// Those that were checked before.
    pub(crate) documents: Documents,
    pub(crate) graphiql: bool,
    pub(crate) operations: Arc<Semaphore>,
    /// Whose turn it is of the operations that sockets ask for.
    pub(crate) openings: Arc<Semaphore>,
    /// The rules for sockets once more, for the sockets to share.
    pub(crate) socket_settings: Arc<SocketSettings>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) socket_places: Arc<Places>,
    pub(crate) stream_places: Arc<Places>,
    /// Connections and operations: everything a stopping server waits for in the end.
    pub(crate) tasks: TaskTracker,
    /// Sockets, and responses that go on: what a stopping server ends first.
    pub(crate) streams: TaskTracker,
    /// Cancelled when the server begins to stop.
    pub(crate) stopping: CancellationToken,
    /// Whether the server listens on the loopback interface.
    pub(crate) loopback: bool,
}

impl<B: Backend> EdgeState<B> {
    /// The identity a token stands for: a signed token, or a key of the backend's own.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Identity, TokenError> {
        match self.backend.bearer_of_key(token) {
            Some(bearer) => bearer.await,
            None => self.authenticator.authenticate(token).await,
        }
    }

    /// The caller's identity, or nothing without a token.
    pub(crate) async fn identity(&self, headers: &HeaderMap) -> Result<Option<Arc<Identity>>, TokenError> {
        match token_of(headers)? {
            Some(token) => self.authenticate(token).await.map(|identity| Some(Arc::new(identity))),
            None => Ok(None),
        }
    }
}

impl<B> EdgeState<B> {
    /// Waits until the server stops, and then a moment that differs from stream to stream.
    pub(crate) async fn until_stopped(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(self.share_of_drain()).await;
    }

    /// A part of the time over which a stopping server ends its streams; another one each time.
    pub(crate) fn share_of_drain(&self) -> Duration {
        let spread = u128::from(self.settings.drain_spread_milliseconds.max(1));
        // The last bits of a new id are random.
        let share = uuid::Uuid::now_v7().as_u128() % spread;
        Duration::from_millis(u64::try_from(share).unwrap_or(0))
    }
}

/// Connections that may wait to be accepted. With the usual 128, thousands of clients that come
/// back at once after a restart wait a second and more for their next try.
const BACKLOG: u32 = 4_096;

fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of the last process may still linger on the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The token in the `Authorization` header; nothing without the header.
pub(crate) fn token_of(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => bearer(value.to_str().map_err(|_| TokenError::Malformed)?).map(Some),
        (Some(_), Some(_)) => Err(TokenError::Malformed),
    }
}

/// The instant of a point in time on the clock that never jumps; nothing if it lies too far ahead.
pub(crate) fn instant_of(time: DateTime<Utc>) -> Option<Instant> {
    let left = (time - Utc::now()).to_std().unwrap_or(Duration::ZERO);
    // The runtime's clock, which tests can hold.
    tokio::time::Instant::now().into_std().checked_add(left)
}
