//! Approval levels, the queue of reviews, questions that are due, and customers' licences.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

fn columns() -> Vec<ColumnDef> {
    vec![
        text_null("owner"),
        timestamp_with_time_zone_null("waiting_since"),
        json_binary_null("assessment"),
        json_binary_null("approvals"),
        integer_null("awaited_level"),
        timestamp_with_time_zone_null("remind_at"),
        timestamp_with_time_zone_null("due_at"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in columns() {
            manager.alter_table(Table::alter().table("review_case").add_column(column).to_owned()).await?;
        }
        manager
            .alter_table(Table::alter().table("customer").add_column(json_binary_null("licences")).to_owned())
            .await?;
        index(manager, "review_case", &["remind_at"], false).await?;
        index(manager, "review_case", &["due_at"], false).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["due_at", "remind_at"] {
            manager.drop_index(Index::drop().name(format!("review_case_{column}_index")).to_owned()).await?;
        }
        manager.alter_table(Table::alter().table("customer").drop_column("licences").to_owned()).await?;
        for column in columns() {
            let name = column.get_column_name().clone();
            manager.alter_table(Table::alter().table("review_case").drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
