//! Indexes for what lists are sorted and narrowed by: a page costs the same wherever it lies, however
//! many rows there are.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::support::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A list's order, with the identity that tells equal ones apart.
const SORTED: &[(&str, &[&str])] = &[
    ("orders", &["required_by", "id"]),
    ("orders", &["region", "submitted_at"]),
    ("orders", &["channel", "submitted_at"]),
    ("allocation", &["assigned_at", "id"]),
    ("delivery", &["planned_at", "id"]),
    ("ticket", &["opened_at", "id"]),
    ("stock_item", &["sku", "id"]),
    ("stock_movement", &["stock_item_id", "moved_at"]),
    ("replenishment_request", &["requested_at", "id"]),
    ("access_restriction", &["restricted_at", "id"]),
    ("product", &["category", "sku"]),
];

/// What these replace: an index that begins with the same columns.
const REPLACED: &[(&str, &[&str])] = &[
    ("orders", &["required_by"]),
    ("stock_item", &["sku"]),
    ("stock_movement", &["stock_item_id"]),
    ("access_restriction", &["restricted_at"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in SORTED {
            index(manager, table, columns, false).await?;
        }
        for (table, columns) in REPLACED {
            drop(manager, table, columns).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            // Text anywhere in a number, a company's name or a reference. The extension comes with the
            // server, and whoever owns the database may add it.
            let db = manager.get_connection();
            db.execute_unprepared("CREATE EXTENSION IF NOT EXISTS pg_trgm").await?;
            db.execute_unprepared("CREATE INDEX orders_search_index ON orders USING gin (search gin_trgm_ops)").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared("DROP INDEX orders_search_index").await?;
        }
        for (table, columns) in REPLACED {
            index(manager, table, columns, false).await?;
        }
        for (table, columns) in SORTED {
            drop(manager, table, columns).await?;
        }
        Ok(())
    }
}

async fn drop(manager: &SchemaManager<'_>, table: &str, columns: &[&str]) -> Result<(), DbErr> {
    let name = format!("{table}_{}_index", columns.join("_"));
    manager.drop_index(Index::drop().name(name).to_owned()).await
}
