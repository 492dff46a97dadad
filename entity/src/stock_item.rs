//! Products in warehouses.

use crate::Quantity;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub product_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub sku: String,
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    pub safety_stock: Quantity,
    pub reorder_point: Quantity,
    pub quality_hold: Quantity,
    pub reorder_quantity: Quantity,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
