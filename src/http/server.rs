//! The listening socket: accepts connections, bounds them and lets them end in order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::backend::Backend;
use super::edge::EdgeState;
use super::patience::ImpatientWriter;
use super::settings::EdgeSettings;
use super::{assets, graphql};

/// How long after its turn a stream may still be about to end.
const STREAM_END: Duration = Duration::from_secs(3);

/// The place a connection takes up; a socket keeps it after its request is answered.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionPermit {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// A server that listens but does not answer yet.
pub struct Server {
    listener: TcpListener,
    service: Service,
    connections: Arc<Semaphore>,
    tasks: TaskTracker,
    streams: TaskTracker,
    ready: Arc<AtomicBool>,
    notice: Duration,
}

/// What each connection needs.
#[derive(Clone)]
struct Service {
    routes: Router,
    settings: Arc<EdgeSettings>,
    /// Cancelled when the server begins to stop.
    stopping: CancellationToken,
    /// Cancelled when nothing more is accepted.
    closing: CancellationToken,
}

impl Server {
    pub(super) fn new<B: Backend>(
        listener: TcpListener,
        state: Arc<EdgeState<B>>,
        others: Router,
    ) -> std::io::Result<Self> {
        Ok(Self {
            listener,
            connections: Arc::new(Semaphore::new(state.settings.connections)),
            tasks: state.tasks.clone(),
            streams: state.streams.clone(),
            ready: Arc::clone(&state.ready),
            notice: state.settings.drain_notice(state.loopback),
            service: Service {
                settings: Arc::new(state.settings.clone()),
                stopping: state.stopping.clone(),
                closing: CancellationToken::new(),
                routes: routes(state).merge(others).layer(CatchPanicLayer::custom(graphql::after_panic)),
            },
        })
    }

    /// The address in use, with the real port where port 0 was asked for.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// A way in that does not lead through the network.
    #[cfg(test)]
    pub(crate) fn door(&self) -> Door {
        Door { service: self.service.clone(), connections: Arc::clone(&self.connections), tasks: self.tasks.clone() }
    }

    /// Answers until `stop` is cancelled, then lets everything end in order.
    ///
    /// First `/readyz` says no, sockets are closed with 1012 and streams end, spread over time, and
    /// no new ones are opened; requests are still accepted and answered, since whoever sends them
    /// here needs a moment to notice. Then nothing new is accepted, requests get their answers and
    /// operations run to their end. Returns after that, or when the time for it is up; tells whether
    /// everything ended.
    pub async fn run(self, stop: CancellationToken) -> bool {
        self.accept(stop.cancelled()).await;
        self.ready.store(false, Ordering::SeqCst);
        self.service.stopping.cancel();
        self.streams.close();
        self.accept(self.streams_end()).await;

        drop(self.listener);
        self.service.closing.cancel();
        self.tasks.close();
        let all = async {
            self.streams.wait().await;
            self.tasks.wait().await;
        };
        let patience = Duration::from_secs(self.service.settings.drain_seconds);
        let drained = tokio::time::timeout(patience, all).await.is_ok();
        if !drained {
            let left = self.tasks.len() + self.streams.len();
            tracing::warn!(left, "stopped before everything had ended");
        }
        drained
    }

    /// Waits until the streams have ended, but no longer than that should take, and at least as
    /// long as it takes others to notice that the server stops.
    async fn streams_end(&self) {
        let patience = self.service.settings.drain_spread() + STREAM_END;
        let ending = tokio::time::timeout(patience, self.streams.wait());
        let (_, ()) = tokio::join!(ending, tokio::time::sleep(self.notice));
    }

    /// Takes connections until something else has come to its end.
    async fn accept(&self, until: impl Future<Output = ()>) {
        let mut until = std::pin::pin!(until);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut until => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream),
                Err(failure) => {
                    // Out of descriptors, mostly: those who have one need a moment to give it back.
                    tracing::warn!(%failure, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream) {
        // An answer is written at once; it must not wait for the acknowledgement of the last one.
        let _ = stream.set_nodelay(true);
        match Arc::clone(&self.connections).try_acquire_owned() {
            Ok(permit) => {
                let permit = ConnectionPermit { _permit: Arc::new(permit) };
                self.tasks.spawn(serve(stream, self.service.clone(), permit));
            }
            Err(_) => {
                tokio::spawn(turn_away(stream));
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Service,
    permit: ConnectionPermit,
) {
    let Service { routes, settings, stopping, closing } = service;
    let stream = ImpatientWriter::new(stream, Duration::from_secs(settings.write_seconds));
    let service = routes
        .map_request(move |mut request: hyper::Request<_>| {
            request.extensions_mut().insert(permit.clone());
            request.map(axum::body::Body::new)
        })
        .map_response(move |mut response: Response| {
            // Who keeps the connection would send its next request to a server that is gone.
            if stopping.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(settings.header_seconds))
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(failure) = outcome {
        tracing::debug!(%failure, "a connection broke");
    }
}

/// Serves any stream as a connection, so that tests can hold the clock and count writes.
#[cfg(test)]
pub(crate) struct Door {
    service: Service,
    connections: Arc<Semaphore>,
    tasks: TaskTracker,
}

#[cfg(test)]
impl Door {
    pub(crate) fn enter(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let permit = Arc::clone(&self.connections).try_acquire_owned().expect("room");
        let permit = ConnectionPermit { _permit: Arc::new(permit) };
        self.tasks.spawn(serve(stream, self.service.clone(), permit));
    }
}

/// Tells a client that there is no room, instead of letting it wait without a word.
async fn turn_away(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
        content-length: 0\r\nconnection: close\r\n\r\n";
    let answering = async {
        // An answer to a request that was not made yet confuses clients.
        let _ = stream.read(&mut [0; 1024]).await?;
        stream.write_all(ANSWER).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), answering).await;
}

fn routes<B: Backend>(state: Arc<EdgeState<B>>) -> Router {
    let mut router = Router::new()
        .route("/graphql", any(graphql::negotiated::<B>))
        .route("/graphql/stream", any(graphql::streamed::<B>))
        .route("/livez", get(|| async { "alive" }))
        .route("/readyz", get(readiness::<B>));
    if state.introspection && !state.schema_text.is_empty() {
        router = router.route("/schema.graphql", get(schema_text::<B>));
    }
    router = router.merge(assets::track());
    if state.graphiql {
        router = router.merge(assets::graphiql());
    }
    router.layer(axum::middleware::map_response(graphql::with_common_headers)).with_state(state)
}

async fn readiness<B: Backend>(State(state): State<Arc<EdgeState<B>>>) -> Response {
    if state.ready.load(Ordering::SeqCst) {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "not ready").into_response()
    }
}

async fn schema_text<B: Backend>(State(state): State<Arc<EdgeState<B>>>, _request: Request) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], state.schema_text.clone()).into_response()
}
