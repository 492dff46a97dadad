//! Group 11: a socket that ends says why, in the protocol's own codes.

use std::time::Duration;

use futures::SinkExt;
use ordergraph::feed::Conduct;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{Verdict, is_caught};
use crate::support::Kind;
use crate::support::node::Site;
use crate::support::stock::{Stock, Target};
use crate::support::watcher::{Incident, Socket, connect, next, send};

/// How long an end may take that comes at once.
const SOON: Duration = Duration::from_secs(10);

/// A socket of a subprotocol, before anything was said.
pub async fn open(target: &Target, protocol: Option<&str>) -> Result<Socket, String> {
    let mut request = format!("ws://{}/graphql", target.address).into_client_request().expect("a request");
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
    }
    connect_async(request).await.map(|(socket, _)| socket).map_err(|error| error.to_string())
}

/// How a socket ends; messages before the end do not matter.
pub async fn end(socket: &mut Socket, patience: Duration) -> Result<(u16, String), String> {
    let ending = async {
        loop {
            match next(socket).await {
                Ok(message) if message["type"] == "ping" => {
                    let _ = send(socket, json!({ "type": "pong" })).await;
                }
                Ok(_) => {}
                Err(Incident::Closed(code, reason)) => return Ok((code, reason)),
                Err(other) => return Err(format!("{other:?}")),
            }
        }
    };
    tokio::time::timeout(patience, ending).await.unwrap_or_else(|_| Err(format!("it is open after {patience:?}")))
}

fn subscribe(id: &str, document: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": document } })
}

/// What a client does wrong.
enum Fault {
    /// Speaks before it is acknowledged.
    Before(Vec<Message>),
    /// Speaks after that.
    After(Vec<Message>),
    /// Speaks another protocol, or none.
    Protocol(Option<&'static str>),
}

fn text(value: Value) -> Message {
    Message::text(value.to_string())
}

/// Every fault, the code it must be answered with, and its name.
fn table(target: &Target) -> Vec<(&'static str, Fault, u16)> {
    use Fault::{After, Before, Protocol};
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", target.token) } });
    let bad = json!({ "type": "connection_init", "payload": { "authorization": "Bearer nonsense" } });
    vec![
        ("no JSON", After(vec![Message::text("{")]), 4400),
        ("no object", After(vec![Message::text("[]")]), 4400),
        ("an unknown type", After(vec![text(json!({ "type": "start", "id": "1" }))]), 4400),
        ("no id", After(vec![text(json!({ "type": "subscribe", "payload": { "query": target.silence } }))]), 4400),
        ("no payload", After(vec![text(json!({ "type": "subscribe", "id": "1" }))]), 4400),
        ("no document", After(vec![text(json!({ "type": "subscribe", "id": "1", "payload": {} }))]), 4400),
        (
            "variables in a list",
            After(vec![text(json!({
                "type": "subscribe", "id": "1", "payload": { "query": target.silence, "variables": [] }
            }))]),
            4400,
        ),
        ("bytes", After(vec![Message::Binary(Bytes::from_static(b"{}"))]), 4400),
        ("no init", Before(vec![text(subscribe("1", &target.silence))]), 4401),
        ("a bad token", Before(vec![text(bad)]), 4403),
        ("no subprotocol", Protocol(None), 4406),
        ("the legacy subprotocol", Protocol(Some("graphql-ws")), 4406),
        ("silence", Before(vec![]), 4408),
        (
            "an id that is taken",
            After(vec![text(subscribe("1", &target.silence)), text(subscribe("1", &target.silence))]),
            4409,
        ),
        ("a second init", After(vec![text(init)]), 4429),
    ]
}

async fn outcome(target: &Target, fault: Fault) -> Result<(u16, String), String> {
    let (mut socket, messages) = match fault {
        Fault::Before(messages) => (open(target, Some("graphql-transport-ws")).await?, messages),
        Fault::After(messages) => {
            let socket = connect(target.address, &target.token).await.map_err(|error| format!("{error:?}"))?;
            (socket, messages)
        }
        Fault::Protocol(protocol) => (open(target, protocol).await?, Vec::new()),
    };
    for message in messages {
        // The server may have ended it already.
        let _ = socket.send(message).await;
    }
    end(&mut socket, SOON).await
}

async fn says_why(target: &Target) -> Verdict {
    let faults = table(target).into_iter().map(|(name, fault, code)| async move {
        match outcome(target, fault).await {
            // The frame has room for 123 bytes; the client's library has refused one that is not UTF-8.
            Ok((found, reason)) if found == code && !reason.is_empty() && reason.len() <= 123 => None,
            other => Some(format!("{name}: {other:?} instead of {code}")),
        }
    });
    let wrong: Vec<String> = futures::future::join_all(faults).await.into_iter().flatten().collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Every fault of a client has its code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_codes() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    says_why(&Target::of(&site, &node)).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_codes_fails_with_the_stock_server() {
    let stock = Stock::start(None).await;
    is_caught("stock edge", says_why(&stock.target).await);
}

/// An id can be used again at once: nothing of the old operation reaches the new one.
async fn is_used_again(target: &Target) -> Verdict {
    let mut socket = connect(target.address, &target.token).await.map_err(|error| format!("{error:?}"))?;
    for round in 0..20 {
        for message in [subscribe("1", &target.silence), json!({ "type": "complete", "id": "1" })] {
            send(&mut socket, message).await.map_err(|error| format!("round {round}: {error:?}"))?;
        }
    }
    send(&mut socket, subscribe("1", &target.silence)).await.map_err(|error| format!("{error:?}"))?;
    let strange = async {
        loop {
            match next(&mut socket).await {
                Ok(message) if message["type"] == "ping" || message["type"] == "pong" => {}
                other => return other,
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(2), strange).await {
        Err(_) => Ok(()),
        Ok(message) => Err(format!("the new operation hears {message:?}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn id_reuse() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    is_used_again(&Target::of(&site, &node)).await.unwrap_or_else(|found| panic!("{found}"));
    node.until_open((0, 0)).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn id_reuse_fails_with_the_stock_server() {
    let stock = Stock::start(None).await;
    is_caught("stock edge", is_used_again(&stock.target).await);
}
