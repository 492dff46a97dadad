//! The relay's lease: one node at a time gives positions. A PostgreSQL advisory lock elects it, so
//! that its death frees the office at once; signs of life in a row show when it merely hangs, and
//! the row fences off whoever comes back too late.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

use super::Store;
use super::error::{Result, StoreError};
use super::log::{self, End};
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

/// Shows life.
///
/// # Errors
/// [`StoreError::Conflict`] when another node holds the lease by now.
pub async fn beat(connection: &DatabaseConnection, node: Uuid) -> Result<()> {
    let sql = "UPDATE relay_lease SET beats = beats + 1 WHERE id = 1 AND holder = $1";
    match connection.execute_raw(statement(sql, [node.into()])).await?.rows_affected() {
        0 => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

/// Gives positions to what waits, at most `limit`, as the holder and behind `end`, which is the end of
/// the log from then on. With `notify`, tells every listener of it at the commit. Returns what got a
/// position. It shows life where there was something.
///
/// Two statements, since every event waits for them: one that looks, and one that does everything or
/// nothing.
///
/// # Errors
/// [`StoreError::Conflict`] when another node holds the lease by now, or the log has another end.
pub async fn place(
    connection: &DatabaseConnection,
    node: Uuid,
    end: &mut End,
    limit: u64,
    notify: bool,
) -> Result<Vec<Event>> {
    let (ids, mut events) = log::waiting(connection, limit).await?;
    if events.is_empty() {
        return Ok(events);
    }
    let places = log::chained(*end, &ids, &mut events);
    let Some(last) = places.last() else { return Ok(events) };
    let new_end = End::of(last)?;
    // Arrays: the statement has one text, whatever the number of rows.
    let positions: Vec<i64> = places.iter().map(|place| place.position).collect();
    let hashes: Vec<Vec<u8>> = places.into_iter().map(|place| place.hash).collect();
    let sql = "WITH holder AS ( \
                 UPDATE relay_lease SET beats = beats + 1 WHERE id = 1 AND holder = $1 \
                   AND COALESCE((SELECT MAX(position) FROM event_log), 0) = $2 RETURNING 1), \
               placed AS ( \
                 INSERT INTO event_log (position, event_id, hash) \
                 SELECT place.* FROM unnest($3::bigint[], $4::bigint[], $5::bytea[]) AS place, holder), \
               gone AS ( \
                 DELETE FROM event_waiting WHERE event_id = ANY($4::bigint[]) AND EXISTS (SELECT FROM holder)) \
               SELECT CASE WHEN $6 THEN pg_notify('ordergraph_log', $7)::text END FROM holder";
    let values: [sea_orm::Value; 7] = [
        node.into(),
        end.position.into(),
        positions.into(),
        ids.into(),
        hashes.into(),
        notify.into(),
        new_end.position.to_string().into(),
    ];
    if connection.query_one_raw(statement(sql, values)).await?.is_none() {
        return Err(StoreError::Conflict);
    }
    *end = new_end;
    Ok(events)
}

/// Throws away what is left of events that got their positions. Autovacuum comes once a minute; until
/// then whoever looks for what waits wades through all that has waited. Nothing is done while somebody
/// else is at it.
pub async fn tidy(store: &Store) -> Result<()> {
    store.writer().execute_unprepared("VACUUM (TRUNCATE OFF, SKIP_LOCKED) event_waiting").await?;
    Ok(())
}
