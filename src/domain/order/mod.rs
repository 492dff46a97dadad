//! The order's life. Few states; quantities are counted per line, and what can be derived is.

mod line;
mod stage;
mod unallocatable;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use crate::domain::actor::{Actor, Role};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{CustomerId, HoldId, OrderId, OrderLineId};
use crate::domain::intake::{Channel, Priority};
use crate::domain::money::{self, Currency};
use crate::domain::permission::{Action, permitted};
use crate::domain::reference::{Address, Contact};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

pub use line::{Counter, Coverage, LineQuantities, OrderLine};
pub use stage::Stage;
pub use unallocatable::Unallocatable;

codes! {
    /// Where an order stands. How far its quantities are is told by its lines.
    OrderStatus {
        /// Taken in, not yet looked at.
        Submitted = "SUBMITTED",
        /// Being reviewed.
        UnderReview = "UNDER_REVIEW",
        /// Back with whoever placed it, to answer a question.
        ClarificationRequested = "CLARIFICATION_REQUESTED",
        /// Passed the review; may be allocated.
        Approved = "APPROVED",
        /// Did not pass the review.
        Rejected = "REJECTED",
        /// A unit is at work on it.
        InProgress = "IN_PROGRESS",
        /// Cancellation was asked for while a unit is at work; the unit answers.
        CancellationPending = "CANCELLATION_PENDING",
        /// Every open quantity is confirmed by the customer.
        Completed = "COMPLETED",
        /// Cancelled as a whole.
        Cancelled = "CANCELLED",
        /// Nobody answered a question about it in time.
        Expired = "EXPIRED",
    }
}

use OrderStatus::*;

impl Lifecycle for OrderStatus {
    const NOUN: &'static str = "order";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::SubmitOrder, Submitted, "R1.2"),
        birth(Action::ImportOrders, Submitted, "R1.2"),
        birth(Action::ImportOrders, Completed, "R1.2"),
        birth(Action::ImportOrders, Cancelled, "R1.2"),
        birth(Action::ReplayChannelDelivery, Submitted, "R1.3"),
        step(Submitted, Action::ReplayChannelDelivery, Submitted, "R1.3"),
        step(UnderReview, Action::ReplayChannelDelivery, UnderReview, "R1.3"),
        step(ClarificationRequested, Action::ReplayChannelDelivery, ClarificationRequested, "R1.3"),
        step(Submitted, Action::StartReview, UnderReview, "R2.1"),
        step(Submitted, Action::ReviewAutomatically, Approved, "R2.6"),
        step(Submitted, Action::ReviewAutomatically, UnderReview, "R2.1"),
        step(UnderReview, Action::TakeReview, UnderReview, "R13.1"),
        step(ClarificationRequested, Action::TakeReview, ClarificationRequested, "R13.1"),
        step(UnderReview, Action::ReturnReview, UnderReview, "R13.1"),
        step(ClarificationRequested, Action::ReturnReview, ClarificationRequested, "R13.1"),
        step(UnderReview, Action::ReassignReview, UnderReview, "R13.1"),
        step(ClarificationRequested, Action::ReassignReview, ClarificationRequested, "R13.1"),
        step(UnderReview, Action::RequestClarification, ClarificationRequested, "R2.3"),
        step(ClarificationRequested, Action::RequestClarification, ClarificationRequested, "R2.3"),
        step(ClarificationRequested, Action::AnswerClarification, UnderReview, "R2.3"),
        step(ClarificationRequested, Action::AnswerClarification, ClarificationRequested, "R2.3"),
        step(ClarificationRequested, Action::RemindClarification, ClarificationRequested, "R2.3"),
        step(ClarificationRequested, Action::ExpireClarification, Expired, "R2.3"),
        step(Submitted, Action::AmendOrder, Submitted, "R1.4"),
        step(UnderReview, Action::AmendOrder, UnderReview, "R1.4"),
        step(ClarificationRequested, Action::AmendOrder, ClarificationRequested, "R1.4"),
        step(Approved, Action::AmendOrder, Approved, "R1.4"),
        step(Approved, Action::AmendOrder, UnderReview, "R2.6"),
        step(UnderReview, Action::ApproveOrder, Approved, "R2.6"),
        step(UnderReview, Action::ApproveOrder, UnderReview, "R2.5"),
        step(UnderReview, Action::RejectOrder, Rejected, "R2.6"),
        step(Approved, Action::AllocateOrder, Approved, "R3.1"),
        step(InProgress, Action::AllocateOrder, InProgress, "R3.1"),
        step(Approved, Action::ReassignAllocation, Approved, "R3.3"),
        step(InProgress, Action::ReassignAllocation, InProgress, "R3.3"),
        step(Approved, Action::AllocateManually, Approved, "R3.3"),
        step(InProgress, Action::AllocateManually, InProgress, "R3.3"),
        step(Approved, Action::SplitAllocation, Approved, "R3.3"),
        step(InProgress, Action::SplitAllocation, InProgress, "R3.3"),
        step(Approved, Action::MergeAllocations, Approved, "R3.3"),
        step(InProgress, Action::MergeAllocations, InProgress, "R3.3"),
        step(Approved, Action::EscalateAllocation, Approved, "R3.1"),
        step(InProgress, Action::EscalateAllocation, InProgress, "R3.1"),
        step(Approved, Action::DeclineAllocation, Approved, "R3.1"),
        step(InProgress, Action::DeclineAllocation, InProgress, "R3.1"),
        step(Approved, Action::AcceptAllocation, InProgress, "R4.2"),
        step(InProgress, Action::AcceptAllocation, InProgress, "R4.2"),
        step(InProgress, Action::ConfirmDelivery, InProgress, "R8.1"),
        step(InProgress, Action::ConfirmDelivery, Completed, "R8.2"),
        step(CancellationPending, Action::ConfirmDelivery, CancellationPending, "R8.1"),
        step(CancellationPending, Action::ConfirmDelivery, Completed, "R8.2"),
        step(Submitted, Action::CancelOrder, Cancelled, "R4.3"),
        step(UnderReview, Action::CancelOrder, Cancelled, "R4.3"),
        step(ClarificationRequested, Action::CancelOrder, Cancelled, "R4.3"),
        step(Approved, Action::CancelOrder, Cancelled, "R4.3"),
        step(InProgress, Action::CancelOrder, CancellationPending, "R4.3"),
        step(Approved, Action::ProposeOrderChange, Approved, "R4.3"),
        step(InProgress, Action::ProposeOrderChange, InProgress, "R4.3"),
        step(Approved, Action::AcceptOrderChange, Approved, "R4.3"),
        step(Approved, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(InProgress, Action::AcceptOrderChange, InProgress, "R4.3"),
        step(InProgress, Action::AcceptOrderChange, Cancelled, "R4.3"),
        step(InProgress, Action::AcceptOrderChange, Completed, "R8.2"),
        step(Approved, Action::ReviewOrderChange, Approved, "R2.6"),
        step(InProgress, Action::ReviewOrderChange, InProgress, "R2.6"),
        step(CancellationPending, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(CancellationPending, Action::AnswerCancellation, InProgress, "R4.3"),
        step(Submitted, Action::PlaceHold, Submitted, "R5.4"),
        step(UnderReview, Action::PlaceHold, UnderReview, "R5.4"),
        step(ClarificationRequested, Action::PlaceHold, ClarificationRequested, "R5.4"),
        step(Approved, Action::PlaceHold, Approved, "R5.4"),
        step(InProgress, Action::PlaceHold, InProgress, "R5.4"),
        step(CancellationPending, Action::PlaceHold, CancellationPending, "R5.4"),
        step(Submitted, Action::ReleaseHold, Submitted, "R5.4"),
        step(UnderReview, Action::ReleaseHold, UnderReview, "R5.4"),
        step(ClarificationRequested, Action::ReleaseHold, ClarificationRequested, "R5.4"),
        step(Approved, Action::ReleaseHold, Approved, "R5.4"),
        step(InProgress, Action::ReleaseHold, InProgress, "R5.4"),
        step(CancellationPending, Action::ReleaseHold, CancellationPending, "R5.4"),
    ];
}

impl OrderStatus {
    /// Nothing more will happen to the order itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Rejected | Completed | Cancelled | Expired)
    }

    /// Units may work on it and physical facts be recorded.
    pub const fn is_executing(self) -> bool {
        matches!(self, InProgress | CancellationPending)
    }
}

/// Something that stops an order until it is released; several may do so at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Hold {
    /// Identity.
    pub id: HoldId,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: DateTime<Utc>,
}

/// A request to cancel an order that a unit is at work on, or its final cancellation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Cancellation {
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
}

/// In place of a version of the rules: the order was handled elsewhere, before it was taken over.
pub const HANDLED_ELSEWHERE: i32 = 0;

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Identity.
    pub id: OrderId,
    /// Counts the changes; the sequence of its newest event.
    pub version: i64,
    /// The number people use.
    pub number: String,
    /// Where it came from.
    pub channel: Channel,
    /// The partner's or shop's channel account it came over.
    pub account: Option<String>,
    /// The submitter's own number.
    pub external_reference: Option<String>,
    /// Digest of the submission.
    pub digest: String,
    /// Whose order it is.
    pub customer_id: CustomerId,
    /// How to reach the customer about it.
    pub contact: Contact,
    /// Region code.
    pub region: String,
    /// Where it goes.
    pub delivery_address: Address,
    /// The currency of all its prices.
    pub currency: Currency,
    /// How urgent it is.
    pub priority: Priority,
    /// The date the customer expects delivery by.
    pub required_by: NaiveDate,
    /// A remark by the submitter.
    pub note: Option<String>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who submitted it.
    pub submitted_by: String,
    /// When.
    pub submitted_at: DateTime<Utc>,
    /// When the last quantity was confirmed.
    pub completed_at: Option<DateTime<Utc>>,
    /// The rule set it is handled under.
    pub rule_set_version: i32,
    /// The requested or final cancellation.
    pub cancellation: Option<Cancellation>,
    /// What stops it.
    pub holds: Vec<Hold>,
    /// No unit was found for some of it.
    pub unallocatable: Option<Unallocatable>,
    /// What is ordered.
    pub lines: Vec<OrderLine>,
}

impl Order {
    /// The exact sum of quantity × price less discount, at price precision (four decimals).
    pub fn subtotal(&self) -> Decimal {
        self.lines
            .iter()
            .map(OrderLine::extended)
            .sum::<Decimal>()
            .round_dp_with_strategy(money::PRICE_SCALE, RoundingStrategy::MidpointAwayFromZero)
    }

    /// What is due: the sum of the line totals.
    pub fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.total).sum()
    }

    /// What is due for what is still wanted: the total without what was cancelled.
    pub fn due(&self) -> Decimal {
        self.lines.iter().map(|line| line.due(self.currency)).sum()
    }

    /// The line, if it is one of this order's.
    pub fn line(&self, id: OrderLineId) -> Option<&OrderLine> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// How much of the open quantity a count covers.
    pub fn coverage(&self, count: impl Fn(&LineQuantities) -> Decimal) -> Coverage {
        let mut some = false;
        let mut all = true;
        for quantities in self.lines.iter().map(|line| &line.quantities) {
            let (done, open) = (count(quantities), quantities.open());
            some |= done > Decimal::ZERO;
            all &= done >= open;
        }
        match (some, all) {
            (false, _) => Coverage::None,
            (true, false) => Coverage::Partial,
            (true, true) => Coverage::Full,
        }
    }

    /// Is anything open that no unit has?
    pub fn has_unallocated(&self) -> bool {
        self.lines.iter().any(|line| line.quantities.allocated < line.quantities.open())
    }

    /// Was it taken over from the past? Then no work here was for it.
    pub fn is_past(&self) -> bool {
        self.rule_set_version == HANDLED_ELSEWHERE
    }

    /// Has anything left for the customer?
    pub fn has_dispatched(&self) -> bool {
        self.lines.iter().any(|line| line.quantities.dispatched > Decimal::ZERO)
    }

    /// Late: not finished although the expected date has passed.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        !self.status.is_final() && self.required_by < today
    }

    /// What stands between the actor and an action on this order, apart from the action's own input.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        let stopped_by_hold = matches!(
            action,
            Action::ApproveOrder
                | Action::AllocateOrder
                | Action::AllocateManually
                | Action::ReassignAllocation
                | Action::SplitAllocation
                | Action::MergeAllocations
                | Action::EscalateAllocation
                | Action::AcceptAllocation
        );
        if stopped_by_hold {
            self.hold_blockers(&mut refusals);
        }
        if matches!(
            action,
            Action::StartReview
                | Action::TakeReview
                | Action::RequestClarification
                | Action::ApproveOrder
                | Action::RejectOrder
        ) {
            refusals.require(self.submitted_by != actor.subject, || {
                Refusal::new(Code::SeparationOfDuties, "R2.1", "Whoever submitted an order does not review it.")
            });
        }
        match action {
            Action::AllocateOrder | Action::AllocateManually => refusals.require(self.has_unallocated(), || {
                Refusal::new(Code::NothingToAllocate, "R3.1", "Every open quantity is allocated.")
            }),
            Action::AmendOrder => {
                let has_shares = self.lines.iter().any(|line| line.quantities.allocated > Decimal::ZERO);
                refusals.require(!has_shares, || {
                    Refusal::new(Code::AlreadyAllocated, "R3.1", "A unit has a share of it, planned for what it is.")
                });
            }
            Action::ReleaseHold => refusals
                .require(!self.holds.is_empty(), || Refusal::new(Code::UnknownHold, "R5.4", "No hold is in place.")),
            _ => {}
        }
        refusals
    }

    /// Adds a refusal for each hold in place.
    pub fn hold_blockers(&self, refusals: &mut Refusals) {
        for hold in &self.holds {
            refusals.push(Refusal::new(Code::OrderOnHold, "R5.4", format!("On hold: {}", hold.reason)));
        }
    }

    /// Puts the order on hold.
    pub fn place_hold(&mut self, actor: &Actor, hold: Hold) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::PlaceHold, actor);
        crate::domain::intake::text(
            &mut refusals,
            "reason",
            Some(&hold.reason),
            true,
            crate::domain::intake::LONG_TEXT,
        );
        refusals.into_result()?;
        let happening = EventKind::OrderHeld.because(&hold.reason);
        self.holds.push(hold);
        Ok(happening)
    }

    /// Releases a hold; the order is where it was.
    pub fn release_hold(&mut self, actor: &Actor, id: HoldId) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::ReleaseHold, actor);
        refusals.require(self.holds.iter().any(|hold| hold.id == id), || {
            Refusal::new(Code::UnknownHold, "R5.4", "This hold does not exist or was released before.").at("holdId")
        });
        refusals.into_result()?;
        self.holds.retain(|hold| hold.id != id);
        Ok(EventKind::OrderHoldReleased.into())
    }

    /// Cancels the order, or asks the unit at work to agree.
    pub fn cancel(&mut self, actor: &Actor, reason: String, now: DateTime<Utc>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::CancelOrder, actor);
        crate::domain::intake::text(&mut refusals, "reason", Some(&reason), true, crate::domain::intake::LONG_TEXT);
        refusals.into_result()?;
        let kind = if self.status == InProgress {
            self.status = CancellationPending;
            EventKind::OrderCancellationRequested
        } else {
            self.cancel_all();
            EventKind::OrderCancelled
        };
        let happening = kind.because(&reason);
        self.cancellation = Some(Cancellation { reason, requested_by: actor.subject.clone(), requested_at: now });
        Ok(happening)
    }

    /// What stands between the actor and an answer to the requested cancellation.
    pub fn answer_blockers(&self, actor: &Actor, grant: bool) -> Refusals {
        let mut refusals = self.blockers(Action::AnswerCancellation, actor);
        refusals.require(!(grant && self.has_dispatched()), || {
            Refusal::new(
                Code::AlreadyDispatched,
                "R4.3",
                "Something has left for the customer: refuse the cancellation; a return is a matter of after-sales.",
            )
            .at("grant")
        });
        refusals
    }

    /// The unit's answer to a requested cancellation.
    pub fn answer_cancellation(&mut self, actor: &Actor, grant: bool) -> Result<Happening, Refusals> {
        self.answer_blockers(actor, grant).into_result()?;
        if grant {
            self.cancel_all();
            return Ok(EventKind::OrderCancelled.into());
        }
        self.status = InProgress;
        self.cancellation = None;
        Ok(EventKind::OrderCancellationRefused.into())
    }

    fn cancel_all(&mut self) {
        self.status = Cancelled;
        self.unallocatable = None;
        for line in &mut self.lines {
            line.quantities.cancelled = line.quantities.ordered;
            line.quantities.allocated = Decimal::ZERO;
            line.quantities.reserved = Decimal::ZERO;
            line.quantities.produced = Decimal::ZERO;
            line.quantities.passed = Decimal::ZERO;
        }
    }

    /// Adds to a count of a line. The order's lines follow what its allocations report.
    pub fn count(&mut self, counter: Counter, line_id: OrderLineId, change: Decimal) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == line_id) {
            *line.counter(counter) += change;
        }
    }

    /// Marks the order as being worked on.
    pub fn begin(&mut self) {
        if self.status == Approved {
            self.status = InProgress;
        }
    }

    /// Completes the order if, and only if, every open quantity is confirmed (R8.2).
    pub fn complete_if_confirmed(&mut self, now: DateTime<Utc>) -> EventKind {
        let open = |line: &OrderLine| line.quantities.open();
        let complete = self.status.is_executing()
            && self.lines.iter().all(|line| line.quantities.confirmed == open(line))
            && self.lines.iter().any(|line| open(line) > Decimal::ZERO);
        if !complete {
            return EventKind::OrderConfirmed;
        }
        self.status = Completed;
        self.completed_at = Some(now);
        EventKind::OrderCompleted
    }
}

/// The refusal of an action to an actor whose roles do not permit it.
pub fn role_blockers(action: Action, actor: &Actor) -> Refusals {
    let mut refusals = Refusals::default();
    refusals.require(actor.is_any(permitted(action).0), || {
        let names: Vec<&str> = permitted(action).0.iter().copied().map(Role::code).collect();
        Refusal::new(Code::RoleNotPermitted, "R13.1", format!("This takes the role {}.", names.join(" or ")))
    });
    refusals
}
