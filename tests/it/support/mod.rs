//! A world to test in: a server on a free port with a database of its own.

pub mod actor;
pub mod chance;
pub mod cli;
pub mod client;
pub mod cluster;
pub mod crowd;
mod database;
pub mod files;
pub mod later;
pub mod load;
pub mod log;
pub mod lossy;
pub mod measured;
pub mod node;
pub mod process;
pub mod proxy;
pub mod rows;
pub mod rules;
pub mod seed;
pub mod shop;
pub mod slow;
mod socket;
pub mod stock;
pub mod story;
pub mod streams;
pub mod watcher;
pub mod wire;
pub mod wishes;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use ordergraph::app::{App, Identity, Session};
use ordergraph::domain::actor::Role;
use ordergraph::http::auth::{DemoKey, DemoToken};
use ordergraph::seed as demo;
use ordergraph::store::verify;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::sync::Semaphore;

use node::{Making, Node, Site};

pub use actor::Actor;
pub use database::{Database, Kind, nats_url};
pub use socket::Subscription;

/// Worlds at the same time, so that a machine of many cores does not run out of the cluster's
/// connections.
static WORLDS: Semaphore = Semaphore::const_new(6);

/// A server with everything behind it, and a connection of the test's own.
pub struct World {
    pub kind: Kind,
    pub app: Arc<App>,
    /// The test's own eyes on the database.
    pub db: DatabaseConnection,
    pub address: SocketAddr,
    pub key: DemoKey,
    pub http: reqwest::Client,
    /// The database and what else outlives the server.
    pub site: Site,
    node: tokio::sync::Mutex<Option<Node>>,
}

/// Runs a test in a world of its own. Whatever the test did, every invariant holds at its end.
pub async fn within<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Arc<World>) -> F) {
    let findings = within_as(
        kind,
        |making| making,
        |world| async move {
            test(world.clone()).await;
            world.violations().await
        },
    );
    assert_eq!(findings.await, Vec::<String>::new(), "invariants after the test");
}

/// Runs something in a world that is made differently.
pub async fn within_as<T, F: Future<Output = T>>(
    kind: Kind,
    change: impl FnOnce(Making) -> Making,
    test: impl FnOnce(Arc<World>) -> F,
) -> T {
    let _permit = WORLDS.acquire().await.expect("never closed");
    let world = Arc::new(World::start(kind, change).await);
    let outcome = AssertUnwindSafe(test(world.clone())).catch_unwind().await;
    world.end().await;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Declares a test that runs on SQLite and on PostgreSQL.
macro_rules! on_both_databases {
    ($(#[doc = $doc:literal])* $name:ident, |$world:ident| $body:expr) => {
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn test($world: std::sync::Arc<$crate::support::World>) {
                $body.await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::within($crate::support::Kind::Sqlite, test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::within($crate::support::Kind::Postgres, test).await;
            }
        }
    };
}
pub(crate) use on_both_databases;

impl World {
    async fn start(kind: Kind, change: impl FnOnce(Making) -> Making) -> Self {
        let site = Site::new(kind).await;
        let node = Node::start(change(site.making()), &site.key).await;
        Self {
            kind,
            app: node.app.clone(),
            db: site.db.clone(),
            address: node.address,
            key: site.key.clone(),
            http: reqwest::Client::new(),
            site,
            node: tokio::sync::Mutex::new(Some(node)),
        }
    }

    async fn end(&self) {
        if let Some(node) = self.node.lock().await.take() {
            node.end().await;
        }
        self.site.remove().await;
    }

    /// The demo group's person of a role.
    pub fn actor(self: &Arc<Self>, role: Role) -> Actor {
        if role == Role::LinkHolder {
            // A token cannot say which order: whoever claims the role without a link sees nothing.
            let (subject, roles) = ("link".to_owned(), vec![role.code().to_owned()]);
            return self.bearer(Identity { subject, roles, ..Identity::default() });
        }
        let person = demo::person_for(role).expect("somebody of every role");
        self.bearer(person.identity())
    }

    /// A person of the demo group by subject.
    pub fn person(self: &Arc<Self>, subject: &str) -> Actor {
        let person = demo::PEOPLE.iter().find(|person| person.subject == subject).expect("a known subject");
        self.bearer(person.identity())
    }

    /// Somebody who acts for a customer.
    pub fn customer(self: &Arc<Self>, number: &str) -> Actor {
        self.bearer(Identity {
            subject: format!("customer.{}", number.to_lowercase()),
            roles: vec![Role::Customer.code().to_owned()],
            customer: Some(number.to_owned()),
            ..Identity::default()
        })
    }

    /// Somebody with a token that says this.
    pub fn bearer(self: &Arc<Self>, identity: Identity) -> Actor {
        let token = self.token(&identity, Duration::from_secs(3_600));
        Actor::new(self.clone(), Some(token), identity)
    }

    /// Somebody with a key of the server's own.
    pub fn key_bearer(self: &Arc<Self>, secret: &str) -> Actor {
        Actor::new(self.clone(), Some(secret.to_owned()), Identity { subject: "key".to_owned(), ..Identity::default() })
    }

    /// Somebody without a token.
    pub fn anonymous(self: &Arc<Self>) -> Actor {
        Actor::new(self.clone(), None, Identity::default())
    }

    /// A token that says this.
    pub fn token(&self, identity: &Identity, lifetime: Duration) -> String {
        let token = DemoToken {
            subject: identity.subject.clone(),
            roles: identity.roles.clone(),
            unit: identity.unit.clone(),
            customer: identity.customer.clone(),
            channel: identity.channel.clone(),
            lifetime,
        };
        self.key.issue(&token).expect("a token")
    }

    /// The session behind an actor, to act without the network in between.
    pub async fn session(&self, actor: &Actor) -> Session {
        Session::open(&self.app, &actor.identity, "test").await.expect("a session")
    }

    /// The address of its database, for another node on it.
    pub fn url(&self) -> &str {
        self.site.url()
    }

    /// The position in the log behind a cursor that somebody was given.
    pub async fn position(&self, holder: &Actor, cursor: &str) -> i64 {
        let session = self.session(holder).await;
        let found = self.app.feed().resume(cursor, &session.visibility).await.expect("the log");
        found.expect("a cursor of ours")
    }

    /// Waits until every committed event has its position.
    pub async fn settled(&self) {
        for _ in 0..200 {
            if self.number("SELECT COUNT(*) FROM event_waiting").await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("events still wait for their positions");
    }

    /// What every invariant says of the database now.
    pub async fn violations(&self) -> Vec<String> {
        let report = verify::verify(self.app.store()).await.expect("a report");
        report
            .violations
            .iter()
            .map(|one| format!("{} {} {}: {}", one.invariant, one.table, one.id, one.message))
            .collect()
    }

    /// Rows and versions of every table that a command writes: equal before and after whatever
    /// must not leave a trace.
    pub async fn state(&self) -> BTreeMap<String, i64> {
        const VERSIONED: &[&str] = &[
            "orders",
            "review_case",
            "allocation",
            "stock_item",
            "replenishment_request",
            "stock_transfer",
            "stocktake",
            "delivery",
            "ticket",
            "access_restriction",
            "bill_of_materials",
            "order_change",
            "import_batch",
            "sales_channel",
            "channel_order",
        ];
        const COUNTED: &[&str] = &[
            "event",
            "idempotency_record",
            "order_line",
            "allocation_line",
            "allocation_decision",
            "milestone",
            "reservation",
            "backorder",
            "inspection",
            "stock_movement",
            "stocktake_line",
            "tracking_event",
            "settlement_record",
            "delivery_line",
            "component",
        ];
        let rows = VERSIONED
            .iter()
            .chain(COUNTED)
            .map(|table| format!("SELECT '{table}' AS name, COUNT(*) AS amount FROM {table}"));
        let versions = VERSIONED.iter().map(|table| {
            format!(
                "SELECT '{table} versions' AS name, CAST(COALESCE(SUM(version), 0) AS BIGINT) AS amount FROM {table}"
            )
        });
        let sql: Vec<String> = rows.chain(versions).collect();
        let mut state = BTreeMap::new();
        for row in self.rows(&sql.join(" UNION ALL ")).await {
            let name: String = row.try_get("", "name").expect("a name");
            state.insert(name, row.try_get("", "amount").expect("an amount"));
        }
        state
    }

    /// Rows of a statement of the test's own.
    pub async fn rows(&self, sql: &str) -> Vec<sea_orm::QueryResult> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql.to_owned());
        self.db.query_all_raw(statement).await.expect(sql)
    }

    /// The one number a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql).await;
        rows[0].try_get_by_index(0).expect(sql)
    }

    /// Changes the database behind the server's back.
    pub async fn tamper(&self, sql: &str) -> u64 {
        let statement = Statement::from_string(self.db.get_database_backend(), sql.to_owned());
        let result = self.db.execute_raw(statement).await.expect(sql);
        result.rows_affected()
    }

    /// SQLite: whether the test's own connection may write what the tables' checks forbid.
    pub async fn tamper_unchecked(&self, unchecked: bool) {
        if self.kind == Kind::Sqlite {
            self.tamper(&format!("PRAGMA ignore_check_constraints = {unchecked}")).await;
        }
    }
}
