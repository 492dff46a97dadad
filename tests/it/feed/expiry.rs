//! Group 10: what somebody may see ends when the right to it does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use serde_json::{Value, json};

use super::{Verdict, is_caught, proven};
use crate::support::load::{Load, Plan};
use crate::support::node::{Making, Node, Site};
use crate::support::seed::Seed;
use crate::support::stock::Stock;
use crate::support::streams::{Answer, Ask};
use crate::support::watcher::{Incident, Watch, Watcher, connect, next, send};
use crate::support::{Kind, World, within_as};

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// When a token ends.
fn end_of(token: &str) -> f64 {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["exp"].as_f64().expect("an end")
}

/// The promise is half a second; a machine that does other things as well may take longer, though
/// not every time.
const PROMISED: f64 = 0.5;
const BORNE: f64 = 3.0;

/// How a socket with a token ended: when its last result and its end came, and how it ended.
struct Ended {
    last: Option<f64>,
    at: f64,
    incident: Option<Incident>,
    results: usize,
}

/// Watches with a token until the server ends it, or well past its end.
async fn watch(node: std::net::SocketAddr, token: &str, end: f64, document: &str, renewed: Option<String>) -> Ended {
    let mut socket = connect(node, token).await.expect("a socket");
    let message = json!({ "id": "1", "type": "subscribe", "payload": { "query": document } });
    send(&mut socket, message).await.expect("sent");
    if let Some(token) = renewed {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        send(&mut socket, json!({ "type": "ping", "payload": payload })).await.expect("sent");
    }
    let mut ended = Ended { last: None, at: 0.0, incident: None, results: 0 };
    while now() < end + BORNE + 1.0 {
        match tokio::time::timeout(Duration::from_millis(200), next(&mut socket)).await {
            Err(_) => {}
            Ok(Ok(message)) if message["type"] == "next" => {
                ended.last = Some(now());
                ended.results += 1;
            }
            Ok(Ok(message)) if message["type"] == "ping" => {
                let _ = send(&mut socket, json!({ "type": "pong" })).await;
            }
            Ok(Ok(_)) => {}
            Ok(Err(incident)) => {
                ended.incident = Some(incident);
                break;
            }
        }
    }
    ended.at = now();
    ended
}

/// It ended at the end of the token, neither before nor long after, and nothing came later.
fn judge(ended: &[(f64, Ended)]) -> Verdict {
    for (end, ended) in ended {
        match &ended.incident {
            Some(Incident::Closed(4403, reason)) if !reason.is_empty() => {}
            other => return Err(format!("ended with {other:?} {:.1} s after the end of the token", ended.at - end)),
        }
        // The clock of tokens counts whole seconds; the server may be a moment ahead.
        if ended.at < end - 0.1 || ended.at > end + BORNE {
            return Err(format!("ended {:.3} s after the end of the token", ended.at - end));
        }
        if ended.results == 0 || ended.last.is_some_and(|last| last > end + BORNE) {
            return Err(format!("{} results, the last at {:?}, the end at {end}", ended.results, ended.last));
        }
    }
    let best = ended.iter().map(|(end, ended)| ended.at - end).fold(f64::MAX, f64::min);
    if best <= PROMISED { Ok(()) } else { Err(format!("at best {best:.3} s after the end of the token")) }
}

/// A site where something happens all the time.
async fn busy(site: &Site, node: &Node) -> Load {
    let nodes = vec![node.address];
    let orders = site.orders(&nodes, 2).await;
    let client = site.client(Role::Dispatcher);
    let plan = Plan { client, nodes, orders, workers: 2, rest: Duration::from_millis(60) };
    Load::start(plan, &mut Seed::new(10))
}

const EVENTS: &str = "subscription { orderEvents { cursor event { id } } }";

/// Tokens that end after a few seconds, on sockets and event streams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_expiry() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    let load = busy(&site, &node).await;
    let tokens: Vec<String> =
        (2..5).map(|seconds| site.token_for(Role::Supervisor, Duration::from_secs(seconds))).collect();
    let sockets = futures::future::join_all(tokens.iter().map(|token| async {
        let end = end_of(token);
        (end, watch(node.address, token, end, EVENTS, None).await)
    }));
    let stream = async {
        let (token, mut names) = (&tokens[0], Vec::new());
        let ask = Ask {
            token,
            path: "/graphql/stream",
            accept: "text/event-stream",
            last_event_id: None,
            document: EVENTS,
            variables: json!({}),
        };
        let mut answer = Answer::of(node.address, ask).await;
        while let Some(event) = answer.event(Duration::from_secs(10)).await {
            names.push((event.name, event.data, now()));
        }
        names
    };
    let (ended, told) = tokio::join!(sockets, stream);
    judge(&ended).unwrap_or_else(|found| panic!("{found}"));
    let [.., dismissed, complete] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((dismissed.0.as_str(), complete.0.as_str()), ("next", "complete"));
    assert!(dismissed.1.contains("\"errors\"") && told.len() > 3, "{told:?}");
    assert!(told.iter().all(|(_, _, at)| *at < end_of(&tokens[0]) + BORNE), "{told:?}");
    load.stop().await;
    node.end().await;
    site.end().await;
}

/// The stock server asks once and never again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_expiry_fails_with_the_stock_server() {
    let stock = Stock::start(None).await;
    let end = now().ceil() + 1.0;
    let ended = watch(stock.target.address, "good", end, "subscription { clock { number } }", None).await;
    is_caught("stock edge", judge(&[(end, ended)]));
}

/// A new token on the open socket extends it to the end of that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reauth() {
    let site = Site::new(Kind::Sqlite).await;
    let node = site.node(Conduct::default()).await;
    let load = busy(&site, &node).await;
    let first = site.token_for(Role::Supervisor, Duration::from_secs(2));
    let second = site.token_for(Role::Supervisor, Duration::from_secs(5));
    let end = end_of(&second);
    let ended = watch(node.address, &first, end, EVENTS, Some(second)).await;
    judge(&[(end, ended)]).unwrap_or_else(|found| panic!("{found}"));
    load.stop().await;
    node.end().await;
    site.end().await;
}

/// A role is taken away while its holder watches at two nodes.
async fn revoked(kind: Kind, conduct: Conduct) -> Verdict {
    within_as(kind, |making| Making { conduct, ..making }, |world| async move { watched(&world, conduct).await }).await
}

async fn watched(world: &std::sync::Arc<World>, conduct: Conduct) -> Verdict {
    let other = Node::start(Making { conduct, ..world.site.making() }, &world.key).await;
    let nodes = vec![world.address, other.address];
    let orders = world.site.orders(&nodes, 2).await;
    let sales = world.actor(Role::Sales);
    let watch = |node| Watch { token: sales.token.clone().expect("a token"), ..world.site.watch(&[node], None) };
    let watchers = [Watcher::begin(watch(nodes[0])).await, Watcher::begin(watch(nodes[1])).await];
    let client = world.site.client(Role::Dispatcher);
    let plan = Plan { client, nodes, orders, workers: 2, rest: Duration::from_millis(60) };
    let load = Load::start(plan, &mut Seed::new(11));
    for watcher in &watchers {
        watcher.try_until(Duration::from_secs(20), |record| record.received.len() > 3).await.expect("it watches");
    }
    let input = json!({ "subject": "sam.sales", "reason": "Left the company." });
    world.actor(Role::Admin).does("revokeAccess", input).await;
    let at = Instant::now();
    tokio::time::sleep(Duration::from_secs(4)).await;
    load.stop().await;
    let mut found = Ok(());
    let mut soonest = Duration::MAX;
    for (watcher, place) in watchers.iter().zip(["where it was done", "elsewhere"]) {
        let record = watcher.record();
        let last = record.received.last().expect("some").at.saturating_duration_since(at);
        println!("{place} the last result came {last:?} after the revocation: {:?}", record.incidents.first());
        soonest = soonest.min(last);
        let told = record.incidents.iter().any(|incident| match incident {
            Incident::Closed(4403, _) => true,
            Incident::Error(errors) => errors[0]["extensions"]["code"] == "FORBIDDEN",
            _ => false,
        });
        if last > Duration::from_secs(3) || !told {
            found = Err(format!("{place} results came until {last:?} after the revocation, {:?}", record.incidents));
        }
    }
    drop(watchers);
    other.end().await;
    found?;
    if soonest > Duration::from_secs(1) {
        return Err(format!("at best {soonest:?} after the revocation"));
    }
    Ok(())
}

proven!(
    /// Nothing is told to whom nothing is to be told any more, on any node.
    revoke_role: revoked, on postgres, fails with trust_for_ever
);
