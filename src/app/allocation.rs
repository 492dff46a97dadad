//! Allocation (R3): by the rules, or by hand with a reason.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::inventory::Stock;
use crate::domain::allocation as rules_of;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, OrderId, ProductId, UnitId};
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, Work, allocation};

/// The allocations that came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// The order.
    pub order_id: OrderId,
    /// Its new allocations.
    pub allocation_ids: Vec<AllocationId>,
}

/// Allocate everything of an approved order that no unit has (R3.1, R3.2).
#[derive(Clone, Debug, Serialize)]
pub struct AllocateOrder {
    /// The order.
    pub order_id: OrderId,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AllocateOrder {
    const ACTION: Action = Action::AllocateOrder;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        order.blockers(Action::AllocateOrder, work.actor()).into_result()?;
        let products: Vec<ProductId> = order.lines.iter().filter_map(|line| line.product_id).collect();
        let units = allocation::unit_facts(work, self.order_id, &products).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let assignments = rules_of::allocate(&mut order, &work.act(), &units, &rules)?;
        work.save(order, EventKind::OrderAllocated).await?;
        let mut allocation_ids = Vec::new();
        for (share, decision) in assignments {
            allocation_ids.push(share.id);
            allocation::keep_decision(work, &decision)?;
            work.save(Tracked::new(share), EventKind::AllocationAssigned).await?;
        }
        Ok(Allocated { order_id: self.order_id, allocation_ids })
    }
}

/// Move an allocation to another unit by hand (R3.3).
#[derive(Clone, Debug, Serialize)]
pub struct ReassignAllocation {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The unit it goes to.
    pub unit_id: UnitId,
    /// Why.
    pub reason: String,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReassignAllocation {
    const ACTION: Action = Action::ReassignAllocation;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let (mut order, mut former) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&former, self.expected_version)?;
        let mut stock = Stock::lock_for(work, &former).await?;
        let units = allocation::unit_facts(work, order_id, &[]).await?;
        let to = units.iter().find(|facts| facts.unit.id == self.unit_id);
        let rules = work.rules(order.rule_set_version).await?;
        let (successor, decision) =
            rules_of::reassign(&mut former, &mut order, &work.act(), to, self.reason.clone(), &rules)?;
        former.release(&work.act(), &mut stock.book);
        work.save(order, EventKind::OrderAllocated).await?;
        work.save(former, EventKind::AllocationSuperseded.because(&self.reason)).await?;
        stock.save(work, EventKind::StockReleased).await?;
        allocation::keep_decision(work, &decision)?;
        let successor = work.save(Tracked::new(successor), EventKind::AllocationAssigned).await?;
        Ok(Allocated { order_id, allocation_ids: vec![successor.id] })
    }
}

/// Decline an allocation: the unit is excluded, and the share is to be allocated again.
#[derive(Clone, Debug, Serialize)]
pub struct DeclineAllocation {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// Why.
    pub reason: String,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for DeclineAllocation {
    const ACTION: Action = Action::DeclineAllocation;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let (mut order, mut share) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&share, self.expected_version)?;
        let happening = share.decline(&mut order, work.actor(), self.reason.clone())?;
        work.save(order, EventKind::OrderDeallocated).await?;
        let share = work.save(share, happening).await?;
        Ok(Allocated { order_id, allocation_ids: vec![share.id] })
    }
}
