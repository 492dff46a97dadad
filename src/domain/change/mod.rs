//! Changes of orders that are negotiated (R4.3): on a shortage the customer is offered alternatives, each with
//! what it would do to quantities, dates and money, and one of them is applied when it is accepted.

mod effect;
mod offer;
mod shortage;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::actor::{Act, Actor, Role};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ChangeOptionId, OrderChangeId, OrderId, OrderLineId, ProductId};
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::order::{Order, role_blockers};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::review::{Check, CheckOutcome};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

pub use effect::{DeliveryPart, LineEffect, Preview, Scene, apply, preview};
pub use offer::{Offer, OptionWish, propose};
pub use shortage::{Shortage, ShortageFacts, ShortageOption, StandIn, shortage_options, shortages};

codes! {
    /// Where a change of an order that is negotiated stands.
    OrderChangeStatus {
        /// Being put together.
        Proposed = "PROPOSED",
        /// Offered to the customer, who has not answered.
        AwaitingCustomer = "AWAITING_CUSTOMER",
        /// The customer chose an alternative that has to be reviewed before it is applied.
        Accepted = "ACCEPTED",
        /// The order is as it was agreed.
        Applied = "APPLIED",
        /// The customer, or the review of what the customer chose, declined.
        Declined = "DECLINED",
        /// Nobody answered in time.
        Expired = "EXPIRED",
        /// Taken back before it was applied.
        Withdrawn = "WITHDRAWN",
    }
}

codes! {
    /// What a change does to an order.
    OrderChangeKind {
        /// The order is delivered by a later date.
        LaterDate = "LATER_DATE",
        /// What is there is delivered now, the rest when it has come in.
        SplitDelivery = "SPLIT_DELIVERY",
        /// Another product is delivered instead; reviewed again before it is applied.
        Substitute = "SUBSTITUTE",
        /// Less is delivered.
        ReduceQuantity = "REDUCE_QUANTITY",
        /// Nothing of a line is delivered.
        CancelLine = "CANCEL_LINE",
    }
}

use OrderChangeStatus::*;

impl Lifecycle for OrderChangeStatus {
    const NOUN: &'static str = "order change";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::ProposeOrderChange, Proposed, "R4.3"),
        step(Proposed, Action::ProposeOrderChange, AwaitingCustomer, "R4.3"),
        step(AwaitingCustomer, Action::AcceptOrderChange, Accepted, "R4.3"),
        step(Accepted, Action::AcceptOrderChange, Applied, "R4.3"),
        step(Accepted, Action::ReviewOrderChange, Applied, "R2.6"),
        step(Accepted, Action::ReviewOrderChange, Declined, "R2.6"),
        step(AwaitingCustomer, Action::DeclineOrderChange, Declined, "R4.3"),
        step(AwaitingCustomer, Action::WithdrawOrderChange, Withdrawn, "R4.3"),
        step(Accepted, Action::WithdrawOrderChange, Withdrawn, "R4.3"),
        step(AwaitingCustomer, Action::WithdrawOrderChange, Expired, "R4.3"),
    ];
}

impl OrderChangeStatus {
    /// States in which it may still be applied; an order has at most one such change.
    pub const OPEN: &'static [Self] = &[Proposed, AwaitingCustomer, Accepted];
}

/// How changes are negotiated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRules {
    /// Hours the customer has to answer, unless the offer says otherwise.
    pub answer_hours: i64,
}

impl Default for ChangeRules {
    fn default() -> Self {
        Self { answer_hours: 72 }
    }
}

/// What is delivered instead, as it was when it was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitute {
    /// The order's line that it will become.
    pub line_id: OrderLineId,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// What it is, in words.
    pub description: String,
    /// Its category.
    pub category: String,
    /// How it comes to the customer.
    pub kind: ProductKind,
    /// The unit its quantities are counted in.
    pub unit_of_measure: String,
    /// Price of one unit; the discount is that of the line it stands in for.
    pub unit_price: Decimal,
}

/// What an alternative changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What it does.
    pub kind: OrderChangeKind,
    /// The line it is about; none where it is about the order as a whole.
    pub line_id: Option<OrderLineId>,
    /// How much of the line is cancelled or replaced.
    pub quantity: Option<Decimal>,
    /// The later date, or when the rest is expected.
    pub date: Option<NaiveDate>,
    /// What is delivered instead.
    pub substitute: Option<Substitute>,
}

/// An alternative, with what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOption {
    /// Identity.
    pub id: ChangeOptionId,
    /// What it changes.
    pub terms: Terms,
    /// What that does to quantities, dates and money.
    pub preview: Preview,
}

impl ChangeOption {
    /// Must it pass a review before it is applied (R2.6)? What adds a product or raises the amount must;
    /// less of what was approved is approved.
    pub fn needs_review(&self) -> bool {
        self.terms.kind == OrderChangeKind::Substitute || self.preview.total_after > self.preview.total_before
    }
}

/// The review of what the customer chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReview {
    /// Approved, or declined.
    pub approved: bool,
    /// The checks of the order as it would be.
    pub checks: Vec<Check>,
    /// Why.
    pub reason: Option<String>,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// A change of an order that is negotiated with the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderChange {
    /// Identity.
    pub id: OrderChangeId,
    /// Counts the changes.
    pub version: i64,
    /// The order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: OrderChangeStatus,
    /// Why it is offered; the customer reads it.
    pub reason: String,
    /// The alternatives.
    pub options: Vec<ChangeOption>,
    /// The one that was chosen.
    pub chosen_option_id: Option<ChangeOptionId>,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// When it ends unanswered.
    pub expires_at: DateTime<Utc>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<DateTime<Utc>>,
    /// Why it was declined or withdrawn.
    pub answer_reason: Option<String>,
    /// The review of what was chosen.
    pub review: Option<ChangeReview>,
    /// When it was applied.
    pub applied_at: Option<DateTime<Utc>>,
}

impl OrderChange {
    /// The alternative that was chosen.
    pub fn chosen(&self) -> Option<&ChangeOption> {
        self.options.iter().find(|option| Some(option.id) == self.chosen_option_id)
    }

    /// What stands between the actor and an action on this change, apart from the input.
    pub fn blockers(&self, action: Action, order: &Order, actor: &Actor, now: DateTime<Utc>) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        match action {
            Action::AcceptOrderChange => {
                // What is accepted waits for its review, which is not the customer's.
                refusals.require(self.status != Accepted, || self.status.refuse(action));
                refusals.require(self.status != AwaitingCustomer || now < self.expires_at, || {
                    Refusal::new(Code::OrderChangeExpired, "R4.3", "The time to answer is over.")
                });
                refusals.require(order.status.admits(action), || order.status.refuse(action));
                order.hold_blockers(&mut refusals);
            }
            Action::ReviewOrderChange => {
                refusals.require(order.status.admits(action), || order.status.refuse(action));
                let involved = [Some(&self.proposed_by), Some(&order.submitted_by), self.answered_by.as_ref()];
                let took_part = involved.into_iter().flatten().any(|one| *one == actor.subject);
                refusals.require(!took_part, || {
                    let message = "Whoever proposed or accepted a change, or submitted the order, does not review it.";
                    Refusal::new(Code::SeparationOfDuties, "R2.1", message)
                });
            }
            _ => {}
        }
        refusals
    }

    /// It is before the customer from now on.
    pub fn offer(&mut self) -> EventKind {
        self.status = AwaitingCustomer;
        EventKind::OrderChangeOffered
    }

    /// The customer chooses an alternative. Whether it still does what was said is found out by applying it.
    pub fn accept(&mut self, option: ChangeOptionId, order: &Order, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::AcceptOrderChange, order, act.actor, act.now);
        refusals.require(self.options.iter().any(|one| one.id == option), || {
            Refusal::new(Code::UnknownOption, "R4.3", "Not an alternative of this change.").at("optionId")
        });
        refusals.into_result()?;
        self.status = Accepted;
        self.chosen_option_id = Some(option);
        self.answered_by = Some(act.actor.subject.clone());
        self.answered_at = Some(act.now);
        Ok(EventKind::OrderChangeAccepted)
    }

    /// The order is as it was agreed.
    pub fn applied(&mut self, act: &Act<'_>) -> EventKind {
        self.status = Applied;
        self.applied_at = Some(act.now);
        EventKind::OrderChangeApplied
    }

    /// The customer wants none of the alternatives.
    pub fn decline(&mut self, reason: String, order: &Order, act: &Act<'_>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::DeclineOrderChange, order, act.actor, act.now);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        let happening = EventKind::OrderChangeDeclined.because(&reason);
        self.end(Declined, Some(reason), act);
        Ok(happening)
    }

    /// It is taken back.
    pub fn withdraw(&mut self, reason: String, order: &Order, act: &Act<'_>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::WithdrawOrderChange, order, act.actor, act.now);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        let happening = EventKind::OrderChangeWithdrawn.because(&reason);
        self.end(Withdrawn, Some(reason), act);
        Ok(happening)
    }

    /// Nobody answered in time.
    pub fn expire(&mut self, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = role_blockers(Action::WithdrawOrderChange, act.actor);
        refusals.require(self.status.permits(Action::WithdrawOrderChange, Expired), || {
            self.status.refuse(Action::WithdrawOrderChange)
        });
        refusals.require(self.expires_at <= act.now, || {
            Refusal::new(Code::IllegalTransition, "R4.3", "There is still time to answer.")
        });
        refusals.into_result()?;
        self.end(Expired, None, act);
        Ok(EventKind::OrderChangeExpired)
    }

    /// Decides about what the customer chose, by the checks of the order as it would be. Who must agree is the
    /// highest level that its amount takes (R2.5); what fails a check cannot be approved.
    pub fn review(
        &mut self,
        approve: bool,
        reason: Option<String>,
        order: &Order,
        checks: Vec<Check>,
        approvers: Option<&[Role]>,
        act: &Act<'_>,
    ) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::ReviewOrderChange, order, act.actor, act.now);
        let doubtful = checks.iter().any(|check| check.outcome == CheckOutcome::NeedsHuman);
        text(&mut refusals, "reason", reason.as_deref(), !approve || doubtful, LONG_TEXT);
        if approve {
            order.hold_blockers(&mut refusals);
            for check in checks.iter().filter(|check| check.outcome == CheckOutcome::Fail) {
                refusals.push(Refusal::new(Code::CheckFailed, "R2.6", format!("{}: {}", check.kind, check.message)));
            }
            let approvers = approvers.unwrap_or_default();
            refusals.require(approvers.is_empty() || act.actor.is_any(approvers), || {
                let names: Vec<&str> = approvers.iter().map(|role| role.code()).collect();
                let message = format!("An order of this amount is approved by {}.", names.join(" or "));
                Refusal::new(Code::ApprovalLevelTooLow, "R2.5", message)
            });
        }
        refusals.into_result()?;
        let (decided_by, decided_at) = (act.actor.subject.clone(), act.now);
        self.review = Some(ChangeReview { approved: approve, checks, reason, decided_by, decided_at });
        if !approve {
            self.status = Declined;
            return Ok(EventKind::OrderChangeDeclined.into());
        }
        Ok(self.applied(act).into())
    }

    fn end(&mut self, status: OrderChangeStatus, reason: Option<String>, act: &Act<'_>) {
        self.status = status;
        self.answered_by = Some(act.actor.subject.clone());
        self.answered_at = Some(act.now);
        self.answer_reason = reason;
    }
}

/// The refusal of a change that no longer does what was said when it was offered.
pub fn stale(why: &str) -> Refusals {
    let message = format!("The order has moved on since this was offered: {why} Ask for a new offer.");
    Refusal::new(Code::OrderChangeStale, "R4.3", message).into()
}
