//! Review (R2): five checks, questions and answers, and a decision by somebody else than the submitter.

mod checks;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::actor::{Act, Actor, Role};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ClarificationId, OrderId, OrderLineId, ReviewCaseId};
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::reference::Product;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

use checks::clause_of;
pub use checks::{Check, CheckFacts, CheckKind, CheckOutcome, run_checks};

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
    }
}

/// A question and its answer (R2.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clarification {
    /// Identity.
    pub id: ClarificationId,
    /// What was asked.
    pub question: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// The answer, once there is one.
    pub answer: Option<String>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<DateTime<Utc>>,
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
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Why; required for a rejection.
    pub reason: Option<String>,
    /// What was waived.
    pub waivers: Vec<Waiver>,
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
    /// Who took it.
    pub reviewer: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// The newest results of the five checks.
    pub checks: Vec<Check>,
    /// Questions and answers, oldest first.
    pub clarifications: Vec<Clarification>,
    /// How it ended.
    pub decision: Option<ReviewDecision>,
}

/// Takes the order into review; the checks are run and kept.
pub fn start(
    order: &mut Order,
    actor: &Actor,
    id: ReviewCaseId,
    facts: &CheckFacts<'_>,
    now: DateTime<Utc>,
) -> Result<ReviewCase, Refusals> {
    order.blockers(Action::StartReview, actor).into_result()?;
    order.status = OrderStatus::UnderReview;
    Ok(ReviewCase {
        id,
        version: 0,
        order_id: order.id,
        status: ReviewStatus::Open,
        reviewer: actor.subject.clone(),
        opened_at: now,
        checks: run_checks(order, facts),
        clarifications: Vec::new(),
        decision: None,
    })
}

/// The specification of a line that named only a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSpecification {
    /// The line.
    pub line_id: OrderLineId,
    /// The product it turned out to be.
    pub sku: String,
    /// Details of what is wanted.
    pub specification: Option<String>,
}

impl ReviewCase {
    /// What stands between the actor and a decision, apart from waivers they may give.
    pub fn approval_blockers(&self, order: &Order, actor: &Actor, rules: &RuleSet) -> Refusals {
        let mut refusals = order.blockers(Action::ApproveOrder, actor);
        for check in &self.checks {
            refusals.require(check.outcome != CheckOutcome::Fail, || {
                Refusal::new(Code::CheckFailed, clause_of(check.kind), format!("{}: {}", check.kind, check.message))
            });
        }
        let approvers = rules.approvers(order.total());
        refusals.require(actor.is_any(approvers), || {
            let names: Vec<&str> = approvers.iter().copied().map(Role::code).collect();
            Refusal::new(
                Code::ApprovalLevelTooLow,
                "R2.5",
                format!(
                    "An order of {} {} is approved by {}.",
                    order.total(),
                    order.currency.code(),
                    names.join(" or ")
                ),
            )
        });
        refusals
    }

    /// Approves the order.
    pub fn approve(
        &mut self,
        order: &mut Order,
        actor: &Actor,
        rules: &RuleSet,
        waivers: Vec<Waiver>,
        now: DateTime<Utc>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.approval_blockers(order, actor, rules);
        for (index, waiver) in waivers.iter().enumerate() {
            text(&mut refusals, &format!("waivers.{index}.reason"), Some(&waiver.reason), true, LONG_TEXT);
            refusals.require(waiver.check != CheckKind::Legality, || {
                Refusal::new(Code::CheckNotWaivable, "R2.4", "The law is not waived.")
                    .at(format!("waivers.{index}.check"))
            });
        }
        for check in self.checks.iter().filter(|check| check.outcome == CheckOutcome::NeedsHuman) {
            refusals.require(waivers.iter().any(|waiver| waiver.check == check.kind), || {
                Refusal::new(
                    Code::CheckNeedsDecision,
                    clause_of(check.kind),
                    format!("{}: {} Waive it with a reason, or reject.", check.kind, check.message),
                )
                .at("waivers")
            });
        }
        refusals.into_result()?;
        order.status = OrderStatus::Approved;
        self.decide(true, actor, None, waivers, now);
        Ok(EventKind::OrderApproved)
    }

    /// Rejects the order, with a reason.
    pub fn reject(
        &mut self,
        order: &mut Order,
        actor: &Actor,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<Happening, Refusals> {
        let mut refusals = order.blockers(Action::RejectOrder, actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        order.status = OrderStatus::Rejected;
        let happening = EventKind::OrderRejected.because(&reason);
        self.decide(false, actor, Some(reason), Vec::new(), now);
        Ok(happening)
    }

    fn decide(
        &mut self,
        approved: bool,
        actor: &Actor,
        reason: Option<String>,
        waivers: Vec<Waiver>,
        now: DateTime<Utc>,
    ) {
        self.status = if approved { ReviewStatus::Approved } else { ReviewStatus::Rejected };
        self.decision =
            Some(ReviewDecision { approved, decided_by: actor.subject.clone(), decided_at: now, reason, waivers });
    }

    /// Sends a question back to whoever placed the order.
    pub fn ask(
        &mut self,
        order: &mut Order,
        actor: &Actor,
        id: ClarificationId,
        question: String,
        now: DateTime<Utc>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::RequestClarification, actor);
        text(&mut refusals, "question", Some(&question), true, LONG_TEXT);
        refusals.into_result()?;
        order.status = OrderStatus::ClarificationRequested;
        self.status = ReviewStatus::AwaitingAnswer;
        self.clarifications.push(Clarification {
            id,
            question,
            asked_by: actor.subject.clone(),
            asked_at: now,
            answer: None,
            answered_by: None,
            answered_at: None,
        });
        Ok(EventKind::OrderClarificationRequested)
    }

    /// Keeps the answer, ties clarified lines to their products, and runs the checks again.
    pub fn answer(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        answer: String,
        specifications: &[LineSpecification],
        products: &BTreeMap<String, Product>,
        facts: &CheckFacts<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = order.blockers(Action::AnswerClarification, act.actor);
        text(&mut refusals, "answer", Some(&answer), true, LONG_TEXT);
        for (index, specification) in specifications.iter().enumerate() {
            let line = order.line(specification.line_id);
            refusals.require(line.is_some_and(|line| line.product_id.is_none()), || {
                Refusal::new(Code::UnknownLine, "R2.3", "No line of this order waits for this specification.")
                    .at(format!("lines.{index}.lineId"))
            });
            match products.get(&specification.sku) {
                None => refusals.push(
                    Refusal::new(Code::UnknownSku, "R2.3", "No product has this SKU.").at(format!("lines.{index}.sku")),
                ),
                Some(product) => refusals.require(product.currency == order.currency, || {
                    Refusal::new(
                        Code::CurrencyMismatch,
                        "R2.5",
                        format!("The product is priced in {}.", product.currency.code()),
                    )
                    .at(format!("lines.{index}.sku"))
                }),
            }
            text(
                &mut refusals,
                &format!("lines.{index}.specification"),
                specification.specification.as_deref(),
                false,
                LONG_TEXT,
            );
        }
        refusals.into_result()?;
        for specification in specifications {
            let line = order.lines.iter_mut().find(|line| line.id == specification.line_id);
            if let (Some(line), Some(product)) = (line, products.get(&specification.sku)) {
                // A price agreed with the category was for something unspecified; the list price counts.
                line.specify(product, None, order.currency);
                line.specification = specification.specification.clone().or(line.specification.take());
            }
        }
        if let Some(open) = self.clarifications.iter_mut().rev().find(|one| one.answer.is_none()) {
            open.answer = Some(answer);
            open.answered_by = Some(act.actor.subject.clone());
            open.answered_at = Some(act.now);
        }
        order.status = OrderStatus::UnderReview;
        self.status = ReviewStatus::Open;
        self.checks = run_checks(order, facts);
        Ok(EventKind::OrderClarificationAnswered)
    }
}
