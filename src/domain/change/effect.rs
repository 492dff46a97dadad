//! What a change does: one function, by which it is shown beforehand and applied afterwards.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{OrderChangeKind, Substitute, Terms};
use crate::domain::actor::Act;
use crate::domain::allocation::{Allocation, AllocationLine, AllocationStatus};
use crate::domain::ids::{AllocationLineId, OrderLineId, StockItemId};
use crate::domain::intake::check_quantity;
use crate::domain::inventory::{Backorder, Reservation, StockItem, StockMovement};
use crate::domain::materials::Structure;
use crate::domain::money::{self, Currency};
use crate::domain::order::{Cancellation, LineQuantities, Order, OrderLine, OrderStatus};
use crate::domain::progress;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// An order with everything that follows when it changes.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The order.
    pub order: Order,
    /// Its shares that have not ended; new ones are added.
    pub shares: Vec<Allocation>,
    /// The stock items of what is reserved for it; none where only the effect on the order is looked at.
    pub items: BTreeMap<StockItemId, StockItem>,
    /// What goes into what it has made.
    pub structure: Structure,
    /// What was moved of the stock.
    pub journal: Vec<StockMovement>,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineEffect {
    /// The order's line; a new one for what is delivered instead.
    pub line_id: OrderLineId,
    /// The product's SKU.
    pub sku: Option<String>,
    /// What it is, in words.
    pub description: String,
    /// What is wanted of it now.
    pub quantity_before: Decimal,
    /// What would be wanted.
    pub quantity_after: Decimal,
    /// What is due for it now.
    pub amount_before: Decimal,
    /// What would be due.
    pub amount_after: Decimal,
}

/// A part of a line that would be delivered by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPart {
    /// The order's line.
    pub line_id: OrderLineId,
    /// The product's SKU.
    pub sku: String,
    /// How much of it.
    pub quantity: Decimal,
    /// It waits for stock; otherwise it can go ahead at once.
    pub waits: bool,
    /// When what it waits for is expected, where somebody has said.
    pub expected_on: Option<NaiveDate>,
}

/// What a change does to quantities, dates and money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The lines whose quantity changes.
    pub lines: Vec<LineEffect>,
    /// The parts of a delivery that is split.
    pub parts: Vec<DeliveryPart>,
    /// The date the customer expects delivery by now.
    pub required_by_before: NaiveDate,
    /// The date it would be.
    pub required_by_after: NaiveDate,
    /// What is due for the order now.
    pub total_before: Decimal,
    /// What would be due.
    pub total_after: Decimal,
    /// The currency of all amounts.
    pub currency: Currency,
}

/// What a change would do, if it can be done.
pub fn preview(terms: &Terms, scene: &Scene, rules: &RuleSet, act: &Act<'_>) -> Result<Preview, Refusals> {
    let mut after = scene.clone();
    apply(terms, &mut after, rules, act)
}

/// Changes the order and all that follows from it. Says what that did.
pub fn apply(terms: &Terms, scene: &mut Scene, rules: &RuleSet, act: &Act<'_>) -> Result<Preview, Refusals> {
    let before = scene.order.clone();
    let mut parts = Vec::new();
    match terms.kind {
        OrderChangeKind::LaterDate => later(terms, &mut scene.order, act)?,
        OrderChangeKind::SplitDelivery => parts = split(terms, scene, rules, act)?,
        OrderChangeKind::ReduceQuantity | OrderChangeKind::CancelLine => {
            let (line_id, quantity) = part_of_line(terms, &scene.order)?;
            cancel(line_id, quantity, scene, act)?;
            finish(&mut scene.order, act);
        }
        OrderChangeKind::Substitute => {
            let Some(substitute) = &terms.substitute else {
                return Err(missing("substituteSku", "Name what is delivered instead."));
            };
            // What nobody works on yet is amended, and reviewed as a whole.
            if scene.order.status != OrderStatus::InProgress {
                return Err(not_possible("No unit is at work on it: amend the order instead."));
            }
            let (line_id, quantity) = part_of_line(terms, &scene.order)?;
            cancel(line_id, quantity, scene, act)?;
            add_line(substitute, line_id, quantity, &mut scene.order);
        }
    }
    Ok(between(&before, &scene.order, parts))
}

fn missing(path: &str, message: &str) -> Refusals {
    Refusal::new(Code::Required, "R4.3", message).at(path).into()
}

fn not_possible(message: impl Into<String>) -> Refusals {
    Refusal::new(Code::OrderChangeNotPossible, "R4.3", message).into()
}

fn between(before: &Order, after: &Order, parts: Vec<DeliveryPart>) -> Preview {
    let nothing = LineQuantities::default();
    let effect = |line: &OrderLine| {
        let former = before.line(line.id);
        let quantity_before = former.map_or(nothing, |line| line.quantities).open();
        let effect = LineEffect {
            line_id: line.id,
            sku: line.sku.clone(),
            description: line.description.clone(),
            quantity_before,
            quantity_after: line.quantities.open(),
            amount_before: former.map_or(Decimal::ZERO, |line| line.due(before.currency)),
            amount_after: line.due(after.currency),
        };
        (effect.quantity_after != quantity_before).then_some(effect)
    };
    Preview {
        lines: after.lines.iter().filter_map(effect).collect(),
        parts,
        required_by_before: before.required_by,
        required_by_after: after.required_by,
        total_before: before.due(),
        total_after: after.due(),
        currency: after.currency,
    }
}

fn later(terms: &Terms, order: &mut Order, act: &Act<'_>) -> Result<(), Refusals> {
    let Some(date) = terms.date else {
        return Err(missing("date", "Name the later date."));
    };
    let mut refusals = Refusals::default();
    refusals.require(date > order.required_by, || {
        Refusal::new(Code::OrderChangeNotPossible, "R4.3", format!("It is expected by {}.", order.required_by))
            .at("date")
    });
    refusals.require(date >= act.now.date_naive(), || {
        Refusal::new(Code::DateInPast, "R4.3", "The date lies in the past.").at("date")
    });
    refusals.into_result()?;
    order.required_by = date;
    Ok(())
}

/// The line and how much of it is cancelled or replaced: all of it where no quantity is named.
fn part_of_line(terms: &Terms, order: &Order) -> Result<(OrderLineId, Decimal), Refusals> {
    let Some(line_id) = terms.line_id else {
        return Err(missing("lineId", "Name the line."));
    };
    let Some(line) = order.line(line_id) else {
        return Err(Refusal::new(Code::UnknownLine, "R4.3", "Not a line of this order.").at("lineId").into());
    };
    let open = line.quantities.open();
    let mut refusals = Refusals::default();
    let quantity = match (terms.kind, terms.quantity) {
        (OrderChangeKind::ReduceQuantity, None) => {
            return Err(missing("quantity", "Name how much less is delivered."));
        }
        (OrderChangeKind::CancelLine, _) | (_, None) => open,
        (_, Some(quantity)) => {
            check_quantity(&mut refusals, "quantity", quantity);
            quantity
        }
    };
    refusals.require(open > Decimal::ZERO, || {
        Refusal::new(Code::OrderChangeNotPossible, "R4.3", "Nothing of the line is open.").at("lineId")
    });
    refusals.require(terms.kind != OrderChangeKind::ReduceQuantity || quantity < open, || {
        let message = format!("{} are open; CANCEL_LINE cancels all of them.", open.normalize());
        Refusal::new(Code::QuantityExceeded, "R4.3", message).at("quantity")
    });
    refusals.into_result()?;
    Ok((line_id, quantity))
}

/// What of a share's line nobody has worked on for good: neither produced nor passed.
fn untouched(line: &AllocationLine) -> Decimal {
    line.quantity - line.produced.max(line.passed)
}

/// What of an order's line can still be changed.
pub(super) fn changeable(line: &OrderLine, shares: &[Allocation]) -> Decimal {
    let in_shares: Decimal =
        shares.iter().flat_map(|share| &share.lines).filter(|one| one.order_line_id == line.id).map(untouched).sum();
    line.quantities.open() - line.quantities.allocated + in_shares
}

/// Cancels a quantity of a line: first what no unit has, then what is waited for, then what is reserved.
fn cancel(line_id: OrderLineId, quantity: Decimal, scene: &mut Scene, act: &Act<'_>) -> Result<(), Refusals> {
    let Some(line) = scene.order.lines.iter_mut().find(|line| line.id == line_id) else {
        return Err(Refusal::new(Code::UnknownLine, "R4.3", "Not a line of this order.").at("lineId").into());
    };
    let changeable = changeable(line, &scene.shares);
    if quantity > changeable {
        let message = format!("{} can still be changed; the rest is made or inspected.", changeable.normalize());
        return Err(Refusal::new(Code::QuantityExceeded, "R4.3", message).at("quantity").into());
    }
    let unallocated = line.quantities.open() - line.quantities.allocated;
    line.quantities.cancelled += quantity;
    let mut left = quantity - quantity.min(unallocated);
    let Scene { order, shares, items, structure, journal } = scene;
    let mut found: Vec<(Decimal, usize, AllocationLineId)> = Vec::new();
    for (index, share) in shares.iter().enumerate() {
        for line in share.lines.iter().filter(|line| line.order_line_id == line_id) {
            found.push((share.missing_of(line.id), index, line.id));
        }
    }
    // Whoever waits for most gives most.
    found.sort_by_key(|(missing, ..)| std::cmp::Reverse(*missing));
    for (_, index, line) in found {
        let share = &mut shares[index];
        let cut = share.line(line).map_or(Decimal::ZERO, untouched).min(left);
        if cut > Decimal::ZERO {
            left -= cut;
            share.cut(line, cut, order, structure, items, journal, act);
        }
    }
    Ok(())
}

/// An order of which nothing is open is cancelled, and one of which all is confirmed is completed.
fn finish(order: &mut Order, act: &Act<'_>) {
    if order.lines.iter().all(|line| line.quantities.open().is_zero()) {
        order.status = OrderStatus::Cancelled;
        order.unallocatable = None;
        order.cancellation = Some(Cancellation {
            reason: "Every line was cancelled by agreement.".to_owned(),
            requested_by: act.actor.subject.clone(),
            requested_at: act.now,
        });
    } else {
        order.leave_queue_if_allocated();
        order.complete_if_confirmed(act.now);
    }
}

fn add_line(substitute: &Substitute, instead_of: OrderLineId, quantity: Decimal, order: &mut Order) {
    let discount_rate = order.line(instead_of).map_or(Decimal::ZERO, |line| line.discount_rate);
    let extended = money::extended_price(quantity, substitute.unit_price, discount_rate);
    order.lines.push(OrderLine {
        id: substitute.line_id,
        line_number: order.lines.iter().map(|line| line.line_number).max().unwrap_or(0).saturating_add(1),
        product_id: Some(substitute.product_id),
        sku: Some(substitute.sku.clone()),
        description: substitute.description.clone(),
        category: Some(substitute.category.clone()),
        kind: Some(substitute.kind),
        unit_of_measure: Some(substitute.unit_of_measure.clone()),
        specification: None,
        unit_price: substitute.unit_price,
        discount_rate,
        total: money::round_to_minor(extended, order.currency),
        quantities: LineQuantities { ordered: quantity, ..LineQuantities::default() },
    });
}

/// Separates what waits from what is there, in each share of goods that has both.
fn split(terms: &Terms, scene: &mut Scene, rules: &RuleSet, act: &Act<'_>) -> Result<Vec<DeliveryPart>, Refusals> {
    if let Some(line) = terms.line_id
        && scene.order.line(line).is_none()
    {
        return Err(Refusal::new(Code::UnknownLine, "R4.3", "Not a line of this order.").at("lineId").into());
    }
    let (mut parts, mut later, mut why_not) = (Vec::new(), Vec::new(), Vec::new());
    for share in &mut scene.shares {
        let concerned = terms.line_id.is_none_or(|id| share.lines.iter().any(|line| line.order_line_id == id));
        if !concerned || !share.has_backorders() {
            continue;
        }
        match share.split_off_waiting(rules, act) {
            Ok(waiting) => {
                for (one, waits) in [(&*share, false), (&waiting, true)] {
                    parts.extend(one.lines.iter().map(|line| DeliveryPart {
                        line_id: line.order_line_id,
                        sku: line.sku.clone(),
                        quantity: line.quantity,
                        waits,
                        expected_on: terms.date.filter(|_| waits),
                    }));
                }
                later.push(waiting);
            }
            Err(reason) => why_not.push(reason),
        }
    }
    if later.is_empty() {
        let reason = why_not.first().copied().unwrap_or("Nothing of it is waited for.");
        return Err(not_possible(reason));
    }
    scene.shares.extend(later);
    Ok(parts)
}

impl Allocation {
    /// How much of a line is waited for, in the line's own unit: of what is made, what cannot be made of the
    /// parts that are there.
    pub fn missing_of(&self, line: AllocationLineId) -> Decimal {
        let Some(own) = self.line(line) else { return Decimal::ZERO };
        let waiting = self.backorders.iter().filter(|one| one.line_id == line);
        if self.kind == ProductKind::Goods {
            return waiting.map(Backorder::missing).sum();
        }
        let share = |one: &Backorder| {
            let there: Decimal = self
                .reservations
                .iter()
                .filter(|other| other.line_id == line && other.product_id == one.product_id)
                .map(Reservation::open)
                .sum();
            let needed = one.missing() + there;
            if needed.is_zero() { Decimal::ZERO } else { own.quantity * one.missing() / needed }
        };
        waiting.map(share).max().unwrap_or(Decimal::ZERO).ceil().min(own.quantity)
    }

    /// Splits off what waits for stock into a share of its own, so that the rest can go ahead; or why not.
    fn split_off_waiting(&mut self, rules: &RuleSet, act: &Act<'_>) -> Result<Self, &'static str> {
        if self.kind != ProductKind::Goods {
            return Err("What is made to order is made in one go.");
        }
        if !matches!(self.status, AllocationStatus::Accepted | AllocationStatus::InProgress) {
            return Err("The share is not being put together.");
        }
        if self.lines.iter().all(|line| self.missing_of(line.id) >= line.quantity) {
            return Err("Nothing of it is there yet.");
        }
        let responsible =
            self.milestones.first().map(|one| one.responsible.clone()).or_else(|| self.accepted_by.clone());
        let mut waiting = Self {
            id: act.id(),
            version: 0,
            status: AllocationStatus::Accepted,
            lines: Vec::new(),
            milestones: progress::plan(self.kind, rules, &responsible.unwrap_or_default(), act),
            reservations: Vec::new(),
            backorders: Vec::new(),
            inspections: Vec::new(),
            ..self.clone()
        };
        for index in 0..self.lines.len() {
            let own = self.lines[index].clone();
            let missing = self.missing_of(own.id);
            if missing.is_zero() {
                continue;
            }
            let line = AllocationLine {
                id: act.id(),
                quantity: missing,
                reserved: Decimal::ZERO,
                produced: Decimal::ZERO,
                passed: Decimal::ZERO,
                planned: Decimal::ZERO,
                dispatched: Decimal::ZERO,
                confirmed: Decimal::ZERO,
                ..own.clone()
            };
            self.hand_over_backorders(own.id, line.id, &mut waiting, act);
            waiting.lines.push(line);
            self.lines[index].quantity -= missing;
        }
        self.lines.retain(|line| line.quantity > Decimal::ZERO);
        Ok(waiting)
    }
}
