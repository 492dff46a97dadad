//! The choice of executing units (R3.2) by itself: whatever is wanted and whoever is there, what is given out
//! and what is left add up to it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use ordergraph::domain::allocation::{
    AllocationRule, AllocationRules, AnswerDeadline, AnswerRule, Available, Conditions, Criterion, Demand, DemandLine,
    Overdue, Part, Plan, SplitRule, UnitFacts, UnitTerms, Weekday, plan,
};
use ordergraph::domain::ids::{OrderLineId, ProductId, UnitId};
use ordergraph::domain::intake::{Channel, Priority};
use ordergraph::domain::reference::{Capability, ProductKind};
use ordergraph::domain::rules::RuleSet;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

fn number(value: i64) -> Decimal {
    Decimal::from(value)
}

fn line(index: u32, quantity: i64) -> DemandLine {
    DemandLine {
        id: OrderLineId(Uuid::from_u128(u128::from(index) + 1)),
        line_number: i32::try_from(index).expect("few lines") + 1,
        kind: ProductKind::Goods,
        product_id: ProductId(Uuid::from_u128(u128::from(index) + 100)),
        sku: format!("S{index}"),
        category: Some(if index.is_multiple_of(2) { "EVEN" } else { "ODD" }.to_owned()),
        quantity: number(quantity),
    }
}

fn wanted(quantities: &[i64]) -> Demand {
    Demand {
        region: "NORTH".to_owned(),
        channel: Channel::OfflineSales,
        priority: Priority::Normal,
        customer_group: "WHOLESALE".to_owned(),
        // A Monday.
        day: NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day"),
        lines: (0..).zip(quantities).map(|(index, quantity)| line(index, *quantity)).collect(),
    }
}

fn unit(index: u32, stock: &[i64]) -> UnitFacts {
    UnitFacts {
        unit_id: UnitId(Uuid::from_u128(u128::from(index) + 1_000)),
        code: format!("U{index:02}"),
        capabilities: vec![Capability::Distribution],
        regions: Vec::new(),
        warehouse_id: Some(UnitId(Uuid::from_u128(u128::from(index) + 2_000))),
        open_allocations: 0,
        open_quantity: Decimal::ZERO,
        allocations_today: 0,
        available: (0..)
            .zip(stock)
            .map(|(index, stock)| Available {
                product_id: line(index, 1).product_id,
                sku: format!("S{index}"),
                quantity: number(*stock),
            })
            .collect(),
        declined: Vec::new(),
    }
}

fn criterion(rule: AllocationRule, units: &[&str]) -> Criterion {
    Criterion { units: units.iter().map(|unit| (*unit).to_owned()).collect(), ..Criterion::always(rule) }
}

fn splitting(smallest: i64) -> Vec<SplitRule> {
    vec![SplitRule { when: Conditions::default(), by_quantity: true, smallest_part: number(smallest) }]
}

fn parts(plan: &Plan) -> Vec<(&str, i32, String)> {
    plan.parts.iter().map(|part| (part.unit_code.as_str(), part.line_number, part.quantity.to_string())).collect()
}

fn one(demand: &Demand, units: &[UnitFacts], rules: &AllocationRules) -> Plan {
    let mut plans = plan(demand, units, rules);
    assert_eq!(plans.len(), 1);
    plans.remove(0)
}

#[test]
fn the_first_ranker_that_does_not_tie_decides() {
    let units = [unit(1, &[5]), unit(2, &[9]), unit(3, &[9])];
    let rankers = vec![
        criterion(AllocationRule::HomeRegion, &[]),
        criterion(AllocationRule::Stock, &[]),
        criterion(AllocationRule::Load, &[]),
    ];
    let mut rules = AllocationRules { rankers, ..AllocationRules::default() };
    let decided = one(&wanted(&[9]), &units, &rules);
    assert_eq!(parts(&decided), [("U02", 1, "9".to_owned())], "the code sorts first where everything ties");
    assert_eq!(decided.decided_by, Some(AllocationRule::UnitCode));
    rules.rankers.insert(0, criterion(AllocationRule::PreferredUnit, &["U03", "U01"]));
    let decided = one(&wanted(&[9]), &units, &rules);
    assert_eq!(parts(&decided), [("U03", 1, "9".to_owned())]);
    assert_eq!(decided.decided_by, Some(AllocationRule::PreferredUnit));
    let asked: Vec<AllocationRule> = decided.candidates[0].verdicts.iter().map(|verdict| verdict.rule).collect();
    assert_eq!(asked, [AllocationRule::Capability, AllocationRule::NotExcluded, AllocationRule::PreferredUnit]);
}

#[test]
fn a_rule_abstains_where_it_does_not_apply_or_does_not_know() {
    let units = [unit(1, &[]), unit(2, &[])];
    let urgent = Conditions { priorities: vec![Priority::Urgent], ..Conditions::default() };
    let preferred = Criterion { when: urgent, ..criterion(AllocationRule::PreferredUnit, &["U02"]) };
    let rules = AllocationRules {
        rankers: vec![preferred, criterion(AllocationRule::Cost, &[])],
        units: vec![UnitTerms { unit: "U02".to_owned(), cost: Some(number(1)), ..UnitTerms::default() }],
        ..AllocationRules::default()
    };
    let decided = one(&wanted(&[1]), &units, &rules);
    assert_eq!(decided.decided_by, Some(AllocationRule::UnitCode));
    let said: Vec<(AllocationRule, &str)> =
        decided.abstentions.iter().map(|one| (one.rule, one.reason.as_str())).collect();
    assert_eq!(
        said,
        [
            (AllocationRule::PreferredUnit, "applies to none of the lines."),
            (AllocationRule::Cost, "U01 has no known cost."),
        ]
    );
    let mut urgent = wanted(&[1]);
    urgent.priority = Priority::Urgent;
    assert_eq!(one(&urgent, &units, &rules).decided_by, Some(AllocationRule::PreferredUnit));
}

#[test]
fn lines_go_to_two_units_where_no_one_may_take_all() {
    let units = [unit(1, &[]), unit(2, &[]), unit(3, &[])];
    let of = |category: &str, units: &[&str]| Criterion {
        when: Conditions { categories: vec![category.to_owned()], ..Conditions::default() },
        ..criterion(AllocationRule::OnlyUnits, units)
    };
    let rules = AllocationRules {
        filters: vec![of("EVEN", &["U02"]), of("ODD", &["U01", "U03"])],
        ..AllocationRules::default()
    };
    let decided = one(&wanted(&[4, 5, 6]), &units, &rules);
    let expected = [("U01", 2, "5".to_owned()), ("U02", 1, "4".to_owned()), ("U02", 3, "6".to_owned())];
    assert_eq!(parts(&decided), expected);
    assert!(decided.candidates.iter().all(|candidate| !candidate.eligible));
    let first = &decided.candidates[0].verdicts[1];
    assert_eq!((first.passed, first.reason.as_str()), (Some(false), "is none of U02."));
}

#[test]
fn what_one_warehouse_lacks_comes_from_another() {
    let units = [unit(1, &[6]), unit(2, &[3]), unit(3, &[9])];
    let rankers = vec![criterion(AllocationRule::PreferredUnit, &["U01"])];
    let mut rules = AllocationRules { rankers, splitting: splitting(1), ..AllocationRules::default() };
    let split = |quantity: i64, rules: &AllocationRules| {
        let decided = one(&wanted(&[quantity]), &units, rules);
        parts(&decided).into_iter().map(|(unit, _, quantity)| format!("{unit} {quantity}")).collect::<Vec<_>>()
    };
    assert_eq!(split(6, &rules), ["U01 6"]);
    assert_eq!(split(9, &rules), ["U01 6", "U02 3"], "the first that has all of the rest");
    assert_eq!(split(12, &rules), ["U01 6", "U03 6"]);
    assert_eq!(split(17, &rules), ["U01 6", "U02 3", "U03 8"]);
    // What nobody has is waited for where the order is at home.
    assert_eq!(split(20, &rules), ["U01 8", "U02 3", "U03 9"]);
    rules.splitting = splitting(4);
    assert_eq!(split(9, &rules), ["U01 5", "U03 4"], "no part is smaller than four");
    rules.splitting = Vec::new();
    assert_eq!(split(20, &rules), ["U01 20"]);
    // Whoever has it alone comes first if fewest splits come first.
    rules.splitting = splitting(1);
    rules.rankers.insert(0, criterion(AllocationRule::FewestSplits, &[]));
    assert_eq!(split(9, &rules), ["U03 9"]);
}

#[test]
fn stock_and_capacity_are_limits_where_filters_say_so() {
    let units = [unit(1, &[6]), unit(2, &[3])];
    let rules = AllocationRules {
        filters: vec![criterion(AllocationRule::InStock, &[])],
        splitting: splitting(1),
        ..AllocationRules::default()
    };
    let decided = one(&wanted(&[20]), &units, &rules);
    assert_eq!(parts(&decided), [("U01", 1, "6".to_owned()), ("U02", 1, "3".to_owned())]);
    assert_eq!(decided.unallocated[0].quantity, number(11));

    let mut rules = AllocationRules {
        filters: vec![criterion(AllocationRule::UnitCapacity, &[])],
        splitting: splitting(1),
        units: vec![UnitTerms { unit: "U01".to_owned(), open_quantity: Some(number(4)), ..UnitTerms::default() }],
        ..AllocationRules::default()
    };
    let decided = one(&wanted(&[7]), &[unit(1, &[9]), unit(2, &[])], &rules);
    assert_eq!(parts(&decided), [("U02", 1, "3".to_owned()), ("U01", 1, "4".to_owned())]);
    rules.units[0].open_allocations = Some(0);
    let decided = one(&wanted(&[7]), &[unit(1, &[9])], &rules);
    assert_eq!((decided.decided_by, decided.parts.len()), (None, 0));
    assert_eq!(decided.candidates[0].verdicts[1].reason, "has 0 open allocations of at most 0.");
}

#[test]
fn a_unit_that_is_closed_is_not_asked() {
    let rules = AllocationRules {
        filters: vec![criterion(AllocationRule::UnitOpen, &[])],
        units: vec![
            UnitTerms { unit: "U01".to_owned(), working_days: vec![Weekday::Sunday], ..UnitTerms::default() },
            UnitTerms {
                unit: "U02".to_owned(),
                working_days: vec![Weekday::Monday],
                holidays: vec![NaiveDate::from_ymd_opt(2026, 3, 9).unwrap()],
                ..UnitTerms::default()
            },
        ],
        ..AllocationRules::default()
    };
    let units = [unit(1, &[]), unit(2, &[])];
    let mut demand = wanted(&[1]);
    assert_eq!(parts(&one(&demand, &units, &rules))[0].0, "U02");
    demand.day = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    let decided = one(&demand, &units, &rules);
    assert_eq!(decided.parts.len(), 0);
    assert_eq!(decided.candidates[1].verdicts[1].reason, "does not work on 2026-03-09.");
}

#[test]
fn rule_sets_that_only_name_rankers_are_read_and_mean_what_they_meant() {
    let mut body = serde_json::to_value(ordergraph::seed::rules::first(|_| String::new(), Vec::new())).unwrap();
    body.as_object_mut().unwrap().remove("allocation");
    body["rankers"] = serde_json::json!(["HOME_REGION", "FEWEST_SPLITS", "STOCK", "LOAD"]);
    let rules: RuleSet = serde_json::from_value(body).unwrap();
    let allocation = rules.allocation();
    let filters: Vec<AllocationRule> = allocation.filters.iter().map(|one| one.rule).collect();
    let rankers: Vec<AllocationRule> = allocation.rankers.iter().map(|one| one.rule).collect();
    assert_eq!(filters, [AllocationRule::RegionServed]);
    use AllocationRule::{FewestSplits, HomeRegion, Load, Stock};
    assert_eq!(rankers, [HomeRegion, FewestSplits, Stock, Load]);
    assert!(!allocation.automatic.approved && !allocation.automatic.declined);
}

#[test]
fn unusable_rules_are_told_with_all_their_faults() {
    let rules = AllocationRules {
        filters: vec![criterion(AllocationRule::Load, &[]), criterion(AllocationRule::OnlyUnits, &[])],
        rankers: vec![criterion(AllocationRule::PreferredUnit, &["NOWHERE"])],
        answers: vec![AnswerRule {
            when: Conditions::default(),
            deadlines: [8, 8].map(|hours| AnswerDeadline { hours, then: Overdue::Decline, tell: Vec::new() }).to_vec(),
        }],
        ..AllocationRules::default()
    };
    let paths: Vec<String> = rules.faults(|_| false).0.iter().map(|fault| fault.path.join(".")).collect();
    assert_eq!(paths, ["filters.0.rule", "filters.1.units", "rankers.0.units", "answers.0.deadlines.1.hours"]);
    assert!(AllocationRules::of_rankers(&[AllocationRule::Load]).faults(|_| false).is_empty());
}

prop_compose! {
    fn world()(
        quantities in prop::collection::vec(1_i64..60, 1..5),
        stocks in prop::collection::vec(prop::collection::vec(0_i64..40, 4), 1..6),
        rooms in prop::collection::vec(prop::option::of(0_i64..80), 6),
        allowed in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.7), 2), 6),
        smallest in prop::option::of(1_i64..15),
        filters in prop::collection::vec(prop::sample::select(vec![AllocationRule::InStock, AllocationRule::UnitCapacity]), 0..2),
        rankers in prop::sample::subsequence(vec![AllocationRule::FewestSplits, AllocationRule::Stock, AllocationRule::Load], 0..4),
    ) -> (Demand, Vec<UnitFacts>, AllocationRules) {
        let units: Vec<UnitFacts> = (0..).zip(&stocks).map(|(index, stock)| unit(index, stock)).collect();
        let mut all: Vec<Criterion> = filters.into_iter().map(Criterion::always).collect();
        for (parity, category) in ["EVEN", "ODD"].into_iter().enumerate() {
            let names = units.iter().enumerate().filter(|(index, _)| allowed[*index][parity]);
            let mut only = criterion(AllocationRule::OnlyUnits, &[]);
            only.units = names.map(|(_, unit)| unit.code.clone()).collect();
            only.when.categories = vec![category.to_owned()];
            all.push(only);
        }
        let rules = AllocationRules {
            filters: all,
            rankers: rankers.into_iter().map(Criterion::always).collect(),
            splitting: smallest.map(splitting).unwrap_or_default(),
            units: units.iter().zip(rooms).map(|(unit, room)| UnitTerms {
                unit: unit.code.clone(),
                open_quantity: room.map(number),
                ..UnitTerms::default()
            }).collect(),
            ..AllocationRules::default()
        };
        (wanted(&quantities), units, rules)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_given_out_and_what_is_left_add_up((demand, units, rules) in world()) {
        let decided = one(&demand, &units, &rules);
        prop_assert_eq!(&decided, &one(&demand, &units, &rules), "the same facts, the same plan");
        let has = |rule| rules.filters.iter().any(|filter| filter.rule == rule);
        for line in &demand.lines {
            let of_line: Vec<&Part> = decided.parts.iter().filter(|part| part.line_id == line.id).collect();
            let left: Decimal =
                decided.unallocated.iter().filter(|rest| rest.line_id == line.id).map(|rest| rest.quantity).sum();
            let given: Decimal = of_line.iter().map(|part| part.quantity).sum();
            prop_assert_eq!(given + left, line.quantity);
            prop_assert!(of_line.iter().all(|part| part.quantity > Decimal::ZERO));
            let holders: BTreeSet<&str> = of_line.iter().map(|part| part.unit_code.as_str()).collect();
            prop_assert_eq!(holders.len(), of_line.len(), "one part for each unit");
            let is_split = of_line.len() > 1 || (!of_line.is_empty() && left > Decimal::ZERO);
            match rules.splitting.first() {
                None => prop_assert!(!is_split, "it stays whole"),
                Some(rule) if is_split => {
                    prop_assert!(of_line.iter().all(|part| part.quantity >= rule.smallest_part));
                }
                Some(_) => {}
            }
            for part in &of_line {
                let allowed = rules.filters.iter().filter(|filter| filter.when.hold(&demand, line));
                let named = allowed.filter(|filter| filter.rule == AllocationRule::OnlyUnits);
                prop_assert!(named.into_iter().all(|filter| filter.units.contains(&part.unit_code)));
                let unit = units.iter().find(|unit| unit.code == part.unit_code).unwrap();
                if has(AllocationRule::InStock) {
                    prop_assert!(part.quantity <= unit.available(line.product_id));
                }
            }
        }
        let mut taken: BTreeMap<&str, Decimal> = BTreeMap::new();
        for part in &decided.parts {
            *taken.entry(part.unit_code.as_str()).or_default() += part.quantity;
        }
        if has(AllocationRule::UnitCapacity) {
            for (unit, quantity) in taken {
                let room = rules.terms(unit).and_then(|terms| terms.open_quantity);
                prop_assert!(room.is_none_or(|room| quantity <= room));
            }
        }
        // Where one unit may take everything and has it, one does.
        let alone = |unit: &UnitFacts| {
            let candidate = decided.candidates.iter().find(|one| one.unit_id == unit.unit_id).unwrap();
            candidate.eligible && demand.lines.iter().all(|line| unit.available(line.product_id) >= line.quantity)
        };
        let fewest = rules.rankers.first().is_some_and(|one| one.rule == AllocationRule::FewestSplits);
        if fewest && !has(AllocationRule::UnitCapacity) && units.iter().any(alone) {
            let holders: BTreeSet<&str> = decided.parts.iter().map(|part| part.unit_code.as_str()).collect();
            prop_assert_eq!(holders.len(), 1);
        }
    }
}
