//! Deadlines of units' answers, orders for which no unit was found, and what decisions were made of.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What tables get. SQLite adds one column at a time.
fn columns() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("allocation", timestamp_with_time_zone_null("accept_by").take()),
        ("allocation", integer("escalation_level").default(0).take()),
        ("allocation_decision", json_binary_null("outcome").take()),
        ("orders", timestamp_with_time_zone_null("unallocatable_since").take()),
        ("orders", timestamp_with_time_zone_null("allocation_retry_at").take()),
    ]
}

/// What is due or waits is a small part of all: each index holds that part only.
const PARTS: &[(&str, &str)] = &[
    (
        "allocation_answer_due_index",
        "ON allocation (accept_by, id) WHERE accept_by IS NOT NULL AND status = 'ASSIGNED'",
    ),
    ("allocation_escalated_index", "ON allocation (assigned_at, id) WHERE escalation_level > 0"),
    ("orders_unallocatable_index", "ON orders (unallocatable_since, id) WHERE unallocatable_since IS NOT NULL"),
    ("order_line_unallocated_index", "ON order_line (order_id) WHERE allocated < ordered - cancelled"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, mut column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
        }
        for (name, on) in PARTS {
            manager.get_connection().execute_unprepared(&format!("CREATE INDEX {name} {on}")).await?;
        }
        index(manager, "allocation_decision", &["decided_at", "id"], false).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("allocation_decision_decided_at_id_index").to_owned()).await?;
        for (name, _) in PARTS {
            manager.drop_index(Index::drop().name(*name).to_owned()).await?;
        }
        for (table, column) in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
