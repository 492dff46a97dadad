//! After-sales tickets.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub number: String,
    pub order_id: Uuid,
    pub order_line_id: Option<Uuid>,
    pub customer_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub ticket_type: String,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub occurred_at: DateTimeUtc,
    pub team_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub opened_by: String,
    pub opened_at: DateTimeUtc,
    pub first_contact_due: DateTimeUtc,
    pub first_contact_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary")]
    pub contacts: Json,
    #[sea_orm(column_type = "Text", nullable)]
    pub resolution: Option<String>,
    pub resolved_at: Option<DateTimeUtc>,
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
