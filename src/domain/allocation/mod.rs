//! Allocation (R3): an executing unit's share of an order, and the choice of the unit, which
//! explains itself.

mod choice;
mod cover;
mod deadline;
mod decision;
mod facts;
mod follow;
mod manual;
mod rank;
mod replay;
mod rules;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::actor::Actor;
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{
    AllocationDecisionId, AllocationId, AllocationLineId, OrderId, OrderLineId, ProductId, UnitId,
};
use crate::domain::inspection::Inspection;
use crate::domain::inventory::{Backorder, Reservation, StockItem};
use crate::domain::materials::{self, Structure, net};
use crate::domain::order::{Counter, Order, OrderStatus, role_blockers};
use crate::domain::permission::Action;
use crate::domain::progress::Milestone;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

pub use choice::{Abstention, Candidate, Part, Plan, Remainder, Verdict, plan, plan_kind};
pub use decision::{Allocated, AllocationDecision, DecisionMode, Outcome, allocate, explain};
pub use facts::{Available, Demand, DemandLine, UnitFacts};
pub use manual::{ByHand, GivenShare, TakenPart, allocate_manually, merge, reassign, split};
pub use replay::{Move, replay};
pub use rules::{
    AllocationRule, AllocationRules, AnswerDeadline, AnswerRule, Automatic, Conditions, Criterion, Overdue,
    RegionDistance, SplitRule, UnitTerms, Weekday,
};

codes! {
    /// Where a unit's share of an order stands.
    AllocationStatus {
        /// Given to the unit, which has not answered.
        Assigned = "ASSIGNED",
        /// The unit takes it; stock is reserved.
        Accepted = "ACCEPTED",
        /// The unit is at work.
        InProgress = "IN_PROGRESS",
        /// Every milestone is finished; inspection comes next.
        AwaitingInspection = "AWAITING_INSPECTION",
        /// An inspection found faults that are being mended.
        Rectification = "RECTIFICATION",
        /// Everything passed inspection.
        Cleared = "CLEARED",
        /// Everything is confirmed by the customer.
        Closed = "CLOSED",
        /// The unit did not take it.
        Declined = "DECLINED",
        /// Moved to another unit, or split, or merged into another share: others stand in its place.
        Superseded = "SUPERSEDED",
        /// Cancelled with the order.
        Cancelled = "CANCELLED",
    }
}

use AllocationStatus::*;

impl Lifecycle for AllocationStatus {
    const NOUN: &'static str = "allocation";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::AllocateOrder, Assigned, "R3.1"),
        birth(Action::AllocateManually, Assigned, "R3.3"),
        birth(Action::ReassignAllocation, Assigned, "R3.3"),
        birth(Action::SplitAllocation, Assigned, "R3.3"),
        birth(Action::SplitAllocation, Accepted, "R3.3"),
        step(Assigned, Action::AcceptAllocation, Accepted, "R4.2"),
        step(Assigned, Action::DeclineAllocation, Declined, "R3.1"),
        step(Assigned, Action::EscalateAllocation, Assigned, "R3.1"),
        step(Assigned, Action::EscalateAllocation, Declined, "R3.1"),
        step(Assigned, Action::ReassignAllocation, Superseded, "R3.3"),
        step(Accepted, Action::ReassignAllocation, Superseded, "R3.3"),
        step(InProgress, Action::ReassignAllocation, Superseded, "R3.3"),
        step(Assigned, Action::SplitAllocation, Superseded, "R3.3"),
        step(Accepted, Action::SplitAllocation, Superseded, "R3.3"),
        step(Assigned, Action::MergeAllocations, Assigned, "R3.3"),
        step(Assigned, Action::MergeAllocations, Superseded, "R3.3"),
        step(Accepted, Action::MergeAllocations, Accepted, "R3.3"),
        step(Accepted, Action::MergeAllocations, Superseded, "R3.3"),
        step(Accepted, Action::StartMilestone, InProgress, "R5.1"),
        step(InProgress, Action::StartMilestone, InProgress, "R5.2"),
        step(InProgress, Action::BlockMilestone, InProgress, "R5.4"),
        step(InProgress, Action::CompleteMilestone, InProgress, "R5.2"),
        step(InProgress, Action::CompleteMilestone, AwaitingInspection, "R6.1"),
        step(AwaitingInspection, Action::RecordInspection, Cleared, "R6.2"),
        step(AwaitingInspection, Action::RecordInspection, Rectification, "R6.3"),
        step(Rectification, Action::StartMilestone, Rectification, "R6.3"),
        step(Rectification, Action::BlockMilestone, Rectification, "R5.4"),
        step(Rectification, Action::CompleteMilestone, AwaitingInspection, "R6.3"),
        step(Cleared, Action::PlanDelivery, Cleared, "R7.1"),
        step(Rectification, Action::PlanDelivery, Rectification, "R7.1"),
        step(AwaitingInspection, Action::PlanDelivery, AwaitingInspection, "R7.1"),
        step(Cleared, Action::ConfirmDelivery, Closed, "R8.2"),
        step(Assigned, Action::CancelOrder, Cancelled, "R4.3"),
        step(Assigned, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Accepted, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(InProgress, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(AwaitingInspection, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Rectification, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Cleared, Action::AnswerCancellation, Cancelled, "R4.3"),
        birth(Action::AcceptOrderChange, Accepted, "R4.3"),
        step(Assigned, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(Accepted, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(InProgress, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(AwaitingInspection, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(AwaitingInspection, Action::AcceptOrderChange, Cleared, "R4.3"),
        step(Rectification, Action::AcceptOrderChange, Cleared, "R4.3"),
        step(Rectification, Action::AcceptOrderChange, Closed, "R8.2"),
        step(Assigned, Action::ReviewOrderChange, Cancelled, "R4.3"),
        step(Accepted, Action::ReviewOrderChange, Cancelled, "R4.3"),
        step(InProgress, Action::ReviewOrderChange, Cancelled, "R4.3"),
        step(AwaitingInspection, Action::ReviewOrderChange, Cancelled, "R4.3"),
        step(AwaitingInspection, Action::ReviewOrderChange, Cleared, "R4.3"),
        step(Rectification, Action::ReviewOrderChange, Cleared, "R4.3"),
        step(Rectification, Action::ReviewOrderChange, Closed, "R8.2"),
    ];
}

impl AllocationStatus {
    /// Does the unit still hold the share?
    pub const fn is_live(self) -> bool {
        !matches!(self, Declined | Superseded | Cancelled)
    }

    /// States in which a share is no longer the unit's; the unit loses sight of the order.
    pub const ENDED: &'static [Self] = &[Declined, Superseded, Cancelled];
}

/// A line of a share. Counts are in the order line's unit of measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationLine {
    /// Identity.
    pub id: AllocationLineId,
    /// The order's line.
    pub order_line_id: OrderLineId,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// The unit's share of the line.
    pub quantity: Decimal,
    /// Set aside from stock, including what has since been issued.
    pub reserved: Decimal,
    /// Produced or performed.
    pub produced: Decimal,
    /// Passed inspection.
    pub passed: Decimal,
    /// Planned into deliveries.
    pub planned: Decimal,
    /// Left for the customer.
    pub dispatched: Decimal,
    /// Confirmed by the customer.
    pub confirmed: Decimal,
}

/// Events that were written before there were levels do not know of any.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_zero(level: &i32) -> bool {
    *level == 0
}

/// An executing unit's share of an order, with all that belongs to its execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allocation {
    /// Identity.
    pub id: AllocationId,
    /// Counts the changes.
    pub version: i64,
    /// The order.
    pub order_id: OrderId,
    /// The executing unit.
    pub unit_id: UnitId,
    /// Where its stock lies; none for services.
    pub warehouse_id: Option<UnitId>,
    /// The kind of its lines.
    pub kind: ProductKind,
    /// Where it stands.
    pub status: AllocationStatus,
    /// Why it went to this unit.
    pub decision_id: AllocationDecisionId,
    /// When it was assigned.
    pub assigned_at: DateTime<Utc>,
    /// By when the unit must answer next; none without a deadline, and once it has answered.
    pub accept_by: Option<DateTime<Utc>>,
    /// How many deadlines of its answer have passed.
    #[serde(skip_serializing_if = "is_zero")]
    pub escalation_level: i32,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// Why it was declined.
    pub decline_reason: Option<String>,
    /// Its lines.
    pub lines: Vec<AllocationLine>,
    /// Its milestones, in order.
    pub milestones: Vec<Milestone>,
    /// Stock set aside for it.
    pub reservations: Vec<Reservation>,
    /// What it waits for.
    pub backorders: Vec<Backorder>,
    /// Its inspections, in order.
    pub inspections: Vec<Inspection>,
}

impl Allocation {
    /// The line, if it is one of this allocation's.
    pub fn line(&self, id: AllocationLineId) -> Option<&AllocationLine> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// Does everything it needs lie ready?
    pub fn has_backorders(&self) -> bool {
        self.backorders.iter().any(Backorder::is_waiting)
    }

    /// What stands between the actor and an action on this allocation, apart from the input.
    pub fn blockers(&self, action: Action, order: &Order, actor: &Actor) -> Refusals {
        let mut refusals = match action {
            Action::AcceptAllocation
            | Action::DeclineAllocation
            | Action::EscalateAllocation
            | Action::ReassignAllocation
            | Action::SplitAllocation
            | Action::MergeAllocations => order.blockers(action, actor),
            _ => role_blockers(action, actor),
        };
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        match action {
            Action::AcceptAllocation | Action::DeclineAllocation => {
                refusals.require(actor.covers_unit(self.unit_id), || {
                    Refusal::new(Code::RoleNotPermitted, "R3.1", "Only the executing unit answers for itself.")
                });
            }
            Action::ReassignAllocation => {
                let untouched = self.lines.iter().all(|line| line.produced + line.passed == Decimal::ZERO);
                refusals.require(untouched, || {
                    Refusal::new(
                        Code::IllegalTransition,
                        "R3.3",
                        "The unit has already produced; the share stays with it.",
                    )
                });
            }
            Action::EscalateAllocation | Action::SplitAllocation | Action::MergeAllocations => {}
            Action::StartMilestone | Action::PlanDelivery => self.forward_blockers(order, &mut refusals),
            _ => refusals.require(order.status.is_executing(), || {
                Refusal::new(Code::IllegalTransition, "R2.6", format!("The order is {}.", order.status))
            }),
        }
        refusals
    }

    /// Work goes forward only while the order is in progress and nothing holds it.
    fn forward_blockers(&self, order: &Order, refusals: &mut Refusals) {
        refusals.require(order.status == OrderStatus::InProgress, || {
            Refusal::new(Code::IllegalTransition, "R2.6", format!("The order is {}.", order.status))
        });
        order.hold_blockers(refusals);
    }

    /// The unit does not take its share: it is to be allocated again, to another unit.
    pub fn decline(&mut self, order: &mut Order, actor: &Actor, reason: String) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::DeclineAllocation, order, actor);
        crate::domain::intake::text(&mut refusals, "reason", Some(&reason), true, crate::domain::intake::LONG_TEXT);
        refusals.into_result()?;
        let happening = EventKind::AllocationDeclined.because(&reason);
        self.give_back(order, Declined);
        self.decline_reason = Some(reason);
        Ok(happening)
    }

    /// Ends the share and gives its quantities back to the order. Stock must be released besides.
    pub fn give_back(&mut self, order: &mut Order, status: AllocationStatus) {
        self.status = status;
        self.accept_by = None;
        for line in &mut self.lines {
            order.count(Counter::Allocated, line.order_line_id, -line.quantity);
            order.count(Counter::Reserved, line.order_line_id, -line.reserved);
            order.count(Counter::Produced, line.order_line_id, -line.produced);
            line.reserved = Decimal::ZERO;
        }
    }
}

/// What an allocation needs from stock: the goods themselves, or the parts of what is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The allocation's line.
    pub line_id: AllocationLineId,
    /// The order's line.
    pub order_line_id: OrderLineId,
    /// What is needed.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// How much.
    pub quantity: Decimal,
}

impl Allocation {
    /// What it needs from stock, one need per product and line. Of what is made, parts that lie there are
    /// taken first, on every level, and only the rest is made of parts of its own (R4.6).
    pub fn needs(
        &self,
        structure: &Structure,
        day: NaiveDate,
        items: &BTreeMap<ProductId, StockItem>,
    ) -> Result<Vec<Need>, Refusals> {
        let mut left: BTreeMap<ProductId, Decimal> =
            items.iter().map(|(product, item)| (*product, item.available())).collect();
        let mut needs = Vec::new();
        for line in &self.lines {
            let need = |product_id, sku: &str, quantity| Need {
                line_id: line.id,
                order_line_id: line.order_line_id,
                product_id,
                sku: sku.to_owned(),
                quantity,
            };
            match self.kind {
                ProductKind::Goods => needs.push(need(line.product_id, &line.sku, line.quantity)),
                ProductKind::MadeToOrder => {
                    let product =
                        materials::Part { product_id: line.product_id, sku: line.sku.clone(), quantity: line.quantity };
                    // It is made for this order: none that lies there would do.
                    let supply = |id| {
                        if id == line.product_id { Decimal::ZERO } else { left.get(&id).copied().unwrap_or_default() }
                    };
                    for one in net(&[product], day, structure, supply)? {
                        let wanted = one.taken + one.short;
                        if one.product_id == line.product_id || wanted.is_zero() {
                            continue;
                        }
                        if let Some(left) = left.get_mut(&one.product_id) {
                            *left -= one.taken;
                        }
                        needs.push(need(one.product_id, &one.sku, wanted));
                    }
                }
                ProductKind::Service => {}
            }
        }
        Ok(needs)
    }
}
