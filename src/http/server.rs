//! The listening socket: accepts connections, bounds them and lets them end in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// The place a connection takes up; a socket keeps it after its request is answered.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionPermit {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// A server that listens but does not answer yet.
pub struct Server {
    listener: TcpListener,
    routes: Router,
    connections: Arc<Semaphore>,
    settings: Arc<EdgeSettings>,
    tasks: TaskTracker,
    stopping: CancellationToken,
    ready: Arc<std::sync::atomic::AtomicBool>,
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
            settings: Arc::new(state.settings.clone()),
            tasks: state.tasks.clone(),
            stopping: state.stopping.clone(),
            ready: Arc::clone(&state.ready),
            routes: routes(state).merge(others).layer(CatchPanicLayer::custom(graphql::after_panic)),
        })
    }

    /// The address in use, with the real port where port 0 was asked for.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is cancelled, then lets everything end in order: `/readyz` says no,
    /// nothing new is accepted, requests get their answers, event streams end, sockets are closed
    /// with 1012, operations run to their end. Returns after that, or when the time for it is up;
    /// tells whether everything ended.
    pub async fn run(self, stop: CancellationToken) -> bool {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
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
        self.ready.store(false, Ordering::SeqCst);
        drop(self.listener);
        self.stopping.cancel();
        self.tasks.close();
        let drained =
            tokio::time::timeout(Duration::from_secs(self.settings.drain_seconds), self.tasks.wait()).await.is_ok();
        if !drained {
            tracing::warn!(left = self.tasks.len(), "stopped before everything had ended");
        }
        drained
    }

    fn admit(&self, stream: TcpStream) {
        // An answer is written at once; it must not wait for the acknowledgement of the last one.
        let _ = stream.set_nodelay(true);
        match Arc::clone(&self.connections).try_acquire_owned() {
            Ok(permit) => {
                let permit = ConnectionPermit { _permit: Arc::new(permit) };
                self.tasks.spawn(serve(
                    stream,
                    self.routes.clone(),
                    permit,
                    Arc::clone(&self.settings),
                    self.stopping.clone(),
                ));
            }
            Err(_) => {
                tokio::spawn(turn_away(stream));
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    routes: Router,
    permit: ConnectionPermit,
    settings: Arc<EdgeSettings>,
    stopping: CancellationToken,
) {
    let stream = ImpatientWriter::new(stream, Duration::from_secs(settings.write_seconds));
    let service = routes.map_request(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(permit.clone());
        request.map(axum::body::Body::new)
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
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(failure) = outcome {
        tracing::debug!(%failure, "a connection broke");
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
    if state.graphiql {
        router = router.merge(assets::routes());
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
