//! Bills of materials of several levels with the days they are in effect, substitutes, and changes of
//! orders that are negotiated.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        materials(manager).await?;
        changes(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("order_change").to_owned()).await?;
        manager.drop_table(Table::drop().table("substitute").to_owned()).await?;
        manager.drop_table(Table::drop().table("bill_of_materials").to_owned()).await?;
        let sql = manager.get_connection();
        sql.execute_unprepared("DROP INDEX component_in_effect_index").await?;
        sql.execute_unprepared("DROP INDEX component_component_id_index").await?;
        sql.execute_unprepared("ALTER TABLE component DROP COLUMN effective_from").await?;
        sql.execute_unprepared("ALTER TABLE component DROP COLUMN effective_until").await?;
        index(manager, "component", &["product_id", "component_id"], true).await
    }
}

async fn materials(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let sql = manager.get_connection();
    sql.execute_unprepared("ALTER TABLE component ADD COLUMN effective_from date").await?;
    sql.execute_unprepared("ALTER TABLE component ADD COLUMN effective_until date").await?;
    // The same part may be needed in another quantity from a day on.
    sql.execute_unprepared("DROP INDEX component_product_id_component_id_index").await?;
    sql.execute_unprepared(
        "CREATE UNIQUE INDEX component_in_effect_index \
         ON component (product_id, component_id, COALESCE(effective_from, '0001-01-01'))",
    )
    .await?;
    index(manager, "component", &["component_id"], false).await?;
    manager
        .create_table(
            table("bill_of_materials")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("set_by"))
                .col(timestamp_with_time_zone("set_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("substitute")
                .col(uuid("id").primary_key())
                .col(uuid("product_id"))
                .col(uuid("substitute_id"))
                .col(integer("rank"))
                .check(Expr::cust("product_id <> substitute_id"))
                .to_owned(),
        )
        .await?;
    index(manager, "substitute", &["product_id", "substitute_id"], true).await
}

async fn changes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("order_change")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(uuid("order_id"))
                .col(text("status"))
                .col(text("reason"))
                .col(json_binary("options"))
                .col(uuid_null("chosen_option_id"))
                .col(text("proposed_by"))
                .col(timestamp_with_time_zone("proposed_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(text_null("answered_by"))
                .col(timestamp_with_time_zone_null("answered_at"))
                .col(text_null("answer_reason"))
                .col(json_binary_null("review"))
                .col(timestamp_with_time_zone_null("applied_at"))
                .check(Expr::cust("(status IN ('ACCEPTED', 'APPLIED')) <= (chosen_option_id IS NOT NULL)"))
                .check(Expr::cust("(status = 'APPLIED') = (applied_at IS NOT NULL)"))
                .to_owned(),
        )
        .await?;
    index(manager, "order_change", &["order_id"], false).await?;
    index(manager, "order_change", &["proposed_at"], false).await?;
    index(manager, "order_change", &["status", "expires_at"], false).await?;
    // One is negotiated at a time.
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX order_change_open_index ON order_change (order_id) \
             WHERE status IN ('PROPOSED', 'AWAITING_CUSTOMER', 'ACCEPTED')",
        )
        .await?;
    Ok(())
}
