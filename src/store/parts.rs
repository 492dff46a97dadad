//! The parts of aggregates, which lie in many tables.

use std::collections::HashMap;

use entity::{allocation, allocation_line, backorder, delivery_line, inspection, milestone, order_line, reservation};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

use super::error::Result;
use super::row::{among, from_json};
use crate::domain::allocation::AllocationStatus;
use crate::domain::ids::{OrderId, UnitId};

/// Whose parts are wanted.
#[derive(Default)]
pub(super) struct Wanted {
    /// Orders: their lines, and whose open shares there are in them.
    pub(super) orders: Vec<Uuid>,
    /// Allocations.
    pub(super) allocations: Vec<Uuid>,
    /// Deliveries.
    pub(super) deliveries: Vec<Uuid>,
}

/// A share in an order that has not ended.
#[derive(Clone, Copy, serde::Deserialize)]
pub(super) struct Share {
    pub(super) id: Uuid,
    pub(super) order_id: OrderId,
    pub(super) unit_id: UnitId,
}

/// The rows of the parts, by the aggregate they belong to.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) order_lines: HashMap<Uuid, Vec<order_line::Model>>,
    pub(super) shares: Vec<Share>,
    pub(super) lines: HashMap<Uuid, Vec<allocation_line::Model>>,
    pub(super) milestones: HashMap<Uuid, Vec<milestone::Model>>,
    pub(super) reservations: HashMap<Uuid, Vec<reservation::Model>>,
    pub(super) backorders: HashMap<Uuid, Vec<backorder::Model>>,
    pub(super) inspections: HashMap<Uuid, Vec<inspection::Model>>,
    pub(super) delivery_lines: HashMap<Uuid, Vec<delivery_line::Model>>,
}

/// Does something with each table of parts: how it is called, whose parts it holds, and where they go.
macro_rules! each_table {
    ($do:ident) => {
        $do!(order_line, orders, OrderId, order_id, order_lines);
        $do!(allocation_line, allocations, AllocationId, allocation_id, lines);
        $do!(milestone, allocations, AllocationId, allocation_id, milestones);
        $do!(reservation, allocations, AllocationId, allocation_id, reservations);
        $do!(backorder, allocations, AllocationId, allocation_id, backorders);
        $do!(inspection, allocations, AllocationId, allocation_id, inspections);
        $do!(delivery_line, deliveries, DeliveryId, delivery_id, delivery_lines);
    };
}

impl Parts {
    /// On PostgreSQL in one statement, since each would wait for the one before; SQLite has no round
    /// trips to save.
    pub(super) async fn of(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Self> {
        if db.get_database_backend() == DbBackend::Postgres {
            Self::together(db, wanted).await
        } else {
            Self::one_by_one(db, wanted).await
        }
    }

    /// Rows of tables as different as these are one set only as JSON.
    async fn together(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Self> {
        let mut sets: Vec<String> = Vec::new();
        macro_rules! set {
            ($table:ident, $whose:ident, $column:ident, $by:ident, $field:ident) => {
                if !wanted.$whose.is_empty() {
                    let (table, whose, by) = (stringify!($table), stringify!($whose), stringify!($by));
                    sets.push(format!(
                        "SELECT '{table}' AS part, to_jsonb(one) AS body FROM {table} AS one WHERE {by} = ANY(:{whose})"
                    ));
                }
            };
        }
        each_table!(set);
        if !wanted.orders.is_empty() {
            let ended: Vec<String> =
                AllocationStatus::ENDED.iter().map(|status| format!("'{}'", status.code())).collect();
            sets.push(format!(
                "SELECT 'share', jsonb_build_object('id', id, 'order_id', order_id, 'unit_id', unit_id) \
                 FROM allocation WHERE order_id = ANY(:orders) AND status NOT IN ({})",
                ended.join(", ")
            ));
        }
        let mut found = Self::default();
        if sets.is_empty() {
            return Ok(found);
        }
        let mut sql = sets.join(" UNION ALL ");
        let mut values: Vec<sea_orm::Value> = Vec::new();
        for (name, ids) in
            [(":orders", wanted.orders), (":allocations", wanted.allocations), (":deliveries", wanted.deliveries)]
        {
            if !ids.is_empty() {
                values.push(ids.into());
                sql = sql.replace(name, &format!("${}", values.len()));
            }
        }
        for row in db.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await? {
            let (part, body): (String, serde_json::Value) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            macro_rules! keep {
                ($table:ident, $whose:ident, $column:ident, $by:ident, $field:ident) => {
                    if part == stringify!($table) {
                        let row: $table::Model = from_json(body)?;
                        found.$field.entry(row.$by).or_default().push(row);
                        continue;
                    }
                };
            }
            each_table!(keep);
            found.shares.push(from_json(body)?);
        }
        Ok(found)
    }

    async fn one_by_one(db: &impl ConnectionTrait, wanted: Wanted) -> Result<Self> {
        let mut found = Self::default();
        macro_rules! read {
            ($table:ident, $whose:ident, $column:ident, $by:ident, $field:ident) => {
                if !wanted.$whose.is_empty() {
                    let belongs = among($table::Column::$column, wanted.$whose.clone());
                    for row in $table::Entity::find().filter(belongs).all(db).await? {
                        found.$field.entry(row.$by).or_default().push(row);
                    }
                }
            };
        }
        each_table!(read);
        if !wanted.orders.is_empty() {
            let rows: Vec<(Uuid, Uuid, Uuid)> = allocation::Entity::find()
                .filter(among(allocation::Column::OrderId, wanted.orders))
                .filter(allocation::Column::Status.is_not_in(AllocationStatus::ENDED.iter().map(|one| one.code())))
                .select_only()
                .columns([allocation::Column::Id, allocation::Column::OrderId, allocation::Column::UnitId])
                .into_tuple()
                .all(db)
                .await?;
            let share =
                |(id, order, unit): (Uuid, Uuid, Uuid)| Share { id, order_id: OrderId(order), unit_id: UnitId(unit) };
            found.shares = rows.into_iter().map(share).collect();
        }
        Ok(found)
    }
}
