//! Walking down a structure: everything that goes into a product, and what of it is still needed when
//! what is in stock is used first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{DEEPEST, MOST_LINES, Structure};
use crate::domain::ids::ProductId;
use crate::domain::money::QUANTITY_SCALE;
use crate::domain::reference::Component;
use crate::domain::refusal::{Refusal, RefusalCode as Code};

/// A quantity of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// How much of it.
    pub quantity: Decimal,
}

/// A component where it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplosionLine {
    /// 1 for what goes into the product itself, 2 for what goes into that, and so on.
    pub level: u32,
    /// What it goes into.
    pub parent_id: ProductId,
    /// The component.
    pub component: Component,
    /// How much of it is needed here.
    pub quantity: Decimal,
    /// It is not made of anything else.
    pub is_leaf: bool,
}

/// Everything that goes into a quantity of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explosion {
    /// Each component followed by what it is made of.
    pub lines: Vec<ExplosionLine>,
    /// What is not made of anything else, once each with its total, by SKU.
    pub leaves: Vec<Part>,
    /// The deepest level.
    pub depth: u32,
}

fn too_large() -> Refusal {
    let message = format!("The structure has more than {MOST_LINES} lines or {DEEPEST} levels.");
    Refusal::new(Code::StructureTooLarge, "R4.6", message)
}

/// A quantity as it can be counted: what is finer than that is needed whole.
fn countable(quantity: Decimal) -> Decimal {
    quantity.round_dp_with_strategy(QUANTITY_SCALE, RoundingStrategy::ToPositiveInfinity).normalize()
}

fn product_of(quantity: Decimal, per_unit: Decimal) -> Result<Decimal, Refusal> {
    quantity.checked_mul(per_unit).ok_or_else(too_large)
}

/// Everything that goes into a quantity of a product, by what it is made of on a day.
pub fn explode(
    product: ProductId,
    quantity: Decimal,
    day: NaiveDate,
    structure: &Structure,
) -> Result<Explosion, Refusal> {
    let mut explosion = Explosion::default();
    walk(product, quantity, 1, day, structure, &mut explosion)?;
    let mut totals: BTreeMap<String, Part> = BTreeMap::new();
    for line in explosion.lines.iter().filter(|line| line.is_leaf) {
        let total = totals.entry(line.component.sku.clone()).or_insert_with(|| Part {
            product_id: line.component.product_id,
            sku: line.component.sku.clone(),
            quantity: Decimal::ZERO,
        });
        total.quantity = total.quantity.checked_add(line.quantity).ok_or_else(too_large)?;
    }
    explosion.leaves = totals.into_values().collect();
    Ok(explosion)
}

fn walk(
    product: ProductId,
    quantity: Decimal,
    level: u32,
    day: NaiveDate,
    structure: &Structure,
    explosion: &mut Explosion,
) -> Result<(), Refusal> {
    for component in structure.parts(product, day) {
        if level > DEEPEST || explosion.lines.len() >= MOST_LINES {
            return Err(too_large());
        }
        let needed = product_of(quantity, component.quantity)?;
        explosion.depth = explosion.depth.max(level);
        explosion.lines.push(ExplosionLine {
            level,
            parent_id: product,
            component: component.clone(),
            quantity: needed,
            is_leaf: structure.parts(component.product_id, day).next().is_none(),
        });
        walk(component.product_id, needed, level + 1, day, structure, explosion)?;
    }
    Ok(())
}

/// What is needed of a product, and where it comes from: `required = taken + made + short`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netted {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// The deepest level it is needed at; 0 for what was asked for.
    pub level: u32,
    /// How much is needed, over all that it goes into.
    pub required: Decimal,
    /// Of it, taken from what is there.
    pub taken: Decimal,
    /// Of it, made of its own parts.
    pub made: Decimal,
    /// Of it, missing: nothing is there and it is not made of anything else.
    pub short: Decimal,
}

/// What is needed for quantities of products when what is there is taken first, on every level: a part
/// that lies in stock is not made again, and only what is made needs parts of its own. `supply` says how
/// much of a product is there at most.
pub fn net(
    wanted: &[Part],
    day: NaiveDate,
    structure: &Structure,
    mut supply: impl FnMut(ProductId) -> Decimal,
) -> Result<Vec<Netted>, Refusal> {
    let mut required: BTreeMap<ProductId, (String, Decimal)> = BTreeMap::new();
    let add = |required: &mut BTreeMap<ProductId, (String, Decimal)>, id: ProductId, sku: &str, more: Decimal| {
        let entry = required.entry(id).or_insert_with(|| (sku.to_owned(), Decimal::ZERO));
        entry.1 = entry.1.checked_add(countable(more)).ok_or_else(too_large)?;
        Ok::<(), Refusal>(())
    };
    for part in wanted {
        add(&mut required, part.product_id, &part.sku, part.quantity)?;
    }
    let mut netted = Vec::new();
    // What goes into others comes after all of them, so that its need is known as a whole.
    for (product_id, level) in levels(wanted.iter().map(|part| part.product_id), day, structure)? {
        let Some((sku, needed)) = required.get(&product_id).cloned() else { continue };
        let taken = supply(product_id).clamp(Decimal::ZERO, needed);
        let left = needed - taken;
        let is_made = left > Decimal::ZERO && structure.parts(product_id, day).next().is_some();
        if is_made {
            for component in structure.parts(product_id, day) {
                let more = product_of(left, component.quantity)?;
                add(&mut required, component.product_id, &component.sku, more)?;
            }
        }
        let (made, short) = if is_made { (left, Decimal::ZERO) } else { (Decimal::ZERO, left) };
        netted.push(Netted { product_id, sku, level, required: needed, taken, made, short });
    }
    netted.sort_by(|one, other| (one.level, &one.sku).cmp(&(other.level, &other.sku)));
    Ok(netted)
}

/// Products with the deepest level each is at, those above before those below.
fn levels(
    roots: impl Iterator<Item = ProductId>,
    day: NaiveDate,
    structure: &Structure,
) -> Result<Vec<(ProductId, u32)>, Refusal> {
    let mut deepest: BTreeMap<ProductId, u32> = BTreeMap::new();
    let mut level: BTreeSet<ProductId> = roots.collect();
    for depth in 0.. {
        if level.is_empty() {
            break;
        }
        if depth > DEEPEST || deepest.len() > MOST_LINES {
            return Err(too_large());
        }
        deepest.extend(level.iter().map(|product| (*product, depth)));
        level = level.iter().flat_map(|one| structure.parts(*one, day)).map(|part| part.product_id).collect();
    }
    let mut sorted: Vec<(ProductId, u32)> = deepest.into_iter().collect();
    sorted.sort_by_key(|(product, depth)| (*depth, *product));
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::materials::{Incoming, LateReason, Supply, available_on};

    fn id(number: u128) -> ProductId {
        ProductId(Uuid::from_u128(number))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn part(number: u128, quantity: i64) -> Component {
        Component {
            product_id: id(number),
            sku: format!("P-{number:02}"),
            quantity: Decimal::from(quantity),
            effective_from: None,
            effective_until: None,
        }
    }

    fn wanted(number: u128, quantity: i64) -> Part {
        Part { product_id: id(number), sku: format!("P-{number:02}"), quantity: Decimal::from(quantity) }
    }

    /// 1 is made of two 2 and one 4; 2 of three 3 and one 4.
    fn two_levels() -> Structure {
        Structure::new([(id(1), part(2, 2)), (id(1), part(4, 1)), (id(2), part(3, 3)), (id(2), part(4, 1))])
    }

    #[test]
    fn an_explosion_adds_up_what_several_levels_need() {
        let found = explode(id(1), Decimal::from(5), day("2026-01-01"), &two_levels()).expect("small");
        let totals: Vec<(String, Decimal)> =
            found.leaves.iter().map(|part| (part.sku.clone(), part.quantity)).collect();
        assert_eq!(totals, [("P-03".to_owned(), Decimal::from(30)), ("P-04".to_owned(), Decimal::from(15))]);
        assert_eq!((found.depth, found.lines.len()), (2, 4));
    }

    #[test]
    fn a_part_in_stock_is_not_made_again() {
        let stock = BTreeMap::from([(id(2), 3), (id(4), 4)]);
        let supply = |product| Decimal::from(stock.get(&product).copied().unwrap_or(0));
        let netted = net(&[wanted(1, 5)], day("2026-01-01"), &two_levels(), supply).expect("small");
        let brief: Vec<[Decimal; 4]> =
            netted.iter().map(|one| [one.required, one.taken, one.made, one.short]).collect();
        let row = |numbers: [i64; 4]| numbers.map(Decimal::from);
        // Five are made; of ten halves three lie there, seven are made, of twenty-one and seven parts.
        assert_eq!(brief, [row([5, 0, 5, 0]), row([10, 3, 7, 0]), row([21, 0, 0, 21]), row([12, 4, 0, 8])]);
    }

    #[test]
    fn a_structure_that_returns_to_itself_is_found() {
        assert_eq!(two_levels().cycle(), None);
        let mut round = two_levels();
        round.replace(id(3), vec![part(1, 1)]);
        assert!(round.cycle().is_some());
        let mut own = two_levels();
        own.replace(id(4), vec![part(4, 1)]);
        assert_eq!(own.cycle(), Some("P-04".to_owned()));
    }

    #[test]
    fn a_component_counts_from_its_first_day_to_its_last() {
        let mut old = part(2, 2);
        old.effective_until = Some(day("2026-03-31"));
        let mut new = part(2, 1);
        new.effective_from = Some(day("2026-04-01"));
        assert!(!old.overlaps(&new));
        let structure = Structure::new([(id(1), old), (id(1), new)]);
        for (on, expected) in [("2026-03-31", 2), ("2026-04-01", 1)] {
            let found = explode(id(1), Decimal::ONE, day(on), &structure).expect("small");
            assert_eq!(found.leaves[0].quantity, Decimal::from(expected), "{on}");
        }
    }

    #[test]
    fn nobody_walks_a_structure_that_doubles_with_each_level() {
        let doubling =
            (0..12).flat_map(|number| [(id(number), part(number + 1, 1)), (id(number), part(number + 100, 1))]);
        let twice: Vec<_> = doubling.chain((0..12).map(|number| (id(number + 100), part(number + 1, 1)))).collect();
        let structure = Structure::new(twice);
        assert!(explode(id(0), Decimal::ONE, day("2026-01-01"), &structure).is_err());
        // Counted once for each part it is no work at all.
        let netted = net(&[wanted(0, 1)], day("2026-01-01"), &structure, |_| Decimal::ZERO).expect("25 parts");
        assert_eq!(netted.last().expect("the last").short, Decimal::from(1 << 12));
    }

    #[test]
    fn it_is_said_when_or_why_not() {
        let incoming =
            |quantity: i64, on: Option<&str>| Incoming { quantity: Decimal::from(quantity), expected_on: on.map(day) };
        let today = day("2026-01-10");
        let supply = |incoming: Vec<Incoming>| Supply { available: Decimal::from(2), incoming };
        let asked = |incoming: Vec<Incoming>| available_on(&supply(incoming), Decimal::from(5), today);
        assert_eq!(available_on(&supply(Vec::new()), Decimal::from(2), today), Ok(today));
        assert_eq!(asked(Vec::new()), Err(LateReason::NothingIncoming));
        assert_eq!(asked(vec![incoming(2, Some("2026-01-20"))]), Err(LateReason::TooLittleIncoming));
        assert_eq!(asked(vec![incoming(2, Some("2026-01-20")), incoming(1, None)]), Err(LateReason::DateUnknown));
        let both = vec![incoming(1, Some("2026-02-01")), incoming(2, Some("2026-01-20"))];
        assert_eq!(asked(both), Ok(day("2026-02-01")));
        assert_eq!(asked(vec![incoming(9, Some("2026-01-01"))]), Ok(today), "what is late may come any day");
    }

    proptest! {
        /// Whatever lies in stock: what is needed is taken, made or missing, and nothing else is needed than
        /// what is wanted and what is made.
        #[test]
        fn what_is_needed_is_taken_made_or_missing(
            edges in proptest::collection::vec((0_u128..8, 1_u128..5, 1_i64..4), 1..16),
            stock in proptest::collection::vec(0_i64..20, 13),
            quantity in 1_i64..10,
        ) {
            // Parts have higher numbers than what they go into, so that there is no cycle.
            let mut seen = std::collections::BTreeSet::new();
            let structure = Structure::new(edges.iter().filter(|(from, step, _)| seen.insert((*from, *step)))
                .map(|(from, step, needed)| (id(*from), part(from + step, *needed))));
            prop_assert_eq!(structure.cycle(), None);
            let today = day("2026-01-01");
            let there = |product: ProductId| Decimal::from(stock[usize::try_from(product.0.as_u128()).expect("small")]);
            let netted = net(&[wanted(0, quantity)], today, &structure, there).expect("small");
            let made: BTreeMap<ProductId, Decimal> = netted.iter().map(|one| (one.product_id, one.made)).collect();
            for one in &netted {
                prop_assert_eq!(one.required, one.taken + one.made + one.short);
                prop_assert!(one.taken <= there(one.product_id));
                prop_assert!(one.short.is_zero() || structure.parts(one.product_id, today).next().is_none());
                let above: Decimal = made.iter().flat_map(|(product, made)| {
                    structure.parts(*product, today).filter(|part| part.product_id == one.product_id)
                        .map(move |part| part.quantity * made)
                }).sum();
                let asked = if one.product_id == id(0) { Decimal::from(quantity) } else { Decimal::ZERO };
                prop_assert_eq!(one.required, above + asked);
            }
            // With nothing in stock, that is the explosion.
            let bare = net(&[wanted(0, quantity)], today, &structure, |_| Decimal::ZERO).expect("small");
            let whole = explode(id(0), Decimal::from(quantity), today, &structure).expect("small");
            for leaf in &whole.leaves {
                let one = bare.iter().find(|one| one.product_id == leaf.product_id).expect("needed");
                prop_assert_eq!(one.short, leaf.quantity);
            }
        }
    }
}
