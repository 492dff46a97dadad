//! Orders and their reviews.

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
        manager.drop_table(Table::drop().table("review_case").to_owned()).await?;
        manager.drop_table(Table::drop().table("order_line").to_owned()).await?;
        manager.drop_table(Table::drop().table("orders").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("orders")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("number").unique_key())
                .col(text("channel"))
                .col(text_null("account"))
                .col(text_null("external_reference"))
                .col(text("digest"))
                .col(text("fingerprint"))
                .col(uuid("customer_id"))
                .col(json_binary("contact"))
                .col(text("region"))
                .col(json_binary("delivery_address"))
                .col(text("currency"))
                .col(text("priority"))
                .col(date("required_by"))
                .col(text_null("note"))
                .col(text("status"))
                .col(text("stage"))
                .col(text("search"))
                .col(text("submitted_by"))
                .col(timestamp_with_time_zone("submitted_at"))
                .col(timestamp_with_time_zone_null("completed_at"))
                .col(integer("rule_set_version"))
                .col(json_binary_null("cancellation"))
                .col(json_binary("holds"))
                .to_owned(),
        )
        .await?;
    index(manager, "orders", &["channel", "external_reference"], true).await?;
    index(manager, "orders", &["customer_id", "submitted_at"], false).await?;
    index(manager, "orders", &["account", "submitted_at"], false).await?;
    index(manager, "orders", &["status", "submitted_at"], false).await?;
    index(manager, "orders", &["stage", "submitted_at"], false).await?;
    index(manager, "orders", &["submitted_at", "id"], false).await?;
    index(manager, "orders", &["required_by"], false).await?;
    index(manager, "orders", &["customer_id", "fingerprint"], false).await?;
    manager
        .create_table(
            table("order_line")
                .col(uuid("id").primary_key())
                .col(uuid("order_id"))
                .col(integer("line_number"))
                .col(uuid_null("product_id"))
                .col(text_null("sku"))
                .col(text("description"))
                .col(text_null("category"))
                .col(text_null("kind"))
                .col(text_null("unit_of_measure"))
                .col(text_null("specification"))
                .col(big_integer("unit_price"))
                .col(big_integer("discount_rate"))
                .col(big_integer("total"))
                .col(big_integer("ordered"))
                .col(big_integer("cancelled"))
                .col(big_integer("allocated"))
                .col(big_integer("reserved"))
                .col(big_integer("produced"))
                .col(big_integer("passed"))
                .col(big_integer("dispatched"))
                .col(big_integer("delivered"))
                .col(big_integer("confirmed"))
                .col(big_integer("returned"))
                .check(Expr::cust("cancelled >= 0 AND allocated >= 0 AND reserved >= 0 AND produced >= 0 AND returned >= 0"))
                .check(Expr::cust("allocated <= ordered - cancelled"))
                .check(Expr::cust("confirmed <= delivered AND delivered <= dispatched AND dispatched <= passed AND passed <= allocated"))
                .check(Expr::cust("confirmed >= 0"))
                .check(Expr::cust("returned <= delivered"))
                .to_owned(),
        )
        .await?;
    index(manager, "order_line", &["order_id"], false).await?;
    manager
        .create_table(
            table("review_case")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("order_id").unique_key())
                .col(text("status"))
                .col(text("reviewer"))
                .col(timestamp_with_time_zone("opened_at"))
                .col(json_binary("checks"))
                .col(json_binary("clarifications"))
                .col(json_binary_null("decision"))
                .to_owned(),
        )
        .await?;
    Ok(())
}
