//! Rules of allocation as they are sent to be tried out. They have the form in which rule sets keep them.

use async_graphql::{InputObject, OneofObject};

use crate::app::read::allocation::simulation::Asked;
use crate::domain::actor::Role;
use crate::domain::allocation::{self as domain, AllocationRule, Overdue, Weekday};
use crate::domain::intake::{Channel, Priority};
use crate::domain::reference::ProductKind;
use crate::graphql::scalars::{Date, Decimal};

/// Which rules to ask.
#[derive(OneofObject)]
pub enum AllocationRuleSet {
    /// A stored version of the rules.
    Version(i32),
    /// Rules of allocation that are not stored.
    Draft(AllocationRulesInput),
}

impl AllocationRuleSet {
    /// The choice as the application takes it.
    pub fn read(choice: Option<Self>) -> Asked {
        match choice {
            None => Asked::Own,
            Some(Self::Version(version)) => Asked::Version(version),
            Some(Self::Draft(draft)) => Asked::Draft(Box::new(draft.into())),
        }
    }
}

/// When a rule applies. What is absent does not narrow; everything given must hold.
#[derive(Default, InputObject)]
pub struct AllocationConditionsInput {
    /// To lines of one of these kinds.
    kinds: Option<Vec<ProductKind>>,
    /// To lines of one of these categories.
    categories: Option<Vec<String>>,
    /// To orders of one of these customer groups.
    customer_groups: Option<Vec<String>>,
    /// To orders from one of these regions.
    regions: Option<Vec<String>>,
    /// To orders over one of these channels.
    channels: Option<Vec<Channel>>,
    /// To orders of one of these priorities.
    priorities: Option<Vec<Priority>>,
}

impl From<AllocationConditionsInput> for domain::Conditions {
    fn from(input: AllocationConditionsInput) -> Self {
        Self {
            kinds: input.kinds.unwrap_or_default(),
            categories: input.categories.unwrap_or_default(),
            customer_groups: input.customer_groups.unwrap_or_default(),
            regions: input.regions.unwrap_or_default(),
            channels: input.channels.unwrap_or_default(),
            priorities: input.priorities.unwrap_or_default(),
        }
    }
}

fn when(input: Option<AllocationConditionsInput>) -> domain::Conditions {
    input.unwrap_or_default().into()
}

/// A filter or a ranker.
#[derive(InputObject)]
pub struct AllocationCriterionInput {
    /// What it looks at.
    rule: AllocationRule,
    /// What people call it, to tell two of the same rule apart.
    name: Option<String>,
    /// When it applies; always, when absent.
    when: Option<AllocationConditionsInput>,
    /// Codes of the units it names, for the rules that name units.
    units: Option<Vec<String>>,
}

impl From<AllocationCriterionInput> for domain::Criterion {
    fn from(input: AllocationCriterionInput) -> Self {
        Self { rule: input.rule, name: input.name, when: when(input.when), units: input.units.unwrap_or_default() }
    }
}

/// Whether lines may be split by quantity.
#[derive(InputObject)]
pub struct AllocationSplitInput {
    /// Which lines it speaks of; all, when absent.
    when: Option<AllocationConditionsInput>,
    /// May they be split by quantity?
    by_quantity: bool,
    /// No part is smaller than this, in the line's unit of measure.
    smallest_part: Option<Decimal>,
}

/// Capacity, calendar, cost and lead time of a unit.
#[derive(InputObject)]
pub struct AllocationUnitInput {
    /// Code of the unit.
    unit: String,
    /// Allocations it is at work on at the same time, at most.
    open_allocations: Option<i32>,
    /// Quantity it is at work on at the same time, at most, over all lines, each in its unit of measure.
    open_quantity: Option<Decimal>,
    /// Allocations it is given on one day (UTC), at most.
    allocations_per_day: Option<i32>,
    /// Days of the week it works on; all, when absent.
    working_days: Option<Vec<Weekday>>,
    /// Days it does not work on.
    holidays: Option<Vec<Date>>,
    /// What an allocation to it costs, in the group's currency; compared, never charged.
    cost: Option<Decimal>,
    /// Days it usually takes.
    lead_days: Option<i32>,
}

impl From<AllocationUnitInput> for domain::UnitTerms {
    fn from(input: AllocationUnitInput) -> Self {
        Self {
            unit: input.unit,
            open_allocations: input.open_allocations.map(i64::from),
            open_quantity: input.open_quantity.map(|one| one.0),
            allocations_per_day: input.allocations_per_day.map(i64::from),
            working_days: input.working_days.unwrap_or_default(),
            holidays: input.holidays.unwrap_or_default().into_iter().map(|day| day.0).collect(),
            cost: input.cost.map(|one| one.0),
            lead_days: input.lead_days.map(i64::from),
        }
    }
}

/// How far one region is from another, the same both ways.
#[derive(InputObject)]
pub struct RegionDistanceInput {
    /// A region code.
    from: String,
    /// Another.
    to: String,
    /// How far, in a measure of the group's own.
    distance: i32,
}

/// By when units must answer.
#[derive(InputObject)]
pub struct AnswerRuleInput {
    /// Which shares it speaks of; all, when absent.
    when: Option<AllocationConditionsInput>,
    /// The deadlines, one after the other.
    deadlines: Vec<AnswerDeadlineInput>,
}

/// A deadline of a unit's answer.
#[derive(InputObject)]
pub struct AnswerDeadlineInput {
    /// Hours after the share was assigned.
    hours: i32,
    /// What follows when it passes.
    then: Overdue,
    /// Who is told.
    tell: Option<Vec<Role>>,
}

/// How orders find their executing units (R3.2).
#[derive(InputObject)]
pub struct AllocationRulesInput {
    /// What a unit must satisfy. That it can execute the line and has not declined it is always asked.
    filters: Option<Vec<AllocationCriterionInput>>,
    /// What decides among those that do, in order; the first that does not tie.
    rankers: Option<Vec<AllocationCriterionInput>>,
    /// Whether lines may be split by quantity; the first whose conditions hold speaks.
    splitting: Option<Vec<AllocationSplitInput>>,
    /// Capacity, calendar, cost and lead time of units.
    units: Option<Vec<AllocationUnitInput>>,
    /// Distances between regions.
    distances: Option<Vec<RegionDistanceInput>>,
    /// By when units must answer; the first whose conditions hold speaks.
    answers: Option<Vec<AnswerRuleInput>>,
}

impl From<AllocationRulesInput> for domain::AllocationRules {
    fn from(input: AllocationRulesInput) -> Self {
        fn all<I: Into<D>, D>(list: Option<Vec<I>>) -> Vec<D> {
            list.unwrap_or_default().into_iter().map(Into::into).collect()
        }
        Self {
            filters: all(input.filters),
            rankers: all(input.rankers),
            splitting: all(input.splitting),
            units: all(input.units),
            distances: all(input.distances),
            answers: all(input.answers),
            automatic: domain::Automatic::default(),
        }
    }
}

impl From<AllocationSplitInput> for domain::SplitRule {
    fn from(input: AllocationSplitInput) -> Self {
        Self {
            when: when(input.when),
            by_quantity: input.by_quantity,
            smallest_part: input.smallest_part.map_or(rust_decimal::Decimal::ZERO, |part| part.0),
        }
    }
}

impl From<RegionDistanceInput> for domain::RegionDistance {
    fn from(input: RegionDistanceInput) -> Self {
        Self { from: input.from, to: input.to, distance: i64::from(input.distance) }
    }
}

impl From<AnswerRuleInput> for domain::AnswerRule {
    fn from(input: AnswerRuleInput) -> Self {
        let deadlines = input.deadlines.into_iter().map(|one| domain::AnswerDeadline {
            hours: i64::from(one.hours),
            then: one.then,
            tell: one.tell.unwrap_or_default(),
        });
        Self { when: when(input.when), deadlines: deadlines.collect() }
    }
}
