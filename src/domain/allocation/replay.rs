//! Past decisions made again under other rules, from the facts that were known then.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::choice::{Part, plan_kind};
use super::decision::{AllocationDecision, DecisionMode};
use super::facts::UnitFacts;
use super::rules::AllocationRules;
use crate::domain::ids::OrderLineId;

/// A quantity that would have gone elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Code of the unit that got it; none when nobody did.
    pub from: Option<String>,
    /// Code of the unit that would have got it; none when nobody would.
    pub to: Option<String>,
    /// How much.
    pub quantity: Decimal,
}

/// What would have gone elsewhere under other rules. None when the decision cannot be made again: it was made
/// by hand, or by a version of the program that kept no facts.
pub fn replay(decision: &AllocationDecision, rules: &AllocationRules) -> Option<Vec<Move>> {
    let outcome = decision.outcome.as_ref().filter(|_| decision.mode == DecisionMode::Auto)?;
    let facts: Vec<UnitFacts> = decision.candidates.iter().map(|one| one.facts.clone()).collect::<Option<_>>()?;
    let again = plan_kind(&outcome.demand, outcome.kind, &facts, rules);
    let mut moves = Vec::new();
    for line in outcome.demand.of_kind(outcome.kind) {
        moves.extend(moved(line.quantity, &held(&outcome.parts, line.id), &held(&again.parts, line.id)));
    }
    Some(moves)
}

fn held(parts: &[Part], line: OrderLineId) -> BTreeMap<Option<&str>, Decimal> {
    let mut held = BTreeMap::new();
    for part in parts.iter().filter(|part| part.line_id == line) {
        *held.entry(Some(part.unit_code.as_str())).or_insert(Decimal::ZERO) += part.quantity;
    }
    held
}

/// Who lost what to whom; what nobody holds counts as nobody's.
fn moved<'a>(
    wanted: Decimal,
    then: &BTreeMap<Option<&'a str>, Decimal>,
    now: &BTreeMap<Option<&'a str>, Decimal>,
) -> Vec<Move> {
    let rest = |held: &BTreeMap<Option<&str>, Decimal>| wanted - held.values().sum::<Decimal>();
    let mut change: BTreeMap<Option<&str>, Decimal> = now.clone();
    *change.entry(None).or_default() += rest(now);
    for (unit, quantity) in then {
        *change.entry(*unit).or_default() -= quantity;
    }
    *change.entry(None).or_default() -= rest(then);
    let mut losers: Vec<_> =
        change.iter().filter(|(_, by)| **by < Decimal::ZERO).map(|(unit, by)| (*unit, -*by)).collect();
    let mut moves = Vec::new();
    for (to, by) in change.iter().filter(|(_, by)| **by > Decimal::ZERO) {
        let mut left = *by;
        for (from, has) in &mut losers {
            let quantity = left.min(*has);
            if quantity > Decimal::ZERO {
                *has -= quantity;
                left -= quantity;
                moves.push(Move { from: from.map(str::to_owned), to: to.map(str::to_owned), quantity });
            }
        }
    }
    moves
}
