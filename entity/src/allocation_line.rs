//! Lines of allocations.

use crate::Quantity;
use sea_orm::entity::prelude::*;
use serde::Deserialize;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "allocation_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub allocation_id: Uuid,
    pub order_line_id: Uuid,
    pub product_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub sku: String,
    pub quantity: Quantity,
    pub reserved: Quantity,
    pub produced: Quantity,
    pub passed: Quantity,
    pub planned: Quantity,
    pub dispatched: Quantity,
    pub confirmed: Quantity,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
