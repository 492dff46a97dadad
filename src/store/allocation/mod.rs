//! Allocations with everything that belongs to their execution.

mod rows;

use std::collections::{BTreeMap, HashMap};

use entity::{allocation, allocation_decision, milestone, stock_item};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::allocation::{Allocation, AllocationDecision, AllocationStatus, UnitFacts};
use crate::domain::ids::{AllocationDecisionId, AllocationId, MilestoneId, OrderId, ProductId, UnitId};
use crate::domain::order::Order;
use crate::domain::reference::{ProductKind, UnitKind};
use crate::store::aggregate::load_many;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::reach::{Far, reach, reach_one};
use crate::store::row::{among, code, from_json, from_quantity, json, optional_code};
use crate::store::work::{Tracked, Work};
use crate::store::{Store, reference, scope};

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

/// What the rules must know of every executing unit about this order.
pub async fn unit_facts(work: &Work, order: OrderId, products: &[ProductId]) -> Result<Vec<UnitFacts>> {
    let units = reference::all_units(work.reference()).await?;
    let ended: Vec<&str> = AllocationStatus::ENDED.iter().map(|status| status.code()).collect();
    let open: Vec<(Uuid, i64)> = allocation::Entity::find()
        .filter(allocation::Column::Status.is_not_in(ended.into_iter().chain([AllocationStatus::Closed.code()])))
        .select_only()
        .column(allocation::Column::UnitId)
        .expr(Expr::col(allocation::Column::Id).count())
        .group_by(allocation::Column::UnitId)
        .into_tuple()
        .all(work.db().await?)
        .await?;
    let declined: Vec<(Uuid, String)> = allocation::Entity::find()
        .filter(allocation::Column::OrderId.eq(order.0))
        .filter(allocation::Column::Status.eq(AllocationStatus::Declined.code()))
        .select_only()
        .columns([allocation::Column::UnitId, allocation::Column::Kind])
        .into_tuple()
        .all(work.db().await?)
        .await?;
    let stock: Vec<stock_item::Model> = stock_item::Entity::find()
        .filter(among(stock_item::Column::ProductId, products.iter().map(|id| id.0)))
        .all(work.db().await?)
        .await?;
    let mut facts = Vec::new();
    for unit in units.iter().filter(|unit| !unit.capabilities.is_empty()) {
        // A unit's stock lies in the first warehouse below it.
        let mut warehouses: Vec<_> = units
            .iter()
            .filter(|other| other.kind == UnitKind::Warehouse && reference::is_below(&units, other.id, unit.id))
            .collect();
        warehouses.sort_by(|a, b| a.code.cmp(&b.code));
        let warehouse_id = warehouses.first().map(|warehouse| warehouse.id);
        let available: BTreeMap<ProductId, _> = stock
            .iter()
            .filter(|item| Some(UnitId(item.warehouse_id)) == warehouse_id)
            .map(|item| {
                let bound = from_quantity(item.reserved) + from_quantity(item.quality_hold);
                (ProductId(item.product_id), from_quantity(item.on_hand) - bound)
            })
            .collect();
        facts.push(UnitFacts {
            warehouse_id,
            open_allocations: open.iter().find(|(id, _)| *id == unit.id.0).map_or(0, |(_, count)| *count),
            available,
            declined: declined
                .iter()
                .filter(|(id, _)| *id == unit.id.0)
                .map(|(_, kind)| code(kind))
                .collect::<Result<Vec<ProductKind>>>()?,
            unit: unit.clone(),
        });
    }
    Ok(facts)
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
}

fn condition(actor: &Actor, filter: &AllocationFilter) -> Condition {
    let mut all = scope::allocations(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(allocation::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(units) = &filter.units {
        all = all.add(among(allocation::Column::UnitId, units.iter().map(|id| id.0)));
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
