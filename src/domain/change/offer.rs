//! Putting an offer together: every alternative is tried out before it is shown to anybody.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ChangeOption, OrderChange, OrderChangeKind, OrderChangeStatus, Scene, Substitute, Terms, preview};
use crate::domain::actor::Act;
use crate::domain::ids::OrderLineId;
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::money::is_price;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::Product;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// Alternatives one offer may have.
const MOST_OPTIONS: usize = 10;
/// The longest time to answer, in hours.
const LONGEST_ANSWER: i64 = 24 * 90;

/// An alternative as it is wished for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionWish {
    /// What it does.
    pub kind: OrderChangeKind,
    /// The line it is about.
    pub line_id: Option<OrderLineId>,
    /// How much of the line is cancelled or replaced.
    pub quantity: Option<Decimal>,
    /// The later date, or when the rest is expected.
    pub date: Option<NaiveDate>,
    /// SKU of what is delivered instead.
    pub substitute_sku: Option<String>,
    /// Price of one unit of it; its list price when absent.
    pub unit_price: Option<Decimal>,
}

impl OptionWish {
    fn terms(&self, order: &Order, products: &BTreeMap<String, Product>, act: &Act<'_>) -> Result<Terms, Refusals> {
        let mut refusals = Refusals::default();
        let mut substitute = None;
        if let (OrderChangeKind::Substitute, Some(sku)) = (self.kind, &self.substitute_sku) {
            refusals.require(self.unit_price.is_none_or(is_price), || {
                Refusal::new(Code::AmountOutOfRange, "R4.3", "Not negative, at most four decimals.").at("unitPrice")
            });
            match products.get(sku) {
                None => refusals
                    .push(Refusal::new(Code::UnknownSku, "R4.3", "No product has this SKU.").at("substituteSku")),
                Some(product) => {
                    refusals.require(product.currency == order.currency || self.unit_price.is_some(), || {
                        let message = format!("The product is priced in {}.", product.currency.code());
                        Refusal::new(Code::CurrencyMismatch, "R4.3", message).at("substituteSku")
                    });
                    substitute = Some(Substitute::of(product, self.unit_price, act));
                }
            }
        }
        refusals.into_result()?;
        Ok(Terms { kind: self.kind, line_id: self.line_id, quantity: self.quantity, date: self.date, substitute })
    }
}

/// An offer as it is wished for.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Why; the customer reads it.
    pub reason: String,
    /// The alternatives.
    pub options: Vec<OptionWish>,
    /// Hours to answer; by the rules when absent.
    pub answer_hours: Option<i64>,
}

/// Offers the customer alternatives. `is_another_open` says whether another change of the order is being
/// negotiated.
pub fn propose(
    offer: Offer,
    scene: &Scene,
    products: &BTreeMap<String, Product>,
    is_another_open: bool,
    rules: &RuleSet,
    act: &Act<'_>,
) -> Result<OrderChange, Refusals> {
    let order = &scene.order;
    let mut refusals = order.blockers(Action::ProposeOrderChange, act.actor);
    refusals.require(!is_another_open, || {
        Refusal::new(Code::OrderChangeOpen, "R4.3", "Another change of this order is being negotiated.")
    });
    text(&mut refusals, "reason", Some(&offer.reason), true, LONG_TEXT);
    let hours = offer.answer_hours.unwrap_or(rules.changes.answer_hours);
    refusals.require((1..=LONGEST_ANSWER).contains(&hours), || {
        Refusal::new(Code::AmountOutOfRange, "R4.3", format!("From 1 to {LONGEST_ANSWER} hours."))
            .at("answerWithinHours")
    });
    refusals.require(!offer.options.is_empty(), || {
        Refusal::new(Code::TooFew, "R4.3", "Offer at least one alternative.").at("options")
    });
    refusals.require(offer.options.len() <= MOST_OPTIONS, || {
        Refusal::new(Code::TooMany, "R4.3", format!("At most {MOST_OPTIONS} alternatives.")).at("options")
    });
    let mut options = Vec::new();
    for (index, wish) in offer.options.iter().enumerate().take(MOST_OPTIONS) {
        let tried = wish.terms(order, products, act).and_then(|terms| {
            let preview = preview(&terms, scene, rules, act)?;
            Ok(ChangeOption { id: act.id(), terms, preview })
        });
        match tried {
            Ok(option) => options.push(option),
            Err(found) => refusals.0.extend(found.0.into_iter().map(|refusal| {
                let place = ["options".to_owned(), index.to_string()];
                let path = place.into_iter().chain(refusal.path.iter().cloned()).collect();
                Refusal { path, ..refusal }
            })),
        }
    }
    refusals.into_result()?;
    Ok(OrderChange {
        id: act.id(),
        version: 0,
        order_id: order.id,
        status: OrderChangeStatus::Proposed,
        reason: offer.reason,
        options,
        chosen_option_id: None,
        proposed_by: act.actor.subject.clone(),
        proposed_at: act.now,
        expires_at: act.now + Duration::hours(hours.clamp(1, LONGEST_ANSWER)),
        answered_by: None,
        answered_at: None,
        answer_reason: None,
        review: None,
        applied_at: None,
    })
}
