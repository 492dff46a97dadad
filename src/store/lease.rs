//! The relay's lease: one node at a time gives positions. A PostgreSQL advisory lock elects it, so
//! that its death frees the office at once; signs of life in a row show when it merely hangs, and
//! the row fences off whoever comes back too late.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use uuid::Uuid;

use super::error::{Result, StoreError};
use super::log;
use crate::domain::event::Event;

/// Any number, the same on all nodes.
const LOCK: i64 = 7_302;

/// The holder's signs of life, as others see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Who holds the lease.
    pub holder: Uuid,
    /// Counts signs of life.
    pub beats: i64,
}

fn statement(sql: &str, values: impl IntoIterator<Item = sea_orm::Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Stands for election on a connection of its own; the lock lives and dies with that connection.
/// From then on the node is the holder.
pub async fn take(connection: &DatabaseConnection, node: Uuid) -> Result<bool> {
    let elected = connection.query_one_raw(statement("SELECT pg_try_advisory_lock($1)", [LOCK.into()])).await?;
    let elected: bool = elected.map_or(Ok(false), |row| row.try_get_by_index(0))?;
    if elected {
        let sql = "INSERT INTO relay_lease (id, holder, beats) VALUES (1, $1, 1) \
                   ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, beats = relay_lease.beats + 1";
        connection.execute_raw(statement(sql, [node.into()])).await?;
    }
    Ok(elected)
}

/// The holder's signs of life; none before there was a holder.
pub async fn pulse(connection: &DatabaseConnection) -> Result<Option<Pulse>> {
    let row = connection.query_one_raw(statement("SELECT holder, beats FROM relay_lease", [])).await?;
    row.map(|row| Ok(Pulse { holder: row.try_get_by_index(0)?, beats: row.try_get_by_index(1)? })).transpose()
}

/// Cuts the connection of a holder that shows no life, which frees the lock and undoes what it was
/// at. Says whether there was one.
pub async fn depose(connection: &DatabaseConnection) -> Result<bool> {
    // A lock's number is split over two columns.
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_locks \
               WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    Ok(!connection.query_all_raw(statement(sql, [LOCK.into()])).await?.is_empty())
}

/// Does an event wait for its position?
pub async fn anything_waits(connection: &DatabaseConnection) -> Result<bool> {
    let found = connection.query_one_raw(statement("SELECT 1 FROM event_waiting LIMIT 1", [])).await?;
    Ok(found.is_some())
}

/// Gives positions to what waits, at most `limit`, as the holder; shows life also when nothing
/// waits. With `notify`, tells every listener of the new end at the commit. Returns what got a position.
///
/// # Errors
/// [`StoreError::Conflict`] when another node holds the lease by now.
pub async fn place(connection: &DatabaseConnection, node: Uuid, limit: u64, notify: bool) -> Result<Vec<Event>> {
    let tx = connection.begin().await?;
    let beat = statement("UPDATE relay_lease SET beats = beats + 1 WHERE holder = $1", [node.into()]);
    if tx.execute_raw(beat).await?.rows_affected() == 0 {
        tx.rollback().await?;
        return Err(StoreError::Conflict);
    }
    let placed = log::place_waiting(&tx, limit).await?;
    if let Some(end) = placed.last().and_then(|event| event.position)
        && notify
    {
        let sql = "SELECT pg_notify('ordergraph_log', $1)";
        tx.execute_raw(statement(sql, [end.to_string().into()])).await?;
    }
    tx.commit().await?;
    Ok(placed)
}
