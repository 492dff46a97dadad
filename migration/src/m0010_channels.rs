//! Channels, what they delivered, and orders as they tell of them. A reference is unique within the account it
//! came over: two shops number their orders alike.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 5] = ["channel_order", "channel_body", "channel_delivery", "channel_key", "sales_channel"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        channels(manager).await?;
        deliveries(manager).await?;
        orders(manager).await?;
        let former = Index::drop().name("orders_channel_external_reference_index").table("orders").to_owned();
        manager.drop_index(former).await?;
        let db = manager.get_connection();
        // No account, which is the group's own people and customers, counts as one.
        db.execute_unprepared(
            "CREATE UNIQUE INDEX orders_reference_index ON orders (channel, external_reference, COALESCE(account, ''))",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("orders_reference_index").table("orders").to_owned()).await?;
        index(manager, "orders", &["channel", "external_reference"], true).await?;
        for name in TABLES {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

async fn channels(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("sales_channel")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("code").unique_key())
                .col(text("name"))
                .col(text("kind"))
                .col(text("channel"))
                .col(uuid("unit_id"))
                .col(text("status"))
                .col(json_binary("secrets"))
                .col(json_binary("settings"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "sales_channel", &["unit_id"], false).await?;
    manager
        .create_table(
            table("channel_key").col(uuid("id").primary_key()).col(uuid("channel_id")).col(text("key")).to_owned(),
        )
        .await
}

async fn deliveries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("channel_delivery")
                .col(uuid("id").primary_key())
                .col(uuid("channel_id"))
                .col(text("recognized_by"))
                .col(text_null("delivery_number"))
                .col(text("topic"))
                .col(json_binary("headers"))
                .col(timestamp_with_time_zone("received_at"))
                .col(text("outcome"))
                .col(text_null("remark"))
                .col(text_null("reference"))
                .col(uuid_null("order_id"))
                .col(integer("attempts"))
                .col(timestamp_with_time_zone("due_at"))
                .col(timestamp_with_time_zone_null("processed_at"))
                .col(text_null("processed_by"))
                .check(Expr::cust("attempts >= 0"))
                .check(Expr::cust("(outcome = 'RECEIVED') = (processed_at IS NULL)"))
                .to_owned(),
        )
        .await?;
    // A delivery is kept once, however often it comes.
    index(manager, "channel_delivery", &["channel_id", "recognized_by"], true).await?;
    index(manager, "channel_delivery", &["received_at", "id"], false).await?;
    index(manager, "channel_delivery", &["channel_id", "received_at"], false).await?;
    index(manager, "channel_delivery", &["channel_id", "outcome", "received_at"], false).await?;
    index(manager, "channel_delivery", &["outcome", "due_at"], false).await?;
    index(manager, "channel_delivery", &["reference"], false).await?;
    index(manager, "channel_delivery", &["order_id"], false).await?;
    manager.create_table(table("channel_body").col(uuid("id").primary_key()).col(blob("body")).to_owned()).await
}

async fn orders(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("channel_order")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("channel_id"))
                .col(uuid("order_id").unique_key())
                .col(text("reference"))
                .col(text_null("name"))
                .col(timestamp_with_time_zone_null("placed_at"))
                .col(timestamp_with_time_zone_null("told_at"))
                .col(boolean("cancelled"))
                .col(text("applied"))
                .col(text("told"))
                .col(json_binary("charges"))
                .col(json_binary("lines"))
                .col(json_binary("faults"))
                .to_owned(),
        )
        .await?;
    index(manager, "channel_order", &["channel_id", "reference"], true).await?;
    index(manager, "channel_order", &["channel_id", "placed_at"], false).await
}
