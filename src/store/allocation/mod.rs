//! Allocations with everything that belongs to their execution.

mod due;
mod facts;
mod past;
mod queue;
mod rows;

use std::collections::HashMap;

use entity::{allocation, allocation_decision, milestone};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::allocation::{Allocation, AllocationDecision, AllocationStatus};
use crate::domain::ids::{AllocationDecisionId, AllocationId, MilestoneId, OrderId, UnitId};
use crate::domain::order::Order;
use crate::store::aggregate::load_many;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::reach::{Far, reach, reach_one};
use crate::store::row::{among, code, from_json, json, optional_code};
use crate::store::work::{Tracked, Work};
use crate::store::{Store, scope};

pub use due::{answers_due, to_allocate};
pub use facts::{Situation, of_order as situation, of_wishes as wished};
pub use past::{Past, decided_between};
pub use queue::{count as count_unallocatable, list as unallocatable, reasons as unallocatable_reasons};
pub(super) use rows::{AllocationRows, backorder_part, reservation_part};

/// An allocation that exists for the caller, and its order; both locked, the order first.
pub async fn with_order(work: &Work, id: AllocationId) -> Result<(Tracked<Order>, Tracked<Allocation>)> {
    reached(work, allocation::Column::Id.eq(id.0)).await
}

/// The same for the allocation of a milestone.
pub async fn of_milestone(work: &Work, id: MilestoneId) -> Result<(Tracked<Order>, Tracked<Allocation>)> {
    let of = Query::select()
        .column(milestone::Column::AllocationId)
        .from(milestone::Entity)
        .and_where(milestone::Column::Id.eq(id.0))
        .take();
    let of = Expr::SubQuery(None, Box::new(of.into()));
    reached(work, Expr::col((allocation::Entity, allocation::Column::Id)).eq(of)).await
}

/// Allocations that were reached through something visible, each with its order; all locked.
pub async fn all_with_orders(
    work: &Work,
    ids: impl IntoIterator<Item = AllocationId>,
) -> Result<Vec<(Tracked<Order>, Tracked<Allocation>)>> {
    let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = reach(work, Far::Allocation, among(allocation::Column::Id, ids)).await?;
    Ok(found.into_iter().filter_map(|one| Some((one.order, one.share?))).collect())
}

async fn reached(work: &Work, which: Expr) -> Result<(Tracked<Order>, Tracked<Allocation>)> {
    let which = scope::allocations(&work.actor().scope).add(which);
    let found = reach_one(work, Far::Allocation, Condition::all().add(which)).await?;
    Ok((found.order, found.share.ok_or(StoreError::NotFound)?))
}

/// Every allocation of an order within a command; locked.
pub async fn all_of_order(work: &Work, order: OrderId) -> Result<Vec<Tracked<Allocation>>> {
    let ids = ids_of_orders(work.db().await?, &[order]).await?;
    work.find_many(&ids).await
}

async fn ids_of_orders(db: &impl ConnectionTrait, orders: &[OrderId]) -> Result<Vec<Uuid>> {
    Ok(allocation::Entity::find()
        .filter(among(allocation::Column::OrderId, orders.iter().map(|id| id.0)))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Keeps a decision.
pub fn keep_decision(work: &Work, decision: &AllocationDecision) -> Result<()> {
    let row = allocation_decision::Model {
        id: decision.id.0,
        order_id: decision.order_id.0,
        mode: decision.mode.code().to_owned(),
        reason: decision.reason.clone(),
        decided_by_rule: decision.decided_by_rule.map(|rule| rule.code().to_owned()),
        rule_set_version: decision.rule_set_version,
        decided_by: decision.decided_by.clone(),
        decided_at: decision.decided_at,
        candidates: json(&decision.candidates)?,
        outcome: decision.outcome.as_ref().map(json).transpose()?,
    };
    work.write(|writes| writes.new_row::<allocation_decision::Entity>(&row))
}

pub(super) fn decision(row: allocation_decision::Model) -> Result<AllocationDecision> {
    Ok(AllocationDecision {
        id: row.id.into(),
        order_id: row.order_id.into(),
        mode: code(&row.mode)?,
        reason: row.reason,
        decided_by_rule: optional_code(row.decided_by_rule.as_ref())?,
        rule_set_version: row.rule_set_version,
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        candidates: from_json(row.candidates)?,
        outcome: row.outcome.map(from_json).transpose()?,
    })
}

/// Decisions by id; their allocations were found visible before.
pub async fn decisions(store: &Store, ids: &[AllocationDecisionId]) -> Result<Vec<AllocationDecision>> {
    let rows = allocation_decision::Entity::find()
        .filter(among(allocation_decision::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(decision).collect()
}

/// What a list of allocations is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct AllocationFilter {
    /// One of these states.
    pub status: Option<Vec<AllocationStatus>>,
    /// Of one of these units.
    pub units: Option<Vec<UnitId>>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// Escalated: the unit has not answered in time, or answered late.
    pub escalated: Option<bool>,
}

fn condition(actor: &Actor, filter: &AllocationFilter) -> Condition {
    let mut all = scope::allocations(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(allocation::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(units) = &filter.units {
        all = all.add(among(allocation::Column::UnitId, units.iter().map(|id| id.0)));
    }
    if let Some(escalated) = filter.escalated {
        // Literally what the partial index says, or no plan may use it.
        all = all.add(Expr::cust(if escalated { "escalation_level > 0" } else { "escalation_level = 0" }));
    }
    if let Some(order) = filter.order {
        all = all.add(allocation::Column::OrderId.eq(order.0));
    }
    all
}

/// A page of the allocations that exist for the actor, newest first.
pub async fn list(store: &Store, actor: &Actor, filter: &AllocationFilter, keyset: Keyset) -> Result<Page<Allocation>> {
    let query = allocation::Entity::find().filter(condition(actor, filter));
    let rows =
        page(query, allocation::Column::AssignedAt, allocation::Column::Id, true, keyset, store.reader(), |row| {
            (row.assigned_at.to_rfc3339(), row.id)
        })
        .await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| row.id).collect();
    let mut loaded: HashMap<Uuid, Allocation> =
        load_many::<Allocation>(store.reader(), &ids, false).await?.into_iter().map(|one| (one.id.0, one)).collect();
    rows.map(|row| loaded.remove(&row.id).ok_or(StoreError::NotFound))
}

/// How many allocations the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &AllocationFilter) -> Result<u64> {
    Ok(allocation::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Allocations by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[AllocationId]) -> Result<Vec<Allocation>> {
    let visible: Vec<Uuid> = allocation::Entity::find()
        .filter(among(allocation::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::allocations(&actor.scope))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &visible, false).await
}

/// The allocations of orders, as far as they exist for the actor.
pub async fn of_orders(store: &Store, actor: &Actor, orders: &[OrderId]) -> Result<Vec<Allocation>> {
    let visible: Vec<Uuid> = allocation::Entity::find()
        .filter(among(allocation::Column::OrderId, orders.iter().map(|id| id.0)))
        .filter(scope::allocations(&actor.scope))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &visible, false).await
}

/// The allocations that hold these milestones, as far as they exist for the actor.
pub async fn of_milestones(store: &Store, actor: &Actor, ids: &[MilestoneId]) -> Result<Vec<Allocation>> {
    let allocations: Vec<Uuid> = milestone::Entity::find()
        .filter(among(milestone::Column::Id, ids.iter().map(|id| id.0)))
        .select_only()
        .column(milestone::Column::AllocationId)
        .into_tuple()
        .all(store.reader())
        .await?;
    by_ids(store, actor, &allocations.into_iter().map(AllocationId).collect::<Vec<_>>()).await
}
