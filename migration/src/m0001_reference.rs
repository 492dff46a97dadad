//! Customers, products, organization and rules.

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
        manager.drop_table(Table::drop().table("meta").to_owned()).await?;
        manager.drop_table(Table::drop().table("rule_set").to_owned()).await?;
        manager.drop_table(Table::drop().table("component").to_owned()).await?;
        manager.drop_table(Table::drop().table("product").to_owned()).await?;
        manager.drop_table(Table::drop().table("customer").to_owned()).await?;
        manager.drop_table(Table::drop().table("staff").to_owned()).await?;
        manager.drop_table(Table::drop().table("org_unit").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("org_unit")
                .col(uuid("id").primary_key())
                .col(uuid_null("parent_id"))
                .col(text("code").unique_key())
                .col(text("name"))
                .col(text("kind"))
                .col(json_binary("capabilities"))
                .col(json_binary("regions"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("staff")
                .col(uuid("id").primary_key())
                .col(text("subject").unique_key())
                .col(text("name"))
                .col(uuid("unit_id"))
                .col(json_binary("roles"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("customer")
                .col(uuid("id").primary_key())
                .col(text("number").unique_key())
                .col(text("company_name"))
                .col(text("contact_name"))
                .col(text_null("email"))
                .col(text_null("phone"))
                .col(text("customer_group"))
                .col(text("region"))
                .col(text("currency"))
                .col(big_integer_null("credit_limit"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("product")
                .col(uuid("id").primary_key())
                .col(text("sku").unique_key())
                .col(text("name"))
                .col(text("kind"))
                .col(text("category"))
                .col(text("unit_of_measure"))
                .col(big_integer("list_price"))
                .col(text("currency"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("component")
                .col(uuid("id").primary_key())
                .col(uuid("product_id"))
                .col(uuid("component_id"))
                .col(big_integer("quantity"))
                .to_owned(),
        )
        .await?;
    index(manager, "component", &["product_id"], false).await?;
    index(manager, "component", &["product_id", "component_id"], true).await?;
    manager
        .create_table(
            table("rule_set")
                .col(integer("version").primary_key())
                .col(boolean("active"))
                .col(timestamp_with_time_zone("effective_from"))
                .col(json_binary("body"))
                .to_owned(),
        )
        .await?;
    manager.create_table(table("meta").col(text("key").primary_key()).col(text("value")).to_owned()).await?;
    Ok(())
}
