//! Group 3: who reads slowly is served late or sent away, but is never passed over in silence.

use std::time::Duration;

use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, FeedSettings};
use serde_json::{Value, json};

use super::{Verdict, is_caught, proven};
use crate::support::load::work;
use crate::support::node::{Making, Node, Site};
use crate::support::slow::Narrow;
use crate::support::watcher::{Incident, Watch, Watcher};
use crate::support::{Kind, log, rows};

const EVENTS: usize = 2_000;
/// More than the system keeps on the way from one end of a connection to the other.
const BYTES: usize = 4_096;
const DOCUMENT: &str =
    "subscription($after: String) { orderEvents(after: $after) { cursor event { id changes { field value } } } }";

/// A node with an order, and the settings of its edge.
async fn scene(kind: Kind, feed: FeedSettings, conduct: Conduct, write: Duration) -> (Site, Node, String, usize) {
    let site = Site::new(kind).await;
    let mut edge = site.making().edge;
    edge.socket.write_milliseconds = u64::try_from(write.as_millis()).expect("fits");
    edge.write_seconds = write.as_secs().max(1);
    let node = Node::start(Making { edge, feed, conduct, ..site.making() }, &site.key).await;
    let order = site.orders(&[node.address], 1).await.remove(0);
    let start = site.log().await.expect("a sound log").len();
    (site, node, order, start)
}

/// Reads what there is until the last of these came or the socket ended.
async fn rest(narrow: &mut Narrow, last: i64) -> (Vec<i64>, Option<Incident>) {
    let mut events = Vec::new();
    while events.last() != Some(&last) {
        match tokio::time::timeout(Duration::from_secs(30), narrow.next()).await {
            Err(_) => return (events, Some(Incident::Broken("nothing came for half a minute".to_owned()))),
            Ok(Err(incident)) => return (events, Some(incident)),
            Ok(Ok(message)) => match message["type"].as_str().unwrap_or_default() {
                "next" => {
                    let id = &message["payload"]["data"]["orderEvents"]["event"]["id"];
                    events.extend(id.as_str().map(log::event_of));
                }
                "ping" => narrow.send(json!({ "type": "pong" })).await,
                "error" => return (events, Some(Incident::Error(message["payload"].clone()))),
                _ => {}
            },
        }
    }
    (events, None)
}

/// A reader stops while thousands of events come, and then goes on.
async fn lags(kind: Kind, conduct: Conduct) -> Verdict {
    let (site, node, order, start) = scene(kind, FeedSettings::default(), conduct, Duration::from_secs(60)).await;
    let token = site.token(Role::Supervisor);
    let after = site.client(Role::Supervisor).cursor(&[node.address]).await;
    let mut reader = Narrow::connect(node.address, &token).await;
    reader.subscribe("1", DOCUMENT, json!({ "after": after })).await;
    node.until_open((1, 1)).await?;
    rows::many(&site.db, log::uuid_of(&order), EVENTS, BYTES).await;
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    assert_eq!(expected.len(), EVENTS);
    // Until the node has executed all it is going to execute for a reader that does not read.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let delivered = node.count(|stats| &stats.deliveries);
    assert!(delivered < EVENTS as u64, "all of it fits on the way: the reader never lagged");
    let (received, incident) = rest(&mut reader, expected[EVENTS - 1]).await;
    drop(reader);
    node.end().await;
    site.end().await;
    log::same(&received, &expected).map_err(|error| format!("{error}; {incident:?}"))
}

proven!(
    /// A reader that stops for a while gets everything, from the log where need be.
    lag_is_loud: lags, on postgres sqlite, fails with skip_when_lagging
);

/// Further behind than the service bears: the socket is closed with 1013, and the cursor resumes.
async fn left_behind(kind: Kind, conduct: Conduct) -> Verdict {
    let feed = FeedSettings { slow_events: 300, ..FeedSettings::default() };
    let (site, node, order, start) = scene(kind, feed, conduct, Duration::from_secs(60)).await;
    let nodes = [node.address];
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let mut reader = Narrow::connect(node.address, &site.token(Role::Supervisor)).await;
    reader.subscribe("1", DOCUMENT, json!({ "after": after })).await;
    // It has been up to date once: what comes now is its own slowness.
    work(&site.client(Role::Dispatcher), &nodes, &order, 1).await;
    let first = loop {
        let message = reader.next().await.expect("a message");
        if message["type"] == "next" {
            break message["payload"]["extensions"]["cursor"].as_str().expect("a cursor").to_owned();
        }
    };
    rows::many(&site.db, log::uuid_of(&order), EVENTS, BYTES).await;
    let log = site.log().await?;
    let expected = log::part(&log[start + 1..], 0, log::of_orders);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (received, incident) = rest(&mut reader, *expected.last().expect("events")).await;
    log::same(&received, &expected[..received.len()]).map_err(|found| format!("what came before the end: {found}"))?;
    match incident {
        Some(Incident::Closed(1013, reason)) if received.len() < EVENTS => {
            println!("1013 {reason:?} after {} events", received.len());
        }
        other => return Err(format!("{other:?} after {} events", received.len())),
    }
    assert_eq!(node.count(|stats| &stats.slow_consumers), 1);
    // Whoever comes back with a cursor begins anew and is given time.
    let watch = Watch { document: DOCUMENT.to_owned(), ..site.watch(&nodes, Some(first)) };
    let watcher = Watcher::begin(watch).await;
    watcher.receives(&expected, Duration::from_secs(60)).await?;
    drop(watcher);
    node.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// Who is left behind is told so.
    lag_beyond_bounds_is_loud: left_behind, on postgres, fails with skip_when_lagging
);

/// A client that never reads again; how long a write may wait for it.
async fn never_reads(write: Duration) -> Verdict {
    let (site, node, order, _) = scene(Kind::Sqlite, FeedSettings::default(), Conduct::default(), write).await;
    let after = site.client(Role::Supervisor).cursor(&[node.address]).await;
    let mut reader = Narrow::connect(node.address, &site.token(Role::Supervisor)).await;
    reader.subscribe("1", DOCUMENT, json!({ "after": after })).await;
    node.until_open((1, 1)).await?;
    rows::many(&site.db, log::uuid_of(&order), EVENTS, BYTES).await;
    let begun = std::time::Instant::now();
    let patience = Duration::from_secs(12);
    while node.open() != (0, 0) && begun.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = node.open();
    drop(reader);
    node.end().await;
    site.end().await;
    if left == (0, 0) { Ok(()) } else { Err(format!("after {patience:?} {left:?} groups and subscriptions are left")) }
}

/// A client that does not read at all is cut off and leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_reader_closed() {
    never_reads(Duration::from_secs(2)).await.unwrap_or_else(|found| panic!("{found}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_reader_closed_fails_without_write_timeout() {
    is_caught("no write timeout", never_reads(Duration::from_secs(3_600)).await);
}

/// What is state and not history conflates, and says how much.
async fn conflates(kind: Kind, conduct: Conduct) -> Verdict {
    const RECEIPTS: i64 = 40;
    let (site, node, _, _) = scene(kind, FeedSettings::default(), conduct, Duration::from_secs(60)).await;
    let nodes = [node.address];
    let document = "{ stockItems(first: 1, filter: { skus: [\"LAMP-1\"] }) { nodes { id onHand } } }";
    let item = site.client(Role::Supervisor).data(&nodes, document, json!({})).await;
    let item = item["stockItems"]["nodes"][0]["id"].clone();
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let subscription = "subscription($items: [ID!], $after: String) { stockLevels(stockItemIds: $items, after: $after) \
                        { skipped event { id } stockItem { onHand } } }";
    let follows = async |after: Option<&str>| {
        let mut reader = Narrow::connect(node.address, &site.token(Role::Supervisor)).await;
        reader.subscribe("1", subscription, json!({ "items": [item], "after": after })).await;
        reader
    };
    let mut reader = follows(None).await;
    node.until_open((1, 1)).await?;
    let warehouse = site.client(Role::Warehouse);
    for _ in 0..RECEIPTS {
        warehouse.does(&nodes, "receiveStock", json!({ "stockItemId": item, "quantity": "1" })).await;
    }
    site.log().await?;
    let level = site.client(Role::Supervisor).data(&nodes, document, json!({})).await;
    let level = level["stockItems"]["nodes"][0]["onHand"].clone();
    let all = async |reader: &mut Narrow| -> Result<(i64, i64, Value), String> {
        let (mut told, mut skipped, mut last) = (0, 0, Value::Null);
        while told + skipped < RECEIPTS {
            let message = tokio::time::timeout(Duration::from_secs(20), reader.next()).await;
            let message = message.map_err(|_| format!("{told} told and {skipped} skipped"))?.expect("a message");
            if message["type"] == "next" {
                let payload = &message["payload"]["data"]["stockLevels"];
                told += 1;
                skipped += payload["skipped"].as_i64().expect("a number");
                last = payload["stockItem"]["onHand"].clone();
            }
        }
        Ok((told, skipped, last))
    };
    // How many of them conflate depends on how fast they come; none is left out without a word.
    let (told, skipped, last) = all(&mut reader).await?;
    assert_eq!((told + skipped, last), (RECEIPTS, level.clone()));
    println!("{told} told for {RECEIPTS} changes");
    // Whoever was away is told the state once.
    let found = all(&mut follows(Some(&after)).await).await?;
    drop(reader);
    node.end().await;
    site.end().await;
    let expected = (1, RECEIPTS - 1, level);
    if found == expected { Ok(()) } else { Err(format!("{found:?} instead of {expected:?}")) }
}

proven!(
    /// One message stands for many.
    state_conflates_and_says_so: conflates, on postgres, fails with tells_every_state
);
