//! The event log and the answers kept for retries.

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
        manager.drop_table(Table::drop().table("idempotency_record").to_owned()).await?;
        manager.drop_table(Table::drop().table("event").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("event")
                .col(big_integer("id").auto_increment().primary_key())
                .col(big_integer_null("position").unique_key())
                .col(text("aggregate_kind"))
                .col(uuid("aggregate_id"))
                .col(big_integer("sequence"))
                .col(text("kind"))
                .col(text("action"))
                .col(uuid_null("order_id"))
                .col(uuid_null("customer_id"))
                .col(text_null("account"))
                .col(uuid_null("unit_id"))
                .col(boolean("public"))
                .col(text("actor"))
                .col(text("request_id"))
                .col(timestamp_with_time_zone("occurred_at"))
                .col(text_null("note"))
                .col(json_binary("changes"))
                .to_owned(),
        )
        .await?;
    index(manager, "event", &["order_id"], false).await?;
    index(manager, "event", &["aggregate_id", "sequence"], true).await?;
    manager
        .create_table(
            table("idempotency_record")
                .col(text("subject"))
                .col(text("key"))
                .col(text("action"))
                .col(text("digest"))
                .col(json_binary("answer"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("subject").col("key"))
                .to_owned(),
        )
        .await?;
    // What the relay has still to give a position: never more than the newest few.
    manager
        .get_connection()
        .execute_unprepared("CREATE INDEX event_unpositioned_index ON event (id) WHERE position IS NULL")
        .await?;
    Ok(())
}
