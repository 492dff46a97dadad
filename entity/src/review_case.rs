//! Reviews of orders: checks, questions and answers, approvals, the decision.

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
    #[sea_orm(column_type = "Text", nullable)]
    pub owner: Option<String>,
    pub waiting_since: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub assessment: Option<Json>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub approvals: Option<Json>,
    /// The level that is waited for; for the queue.
    pub awaited_level: Option<i32>,
    /// When whoever placed the order is to be reminded, and when the order expires; for the clock.
    pub remind_at: Option<DateTimeUtc>,
    pub due_at: Option<DateTimeUtc>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
