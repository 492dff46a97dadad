//! The keys that channels sign with: apart from the channels, so that no event and no list ever holds one.

use sea_orm::entity::prelude::*;

/// A row. The key is empty once its secret does not count any more.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub channel_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub key: String,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "channel_key {}", self.id)
    }
}

/// None declared: the store joins by hand, set by set.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
