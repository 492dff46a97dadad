//! PostgreSQL: one relay over all nodes gives committed events their positions, and tells everyone.
//!
//! Rows commit in any order, so neither ids nor times can be resumed from: a lower one may become
//! visible later. Positions are given after the commit, by one hand at a time.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::POLL;
use crate::store::{Result, Store, event};

/// Any number, the same on all nodes.
const LOCK: i64 = 7_302;
const BATCH: i64 = 500;
/// Between two attempts to become the relay.
const ELECTION: Duration = Duration::from_secs(1);

/// Stands for election until elected, then gives positions until told to stop or cut off.
pub async fn run(store: Store, hint: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = term(&store, &hint, &stop).await {
            tracing::warn!(%error, "the relay's term ended");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ELECTION) => {}
        }
    }
}

async fn term(store: &Store, hint: &Notify, stop: &CancellationToken) -> Result<()> {
    // The lock belongs to this one connection: whoever loses it is no longer the relay.
    let mut options = ConnectOptions::new(store.url().to_owned());
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    let outcome = lead(&connection, hint, stop).await;
    connection.close().await?;
    outcome
}

async fn lead(connection: &DatabaseConnection, hint: &Notify, stop: &CancellationToken) -> Result<()> {
    let mut leads = false;
    loop {
        let pause = if leads {
            if event::give_positions(connection, BATCH).await? >= BATCH.unsigned_abs() {
                // A full batch: there may be more.
                continue;
            }
            POLL
        } else {
            leads = is_elected(connection).await?;
            if leads {
                tracing::debug!("this node is the relay");
                continue;
            }
            ELECTION
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = hint.notified(), if leads => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn is_elected(connection: &DatabaseConnection) -> Result<bool> {
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "SELECT pg_try_advisory_lock($1)",
        [LOCK.into()],
    );
    match connection.query_one_raw(statement).await? {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Ok(false),
    }
}

/// Listens for the relay's hints. A lost connection is a lost hint: look at the log, then go on.
pub async fn listen(store: Store, hint: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let listening = async {
            let mut listener = PgListener::connect(store.url()).await?;
            listener.listen("ordergraph_log").await?;
            loop {
                listener.try_recv().await?;
                hint.notify_waiters();
                hint.notify_one();
            }
            #[expect(unreachable_code, reason = "names the error type of the block")]
            Ok::<(), sea_orm::sqlx::Error>(())
        };
        tokio::select! {
            () = stop.cancelled() => return,
            ended = listening => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "the listener was cut off");
                }
                tokio::time::sleep(POLL).await;
            }
        }
    }
}
