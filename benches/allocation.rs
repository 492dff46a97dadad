//! How long a decision on allocation takes: forty units, two hundred rules, and orders of one and of twelve
//! lines. It is what `simulateAllocation` and `allocateOrder` compute between reading and writing.
//!
//! `cargo bench --bench allocation`

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use ordergraph::domain::allocation::{
    AllocationRule, AllocationRules, Available, Conditions, Criterion, Demand, DemandLine, SplitRule, UnitFacts,
    UnitTerms, plan,
};
use ordergraph::domain::ids::{OrderLineId, ProductId, UnitId};
use ordergraph::domain::intake::{Channel, Priority};
use ordergraph::domain::reference::{Capability, ProductKind};
use rust_decimal::Decimal;
use uuid::Uuid;

const UNITS: u32 = 40;
const FILTERS: u32 = 60;
const RANKERS: u32 = 140;
const ROUNDS: usize = 2_000;

fn main() {
    for lines in [1, 12] {
        for (name, rules) in
            [("every rule ties or speaks of others", rules(true)), ("the last rule decides", rules(false))]
        {
            let (demand, units) = (demand(lines), units());
            let mut times: Vec<Duration> = (0..ROUNDS)
                .map(|_| {
                    let begun = Instant::now();
                    black_box(plan(black_box(&demand), black_box(&units), black_box(&rules)));
                    begun.elapsed()
                })
                .collect();
            times.sort_unstable();
            println!(
                "{UNITS} units, {} rules, {lines} lines, {name}: median {:?}, 99 % {:?}, most {:?}",
                FILTERS + RANKERS,
                times[ROUNDS / 2],
                times[ROUNDS * 99 / 100],
                times[ROUNDS - 1],
            );
        }
    }
}

fn id(index: u32) -> Uuid {
    Uuid::from_u128(u128::from(index) + 1)
}

fn demand(lines: u32) -> Demand {
    Demand {
        region: "R7".to_owned(),
        channel: Channel::OfflineSales,
        priority: Priority::Normal,
        customer_group: "WHOLESALE".to_owned(),
        day: NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day"),
        lines: (0..lines)
            .map(|index| DemandLine {
                id: OrderLineId(id(index)),
                line_number: i32::try_from(index).unwrap_or(0) + 1,
                kind: ProductKind::Goods,
                product_id: ProductId(id(index)),
                sku: format!("SKU-{index}"),
                category: Some(format!("Category {}", index % 3)),
                quantity: Decimal::from(100),
            })
            .collect(),
    }
}

/// None has enough of anything: every line is shared by several.
fn units() -> Vec<UnitFacts> {
    (0..UNITS)
        .map(|unit| UnitFacts {
            unit_id: UnitId(id(1_000 + unit)),
            code: format!("UNIT-{unit:02}"),
            capabilities: vec![Capability::Distribution],
            regions: (0..10).map(|region| format!("R{region}")).collect(),
            warehouse_id: Some(UnitId(id(2_000 + unit))),
            open_allocations: 7,
            open_quantity: Decimal::from(70),
            allocations_today: 3,
            available: (0..12)
                .map(|index| Available {
                    product_id: ProductId(id(index)),
                    sku: format!("SKU-{index}"),
                    quantity: Decimal::from(30),
                })
                .collect(),
            declined: Vec::new(),
        })
        .collect()
}

fn rules(ties: bool) -> AllocationRules {
    let codes: Vec<String> = (0..UNITS).map(|unit| format!("UNIT-{unit:02}")).collect();
    let of = |region: u32| Conditions { regions: vec![format!("R{region}")], ..Conditions::default() };
    let filters = (0..FILTERS).map(|index| match index % 4 {
        0 => Criterion::always(AllocationRule::RegionServed),
        1 => Criterion { when: of(7), units: codes.clone(), ..Criterion::always(AllocationRule::OnlyUnits) },
        2 => Criterion::always(AllocationRule::UnitCapacity),
        _ => Criterion { when: of(index), units: codes.clone(), ..Criterion::always(AllocationRule::NotUnits) },
    });
    let mut rankers: Vec<Criterion> = (1..RANKERS)
        .map(|index| match index % 5 {
            0 => Criterion::always(AllocationRule::HomeRegion),
            1 => Criterion::always(AllocationRule::Stock),
            2 => Criterion::always(AllocationRule::Load),
            3 => Criterion::always(AllocationRule::FewestSplits),
            _ => Criterion { when: of(index), ..Criterion::always(AllocationRule::Cost) },
        })
        .collect();
    rankers.push(if ties {
        Criterion::always(AllocationRule::Load)
    } else {
        Criterion { units: codes.iter().rev().cloned().collect(), ..Criterion::always(AllocationRule::PreferredUnit) }
    });
    AllocationRules {
        filters: filters.collect(),
        rankers,
        splitting: vec![SplitRule { when: Conditions::default(), by_quantity: true, smallest_part: Decimal::from(5) }],
        units: codes
            .iter()
            .map(|unit| UnitTerms {
                unit: unit.clone(),
                open_allocations: Some(1_000),
                open_quantity: Some(Decimal::from(10_000)),
                cost: Some(Decimal::TEN),
                ..UnitTerms::default()
            })
            .collect(),
        ..AllocationRules::default()
    }
}
