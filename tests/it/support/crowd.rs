//! Many subscribers on few or many sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::log::event_of;
use super::watcher::{self, Incident, Socket};

/// What one subscriber asks for; the document selects `event { id }`.
#[derive(Clone)]
pub struct Wish {
    pub document: String,
    pub variables: Value,
}

/// A socket and those who share it.
#[derive(Clone)]
pub struct Line {
    pub token: String,
    pub wishes: Vec<Wish>,
}

/// What came over one socket.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Events by subscriber.
    pub events: Vec<Vec<i64>>,
    /// The newest cursor by subscriber.
    pub cursors: Vec<Option<String>>,
    /// How and when the socket or one of its operations ended.
    pub incidents: Vec<(Instant, Incident)>,
}

/// They leave with its value.
pub struct Crowd {
    received: Arc<AtomicU64>,
    heard: Vec<Arc<Mutex<Heard>>>,
    listening: JoinSet<()>,
}

impl Crowd {
    /// Everybody enters; returns when all were let in.
    pub async fn enter(node: SocketAddr, lines: Vec<Line>) -> Self {
        let sockets: Vec<(Socket, Line)> = stream::iter(lines)
            .map(|line| async move { (Self::socket(node, &line).await, line) })
            .buffered(32)
            .collect()
            .await;
        let received = Arc::<AtomicU64>::default();
        let (mut heard, mut listening) = (Vec::new(), JoinSet::new());
        for (socket, line) in sockets {
            let (events, cursors) = (vec![Vec::new(); line.wishes.len()], vec![None; line.wishes.len()]);
            let record = Arc::new(Mutex::new(Heard { events, cursors, incidents: Vec::new() }));
            heard.push(record.clone());
            listening.spawn(listen(socket, record, received.clone()));
        }
        Self { received, heard, listening: listening }
    }

    async fn socket(node: SocketAddr, line: &Line) -> Socket {
        let begun = Instant::now();
        // A node may be full for a moment.
        let mut socket = loop {
            match watcher::connect(node, &line.token).await {
                Ok(socket) => break socket,
                Err(incident) => assert!(begun.elapsed() < Duration::from_secs(60), "{incident:?}"),
            }
        };
        for (id, wish) in line.wishes.iter().enumerate() {
            let payload = json!({ "query": wish.document, "variables": wish.variables });
            let message = json!({ "id": id.to_string(), "type": "subscribe", "payload": payload });
            watcher::send(&mut socket, message).await.expect("sent");
        }
        socket
    }

    /// Messages received by all together.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits until so many were received.
    pub async fn until(&self, count: u64, patience: Duration) -> Result<(), String> {
        let begun = Instant::now();
        while self.received() < count {
            if begun.elapsed() > patience {
                let first = self.heard().into_iter().flat_map(|heard| heard.incidents).next();
                return Err(format!("{} of {count} messages within {patience:?}; {first:?}", self.received()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// What came over each socket so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.iter().map(|heard| heard.lock().expect("not poisoned").clone()).collect()
    }

    /// Waits until every socket has ended.
    pub async fn until_ended(&mut self, patience: Duration) -> Result<(), String> {
        let ending = async { while self.listening.join_next().await.is_some() {} };
        tokio::time::timeout(patience, ending).await.map_err(|_| format!("{} are left", self.listening.len()))
    }
}

async fn listen(mut socket: Socket, record: Arc<Mutex<Heard>>, received: Arc<AtomicU64>) {
    loop {
        let message = match watcher::next(&mut socket).await {
            Ok(message) => message,
            Err(incident) => {
                record.lock().expect("not poisoned").incidents.push((Instant::now(), incident));
                return;
            }
        };
        let index = message["id"].as_str().and_then(|id| id.parse::<usize>().ok());
        match (message["type"].as_str().unwrap_or_default(), index) {
            ("next", Some(index)) => {
                let payload = &message["payload"];
                let event = payload["data"]
                    .as_object()
                    .and_then(|fields| fields.values().next())
                    .map(|field| &field["event"]["id"]);
                let event = event.and_then(Value::as_str).map(event_of);
                let mut record = record.lock().expect("not poisoned");
                record.events[index].extend(event);
                record.cursors[index] = payload["extensions"]["cursor"].as_str().map(str::to_owned);
                received.fetch_add(1, Ordering::Relaxed);
            }
            ("ping", _) => {
                if watcher::send(&mut socket, json!({ "type": "pong" })).await.is_err() {
                    return;
                }
            }
            _ => {
                let incident = Incident::Error(message);
                record.lock().expect("not poisoned").incidents.push((Instant::now(), incident));
            }
        }
    }
}
