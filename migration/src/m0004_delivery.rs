//! Deliveries, confirmations, settlement, tickets.

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
        manager.drop_table(Table::drop().table("ticket").to_owned()).await?;
        manager.drop_table(Table::drop().table("settlement_record").to_owned()).await?;
        manager.drop_table(Table::drop().table("tracking_event").to_owned()).await?;
        manager.drop_table(Table::drop().table("delivery_line").to_owned()).await?;
        manager.drop_table(Table::drop().table("delivery").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("delivery")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("number").unique_key())
                .col(uuid("order_id"))
                .col(uuid("allocation_id"))
                .col(text("method"))
                .col(text("status"))
                .col(json_binary("options"))
                .col(big_integer("cost"))
                .col(date("planned_arrival"))
                .col(text_null("carrier"))
                .col(text_null("tracking_number"))
                .col(timestamp_with_time_zone_null("appointment"))
                .col(text("planned_by"))
                .col(timestamp_with_time_zone("planned_at"))
                .col(timestamp_with_time_zone_null("dispatched_at"))
                .col(timestamp_with_time_zone_null("delivered_at"))
                .col(text("confirmation_status"))
                .col(json_binary("confirmations"))
                .to_owned(),
        )
        .await?;
    index(manager, "delivery", &["order_id"], false).await?;
    index(manager, "delivery", &["allocation_id"], false).await?;
    index(manager, "delivery", &["status"], false).await?;
    manager
        .create_table(
            table("delivery_line")
                .col(uuid("id").primary_key())
                .col(uuid("delivery_id"))
                .col(uuid("allocation_line_id"))
                .col(uuid("order_line_id"))
                .col(big_integer("quantity"))
                .col(big_integer("confirmed"))
                .check(Expr::cust("confirmed >= 0 AND confirmed <= quantity"))
                .to_owned(),
        )
        .await?;
    index(manager, "delivery_line", &["delivery_id"], false).await?;
    index(manager, "delivery_line", &["order_line_id"], false).await?;
    manager
        .create_table(
            table("tracking_event")
                .col(uuid("id").primary_key())
                .col(uuid("delivery_id"))
                .col(text("carrier"))
                .col(text("carrier_event_id"))
                .col(text("kind"))
                .col(timestamp_with_time_zone("occurred_at"))
                .col(text_null("location"))
                .col(text("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "tracking_event", &["delivery_id"], false).await?;
    index(manager, "tracking_event", &["carrier", "carrier_event_id"], true).await?;
    manager
        .create_table(
            table("settlement_record")
                .col(uuid("id").primary_key())
                .col(uuid("order_id"))
                .col(uuid("order_line_id"))
                .col(uuid("delivery_id"))
                .col(uuid("confirmation_id"))
                .col(big_integer("quantity"))
                .col(big_integer("amount"))
                .col(text("currency"))
                .col(timestamp_with_time_zone("settled_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "settlement_record", &["order_id"], false).await?;
    manager
        .create_table(
            table("ticket")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("number").unique_key())
                .col(uuid("order_id"))
                .col(uuid_null("order_line_id"))
                .col(uuid("customer_id"))
                .col(text("ticket_type"))
                .col(text("status"))
                .col(text("subject"))
                .col(text("description"))
                .col(timestamp_with_time_zone("occurred_at"))
                .col(uuid("team_id"))
                .col(text("opened_by"))
                .col(timestamp_with_time_zone("opened_at"))
                .col(timestamp_with_time_zone("first_contact_due"))
                .col(timestamp_with_time_zone_null("first_contact_at"))
                .col(json_binary("contacts"))
                .col(text_null("resolution"))
                .col(timestamp_with_time_zone_null("resolved_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "ticket", &["order_id"], false).await?;
    index(manager, "ticket", &["customer_id"], false).await?;
    index(manager, "ticket", &["status", "opened_at"], false).await?;
    index(manager, "ticket", &["team_id"], false).await?;
    Ok(())
}
