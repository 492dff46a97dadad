//! Decisions of the past, in the order in which they were made.

use chrono::{DateTime, Utc};
use entity::allocation_decision;
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::decision;
use crate::domain::actor::Actor;
use crate::domain::allocation::{AllocationDecision, DecisionMode};
use crate::store::error::Result;
use crate::store::{Store, scope};

/// A stretch of the past.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// Decisions from this moment on.
    pub from: DateTime<Utc>,
    /// Decisions before this moment.
    pub to: DateTime<Utc>,
    /// Only those behind this one, by moment and identity.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

/// Decisions by the rules about orders that exist for the actor, oldest first.
pub async fn decided_between(store: &Store, actor: &Actor, past: Past, limit: u64) -> Result<Vec<AllocationDecision>> {
    let mut stretch = Condition::all()
        .add(allocation_decision::Column::Mode.eq(DecisionMode::Auto.code()))
        .add(allocation_decision::Column::DecidedAt.gte(past.from))
        .add(allocation_decision::Column::DecidedAt.lt(past.to))
        .add(scope::decisions(&actor.scope));
    if let Some((moment, id)) = past.after {
        stretch = stretch.add(
            Condition::any().add(allocation_decision::Column::DecidedAt.gt(moment)).add(
                Condition::all()
                    .add(allocation_decision::Column::DecidedAt.eq(moment))
                    .add(allocation_decision::Column::Id.gt(id)),
            ),
        );
    }
    let rows = allocation_decision::Entity::find()
        .filter(stretch)
        .order_by_asc(allocation_decision::Column::DecidedAt)
        .order_by_asc(allocation_decision::Column::Id)
        .limit(limit)
        .all(store.reader())
        .await?;
    rows.into_iter().map(decision).collect()
}
