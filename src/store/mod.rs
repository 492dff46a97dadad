//! Rows ↔ domain: the only place that names the database. Reads are scoped to the caller, writes
//! are compare-and-set on the version, and every change leaves an event.

pub mod access;
pub mod access_key;
pub mod aggregate;
pub mod allocation;
mod bulk;
pub mod change;
pub mod channel;
mod concerned;
pub mod delivery;
pub mod error;
pub mod event;
pub mod idempotency;
pub mod import;
pub mod intake;
pub mod inventory;
mod lanes;
pub mod lease;
pub mod log;
pub mod materials;
pub mod mining;
pub mod order;
pub mod page;
mod parts;
mod reach;
pub mod reference;
pub mod review;
pub mod row;
pub mod scope;
pub mod ticket;
pub mod tree;
pub mod verify;
pub mod work;
mod write;

use std::sync::Arc;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use self::lanes::Lanes;
pub use error::{Result, StoreError};
pub use work::{Tracked, Work};

/// Connections that read an embedded database: each has a thread and pages of its own, and more of them
/// than processors answer nothing sooner.
const MOST_READERS: u32 = 8;

/// How to reach the database, and how many connections to hold.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://path?mode=rwc` or `postgres://…`.
    pub url: String,
    /// Connections that read (SQLite) or do everything (PostgreSQL). On PostgreSQL half as many more read
    /// orders.
    pub connections: u32,
}

/// The database. On SQLite one connection writes and a pool of others reads; on PostgreSQL one
/// pool does both, and orders are read on connections of their own.
#[derive(Clone)]
pub struct Store {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    lanes: Option<Arc<Lanes>>,
    url: String,
    rules: Arc<reference::RuleBook>,
}

impl Store {
    /// Connects; creates an SQLite file that does not exist.
    pub async fn connect(options: &StoreOptions) -> Result<Self> {
        let (writer, reader, lanes) = if options.url.starts_with("sqlite:") {
            let writer = Database::connect(sqlite(&options.url, 1)).await?;
            // The write-ahead log is a property of the file: readers find it set.
            writer.execute_unprepared("PRAGMA journal_mode = WAL").await?;
            let readers = options.connections.min(MOST_READERS);
            let reader = Database::connect(sqlite(&options.url, readers)).await?;
            (writer, reader, None)
        } else {
            let pool = Database::connect(postgres(options)).await?;
            let lanes = Lanes::new(session(options.url.parse().map_err(malformed)?), lanes_beside(options.connections));
            (pool.clone(), pool, Some(Arc::new(lanes)))
        };
        Ok(Self { writer, reader, lanes, url: options.url.clone(), rules: Arc::default() })
    }

    /// Brings the schema up to date. Safe to run from several nodes at once.
    pub async fn migrate(&self) -> Result<()> {
        if self.is_postgres() {
            // Held by this session until it ends or unlocks: other nodes wait their turn.
            let guard = Database::connect(
                ConnectOptions::new(self.url.clone()).max_connections(1).sqlx_logging(false).to_owned(),
            )
            .await?;
            guard.execute_unprepared("SELECT pg_advisory_lock(7301)").await?;
            let outcome = Migrator::up(&self.writer, None).await;
            guard.execute_unprepared("SELECT pg_advisory_unlock(7301)").await?;
            guard.close().await?;
            outcome?;
        } else {
            Migrator::up(&self.writer, None).await?;
        }
        log::ensure_names(self).await?;
        if self.is_postgres() { Ok(()) } else { log::place_all(self).await }
    }

    /// Is the schema the one this program expects?
    pub async fn is_current(&self) -> Result<bool> {
        Ok(Migrator::get_pending_migrations(&self.reader).await?.is_empty())
    }

    /// The connection that reads.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The connection that writes.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// The connections that read orders on PostgreSQL.
    pub(crate) fn lanes(&self) -> Option<&Lanes> {
        self.lanes.as_deref()
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            // A deferred transaction that read first cannot wait for another writer.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// The versions of the rules that were read so far.
    pub(crate) fn rules(&self) -> &Arc<reference::RuleBook> {
        &self.rules
    }

    /// The address, for a listener's own connection.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// PostgreSQL, or else SQLite?
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }

    /// Closes every connection.
    pub async fn close(self) -> Result<()> {
        self.reader.close().await?;
        self.writer.close().await?;
        if let Some(lanes) = &self.lanes {
            lanes.close().await;
        }
        Ok(())
    }
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = quiet(url);
    options.max_connections(connections).min_connections(1).map_sqlx_sqlite_opts(|options| {
        options
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
            // An acknowledged write survives the loss of power.
            .pragma("synchronous", "FULL")
            // Pages between two checkpoints, which write a page once however often it was changed.
            .pragma("wal_autocheckpoint", "8000")
            // In KiB of each connection; what is beyond it, the system keeps in memory once for all.
            .pragma("cache_size", "-1024")
    });
    options
}

fn postgres(options: &StoreOptions) -> ConnectOptions {
    let mut connect = quiet(&options.url);
    connect.max_connections(options.connections).map_sqlx_postgres_opts(session);
    connect
}

/// What every session of PostgreSQL is told.
fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("ordergraph").options([
        // A transaction that its node forgot must not hold locks for ever.
        ("idle_in_transaction_session_timeout", "30s"),
        ("lock_timeout", "10s"),
        // Sets of ids vary in size; a generic plan by index is right for all of them.
        ("plan_cache_mode", "force_generic_plan"),
        ("random_page_cost", "1.1"),
        // To compile a plan takes longer than any statement here.
        ("jit", "off"),
    ])
}

/// Few are quickest: a statement keeps the database busy for all of its time.
fn lanes_beside(connections: u32) -> usize {
    (connections as usize / 2).max(1)
}

fn malformed(error: sea_orm::sqlx::Error) -> StoreError {
    StoreError::Away(error.to_string())
}

fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .sqlx_logging(false)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_timeout(Duration::from_secs(10));
    options
}
