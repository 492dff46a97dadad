//! Access that is taken away on one node is refused on all others within a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ordergraph::app::{App, Session, SystemClock};
use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, Feed, FeedSettings};
use ordergraph::http::EdgeSettings;
use ordergraph::store::{Store, StoreOptions};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::revoke;
use crate::support::node::{Making, Node};
use crate::support::{Actor, Kind, World, within};

/// What is promised: from the commit to the effect on every node.
const BOUND: Duration = Duration::from_secs(1);

async fn another(world: &World) -> Node {
    let making = Making {
        url: world.url().to_owned(),
        edge: EdgeSettings { drain_seconds: 1, drain_spread_milliseconds: 1, ..EdgeSettings::default() },
        feed: FeedSettings::default(),
        conduct: Conduct::default(),
    };
    Node::start(making, &world.key).await
}

/// The roles that count at a node; none of them when the caller is refused.
async fn roles(node: &Node, actor: &Actor) -> Value {
    let request = actor.world.http.post(format!("http://{}/graphql", node.address));
    let request = request.bearer_auth(actor.token.as_ref().expect("a token"));
    let answer = request.json(&json!({ "query": "{ viewer { roles } }" })).send().await.expect("an answer");
    let body: Value = answer.json().await.expect("JSON");
    match body["errors"][0]["extensions"]["code"].as_str() {
        None => body["data"]["viewer"]["roles"].clone(),
        Some("FORBIDDEN") => json!([]),
        Some(_) => panic!("{body}"),
    }
}

/// Waits until an application that nobody tells of anything gives a caller these roles, in time.
async fn agrees(deaf: &Arc<App>, actor: &Actor, since: Instant, expected: &[Role]) {
    loop {
        let found = Session::open(deaf, &actor.identity, "test").await.expect("a session").actor.roles.clone();
        if found == expected {
            return;
        }
        assert!(since.elapsed() < BOUND, "{expected:?} promised, {found:?} found after {:?}", since.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn test(world: Arc<World>) {
    let sales = world.actor(Role::Sales);
    let second = another(&world).await;
    // Nothing follows the log for this one: it asks when its knowledge is too old to be used.
    let store = Store::connect(&StoreOptions { url: world.url().to_owned(), connections: 2 }).await.expect("a store");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let feed = Feed::start(&store, FeedSettings::default(), &tasks, &stop).await.expect("a feed");
    let deaf = App::new(store, feed, Arc::new(SystemClock));
    assert_eq!(deaf.access().effective("sam.sales", &[Role::Sales]), [], "it knows nothing yet");
    agrees(&deaf, &sales, Instant::now(), &[Role::Sales]).await;
    assert_eq!(roles(&second, &sales).await, json!(["SALES"]));
    let mut changes = second.app.access().watch();
    changes.borrow_and_update();

    let restriction = revoke(&world, "sam.sales", None).await;
    let since = Instant::now();
    // Where it was done it is in effect at once.
    assert_eq!(sales.query("{ viewer { roles } }", json!({})).await.code(), "FORBIDDEN");
    // Whoever keeps subscribers on another node is told without anybody asking there.
    let told = tokio::time::timeout_at((since + BOUND).into(), changes.changed()).await;
    assert!(matches!(told, Ok(Ok(()))), "it took longer");
    assert_eq!(second.app.access().effective("sam.sales", &[Role::Sales]), []);
    assert_eq!(roles(&second, &sales).await, json!([]));
    agrees(&deaf, &sales, since, &[]).await;
    // A node that starts now knows it before it answers anybody.
    let third = another(&world).await;
    assert_eq!(roles(&third, &sales).await, json!([]));
    third.end().await;

    let input = json!({ "restrictionId": restriction["id"], "reason": "Back again." });
    world.actor(Role::Admin).does("restoreAccess", input).await;
    let since = Instant::now();
    let told = tokio::time::timeout_at((since + BOUND).into(), changes.changed()).await;
    assert!(matches!(told, Ok(Ok(()))), "it took longer");
    assert_eq!(roles(&second, &sales).await, json!(["SALES"]));
    agrees(&deaf, &sales, since, &[Role::Sales]).await;
    second.end().await;
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    deaf.store().clone().close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_taken_away_on_one_node_is_refused_on_the_others() {
    within(Kind::Postgres, test).await;
}
