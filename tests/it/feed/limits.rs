//! Group 12: whoever only listens stays, whoever floods goes.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt, stream};
use ordergraph::feed::Conduct;
use serde_json::json;

use super::closes::{end, open};
use super::{Verdict, is_caught};
use crate::support::Kind;
use crate::support::node::{Making, Node, Site};
use crate::support::stock::{Stock, Target};
use crate::support::watcher::{Incident, connect, next, send};

const FLOOD: usize = 1_000;
const PROTOCOL: &str = "graphql-transport-ws";

/// A thousand sockets that say nothing are gone when the time to introduce oneself is over.
async fn silent_flood(target: &Target) -> Verdict {
    let begun = Instant::now();
    let opening = stream::iter(0..FLOOD).map(|_| open(target, Some(PROTOCOL))).buffer_unordered(64);
    let mut sockets: Vec<_> = opening.filter_map(|socket| async { socket.ok() }).collect().await;
    if sockets.len() < FLOOD {
        return Err(format!("only {} of {FLOOD} sockets could be opened", sockets.len()));
    }
    println!("{FLOOD} sockets opened within {:?}", begun.elapsed());
    let ends = join_all(sockets.iter_mut().map(|socket| end(socket, Duration::from_secs(10)))).await;
    let wrong: Vec<_> = ends.iter().filter(|end| !matches!(end, Ok((4408, _)))).collect();
    match wrong.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} of {FLOOD} silent sockets are not ended with 4408: {first:?}", wrong.len())),
    }
}

/// Before it is known who speaks, little may be said.
async fn large_init(target: &Target) -> Verdict {
    let mut socket = open(target, Some(PROTOCOL)).await?;
    let payload = json!({ "authorization": format!("Bearer {}", target.token), "padding": "x".repeat(5 * 1024) });
    send(&mut socket, json!({ "type": "connection_init", "payload": payload })).await.map_err(|e| format!("{e:?}"))?;
    match tokio::time::timeout(Duration::from_secs(10), next(&mut socket)).await {
        Ok(Err(Incident::Closed(4400 | 1009, _))) => Ok(()),
        other => Err(format!("an init of 5 KiB is answered {other:?}")),
    }
}

/// The hundred and first subscription of a socket is refused; the others go on.
async fn one_too_many(target: &Target) -> Verdict {
    let mut socket = connect(target.address, &target.token).await.map_err(|error| format!("{error:?}"))?;
    for id in 0..101 {
        let message = json!({ "id": id.to_string(), "type": "subscribe", "payload": { "query": target.silence } });
        send(&mut socket, message).await.map_err(|error| format!("{error:?}"))?;
    }
    let refusal = async {
        loop {
            match next(&mut socket).await {
                Ok(message) if message["type"] == "ping" => {}
                other => return other,
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(10), refusal).await {
        Ok(Ok(message)) if message["type"] == "error" && message["id"] == "100" => {
            match message["payload"][0]["extensions"]["code"].as_str() {
                Some("LIMIT") => Ok(()),
                other => Err(format!("the 101st subscription is refused with {other:?}")),
            }
        }
        other => Err(format!("the 101st subscription is answered {other:?}")),
    }
}

/// No message of a client is longer than 64 KiB.
async fn large_message(target: &Target) -> Verdict {
    let mut socket = connect(target.address, &target.token).await.map_err(|error| format!("{error:?}"))?;
    let document = format!("{} # {}", target.silence, "x".repeat(70 * 1024));
    let message = json!({ "id": "1", "type": "subscribe", "payload": { "query": document } });
    let _ = send(&mut socket, message).await;
    match end(&mut socket, Duration::from_secs(5)).await {
        Ok((4400 | 1009, _)) => Ok(()),
        other => Err(format!("a message of 70 KiB is answered {other:?}")),
    }
}

/// All of it, and then whether somebody who behaves is still served.
async fn bears_a_flood(target: &Target) -> Verdict {
    let found =
        [silent_flood(target).await, large_init(target).await, one_too_many(target).await, large_message(target).await];
    let wrong: Vec<String> = found.into_iter().filter_map(Result::err).collect();
    connect(target.address, &target.token).await.map_err(|error| format!("nobody is served any more: {error:?}"))?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_flood() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    bears_a_flood(&Target::of(&site, &node)).await.unwrap_or_else(|found| panic!("{found}"));
    node.until_open((0, 0)).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_flood_fails_with_the_stock_server() {
    let stock = Stock::start(None).await;
    is_caught("stock edge", bears_a_flood(&stock.target).await);
}

/// How long a client only listens, in times of the server's longest wait for it.
const TIMES: u32 = 8;

/// Somebody who says nothing but pongs stays; somebody who does not even do that is let go with 4408.
async fn only_listens(target: &Target, wait: Duration) -> Verdict {
    let listen = |answers: bool| async move {
        let mut socket = connect(target.address, &target.token).await.map_err(|error| format!("{error:?}"))?;
        let message = json!({ "id": "1", "type": "subscribe", "payload": { "query": target.silence } });
        send(&mut socket, message).await.map_err(|error| format!("{error:?}"))?;
        let listening = async {
            loop {
                match next(&mut socket).await {
                    Ok(message) if message["type"] == "ping" && answers => {
                        let _ = send(&mut socket, json!({ "type": "pong" })).await;
                    }
                    Ok(_) => {}
                    Err(incident) => return incident,
                }
            }
        };
        Ok::<_, String>(tokio::time::timeout(wait * TIMES, listening).await.ok())
    };
    let (living, dead) = tokio::join!(listen(true), listen(false));
    match (living?, dead?) {
        (Some(incident), _) => Err(format!("a client that only listens is sent away: {incident:?}")),
        (None, Some(Incident::Closed(4408, _))) => Ok(()),
        (None, other) => Err(format!("a client that is gone is not let go: {other:?}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_only_lives() {
    let site = Site::new(Kind::Sqlite).await;
    let mut making = site.making();
    // Twenty-five and ten seconds in earnest.
    making.edge.socket.ping_milliseconds = 500;
    making.edge.socket.pong_milliseconds = 500;
    let node = Node::start(Making { ..making }, &site.key).await;
    let wait = Duration::from_secs(1);
    only_listens(&Target::of(&site, &node), wait).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listen_only_lives_fails_with_the_stock_server() {
    for keep_alive in [Some(Duration::from_secs(1)), None] {
        let stock = Stock::start(keep_alive).await;
        is_caught("stock edge", only_listens(&stock.target, Duration::from_millis(500)).await);
    }
}
