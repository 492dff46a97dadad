//! Decisions on allocation as they are kept, and what comes of them.

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::choice::{Abstention, Candidate, Part, Plan, Remainder, plan};
use super::facts::{Demand, DemandLine, UnitFacts};
use super::rules::{AllocationRule, AllocationRules};
use super::{Allocation, AllocationLine, AllocationStatus};
use crate::domain::actor::{Act, Role};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationDecisionId, OrderId, UnitId};
use crate::domain::order::{Counter, Order, Unallocatable};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

codes! {
    /// How a unit was chosen.
    DecisionMode {
        /// By the rules.
        Auto = "AUTO",
        /// By a person, with a reason (R3.3).
        Manual = "MANUAL",
    }
}

/// What a decision came to, besides its candidates; not kept by decisions of former versions of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The kind of the lines it was about.
    pub kind: ProductKind,
    /// What was wanted of all kinds, as it was then.
    pub demand: Demand,
    /// Rules that said nothing.
    pub abstentions: Vec<Abstention>,
    /// Who took what.
    pub parts: Vec<Part>,
    /// What nobody took.
    pub unallocated: Vec<Remainder>,
}

/// Why shares went where they went; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllocationDecision {
    /// Identity.
    pub id: AllocationDecisionId,
    /// The order.
    pub order_id: OrderId,
    /// By the rules or by hand.
    pub mode: DecisionMode,
    /// The reason for a choice by hand.
    pub reason: Option<String>,
    /// The rule that decided; none for a choice by hand, and where nobody took anything.
    pub decided_by_rule: Option<AllocationRule>,
    /// The rule set it was decided under.
    pub rule_set_version: i32,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Every unit that was considered.
    pub candidates: Vec<Candidate>,
    /// What it came to.
    pub outcome: Option<Outcome>,
}

/// What came of an allocation by the rules.
#[derive(Debug)]
pub struct Allocated {
    /// The new shares.
    pub shares: Vec<Allocation>,
    /// Why they went where they went, and why what is left went nowhere; one for each kind of line.
    pub decisions: Vec<AllocationDecision>,
    /// What happened to the order.
    pub happening: EventKind,
}

/// Allocates what no unit has of the order: one share per kind of line and unit (R3.1, R3.2). What no unit
/// can take puts the order into the queue of those to be looked after. A person is refused when nothing at
/// all can be allocated; the clock puts the order into the queue.
pub fn allocate(
    order: &mut Order,
    act: &Act<'_>,
    demand: &Demand,
    units: &[UnitFacts],
    rules: &RuleSet,
) -> Result<Allocated, Refusals> {
    let mut refusals = order.blockers(Action::AllocateOrder, act.actor);
    let allocation = rules.allocation();
    let plans = plan(demand, units, &allocation);
    let taken = plans.iter().any(|plan| !plan.parts.is_empty());
    if !taken && !act.actor.is(Role::System) {
        for plan in &plans {
            let kind = plan.kind;
            let why = explain(&plan.candidates);
            let message = format!("No unit can take the {kind} lines in region {}: {why}", order.region);
            refusals.push(Refusal::new(Code::NoCapableUnit, "R3.1", message));
        }
    }
    refusals.into_result()?;
    let mut shares = Vec::new();
    let mut decisions = Vec::new();
    let left = plans.iter().any(|plan| !plan.unallocated.is_empty());
    for plan in plans {
        let id = act.id();
        let mut holders: Vec<UnitId> = Vec::new();
        for part in plan.parts.iter().filter(|part| part.quantity > Decimal::ZERO) {
            if !holders.contains(&part.unit_id) {
                holders.push(part.unit_id);
            }
        }
        for holder in holders {
            let Some(facts) = units.iter().find(|facts| facts.unit_id == holder) else { continue };
            let lines = plan.parts.iter().filter(|part| part.unit_id == holder);
            let lines: Vec<(&DemandLine, Decimal)> = lines
                .filter_map(|part| Some((demand.lines.iter().find(|line| line.id == part.line_id)?, part.quantity)))
                .collect();
            shares.push(share(order, act, facts, demand, id, &lines, &allocation));
        }
        decisions.push(kept(order, act, id, plan, demand, rules.version));
    }
    for line in shares.iter().flat_map(|share| &share.lines) {
        order.count(Counter::Allocated, line.order_line_id, line.quantity);
    }
    let retry_at = act.now + Duration::minutes(allocation.automatic.retry_minutes.max(1));
    let since = order.unallocatable.as_ref().map_or(act.now, |former| former.since);
    order.unallocatable = left.then_some(Unallocatable { since, retry_at });
    let happening = match (taken, left) {
        (_, false) => EventKind::OrderAllocated,
        (true, true) => EventKind::OrderPartlyAllocated,
        (false, true) => EventKind::OrderUnallocatable,
    };
    Ok(Allocated { shares, decisions, happening })
}

fn kept(
    order: &Order,
    act: &Act<'_>,
    id: AllocationDecisionId,
    plan: Plan,
    demand: &Demand,
    rule_set_version: i32,
) -> AllocationDecision {
    AllocationDecision {
        id,
        order_id: order.id,
        mode: DecisionMode::Auto,
        reason: None,
        decided_by_rule: plan.decided_by,
        rule_set_version,
        decided_by: act.actor.subject.clone(),
        decided_at: act.now,
        candidates: plan.candidates,
        outcome: Some(Outcome {
            kind: plan.kind,
            demand: demand.clone(),
            abstentions: plan.abstentions,
            parts: plan.parts,
            unallocated: plan.unallocated,
        }),
    }
}

/// Why each candidate was refused.
pub fn explain(candidates: &[Candidate]) -> String {
    let reasons: Vec<String> = candidates
        .iter()
        .filter_map(|candidate| {
            let failed = candidate.verdicts.iter().find(|verdict| verdict.passed == Some(false))?;
            Some(format!("{}: {}", candidate.unit_code, failed.reason))
        })
        .collect();
    if reasons.is_empty() { "there is no executing unit.".to_owned() } else { reasons.join(" ") }
}

/// A unit's new share of lines of one kind.
pub(super) fn share(
    order: &Order,
    act: &Act<'_>,
    facts: &UnitFacts,
    demand: &Demand,
    decision_id: AllocationDecisionId,
    lines: &[(&DemandLine, Decimal)],
    rules: &AllocationRules,
) -> Allocation {
    let kind = lines.first().map_or(ProductKind::Goods, |(line, _)| line.kind);
    let deadline = rules.deadlines(demand, lines.iter().map(|(line, _)| *line)).first();
    Allocation {
        id: act.id(),
        version: 0,
        order_id: order.id,
        unit_id: facts.unit_id,
        warehouse_id: facts.warehouse_id.filter(|_| kind != ProductKind::Service),
        kind,
        status: AllocationStatus::Assigned,
        decision_id,
        assigned_at: act.now,
        accept_by: deadline.map(|deadline| act.now + Duration::hours(deadline.hours)),
        escalation_level: 0,
        accepted_by: None,
        decline_reason: None,
        lines: lines
            .iter()
            .map(|(line, quantity)| AllocationLine {
                id: act.id(),
                order_line_id: line.id,
                product_id: line.product_id,
                sku: line.sku.clone(),
                quantity: *quantity,
                reserved: Decimal::ZERO,
                produced: Decimal::ZERO,
                passed: Decimal::ZERO,
                planned: Decimal::ZERO,
                dispatched: Decimal::ZERO,
                confirmed: Decimal::ZERO,
            })
            .collect(),
        milestones: Vec::new(),
        reservations: Vec::new(),
        backorders: Vec::new(),
        inspections: Vec::new(),
    }
}
