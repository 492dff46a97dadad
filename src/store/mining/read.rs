//! What was written is read again, some at a time, for the other forms.

use std::collections::HashMap;

use sea_orm::sqlx::{self, Row};

use super::{EventLogFile, failed};
use crate::domain::mining::ObjectType;
use crate::store::error::Result;

/// Rows read at once.
const SOME: i64 = 500;

/// An event of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEvent {
    /// Its place in the file; what `after` takes.
    pub place: i64,
    /// Unique.
    pub id: String,
    /// What happened.
    pub activity: String,
    /// When, in RFC 3339.
    pub time: String,
    /// Who did it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// Which objects it is about, and as what.
    pub objects: Vec<(String, String)>,
}

/// An object of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileObject {
    /// Its place in the file; what `after` takes.
    pub place: i64,
    /// Unique.
    pub id: String,
    /// What it is.
    pub object_type: String,
    /// Attribute, moment and value, oldest first.
    pub attributes: Vec<(String, String, String)>,
    /// To which objects it belongs, and how.
    pub links: Vec<(String, String)>,
}

impl EventLogFile {
    /// The events after a place, in the order of the log; none at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn events(&mut self, after: i64) -> Result<Vec<FileEvent>> {
        let rows = sqlx::query("SELECT rowid, ocel_id, ocel_type FROM event WHERE rowid > ? ORDER BY rowid LIMIT ?")
            .bind(after)
            .bind(SOME)
            .fetch_all(&mut self.db)
            .await
            .map_err(failed)?;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, activity): (String, String) = (row.get(1), row.get(2));
            let sql = format!("SELECT ocel_time, actor, action FROM event_{activity} WHERE ocel_id = ?");
            let told = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id).fetch_one(&mut self.db).await.map_err(failed)?;
            let objects = self
                .pairs("SELECT ocel_object_id, ocel_qualifier FROM event_object WHERE ocel_event_id = ?", &id)
                .await?;
            events.push(FileEvent {
                place: row.get(0),
                time: told.get(0),
                actor: told.get(1),
                action: told.get(2),
                id,
                activity,
                objects,
            });
        }
        Ok(events)
    }

    /// The objects after a place; none at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn objects(&mut self, after: i64) -> Result<Vec<FileObject>> {
        let attributes: HashMap<String, &[&str]> =
            ObjectType::all().map(|one| (one.name(), one.attributes())).collect();
        let rows = sqlx::query("SELECT rowid, ocel_id, ocel_type FROM object WHERE rowid > ? ORDER BY rowid LIMIT ?")
            .bind(after)
            .bind(SOME)
            .fetch_all(&mut self.db)
            .await
            .map_err(failed)?;
        let mut objects = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, object_type): (String, String) = (row.get(1), row.get(2));
            let names = attributes.get(&object_type).copied().unwrap_or_default();
            let values = self.values(&id, &object_type, names).await?;
            let links = self
                .pairs("SELECT ocel_target_id, ocel_qualifier FROM object_object WHERE ocel_source_id = ?", &id)
                .await?;
            objects.push(FileObject { place: row.get(0), id, object_type, attributes: values, links });
        }
        Ok(objects)
    }

    /// The ids of the events of orders, with the order, sorted by order and then as they happened: the cases
    /// of a log of the older kind. After a case and an event's place; none at the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn steps(&mut self, after: &(String, i64)) -> Result<Vec<(String, FileEvent)>> {
        // From object to event, as the index of objects has it, whatever the planner would guess.
        let sql = "SELECT eo.ocel_object_id, e.rowid FROM event_object eo \
                   CROSS JOIN object o ON o.ocel_id = eo.ocel_object_id AND o.ocel_type = 'Order' \
                   CROSS JOIN event e ON e.ocel_id = eo.ocel_event_id \
                   WHERE eo.ocel_object_id >= ? AND (eo.ocel_object_id, e.rowid) > (?, ?) ORDER BY 1, 2 LIMIT ?";
        let rows = sqlx::query(sql)
            .bind(&after.0)
            .bind(&after.0)
            .bind(after.1)
            .bind(SOME)
            .fetch_all(&mut self.db)
            .await
            .map_err(failed)?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in rows {
            let (case, place): (String, i64) = (row.get(0), row.get(1));
            let sql = "SELECT ocel_id, ocel_type FROM event WHERE rowid = ?";
            let event = sqlx::query(sql).bind(place).fetch_one(&mut self.db).await.map_err(failed)?;
            let (id, activity): (String, String) = (event.get(0), event.get(1));
            let sql = format!("SELECT ocel_time, actor, action FROM event_{activity} WHERE ocel_id = ?");
            let told = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id).fetch_one(&mut self.db).await.map_err(failed)?;
            let step = FileEvent {
                place,
                time: told.get(0),
                actor: told.get(1),
                action: told.get(2),
                id,
                activity,
                objects: Vec::new(),
            };
            steps.push((case, step));
        }
        Ok(steps)
    }

    async fn pairs(&mut self, sql: &'static str, id: &str) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query(sql).bind(id).fetch_all(&mut self.db).await.map_err(failed)?;
        Ok(rows.into_iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn values(&mut self, id: &str, object_type: &str, names: &[&str]) -> Result<Vec<(String, String, String)>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let columns = names.join(", ");
        let sql = format!("SELECT ocel_time, {columns} FROM object_{object_type} WHERE ocel_id = ? ORDER BY rowid");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(&mut self.db).await.map_err(failed)?;
        let mut values = Vec::new();
        for row in rows {
            for (index, name) in names.iter().enumerate() {
                if let Some(value) = row.get::<Option<String>, _>(index + 1) {
                    values.push(((*name).to_owned(), row.get(0), value));
                }
            }
        }
        Ok(values)
    }
}
