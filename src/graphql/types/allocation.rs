//! Allocations, and why they went where they went.

mod decision;
mod simulation;
mod unallocatable;

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::delivery::order_line;
use super::inspection::Inspection;
use super::inventory::{Backorder, Reservation};
use super::order::{Order, OrderLine, order};
use super::progress::Milestone;
use super::reference::{Person, Product, Unit, perhaps, product, unit};
use super::wrapper;
use crate::app::read;
use crate::domain::allocation as domain;
use crate::domain::allocation::AllocationStatus;
use crate::domain::ids::{AllocationId, OrderId};
use crate::domain::reference::ProductKind;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, is_external, loaders, session};
use crate::graphql::ids;
use crate::graphql::loaders::Rules;
use crate::graphql::scalars::{DateTime, Decimal};

pub use decision::AllocationDecision;
pub use simulation::{AllocationReplay, AllocationSimulation};
pub use unallocatable::{UnallocatableOrder, UnallocatableOrderConnection};

wrapper! {
    /// An allocation.
    Allocation(domain::Allocation)
}
connection!(AllocationConnection, AllocationEdge, Allocation, "allocations");

/// An executing unit's share of an order, with all that belongs to its execution (R3).
#[macros::written]
#[Object]
impl Allocation {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The order; null when the caller may see the share but not the order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.order_id).await
    }

    /// The executing unit.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.unit_id).await
    }

    /// Where its stock lies; null for services.
    async fn warehouse(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        match self.0.warehouse_id {
            Some(id) => unit(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The kind of its lines.
    async fn kind(&self) -> ProductKind {
        self.0.kind
    }

    /// Where it stands.
    async fn status(&self) -> AllocationStatus {
        self.0.status
    }

    /// Why it went to this unit (R3.2). Null for people outside the group.
    async fn decision(&self, ctx: &Context<'_>) -> Result<Option<AllocationDecision>> {
        let found = loaders(ctx)?.get(self.0.decision_id).await.answer(ctx)?;
        Ok(found.map(AllocationDecision))
    }

    /// When it was assigned.
    async fn assigned_at(&self) -> DateTime {
        self.0.assigned_at.into()
    }

    /// By when the unit must answer next; null without a deadline, and once it has answered. Null for people
    /// outside the group.
    async fn accept_by(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(self.0.accept_by.map(Into::into))
    }

    /// How many deadlines of the unit's answer have passed: 0, 1, 2, … Null for people outside the group.
    async fn escalation_level(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(Some(self.0.escalation_level))
    }

    /// Who accepted it for the unit. Null before, and for people outside the group.
    async fn accepted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.accepted_by.as_ref()).await
    }

    /// Why the unit declined it. Null otherwise, and for people outside the group.
    async fn decline_reason(&self, ctx: &Context<'_>) -> Result<Option<&String>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(self.0.decline_reason.as_ref())
    }

    /// Its lines.
    async fn lines(&self) -> Vec<AllocationLine> {
        let order_id = self.0.order_id;
        let lines = self.0.lines.iter().cloned();
        lines.map(|line| AllocationLine { line, order_id }).collect()
    }

    /// Its milestones, in order (R5.1).
    async fn milestones(&self) -> Vec<Milestone> {
        (0..self.0.milestones.len()).map(|index| Milestone::new(self.0.clone(), index)).collect()
    }

    /// Stock set aside for it (R4.2). Null for people outside the group.
    async fn reservations(&self, ctx: &Context<'_>) -> Result<Option<Vec<Reservation>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let all = self.0.reservations.iter().cloned();
        Ok(Some(all.map(Reservation).collect()))
    }

    /// What it waits for (R4.3). Null for people outside the group.
    async fn backorders(&self, ctx: &Context<'_>) -> Result<Option<Vec<Backorder>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let all = self.0.backorders.iter().cloned();
        Ok(Some(all.map(Backorder).collect()))
    }

    /// Codes of the items that an inspection of it answers (R6.1). Null for people outside the group,
    /// and when the caller may not see the order, whose rules name them.
    async fn checklist_items(&self, ctx: &Context<'_>) -> Result<Option<Vec<String>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let loaders = loaders(ctx)?;
        let Some(order) = loaders.get(self.0.order_id).await.answer(ctx)? else {
            return Ok(None);
        };
        let version = order.rule_set_version;
        let rules = loaders.get(Rules(version)).await.answer(ctx)?;
        Ok(rules.map(|rules| rules.checklist_for(self.0.kind).to_vec()))
    }

    /// Its inspections, in order (R6).
    async fn inspections(&self) -> Vec<Inspection> {
        self.0.inspections.iter().cloned().map(Inspection).collect()
    }

    /// What the caller can do with it right now, and what stands in the way; null when the caller
    /// may not see the order.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Option<Vec<AvailableAction>>> {
        let Some(order) = order(ctx, self.0.order_id).await? else {
            return Ok(None);
        };
        let actor = &session(ctx)?.actor;
        let available = read::actions::of_allocation(actor, &self.0, &order.0);
        Ok(Some(actions::all(available)))
    }
}

/// An allocation by id, if it exists for the caller.
pub async fn allocation(ctx: &Context<'_>, id: AllocationId) -> Result<Option<Allocation>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(Allocation))
}

/// A line of an allocation.
#[derive(Clone, Debug)]
pub struct AllocationLine {
    line: domain::AllocationLine,
    order_id: OrderId,
}

/// A unit's share of an order's line. Counts are in the order line's unit of measure.
#[macros::written]
#[Object]
impl AllocationLine {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.line.id)
    }

    /// The order's line; null when the caller may not see the order.
    async fn order_line(&self, ctx: &Context<'_>) -> Result<Option<OrderLine>> {
        order_line(ctx, self.order_id, self.line.order_line_id).await
    }

    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.line.product_id).await
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.line.sku
    }

    /// The unit's share of the line.
    async fn quantity(&self) -> Decimal {
        self.line.quantity.into()
    }

    /// Set aside from stock, including what has since been issued.
    async fn reserved(&self) -> Decimal {
        self.line.reserved.into()
    }

    /// Produced or performed.
    async fn produced(&self) -> Decimal {
        self.line.produced.into()
    }

    /// Passed inspection.
    async fn passed(&self) -> Decimal {
        self.line.passed.into()
    }

    /// Planned into deliveries.
    async fn planned(&self) -> Decimal {
        self.line.planned.into()
    }

    /// Left for the customer.
    async fn dispatched(&self) -> Decimal {
        self.line.dispatched.into()
    }

    /// Confirmed by the customer.
    async fn confirmed(&self) -> Decimal {
        self.line.confirmed.into()
    }
}
