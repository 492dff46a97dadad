//! Group 16: event streams and responses in parts tell the same as sockets, and resume as well.

use std::net::SocketAddr;
use std::time::Duration;

use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use serde_json::{Value, json};

use super::{Verdict, is_caught, patience, proven};
use crate::support::load::work;
use crate::support::node::Site;
use crate::support::stock::Stock;
use crate::support::streams::{Answer, Ask};
use crate::support::watcher::{Watch, Watcher};
use crate::support::{Kind, log};

const DOCUMENT: &str =
    "subscription($after: String) { orderEvents(after: $after) { cursor event { id kind } order { number } } }";
const STREAM: &str = "text/event-stream";
/// What Apollo's clients send.
const APOLLO: &str = r#"multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json"#;

fn ask<'a>(token: &'a str, document: &'a str, variables: Value) -> Ask<'a> {
    Ask { token, path: "/graphql/stream", accept: STREAM, last_event_id: None, document, variables }
}

/// A browser loses its stream again and again and goes on where it was, without a thought of its own.
async fn browser(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let node = site.node(conduct).await;
    let nodes = [node.address];
    let token = site.token(Role::Supervisor);
    let order = site.orders(&nodes, 1).await.remove(0);
    let start = site.log().await?.len();
    let first = site.client(Role::Supervisor).cursor(&nodes).await;
    let client = site.client(Role::Dispatcher);
    let (mut received, mut last) = (Vec::new(), first);
    for round in 0..4 {
        work(&client, &nodes, &order, 3).await;
        let variables = json!({});
        let mut answer =
            Answer::of(node.address, Ask { last_event_id: Some(&last), ..ask(&token, DOCUMENT, variables) }).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, STREAM));
        work(&client, &nodes, &order, 2).await;
        let mut next = last.clone();
        for count in 0..5 {
            let event = answer.event(patience(conduct)).await;
            let event = event.ok_or_else(|| format!("round {round}: only {count} events"))?;
            assert_eq!(event.name, "next", "{event:?}");
            let told = event.json();
            next = event.id.clone().ok_or_else(|| format!("without an id: {event:?}"))?;
            if told["extensions"]["cursor"] != json!(next) {
                return Err(format!("the id is another place than the cursor: {event:?}"));
            }
            received.push(log::event_of(told["data"]["orderEvents"]["event"]["id"].as_str().expect("an event")));
        }
        last = next;
    }
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    node.end().await;
    site.end().await;
    log::same(&received, &expected)
}

proven!(
    /// The last event's id is where the next stream begins.
    sse_last_event_id: browser, on sqlite postgres, fails with trust_any_cursor
);

/// What is wrong with a document is told in the stream, not by a status that browsers hide.
async fn tells_what_is_wrong(node: SocketAddr, token: &str) -> Verdict {
    let document = "subscription { nothingOfThisName { id } }";
    let mut answer = Answer::of(node, ask(token, document, json!({}))).await;
    if (answer.status, answer.content_type.as_str()) != (200, STREAM) {
        return Err(format!("answered {} {}", answer.status, answer.content_type));
    }
    let first = answer.event(Duration::from_secs(10)).await.ok_or("nothing is told")?;
    let told = first.json();
    if first.name != "next" || told["errors"][0]["extensions"]["code"] != "GRAPHQL_VALIDATION_FAILED" {
        return Err(format!("{first:?}"));
    }
    match answer.event(Duration::from_secs(10)).await {
        Some(last) if last.name == "complete" => Ok(()),
        other => Err(format!("{other:?} instead of the end")),
    }
}

/// Every part is a payload or a sign of life.
async fn wraps(node: SocketAddr, token: &str, document: &str) -> Verdict {
    let asking = Ask { path: "/graphql", accept: APOLLO, ..ask(token, document, json!({})) };
    let mut answer = Answer::of(node, asking).await;
    if answer.status != 200 || !answer.content_type.starts_with("multipart/mixed") {
        return Err(format!("answered {} {}", answer.status, answer.content_type));
    }
    let mut payloads = 0;
    while payloads < 5 {
        let part = answer.part(Duration::from_secs(20)).await.ok_or("nothing comes")?;
        if part == json!({}) {
            continue;
        }
        if !part["payload"]["data"].is_object() || !part["data"].is_null() {
            return Err(format!("no payload: {part}"));
        }
        payloads += 1;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sse_validation_error_is_next_on_200() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    let token = site.token(Role::Supervisor);
    tells_what_is_wrong(node.address, &token).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
    let stock = Stock::start(None).await;
    is_caught("stock edge", tells_what_is_wrong(stock.target.address, "good").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn multipart_payload_wrapper() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    let nodes = [node.address];
    let (token, client) = (site.token(Role::Supervisor), site.client(Role::Dispatcher));
    let order = site.orders(&nodes, 1).await.remove(0);
    let (wrapped, _) =
        tokio::join!(wraps(node.address, &token, "subscription { orderEvents { event { id } } }"), async {
            node.until_open((1, 1)).await.expect("it is let in");
            work(&client, &nodes, &order, 5).await
        });
    wrapped.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
    let stock = Stock::start(None).await;
    is_caught("stock edge", wraps(stock.target.address, "good", "subscription { clock { number } }").await);
}

/// One story, told over each transport: the same results, byte for byte, in the same order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_tells_the_same() {
    let site = Site::new(Kind::Postgres).await;
    let node = site.node(Conduct::default()).await;
    let nodes = [node.address];
    let token = site.token(Role::Supervisor);
    let order = site.orders(&nodes, 1).await.remove(0);
    site.log().await.expect("a sound log");
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let client = site.client(Role::Dispatcher);
    // Some of it lies behind when they begin.
    work(&client, &nodes, &order, 4).await;
    let variables = json!({ "after": after });
    let watch = Watch { document: DOCUMENT.to_owned(), ..site.watch(&nodes, Some(after)) };
    let socket = Watcher::begin(watch).await;
    let mut stream = Answer::of(node.address, ask(&token, DOCUMENT, variables.clone())).await;
    let asking = Ask { path: "/graphql", accept: APOLLO, ..ask(&token, DOCUMENT, variables) };
    let mut parts = Answer::of(node.address, asking).await;
    work(&client, &nodes, &order, 6).await;
    const COUNT: usize = 10;
    let (mut by_stream, mut by_parts) = (Vec::new(), Vec::new());
    let patience = Duration::from_secs(20);
    for _ in 0..COUNT {
        by_stream.push(stream.event(patience).await.expect("an event").json());
    }
    while by_parts.len() < COUNT {
        let part = parts.part(patience).await.expect("a part");
        by_parts.extend(Some(part["payload"].clone()).filter(Value::is_object));
    }
    socket.until("it hears everything", |record| record.received.len() >= COUNT).await;
    let by_socket: Vec<Value> = socket.record().received.iter().map(|received| received.payload.clone()).collect();
    assert_eq!(by_socket.len(), COUNT);
    assert_eq!(by_stream, by_socket);
    assert_eq!(by_parts, by_socket);
    drop(socket);
    drop((stream, parts));
    node.until_open((0, 0)).await.unwrap_or_else(|found| panic!("{found}"));
    node.end().await;
    site.end().await;
}
