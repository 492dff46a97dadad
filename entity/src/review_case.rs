//! Reviews of orders: checks, questions and answers, the decision.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub order_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub reviewer: String,
    pub opened_at: DateTimeUtc,
    #[sea_orm(column_type = "JsonBinary")]
    pub checks: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub clarifications: Json,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub decision: Option<Json>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
