//! What confirmed quantities are worth; rows never change.

use crate::{Price, Quantity};
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub order_line_id: Uuid,
    pub delivery_id: Uuid,
    pub confirmation_id: Uuid,
    pub quantity: Quantity,
    pub amount: Price,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    pub settled_at: DateTimeUtc,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
