//! An allocation's rows over all its tables.

use crate::domain::allocation::{Allocation, AllocationLine};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, UnitId};
use crate::domain::inspection::Inspection;
use crate::domain::inventory::{Backorder, Reservation};
use crate::domain::progress::Milestone;
use crate::store::aggregate::Aggregate;
use crate::store::concerned::Parties;
use crate::store::error::Result;
use crate::store::parts::{Parts, Wanted};
use crate::store::row::{among, code, from_json, from_quantity, json, quantity};
use crate::store::work::Saved;
use crate::store::write::Writes;
use entity::{allocation, allocation_line, backorder, inspection, milestone, reservation};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::Arc;
use uuid::Uuid;

/// The rows of an allocation over all its tables.
pub struct AllocationRows {
    pub(in crate::store) root: allocation::Model,
    pub(in crate::store) lines: Vec<allocation_line::Model>,
    pub(in crate::store) milestones: Vec<milestone::Model>,
    pub(in crate::store) reservations: Vec<reservation::Model>,
    pub(in crate::store) backorders: Vec<backorder::Model>,
    pub(in crate::store) inspections: Vec<inspection::Model>,
}

impl AllocationRows {
    /// The rows of one among those that were read.
    pub(in crate::store) fn of(root: allocation::Model, parts: &mut Parts) -> Self {
        Self {
            lines: parts.lines.remove(&root.id).unwrap_or_default(),
            milestones: parts.milestones.remove(&root.id).unwrap_or_default(),
            reservations: parts.reservations.remove(&root.id).unwrap_or_default(),
            backorders: parts.backorders.remove(&root.id).unwrap_or_default(),
            inspections: parts.inspections.remove(&root.id).unwrap_or_default(),
            root,
        }
    }
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
                accept_by: self.accept_by,
                escalation_level: self.escalation_level,
            },
            lines: self.lines.iter().map(|line| line_row(id, line)).collect::<Result<_>>()?,
            milestones: self.milestones.iter().map(|one| milestone_row(id, one)).collect(),
            reservations: self.reservations.iter().map(|one| reservation_row(id, one)).collect::<Result<_>>()?,
            backorders: self.backorders.iter().map(|one| backorder_row(id, one)).collect::<Result<_>>()?,
            inspections: self.inspections.iter().map(|one| inspection_row(id, one)).collect::<Result<_>>()?,
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
            accept_by: root.accept_by,
            escalation_level: root.escalation_level,
            lines: rows.lines.into_iter().map(line).collect(),
            milestones: rows.milestones.into_iter().map(milestone_part).collect::<Result<_>>()?,
            reservations: rows.reservations.into_iter().map(reservation_part).collect::<Result<_>>()?,
            backorders: rows.backorders.into_iter().map(backorder_part).collect::<Result<_>>()?,
            inspections: rows.inspections.into_iter().map(inspection_part).collect::<Result<_>>()?,
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
        let wanted = Wanted { allocations: roots.iter().map(|root| root.id).collect(), ..Wanted::default() };
        let mut parts = Parts::of(db, wanted).await?;
        Ok(roots.into_iter().map(|root| AllocationRows::of(root, &mut parts)).collect())
    }

    fn write(rows: &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<allocation::Entity>(&rows.root)?;
        macro_rules! parts {
            ($table:ident, $field:ident) => {
                let former = before.map_or(&[][..], |rows| &rows.$field);
                writes.parts::<$table::Entity>(&rows.$field, former, |row| row.id)?;
            };
        }
        parts!(allocation_line, lines);
        parts!(milestone, milestones);
        parts!(reservation, reservations);
        parts!(backorder, backorders);
        parts!(inspection, inspections);
        Ok(())
    }

    fn concerns(&self, parties: &mut Parties, _: bool) {
        parties.share(self);
    }
    fn handed_on(self) -> Option<Saved> {
        Some(Saved::Allocation(Arc::new(self)))
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
        expires_at: one.expires_at,
    })
}

pub(in crate::store) fn reservation_part(row: reservation::Model) -> Result<Reservation> {
    Ok(Reservation {
        id: row.id.into(),
        stock_item_id: row.stock_item_id.into(),
        product_id: row.product_id.into(),
        line_id: row.line_id.into(),
        quantity: from_quantity(row.quantity),
        consumed: from_quantity(row.consumed),
        status: code(&row.status)?,
        expires_at: row.expires_at,
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

pub(in crate::store) fn backorder_part(row: backorder::Model) -> Result<Backorder> {
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
