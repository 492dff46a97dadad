//! Changes of stock items; rows never change.

use crate::Quantity;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub stock_item_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    pub on_hand_change: Quantity,
    pub reserved_change: Quantity,
    pub order_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub moved_by: String,
    pub moved_at: DateTimeUtc,
    pub quality_hold_change: Quantity,
    pub transfer_id: Option<Uuid>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
