//! The choice of the executing units, which explains itself (R3.2): filters say who may take which line,
//! rankers put them in order, and what one cannot take goes to the next.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::cover::{Field, Taker, cover};
use super::facts::{Demand, DemandLine, UnitFacts};
use super::rules::{AllocationRule, AllocationRules, Criterion};
use crate::domain::ids::{OrderLineId, UnitId};
use crate::domain::money;
use crate::domain::reference::ProductKind;

/// What one rule said of one candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule.
    pub rule: AllocationRule,
    /// What people call the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A filter's answer; none for a ranker.
    pub passed: Option<bool>,
    /// A ranker's score, more is better; none for a filter.
    pub score: Option<Decimal>,
    /// In words.
    pub reason: String,
}

/// A rule that said nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abstention {
    /// The rule.
    pub rule: AllocationRule,
    /// What people call the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
    /// Passed every filter for every line?
    pub eligible: bool,
    /// Was it chosen, for all or for a part?
    pub chosen: bool,
    /// What each rule said.
    pub verdicts: Vec<Verdict>,
    /// What was known of it; not kept by decisions of former versions of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<UnitFacts>,
}

/// What a unit gets of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The unit.
    pub unit_id: UnitId,
    /// Its code.
    pub unit_code: String,
    /// The order's line.
    pub line_id: OrderLineId,
    /// Its position in the order.
    pub line_number: i32,
    /// How much of it.
    pub quantity: Decimal,
}

/// What no unit takes of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remainder {
    /// The order's line.
    pub line_id: OrderLineId,
    /// Its position in the order.
    pub line_number: i32,
    /// How much of it.
    pub quantity: Decimal,
}

/// Who takes what of an order's lines of one kind, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The kind.
    pub kind: ProductKind,
    /// The rule that decided who comes first; none when nobody takes anything.
    pub decided_by: Option<AllocationRule>,
    /// Every unit.
    pub candidates: Vec<Candidate>,
    /// Rules that said nothing.
    pub abstentions: Vec<Abstention>,
    /// Who takes what.
    pub parts: Vec<Part>,
    /// What nobody takes.
    pub unallocated: Vec<Remainder>,
}

/// Plans the whole of what is wanted, kind by kind. The same facts and rules always give the same plan.
pub fn plan(demand: &Demand, units: &[UnitFacts], rules: &AllocationRules) -> Vec<Plan> {
    let mut units = units.to_vec();
    let mut plans = Vec::new();
    for kind in demand.kinds() {
        let plan = plan_kind(demand, kind, &units, rules);
        // What a unit got of one kind of line counts when the next is given out.
        for unit in &mut units {
            let got: Decimal =
                plan.parts.iter().filter(|part| part.unit_id == unit.unit_id).map(|part| part.quantity).sum();
            if got > Decimal::ZERO {
                unit.open_allocations += 1;
                unit.allocations_today += 1;
                unit.open_quantity += got;
            }
        }
        plans.push(plan);
    }
    plans
}

/// Plans the lines of one kind.
pub fn plan_kind(demand: &Demand, kind: ProductKind, units: &[UnitFacts], rules: &AllocationRules) -> Plan {
    let lines: Vec<&DemandLine> = demand.of_kind(kind).collect();
    let mut table = Table { demand, units, rules, abstentions: Vec::new() };
    let mut candidates: Vec<Candidate> = Vec::with_capacity(units.len());
    let mut takers: Vec<Taker> = Vec::with_capacity(units.len());
    let filters = table.filters(&lines);
    for facts in units {
        let mut verdicts = Vec::with_capacity(filters.len());
        let mut may = vec![true; lines.len()];
        for filter in &filters {
            verdicts.push(table.ask(filter, &lines, facts, &mut may));
        }
        takers.push(Taker { room: table.room(facts), may: may.clone() });
        candidates.push(Candidate {
            unit_id: facts.unit_id,
            unit_code: facts.code.clone(),
            eligible: may.iter().all(|may| *may),
            chosen: false,
            verdicts,
            facts: Some(facts.clone()),
        });
    }
    let ranking = table.rank(&lines, &takers, &mut candidates);
    let in_stock: Vec<bool> = lines.iter().map(|line| table.needs_stock(line)).collect();
    let field = Field {
        lines: &lines,
        smallest: lines.iter().map(|line| rules.smallest_part(demand, line)).collect(),
        in_stock,
        units,
        takers,
    };
    let covered = cover(&field, &ranking.order);
    let mut parts = Vec::new();
    for (unit, quantities) in &covered.parts {
        candidates[*unit].chosen = true;
        for (line, quantity) in lines.iter().zip(quantities).filter(|(_, quantity)| **quantity > Decimal::ZERO) {
            parts.push(Part {
                unit_id: units[*unit].unit_id,
                unit_code: units[*unit].code.clone(),
                line_id: line.id,
                line_number: line.line_number,
                quantity: *quantity,
            });
        }
    }
    let left = lines.iter().zip(&covered.left).filter(|(_, quantity)| **quantity > Decimal::ZERO);
    Plan {
        kind,
        decided_by: covered.first.map(|first| {
            if candidates[first].chosen { ranking.decider(first, &candidates) } else { AllocationRule::Stock }
        }),
        unallocated: left
            .map(|(line, quantity)| Remainder { line_id: line.id, line_number: line.line_number, quantity: *quantity })
            .collect(),
        candidates,
        abstentions: table.abstentions,
        parts,
    }
}

/// What a unit that a person chose says to the filters.
pub fn verdicts(demand: &Demand, lines: &[&DemandLine], facts: &UnitFacts, rules: &AllocationRules) -> Vec<Verdict> {
    let mut table = Table { demand, units: std::slice::from_ref(facts), rules, abstentions: Vec::new() };
    let filters = table.filters(lines);
    let mut may = vec![true; lines.len()];
    filters.iter().map(|filter| table.ask(filter, lines, facts, &mut may)).collect()
}

/// A filter, and the lines it speaks of.
pub(super) struct Filter<'a> {
    pub(super) rule: AllocationRule,
    pub(super) criterion: Option<&'a Criterion>,
    pub(super) applies: Vec<bool>,
}

impl Filter<'_> {
    /// Does it say the same of every line it speaks of?
    const fn is_of_unit(&self) -> bool {
        matches!(
            self.rule,
            AllocationRule::RegionServed
                | AllocationRule::OnlyUnits
                | AllocationRule::NotUnits
                | AllocationRule::UnitOpen
        )
    }
}

/// What the rules are asked about.
pub(super) struct Table<'a> {
    pub(super) demand: &'a Demand,
    pub(super) units: &'a [UnitFacts],
    pub(super) rules: &'a AllocationRules,
    abstentions: Vec<Abstention>,
}

impl<'a> Table<'a> {
    pub(super) fn abstain(&mut self, criterion: &Criterion, reason: String) {
        self.abstentions.push(Abstention { rule: criterion.rule, name: criterion.name.clone(), reason });
    }

    /// The filters that apply to some of the lines: what a unit is able to do first, whom it refused last.
    fn filters(&mut self, lines: &[&DemandLine]) -> Vec<Filter<'a>> {
        let all = || vec![true; lines.len()];
        let mut filters = vec![Filter { rule: AllocationRule::Capability, criterion: None, applies: all() }];
        for criterion in &self.rules.filters {
            let applies: Vec<bool> = lines.iter().map(|line| criterion.when.hold(self.demand, line)).collect();
            if applies.contains(&true) {
                filters.push(Filter { rule: criterion.rule, criterion: Some(criterion), applies });
            } else {
                self.abstain(criterion, "applies to none of the lines.".to_owned());
            }
        }
        filters.push(Filter { rule: AllocationRule::NotExcluded, criterion: None, applies: all() });
        filters
    }

    /// Is stock a limit of the line instead of something to wait for?
    fn needs_stock(&self, line: &DemandLine) -> bool {
        let mut filters = self.rules.filters.iter().filter(|filter| filter.rule == AllocationRule::InStock);
        line.kind == ProductKind::Goods && filters.any(|filter| filter.when.hold(self.demand, line))
    }

    /// The quantity a unit can still take on, where a capacity limits it.
    pub(super) fn room(&self, facts: &UnitFacts) -> Option<Decimal> {
        let limits = self.rules.filters.iter().any(|filter| filter.rule == AllocationRule::UnitCapacity);
        let limit = self.rules.terms(&facts.code)?.open_quantity.filter(|_| limits)?;
        Some(
            (limit - facts.open_quantity)
                .max(Decimal::ZERO)
                .round_dp_with_strategy(money::QUANTITY_SCALE, RoundingStrategy::ToZero),
        )
    }

    /// Asks a filter about a unit; strikes the lines that it may not take.
    fn ask(&self, filter: &Filter<'_>, lines: &[&DemandLine], facts: &UnitFacts, may: &mut [bool]) -> Verdict {
        let mut refused = Vec::new();
        let mut spoken = 0_usize;
        // What is about the unit as such is the same for every line.
        let of_unit = filter.is_of_unit().then(|| lines.first().and_then(|line| self.refuses(filter, line, facts)));
        let (mut yes, mut no) = (String::new(), String::new());
        for (index, line) in lines.iter().enumerate().filter(|(index, _)| filter.applies[*index]) {
            spoken += 1;
            let reason = match &of_unit {
                Some(reason) => reason.clone(),
                None => self.refuses(filter, line, facts),
            };
            if let Some(reason) = reason {
                may[index] = false;
                if no.is_empty() {
                    no = reason;
                }
                refused.push(line.line_number);
            }
        }
        if refused.is_empty() {
            yes = self.approves(filter, facts);
        } else if refused.len() < spoken {
            let numbers: Vec<String> = refused.iter().map(i32::to_string).collect();
            no = format!("line {}: {no}", numbers.join(", "));
        }
        Verdict {
            rule: filter.rule,
            name: filter.criterion.and_then(|criterion| criterion.name.clone()),
            passed: Some(refused.is_empty()),
            score: None,
            reason: if refused.is_empty() { yes } else { no },
        }
    }

    /// Why a unit may not take a line.
    pub(super) fn refuses(&self, filter: &Filter<'_>, line: &DemandLine, facts: &UnitFacts) -> Option<String> {
        let names = |criterion: &Criterion| criterion.units.contains(&facts.code);
        let unless = |holds: bool, reason: &dyn Fn() -> String| (!holds).then(reason);
        match (filter.rule, filter.criterion) {
            (AllocationRule::Capability, _) => {
                let capability = line.kind.capability();
                let equipped = line.kind == ProductKind::Service || facts.warehouse_id.is_some();
                let able = facts.capabilities.contains(&capability) && equipped;
                unless(able, &|| format!("lacks {capability} or a warehouse for it."))
            }
            (AllocationRule::NotExcluded, _) => {
                unless(!facts.declined.contains(&line.id), &|| "declined this share before.".to_owned())
            }
            (AllocationRule::RegionServed, _) => {
                let serves = facts.regions.is_empty() || facts.regions.contains(&self.demand.region);
                unless(serves, &|| format!("does not serve {}.", self.demand.region))
            }
            (AllocationRule::OnlyUnits, Some(criterion)) => {
                unless(names(criterion), &|| format!("is none of {}.", criterion.units.join(", ")))
            }
            (AllocationRule::NotUnits, Some(criterion)) => {
                unless(!names(criterion), &|| format!("is one of {}.", criterion.units.join(", ")))
            }
            (AllocationRule::UnitOpen, _) => {
                let works = self.rules.terms(&facts.code).is_none_or(|terms| terms.works_on(self.demand.day));
                unless(works, &|| format!("does not work on {}.", self.demand.day))
            }
            (AllocationRule::UnitCapacity, _) => self.full(line, facts),
            (AllocationRule::InStock, _) => {
                let available = facts.available(line.product_id);
                let wanted =
                    self.rules.smallest_part(self.demand, line).map_or(line.quantity, |part| part.min(line.quantity));
                let there = line.kind != ProductKind::Goods || available >= wanted;
                unless(there, &|| format!("has {} of {} in stock.", available.normalize(), line.sku))
            }
            _ => None,
        }
    }

    /// Why a unit has no room for a line.
    fn full(&self, line: &DemandLine, facts: &UnitFacts) -> Option<String> {
        let terms = self.rules.terms(&facts.code)?;
        if let Some(most) = terms.open_allocations.filter(|most| facts.open_allocations >= *most) {
            return Some(format!("has {} open allocations of at most {most}.", facts.open_allocations));
        }
        if let Some(most) = terms.allocations_per_day.filter(|most| facts.allocations_today >= *most) {
            return Some(format!("was given {} allocations today of at most {most}.", facts.allocations_today));
        }
        let room = self.room(facts)?;
        let wanted = self.rules.smallest_part(self.demand, line).map_or(line.quantity, |part| part.min(line.quantity));
        (room < wanted).then(|| format!("has room for {} more.", room.normalize()))
    }

    /// What a filter says of a unit that passes.
    fn approves(&self, filter: &Filter<'_>, facts: &UnitFacts) -> String {
        match filter.rule {
            AllocationRule::Capability => "can execute it.".to_owned(),
            AllocationRule::NotExcluded => "has not declined.".to_owned(),
            AllocationRule::RegionServed => format!("serves {}.", self.demand.region),
            AllocationRule::UnitOpen => format!("works on {}.", self.demand.day),
            AllocationRule::UnitCapacity if self.rules.terms(&facts.code).is_none() => "has no limit.".to_owned(),
            AllocationRule::UnitCapacity => "has room.".to_owned(),
            AllocationRule::InStock => "has it in stock.".to_owned(),
            AllocationRule::OnlyUnits => "is one of those named.".to_owned(),
            _ => "is none of those named.".to_owned(),
        }
    }
}
