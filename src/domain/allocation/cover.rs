//! Who takes which lines, and how much of them: as few units as possible, in the order of the ranking. What
//! is given out and what is left always add up to what was wanted.

use std::cmp::Reverse;

use rust_decimal::Decimal;

use super::facts::{DemandLine, UnitFacts};
use crate::domain::reference::ProductKind;

/// What a unit may take.
pub(super) struct Taker {
    /// Each line: may it?
    pub(super) may: Vec<bool>,
    /// How much it can take of all of them; none for no limit.
    pub(super) room: Option<Decimal>,
}

/// What there is to give out, and to whom.
pub(super) struct Field<'a> {
    pub(super) lines: &'a [&'a DemandLine],
    /// The smallest part of each line; none where it must stay whole.
    pub(super) smallest: Vec<Option<Decimal>>,
    /// Lines of which no more is taken than lies in stock.
    pub(super) in_stock: Vec<bool>,
    pub(super) units: &'a [UnitFacts],
    pub(super) takers: Vec<Taker>,
}

/// Who takes how much of each line, the first first; and what is left of each.
pub(super) struct Covered {
    pub(super) parts: Vec<(usize, Vec<Decimal>)>,
    pub(super) left: Vec<Decimal>,
    /// The unit that came first, before stock had its say.
    pub(super) first: Option<usize>,
}

/// Gives everything out. One unit if one can take it all, else two, else those that take most first.
pub(super) fn cover(field: &Field<'_>, ranking: &[usize]) -> Covered {
    let wanted: Vec<Decimal> = field.lines.iter().map(|line| line.quantity).collect();
    // Lines that nobody may take stand in nobody's way.
    let open: Vec<Decimal> = (0..wanted.len())
        .map(|line| if ranking.iter().any(|unit| field.takers[*unit].may[line]) { wanted[line] } else { Decimal::ZERO })
        .collect();
    let mut parts = match alone(field, ranking, &open).or_else(|| in_two(field, ranking, &open)) {
        Some(parts) => parts,
        None => most_first(field, ranking, &open),
    };
    let first = parts.first().map(|(unit, _)| *unit);
    share_by_stock(field, ranking, &mut parts);
    let mut left = wanted;
    for (_, quantities) in &parts {
        subtract(&mut left, quantities);
    }
    Covered { parts, left, first }
}

fn subtract(from: &mut [Decimal], quantities: &[Decimal]) {
    for (one, quantity) in from.iter_mut().zip(quantities) {
        *one -= quantity;
    }
}

fn is_empty(quantities: &[Decimal]) -> bool {
    quantities.iter().all(Decimal::is_zero)
}

fn alone(field: &Field<'_>, ranking: &[usize], open: &[Decimal]) -> Option<Vec<(usize, Vec<Decimal>)>> {
    ranking.iter().map(|unit| (*unit, field.takes(*unit, open))).find(|(_, takes)| takes == open).map(|one| vec![one])
}

fn in_two(field: &Field<'_>, ranking: &[usize], open: &[Decimal]) -> Option<Vec<(usize, Vec<Decimal>)>> {
    for (place, first) in ranking.iter().enumerate() {
        let takes = field.takes(*first, open);
        if is_empty(&takes) {
            continue;
        }
        let mut rest = open.to_vec();
        subtract(&mut rest, &takes);
        for second in &ranking[place + 1..] {
            if field.takes(*second, &rest) == rest {
                return Some(vec![(*first, takes), (*second, rest)]);
            }
        }
    }
    None
}

fn most_first(field: &Field<'_>, ranking: &[usize], open: &[Decimal]) -> Vec<(usize, Vec<Decimal>)> {
    let mut open = open.to_vec();
    let mut rest: Vec<usize> = ranking.to_vec();
    let mut parts = Vec::new();
    loop {
        let takes = rest.iter().enumerate().map(|(place, unit)| (place, field.takes(*unit, &open)));
        let whole =
            |takes: &[Decimal]| takes.iter().zip(&open).filter(|(one, open)| !open.is_zero() && one == open).count();
        let best = takes.max_by_key(|(place, takes)| (whole(takes), takes.iter().sum::<Decimal>(), Reverse(*place)));
        match best {
            Some((place, takes)) if !is_empty(&takes) => {
                subtract(&mut open, &takes);
                parts.push((rest.remove(place), takes));
            }
            _ => return parts,
        }
    }
}

/// The most that may be taken of a quantity: all of it, or as much as leaves no part too small.
fn part(quantity: Decimal, most: Decimal, smallest: Option<Decimal>) -> Decimal {
    if most >= quantity {
        return quantity;
    }
    let Some(smallest) = smallest else {
        return Decimal::ZERO;
    };
    let taken = most.min(quantity - smallest);
    if taken >= smallest { taken } else { Decimal::ZERO }
}

impl Field<'_> {
    /// What a unit takes of what is open, line by line, as far as its room goes.
    fn takes(&self, unit: usize, open: &[Decimal]) -> Vec<Decimal> {
        let taker = &self.takers[unit];
        let mut room = taker.room;
        let mut stock = Stock::of(&self.units[unit]);
        let mut takes = Vec::with_capacity(open.len());
        for (line, open) in open.iter().enumerate() {
            let mut most = if taker.may[line] { *open } else { Decimal::ZERO };
            if let Some(room) = room {
                most = most.min(room);
            }
            if self.in_stock[line] {
                most = most.min(stock.of_line(self.lines[line]));
            }
            let taken = part(*open, most, self.smallest[line]);
            room = room.map(|room| room - taken);
            stock.take(self.lines[line], taken);
            takes.push(taken);
        }
        takes
    }
}

/// What is left of a unit's stock while it is given out.
struct Stock<'a> {
    facts: &'a UnitFacts,
    taken: Vec<(usize, Decimal)>,
}

impl<'a> Stock<'a> {
    fn of(facts: &'a UnitFacts) -> Self {
        Self { facts, taken: Vec::new() }
    }

    fn place(&self, line: &DemandLine) -> Option<usize> {
        self.facts.available.iter().position(|one| one.product_id == line.product_id)
    }

    fn of_line(&self, line: &DemandLine) -> Decimal {
        let Some(place) = self.place(line) else {
            return Decimal::ZERO;
        };
        let taken: Decimal = self.taken.iter().filter(|(of, _)| *of == place).map(|(_, quantity)| *quantity).sum();
        (self.facts.available[place].quantity - taken).max(Decimal::ZERO)
    }

    fn take(&mut self, line: &DemandLine, quantity: Decimal) {
        if let Some(place) = self.place(line).filter(|_| !quantity.is_zero()) {
            self.taken.push((place, quantity));
        }
    }
}

/// What a unit would have to wait for goes to units that have it, where the line may be split: to one that
/// has all of it if there is one, else to several. What nobody has stays where it is, and is waited for.
fn share_by_stock(field: &Field<'_>, ranking: &[usize], parts: &mut Vec<(usize, Vec<Decimal>)>) {
    let mut stocks: Vec<Stock<'_>> = field.units.iter().map(Stock::of).collect();
    let mut given: Vec<Decimal> = vec![Decimal::ZERO; field.units.len()];
    for (unit, quantities) in parts.iter() {
        given[*unit] += quantities.iter().sum::<Decimal>();
    }
    let mut moves: Vec<(usize, usize, usize, Decimal)> = Vec::new();
    for (holder, quantities) in parts.iter() {
        for (line, quantity) in quantities.iter().enumerate().filter(|(_, quantity)| !quantity.is_zero()) {
            let wanted = field.lines[line];
            let has = stocks[*holder].of_line(wanted);
            let splittable = field.smallest[line].filter(|_| wanted.kind == ProductKind::Goods && has < *quantity);
            let Some(smallest) = splittable else {
                stocks[*holder].take(wanted, *quantity);
                continue;
            };
            let keeps = part(*quantity, has, Some(smallest));
            let mut short = *quantity - keeps;
            let can_give = |unit: usize, stocks: &[Stock<'_>], given: &[Decimal]| {
                if unit == *holder || !field.takers[unit].may[line] {
                    return Decimal::ZERO;
                }
                let room = field.takers[unit].room.map(|room| room - given[unit]);
                let has = stocks[unit].of_line(wanted);
                room.map_or(has, |room| has.min(room)).max(Decimal::ZERO)
            };
            let whole = ranking.iter().copied().find(|unit| can_give(*unit, &stocks, &given) >= short);
            let givers = whole.map_or_else(|| ranking.to_vec(), |unit| vec![unit]);
            for unit in givers {
                if short.is_zero() {
                    break;
                }
                let taken = part(short, can_give(unit, &stocks, &given), Some(smallest));
                if taken.is_zero() {
                    continue;
                }
                short -= taken;
                stocks[unit].take(wanted, taken);
                given[unit] += taken;
                given[*holder] -= taken;
                moves.push((*holder, unit, line, taken));
            }
            stocks[*holder].take(wanted, keeps + short);
        }
    }
    for (from, to, line, quantity) in moves {
        if let Some((_, quantities)) = parts.iter_mut().find(|(unit, _)| *unit == from) {
            quantities[line] -= quantity;
        }
        match parts.iter_mut().find(|(unit, _)| *unit == to) {
            Some((_, quantities)) => quantities[line] += quantity,
            None => {
                let mut quantities = vec![Decimal::ZERO; field.lines.len()];
                quantities[line] = quantity;
                parts.push((to, quantities));
            }
        }
    }
    parts.retain(|(_, quantities)| !is_empty(quantities));
}
