//! Inspections before delivery; rows never change.

use sea_orm::entity::prelude::*;
use serde::Deserialize;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "inspection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub allocation_id: Uuid,
    pub attempt: i32,
    #[sea_orm(column_type = "Text")]
    pub result: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub checklist: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub accepted: Json,
    #[sea_orm(column_type = "Text", nullable)]
    pub findings: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub inspector: String,
    pub inspected_at: DateTimeUtc,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
