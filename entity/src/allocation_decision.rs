//! Why shares of orders went where they went; rows never change.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "allocation_decision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub mode: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub decided_by_rule: Option<String>,
    pub rule_set_version: i32,
    #[sea_orm(column_type = "Text")]
    pub decided_by: String,
    pub decided_at: DateTimeUtc,
    #[sea_orm(column_type = "JsonBinary")]
    pub candidates: Json,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub outcome: Option<Json>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
