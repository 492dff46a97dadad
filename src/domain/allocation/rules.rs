//! The rules of allocation, as data: filters, then rankers in order (R3.2). No weights and no scores that are
//! added up, so that a decision can always be told in one sentence.

use chrono::{Datelike, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::facts::{Demand, DemandLine};
use crate::domain::actor::Role;
use crate::domain::codes::codes;
use crate::domain::intake::{Channel, Priority};
use crate::domain::money;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

codes! {
    /// A rule that speaks on the choice of an executing unit.
    AllocationRule {
        /// Filter: the unit can execute this kind of line (R3.1). Always asked first.
        Capability = "CAPABILITY",
        /// Filter: the unit serves the order's region (R3.2).
        RegionServed = "REGION_SERVED",
        /// Filter: the unit has not declined these lines. Always asked last.
        NotExcluded = "NOT_EXCLUDED",
        /// Filter: the unit is one of those that the rule names.
        OnlyUnits = "ONLY_UNITS",
        /// Filter: the unit is none of those that the rule names.
        NotUnits = "NOT_UNITS",
        /// Filter: the unit has not reached its capacity; a unit without one is never full.
        UnitCapacity = "UNIT_CAPACITY",
        /// Filter: the unit works on the day of the allocation.
        UnitOpen = "UNIT_OPEN",
        /// Filter: the goods lie in the unit's warehouse, all of them or, where a line may be split, a part.
        InStock = "IN_STOCK",
        /// Ranker: units that name the order's region come before those that serve all regions.
        HomeRegion = "HOME_REGION",
        /// Ranker: units whose regions are nearer to the order's come first, by the table of distances.
        RegionDistance = "REGION_DISTANCE",
        /// Ranker: the units that the rule names come first, in its order.
        PreferredUnit = "PREFERRED_UNIT",
        /// Ranker: units that can take more of the order's kinds of lines without a split come first.
        FewestSplits = "FEWEST_SPLITS",
        /// Ranker: units with more of the wanted quantity in stock come first.
        Stock = "STOCK",
        /// Ranker: units with fewer open allocations come first.
        Load = "LOAD",
        /// Ranker: units that cost less come first.
        Cost = "COST",
        /// Ranker: units that take fewer days come first.
        LeadTime = "LEAD_TIME",
        /// Tie-break: the unit whose code sorts first. Always asked last.
        UnitCode = "UNIT_CODE",
    }
}

impl AllocationRule {
    /// May it stand among the filters of a rule set?
    pub const fn is_filter(self) -> bool {
        matches!(
            self,
            Self::RegionServed | Self::OnlyUnits | Self::NotUnits | Self::UnitCapacity | Self::UnitOpen | Self::InStock
        )
    }

    /// May it stand among the rankers of a rule set?
    pub const fn is_ranker(self) -> bool {
        matches!(
            self,
            Self::HomeRegion
                | Self::RegionDistance
                | Self::PreferredUnit
                | Self::FewestSplits
                | Self::Stock
                | Self::Load
                | Self::Cost
                | Self::LeadTime
        )
    }

    /// Does it speak of units that it names?
    pub const fn names_units(self) -> bool {
        matches!(self, Self::OnlyUnits | Self::NotUnits | Self::PreferredUnit)
    }
}

codes! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday = "MONDAY",
        /// Tuesday.
        Tuesday = "TUESDAY",
        /// Wednesday.
        Wednesday = "WEDNESDAY",
        /// Thursday.
        Thursday = "THURSDAY",
        /// Friday.
        Friday = "FRIDAY",
        /// Saturday.
        Saturday = "SATURDAY",
        /// Sunday.
        Sunday = "SUNDAY",
    }
}

impl Weekday {
    fn of(day: NaiveDate) -> Self {
        let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
        Self::ALL[index]
    }
}

codes! {
    /// What follows when a unit has not answered in time.
    Overdue {
        /// Those who look after allocation are told; the unit may still answer.
        Escalate = "ESCALATE",
        /// The share counts as declined, and is to be allocated again.
        Decline = "DECLINE",
    }
}

/// When a rule applies. What is empty does not narrow; everything else must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Lines of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ProductKind>,
    /// Lines of one of these categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Orders of one of these customer groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customer_groups: Vec<String>,
    /// Orders from one of these regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Orders over one of these channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Orders of one of these priorities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<Priority>,
}

impl Conditions {
    /// Do they hold for the order as such?
    fn hold_for_order(&self, demand: &Demand) -> bool {
        fn among<T: PartialEq>(wanted: &[T], one: &T) -> bool {
            wanted.is_empty() || wanted.contains(one)
        }
        among(&self.customer_groups, &demand.customer_group)
            && among(&self.regions, &demand.region)
            && among(&self.channels, &demand.channel)
            && among(&self.priorities, &demand.priority)
    }

    /// Do they hold for a line of the order?
    pub fn hold(&self, demand: &Demand, line: &DemandLine) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&line.kind))
            && (self.categories.is_empty()
                || line.category.as_ref().is_some_and(|category| self.categories.contains(category)))
            && self.hold_for_order(demand)
    }
}

/// A filter or ranker with when it applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// What it looks at.
    pub rule: AllocationRule,
    /// What people call it, to tell two of the same rule apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it applies; always, when empty.
    #[serde(default)]
    pub when: Conditions,
    /// Codes of the units it names, for the rules that name units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
}

impl Criterion {
    /// A rule that always applies.
    pub fn always(rule: AllocationRule) -> Self {
        Self { rule, name: None, when: Conditions::default(), units: Vec::new() }
    }
}

/// Whether lines may be split by quantity. The first whose conditions hold speaks; without one a line goes
/// to one unit as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRule {
    /// Which lines it speaks of.
    #[serde(default)]
    pub when: Conditions,
    /// May they be split by quantity?
    pub by_quantity: bool,
    /// No part is smaller than this, in the line's unit of measure.
    #[serde(default)]
    pub smallest_part: Decimal,
}

/// What the rules must know of a unit beyond what it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitTerms {
    /// Code of the unit.
    pub unit: String,
    /// Allocations it is at work on at the same time, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_allocations: Option<i64>,
    /// Quantity it is at work on at the same time, at most, over all lines, each in its unit of measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_quantity: Option<Decimal>,
    /// Allocations it is given on one day (UTC), at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations_per_day: Option<i64>,
    /// Days of the week it works on; all, when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub working_days: Vec<Weekday>,
    /// Days it does not work on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<NaiveDate>,
    /// What an allocation to it costs, in the group's currency; compared, never charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Decimal>,
    /// Days it usually takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_days: Option<i64>,
}

impl UnitTerms {
    /// Does the unit work on a day?
    pub fn works_on(&self, day: NaiveDate) -> bool {
        (self.working_days.is_empty() || self.working_days.contains(&Weekday::of(day))) && !self.holidays.contains(&day)
    }
}

/// How far one region is from another, in a measure of the group's own; the same both ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionDistance {
    /// A region code.
    pub from: String,
    /// Another.
    pub to: String,
    /// How far.
    pub distance: i64,
}

/// By when a unit must answer. The first whose conditions hold for a line of the share speaks; without one
/// there is no deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRule {
    /// Which shares it speaks of.
    #[serde(default)]
    pub when: Conditions,
    /// The deadlines, one after the other.
    pub deadlines: Vec<AnswerDeadline>,
}

/// A deadline of a unit's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerDeadline {
    /// Hours after the share was assigned.
    pub hours: i64,
    /// What follows when it passes.
    pub then: Overdue,
    /// Who is told.
    #[serde(default)]
    pub tell: Vec<Role>,
}

/// What the clock does by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Automatic {
    /// Allocate approved orders.
    pub approved: bool,
    /// Allocate again what a unit declined or did not answer for.
    pub declined: bool,
    /// Minutes until it tries again what no unit could take.
    pub retry_minutes: i64,
}

impl Default for Automatic {
    fn default() -> Self {
        Self { approved: false, declined: false, retry_minutes: 60 }
    }
}

/// How orders find their executing units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllocationRules {
    /// What a unit must satisfy.
    pub filters: Vec<Criterion>,
    /// What decides among those that do; the first that does not tie.
    pub rankers: Vec<Criterion>,
    /// Whether lines may be split by quantity.
    pub splitting: Vec<SplitRule>,
    /// Capacity, calendar, cost and lead time of units.
    pub units: Vec<UnitTerms>,
    /// Distances between regions.
    pub distances: Vec<RegionDistance>,
    /// By when units must answer.
    pub answers: Vec<AnswerRule>,
    /// What the clock does by itself.
    pub automatic: Automatic,
}

/// Filters, rankers and other entries of each list that rules may have.
const MOST_ENTRIES: usize = 500;
/// Hours of a year: no deadline lies further away.
const MOST_HOURS: i64 = 8_784;

impl AllocationRules {
    /// The rules of a rule set that only names rankers, as rule sets did before they could say more.
    pub fn of_rankers(rankers: &[AllocationRule]) -> Self {
        Self {
            filters: vec![Criterion::always(AllocationRule::RegionServed)],
            rankers: rankers.iter().copied().filter(|rule| rule.is_ranker()).map(Criterion::always).collect(),
            ..Self::default()
        }
    }

    /// What is known of a unit.
    pub fn terms(&self, unit: &str) -> Option<&UnitTerms> {
        self.units.iter().find(|terms| terms.unit == unit)
    }

    /// The smallest part a line may be split into; none where it must stay whole.
    pub fn smallest_part(&self, demand: &Demand, line: &DemandLine) -> Option<Decimal> {
        let rule = self.splitting.iter().find(|rule| rule.when.hold(demand, line))?;
        // Quantities are counted in thousandths.
        let up = RoundingStrategy::ToPositiveInfinity;
        let smallest = rule.smallest_part.max(Decimal::new(1, 3));
        rule.by_quantity.then(|| smallest.round_dp_with_strategy(money::QUANTITY_SCALE, up))
    }

    /// How far two regions are from each other, where that is known.
    pub fn distance(&self, one: &str, other: &str) -> Option<i64> {
        if one == other {
            return Some(0);
        }
        let found = self
            .distances
            .iter()
            .find(|entry| (entry.from == one && entry.to == other) || (entry.from == other && entry.to == one));
        found.map(|entry| entry.distance)
    }

    /// The deadlines of a share's answer.
    pub fn deadlines<'a>(
        &self,
        demand: &Demand,
        lines: impl Iterator<Item = &'a DemandLine> + Clone,
    ) -> &[AnswerDeadline] {
        let rule = self.answers.iter().find(|rule| lines.clone().any(|line| rule.when.hold(demand, line)));
        rule.map_or(&[], |rule| &rule.deadlines)
    }

    /// Everything that is wrong with them; units are known by their codes.
    pub fn faults(&self, known: impl Fn(&str) -> bool) -> Refusals {
        let mut faults = Refusals::default();
        let mut fault = |path: String, message: String| {
            faults.push(Refusal::new(Code::RuleNotUsable, "R3.2", message).at(path));
        };
        let sizes = [
            ("filters", self.filters.len()),
            ("rankers", self.rankers.len()),
            ("splitting", self.splitting.len()),
            ("units", self.units.len()),
            ("distances", self.distances.len()),
            ("answers", self.answers.len()),
        ];
        for (list, size) in sizes {
            if size > MOST_ENTRIES {
                fault(list.to_owned(), format!("{list} has at most {MOST_ENTRIES} entries."));
            }
        }
        for (list, criteria) in [("filters", &self.filters), ("rankers", &self.rankers)] {
            let fits = |rule: AllocationRule| if list == "filters" { rule.is_filter() } else { rule.is_ranker() };
            for (index, criterion) in criteria.iter().enumerate() {
                let rule = criterion.rule;
                if !fits(rule) {
                    fault(format!("{list}.{index}.rule"), format!("{rule} does not belong among the {list}."));
                }
                if rule.names_units() == criterion.units.is_empty() {
                    let must = if rule.names_units() { "must name" } else { "names no" };
                    fault(format!("{list}.{index}.units"), format!("{rule} {must} units."));
                }
                for unit in criterion.units.iter().filter(|unit| !known(unit)) {
                    fault(format!("{list}.{index}.units"), format!("There is no unit {unit}."));
                }
            }
        }
        for (index, terms) in self.units.iter().enumerate() {
            if !known(&terms.unit) {
                fault(format!("units.{index}.unit"), format!("There is no unit {}.", terms.unit));
            }
            if self.units[..index].iter().any(|former| former.unit == terms.unit) {
                fault(format!("units.{index}.unit"), format!("{} is told of twice.", terms.unit));
            }
            let counts = [terms.open_allocations, terms.allocations_per_day, terms.lead_days];
            let amounts = [terms.open_quantity, terms.cost];
            if counts.into_iter().flatten().any(|count| count < 0)
                || amounts.into_iter().flatten().any(|amount| amount < Decimal::ZERO)
            {
                fault(format!("units.{index}"), "Capacity, cost and lead time are never negative.".to_owned());
            }
        }
        for (index, rule) in self.splitting.iter().enumerate() {
            if rule.smallest_part < Decimal::ZERO {
                fault(format!("splitting.{index}.smallestPart"), "A part is never negative.".to_owned());
            }
        }
        for (index, rule) in self.answers.iter().enumerate() {
            let mut last = 0;
            for (step, deadline) in rule.deadlines.iter().enumerate() {
                if deadline.hours <= last || deadline.hours > MOST_HOURS {
                    let message = format!("Each deadline is later than the one before and at most {MOST_HOURS} hours.");
                    fault(format!("answers.{index}.deadlines.{step}.hours"), message);
                }
                last = deadline.hours;
            }
        }
        if !(1..=MOST_HOURS * 60).contains(&self.automatic.retry_minutes) {
            fault("automatic.retryMinutes".to_owned(), "Between a minute and a year.".to_owned());
        }
        faults
    }
}
