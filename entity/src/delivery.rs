//! Deliveries.

use crate::Price;
use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub number: String,
    pub order_id: Uuid,
    pub allocation_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub method: String,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    pub cost: Price,
    pub planned_arrival: Date,
    #[sea_orm(column_type = "Text", nullable)]
    pub carrier: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub tracking_number: Option<String>,
    pub appointment: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub planned_by: String,
    pub planned_at: DateTimeUtc,
    pub dispatched_at: Option<DateTimeUtc>,
    pub delivered_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub confirmation_status: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub confirmations: Json,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
