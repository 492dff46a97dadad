//! Allocation (R3): by the rules, or by hand with a reason; and what the clock does about it.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::due::{AT_ONCE, each};
use super::inventory::Stock;
use super::{Failure, Session};
use crate::domain::allocation::{self as rules_of, Allocation, AllocationDecision, ByHand, GivenShare, TakenPart};
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, OrderId, UnitId};
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::store::allocation::Situation;
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

/// What is known for a decision about an order. Units and customers are written by no command.
async fn situation(work: &Work, order: &Order) -> Result<Situation> {
    allocation::situation(work.reference(), work.db().await?, order, work.now()).await
}

async fn keep(
    work: &Work,
    order_id: OrderId,
    shares: Vec<Allocation>,
    decisions: &[AllocationDecision],
) -> Result<Allocated> {
    for decision in decisions {
        allocation::keep_decision(work, decision)?;
    }
    let mut allocation_ids = Vec::new();
    for share in shares {
        allocation_ids.push(share.id);
        work.save(Tracked::new(share), EventKind::AllocationAssigned).await?;
    }
    Ok(Allocated { order_id, allocation_ids })
}

/// Allocate everything of an approved order that no unit has (R3.1, R3.2). What no unit can take puts the
/// order into the queue of those to be looked after.
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
        let Situation { demand, units } = situation(work, &order).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let came = rules_of::allocate(&mut order, &work.act(), &demand, &units, &rules)?;
        work.save(order, came.happening).await?;
        keep(work, self.order_id, came.shares, &came.decisions).await
    }
}

/// Give quantities of an order to units by hand (R3.3).
#[derive(Clone, Debug, Serialize)]
pub struct AllocateManually {
    /// The order.
    pub order_id: OrderId,
    /// What goes to which unit.
    pub shares: Vec<GivenShare>,
    /// Why.
    pub reason: String,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AllocateManually {
    const ACTION: Action = Action::AllocateManually;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let Situation { demand, units } = situation(work, &order).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let act = work.act();
        let (reason, customer_group) = (self.reason.clone(), demand.customer_group);
        let hand = ByHand { act: &act, reason, units: &units, rules: &rules, customer_group };
        let (shares, decisions) = rules_of::allocate_manually(&mut order, &self.shares, &hand)?;
        work.save(order, EventKind::OrderAllocated.because(&self.reason)).await?;
        keep(work, self.order_id, shares, &decisions).await
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
        let Situation { demand, units } = situation(work, &order).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let act = work.act();
        let (reason, customer_group) = (self.reason.clone(), demand.customer_group);
        let hand = ByHand { act: &act, reason, units: &units, rules: &rules, customer_group };
        let (shares, decisions) = rules_of::reassign(&mut former, &mut order, self.unit_id, &hand)?;
        former.release(&act, &mut stock.book);
        work.save(order, EventKind::OrderAllocated).await?;
        work.save(former, EventKind::AllocationSuperseded.because(&self.reason)).await?;
        stock.save(work, EventKind::StockReleased).await?;
        keep(work, order_id, shares, &decisions).await
    }
}

/// Take parts out of an allocation that nobody has begun to work on, for another unit or as a share of their
/// own (R3.3).
#[derive(Clone, Debug, Serialize)]
pub struct SplitAllocation {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The unit that gets what is taken out.
    pub unit_id: UnitId,
    /// What is taken out.
    pub parts: Vec<TakenPart>,
    /// Why.
    pub reason: String,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for SplitAllocation {
    const ACTION: Action = Action::SplitAllocation;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let (mut order, mut former) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&former, self.expected_version)?;
        let mut stock = Stock::lock_for(work, &former).await?;
        let Situation { demand, units } = situation(work, &order).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let act = work.act();
        let (reason, customer_group) = (self.reason.clone(), demand.customer_group);
        let hand = ByHand { act: &act, reason, units: &units, rules: &rules, customer_group };
        let (shares, decisions) =
            rules_of::split(&mut former, &mut order, self.unit_id, &self.parts, &hand, &mut stock.book)?;
        work.save(order, EventKind::OrderAllocated).await?;
        work.save(former, EventKind::AllocationSuperseded.because(&self.reason)).await?;
        stock.save(work, EventKind::StockReleased).await?;
        keep(work, order_id, shares, &decisions).await
    }
}

/// Make one allocation of two of the same order, unit and kind (R3.3).
#[derive(Clone, Debug, Serialize)]
pub struct MergeAllocations {
    /// The allocation that stays.
    pub allocation_id: AllocationId,
    /// The allocation that goes into it.
    pub other_allocation_id: AllocationId,
    /// Why.
    pub reason: String,
    /// The version of the allocation that stays the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for MergeAllocations {
    const ACTION: Action = Action::MergeAllocations;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let (order, mut kept) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&kept, self.expected_version)?;
        let mut other = if self.other_allocation_id == self.allocation_id {
            None
        } else {
            // Its order is locked if it is of the same; else the two do not fit.
            let of_order = allocation::all_of_order(work, order_id).await?;
            of_order.into_iter().find(|share| share.id == self.other_allocation_id)
        };
        rules_of::merge(&mut kept, other.as_deref_mut(), &order, &self.reason, &work.act())?;
        let kept = work.save(kept, EventKind::AllocationMerged.because(&self.reason)).await?;
        if let Some(given) = other {
            work.save(given, EventKind::AllocationSuperseded.because(&self.reason)).await?;
        }
        Ok(Allocated { order_id, allocation_ids: vec![kept.id] })
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

/// Escalate an allocation whose unit has not answered in time: somebody is told or, in the end, the share
/// counts as declined (R3.1).
#[derive(Clone, Debug, Serialize)]
pub struct EscalateAllocation {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for EscalateAllocation {
    const ACTION: Action = Action::EscalateAllocation;
    type Answer = Allocated;

    async fn run(&self, work: &Work) -> Result<Allocated> {
        let (mut order, mut share) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&share, self.expected_version)?;
        share.escalation_blockers(&order, work.actor(), work.now()).into_result()?;
        let rules = work.rules(order.rule_set_version).await?;
        let customer = crate::store::reference::customer_by_id(work.reference(), order.customer_id).await?;
        let happening = share.escalate(&mut order, &work.act(), &rules, &customer.group)?;
        if order.is_changed() {
            work.save(order, EventKind::OrderDeallocated).await?;
        }
        let share = work.save(share, happening).await?;
        Ok(Allocated { order_id, allocation_ids: vec![share.id] })
    }
}

/// Duty of the clock: escalates what units have not answered in time.
///
/// # Errors
/// The database is away.
pub async fn escalate_unanswered(session: &Session) -> std::result::Result<usize, Failure> {
    let now = session.app.clock.now();
    let due = allocation::answers_due(session.app.store(), now, AT_ONCE).await?;
    let command = |allocation_id| EscalateAllocation { allocation_id, expected_version: None };
    each(session, due.into_iter().map(command)).await
}

/// Duty of the clock: allocates approved orders, and again what was declined, where their rules say so.
///
/// # Errors
/// The database is away.
pub async fn allocate_waiting(session: &Session) -> std::result::Result<usize, Failure> {
    let now = session.app.clock.now();
    let due = allocation::to_allocate(session.app.store(), now, AT_ONCE).await?;
    each(session, due.into_iter().map(|order_id| AllocateOrder { order_id, expected_version: None })).await
}
