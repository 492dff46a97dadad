//! The parts of allocations, which lie in five tables.

use std::collections::HashMap;

use entity::{allocation_line, backorder, inspection, milestone, reservation};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Statement};
use uuid::Uuid;

use crate::store::error::Result;
use crate::store::row::{among, from_json};

/// The rows of the parts of several allocations, by allocation.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) lines: HashMap<Uuid, Vec<allocation_line::Model>>,
    pub(super) milestones: HashMap<Uuid, Vec<milestone::Model>>,
    pub(super) reservations: HashMap<Uuid, Vec<reservation::Model>>,
    pub(super) backorders: HashMap<Uuid, Vec<backorder::Model>>,
    pub(super) inspections: HashMap<Uuid, Vec<inspection::Model>>,
}

/// Rows of tables as different as these are one set only as JSON.
const TOGETHER: &str = r#"
    SELECT 'line' AS part, to_jsonb(one) AS body FROM allocation_line AS one WHERE allocation_id = ANY($1)
    UNION ALL SELECT 'milestone', to_jsonb(one) FROM milestone AS one WHERE allocation_id = ANY($1)
    UNION ALL SELECT 'reservation', to_jsonb(one) FROM reservation AS one WHERE allocation_id = ANY($1)
    UNION ALL SELECT 'backorder', to_jsonb(one) FROM backorder AS one WHERE allocation_id = ANY($1)
    UNION ALL SELECT 'inspection', to_jsonb(one) FROM inspection AS one WHERE allocation_id = ANY($1)"#;

impl Parts {
    /// The parts of these allocations: on PostgreSQL in one statement, since each would wait for the one
    /// before; SQLite has no round trips to save.
    pub(super) async fn of(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Self> {
        let mut found = Self::default();
        if ids.is_empty() {
            return Ok(found);
        }
        if db.get_database_backend() == DbBackend::Postgres {
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, TOGETHER, [ids.into()]);
            for row in db.query_all_raw(statement).await? {
                let (part, body): (String, serde_json::Value) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
                match part.as_str() {
                    "line" => found.line(from_json(body)?),
                    "milestone" => found.milestone(from_json(body)?),
                    "reservation" => found.reservation(from_json(body)?),
                    "backorder" => found.backorder(from_json(body)?),
                    _ => found.inspection(from_json(body)?),
                }
            }
            return Ok(found);
        }
        macro_rules! read {
            ($table:ident, $keep:ident) => {
                let rows =
                    $table::Entity::find().filter(among($table::Column::AllocationId, ids.clone())).all(db).await?;
                rows.into_iter().for_each(|row| found.$keep(row));
            };
        }
        read!(allocation_line, line);
        read!(milestone, milestone);
        read!(reservation, reservation);
        read!(backorder, backorder);
        read!(inspection, inspection);
        Ok(found)
    }

    fn line(&mut self, row: allocation_line::Model) {
        self.lines.entry(row.allocation_id).or_default().push(row);
    }

    fn milestone(&mut self, row: milestone::Model) {
        self.milestones.entry(row.allocation_id).or_default().push(row);
    }

    fn reservation(&mut self, row: reservation::Model) {
        self.reservations.entry(row.allocation_id).or_default().push(row);
    }

    fn backorder(&mut self, row: backorder::Model) {
        self.backorders.entry(row.allocation_id).or_default().push(row);
    }

    fn inspection(&mut self, row: inspection::Model) {
        self.inspections.entry(row.allocation_id).or_default().push(row);
    }
}
