//! Allocations with everything that belongs to their execution.

use std::collections::{BTreeMap, HashMap};

use entity::{
    allocation, allocation_decision, allocation_line, backorder, inspection, milestone,
    reservation, stock_item,
};
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::{Result, StoreError};
use super::page::{Keyset, Page, page};
use super::row::{
    among, code, from_json, from_quantity, json, optional_code, quantity, write_parts, write_root,
};
use super::work::{Tracked, Work};
use super::{Store, reference, scope};
use crate::domain::actor::Actor;
use crate::domain::allocation::{
    Allocation, AllocationDecision, AllocationLine, AllocationStatus, UnitFacts,
};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{
    AllocationDecisionId, AllocationId, MilestoneId, OrderId, ProductId, UnitId,
};
use crate::domain::inspection::Inspection;
use crate::domain::inventory::{Backorder, Reservation};
use crate::domain::progress::Milestone;
use crate::domain::reference::{ProductKind, UnitKind};

/// The rows of an allocation over all its tables.
pub struct AllocationRows {
    root: allocation::Model,
    lines: Vec<allocation_line::Model>,
    milestones: Vec<milestone::Model>,
    reservations: Vec<reservation::Model>,
    backorders: Vec<backorder::Model>,
    inspections: Vec<inspection::Model>,
}

impl Aggregate for Allocation {
    const KIND: AggregateKind = AggregateKind::Allocation;
    type Rows = AllocationRows;

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        Some(self.order_id)
    }
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.unit_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        let id = self.id.0;
        Ok(AllocationRows {
            root: allocation::Model {
                id,
                version: self.version,
                order_id: self.order_id.0,
                unit_id: self.unit_id.0,
                warehouse_id: self.warehouse_id.map(|id| id.0),
                kind: self.kind.code().to_owned(),
                status: self.status.code().to_owned(),
                decision_id: self.decision_id.0,
                assigned_at: self.assigned_at,
                accepted_by: self.accepted_by.clone(),
                decline_reason: self.decline_reason.clone(),
            },
            lines: self
                .lines
                .iter()
                .map(|line| line_row(id, line))
                .collect::<Result<_>>()?,
            milestones: self
                .milestones
                .iter()
                .map(|one| milestone_row(id, one))
                .collect(),
            reservations: self
                .reservations
                .iter()
                .map(|one| reservation_row(id, one))
                .collect::<Result<_>>()?,
            backorders: self
                .backorders
                .iter()
                .map(|one| backorder_row(id, one))
                .collect::<Result<_>>()?,
            inspections: self
                .inspections
                .iter()
                .map(|one| inspection_row(id, one))
                .collect::<Result<_>>()?,
        })
    }

    fn from_rows(mut rows: Self::Rows) -> Result<Self> {
        // Parts come in the order in which they came into being: identities are ordered by time.
        rows.lines.sort_by_key(|row| row.id);
        rows.milestones.sort_by_key(|row| row.sequence);
        rows.reservations.sort_by_key(|row| row.id);
        rows.backorders.sort_by_key(|row| row.id);
        rows.inspections.sort_by_key(|row| row.attempt);
        let root = rows.root;
        Ok(Self {
            id: root.id.into(),
            version: root.version,
            order_id: root.order_id.into(),
            unit_id: root.unit_id.into(),
            warehouse_id: root.warehouse_id.map(Into::into),
            kind: code(&root.kind)?,
            status: code(&root.status)?,
            decision_id: root.decision_id.into(),
            assigned_at: root.assigned_at,
            accepted_by: root.accepted_by,
            decline_reason: root.decline_reason,
            lines: rows.lines.into_iter().map(line).collect(),
            milestones: rows
                .milestones
                .into_iter()
                .map(milestone_part)
                .collect::<Result<_>>()?,
            reservations: rows
                .reservations
                .into_iter()
                .map(reservation_part)
                .collect::<Result<_>>()?,
            backorders: rows
                .backorders
                .into_iter()
                .map(backorder_part)
                .collect::<Result<_>>()?,
            inspections: rows
                .inspections
                .into_iter()
                .map(inspection_part)
                .collect::<Result<_>>()?,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = allocation::Entity::find()
            .filter(among(allocation::Column::Id, ids.to_vec()))
            .order_by_asc(allocation::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let roots = query.all(db).await?;
        macro_rules! parts {
            ($table:ident) => {{
                let mut parts: HashMap<Uuid, Vec<$table::Model>> = HashMap::new();
                for part in $table::Entity::find()
                    .filter(among($table::Column::AllocationId, ids.to_vec()))
                    .all(db)
                    .await?
                {
                    parts.entry(part.allocation_id).or_default().push(part);
                }
                parts
            }};
        }
        let mut lines = parts!(allocation_line);
        let mut milestones = parts!(milestone);
        let mut reservations = parts!(reservation);
        let mut backorders = parts!(backorder);
        let mut inspections = parts!(inspection);
        Ok(roots
            .into_iter()
            .map(|root| AllocationRows {
                lines: lines.remove(&root.id).unwrap_or_default(),
                milestones: milestones.remove(&root.id).unwrap_or_default(),
                reservations: reservations.remove(&root.id).unwrap_or_default(),
                backorders: backorders.remove(&root.id).unwrap_or_default(),
                inspections: inspections.remove(&root.id).unwrap_or_default(),
                root,
            })
            .collect())
    }

    async fn write(
        rows: &Self::Rows,
        before: Option<&Self::Rows>,
        db: &impl ConnectionTrait,
    ) -> Result<bool> {
        if !write_root!(db, allocation, rows.root, before.map(|rows| &rows.root)) {
            return Ok(false);
        }
        macro_rules! parts {
            ($table:ident, $field:ident) => {
                write_parts::<$table::Entity, _>(
                    db,
                    &rows.$field,
                    before.map_or(&[][..], |rows| &rows.$field),
                    |row| row.id,
                )
                .await?
            };
        }
        parts!(allocation_line, lines);
        parts!(milestone, milestones);
        parts!(reservation, reservations);
        parts!(backorder, backorders);
        parts!(inspection, inspections);
        Ok(true)
    }
}

fn line_row(allocation_id: Uuid, line: &AllocationLine) -> Result<allocation_line::Model> {
    Ok(allocation_line::Model {
        id: line.id.0,
        allocation_id,
        order_line_id: line.order_line_id.0,
        product_id: line.product_id.0,
        sku: line.sku.clone(),
        quantity: quantity(line.quantity)?,
        reserved: quantity(line.reserved)?,
        produced: quantity(line.produced)?,
        passed: quantity(line.passed)?,
        planned: quantity(line.planned)?,
        dispatched: quantity(line.dispatched)?,
        confirmed: quantity(line.confirmed)?,
    })
}

fn line(row: allocation_line::Model) -> AllocationLine {
    AllocationLine {
        id: row.id.into(),
        order_line_id: row.order_line_id.into(),
        product_id: row.product_id.into(),
        sku: row.sku,
        quantity: from_quantity(row.quantity),
        reserved: from_quantity(row.reserved),
        produced: from_quantity(row.produced),
        passed: from_quantity(row.passed),
        planned: from_quantity(row.planned),
        dispatched: from_quantity(row.dispatched),
        confirmed: from_quantity(row.confirmed),
    }
}

fn milestone_row(allocation_id: Uuid, one: &Milestone) -> milestone::Model {
    milestone::Model {
        id: one.id.0,
        allocation_id,
        sequence: one.sequence,
        code: one.code.clone(),
        name: one.name.clone(),
        responsible: one.responsible.clone(),
        status: one.status.code().to_owned(),
        needs_stock: one.needs_stock,
        produces: one.produces,
        planned_start: one.planned_start,
        due_at: one.due_at,
        started_at: one.started_at,
        completed_at: one.completed_at,
        block_cause: one.block_cause.clone(),
        block_measure: one.block_measure.clone(),
    }
}

fn milestone_part(row: milestone::Model) -> Result<Milestone> {
    Ok(Milestone {
        id: row.id.into(),
        sequence: row.sequence,
        code: row.code,
        name: row.name,
        responsible: row.responsible,
        status: code(&row.status)?,
        needs_stock: row.needs_stock,
        produces: row.produces,
        planned_start: row.planned_start,
        due_at: row.due_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
        block_cause: row.block_cause,
        block_measure: row.block_measure,
    })
}

fn reservation_row(allocation_id: Uuid, one: &Reservation) -> Result<reservation::Model> {
    Ok(reservation::Model {
        id: one.id.0,
        allocation_id,
        stock_item_id: one.stock_item_id.0,
        product_id: one.product_id.0,
        line_id: one.line_id.0,
        quantity: quantity(one.quantity)?,
        consumed: quantity(one.consumed)?,
        status: one.status.code().to_owned(),
    })
}

pub(super) fn reservation_part(row: reservation::Model) -> Result<Reservation> {
    Ok(Reservation {
        id: row.id.into(),
        stock_item_id: row.stock_item_id.into(),
        product_id: row.product_id.into(),
        line_id: row.line_id.into(),
        quantity: from_quantity(row.quantity),
        consumed: from_quantity(row.consumed),
        status: code(&row.status)?,
    })
}

fn backorder_row(allocation_id: Uuid, one: &Backorder) -> Result<backorder::Model> {
    Ok(backorder::Model {
        id: one.id.0,
        allocation_id,
        stock_item_id: one.stock_item_id.0,
        product_id: one.product_id.0,
        line_id: one.line_id.0,
        priority: one.priority.code().to_owned(),
        quantity: quantity(one.quantity)?,
        filled: quantity(one.filled)?,
        status: one.status.code().to_owned(),
        created_at: one.created_at,
    })
}

pub(super) fn backorder_part(row: backorder::Model) -> Result<Backorder> {
    Ok(Backorder {
        id: row.id.into(),
        stock_item_id: row.stock_item_id.into(),
        product_id: row.product_id.into(),
        line_id: row.line_id.into(),
        priority: code(&row.priority)?,
        quantity: from_quantity(row.quantity),
        filled: from_quantity(row.filled),
        status: code(&row.status)?,
        created_at: row.created_at,
    })
}

fn inspection_row(allocation_id: Uuid, one: &Inspection) -> Result<inspection::Model> {
    Ok(inspection::Model {
        id: one.id.0,
        allocation_id,
        attempt: one.attempt,
        result: one.result.code().to_owned(),
        checklist: json(&one.checklist)?,
        accepted: json(&one.accepted)?,
        findings: one.findings.clone(),
        inspector: one.inspector.clone(),
        inspected_at: one.inspected_at,
    })
}

fn inspection_part(row: inspection::Model) -> Result<Inspection> {
    Ok(Inspection {
        id: row.id.into(),
        attempt: row.attempt,
        result: code(&row.result)?,
        checklist: from_json(row.checklist)?,
        accepted: from_json(row.accepted)?,
        findings: row.findings,
        inspector: row.inspector,
        inspected_at: row.inspected_at,
    })
}

/// The order of an allocation that exists for the caller.
pub async fn order_of(work: &Work, id: AllocationId) -> Result<OrderId> {
    let visible = scope::allocations(&work.actor().scope);
    work.visible_id::<allocation::Entity>(
        allocation::Column::Id,
        id.0,
        visible,
        allocation::Column::OrderId,
    )
    .await
    .map(OrderId)
}

/// The allocation of a milestone.
pub async fn of_milestone(work: &Work, id: MilestoneId) -> Result<AllocationId> {
    work.visible_id::<milestone::Entity>(
        milestone::Column::Id,
        id.0,
        Condition::all(),
        milestone::Column::AllocationId,
    )
    .await
    .map(AllocationId)
}

/// Every allocation of an order within a command; locked.
pub async fn all_of_order(work: &Work, order: OrderId) -> Result<Vec<Tracked<Allocation>>> {
    let ids = ids_of_orders(work.db(), &[order]).await?;
    work.find_many(&ids).await
}

async fn ids_of_orders(db: &impl ConnectionTrait, orders: &[OrderId]) -> Result<Vec<Uuid>> {
    Ok(allocation::Entity::find()
        .filter(among(
            allocation::Column::OrderId,
            orders.iter().map(|id| id.0),
        ))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Keeps a decision.
pub async fn keep_decision(work: &Work, decision: &AllocationDecision) -> Result<()> {
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
    allocation_decision::Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(work.db())
        .await?;
    Ok(())
}

fn decision(row: allocation_decision::Model) -> Result<AllocationDecision> {
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
pub async fn decisions(
    store: &Store,
    ids: &[AllocationDecisionId],
) -> Result<Vec<AllocationDecision>> {
    let rows = allocation_decision::Entity::find()
        .filter(among(
            allocation_decision::Column::Id,
            ids.iter().map(|id| id.0),
        ))
        .all(store.reader())
        .await?;
    rows.into_iter().map(decision).collect()
}

/// What the rules must know of every executing unit about this order.
pub async fn unit_facts(
    work: &Work,
    order: OrderId,
    products: &[ProductId],
) -> Result<Vec<UnitFacts>> {
    let units = reference::all_units(work.db()).await?;
    let ended: Vec<&str> = AllocationStatus::ENDED
        .iter()
        .map(|status| status.code())
        .collect();
    let open: Vec<(Uuid, i64)> = allocation::Entity::find()
        .filter(
            allocation::Column::Status
                .is_not_in(ended.into_iter().chain([AllocationStatus::Closed.code()])),
        )
        .select_only()
        .column(allocation::Column::UnitId)
        .expr(Expr::col(allocation::Column::Id).count())
        .group_by(allocation::Column::UnitId)
        .into_tuple()
        .all(work.db())
        .await?;
    let declined: Vec<(Uuid, String)> = allocation::Entity::find()
        .filter(allocation::Column::OrderId.eq(order.0))
        .filter(allocation::Column::Status.eq(AllocationStatus::Declined.code()))
        .select_only()
        .columns([allocation::Column::UnitId, allocation::Column::Kind])
        .into_tuple()
        .all(work.db())
        .await?;
    let stock: Vec<stock_item::Model> = stock_item::Entity::find()
        .filter(among(
            stock_item::Column::ProductId,
            products.iter().map(|id| id.0),
        ))
        .all(work.db())
        .await?;
    let mut facts = Vec::new();
    for unit in units.iter().filter(|unit| !unit.capabilities.is_empty()) {
        // A unit's stock lies in the first warehouse below it.
        let mut warehouses: Vec<_> = units
            .iter()
            .filter(|other| {
                other.kind == UnitKind::Warehouse && reference::is_below(&units, other.id, unit.id)
            })
            .collect();
        warehouses.sort_by(|a, b| a.code.cmp(&b.code));
        let warehouse_id = warehouses.first().map(|warehouse| warehouse.id);
        let available: BTreeMap<ProductId, _> = stock
            .iter()
            .filter(|item| Some(UnitId(item.warehouse_id)) == warehouse_id)
            .map(|item| {
                (
                    ProductId(item.product_id),
                    from_quantity(item.on_hand) - from_quantity(item.reserved),
                )
            })
            .collect();
        facts.push(UnitFacts {
            warehouse_id,
            open_allocations: open
                .iter()
                .find(|(id, _)| *id == unit.id.0)
                .map_or(0, |(_, count)| *count),
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
        all = all.add(among(
            allocation::Column::Status,
            status.iter().map(|one| one.code()),
        ));
    }
    if let Some(units) = &filter.units {
        all = all.add(among(
            allocation::Column::UnitId,
            units.iter().map(|id| id.0),
        ));
    }
    if let Some(order) = filter.order {
        all = all.add(allocation::Column::OrderId.eq(order.0));
    }
    all
}

/// A page of the allocations that exist for the actor, newest first.
pub async fn list(
    store: &Store,
    actor: &Actor,
    filter: &AllocationFilter,
    keyset: Keyset,
) -> Result<Page<Allocation>> {
    let query = allocation::Entity::find().filter(condition(actor, filter));
    let rows = page(
        query,
        allocation::Column::AssignedAt,
        allocation::Column::Id,
        true,
        keyset,
        store.reader(),
        |row| (row.assigned_at.to_rfc3339(), row.id),
    )
    .await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| row.id).collect();
    let mut loaded: HashMap<Uuid, Allocation> =
        load_many::<Allocation>(store.reader(), &ids, false)
            .await?
            .into_iter()
            .map(|one| (one.id.0, one))
            .collect();
    rows.map(|row| loaded.remove(&row.id).ok_or(StoreError::NotFound))
}

/// How many allocations the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &AllocationFilter) -> Result<u64> {
    Ok(allocation::Entity::find()
        .filter(condition(actor, filter))
        .count(store.reader())
        .await?)
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
pub async fn of_orders(
    store: &Store,
    actor: &Actor,
    orders: &[OrderId],
) -> Result<Vec<Allocation>> {
    let visible: Vec<Uuid> = allocation::Entity::find()
        .filter(among(
            allocation::Column::OrderId,
            orders.iter().map(|id| id.0),
        ))
        .filter(scope::allocations(&actor.scope))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &visible, false).await
}

/// The allocations that hold these milestones, as far as they exist for the actor.
pub async fn of_milestones(
    store: &Store,
    actor: &Actor,
    ids: &[MilestoneId],
) -> Result<Vec<Allocation>> {
    let allocations: Vec<Uuid> = milestone::Entity::find()
        .filter(among(milestone::Column::Id, ids.iter().map(|id| id.0)))
        .select_only()
        .column(milestone::Column::AllocationId)
        .into_tuple()
        .all(store.reader())
        .await?;
    by_ids(
        store,
        actor,
        &allocations
            .into_iter()
            .map(AllocationId)
            .collect::<Vec<_>>(),
    )
    .await
}
