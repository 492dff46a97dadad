//! What was counted of a stock item.

use crate::Quantity;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stocktake_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub stocktake_id: Uuid,
    pub stock_item_id: Uuid,
    pub product_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub sku: String,
    pub counted: Option<Quantity>,
    pub book: Option<Quantity>,
    #[sea_orm(column_type = "Text", nullable)]
    pub counted_by: Option<String>,
    pub counted_at: Option<DateTimeUtc>,
    pub within_tolerance: Option<bool>,
    pub open: bool,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
