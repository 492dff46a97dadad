//! The bus between nodes: what is said is heard, and what may not have been heard is a reason to look.

use std::time::Duration;

use ordergraph::feed::{Bus, Hint, Hints};
use sea_orm::ConnectionTrait;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Database, Kind, nats_url};

/// Generous: nothing here is about speed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Nodes {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Nodes {
    fn new() -> Self {
        Self { tasks: TaskTracker::new(), stop: CancellationToken::new() }
    }

    async fn notify(&self, url: &str) -> Bus {
        let bus = Bus::notify(url, &self.tasks, &self.stop);
        connected(&bus).await;
        bus
    }

    async fn nats(&self, url: &str, epoch: &str) -> Bus {
        let bus = Bus::nats(url, epoch, &self.tasks, &self.stop).await.expect("a usable address");
        connected(&bus).await;
        bus
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("the tasks end when told to");
    }
}

async fn next(hints: &mut Hints) -> Hint {
    tokio::time::timeout(PATIENCE, hints.next()).await.expect("a hint")
}

/// Waits for a hint of this kind; others may come before it.
async fn until(hints: &mut Hints, wanted: Hint) {
    while next(hints).await != wanted {}
}

async fn connected(bus: &Bus) {
    let connecting = async {
        while !bus.is_connected() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connecting).await.expect("a connection");
}

/// One node's word reaches the other, and comes back to it at once.
async fn hear_each_other(one: &Bus, other: &Bus) {
    let (mut own, mut log, mut waiting) = (one.log(), other.log(), other.waiting());
    // With NOTIFY the relay's statement says it, not the bus.
    if !one.notifies_in_transaction() {
        one.publish_log(7);
        until(&mut log, Hint::UpTo(7)).await;
        until(&mut own, Hint::UpTo(7)).await;
    }
    one.publish_waiting();
    until(&mut waiting, Hint::Look).await;
}

#[tokio::test]
async fn nodes_hear_each_other_by_notify() {
    let database = Database::create(Kind::Postgres).await;
    let db = database.connect().await;
    let nodes = Nodes::new();
    let (one, other) = (nodes.notify(&database.url).await, nodes.notify(&database.url).await);
    hear_each_other(&one, &other).await;
    let (mut at_one, mut at_other) = (one.log(), other.log());
    db.execute_unprepared("SELECT pg_notify('ordergraph_log', '41')").await.expect("notified");
    until(&mut at_one, Hint::UpTo(41)).await;
    until(&mut at_other, Hint::UpTo(41)).await;
    db.execute_unprepared("SELECT pg_notify('ordergraph_log', 'nonsense')").await.expect("notified");
    until(&mut at_one, Hint::Look).await;
    assert_eq!(one.reconnects() + other.reconnects(), 0);
    nodes.end().await;
    db.close().await.expect("closed");
    database.drop().await;
}

#[tokio::test]
async fn a_listener_that_was_cut_off_comes_back_and_says_so() {
    let database = Database::create(Kind::Postgres).await;
    let db = database.connect().await;
    let nodes = Nodes::new();
    let bus = nodes.notify(&database.url).await;
    for round in 1..=3 {
        let (mut log, mut waiting) = (bus.log(), bus.waiting());
        let killed = db
            .execute_unprepared(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'ordergraph listener'",
            )
            .await
            .expect("terminated");
        assert_eq!(killed.rows_affected(), 1, "one listener and no more");
        until(&mut log, Hint::Look).await;
        until(&mut waiting, Hint::Look).await;
        assert_eq!(bus.reconnects(), round);
        db.execute_unprepared("SELECT pg_notify('ordergraph_log', '5')").await.expect("notified");
        until(&mut log, Hint::UpTo(5)).await;
    }
    nodes.end().await;
    db.close().await.expect("closed");
    database.drop().await;
}

#[tokio::test]
async fn nodes_hear_each_other_by_nats_and_other_epochs_do_not() {
    let url = nats_url();
    let epoch = uuid::Uuid::now_v7().simple().to_string();
    let nodes = Nodes::new();
    let (one, other) = (nodes.nats(&url, &epoch).await, nodes.nats(&url, &epoch).await);
    let stranger = nodes.nats(&url, &format!("{epoch}x")).await;
    hear_each_other(&one, &other).await;
    hear_each_other(&other, &one).await;
    let mut strange = stranger.log();
    stranger.publish_log(3);
    until(&mut strange, Hint::UpTo(3)).await;
    nodes.end().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_said_at_once() {
    let nodes = Nodes::new();
    assert!(Bus::nats("not an address", "e", &nodes.tasks, &nodes.stop).await.is_err());
    nodes.end().await;
}
