//! Access taken away from people and systems.

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
        manager.drop_table(Table::drop().table("access_restriction").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("access_restriction")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("subject"))
                .col(text_null("role"))
                .col(text("status"))
                .col(text("reason"))
                .col(text("restricted_by"))
                .col(timestamp_with_time_zone("restricted_at"))
                .col(text_null("lifted_by"))
                .col(timestamp_with_time_zone_null("lifted_at"))
                .col(text_null("lift_reason"))
                .check(Expr::cust("restricted_by <> subject"))
                .check(Expr::cust(
                    "(status = 'IN_FORCE' AND lifted_by IS NULL AND lifted_at IS NULL AND lift_reason IS NULL) OR \
                     (status = 'LIFTED' AND lifted_by IS NOT NULL AND lifted_by <> subject AND \
                     lifted_at IS NOT NULL AND lift_reason IS NOT NULL)",
                ))
                .to_owned(),
        )
        .await?;
    index(manager, "access_restriction", &["subject"], false).await?;
    index(manager, "access_restriction", &["restricted_at"], false).await?;
    // The same access is taken away once at a time; no role, which is all of them, counts as one.
    manager
        .get_connection()
        .execute_unprepared(
            "CREATE UNIQUE INDEX access_restriction_in_force_index \
             ON access_restriction (subject, COALESCE(role, '')) WHERE status = 'IN_FORCE'",
        )
        .await?;
    Ok(())
}
