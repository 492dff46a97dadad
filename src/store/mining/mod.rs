//! Object-centric event logs in files of their own: the relational form of OCEL 2.0, which other forms are
//! read from. Memory stays bounded however long the log is.

mod read;

use std::path::Path;

use sea_orm::sqlx::SqliteConnection;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection, Executor};

use super::error::{Result, StoreError};
use crate::domain::event::EventKind;
use crate::domain::mining::{Object, ObjectType, Occurrence};

pub use read::{FileEvent, FileObject};

/// The moment of first values: OCEL has them before everything else.
const BEGINNING: &str = "1970-01-01T00:00:00Z";

/// An event log in a file: a database in the relational form of OCEL 2.0.
pub struct EventLogFile {
    db: SqliteConnection,
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Corrupt(format!("the event log's file: {error}"))
}

impl EventLogFile {
    /// A new file with the tables of every type; there must be none yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn create(path: &Path) -> Result<Self> {
        // Of no use to anybody before it is complete: nothing has to survive a crash.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off);
        let mut db = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let mut sql = String::from(
            "CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
             CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
             CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES event_map_type (ocel_type));
             CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT REFERENCES object_map_type (ocel_type));
             CREATE TABLE event_object (
               ocel_event_id TEXT REFERENCES event (ocel_id), ocel_object_id TEXT REFERENCES object (ocel_id),
               ocel_qualifier TEXT, PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
             CREATE INDEX event_object_object ON event_object (ocel_object_id);
             CREATE TABLE object_object (
               ocel_source_id TEXT REFERENCES object (ocel_id), ocel_target_id TEXT REFERENCES object (ocel_id),
               ocel_qualifier TEXT, PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));",
        );
        for kind in EventKind::ALL {
            let (code, table) = (kind.code(), kind.code());
            sql.push_str(&format!(
                "INSERT INTO event_map_type VALUES ('{code}', '{table}');
                 CREATE TABLE event_{table} (ocel_id TEXT PRIMARY KEY REFERENCES event (ocel_id), ocel_time TIMESTAMP, \
                   actor TEXT, action TEXT);"
            ));
        }
        for object_type in ObjectType::all() {
            let name = object_type.name();
            let columns: String =
                object_type.attributes().iter().map(|attribute| format!(", {attribute} TEXT")).collect();
            sql.push_str(&format!(
                "INSERT INTO object_map_type VALUES ('{name}', '{name}');
                 CREATE TABLE object_{name} (ocel_id TEXT REFERENCES object (ocel_id), ocel_time TIMESTAMP, \
                   ocel_changed_field TEXT{columns});
                 CREATE INDEX object_{name}_id ON object_{name} (ocel_id);"
            ));
        }
        db.execute(sqlx::AssertSqlSafe(sql)).await.map_err(failed)?;
        Ok(Self { db })
    }

    /// Adds what happened next.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn add(&mut self, occurrences: &[Occurrence]) -> Result<()> {
        let mut tx = self.db.begin().await.map_err(failed)?;
        for occurrence in occurrences {
            add(&mut tx, occurrence).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    /// Closes the file; it is complete.
    ///
    /// # Errors
    /// It could not be written to its end.
    pub async fn close(self) -> Result<()> {
        self.db.close().await.map_err(failed)
    }
}

async fn add(db: &mut SqliteConnection, occurrence: &Occurrence) -> sqlx::Result<()> {
    let time = moment(occurrence);
    sqlx::query("INSERT INTO event VALUES (?, ?)")
        .bind(&occurrence.id)
        .bind(occurrence.activity)
        .execute(&mut *db)
        .await?;
    let sql = format!("INSERT INTO event_{} VALUES (?, ?, ?, ?)", occurrence.activity);
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(&occurrence.id)
        .bind(&time)
        .bind(&occurrence.actor)
        .bind(occurrence.action)
        .execute(&mut *db)
        .await?;
    for (position, (object, qualifier)) in occurrence.objects.iter().enumerate() {
        let changes = if position == 0 { &occurrence.changes[..] } else { &[] };
        add_object(db, object, &time, changes).await?;
        sqlx::query("INSERT OR IGNORE INTO event_object VALUES (?, ?, ?)")
            .bind(&occurrence.id)
            .bind(&object.id)
            .bind(qualifier)
            .execute(&mut *db)
            .await?;
    }
    for (source, target, qualifier) in &occurrence.links {
        sqlx::query("INSERT OR IGNORE INTO object_object VALUES (?, ?, ?)")
            .bind(&source.id)
            .bind(&target.id)
            .bind(qualifier)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// An object that comes for the first time has first values; later ones are changes, one row each.
async fn add_object(
    db: &mut SqliteConnection,
    object: &Object,
    time: &str,
    changes: &[(&'static str, String)],
) -> sqlx::Result<()> {
    let name = object.object_type.name();
    let is_new = sqlx::query("INSERT OR IGNORE INTO object VALUES (?, ?)")
        .bind(&object.id)
        .bind(&name)
        .execute(&mut *db)
        .await?
        .rows_affected()
        > 0;
    if is_new {
        let columns: String = changes.iter().map(|(field, _)| format!(", {field}")).collect();
        let values = ", ?".repeat(changes.len());
        let sql = format!("INSERT INTO object_{name} (ocel_id, ocel_time{columns}) VALUES (?, ?{values})");
        let mut insert = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&object.id).bind(BEGINNING);
        for (_, value) in changes {
            insert = insert.bind(value);
        }
        insert.execute(&mut *db).await?;
        return Ok(());
    }
    for (field, value) in changes {
        let sql =
            format!("INSERT INTO object_{name} (ocel_id, ocel_time, ocel_changed_field, {field}) VALUES (?, ?, ?, ?)");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&object.id)
            .bind(time)
            .bind(field)
            .bind(value)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

fn moment(occurrence: &Occurrence) -> String {
    occurrence.time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}
