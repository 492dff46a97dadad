//! The feed: positions and the hash chain in a table of their own, so that an event row is written
//! once and never again; what waits for a position; who gives them; whom an event concerns.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::support::{index, table};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table("event_log")
                    .col(big_integer("position").primary_key())
                    .col(big_integer("event_id").unique_key())
                    .col(blob("hash"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(table("event_waiting").col(big_integer("event_id").primary_key()).to_owned()).await?;
        // One row: `beats` counts the signs of life of the node that gives positions.
        manager
            .create_table(
                table("relay_lease")
                    .col(integer("id").primary_key().check(Expr::col("id").eq(1)))
                    .col(uuid("holder"))
                    .col(big_integer("beats"))
                    .to_owned(),
            )
            .await?;
        // Positions are given anew, in the order of the rows; a new epoch tells those who hold old ones.
        let db = manager.get_connection();
        db.execute_unprepared("DELETE FROM meta WHERE key = 'epoch'").await?;
        db.execute_unprepared("INSERT INTO event_waiting (event_id) SELECT id FROM event").await?;
        match manager.get_database_backend() {
            DbBackend::Sqlite => rebuild(manager).await,
            _ => {
                db.execute_unprepared("DROP INDEX event_unpositioned_index").await?;
                db.execute_unprepared("ALTER TABLE event DROP COLUMN position").await?;
                db.execute_unprepared("ALTER TABLE event ADD COLUMN audience jsonb").await?;
                Ok(())
            }
        }
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("positions once given are not taken back".to_owned()))
    }
}

/// SQLite cannot drop a unique column: the table is made anew.
async fn rebuild(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    const KEPT: &str = "id, aggregate_kind, aggregate_id, sequence, kind, action, order_id, customer_id, account, \
                        unit_id, public, actor, request_id, occurred_at, note, changes";
    manager
        .create_table(
            table("event_anew")
                .col(big_integer("id").auto_increment().primary_key())
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
                .col(json_binary_null("audience"))
                .to_owned(),
        )
        .await?;
    let db = manager.get_connection();
    db.execute_unprepared(&format!("INSERT INTO event_anew ({KEPT}) SELECT {KEPT} FROM event")).await?;
    db.execute_unprepared("DROP TABLE event").await?;
    db.execute_unprepared("ALTER TABLE event_anew RENAME TO event").await?;
    index(manager, "event", &["order_id"], false).await?;
    index(manager, "event", &["aggregate_id", "sequence"], true).await
}
