//! Reviews. Only `Clarification` is shown outside the group.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::reference::{Person, perhaps, person};
use super::wrapper;
use crate::domain::review as domain;
use crate::domain::review::{CheckKind, CheckOutcome, ReviewStatus};
use crate::graphql::context::int;
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

    /// Who took it.
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

    /// Who decided; never the one who submitted the order (R2.1).
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
