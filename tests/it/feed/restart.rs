//! Group 4, the rest: the database goes away and comes back; subscriptions survive it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, Statement};
use tokio::task::JoinHandle;

use super::{Verdict, is_caught};
use crate::support::cluster::{Cluster, Halt};
use crate::support::load::{Load, Plan};
use crate::support::node::Site;
use crate::support::seed::Seed;
use crate::support::watcher::Watcher;
use crate::support::{Database, log};

const PATIENCE: Duration = Duration::from_secs(30);

/// A subscriber that lives as long as its connection to the database: what it read.
async fn naive(site: &Site, start: i64) -> (Arc<Mutex<Vec<i64>>>, JoinHandle<()>) {
    let received = Arc::<Mutex<Vec<i64>>>::default();
    let mut listener = PgListener::connect(site.url()).await.expect("a listener");
    // Otherwise it comes back by itself, and the next hint that it hears makes good for those that it
    // has not: then it may or may not have missed something.
    listener.eager_reconnect(false);
    listener.listen("ordergraph_log").await.expect("it listens");
    let (db, events, mut last) = (site.connect().await, received.clone(), start);
    let task = tokio::spawn(async move {
        while let Ok(Some(_)) = listener.try_recv().await {
            let sql = format!("SELECT position, event_id FROM event_log WHERE position > {last} ORDER BY position");
            let Ok(rows) = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await else {
                return;
            };
            for row in rows {
                last = row.try_get_by_index(0).expect("a position");
                events.lock().expect("not poisoned").push(row.try_get_by_index(1).expect("an event"));
            }
        }
    });
    (received, task)
}

/// The database is restarted under load, in order and as by a crash.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db_restart() {
    let cluster = Cluster::start().await;
    let site = Site::on(Database::within(&cluster.url).await).await;
    let node = site.node(Conduct::default()).await;
    let nodes = vec![node.address];
    let orders = site.orders(&nodes, 3).await;
    let start = site.log().await.expect("a sound log").len();
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let watcher = Watcher::begin(site.watch(&nodes, Some(after))).await;
    let (naively, listening) = naive(&site, i64::try_from(start).expect("fits")).await;
    let client = site.client(Role::Dispatcher);
    let plan = Plan { client, nodes, orders, workers: 3, rest: Duration::from_millis(20) };
    let load = Load::start(plan, &mut Seed::new(12));
    let flows = async |when: &str| {
        let received = watcher.events().len();
        let flows = watcher.try_until(PATIENCE, |record| record.received.len() > received + 10).await;
        flows.unwrap_or_else(|found| panic!("{when}: {found}"));
    };
    for halt in [Halt::Fast, Halt::Immediate] {
        flows("before it stops").await;
        cluster.halt(halt).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.resume().await;
    }
    flows("after it came back").await;
    let done = load.stop().await;
    // The test's own connection was lost as well.
    let site = site.reconnected().await;
    let log = site.log().await.expect("a sound log");
    for one in &done {
        let order = log::uuid_of(&one.order);
        let kept = log.iter().any(|entry| entry.aggregate == order && entry.sequence == one.version);
        assert!(kept, "{one:?} was acknowledged and is not in the log");
    }
    let expected = log::part(&log[start..], 0, log::of_orders);
    watcher.receives(&expected, PATIENCE).await.unwrap_or_else(|found| panic!("{found}"));
    let record = watcher.stop().await;
    assert_eq!((record.connections, record.incidents), (1, vec![]), "subscribers noticed");
    listening.abort();
    let found: Verdict = log::same(&naively.lock().expect("not poisoned"), &expected);
    is_caught("a subscriber that ends with its connection", found);
    println!("{} commands, {} events", done.len(), expected.len());
    node.end().await;
    site.end().await;
}
