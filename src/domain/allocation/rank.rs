//! Rankers: who comes first among the units that may take something (R3.2).

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::choice::{Candidate, Filter, Table, Verdict};
use super::cover::Taker;
use super::facts::DemandLine;
use super::rules::{AllocationRule, Criterion};
use crate::domain::reference::ProductKind;

/// The units in the order of the rankers.
pub(super) struct Ranking<'a> {
    /// Indexes of the units, the first first.
    pub(super) order: Vec<usize>,
    /// Each ranker that was asked, with its scores by unit.
    asked: Vec<(&'a Criterion, Vec<Decimal>)>,
}

impl Ranking<'_> {
    /// The rule that put a unit before all others that could take as much: the first that did not tie.
    pub(super) fn decider(&self, first: usize, candidates: &[Candidate]) -> AllocationRule {
        let whole = candidates[first].eligible;
        // Whoever comes before it could not take as much.
        let better = self.order.iter().take_while(|unit| **unit != first);
        if better.filter(|unit| candidates[**unit].eligible == whole).count() > 0 {
            return AllocationRule::FewestSplits;
        }
        let mut rivals: Vec<usize> =
            self.order.iter().copied().filter(|unit| *unit != first && candidates[*unit].eligible == whole).collect();
        if rivals.is_empty() {
            return AllocationRule::Capability;
        }
        for (criterion, scores) in &self.asked {
            rivals.retain(|unit| scores[*unit] >= scores[first]);
            if rivals.is_empty() {
                return criterion.rule;
            }
        }
        AllocationRule::UnitCode
    }
}

/// What a rule thinks of the units.
struct Known {
    rule: AllocationRule,
    scores: Vec<Decimal>,
    reasons: Vec<String>,
    /// Why it cannot compare them.
    unknown: Option<String>,
}

impl<'a> Table<'a> {
    /// Puts the units that may take something in order. A ranker is asked about those that still tie with
    /// somebody, and speaks only if it knows every one of them: else it could not compare them.
    pub(super) fn rank(
        &mut self,
        lines: &[&DemandLine],
        takers: &[Taker],
        candidates: &mut [Candidate],
    ) -> Ranking<'a> {
        let able: Vec<usize> = (0..takers.len()).filter(|unit| takers[*unit].may.contains(&true)).collect();
        let mut groups: Vec<Vec<usize>> = if able.is_empty() { Vec::new() } else { vec![able.clone()] };
        let mut asked = Vec::new();
        let mut known: Vec<Known> = Vec::new();
        let rankers: &'a [Criterion] = &self.rules.rankers;
        for criterion in rankers {
            if groups.iter().all(|group| group.len() == 1) {
                break;
            }
            if !lines.iter().any(|line| criterion.when.hold(self.demand, line)) {
                self.abstain(criterion, "applies to none of the lines.".to_owned());
                continue;
            }
            // A rule that names no units says the same wherever it stands.
            let former =
                known.iter().position(|one: &Known| one.rule == criterion.rule && !criterion.rule.names_units());
            let place = former.unwrap_or(known.len());
            if former.is_none() {
                known.push(self.scores(criterion, lines, &able, takers));
            }
            let Known { scores, reasons, unknown, .. } = &known[place];
            if let Some(reason) = unknown {
                self.abstain(criterion, reason.clone());
                continue;
            }
            let mut split = Vec::new();
            for mut group in groups {
                if group.len() > 1 {
                    for unit in &group {
                        candidates[*unit].verdicts.push(Verdict {
                            rule: criterion.rule,
                            name: criterion.name.clone(),
                            passed: None,
                            score: Some(scores[*unit]),
                            reason: reasons[*unit].clone(),
                        });
                    }
                }
                group.sort_by_key(|unit| Reverse(scores[*unit]));
                split.extend(group.chunk_by(|one, other| scores[*one] == scores[*other]).map(<[usize]>::to_vec));
            }
            groups = split;
            asked.push((criterion, scores.clone()));
        }
        for group in &mut groups {
            group.sort_by(|one, other| self.units[*one].code.cmp(&self.units[*other].code));
        }
        Ranking { order: groups.into_iter().flatten().collect(), asked }
    }

    /// What a ranker thinks of all units that may take something.
    fn scores(&self, criterion: &Criterion, lines: &[&DemandLine], able: &[usize], takers: &[Taker]) -> Known {
        let mut known = Known {
            rule: criterion.rule,
            scores: vec![Decimal::ZERO; takers.len()],
            reasons: vec![String::new(); takers.len()],
            unknown: None,
        };
        for unit in able {
            match self.score(criterion, lines, *unit, takers) {
                Ok((score, reason)) => (known.scores[*unit], known.reasons[*unit]) = (score, reason),
                Err(reason) => {
                    known.unknown = Some(format!("{} {reason}", self.units[*unit].code));
                    break;
                }
            }
        }
        known
    }

    /// What a ranker thinks of a unit, more is better; or why it cannot tell.
    fn score(
        &self,
        criterion: &Criterion,
        lines: &[&DemandLine],
        unit: usize,
        takers: &[Taker],
    ) -> Result<(Decimal, String), &'static str> {
        let facts = &self.units[unit];
        let terms = self.rules.terms(&facts.code);
        Ok(match criterion.rule {
            AllocationRule::HomeRegion => {
                let home = facts.regions.contains(&self.demand.region);
                let reason = if home { "names the region." } else { "serves all regions." };
                (Decimal::from(u8::from(home)), reason.to_owned())
            }
            AllocationRule::RegionDistance => {
                let to = &self.demand.region;
                let nearest = facts.regions.iter().filter_map(|from| self.rules.distance(from, to)).min();
                let nearest = nearest.ok_or("lies at no known distance.")?;
                (Decimal::from(-nearest), format!("is {nearest} from {to}."))
            }
            AllocationRule::PreferredUnit => match criterion.units.iter().position(|code| *code == facts.code) {
                Some(place) => {
                    (Decimal::from(criterion.units.len() - place), format!("is preferred, number {}.", place + 1))
                }
                None => (Decimal::ZERO, "is not among the preferred.".to_owned()),
            },
            AllocationRule::FewestSplits => {
                let kinds = self.demand.kinds();
                let count = kinds.iter().filter(|kind| self.takes_whole(**kind, lines, unit, takers)).count();
                (Decimal::from(count), format!("can take {count} of the order's {} kinds of lines.", kinds.len()))
            }
            AllocationRule::Stock => {
                let covered: Decimal =
                    lines.iter().map(|line| line.quantity.min(facts.available(line.product_id))).sum();
                (covered, format!("has {} of the wanted quantity in stock.", covered.normalize()))
            }
            AllocationRule::Load => {
                (Decimal::from(-facts.open_allocations), format!("has {} open allocations.", facts.open_allocations))
            }
            AllocationRule::Cost => {
                let cost = terms.and_then(|terms| terms.cost).ok_or("has no known cost.")?;
                (-cost, format!("costs {}.", cost.normalize()))
            }
            AllocationRule::LeadTime => {
                let days = terms.and_then(|terms| terms.lead_days).ok_or("has no known lead time.")?;
                (Decimal::from(-days), format!("takes {days} days."))
            }
            _ => return Err("is not ranked by this rule."),
        })
    }

    /// Can a unit take all lines of a kind alone? Where a line may be split by quantity, that means from stock.
    fn takes_whole(&self, kind: ProductKind, lines: &[&DemandLine], unit: usize, takers: &[Taker]) -> bool {
        let facts = &self.units[unit];
        let alone = |line: &DemandLine| {
            line.kind != ProductKind::Goods
                || self.rules.smallest_part(self.demand, line).is_none()
                || facts.available(line.product_id) >= line.quantity
        };
        let wanted = || self.demand.of_kind(kind);
        let room = self.room(facts).is_none_or(|room| wanted().map(|line| line.quantity).sum::<Decimal>() <= room);
        let may = if lines.first().is_some_and(|line| line.kind == kind) {
            takers[unit].may.iter().all(|may| *may)
        } else {
            let filter = |rule, criterion| Filter { rule, criterion, applies: Vec::new() };
            wanted().all(|line| {
                let asked = self.rules.filters.iter().filter(|criterion| criterion.when.hold(self.demand, line));
                std::iter::once(filter(AllocationRule::Capability, None))
                    .chain(asked.map(|criterion| filter(criterion.rule, Some(criterion))))
                    .chain(std::iter::once(filter(AllocationRule::NotExcluded, None)))
                    .all(|filter| self.refuses(&filter, line, facts).is_none())
            })
        };
        may && room && wanted().all(alone)
    }
}
