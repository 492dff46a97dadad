//! Stock operations: quality holds, reorder lots, transfers, stocktakes, reservations that expire, and
//! the life of a replenishment request.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Indexes over some rows only; both databases know them.
const PARTIAL: &[(&str, &str)] = &[
    // Of several requests of an item at most one waits for procurement's decision (R4.4).
    (
        "replenishment_request_proposed_index",
        "UNIQUE INDEX replenishment_request_proposed_index ON replenishment_request (stock_item_id) \
         WHERE status = 'PROPOSED'",
    ),
    (
        "reservation_expiry_index",
        "INDEX reservation_expiry_index ON reservation (expires_at, stock_item_id) \
         WHERE expires_at IS NOT NULL AND status = 'ACTIVE'",
    ),
    (
        "backorder_waiting_index",
        "INDEX backorder_waiting_index ON backorder (created_at, id) WHERE status IN ('WAITING', 'PARTIALLY_FILLED')",
    ),
    (
        "backorder_queue_index",
        "INDEX backorder_queue_index ON backorder (stock_item_id, created_at) \
         WHERE status IN ('WAITING', 'PARTIALLY_FILLED')",
    ),
    (
        "stock_movement_transfer_index",
        "INDEX stock_movement_transfer_index ON stock_movement (transfer_id) WHERE transfer_id IS NOT NULL",
    ),
    (
        "stock_transfer_coming_index",
        "INDEX stock_transfer_coming_index ON stock_transfer (to_item_id) \
         WHERE status IN ('DISPATCHED', 'PARTIALLY_RECEIVED')",
    ),
    // An item is counted in one stocktake at a time, or its variance would be booked twice.
    (
        "stocktake_line_open_index",
        "UNIQUE INDEX stocktake_line_open_index ON stocktake_line (stock_item_id) WHERE open",
    ),
];

const SORTED: &[(&str, &[&str])] = &[
    ("replenishment_request", &["status", "requested_at"]),
    ("stock_transfer", &["requested_at", "id"]),
    ("stock_transfer", &["status", "requested_at"]),
    ("stock_transfer", &["from_warehouse_id", "requested_at"]),
    ("stock_transfer", &["to_warehouse_id", "requested_at"]),
    ("stock_transfer", &["from_item_id"]),
    ("stocktake", &["opened_at", "id"]),
    ("stocktake", &["status", "opened_at"]),
    ("stocktake", &["warehouse_id", "opened_at"]),
    ("stocktake_line", &["stocktake_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What is held and what is reserved lie side by side: neither is part of the other (R4.2).
        let held = "quality_hold >= 0 AND reserved + quality_hold <= on_hand";
        add(manager, "stock_item", zero("quality_hold").check(Expr::cust(held))).await?;
        let lot = "reorder_quantity >= 0";
        add(manager, "stock_item", zero("reorder_quantity").check(Expr::cust(lot))).await?;
        add(manager, "stock_movement", &mut zero("quality_hold_change")).await?;
        add(manager, "stock_movement", &mut uuid_null("transfer_id")).await?;
        add(manager, "reservation", &mut timestamp_with_time_zone_null("expires_at")).await?;
        for column in ["decided_by", "supplier", "supplier_reference", "ended_reason"] {
            add(manager, "replenishment_request", &mut text_null(column)).await?;
        }
        add(manager, "replenishment_request", &mut timestamp_with_time_zone_null("expected_at")).await?;
        manager.drop_index(Index::drop().name("replenishment_request_open_index").to_owned()).await?;
        create_transfers(manager).await?;
        create_stocktakes(manager).await?;
        for (table, columns) in SORTED {
            index(manager, table, columns, false).await?;
        }
        for (_, definition) in PARTIAL {
            manager.get_connection().execute_unprepared(&format!("CREATE {definition}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in PARTIAL {
            manager.drop_index(Index::drop().name(*name).to_owned()).await?;
        }
        for table in ["stocktake_line", "stocktake", "stock_transfer"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager.drop_index(Index::drop().name("replenishment_request_status_requested_at_index").to_owned()).await?;
        for (table, column) in [
            ("replenishment_request", "expected_at"),
            ("replenishment_request", "ended_reason"),
            ("replenishment_request", "supplier_reference"),
            ("replenishment_request", "supplier"),
            ("replenishment_request", "decided_by"),
            ("reservation", "expires_at"),
            ("stock_movement", "transfer_id"),
            ("stock_movement", "quality_hold_change"),
            ("stock_item", "reorder_quantity"),
            ("stock_item", "quality_hold"),
        ] {
            manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
        }
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX replenishment_request_open_index \
                 ON replenishment_request (stock_item_id) WHERE status <> 'RECEIVED'",
            )
            .await?;
        Ok(())
    }
}

/// A quantity that is nothing for the rows that are there.
fn zero(name: &'static str) -> ColumnDef {
    big_integer(name).default(0).take()
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: &mut ColumnDef) -> Result<(), DbErr> {
    // SQLite adds one column at a time.
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}

async fn create_transfers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("stock_transfer")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("number"))
                .col(uuid("product_id"))
                .col(text("sku"))
                .col(uuid("from_item_id"))
                .col(uuid("from_warehouse_id"))
                .col(uuid("to_item_id"))
                .col(uuid("to_warehouse_id"))
                .col(big_integer("quantity"))
                .col(big_integer("received"))
                .col(text("status"))
                .col(text_null("reason"))
                .col(timestamp_with_time_zone_null("expected_at"))
                .col(text("requested_by"))
                .col(timestamp_with_time_zone("requested_at"))
                .col(text_null("dispatched_by"))
                .col(timestamp_with_time_zone_null("dispatched_at"))
                .col(text_null("ended_reason"))
                .check(Expr::cust("quantity > 0 AND received >= 0 AND received <= quantity"))
                .check(Expr::cust("from_item_id <> to_item_id"))
                .to_owned(),
        )
        .await
}

async fn create_stocktakes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("stocktake")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("number"))
                .col(uuid("warehouse_id"))
                .col(text_null("category"))
                .col(boolean("blind"))
                .col(text("status"))
                .col(text("opened_by"))
                .col(timestamp_with_time_zone("opened_at"))
                .col(text_null("finished_by"))
                .col(timestamp_with_time_zone_null("finished_at"))
                .col(text_null("decided_by"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("decision_reason"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("stocktake_line")
                .col(uuid("id").primary_key())
                .col(uuid("stocktake_id"))
                .col(uuid("stock_item_id"))
                .col(uuid("product_id"))
                .col(text("sku"))
                .col(big_integer_null("counted"))
                .col(big_integer_null("book"))
                .col(text_null("counted_by"))
                .col(timestamp_with_time_zone_null("counted_at"))
                .col(boolean_null("within_tolerance"))
                .col(boolean("open"))
                .check(Expr::cust("counted IS NULL OR counted >= 0"))
                .to_owned(),
        )
        .await
}
