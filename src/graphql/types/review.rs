//! Reviews. Only `Clarification` is shown outside the group.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::common::Money;
use super::order::Order;
use super::reference::{Person, perhaps, person};
use super::wrapper;
use crate::domain::actor::Role;
use crate::domain::review as domain;
use crate::domain::review::{CheckKind, CheckOutcome, ReviewStatus};
use crate::graphql::connection::connection;
use crate::graphql::context::{int, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// A review.
    ReviewCase(domain::ReviewCase)
}

/// The review of an order (R2), for the group's own people.
#[macros::written]
#[Object]
impl ReviewCase {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Where it stands.
    async fn status(&self) -> ReviewStatus {
        self.0.status
    }

    /// Who opened it.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.reviewer).await
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.0.opened_at.into()
    }

    /// The newest results of the five checks.
    async fn checks(&self) -> Vec<ReviewCheck> {
        self.0.checks.iter().map(Into::into).collect()
    }

    /// Questions and answers, oldest first (R2.3).
    async fn clarifications(&self) -> Vec<Clarification> {
        let all = self.0.clarifications.iter().cloned();
        all.map(Clarification).collect()
    }

    /// How it ended; null while it goes on.
    async fn decision(&self) -> Option<ReviewDecision> {
        self.0.decision.clone().map(ReviewDecision)
    }

    /// Who is at work on it; null while it waits for somebody to take it.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.owner.as_ref()).await
    }

    /// Since when it waits for what it waits for now: a person, an answer, the next approval.
    async fn waiting_since(&self) -> DateTime {
        self.0.waiting_since.unwrap_or(self.0.opened_at).into()
    }

    /// By when the open questions must be answered (R2.3); without an answer the order expires then. Null when
    /// nothing is asked.
    async fn answer_due_at(&self) -> Option<DateTime> {
        self.0.answer_due_at().map(Into::into)
    }

    /// The level of approval it waits for: 1, 2, 3, … Null when it is decided.
    async fn awaited_level(&self) -> Option<i32> {
        self.0.awaited_level()
    }

    /// What the newest checks found the order to be worth, and whose approvals that takes (R2.5). Null for
    /// reviews older than approval levels.
    async fn assessment(&self) -> Option<ReviewAssessment> {
        self.0.assessment.clone().map(ReviewAssessment)
    }

    /// Approvals, oldest first; those that no longer hold are kept (R2.6).
    async fn approvals(&self) -> Vec<Approval> {
        self.0.approvals.iter().cloned().map(Approval).collect()
    }
}

/// What an order is worth.
#[derive(Clone, Debug)]
pub struct ReviewAssessment(domain::Assessment);

/// What an order was found to be worth, and whose approvals that takes: as many as its own amount or the
/// customer's rolling total asks for, whichever asks for more (R2.5).
#[macros::written]
#[Object]
impl ReviewAssessment {
    /// The order's amount in the group's currency. Null when there is no exchange rate: then it takes the
    /// approvals of the topmost amounts.
    async fn amount(&self) -> Option<Money> {
        self.0.amount.map(|amount| Money::new(amount, self.0.currency))
    }

    /// What the customer's orders within the rolling days come to in the group's currency, this one included.
    /// Null when there is no exchange rate for one of them.
    async fn rolling_total(&self) -> Option<Money> {
        self.0.rolling_total.map(|amount| Money::new(amount, self.0.currency))
    }

    /// The levels of approval, in their order. Each is for another person.
    async fn levels(&self) -> Vec<ApprovalLevel> {
        (1..).zip(&self.0.levels).map(|(level, roles)| ApprovalLevel { level, roles: roles.clone() }).collect()
    }

    /// May the clock approve it, when every check passes?
    async fn automatic(&self) -> bool {
        self.0.automatic
    }
}

/// A level of approval.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ApprovalLevel {
    /// 1, 2, 3, …
    pub level: i32,
    /// Who may approve at it.
    pub roles: Vec<Role>,
}

/// An approval.
#[derive(Clone, Debug)]
pub struct Approval(domain::Approval);

/// An approval at one level (R2.5). It is never changed but for being declared void.
#[macros::written]
#[Object]
impl Approval {
    /// The level: 1, 2, 3, …
    async fn level(&self) -> i32 {
        self.0.level
    }

    /// Who gave it; neither the one who submitted the order nor one who approved it at another level.
    async fn approved_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.approved_by).await
    }

    /// When it was given.
    async fn approved_at(&self) -> DateTime {
        self.0.approved_at.into()
    }

    /// Given by the clock, since every check passed and the amount needs nobody.
    async fn automatic(&self) -> bool {
        self.0.automatic == Some(true)
    }

    /// A remark.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// Checks that needed a decision by somebody, and why they do not stand in the way.
    async fn waivers(&self) -> Vec<Waiver> {
        self.0.waivers.iter().map(Into::into).collect()
    }

    /// Does it hold for the order as it is?
    async fn valid(&self) -> bool {
        self.0.invalidation.is_none()
    }

    /// Why it no longer holds; null while it does.
    async fn invalidation(&self) -> Option<ApprovalInvalidation> {
        self.0.invalidation.clone().map(ApprovalInvalidation)
    }
}

/// Why an approval no longer holds.
#[derive(Clone, Debug)]
pub struct ApprovalInvalidation(domain::Invalidation);

/// Why an approval no longer holds (R2.6).
#[macros::written]
#[Object]
impl ApprovalInvalidation {
    /// Who changed what it was given for.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.by).await
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// What was changed.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
}

/// A check of a review and what it found.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ReviewCheck {
    /// What was looked at.
    pub kind: CheckKind,
    /// What was found.
    pub outcome: CheckOutcome,
    /// The clause of the regulation that asks for it, such as `R2.4`.
    pub clause: String,
    /// The finding in words.
    pub message: String,
}

impl From<&domain::Check> for ReviewCheck {
    fn from(check: &domain::Check) -> Self {
        Self { kind: check.kind, outcome: check.outcome, clause: check.clause.clone(), message: check.message.clone() }
    }
}

/// A question and its answer.
#[derive(Clone, Debug)]
pub struct Clarification(pub domain::Clarification);

/// A question to whoever placed an order, and its answer (R2.3).
#[macros::written]
#[Object]
impl Clarification {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// What was asked.
    async fn question(&self) -> &str {
        &self.0.question
    }

    /// Who asked. Null for people outside the group.
    async fn asked_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.asked_by).await
    }

    /// When it was asked.
    async fn asked_at(&self) -> DateTime {
        self.0.asked_at.into()
    }

    /// By when an answer is wanted. Of several open questions the latest counts; without an answer the order
    /// expires then.
    async fn due_at(&self) -> Option<DateTime> {
        self.0.due_at.map(Into::into)
    }

    /// When whoever placed the order was reminded of it.
    async fn reminded_at(&self) -> Option<DateTime> {
        self.0.reminded_at.map(Into::into)
    }

    /// The answer; null while the question is open.
    async fn answer(&self) -> Option<&String> {
        self.0.answer.as_ref()
    }

    /// Who answered. People outside the group see themselves only, else null.
    async fn answered_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.answered_by.as_ref()).await
    }

    /// When it was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(Into::into)
    }
}

/// A decision.
#[derive(Clone, Debug)]
pub struct ReviewDecision(domain::ReviewDecision);

/// How a review ended (R2.6).
#[macros::written]
#[Object]
impl ReviewDecision {
    /// True when the order was approved, false when it was rejected.
    async fn approved(&self) -> bool {
        self.0.approved
    }

    /// Decided by the clock, since every check passed and the amount needs nobody (R2.6).
    async fn automatic(&self) -> bool {
        self.0.automatic == Some(true)
    }

    /// The version of the rules it was decided under (R11.3). Null for decisions older than this record of it.
    async fn rule_set_version(&self) -> Option<i32> {
        self.0.rule_set_version
    }

    /// Who decided, of several levels the last; never the one who submitted the order (R2.1).
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.decided_by).await
    }

    /// When it was decided.
    async fn decided_at(&self) -> DateTime {
        self.0.decided_at.into()
    }

    /// Why; always given for a rejection.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// Checks that needed a decision by somebody, and why they do not stand in the way.
    async fn waivers(&self) -> Vec<Waiver> {
        self.0.waivers.iter().map(Into::into).collect()
    }
}

/// A check that was waived, and why.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct Waiver {
    /// The check; never `LEGALITY`.
    pub check: CheckKind,
    /// Why it does not stand in the way.
    pub reason: String,
}

impl From<&domain::Waiver> for Waiver {
    fn from(waiver: &domain::Waiver) -> Self {
        Self { check: waiver.check, reason: waiver.reason.clone() }
    }
}

wrapper! {
    /// An entry of the queue of reviews.
    ReviewQueueEntry(domain::QueueEntry)
}
connection!(ReviewQueueConnection, ReviewQueueEdge, ReviewQueueEntry, "the queue of reviews");

/// An order that waits for somebody: to be reviewed, to be answered for, or to be approved (R2.1).
#[macros::written]
#[Object]
impl ReviewQueueEntry {
    /// The order.
    async fn order(&self) -> Order {
        Order(self.0.order.clone())
    }

    /// Its review; null before somebody, or the clock, has looked at it.
    async fn review(&self) -> Option<ReviewCase> {
        self.0.review.clone().map(ReviewCase)
    }

    /// Who is at work on it; null while it waits for somebody to take it.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        let review = self.0.review.as_ref();
        perhaps(ctx, review.and_then(|review| review.owner.as_ref())).await
    }

    /// Since when it waits for what it waits for now.
    async fn waiting_since(&self) -> DateTime {
        self.0.waiting_since().into()
    }

    /// Whole minutes for which it has waited.
    async fn waiting_minutes(&self, ctx: &Context<'_>) -> Result<i32> {
        let now = session(ctx)?.app.clock.now();
        Ok(int((now - self.0.waiting_since()).num_minutes().max(0)))
    }

    /// The level of approval it waits for: 1, 2, 3, …
    async fn awaited_level(&self) -> i32 {
        self.0.awaited_level()
    }

    /// Checks that stand in the way, failed or for a person to decide; empty before they were run.
    async fn open_checks(&self) -> Vec<ReviewCheck> {
        let checks = self.0.review.iter().flat_map(|review| &review.checks);
        checks.filter(|check| check.outcome != CheckOutcome::Pass).map(Into::into).collect()
    }
}
