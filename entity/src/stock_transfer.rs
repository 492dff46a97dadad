//! Goods on their way from one warehouse to another.

use crate::Quantity;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_transfer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub number: String,
    pub product_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub sku: String,
    pub from_item_id: Uuid,
    pub from_warehouse_id: Uuid,
    pub to_item_id: Uuid,
    pub to_warehouse_id: Uuid,
    pub quantity: Quantity,
    pub received: Quantity,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    pub expected_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub requested_by: String,
    pub requested_at: DateTimeUtc,
    #[sea_orm(column_type = "Text", nullable)]
    pub dispatched_by: Option<String>,
    pub dispatched_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub ended_reason: Option<String>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
