//! Review (R2): checks, questions and answers, and approvals by others than the submitter.

mod approval;
mod checks;
mod clarification;
mod queue;
mod rules;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{OrderId, ReviewCaseId};
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::refusal::Refusals;

pub use approval::{Approval, Invalidation, invalidate, look_by_itself};
pub use checks::{Check, CheckFacts, CheckKind, CheckOutcome, run_checks};
pub use clarification::{Answer, Clarification, LineSpecification};
pub use queue::{NewOwner, QUEUE_EVENTS, QueueEntry};
pub use rules::{
    ApprovalBand, Assessment, AutomaticReview, CustomerField, Exchange, ExchangeRate, RequiredData, Restriction,
    ReviewRules,
};

codes! {
    /// Where a review stands.
    ReviewStatus {
        /// Being worked on.
        Open = "OPEN",
        /// Waiting for an answer.
        AwaitingAnswer = "AWAITING_ANSWER",
        /// The order was approved.
        Approved = "APPROVED",
        /// The order was rejected.
        Rejected = "REJECTED",
        /// Nobody answered in time.
        Expired = "EXPIRED",
    }
}

/// A check that was waived, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The check.
    pub check: CheckKind,
    /// Why it does not stand in the way.
    pub reason: String,
}

/// How a review ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewDecision {
    /// Approved, or rejected.
    pub approved: bool,
    /// Who decided; of several levels, the last.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Why; required for a rejection.
    pub reason: Option<String>,
    /// What was waived, at whatever level.
    pub waivers: Vec<Waiver>,
    /// Decided by the clock, since every check passed and the amount needs nobody. Absent where a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    /// The version of the rules it was decided under; none for decisions older than this record of it.
    #[serde(default)]
    pub rule_set_version: Option<i32>,
}

/// The review of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewCase {
    /// Identity.
    pub id: ReviewCaseId,
    /// Counts the changes.
    pub version: i64,
    /// The order under review.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Who opened it.
    pub reviewer: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// The newest results of the five checks.
    pub checks: Vec<Check>,
    /// Questions and answers, oldest first.
    pub clarifications: Vec<Clarification>,
    /// How it ended.
    pub decision: Option<ReviewDecision>,
    /// Who is at work on it; none while it waits for somebody to take it.
    pub owner: Option<String>,
    /// Since when it waits for what it waits for now; none for reviews older than this record of it.
    pub waiting_since: Option<DateTime<Utc>>,
    /// What the newest checks found the order to be worth, and whose approvals that takes; none for reviews
    /// older than approval levels.
    pub assessment: Option<Assessment>,
    /// Approvals, oldest first; what no longer holds is kept.
    pub approvals: Vec<Approval>,
}

/// Takes the order into review; the checks are run and kept.
pub fn start(
    order: &mut Order,
    actor: &Actor,
    id: ReviewCaseId,
    facts: &CheckFacts<'_>,
) -> Result<ReviewCase, Refusals> {
    order.blockers(Action::StartReview, actor).into_result()?;
    order.status = OrderStatus::UnderReview;
    let mut case = ReviewCase::open(order, actor, id, facts);
    case.owner = Some(actor.subject.clone());
    Ok(case)
}

impl ReviewCase {
    fn open(order: &Order, actor: &Actor, id: ReviewCaseId, facts: &CheckFacts<'_>) -> Self {
        Self {
            id,
            version: 0,
            order_id: order.id,
            status: ReviewStatus::Open,
            reviewer: actor.subject.clone(),
            opened_at: facts.now,
            checks: run_checks(order, facts),
            clarifications: Vec::new(),
            decision: None,
            owner: None,
            waiting_since: Some(facts.now),
            assessment: Some(facts.rules.assess(order, facts.others)),
            approvals: Vec::new(),
        }
    }

    /// Rejects the order, with a reason.
    pub fn reject(&mut self, order: &mut Order, act: &Act<'_>, reason: String) -> Result<Happening, Refusals> {
        let mut refusals = order.blockers(Action::RejectOrder, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        order.status = OrderStatus::Rejected;
        self.status = ReviewStatus::Rejected;
        let happening = EventKind::OrderRejected.because(&reason);
        self.decision = Some(ReviewDecision {
            approved: false,
            decided_by: act.actor.subject.clone(),
            decided_at: act.now,
            reason: Some(reason),
            waivers: Vec::new(),
            automatic: None,
            rule_set_version: Some(order.rule_set_version),
        });
        Ok(happening)
    }
}
