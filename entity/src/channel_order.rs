//! Orders as the channels they came over tell of them.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_order")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub channel_id: Uuid,
    pub order_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub reference: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub name: Option<String>,
    pub placed_at: Option<DateTimeUtc>,
    pub told_at: Option<DateTimeUtc>,
    pub cancelled: bool,
    #[sea_orm(column_type = "Text")]
    pub applied: String,
    #[sea_orm(column_type = "Text")]
    pub told: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub charges: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub lines: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub faults: Json,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
