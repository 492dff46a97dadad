//! Orders for which no unit was found.

use entity::{allocation_decision, orders};
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::decision;
use crate::domain::actor::Actor;
use crate::domain::allocation::{AllocationDecision, DecisionMode};
use crate::domain::ids::OrderId;
use crate::domain::order::Order;
use crate::store::aggregate::load_many;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::among;
use crate::store::{Store, scope};

fn condition(actor: &Actor) -> Condition {
    scope::orders(&actor.scope).add(orders::Column::UnallocatableSince.is_not_null())
}

/// A page of the orders that exist for the actor and for which no unit was found, those that have waited
/// longest first.
pub async fn list(store: &Store, actor: &Actor, keyset: Keyset) -> Result<Page<Order>> {
    let query = orders::Entity::find().filter(condition(actor));
    let rows =
        page(query, orders::Column::UnallocatableSince, orders::Column::Id, false, keyset, store.reader(), |row| {
            (row.unallocatable_since.map(|since| since.to_rfc3339()).unwrap_or_default(), row.id)
        })
        .await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| row.id).collect();
    let mut loaded: std::collections::HashMap<Uuid, Order> =
        load_many::<Order>(store.reader(), &ids, false).await?.into_iter().map(|one| (one.id.0, one)).collect();
    rows.map(|row| loaded.remove(&row.id).ok_or(StoreError::NotFound))
}

/// How many they are.
pub async fn count(store: &Store, actor: &Actor) -> Result<u64> {
    Ok(orders::Entity::find().filter(condition(actor)).count(store.reader()).await?)
}

/// Why no unit was found: of each order that was found visible before, the decisions of its last attempt
/// that left something over.
pub async fn reasons(store: &Store, ids: &[OrderId]) -> Result<Vec<AllocationDecision>> {
    let (this, other) = (allocation_decision::Entity, Alias::new("other"));
    let of = |column: allocation_decision::Column| Expr::col((other.clone(), column));
    let last = Query::select()
        .expr(of(allocation_decision::Column::DecidedAt).max())
        .from_as(this, other.clone())
        .and_where(of(allocation_decision::Column::OrderId).equals((this, allocation_decision::Column::OrderId)))
        .and_where(of(allocation_decision::Column::Mode).eq(DecisionMode::Auto.code()))
        .take();
    let rows = allocation_decision::Entity::find()
        .filter(among(allocation_decision::Column::OrderId, ids.iter().map(|id| id.0)))
        .filter(allocation_decision::Column::Mode.eq(DecisionMode::Auto.code()))
        .filter(
            Expr::col((this, allocation_decision::Column::DecidedAt)).eq(Expr::SubQuery(None, Box::new(last.into()))),
        )
        .order_by_asc(allocation_decision::Column::Id)
        .all(store.reader())
        .await?;
    let mut found: Vec<AllocationDecision> = rows.into_iter().map(decision).collect::<Result<_>>()?;
    found.retain(|one| one.outcome.as_ref().is_some_and(|outcome| !outcome.unallocated.is_empty()));
    Ok(found)
}
