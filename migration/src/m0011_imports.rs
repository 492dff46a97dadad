//! Orders handed in as files: the imports, their files until they are through, and what was wrong in them.

use sea_orm_migration::{prelude::*, schema::*};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        batches(manager).await?;
        files(manager).await?;
        faults(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["import_fault", "import_row", "import_piece", "import_batch"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

async fn batches(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("import_batch")
                .col(uuid("id").primary_key())
                .col(big_integer("version"))
                .col(text("format"))
                .col(text_null("layout"))
                .col(text_null("file_name"))
                .col(big_integer("size"))
                .col(text("digest"))
                .col(json_binary("settings"))
                .col(json_binary("headers"))
                .col(text("status"))
                .col(boolean("dry_run"))
                .col(text("error_policy"))
                .col(json_binary("counts"))
                .col(text_null("account"))
                .col(uuid_null("unit_id"))
                .col(json_binary("roles"))
                .col(text("uploaded_by"))
                .col(timestamp_with_time_zone("uploaded_at"))
                .col(text_null("started_by"))
                .col(timestamp_with_time_zone_null("started_at"))
                .col(timestamp_with_time_zone_null("finished_at"))
                .col(uuid_null("worker"))
                .col(timestamp_with_time_zone_null("lease_until"))
                .col(text_null("reason"))
                .to_owned(),
        )
        .await?;
    index(manager, "import_batch", &["uploaded_at", "id"], false).await?;
    index(manager, "import_batch", &["account", "uploaded_at"], false).await?;
    index(manager, "import_batch", &["unit_id", "uploaded_at"], false).await?;
    // What is to be done and what is forgotten is looked for all the time, and nearly all imports are over.
    let open = "CREATE INDEX import_batch_open_index ON import_batch (status, uploaded_at) \
                WHERE status IN ('UPLOADED', 'CHECKED', 'RUNNING')";
    manager.get_connection().execute_unprepared(open).await?;
    Ok(())
}

async fn files(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("import_piece")
                .col(uuid("batch_id"))
                .col(big_integer("number"))
                .col(blob("bytes"))
                .col(timestamp_with_time_zone("kept_at"))
                .primary_key(Index::create().col("batch_id").col("number"))
                .to_owned(),
        )
        .await
}

async fn faults(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table("import_row")
                .col(uuid("batch_id"))
                .col(big_integer("row_number"))
                .col(json_binary("cells"))
                .primary_key(Index::create().col("batch_id").col("row_number"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            table("import_fault")
                .col(uuid("id").primary_key())
                .col(uuid("batch_id"))
                .col(big_integer("row_number"))
                .col(text_null("column_name"))
                .col(text("code"))
                .col(text("message"))
                .to_owned(),
        )
        .await?;
    index(manager, "import_fault", &["batch_id", "row_number", "id"], false).await
}
