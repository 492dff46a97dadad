//! The choice of the executing unit, which explains itself (R3.2, R3.3).

use crate::domain::actor::Act;
use crate::domain::codes::codes;
use crate::domain::ids::{AllocationDecisionId, OrderId, OrderLineId, ProductId, UnitId};
use crate::domain::order::{Counter, Order};
use crate::domain::permission::Action;
use crate::domain::reference::{ProductKind, Unit};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Allocation, AllocationLine, AllocationStatus};

codes! {
    /// A rule that speaks on the choice of an executing unit.
    AllocationRule {
        /// Filter: the unit can execute this kind of line (R3.1).
        Capability = "CAPABILITY",
        /// Filter: the unit serves the order's region (R3.2).
        RegionServed = "REGION_SERVED",
        /// Filter: the unit has not declined this share.
        NotExcluded = "NOT_EXCLUDED",
        /// Ranker: units that name the order's region come before those that serve all regions.
        HomeRegion = "HOME_REGION",
        /// Ranker: units that can take more of the order's kinds of lines come first.
        FewestSplits = "FEWEST_SPLITS",
        /// Ranker: units with more of the wanted quantity in stock come first.
        Stock = "STOCK",
        /// Ranker: units with fewer open allocations come first.
        Load = "LOAD",
        /// Tie-break: the unit whose code sorts first.
        UnitCode = "UNIT_CODE",
    }
}

codes! {
    /// How a unit was chosen.
    DecisionMode {
        /// By the rules.
        Auto = "AUTO",
        /// By a person, with a reason (R3.3).
        Manual = "MANUAL",
    }
}

/// What one rule said of one candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule.
    pub rule: AllocationRule,
    /// A filter's answer; none for a ranker.
    pub passed: Option<bool>,
    /// A ranker's score, more is better; none for a filter.
    pub score: Option<Decimal>,
    /// In words.
    pub reason: String,
}

/// A unit that was considered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The unit.
    pub unit_id: UnitId,
    /// Its code.
    pub unit_code: String,
    /// Passed every filter?
    pub eligible: bool,
    /// Was it chosen?
    pub chosen: bool,
    /// What each rule said.
    pub verdicts: Vec<Verdict>,
}

/// Why a share went where it went; never changed.
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
    /// The rule that decided; none for a choice by hand.
    pub decided_by_rule: Option<AllocationRule>,
    /// The rule set it was decided under.
    pub rule_set_version: i32,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Every unit that was considered.
    pub candidates: Vec<Candidate>,
}

/// A unit that may be chosen, with what the rules must know of it.
pub struct UnitFacts {
    /// The unit.
    pub unit: Unit,
    /// Where its stock lies.
    pub warehouse_id: Option<UnitId>,
    /// Allocations it is at work on.
    pub open_allocations: i64,
    /// What is available of each product in its warehouse.
    pub available: BTreeMap<ProductId, Decimal>,
    /// Products' components, by product made to order.
    pub declined: Vec<ProductKind>,
}

/// A share of an order that the rules gave to a unit, and why.
pub type Assignment = (Allocation, AllocationDecision);

/// Allocates everything of the order that no unit has: one share per kind of line and unit (R3.1).
pub fn allocate(
    order: &mut Order,
    act: &Act<'_>,
    units: &[UnitFacts],
    rules: &RuleSet,
) -> Result<Vec<Assignment>, Refusals> {
    let mut refusals = order.blockers(Action::AllocateOrder, act.actor);
    let kinds: Vec<ProductKind> =
        ProductKind::ALL.iter().copied().filter(|kind| open_lines(order, *kind).next().is_some()).collect();
    let mut assignments = Vec::new();
    for kind in &kinds {
        let choice = choose(order, *kind, &kinds, units, rules);
        match choice.chosen {
            None => refusals.push(Refusal::new(
                Code::NoCapableUnit,
                "R3.1",
                format!(
                    "No unit can take the {kind} lines in region {}: {}",
                    order.region,
                    explain(&choice.candidates)
                ),
            )),
            Some(facts) => {
                let decision = AllocationDecision {
                    id: act.id(),
                    order_id: order.id,
                    mode: DecisionMode::Auto,
                    reason: None,
                    decided_by_rule: Some(choice.decided_by),
                    rule_set_version: rules.version,
                    decided_by: act.actor.subject.clone(),
                    decided_at: act.now,
                    candidates: choice.candidates,
                };
                let lines = open_lines(order, *kind)
                    .filter_map(|line| {
                        Some((
                            line.id,
                            line.product_id?,
                            line.sku.clone()?,
                            line.quantities.open() - line.quantities.allocated,
                        ))
                    })
                    .collect::<Vec<_>>();
                assignments.push((assign(order, act, facts, *kind, decision.id, lines), decision));
            }
        }
    }
    refusals.into_result()?;
    for (allocation, _) in &assignments {
        for line in &allocation.lines {
            order.count(Counter::Allocated, line.order_line_id, line.quantity);
        }
    }
    Ok(assignments)
}

fn open_lines(order: &Order, kind: ProductKind) -> impl Iterator<Item = &crate::domain::order::OrderLine> {
    order.lines.iter().filter(move |line| line.kind == Some(kind) && line.quantities.allocated < line.quantities.open())
}

fn assign(
    order: &Order,
    act: &Act<'_>,
    facts: &UnitFacts,
    kind: ProductKind,
    decision_id: AllocationDecisionId,
    lines: Vec<(OrderLineId, ProductId, String, Decimal)>,
) -> Allocation {
    Allocation {
        id: act.id(),
        version: 0,
        order_id: order.id,
        unit_id: facts.unit.id,
        warehouse_id: facts.warehouse_id.filter(|_| kind != ProductKind::Service),
        kind,
        status: AllocationStatus::Assigned,
        decision_id,
        assigned_at: act.now,
        accepted_by: None,
        decline_reason: None,
        lines: lines
            .into_iter()
            .map(|(order_line_id, product_id, sku, quantity)| AllocationLine {
                id: act.id(),
                order_line_id,
                product_id,
                sku,
                quantity,
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

struct Choice<'a> {
    chosen: Option<&'a UnitFacts>,
    decided_by: AllocationRule,
    candidates: Vec<Candidate>,
}

fn explain(candidates: &[Candidate]) -> String {
    let reasons: Vec<String> = candidates
        .iter()
        .filter_map(|candidate| {
            let failed = candidate.verdicts.iter().find(|verdict| verdict.passed == Some(false))?;
            Some(format!("{}: {}", candidate.unit_code, failed.reason))
        })
        .collect();
    if reasons.is_empty() { "there is no executing unit.".to_owned() } else { reasons.join(" ") }
}

/// Filters, then rankers in order; the first that does not tie decides (R3.2).
fn choose<'a>(
    order: &Order,
    kind: ProductKind,
    kinds: &[ProductKind],
    units: &'a [UnitFacts],
    rules: &RuleSet,
) -> Choice<'a> {
    let mut candidates: Vec<Candidate> = units
        .iter()
        .map(|facts| {
            let verdicts = filters(order, kind, facts);
            Candidate {
                unit_id: facts.unit.id,
                unit_code: facts.unit.code.clone(),
                eligible: verdicts.iter().all(|verdict| verdict.passed == Some(true)),
                chosen: false,
                verdicts,
            }
        })
        .collect();
    let mut contenders: Vec<usize> = (0..units.len()).filter(|index| candidates[*index].eligible).collect();
    let mut decided_by = AllocationRule::Capability;
    if contenders.len() > 1 {
        for rule in &rules.rankers {
            let scores: Vec<(usize, Decimal)> = contenders
                .iter()
                .map(|index| {
                    let verdict = rank(*rule, order, kind, kinds, &units[*index]);
                    let score = verdict.score.unwrap_or_default();
                    candidates[*index].verdicts.push(verdict);
                    (*index, score)
                })
                .collect();
            let best = scores.iter().map(|(_, score)| *score).max().unwrap_or_default();
            contenders = scores.into_iter().filter(|(_, score)| *score == best).map(|(index, _)| index).collect();
            if contenders.len() == 1 {
                decided_by = *rule;
                break;
            }
        }
        if contenders.len() > 1 {
            decided_by = AllocationRule::UnitCode;
            contenders.sort_by(|a, b| units[*a].unit.code.cmp(&units[*b].unit.code));
        }
    }
    let chosen = contenders.first().map(|index| {
        candidates[*index].chosen = true;
        &units[*index]
    });
    Choice { chosen, decided_by, candidates }
}

fn filters(order: &Order, kind: ProductKind, facts: &UnitFacts) -> Vec<Verdict> {
    let filter = |rule, passed: bool, yes: String, no: String| Verdict {
        rule,
        passed: Some(passed),
        score: None,
        reason: if passed { yes } else { no },
    };
    let capability = kind.capability();
    let serves = facts.unit.regions.is_empty() || facts.unit.regions.contains(&order.region);
    let equipped = kind == ProductKind::Service || facts.warehouse_id.is_some();
    vec![
        filter(
            AllocationRule::Capability,
            facts.unit.capabilities.contains(&capability) && equipped,
            format!("has {capability}."),
            format!("lacks {capability} or a warehouse for it."),
        ),
        filter(
            AllocationRule::RegionServed,
            serves,
            format!("serves {}.", order.region),
            format!("does not serve {}.", order.region),
        ),
        filter(
            AllocationRule::NotExcluded,
            !facts.declined.contains(&kind),
            "has not declined.".to_owned(),
            "declined this share before.".to_owned(),
        ),
    ]
}

fn rank(rule: AllocationRule, order: &Order, kind: ProductKind, kinds: &[ProductKind], facts: &UnitFacts) -> Verdict {
    let (score, reason) = match rule {
        AllocationRule::HomeRegion => {
            let home = facts.unit.regions.contains(&order.region);
            (Decimal::from(u8::from(home)), if home { "names the region." } else { "serves all regions." }.to_owned())
        }
        AllocationRule::FewestSplits => {
            let count = kinds
                .iter()
                .filter(|kind| filters(order, **kind, facts).iter().all(|v| v.passed == Some(true)))
                .count();
            (Decimal::from(count), format!("can take {count} of the order's {} kinds of lines.", kinds.len()))
        }
        AllocationRule::Stock => {
            let covered: Decimal = open_lines(order, kind)
                .map(|line| {
                    let wanted = line.quantities.open() - line.quantities.allocated;
                    let available =
                        line.product_id.and_then(|id| facts.available.get(&id)).copied().unwrap_or_default();
                    wanted.min(available)
                })
                .sum();
            (covered, format!("has {} of the wanted quantity in stock.", covered.normalize()))
        }
        AllocationRule::Load => {
            (Decimal::from(-facts.open_allocations), format!("has {} open allocations.", facts.open_allocations))
        }
        _ => (Decimal::ZERO, "is no ranker.".to_owned()),
    };
    Verdict { rule, passed: None, score: Some(score), reason }
}

/// Moves a share to another unit by hand, with a reason that is kept (R3.3).
pub fn reassign(
    former: &mut Allocation,
    order: &mut Order,
    act: &Act<'_>,
    to: Option<&UnitFacts>,
    reason: String,
    rules: &RuleSet,
) -> Result<Assignment, Refusals> {
    let mut refusals = former.blockers(Action::ReassignAllocation, order, act.actor);
    crate::domain::intake::text(&mut refusals, "reason", Some(&reason), true, crate::domain::intake::LONG_TEXT);
    let verdicts = to.map(|facts| filters(order, former.kind, facts)).unwrap_or_default();
    match to {
        None => refusals.push(Refusal::new(Code::UnknownUnit, "R3.3", "No such executing unit.").at("unitId")),
        Some(facts) if facts.unit.id == former.unit_id => {
            refusals.push(Refusal::new(Code::UnitExcluded, "R3.3", "The unit holds this share already.").at("unitId"));
        }
        // A person may overrule region and an earlier refusal, but not what a unit is able to do.
        Some(_) => {
            if let Some(lacking) =
                verdicts.iter().find(|v| v.rule == AllocationRule::Capability && v.passed == Some(false))
            {
                refusals.push(
                    Refusal::new(Code::NoCapableUnit, "R3.1", format!("The unit {}", lacking.reason)).at("unitId"),
                );
            }
        }
    }
    refusals.into_result()?;
    let Some(facts) = to else {
        return Err(Refusals::default());
    };
    let decision = AllocationDecision {
        id: act.id(),
        order_id: order.id,
        mode: DecisionMode::Manual,
        reason: Some(reason),
        decided_by_rule: None,
        rule_set_version: rules.version,
        decided_by: act.actor.subject.clone(),
        decided_at: act.now,
        candidates: vec![Candidate {
            unit_id: facts.unit.id,
            unit_code: facts.unit.code.clone(),
            eligible: verdicts.iter().all(|verdict| verdict.passed == Some(true)),
            chosen: true,
            verdicts,
        }],
    };
    let lines = former
        .lines
        .iter()
        .map(|line| (line.order_line_id, line.product_id, line.sku.clone(), line.quantity))
        .collect();
    former.give_back(order, AllocationStatus::Superseded);
    let successor = assign(order, act, facts, former.kind, decision.id, lines);
    for line in &successor.lines {
        order.count(Counter::Allocated, line.order_line_id, line.quantity);
    }
    Ok((successor, decision))
}
