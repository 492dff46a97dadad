//! Stock set aside for allocation lines.

use crate::Quantity;
use sea_orm::entity::prelude::*;
use serde::Deserialize;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub allocation_id: Uuid,
    pub stock_item_id: Uuid,
    pub product_id: Uuid,
    pub line_id: Uuid,
    pub quantity: Quantity,
    pub consumed: Quantity,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    pub expires_at: Option<DateTimeUtc>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
