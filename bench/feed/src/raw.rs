//! `raw`: the limit. A WebSocket server on the product's library with the product's buffers that
//! knows nothing: whoever says `subscribe` gets the same bytes as everybody, flushed one by one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, post};
use axum::serve::ListenerExt;
use tokio::sync::broadcast;

use crate::frame;

/// As in src/http/websocket.rs of the server.
const READ_BUFFER_BYTES: usize = 1024;
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

const SEQUENCE: &str = "\"sequence\":";

/// A message as long as the product's, until the product's own is shown to it.
const EXAMPLE: &str = r#"{"id":"00000000-0000-4000-8000-000000000000","type":"next","payload":{"data":{"orderProgress":{"cursor":"MXwwMTkzNjE2MTYxNjE3MDAwfDEyMzQ1","event":{"id":"RXZlbnQ6MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA","kind":"ORDER_HELD","sequence":0,"occurredAt":"2026-11-24T15:16:28.123456Z","aggregateKind":"ORDER"}}}}}"#;

struct Limit {
    events: broadcast::Sender<Utf8Bytes>,
    template: RwLock<(String, String)>,
}

/// Serves until it is killed.
pub async fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let limit = Arc::new(Limit { events: broadcast::channel(1_024).0, template: RwLock::new(split(EXAMPLE)) });
    let routes = Router::new()
        .route("/graphql", any(upgrade))
        .route("/fire", post(fire))
        .route("/template", post(template))
        .route("/readyz", any(async || "ready"))
        .with_state(limit);
    let listener = tokio::net::TcpListener::bind(listen).await?.tap_io(|stream| {
        // An event must not wait for the acknowledgement of the last one.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}

/// What comes before an event's sequence, and what after.
fn split(example: &str) -> (String, String) {
    let (before, after) = example.split_once(SEQUENCE).unwrap_or((example, ""));
    (format!("{before}{SEQUENCE}"), after.trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned())
}

async fn template(State(limit): State<Arc<Limit>>, example: String) {
    *limit.template.write().unwrap_or_else(PoisonError::into_inner) = split(&example);
}

async fn fire(State(limit): State<Arc<Limit>>, request: Request) -> StatusCode {
    let query: HashMap<&str, u64> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect();
    let (Some(from), Some(count)) = (query.get("from"), query.get("count")) else { return StatusCode::BAD_REQUEST };
    let (before, after) = limit.template.read().unwrap_or_else(PoisonError::into_inner).clone();
    for sequence in *from..from + count {
        let _ = limit.events.send(format!("{before}{sequence}{after}").into());
    }
    StatusCode::OK
}

async fn upgrade(State(limit): State<Arc<Limit>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .protocols(["graphql-transport-ws"])
        .on_upgrade(move |socket| async move {
            // Whatever ends a socket ends it for both.
            let _ = follow(socket, limit).await;
        })
}

async fn follow(mut socket: WebSocket, limit: Arc<Limit>) -> Option<()> {
    loop {
        let text = socket.recv().await?.ok()?;
        let text = text.into_data();
        if frame::find(&text, b"connection_init").is_some() {
            socket.send(Message::text(r#"{"type":"connection_ack"}"#)).await.ok()?;
        } else if frame::find(&text, b"subscribe").is_some() {
            break;
        }
    }
    let mut events = limit.events.subscribe();
    loop {
        tokio::select! {
            event = events.recv() => socket.send(Message::Text(event.ok()?)).await.ok()?,
            message = socket.recv() => drop(message?.ok()?),
        }
    }
}
