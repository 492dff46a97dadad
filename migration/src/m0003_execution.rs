//! Allocations, milestones, stock, inspections.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("replenishment_request").to_owned()).await?;
        manager.drop_table(Table::drop().table("stock_movement").to_owned()).await?;
        manager.drop_table(Table::drop().table("stock_item").to_owned()).await?;
        manager.drop_table(Table::drop().table("inspection").to_owned()).await?;
        manager.drop_table(Table::drop().table("backorder").to_owned()).await?;
        manager.drop_table(Table::drop().table("reservation").to_owned()).await?;
        manager.drop_table(Table::drop().table("milestone").to_owned()).await?;
        manager.drop_table(Table::drop().table("allocation_line").to_owned()).await?;
        manager.drop_table(Table::drop().table("allocation").to_owned()).await?;
        manager.drop_table(Table::drop().table("allocation_decision").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("allocation_decision")
                .col(uuid("id").primary_key())
                .col(uuid("order_id"))
                .col(text("mode"))
                .col(text_null("reason"))
                .col(text_null("decided_by_rule"))
                .col(integer("rule_set_version"))
                .col(text("decided_by"))
                .col(timestamp_with_time_zone("decided_at"))
                .col(json_binary("candidates"))
                .to_owned(),
        )
        .await?;
    index(manager, "allocation_decision", &["order_id"], false).await?;
    manager
        .create_table(
            table("allocation")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("order_id"))
                .col(uuid("unit_id"))
                .col(uuid_null("warehouse_id"))
                .col(text("kind"))
                .col(text("status"))
                .col(uuid("decision_id"))
                .col(timestamp_with_time_zone("assigned_at"))
                .col(text_null("accepted_by"))
                .col(text_null("decline_reason"))
                .to_owned(),
        )
        .await?;
    index(manager, "allocation", &["order_id"], false).await?;
    index(manager, "allocation", &["unit_id", "status"], false).await?;
    index(manager, "allocation", &["status"], false).await?;
    manager
        .create_table(
            table("allocation_line")
                .col(uuid("id").primary_key())
                .col(uuid("allocation_id"))
                .col(uuid("order_line_id"))
                .col(uuid("product_id"))
                .col(text("sku"))
                .col(big_integer("quantity"))
                .col(big_integer("reserved"))
                .col(big_integer("produced"))
                .col(big_integer("passed"))
                .col(big_integer("planned"))
                .col(big_integer("dispatched"))
                .col(big_integer("confirmed"))
                .check(Expr::cust("quantity > 0 AND reserved >= 0 AND produced >= 0 AND confirmed >= 0"))
                .check(Expr::cust(
                    "confirmed <= dispatched AND dispatched <= planned AND planned <= passed AND passed <= quantity",
                ))
                .to_owned(),
        )
        .await?;
    index(manager, "allocation_line", &["allocation_id"], false).await?;
    index(manager, "allocation_line", &["order_line_id"], false).await?;
    manager
        .create_table(
            table("milestone")
                .col(uuid("id").primary_key())
                .col(uuid("allocation_id"))
                .col(integer("sequence"))
                .col(text("code"))
                .col(text("name"))
                .col(text("responsible"))
                .col(text("status"))
                .col(boolean("needs_stock"))
                .col(boolean("produces"))
                .col(timestamp_with_time_zone("planned_start"))
                .col(timestamp_with_time_zone("due_at"))
                .col(timestamp_with_time_zone_null("started_at"))
                .col(timestamp_with_time_zone_null("completed_at"))
                .col(text_null("block_cause"))
                .col(text_null("block_measure"))
                .to_owned(),
        )
        .await?;
    index(manager, "milestone", &["allocation_id"], false).await?;
    manager
        .create_table(
            table("reservation")
                .col(uuid("id").primary_key())
                .col(uuid("allocation_id"))
                .col(uuid("stock_item_id"))
                .col(uuid("product_id"))
                .col(uuid("line_id"))
                .col(big_integer("quantity"))
                .col(big_integer("consumed"))
                .col(text("status"))
                .check(Expr::cust("consumed >= 0 AND consumed <= quantity"))
                .to_owned(),
        )
        .await?;
    index(manager, "reservation", &["allocation_id"], false).await?;
    index(manager, "reservation", &["stock_item_id"], false).await?;
    manager
        .create_table(
            table("backorder")
                .col(uuid("id").primary_key())
                .col(uuid("allocation_id"))
                .col(uuid("stock_item_id"))
                .col(uuid("product_id"))
                .col(uuid("line_id"))
                .col(text("priority"))
                .col(big_integer("quantity"))
                .col(big_integer("filled"))
                .col(text("status"))
                .col(timestamp_with_time_zone("created_at"))
                .check(Expr::cust("filled >= 0 AND filled <= quantity"))
                .to_owned(),
        )
        .await?;
    index(manager, "backorder", &["allocation_id"], false).await?;
    index(manager, "backorder", &["stock_item_id"], false).await?;
    manager
        .create_table(
            table("inspection")
                .col(uuid("id").primary_key())
                .col(uuid("allocation_id"))
                .col(integer("attempt"))
                .col(text("result"))
                .col(json_binary("checklist"))
                .col(json_binary("accepted"))
                .col(text_null("findings"))
                .col(text("inspector"))
                .col(timestamp_with_time_zone("inspected_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "inspection", &["allocation_id"], false).await?;
    index(manager, "inspection", &["allocation_id", "attempt"], true).await?;
    manager
        .create_table(
            table("stock_item")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("product_id"))
                .col(text("sku"))
                .col(uuid("warehouse_id"))
                .col(big_integer("on_hand"))
                .col(big_integer("reserved"))
                .col(big_integer("safety_stock"))
                .col(big_integer("reorder_point"))
                .check(Expr::cust("reserved >= 0 AND reserved <= on_hand"))
                .to_owned(),
        )
        .await?;
    index(manager, "stock_item", &["warehouse_id"], false).await?;
    index(manager, "stock_item", &["product_id", "warehouse_id"], true).await?;
    index(manager, "stock_item", &["sku"], false).await?;
    manager
        .create_table(
            table("stock_movement")
                .col(uuid("id").primary_key())
                .col(uuid("stock_item_id"))
                .col(text("kind"))
                .col(big_integer("on_hand_change"))
                .col(big_integer("reserved_change"))
                .col(uuid_null("order_id"))
                .col(text_null("note"))
                .col(text("moved_by"))
                .col(timestamp_with_time_zone("moved_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "stock_movement", &["stock_item_id"], false).await?;
    manager
        .create_table(
            table("replenishment_request")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("stock_item_id"))
                .col(text("reason"))
                .col(big_integer("quantity"))
                .col(big_integer("received"))
                .col(text("status"))
                .col(timestamp_with_time_zone("requested_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "replenishment_request", &["stock_item_id"], false).await?;
    // At most one request is open per item (R4.4); both databases know partial indexes.
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX replenishment_request_open_index \
             ON replenishment_request (stock_item_id) WHERE status <> 'RECEIVED'",
        )
        .await?;
    Ok(())
}
