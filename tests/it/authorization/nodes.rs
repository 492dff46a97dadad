//! Access that is taken away on one node is refused on all others within a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ordergraph::app::{App, SystemClock, access};
use ordergraph::domain::actor::Role;
use ordergraph::feed::Feed;
use ordergraph::graphql::Gateway;
use ordergraph::http::Edge;
use ordergraph::http::auth::Authenticator;
use ordergraph::store::{Store, StoreOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::revoke;
use crate::support::{Actor, Kind, World, within};

/// What is promised: from the commit to the effect on every node.
const BOUND: Duration = Duration::from_secs(1);

/// Another node on a world's database.
struct Node {
    app: Arc<App>,
    address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
    server: JoinHandle<bool>,
}

impl Node {
    /// With or without the task that follows what happens to access.
    async fn start(world: &World, follows: bool) -> Self {
        let options = StoreOptions { url: world.url().to_owned(), connections: 4 };
        let store = Store::connect(&options).await.expect("a store");
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let feed = Feed::start(&store, &tasks, &stop).await.expect("a feed");
        let app = App::new(store, feed, Arc::new(SystemClock));
        if follows {
            app.access().reload().await.expect("who has lost access");
            tasks.spawn(access::follow(app.clone(), stop.clone()));
        }
        let authenticator = Authenticator::from_demo_key(&world.key).expect("an authenticator");
        let server = Edge::new(Gateway::new(&app), authenticator).bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = server.local_addr().expect("an address");
        let server = tokio::spawn(server.run(stop.clone()));
        Self { app, address, tasks, stop, server }
    }

    /// The roles that count here; none of them when the caller is refused.
    async fn roles(&self, actor: &Actor) -> Value {
        let request = actor.world.http.post(format!("http://{}/graphql", self.address));
        let request = request.bearer_auth(actor.token.as_ref().expect("a token"));
        let answer = request.json(&json!({ "query": "{ viewer { roles } }" })).send().await.expect("an answer");
        let body: Value = answer.json().await.expect("JSON");
        match body["errors"][0]["extensions"]["code"].as_str() {
            None => body["data"]["viewer"]["roles"].clone(),
            Some("FORBIDDEN") => json!([]),
            Some(_) => panic!("{body}"),
        }
    }

    /// Waits until these roles count here, within the bound.
    async fn agrees(&self, actor: &Actor, since: Instant, expected: Value) {
        loop {
            let found = self.roles(actor).await;
            if found == expected {
                return;
            }
            assert!(since.elapsed() < BOUND, "{expected} promised, {found} found after {:?}", since.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn end(self) {
        self.stop.cancel();
        self.server.await.expect("a clean end");
        self.tasks.close();
        self.tasks.wait().await;
        self.app.store().clone().close().await.expect("closed");
    }
}

async fn test(world: Arc<World>) {
    let sales = world.actor(Role::Sales);
    let second = Node::start(&world, true).await;
    // Nobody tells this one of anything: it asks for itself when its knowledge is too old.
    let deaf = Node::start(&world, false).await;
    for node in [&second, &deaf] {
        assert_eq!(node.roles(&sales).await, json!(["SALES"]));
    }
    let mut changes = second.app.access().watch();
    changes.borrow_and_update();

    let restriction = revoke(&world, "sam.sales", None).await;
    let begun = Instant::now();
    // Where it was done it is in effect at once.
    assert_eq!(sales.query("{ viewer { roles } }", json!({})).await.code(), "FORBIDDEN");
    // Whoever keeps subscribers there is told without anybody asking.
    let told = tokio::time::timeout_at((begun + BOUND).into(), changes.changed()).await;
    assert!(matches!(told, Ok(Ok(()))), "it took longer");
    assert_eq!(second.app.access().effective("sam.sales", &[Role::Sales]), []);
    tokio::join!(second.agrees(&sales, begun, json!([])), deaf.agrees(&sales, begun, json!([])));

    // A node that starts now knows it before it answers anybody.
    let third = Node::start(&world, true).await;
    assert_eq!(third.roles(&sales).await, json!([]));
    third.end().await;

    let input = json!({ "restrictionId": restriction["id"], "reason": "Back again." });
    world.actor(Role::Admin).does("restoreAccess", input).await;
    let begun = Instant::now();
    tokio::join!(second.agrees(&sales, begun, json!(["SALES"])), deaf.agrees(&sales, begun, json!(["SALES"])));
    second.end().await;
    deaf.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_taken_away_on_one_node_is_refused_on_the_others() {
    within(Kind::Postgres, test).await;
}
