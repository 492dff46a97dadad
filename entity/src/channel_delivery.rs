//! What channels delivered, and what came of it. The bodies are in a table of their own.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub channel_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub recognized_by: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub delivery_number: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub topic: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub headers: Json,
    pub received_at: DateTimeUtc,
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub remark: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub reference: Option<String>,
    pub order_id: Option<Uuid>,
    pub attempts: i32,
    pub due_at: DateTimeUtc,
    pub processed_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub processed_by: Option<String>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
