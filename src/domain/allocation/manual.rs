//! Allocation by hand, for urgent orders and special customers, with a reason that is kept (R3.3): given out,
//! moved, split, merged. What was reserved follows, or becomes free, in the same decision.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::choice::{Candidate, Part, verdicts};
use super::decision::{AllocationDecision, DecisionMode, Outcome, share};
use super::facts::{Demand, DemandLine, UnitFacts};
use super::follow::{divide, give_rest, join};
use super::{Allocation, AllocationLine, AllocationStatus};
use crate::domain::actor::Act;
use crate::domain::ids::{AllocationLineId, OrderLineId, UnitId};
use crate::domain::intake::{LONG_TEXT, check_quantity, text};
use crate::domain::inventory::StockBook;
use crate::domain::order::{Counter, Order};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// What a choice by hand is made of.
pub struct ByHand<'a> {
    /// Who chooses, when.
    pub act: &'a Act<'a>,
    /// Why.
    pub reason: String,
    /// Every executing unit.
    pub units: &'a [UnitFacts],
    /// The rules the order is handled under.
    pub rules: &'a RuleSet,
    /// The customer's group.
    pub customer_group: String,
}

/// A new share, or several, and why.
pub type ByHandOutcome = (Vec<Allocation>, Vec<AllocationDecision>);

/// What a person gives to a unit of a line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GivenShare {
    /// The unit.
    pub unit_id: UnitId,
    /// The order's line.
    pub line_id: OrderLineId,
    /// How much of it.
    pub quantity: Decimal,
}

/// What a person takes out of a share.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TakenPart {
    /// The share's line.
    pub line_id: AllocationLineId,
    /// How much of it.
    pub quantity: Decimal,
}

impl ByHand<'_> {
    fn reason_refusals(&self, refusals: &mut Refusals) {
        text(refusals, "reason", Some(&self.reason), true, LONG_TEXT);
    }

    fn today(&self) -> NaiveDate {
        self.act.now.date_naive()
    }

    /// What a share holds, as something that units are wanted for.
    fn demand_of(&self, share: &Allocation, order: &Order) -> Demand {
        let held = share.lines.iter().map(|line| (line.order_line_id, line.quantity));
        Demand::with(order, self.customer_group.clone(), self.today(), held)
    }

    fn unit(&self, id: UnitId) -> Option<&UnitFacts> {
        self.units.iter().find(|facts| facts.unit_id == id)
    }

    /// A person may overrule region, capacity and an earlier refusal, but not what a unit is able to do.
    fn able(&self, refusals: &mut Refusals, facts: &UnitFacts, kind: ProductKind, path: &str) {
        let capability = kind.capability();
        let equipped = kind == ProductKind::Service || facts.warehouse_id.is_some();
        refusals.require(facts.capabilities.contains(&capability) && equipped, || {
            let message = format!("{} lacks {capability} or a warehouse for it.", facts.code);
            Refusal::new(Code::NoCapableUnit, "R3.1", message).at(path)
        });
    }

    /// The decision on parts of one kind, with what the filters say of each unit that was chosen.
    fn decision(&self, order: &Order, kind: ProductKind, demand: &Demand, parts: Vec<Part>) -> AllocationDecision {
        let allocation = self.rules.allocation();
        let mut candidates: Vec<Candidate> = Vec::new();
        for part in &parts {
            let Some(facts) = self.unit(part.unit_id) else { continue };
            if candidates.iter().any(|candidate| candidate.unit_id == part.unit_id) {
                continue;
            }
            let lines: Vec<&DemandLine> = demand
                .lines
                .iter()
                .filter(|line| parts.iter().any(|one| one.unit_id == part.unit_id && one.line_id == line.id))
                .collect();
            let verdicts = verdicts(demand, &lines, facts, &allocation);
            candidates.push(Candidate {
                unit_id: facts.unit_id,
                unit_code: facts.code.clone(),
                eligible: verdicts.iter().all(|verdict| verdict.passed == Some(true)),
                chosen: true,
                verdicts,
                facts: Some(facts.clone()),
            });
        }
        AllocationDecision {
            id: self.act.id(),
            order_id: order.id,
            mode: DecisionMode::Manual,
            reason: Some(self.reason.clone()),
            decided_by_rule: None,
            rule_set_version: self.rules.version,
            decided_by: self.act.actor.subject.clone(),
            decided_at: self.act.now,
            candidates,
            outcome: Some(Outcome {
                kind,
                demand: demand.clone(),
                abstentions: Vec::new(),
                parts,
                unallocated: Vec::new(),
            }),
        }
    }
}

fn part(facts: &UnitFacts, line: &DemandLine, quantity: Decimal) -> Part {
    Part {
        unit_id: facts.unit_id,
        unit_code: facts.code.clone(),
        line_id: line.id,
        line_number: line.line_number,
        quantity,
    }
}

/// Gives quantities of an order's lines to units, as a person says.
pub fn allocate_manually(
    order: &mut Order,
    given: &[GivenShare],
    hand: &ByHand<'_>,
) -> Result<ByHandOutcome, Refusals> {
    let mut refusals = order.blockers(Action::AllocateManually, hand.act.actor);
    hand.reason_refusals(&mut refusals);
    let demand = Demand::of(order, hand.customer_group.clone(), hand.today());
    refusals.require(!given.is_empty(), || {
        Refusal::new(Code::Required, "R1.4", "Say what goes to which unit.").at("shares")
    });
    for (index, one) in given.iter().enumerate() {
        let at = |field: &str| format!("shares.{index}.{field}");
        check_quantity(&mut refusals, &at("quantity"), one.quantity);
        let line = order.line(one.line_id);
        refusals.require(line.is_some(), || {
            Refusal::new(Code::UnknownLine, "R3.3", "The order has no such line.").at(at("lineId"))
        });
        let Some(facts) = hand.unit(one.unit_id) else {
            refusals.push(Refusal::new(Code::UnknownUnit, "R3.3", "No such executing unit.").at(at("unitId")));
            continue;
        };
        if let Some(kind) = line.and_then(|line| line.kind) {
            hand.able(&mut refusals, facts, kind, &at("unitId"));
        }
        let left = demand.lines.iter().find(|line| line.id == one.line_id).map_or(Decimal::ZERO, |line| line.quantity);
        let so_far: Decimal =
            given[..=index].iter().filter(|other| other.line_id == one.line_id).map(|other| other.quantity).sum();
        refusals.require(line.is_none() || so_far <= left, || {
            let message = format!("{} of this line is left to allocate.", left.normalize());
            Refusal::new(Code::QuantityExceeded, "R3.3", message).at(at("quantity"))
        });
    }
    refusals.into_result()?;
    let allocation = hand.rules.allocation();
    let (mut shares, mut decisions) = (Vec::new(), Vec::new());
    for kind in demand.kinds() {
        let parts: Vec<Part> = given
            .iter()
            .filter_map(|one| {
                let line = demand.of_kind(kind).find(|line| line.id == one.line_id)?;
                Some(part(hand.unit(one.unit_id)?, line, one.quantity))
            })
            .collect();
        if parts.is_empty() {
            continue;
        }
        let decision = hand.decision(order, kind, &demand, parts.clone());
        let mut holders: Vec<UnitId> = parts.iter().map(|part| part.unit_id).collect();
        holders.sort_unstable();
        holders.dedup();
        for facts in holders.into_iter().filter_map(|id| hand.unit(id)) {
            let lines: Vec<(&DemandLine, Decimal)> = demand
                .of_kind(kind)
                .filter_map(|line| {
                    let of_line = parts.iter().filter(|one| one.unit_id == facts.unit_id && one.line_id == line.id);
                    let quantity: Decimal = of_line.map(|one| one.quantity).sum();
                    (quantity > Decimal::ZERO).then_some((line, quantity))
                })
                .collect();
            shares.push(share(order, hand.act, facts, &demand, decision.id, &lines, &allocation));
        }
        decisions.push(decision);
    }
    for line in shares.iter().flat_map(|share| &share.lines) {
        order.count(Counter::Allocated, line.order_line_id, line.quantity);
    }
    order.leave_queue_if_allocated();
    Ok((shares, decisions))
}

/// Moves a share to another unit. Its stock must be released besides.
pub fn reassign(
    former: &mut Allocation,
    order: &mut Order,
    to: UnitId,
    hand: &ByHand<'_>,
) -> Result<ByHandOutcome, Refusals> {
    let mut refusals = former.blockers(Action::ReassignAllocation, order, hand.act.actor);
    hand.reason_refusals(&mut refusals);
    match hand.unit(to) {
        None => refusals.push(Refusal::new(Code::UnknownUnit, "R3.3", "No such executing unit.").at("unitId")),
        Some(facts) if facts.unit_id == former.unit_id => {
            refusals.push(Refusal::new(Code::UnitExcluded, "R3.3", "The unit holds this share already.").at("unitId"));
        }
        Some(facts) => hand.able(&mut refusals, facts, former.kind, "unitId"),
    }
    refusals.into_result()?;
    let Some(facts) = hand.unit(to) else {
        return Err(Refusals::default());
    };
    let demand = hand.demand_of(former, order);
    let parts = demand.lines.iter().map(|line| part(facts, line, line.quantity)).collect();
    let decision = hand.decision(order, former.kind, &demand, parts);
    former.give_back(order, AllocationStatus::Superseded);
    let lines: Vec<(&DemandLine, Decimal)> = demand.lines.iter().map(|line| (line, line.quantity)).collect();
    let successor = share(order, hand.act, facts, &demand, decision.id, &lines, &hand.rules.allocation());
    for line in &successor.lines {
        order.count(Counter::Allocated, line.order_line_id, line.quantity);
    }
    Ok((vec![successor], vec![decision]))
}

/// Takes parts out of a share that nobody has begun to work on, and gives them to another unit or, as a share
/// of their own, to the same. Two shares take the place of the former: what stays, where it was, with what
/// was reserved for it; and what was taken. What was reserved for that goes along within the unit, and
/// becomes free when it leaves.
pub fn split(
    former: &mut Allocation,
    order: &mut Order,
    to: UnitId,
    taken: &[TakenPart],
    hand: &ByHand<'_>,
    stock: &mut StockBook,
) -> Result<ByHandOutcome, Refusals> {
    let mut refusals = former.blockers(Action::SplitAllocation, order, hand.act.actor);
    hand.reason_refusals(&mut refusals);
    match hand.unit(to) {
        None => refusals.push(Refusal::new(Code::UnknownUnit, "R3.3", "No such executing unit.").at("unitId")),
        Some(facts) => hand.able(&mut refusals, facts, former.kind, "unitId"),
    }
    refusals.require(!taken.is_empty(), || Refusal::new(Code::Required, "R1.4", "Say what is taken out.").at("parts"));
    for (index, one) in taken.iter().enumerate() {
        let at = |field: &str| format!("parts.{index}.{field}");
        check_quantity(&mut refusals, &at("quantity"), one.quantity);
        let Some(line) = former.line(one.line_id) else {
            let message = "The allocation has no such line.";
            refusals.push(Refusal::new(Code::UnknownLine, "R3.3", message).at(at("lineId")));
            continue;
        };
        let so_far: Decimal =
            taken[..=index].iter().filter(|other| other.line_id == one.line_id).map(|other| other.quantity).sum();
        refusals.require(so_far <= line.quantity, || {
            let message = format!("The share holds {} of this line.", line.quantity.normalize());
            Refusal::new(Code::QuantityExceeded, "R3.3", message).at(at("quantity"))
        });
    }
    let taken_of = |line: &AllocationLine| -> Decimal {
        taken.iter().filter(|one| one.line_id == line.id).map(|one| one.quantity).sum()
    };
    let all = former.lines.iter().all(|line| taken_of(line) == line.quantity);
    refusals.require(!all || taken.is_empty(), || {
        let message = "Nothing would stay: move the share instead.";
        Refusal::new(Code::QuantityExceeded, "R3.3", message).at("parts")
    });
    refusals.into_result()?;
    let (Some(facts), Some(own)) = (hand.unit(to), hand.unit(former.unit_id)) else {
        return Err(Refusals::default());
    };
    let goes: Vec<_> = former.lines.iter().map(|line| (line.order_line_id, taken_of(line))).collect();
    let stays: Vec<_> = former.lines.iter().map(|line| (line.order_line_id, line.quantity - taken_of(line))).collect();
    let some = |lines: Vec<(OrderLineId, Decimal)>| -> Vec<(OrderLineId, Decimal)> {
        lines.into_iter().filter(|(_, quantity)| *quantity > Decimal::ZERO).collect()
    };
    let demand = hand.demand_of(former, order);
    let (stays, goes) = (some(stays), some(goes));
    let lines_of = |quantities: &[(OrderLineId, Decimal)]| -> Vec<(&DemandLine, Decimal)> {
        let line = |id: OrderLineId| demand.lines.iter().find(|line| line.id == id);
        quantities.iter().filter_map(|(id, quantity)| Some((line(*id)?, *quantity))).collect()
    };
    let parts = lines_of(&stays).into_iter().map(|(line, quantity)| part(own, line, quantity));
    let parts = parts.chain(lines_of(&goes).into_iter().map(|(line, quantity)| part(facts, line, quantity))).collect();
    let decision = hand.decision(order, former.kind, &demand, parts);
    let allocation = hand.rules.allocation();
    let mut rest = share(order, hand.act, own, &demand, decision.id, &lines_of(&stays), &allocation);
    let mut gone = share(order, hand.act, facts, &demand, decision.id, &lines_of(&goes), &allocation);
    rest.follows(former, hand.act);
    divide(former, &mut rest, hand.act);
    if to == former.unit_id {
        gone.follows(former, hand.act);
        give_rest(former, &mut gone, hand.act);
    }
    // What was handed on stays counted as reserved; what is left becomes free.
    former.give_back(order, AllocationStatus::Superseded);
    former.release(hand.act, stock);
    for line in rest.lines.iter().chain(&gone.lines) {
        order.count(Counter::Allocated, line.order_line_id, line.quantity);
    }
    Ok((vec![rest, gone], vec![decision]))
}

/// Makes one share of two of the same unit and kind that nobody has begun to work on: the second goes into
/// the first, with what is reserved for it. None when there is no other of the same order.
pub fn merge(
    kept: &mut Allocation,
    given: Option<&mut Allocation>,
    order: &Order,
    reason: &str,
    act: &Act<'_>,
) -> Result<(), Refusals> {
    let mut refusals = kept.blockers(Action::MergeAllocations, order, act.actor);
    text(&mut refusals, "reason", Some(reason), true, LONG_TEXT);
    let given = given.filter(|given| {
        kept.order_id == given.order_id
            && kept.unit_id == given.unit_id
            && kept.kind == given.kind
            && kept.status == given.status
    });
    refusals.require(given.is_some(), || {
        let message = "Shares are merged that are of the same order, unit and kind, and stand at the same point.";
        Refusal::new(Code::SharesDoNotFit, "R3.3", message).at("otherAllocationId")
    });
    refusals.into_result()?;
    let Some(given) = given else {
        return Err(Refusals::default());
    };
    join(kept, given, act);
    given.status = AllocationStatus::Superseded;
    given.accept_by = None;
    Ok(())
}

impl Allocation {
    /// Stands where the share stood whose place it takes.
    fn follows(&mut self, former: &Self, act: &Act<'_>) {
        self.status = former.status;
        self.assigned_at = former.assigned_at;
        self.accept_by = former.accept_by;
        self.escalation_level = former.escalation_level;
        self.accepted_by.clone_from(&former.accepted_by);
        self.milestones.clone_from(&former.milestones);
        for milestone in &mut self.milestones {
            milestone.id = act.id();
        }
    }
}
