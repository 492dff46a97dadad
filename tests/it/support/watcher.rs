//! A subscriber that never gives up: whatever happens to its connection, it goes on at the next node
//! behind what it received last. It keeps everything it was told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use super::log;

/// What is watched, where, by whom.
#[derive(Clone)]
pub struct Watch {
    /// Tried one after the other.
    pub nodes: Vec<SocketAddr>,
    pub token: String,
    /// A subscription that takes `$after` and selects `cursor` and `event { id }`.
    pub document: String,
    pub variables: Value,
    /// Where to begin; from now on without.
    pub after: Option<String>,
}

/// Every event about orders.
pub const ORDER_EVENTS: &str = "subscription($after: String) { orderEvents(after: $after) { cursor event { id } } }";

/// What came that was no event.
#[derive(Clone, Debug, PartialEq)]
pub enum Incident {
    /// The node ended the connection, with a code and a reason.
    Closed(u16, String),
    /// The connection ended without a word, or could not be made.
    Broken(String),
    /// The operation ended with errors.
    Error(Value),
    /// The operation ended.
    Complete,
}

/// A message that was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub cursor: String,
    /// None when the message is about no event.
    pub event: Option<i64>,
    pub payload: Value,
    pub at: Instant,
}

/// Everything a subscriber was told.
#[derive(Debug, Default)]
pub struct Record {
    pub received: Vec<Received>,
    pub incidents: Vec<Incident>,
    /// Connections on which the subscription began.
    pub connections: usize,
    /// The cursor that came with the last ping.
    pub pinged: Option<String>,
}

/// Stops with its value.
pub struct Watcher {
    record: Arc<Mutex<Record>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Watcher {
    pub fn start(watch: Watch) -> Self {
        let (record, stop) = (Arc::<Mutex<Record>>::default(), CancellationToken::new());
        let (shared, until) = (record.clone(), stop.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = follow(watch, &shared) => {}
            }
        });
        Self { record, stop, task }
    }

    /// Starts and waits until the subscription has begun somewhere.
    pub async fn begin(watch: Watch) -> Self {
        let watcher = Self::start(watch);
        watcher.until("it has begun", |record| record.connections > 0).await;
        watcher
    }

    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("not poisoned")
    }

    /// The events received so far.
    pub fn events(&self) -> Vec<i64> {
        self.record().received.iter().filter_map(|received| received.event).collect()
    }

    /// Is it still watching, or was it told not to come back?
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until this holds; an error says what came instead.
    pub async fn try_until(&self, patience: Duration, test: impl Fn(&Record) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            {
                let record = self.record();
                if test(&record) {
                    return Ok(());
                }
                if begun.elapsed() > patience {
                    return Err(format!(
                        "not within {patience:?}: {} received, {} connections, {:?}",
                        record.received.len(),
                        record.connections,
                        record.incidents
                    ));
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn until(&self, what: &str, test: impl Fn(&Record) -> bool) {
        self.try_until(Duration::from_secs(30), test).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }

    /// Everything of these events comes, in this order, and nothing else does.
    pub async fn receives(&self, expected: &[i64], patience: Duration) -> Result<(), String> {
        let count = |record: &Record| record.received.iter().filter(|received| received.event.is_some()).count();
        let waited = self.try_until(patience, |record| count(record) >= expected.len()).await;
        // What comes too much comes soon after.
        tokio::time::sleep(Duration::from_millis(100)).await;
        log::same(&self.events(), expected).map_err(|error| match waited {
            Ok(()) => error,
            Err(waited) => format!("{error}; {waited}"),
        })
    }

    pub async fn stop(mut self) -> Record {
        self.stop.cancel();
        let _ = (&mut self.task).await;
        std::mem::take(&mut *self.record())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn follow(watch: Watch, record: &Mutex<Record>) {
    let note = |incident| record.lock().expect("not poisoned").incidents.push(incident);
    for node in watch.nodes.iter().cycle() {
        match connect(*node, &watch.token).await {
            Ok(socket) => match session(socket, &watch, record).await {
                Ok(()) => return,
                Err(incident) => note(incident),
            },
            Err(incident) => note(incident),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

fn broken(error: impl ToString) -> Incident {
    Incident::Broken(error.to_string())
}

/// A socket that is acknowledged.
pub async fn connect(node: SocketAddr, token: &str) -> Result<Socket, Incident> {
    let mut request = format!("ws://{node}/graphql").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
    let connecting = async {
        let (mut socket, _) = connect_async(request).await.map_err(broken)?;
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
        socket.send(Message::text(init.to_string())).await.map_err(broken)?;
        match next(&mut socket).await? {
            message if message["type"] == "connection_ack" => Ok(socket),
            message => Err(broken(message)),
        }
    };
    tokio::time::timeout(Duration::from_secs(5), connecting).await.unwrap_or_else(|_| Err(broken("no answer")))
}

/// The next message of the protocol.
pub async fn next(socket: &mut Socket) -> Result<Value, Incident> {
    next_of(socket).await
}

/// The same over any kind of connection.
pub async fn next_of<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Result<Value, Incident> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(Some(frame)))) => {
                return Err(Incident::Closed(frame.code.into(), frame.reason.as_str().to_owned()));
            }
            Some(Ok(Message::Close(None))) | None => return Err(broken("ended without a word")),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(broken(error)),
        }
    }
}

pub async fn send(socket: &mut Socket, message: Value) -> Result<(), Incident> {
    socket.send(Message::text(message.to_string())).await.map_err(broken)
}

/// Watches over one connection until it ends. Ends well when it must not come back.
async fn session(mut socket: Socket, watch: &Watch, record: &Mutex<Record>) -> Result<(), Incident> {
    let lock = || record.lock().expect("not poisoned");
    let mut variables = watch.variables.clone();
    let last = lock().received.last().map(|received| received.cursor.clone());
    variables["after"] = json!(last.or_else(|| watch.after.clone()));
    let payload = json!({ "query": watch.document, "variables": variables });
    send(&mut socket, json!({ "id": "w", "type": "subscribe", "payload": payload })).await?;
    // The node handles messages in order: when it answers this, the subscription was dealt with.
    send(&mut socket, json!({ "type": "ping", "payload": { "begun": true } })).await?;
    loop {
        let message = match tokio::time::timeout(Duration::from_secs(60), next(&mut socket)).await {
            Ok(message) => message?,
            Err(_) => return Err(broken("nothing came for a minute")),
        };
        match message["type"].as_str().unwrap_or_default() {
            "next" => lock().received.push(received(&message["payload"])),
            "ping" => {
                if let Some(cursor) = message["payload"]["cursor"].as_str() {
                    lock().pinged = Some(cursor.to_owned());
                }
                send(&mut socket, json!({ "type": "pong" })).await?;
            }
            "pong" => lock().connections += 1,
            "error" => {
                let code = message["payload"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
                lock().incidents.push(Incident::Error(message["payload"].clone()));
                if code != "SLOW_CONSUMER" && code != "RESYNC" {
                    return Ok(());
                }
                return Err(Incident::Complete);
            }
            "complete" => return Err(Incident::Complete),
            other => panic!("the server says {other}: {message}"),
        }
    }
}

fn received(payload: &Value) -> Received {
    let cursor = payload["extensions"]["cursor"].as_str().unwrap_or_else(|| panic!("no cursor: {payload}")).to_owned();
    let field = payload["data"].as_object().and_then(|fields| fields.values().next());
    if let Some(told) = field.and_then(|field| field["cursor"].as_str()) {
        assert_eq!(cursor, told, "{payload}");
    }
    let event = field.and_then(|field| field["event"]["id"].as_str()).map(log::event_of);
    Received { cursor, event, payload: payload.clone(), at: Instant::now() }
}
