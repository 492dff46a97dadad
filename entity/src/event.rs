//! What happened: audit trail and feed in one, written once. `sequence` is the aggregate's version; the position among all
//! events is in `event_log`.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "Text")]
    pub aggregate_kind: String,
    pub aggregate_id: Uuid,
    pub sequence: i64,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    #[sea_orm(column_type = "Text")]
    pub action: String,
    pub order_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub account: Option<String>,
    pub unit_id: Option<Uuid>,
    pub public: bool,
    #[sea_orm(column_type = "Text")]
    pub actor: String,
    #[sea_orm(column_type = "Text")]
    pub request_id: String,
    pub occurred_at: DateTimeUtc,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub changes: Json,
    /// Units with a share in the order before or after the event.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub audience: Option<Json>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
