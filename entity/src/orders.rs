//! Orders. `search` is what free text looks in; `stage` and `fingerprint` follow from the rest.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub number: String,
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub account: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub external_reference: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    #[sea_orm(column_type = "Text")]
    pub fingerprint: String,
    pub customer_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub contact: Json,
    #[sea_orm(column_type = "Text")]
    pub region: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub delivery_address: Json,
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    #[sea_orm(column_type = "Text")]
    pub priority: String,
    pub required_by: Date,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub stage: String,
    #[sea_orm(column_type = "Text")]
    pub search: String,
    #[sea_orm(column_type = "Text")]
    pub submitted_by: String,
    pub submitted_at: DateTimeUtc,
    pub completed_at: Option<DateTimeUtc>,
    pub rule_set_version: i32,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub cancellation: Option<Json>,
    #[sea_orm(column_type = "JsonBinary")]
    pub holds: Json,
    pub unallocatable_since: Option<DateTimeUtc>,
    pub allocation_retry_at: Option<DateTimeUtc>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
