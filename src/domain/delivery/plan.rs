//! Choosing how something is delivered (R7.1): by content, need and cost, with a reason for each method.

use crate::domain::actor::{Act, Actor};
use crate::domain::allocation::Allocation;
use crate::domain::codes::codes;
use crate::domain::ids::{AllocationLineId, DeliveryId};
use crate::domain::intake::{Priority, public_number};
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::{DeliveryTerms, RuleSet};
use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ConfirmationStatus, Delivery, DeliveryLine, DeliveryStatus};

codes! {
    /// How something reaches the customer (R7.1).
    DeliveryMethod {
        /// Express courier.
        Express = "EXPRESS",
        /// Freight carrier.
        Freight = "FREIGHT",
        /// The customer fetches it.
        SelfPickup = "SELF_PICKUP",
        /// A car of its own, for what is urgent and near.
        DedicatedVehicle = "DEDICATED_VEHICLE",
        /// A service at the customer's place.
        OnSiteService = "ON_SITE_SERVICE",
        /// A service online.
        OnlineService = "ONLINE_SERVICE",
    }
}

/// A method that was considered, with its price, time and why or why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryOption {
    /// The method.
    pub method: DeliveryMethod,
    /// Can it be used?
    pub available: bool,
    /// What it costs, in the order's currency.
    pub cost: Decimal,
    /// The date it would arrive.
    pub arrives_on: NaiveDate,
    /// Does it arrive by the date the customer expects?
    pub in_time: bool,
    /// Why, or why not.
    pub reason: String,
}

/// How much of an allocation line to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryQuantity {
    /// The line.
    pub line_id: AllocationLineId,
    /// How much of it.
    pub quantity: Decimal,
}

/// Ranks the methods for a quantity: those in time first, then the cheapest, then the fastest.
pub fn options(
    order: &Order,
    kind: ProductKind,
    quantity: Decimal,
    near: bool,
    rules: &RuleSet,
    today: NaiveDate,
) -> Vec<DeliveryOption> {
    let mut options: Vec<DeliveryOption> =
        rules.delivery_methods.iter().map(|terms| option(order, kind, quantity, near, terms, today)).collect();
    options.sort_by_key(|option| (!option.available, !option.in_time, option.cost, option.arrives_on, option.method));
    options
}

fn option(
    order: &Order,
    kind: ProductKind,
    quantity: Decimal,
    near: bool,
    terms: &DeliveryTerms,
    today: NaiveDate,
) -> DeliveryOption {
    let for_service = matches!(terms.method, DeliveryMethod::OnSiteService | DeliveryMethod::OnlineService);
    let mut why_not = Vec::new();
    if for_service != (kind == ProductKind::Service) {
        why_not.push(if for_service { "is for services." } else { "is for products." }.to_owned());
    }
    if terms.urgent_only && order.priority != Priority::Urgent {
        why_not.push("is for urgent orders.".to_owned());
    }
    if terms.near_only && !near {
        why_not.push("is for customers in the unit's own region.".to_owned());
    }
    if let Some(largest) = terms.largest_quantity.filter(|largest| quantity > *largest) {
        why_not.push(format!("carries at most {}.", largest.normalize()));
    }
    let cost = crate::domain::money::round_to_minor(terms.base_cost + terms.unit_cost * quantity, order.currency);
    let arrives_on = today + Duration::days(terms.days);
    let in_time = arrives_on <= order.required_by;
    let reason = if why_not.is_empty() {
        let timing = if in_time { "in time" } else { "after the expected date" };
        format!("costs {cost} {} and arrives on {arrives_on}, {timing}.", order.currency.code())
    } else {
        why_not.join(" ")
    };
    DeliveryOption { method: terms.method, available: why_not.is_empty(), cost, arrives_on, in_time, reason }
}

/// What stands between the actor and planning a delivery of this share, apart from the input.
pub fn plan_blockers(allocation: &Allocation, order: &Order, actor: &Actor) -> Refusals {
    let mut refusals = allocation.blockers(Action::PlanDelivery, order, actor);
    refusals.require(allocation.lines.iter().any(|line| line.planned < line.passed), || {
        Refusal::new(Code::NothingToDeliver, "R6.2", "Nothing that passed inspection is left to deliver.")
    });
    refusals
}

/// What a delivery is planned from.
pub struct DeliveryWish {
    /// The method; the best available one when absent.
    pub method: Option<DeliveryMethod>,
    /// How much of which lines; all that passed and is not planned when absent.
    pub quantities: Option<Vec<DeliveryQuantity>>,
    /// Does the customer live in the executing unit's own region?
    pub near: bool,
}

/// Plans a delivery of what passed inspection, by the method that fits content, need and cost.
pub fn plan(
    allocation: &mut Allocation,
    order: &Order,
    wish: DeliveryWish,
    rules: &RuleSet,
    act: &Act<'_>,
) -> Result<Delivery, Refusals> {
    let mut refusals = plan_blockers(allocation, order, act.actor);
    let quantities = wish.quantities.unwrap_or_else(|| {
        let open = |line: &crate::domain::allocation::AllocationLine| line.passed - line.planned;
        allocation
            .lines
            .iter()
            .filter(|line| open(line) > Decimal::ZERO)
            .map(|line| DeliveryQuantity { line_id: line.id, quantity: open(line) })
            .collect()
    });
    check_quantities(allocation, &quantities, &mut refusals);
    let total = quantities.iter().map(|one| one.quantity).sum();
    let today = act.now.date_naive();
    let options = options(order, allocation.kind, total, wish.near, rules, today);
    let chosen = match wish.method {
        None => options.iter().find(|option| option.available),
        Some(method) => options.iter().find(|option| option.method == method),
    };
    match chosen {
        Some(option) if option.available => {}
        Some(option) => refusals.push(
            Refusal::new(Code::MethodNotAvailable, "R7.1", format!("{} {}", option.method, option.reason)).at("method"),
        ),
        None => refusals.push(Refusal::new(Code::MethodNotAvailable, "R7.1", "No method fits.").at("method")),
    }
    refusals.into_result()?;
    let Some(chosen) = chosen.cloned() else {
        return Err(Refusals::default());
    };
    let mut lines = Vec::new();
    for one in quantities {
        if let Some(line) = allocation.lines.iter_mut().find(|line| line.id == one.line_id) {
            line.planned += one.quantity;
            lines.push(DeliveryLine {
                id: act.id(),
                allocation_line_id: line.id,
                order_line_id: line.order_line_id,
                quantity: one.quantity,
                confirmed: Decimal::ZERO,
            });
        }
    }
    let id: DeliveryId = act.id();
    Ok(Delivery {
        id,
        version: 0,
        number: format!("DL-{}", public_number(id.0)),
        order_id: order.id,
        allocation_id: allocation.id,
        method: chosen.method,
        status: DeliveryStatus::Planned,
        cost: chosen.cost,
        planned_arrival: chosen.arrives_on,
        options,
        carrier: None,
        tracking_number: None,
        appointment: None,
        planned_by: act.actor.subject.clone(),
        planned_at: act.now,
        dispatched_at: None,
        delivered_at: None,
        confirmation_status: ConfirmationStatus::Pending,
        confirmations: Vec::new(),
        lines,
    })
}

fn check_quantities(allocation: &Allocation, quantities: &[DeliveryQuantity], refusals: &mut Refusals) {
    for (index, one) in quantities.iter().enumerate() {
        let at = |field: &str| format!("lines.{index}.{field}");
        crate::domain::intake::check_quantity(refusals, &at("quantity"), one.quantity);
        let Some(line) = allocation.line(one.line_id) else {
            refusals.push(Refusal::new(Code::UnknownLine, "R7.1", "Not a line of this allocation.").at(at("lineId")));
            continue;
        };
        refusals.require(quantities[..index].iter().all(|other| other.line_id != one.line_id), || {
            Refusal::new(Code::Repeated, "R7.1", "This line is named twice.").at(at("lineId"))
        });
        refusals.require(one.quantity <= line.passed - line.planned, || {
            Refusal::new(
                Code::QuantityExceeded,
                "R6.2",
                format!("{} passed inspection and are not planned yet.", (line.passed - line.planned).normalize()),
            )
            .at(at("quantity"))
        });
    }
}
