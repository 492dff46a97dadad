//! Group 1: writers commit in any order. A reader of ids passes over what commits late.

use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};
use uuid::Uuid;

use super::{Verdict, patience, proven};
use crate::support::node::{Node, Site};
use crate::support::watcher::Watcher;
use crate::support::{Database, Kind, log, rows};

/// A node, an order, and a watcher of it.
struct Scene {
    site: Site,
    node: Node,
    order: Uuid,
    watcher: Watcher,
}

impl Scene {
    async fn set(kind: Kind, conduct: Conduct) -> Self {
        let site = Site::new(kind).await;
        let node = site.node(conduct).await;
        let nodes = [node.address];
        let order = site.orders(&nodes, 1).await.remove(0);
        site.log().await.expect("a sound log");
        let after = site.client(Role::Supervisor).cursor(&nodes).await;
        let watcher = Watcher::begin(site.watch(&nodes, Some(after))).await;
        Self { order: log::uuid_of(&order), site, node, watcher }
    }

    /// A transaction of a writer that is not one of the node's.
    async fn transaction(&self) -> DatabaseTransaction {
        self.site.connect().await.begin().await.expect("a transaction")
    }

    /// What commits early is delivered while the other is open, and the other after its commit.
    async fn commits(
        self,
        conduct: Conduct,
        (early, first): (DatabaseTransaction, i64),
        (late, second): (DatabaseTransaction, i64),
    ) -> Verdict {
        early.commit().await.expect("committed");
        let arrived = self.watcher.receives(&[first], patience(conduct)).await;
        late.commit().await.expect("committed");
        arrived.map_err(|error| format!("what is committed waits for what is not: {error}"))?;
        self.watcher.receives(&[first, second], patience(conduct)).await?;
        self.end().await
    }

    async fn end(self) -> Verdict {
        drop(self.watcher);
        self.node.end().await;
        let log = self.site.log().await;
        self.site.end().await;
        log.map(|_| ())
    }
}

/// A writer inserts first and commits last.
async fn late_commit(kind: Kind, conduct: Conduct) -> Verdict {
    let scene = Scene::set(kind, conduct).await;
    let (slow, quick) = (scene.transaction().await, scene.transaction().await);
    let low = rows::event(&slow, scene.order).await;
    let high = rows::event(&quick, scene.order).await;
    assert!(low < high);
    scene.commits(conduct, (quick, high), (slow, low)).await
}

/// The older transaction takes the higher id, so that neither the one nor the other alone is an order.
async fn transactions_cross(kind: Kind, conduct: Conduct) -> Verdict {
    let scene = Scene::set(kind, conduct).await;
    let (older, younger) = (scene.transaction().await, scene.transaction().await);
    let mut numbers = Vec::new();
    for transaction in [&older, &younger] {
        numbers.push(number(transaction, "SELECT pg_current_xact_id()::text::bigint").await);
    }
    assert!(numbers[0] < numbers[1]);
    let low = rows::event(&younger, scene.order).await;
    let high = rows::event(&older, scene.order).await;
    assert!(low < high);
    scene.commits(conduct, (older, high), (younger, low)).await
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql.to_owned())).await;
    row.expect(sql).expect("a row").try_get_by_index(0).expect("a number")
}

proven!(
    /// What commits late comes late, but it comes.
    gap_late_commit: late_commit, on postgres, fails with order_by_id
);
proven!(
    /// Neither ids nor transactions give an order that can be followed.
    gap_tx_inversion: transactions_cross, on postgres, fails with order_by_id
);

/// A writer in another database of the same cluster holds nothing up. A reader who waits for the
/// oldest running transaction would be held up as long as that runs: it is asked as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_db_tx() {
    let elsewhere = Database::create(Kind::Postgres).await;
    let foreign = elsewhere.connect().await;
    let scene = Scene::set(Kind::Postgres, Conduct::default()).await;
    let open = foreign.begin().await.expect("a transaction");
    open.execute_unprepared("CREATE TABLE busy (id int)").await.expect("a write");

    let transaction = scene.transaction().await;
    let event = rows::event(&transaction, scene.order).await;
    let committed = std::time::Instant::now();
    transaction.commit().await.expect("committed");
    scene.watcher.receives(&[event], patience(Conduct::default())).await.expect("delivered");
    let at = scene.watcher.record().received[0].at;
    println!("delivered after {:?}", at.duration_since(committed));

    let horizon = "SELECT COUNT(*) FROM event WHERE xmin::text::bigint < \
                   pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND id = ";
    let by_horizon = format!("{horizon}{event}");
    assert_eq!(number(&scene.site.db, &by_horizon).await, 0, "the other writer is one that a horizon waits for");
    open.rollback().await.expect("rolled back");
    assert_eq!(number(&scene.site.db, &by_horizon).await, 1);
    scene.end().await.expect("a sound log");
    foreign.close().await.expect("closed");
    elsewhere.drop().await;
}
