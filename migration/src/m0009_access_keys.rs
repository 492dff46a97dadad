//! Keys of partners' systems and tracking links.

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
        manager.drop_table(Table::drop().table("access_key_use").to_owned()).await?;
        manager.drop_table(Table::drop().table("access_key").to_owned()).await?;
        Ok(())
    }
}

async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("access_key")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("kind"))
                .col(text_null("label"))
                .col(text_null("account"))
                .col(uuid_null("order_id"))
                .col(text("digest").unique_key())
                .col(text("hint"))
                .col(text("status"))
                .col(text("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(text_null("revoked_by"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .col(text_null("revoke_reason"))
                .check(Expr::cust(
                    "(kind = 'PARTNER' AND account IS NOT NULL AND order_id IS NULL) OR \
                     (kind = 'TRACKING' AND account IS NULL AND order_id IS NOT NULL)",
                ))
                .check(Expr::cust(
                    "(status = 'ACTIVE' AND revoked_by IS NULL AND revoked_at IS NULL AND revoke_reason IS NULL) OR \
                     (status = 'REVOKED' AND revoked_by IS NOT NULL AND revoked_at IS NOT NULL AND \
                     revoke_reason IS NOT NULL)",
                ))
                .to_owned(),
        )
        .await?;
    index(manager, "access_key", &["order_id"], false).await?;
    index(manager, "access_key", &["account"], false).await?;
    index(manager, "access_key", &["kind", "created_at"], false).await?;
    index(manager, "access_key", &["created_at"], false).await?;
    // What every node looks at several times a second.
    manager
        .get_connection()
        .execute_unprepared("CREATE INDEX access_key_revoked_index ON access_key (id) WHERE status = 'REVOKED'")
        .await?;
    // Apart, since it is no change of the key and leaves no event.
    manager
        .create_table(
            table("access_key_use")
                .col(uuid("key_id").primary_key())
                .col(timestamp_with_time_zone("last_used_at"))
                .to_owned(),
        )
        .await?;
    Ok(())
}
