//! Nodes in this process, on one database of the test's own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ordergraph::app::import::file::FileLimits;
use ordergraph::app::{App, SystemClock, access, import};
use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, Feed, FeedSettings};
use ordergraph::graphql::live::Stats;
use ordergraph::graphql::{Gateway, sdl};
use ordergraph::http::auth::{Authenticator, DemoKey, DemoToken};
use ordergraph::http::{Edge, EdgeSettings};
use ordergraph::imports;
use ordergraph::seed as demo;
use ordergraph::store::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::actor::text;
use super::client::Client;
use super::database::{Database, Kind};
use super::log::{self, Entry};
use super::process::{Launch, Process};
use super::story;
use super::watcher::{ORDER_EVENTS, Watch};

/// How a node is made.
#[derive(Clone)]
pub struct Making {
    /// Where the database is, perhaps behind a proxy.
    pub url: String,
    pub edge: EdgeSettings,
    pub feed: FeedSettings,
    pub conduct: Conduct,
}

/// A node in this process.
pub struct Node {
    pub address: SocketAddr,
    pub app: Arc<App>,
    pub gateway: Gateway,
    tasks: TaskTracker,
    stop: CancellationToken,
    server: JoinHandle<bool>,
}

impl Node {
    pub async fn start(making: Making, key: &DemoKey) -> Self {
        let store = Store::connect(&StoreOptions { url: making.url, connections: 8 }).await.expect("a store");
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let feed = Feed::start_as(&store, making.feed, making.conduct, &tasks, &stop).await.expect("a feed");
        let app = App::new(store, feed, Arc::new(SystemClock));
        app.access().reload().await.expect("who has lost access");
        tasks.spawn(access::follow(app.clone(), stop.clone()));
        tasks.spawn(import::follow(app.clone(), FileLimits::default(), stop.clone()));
        let gateway = Gateway::new(&app);
        let webhooks = ordergraph::webhooks::routes(app.clone(), &making.edge);
        let authenticator = Authenticator::from_demo_key(key).expect("an authenticator");
        let files = imports::routes(gateway.clone(), authenticator.clone(), FileLimits::default());
        let server = Edge::new(gateway.clone(), authenticator)
            .routes(files)
            .settings(making.edge)
            .schema_text(sdl())
            .routes(webhooks)
            .bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = server.local_addr().expect("an address");
        let server = tokio::spawn(server.run(stop.clone()));
        Self { address, app, gateway, tasks, stop, server }
    }

    /// What the node counts.
    pub fn count(&self, which: impl Fn(&Stats) -> &AtomicU64) -> u64 {
        which(self.gateway.hub().stats()).load(Ordering::Relaxed)
    }

    /// How many groups and subscriptions there are.
    pub fn open(&self) -> (i64, i64) {
        let stats = self.gateway.hub().stats();
        (stats.groups.load(Ordering::Relaxed), stats.subscriptions.load(Ordering::Relaxed))
    }

    /// Waits until there are so many groups and subscriptions.
    pub async fn until_open(&self, wanted: (i64, i64)) -> Result<(), String> {
        let begun = std::time::Instant::now();
        while self.open() != wanted {
            if begun.elapsed() > Duration::from_secs(90) {
                return Err(format!("{:?} groups and subscriptions instead of {wanted:?}", self.open()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Ends in order.
    pub async fn end(self) {
        self.stop.cancel();
        let _ = self.server.await;
        self.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(10), self.tasks.wait()).await;
        let _ = self.app.store().clone().close().await;
    }
}

/// A database with reference data and the people of the demo group, and what stands before it.
pub struct Site {
    pub kind: Kind,
    /// The test's own eyes on the database.
    pub db: DatabaseConnection,
    pub key: DemoKey,
    database: Database,
}

impl Site {
    pub async fn new(kind: Kind) -> Self {
        Self::on(Database::create(kind).await).await
    }

    /// On a database that is empty.
    pub async fn on(database: Database) -> Self {
        let store = Store::connect(&StoreOptions { url: database.url.clone(), connections: 2 }).await.expect("a store");
        store.migrate().await.expect("a current schema");
        demo::reference_only(&store, chrono::Utc::now()).await.expect("reference data");
        store.close().await.expect("closed");
        let key = DemoKey::load_or_create(database.folder()).expect("a key");
        Self { kind: database.kind(), db: database.connect().await, key, database }
    }

    /// Another connection of the test's own.
    pub async fn connect(&self) -> DatabaseConnection {
        self.database.connect().await
    }

    pub fn url(&self) -> &str {
        &self.database.url
    }

    /// Where the demo key lies.
    pub fn folder(&self) -> &Path {
        self.database.folder()
    }

    pub fn making(&self) -> Making {
        let mut edge = EdgeSettings { drain_seconds: 5, drain_spread_milliseconds: 1, ..EdgeSettings::default() };
        // Tests have many subscribers of one name.
        edge.socket.per_caller = 10_000;
        Making { url: self.database.url.clone(), edge, feed: FeedSettings::default(), conduct: Conduct::default() }
    }

    /// A node in this process.
    pub async fn node(&self, conduct: Conduct) -> Node {
        Node::start(Making { conduct, ..self.making() }, &self.key).await
    }

    /// What starts a node as a process of its own.
    pub fn launch(&self) -> Launch {
        Launch::new(self.url(), self.folder())
    }

    /// A node as a process of its own.
    pub async fn process(&self) -> Process {
        Process::start(self.launch()).await
    }

    /// The token of the demo group's person of a role.
    pub fn token(&self, role: Role) -> String {
        self.token_for(role, Duration::from_secs(3_600))
    }

    pub fn token_for(&self, role: Role, lifetime: Duration) -> String {
        let identity = demo::person_for(role).expect("somebody of every role").identity();
        let token = DemoToken {
            subject: identity.subject,
            roles: identity.roles,
            unit: identity.unit,
            customer: identity.customer,
            channel: identity.channel,
            lifetime,
        };
        self.key.issue(&token).expect("a token")
    }

    pub fn client(&self, role: Role) -> Client {
        Client::new(self.token(role))
    }

    /// Orders that can be put on hold.
    pub async fn orders(&self, nodes: &[SocketAddr], count: usize) -> Vec<String> {
        let sales = self.client(Role::Sales);
        let mut orders = Vec::new();
        for _ in 0..count {
            let payload = sales.does(nodes, "submitOrder", story::submission(&[story::line("LASER-4", "1")])).await;
            orders.push(text(&payload["order"]["id"]));
        }
        orders
    }

    /// A supervisor who watches all orders.
    pub fn watch(&self, nodes: &[SocketAddr], after: Option<String>) -> Watch {
        Watch {
            nodes: nodes.to_vec(),
            token: self.token(Role::Supervisor),
            document: ORDER_EVENTS.to_owned(),
            variables: json!({}),
            after,
        }
    }

    /// The log when every committed event has its place in it.
    pub async fn log(&self) -> Result<Vec<Entry>, String> {
        let begun = std::time::Instant::now();
        while log::unplaced(&self.db).await > 0 {
            if begun.elapsed() > Duration::from_secs(15) {
                return Err(format!("{} events are without a position", log::unplaced(&self.db).await));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = log::read(&self.db).await;
        log::is_sound(&log)?;
        Ok(log)
    }

    /// The one number a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.db.get_database_backend(), sql.to_owned());
        self.db.query_one_raw(statement).await.expect(sql).expect(sql).try_get_by_index(0).expect(sql)
    }

    /// The same with a new connection, when the old one was lost.
    pub async fn reconnected(self) -> Self {
        let db = self.database.connect().await;
        Self { db, ..self }
    }

    pub async fn run(&self, sql: &str) -> u64 {
        self.db.execute_unprepared(sql).await.expect(sql).rows_affected()
    }

    pub async fn end(self) {
        self.remove().await;
    }

    /// Nothing is left of it.
    pub async fn remove(&self) {
        let _ = self.db.clone().close().await;
        self.database.drop().await;
    }
}
