//! Lines of orders with their counts.

use crate::{Price, Quantity};
use sea_orm::entity::prelude::*;
use serde::Deserialize;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub line_number: i32,
    pub product_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub sku: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub category: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub kind: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub unit_of_measure: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub specification: Option<String>,
    pub unit_price: Price,
    pub discount_rate: Price,
    pub total: Price,
    pub ordered: Quantity,
    pub cancelled: Quantity,
    pub allocated: Quantity,
    pub reserved: Quantity,
    pub produced: Quantity,
    pub passed: Quantity,
    pub dispatched: Quantity,
    pub delivered: Quantity,
    pub confirmed: Quantity,
    pub returned: Quantity,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
