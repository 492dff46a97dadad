//! What can be offered on a shortage, and why the rest cannot.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::effect::changeable;
use super::{OrderChangeKind, Preview, Scene, Substitute, Terms, preview};
use crate::domain::actor::Act;
use crate::domain::ids::{OrderLineId, ProductId, StockItemId};
use crate::domain::materials::{LateReason, Supply, available_on};
use crate::domain::reference::Product;
use crate::domain::refusal::{Refusal, RefusalCode as Code};
use crate::domain::rules::RuleSet;

/// A line of which something is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The order's line.
    pub line_id: OrderLineId,
    /// How much of it is missing.
    pub missing: Decimal,
    /// When all of it is expected, or why nobody can say.
    pub expected_on: Result<NaiveDate, LateReason>,
}

/// A product that may stand in for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The product it stands in for.
    pub instead_of: ProductId,
    /// The product.
    pub product: Product,
    /// Its place among those that may: 1 is offered first.
    pub rank: i32,
    /// How much of it can be promised where the missing would have come from.
    pub available: Decimal,
}

/// What must be known besides the order to say what can be offered.
#[derive(Clone, Debug, Default)]
pub struct ShortageFacts {
    /// What there is of the stock items that are waited for, and what is on order.
    pub supplies: BTreeMap<StockItemId, Supply>,
    /// How much of each is waited for, by everybody.
    pub waiting: BTreeMap<StockItemId, Decimal>,
    /// What may stand in for what is missing.
    pub stand_ins: Vec<StandIn>,
}

/// An alternative that could be offered, or why it could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortageOption {
    /// What it changes.
    pub terms: Terms,
    /// The place of what is delivered instead.
    pub rank: Option<i32>,
    /// What it does to quantities, dates and money; none where it is not possible.
    pub preview: Option<Preview>,
    /// Why it is not possible.
    pub why_not: Vec<Refusal>,
}

/// The lines of which something is waited for. Stock that comes in goes to everybody who waits, so that
/// it is expected when there is enough for all of them.
pub fn shortages(scene: &Scene, facts: &ShortageFacts, today: NaiveDate) -> Vec<Shortage> {
    let mut found: Vec<Shortage> = Vec::new();
    for line in &scene.order.lines {
        let mut missing = Decimal::ZERO;
        let mut expected_on = Ok(today);
        for share in &scene.shares {
            for own in share.lines.iter().filter(|own| own.order_line_id == line.id) {
                missing += share.missing_of(own.id);
                for one in share.backorders.iter().filter(|one| one.line_id == own.id && one.is_waiting()) {
                    let supply = facts.supplies.get(&one.stock_item_id).cloned().unwrap_or_default();
                    let wanted = facts.waiting.get(&one.stock_item_id).copied().unwrap_or_else(|| one.missing());
                    expected_on = match (expected_on, available_on(&supply, wanted, today)) {
                        (Ok(one), Ok(other)) => Ok(one.max(other)),
                        (Err(reason), _) | (_, Err(reason)) => Err(reason),
                    };
                }
            }
        }
        if missing > Decimal::ZERO {
            found.push(Shortage { line_id: line.id, missing, expected_on });
        }
    }
    found
}

/// Everything that could be offered about the shortages of an order, with what it would do, and what could
/// not, with the reasons.
pub fn shortage_options(scene: &Scene, facts: &ShortageFacts, rules: &RuleSet, act: &Act<'_>) -> Vec<ShortageOption> {
    let today = act.now.date_naive();
    let shortages = shortages(scene, facts, today);
    if shortages.is_empty() {
        return Vec::new();
    }
    let latest = shortages.iter().map(|one| one.expected_on).collect::<Result<Vec<_>, _>>();
    let latest = latest.map(|days| days.into_iter().max().unwrap_or(today));
    let mut options = Vec::new();
    let weigh = |terms: Terms, rank: Option<i32>, mut why_not: Vec<Refusal>| {
        let seen = preview(&terms, scene, rules, act);
        let preview = match seen {
            Ok(preview) if why_not.is_empty() => Some(preview),
            Ok(_) => None,
            Err(refusals) => {
                // A date nobody knows is missed once.
                if why_not.is_empty() {
                    why_not.extend(refusals.0);
                }
                None
            }
        };
        ShortageOption { terms, rank, preview, why_not }
    };
    let terms = |kind, line_id, quantity, date| Terms { kind, line_id, quantity, date, substitute: None };
    let unknown = match latest {
        Ok(_) => Vec::new(),
        Err(reason) => vec![Refusal::new(
            Code::OrderChangeNotPossible,
            "R4.3",
            format!("Nobody can say when the rest will come: {reason}. A date can be offered all the same."),
        )],
    };
    options.push(weigh(terms(OrderChangeKind::LaterDate, None, None, latest.ok()), None, unknown));
    options.push(weigh(terms(OrderChangeKind::SplitDelivery, None, None, latest.ok()), None, Vec::new()));
    for shortage in &shortages {
        let Some(line) = scene.order.line(shortage.line_id) else { continue };
        let quantity = shortage.missing.min(changeable(line, &scene.shares));
        let about = Some(shortage.line_id);
        for stand_in in facts.stand_ins.iter().filter(|one| Some(one.instead_of) == line.product_id) {
            let mut terms = terms(OrderChangeKind::Substitute, about, Some(quantity), None);
            terms.substitute = Some(Substitute::of(&stand_in.product, None, act));
            let why_not = stand_in.why_not(quantity, scene);
            options.push(weigh(terms, Some(stand_in.rank), why_not));
        }
        options.push(weigh(terms(OrderChangeKind::ReduceQuantity, about, Some(quantity), None), None, Vec::new()));
        options.push(weigh(terms(OrderChangeKind::CancelLine, about, None, None), None, Vec::new()));
    }
    options
}

impl StandIn {
    fn why_not(&self, quantity: Decimal, scene: &Scene) -> Vec<Refusal> {
        let refusal = |code, message: String| Refusal::new(code, "R4.3", message);
        let mut reasons = Vec::new();
        if self.available < quantity {
            let message = format!("{} of {} are there.", self.available.normalize(), self.product.sku);
            reasons.push(refusal(Code::StockMissing, message));
        }
        if self.product.currency != scene.order.currency {
            let message = format!("{} is priced in {}.", self.product.sku, self.product.currency.code());
            reasons.push(refusal(Code::CurrencyMismatch, message));
        }
        reasons
    }
}

impl Substitute {
    /// A product as it is now, at the price that is offered or its list price.
    pub fn of(product: &Product, unit_price: Option<Decimal>, act: &Act<'_>) -> Self {
        Self {
            line_id: act.id(),
            product_id: product.id,
            sku: product.sku.clone(),
            description: product.name.clone(),
            category: product.category.clone(),
            kind: product.kind,
            unit_of_measure: product.unit_of_measure.clone(),
            unit_price: unit_price.unwrap_or(product.list_price),
        }
    }
}
