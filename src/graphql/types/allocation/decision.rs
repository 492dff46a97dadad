//! Why shares of orders went where they went.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use crate::domain::allocation as domain;
use crate::domain::allocation::{AllocationRule, DecisionMode};
use crate::domain::reference::{Capability, ProductKind};
use crate::graphql::context::{int, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::reference::{Person, Unit, person, unit};
use crate::graphql::types::wrapper;

wrapper! {
    /// A decision.
    AllocationDecision(domain::AllocationDecision)
}

/// Why a share went where it went; never changed. For the group's own people (R3.2, R3.3).
#[macros::written]
#[Object]
impl AllocationDecision {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// By the rules or by hand.
    async fn mode(&self) -> DecisionMode {
        self.0.mode
    }

    /// The reason for a choice by hand.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// The rule that decided; null for a choice by hand.
    async fn decided_by_rule(&self) -> Option<AllocationRule> {
        self.0.decided_by_rule
    }

    /// The version of the rules it was decided under.
    async fn rule_set_version(&self) -> i32 {
        self.0.rule_set_version
    }

    /// Who decided.
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.decided_by).await
    }

    /// When it was decided.
    async fn decided_at(&self) -> DateTime {
        self.0.decided_at.into()
    }

    /// The kind of the lines it was about. Null in decisions of former versions of this service, as are the
    /// three lists that follow.
    async fn kind(&self) -> Option<ProductKind> {
        self.0.outcome.as_ref().map(|outcome| outcome.kind)
    }

    /// Rules that said nothing, and why.
    async fn abstentions(&self) -> Option<Vec<AllocationAbstention>> {
        let outcome = self.0.outcome.as_ref()?;
        Some(outcome.abstentions.iter().map(Into::into).collect())
    }

    /// Which unit took how much of which line.
    async fn parts(&self) -> Option<Vec<AllocationPart>> {
        let outcome = self.0.outcome.as_ref()?;
        Some(outcome.parts.iter().map(Into::into).collect())
    }

    /// What no unit took.
    async fn unallocated(&self) -> Option<Vec<AllocationRemainder>> {
        let outcome = self.0.outcome.as_ref()?;
        Some(outcome.unallocated.iter().map(Into::into).collect())
    }

    /// Every unit that was considered, and what each rule said of it.
    async fn candidates(&self) -> Vec<AllocationCandidate> {
        let all = self.0.candidates.iter().cloned();
        all.map(AllocationCandidate).collect()
    }
}

/// A candidate.
#[derive(Clone, Debug)]
pub struct AllocationCandidate(pub domain::Candidate);

/// A unit that was considered for a share.
#[macros::written]
#[Object]
impl AllocationCandidate {
    /// The unit.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.unit_id).await
    }

    /// The unit's code at the time.
    async fn unit_code(&self) -> &str {
        &self.0.unit_code
    }

    /// Did it pass every filter for every line?
    async fn eligible(&self) -> bool {
        self.0.eligible
    }

    /// Was it chosen, for all lines or a part?
    async fn chosen(&self) -> bool {
        self.0.chosen
    }

    /// What each rule said of it, in the order the rules were asked.
    async fn verdicts(&self) -> Vec<AllocationVerdict> {
        self.0.verdicts.iter().map(Into::into).collect()
    }

    /// What was known of it when it was decided. Null in decisions of former versions of this service, and
    /// where the unit lies outside the caller's scope.
    async fn facts(&self, ctx: &Context<'_>) -> Result<Option<AllocationFacts>> {
        if !session(ctx)?.actor.covers_unit(self.0.unit_id) {
            return Ok(None);
        }
        Ok(self.0.facts.as_ref().map(Into::into))
    }
}

/// What was known of a unit.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationFacts {
    /// What it could execute.
    pub capabilities: Vec<Capability>,
    /// The regions it served; all, when empty.
    pub regions: Vec<String>,
    /// Allocations it was at work on.
    pub open_allocations: i32,
    /// The quantity of them, over all lines, each in its unit of measure.
    pub open_quantity: Decimal,
    /// Allocations it was given on that day (UTC).
    pub allocations_today: i32,
    /// What its warehouse had of the wanted products.
    pub available: Vec<AllocationStock>,
}

impl From<&domain::UnitFacts> for AllocationFacts {
    fn from(facts: &domain::UnitFacts) -> Self {
        Self {
            capabilities: facts.capabilities.clone(),
            regions: facts.regions.clone(),
            open_allocations: int(facts.open_allocations),
            open_quantity: facts.open_quantity.into(),
            allocations_today: int(facts.allocations_today),
            available: facts
                .available
                .iter()
                .map(|one| AllocationStock { sku: one.sku.clone(), quantity: one.quantity.into() })
                .collect(),
        }
    }
}

/// What a unit's warehouse had of a product.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationStock {
    /// The product's stock keeping unit.
    pub sku: String,
    /// On hand and not set aside for others.
    pub quantity: Decimal,
}

/// A rule that said nothing.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationAbstention {
    /// The rule.
    pub rule: AllocationRule,
    /// What people call the rule.
    pub name: Option<String>,
    /// Why it said nothing, in words.
    pub reason: String,
}

impl From<&domain::Abstention> for AllocationAbstention {
    fn from(one: &domain::Abstention) -> Self {
        Self { rule: one.rule, name: one.name.clone(), reason: one.reason.clone() }
    }
}

/// What a unit took of a line.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationPart {
    /// Code of the unit.
    pub unit_code: String,
    /// Position of the line in the order: 1, 2, 3, …
    pub line_number: i32,
    /// How much of it, in the line's unit of measure.
    pub quantity: Decimal,
}

impl From<&domain::Part> for AllocationPart {
    fn from(part: &domain::Part) -> Self {
        Self { unit_code: part.unit_code.clone(), line_number: part.line_number, quantity: part.quantity.into() }
    }
}

/// What no unit took of a line.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationRemainder {
    /// Position of the line in the order: 1, 2, 3, …
    pub line_number: i32,
    /// How much of it, in the line's unit of measure.
    pub quantity: Decimal,
}

impl From<&domain::Remainder> for AllocationRemainder {
    fn from(one: &domain::Remainder) -> Self {
        Self { line_number: one.line_number, quantity: one.quantity.into() }
    }
}

/// What one rule said of a unit.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AllocationVerdict {
    /// The rule.
    pub rule: AllocationRule,
    /// What people call the rule, to tell two of the same apart.
    pub name: Option<String>,
    /// A filter's answer; null for a rule that ranks.
    pub passed: Option<bool>,
    /// A ranking rule's score, more is better; null for a filter.
    pub score: Option<Decimal>,
    /// The answer in words.
    pub reason: String,
}

impl From<&domain::Verdict> for AllocationVerdict {
    fn from(verdict: &domain::Verdict) -> Self {
        Self {
            rule: verdict.rule,
            name: verdict.name.clone(),
            passed: verdict.passed,
            score: verdict.score.map(Into::into),
            reason: verdict.reason.clone(),
        }
    }
}
