//! What a channel's own list of its orders and the group's have in common, and what not.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::order::ChannelOrder;
use crate::domain::codes::codes;
use crate::domain::ids::OrderId;
use crate::domain::order::{Order, OrderStatus};

codes! {
    /// How a channel's list and the group's orders differ.
    ReconciliationKind {
        /// The channel lists it; here it never arrived.
        MissingHere = "MISSING_HERE",
        /// It is here; the channel does not list it.
        MissingThere = "MISSING_THERE",
        /// The channel lists another amount than it told, or than the order has if it told none.
        AmountDiffers = "AMOUNT_DIFFERS",
        /// The channel lists another currency.
        CurrencyDiffers = "CURRENCY_DIFFERS",
        /// The channel lists another quantity over all lines.
        QuantityDiffers = "QUANTITY_DIFFERS",
        /// It is cancelled on one side only.
        CancellationDiffers = "CANCELLATION_DIFFERS",
        /// The channel lists it more than once.
        ListedTwice = "LISTED_TWICE",
    }
}

/// An order as the channel lists it. What is not given is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The channel's own number.
    pub reference: String,
    /// What the buyer pays.
    pub amount: Option<Decimal>,
    /// In which currency.
    pub currency_code: Option<String>,
    /// How much over all lines.
    pub quantity: Option<Decimal>,
    /// Is it cancelled there?
    pub cancelled: Option<bool>,
}

/// An order as the group has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// The order.
    pub order: Order,
    /// What the channel told of it, if it came by webhook.
    pub told: Option<ChannelOrder>,
    /// Does it lie in the time that the list is of? Others are here since the list names them.
    pub in_window: bool,
}

/// One way in which the two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The channel's own number.
    pub reference: String,
    /// The order, if there is one.
    pub order_id: Option<OrderId>,
    /// How they differ.
    pub kind: ReconciliationKind,
    /// What the channel says.
    pub there: Option<String>,
    /// What is here.
    pub here: Option<String>,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Orders that are on both sides and agree in everything given.
    pub matched: usize,
    /// Everything else, by the channel's number.
    pub differences: Vec<Difference>,
}

/// Compares the two.
pub fn reconcile(listed: &[Listed], ours: &[Ours]) -> Reconciliation {
    let by_reference: BTreeMap<&str, &Ours> =
        ours.iter().filter_map(|one| Some((one.order.external_reference.as_deref()?, one))).collect();
    let mut result = Reconciliation::default();
    let mut seen = BTreeSet::new();
    for entry in listed {
        let known = by_reference.get(entry.reference.as_str()).copied();
        let mut found = Vec::new();
        let mut differs = |kind, there: Option<String>, here: Option<String>| found.push((kind, there, here));
        if !seen.insert(entry.reference.as_str()) {
            differs(ReconciliationKind::ListedTwice, None, None);
        } else if let Some(known) = known {
            compare(entry, known, &mut differs);
        } else {
            differs(ReconciliationKind::MissingHere, entry.amount.map(|amount| amount.to_string()), None);
        }
        result.matched += usize::from(found.is_empty());
        result.differences.extend(found.into_iter().map(|(kind, there, here)| Difference {
            reference: entry.reference.clone(),
            order_id: known.map(|known| known.order.id),
            kind,
            there,
            here,
        }));
    }
    for (reference, known) in by_reference {
        if known.in_window && !seen.contains(reference) {
            result.differences.push(Difference {
                reference: reference.to_owned(),
                order_id: Some(known.order.id),
                kind: ReconciliationKind::MissingThere,
                there: None,
                here: Some(known.order.total().to_string()),
            });
        }
    }
    result.differences.sort_by(|one, other| one.reference.cmp(&other.reference));
    result
}

fn compare(entry: &Listed, known: &Ours, differs: &mut impl FnMut(ReconciliationKind, Option<String>, Option<String>)) {
    let order = &known.order;
    let told = known.told.as_ref().and_then(|told| told.charges.total);
    let amount = told.unwrap_or_else(|| order.total());
    if entry.amount.is_some_and(|listed| listed != amount) {
        let there = entry.amount.map(|listed| listed.to_string());
        differs(ReconciliationKind::AmountDiffers, there, Some(amount.to_string()));
    }
    let currency = order.currency.code();
    if entry.currency_code.as_deref().is_some_and(|listed| listed != currency) {
        differs(ReconciliationKind::CurrencyDiffers, entry.currency_code.clone(), Some(currency.to_owned()));
    }
    let quantity: Decimal = order.lines.iter().map(|line| line.quantities.ordered).sum();
    if entry.quantity.is_some_and(|listed| listed != quantity) {
        let there = entry.quantity.map(|listed| listed.normalize().to_string());
        differs(ReconciliationKind::QuantityDiffers, there, Some(quantity.normalize().to_string()));
    }
    let cancelled = order.status == OrderStatus::Cancelled;
    if entry.cancelled.is_some_and(|listed| listed != cancelled) {
        let there = if cancelled { "not cancelled" } else { "cancelled" };
        differs(ReconciliationKind::CancellationDiffers, Some(there.to_owned()), Some(order.status.to_string()));
    }
}
