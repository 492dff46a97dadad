//! Requests to procure more of a stock item.

use crate::Quantity;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replenishment_request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub stock_item_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    pub quantity: Quantity,
    pub received: Quantity,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    pub requested_at: DateTimeUtc,
    #[sea_orm(column_type = "Text", nullable)]
    pub decided_by: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub supplier: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub supplier_reference: Option<String>,
    pub expected_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub ended_reason: Option<String>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
