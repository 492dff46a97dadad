//! What was left behind of files is found apart from the bytes, which nobody wants to walk over who looks for it.

use sea_orm_migration::prelude::*;

use crate::support::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "import_piece", &["kept_at", "batch_id"], false).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("import_piece_kept_at_batch_id_index").table("import_piece").to_owned();
        manager.drop_index(index).await
    }
}
