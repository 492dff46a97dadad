//! Delivery and its confirmation (R7, R8): only what passed inspection goes; the customer's
//! confirmation completes the order and is the basis of settlement.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::actor::{Act, Actor, Role};
use super::allocation::{Allocation, AllocationStatus};
use super::codes::codes;
use super::event::EventKind;
use super::ids::{
    AllocationId, AllocationLineId, ConfirmationId, DeliveryId, DeliveryLineId, OrderId,
    OrderLineId,
};
use super::intake::{Priority, SHORT_TEXT, public_number, text};
use super::money::QUANTITY_SCALE;
use super::order::{Counter, Order, OrderStatus, role_blockers};
use super::permission::Action;
use super::reference::ProductKind;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::rules::{DeliveryTerms, RuleSet};
use super::transition::{Lifecycle, Transition, birth, step};

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

codes! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// Method and quantities are chosen.
        Planned = "PLANNED",
        /// Booked with the carrier.
        Booked = "BOOKED",
        /// Announced to the customer, who may fetch it.
        ReadyForPickup = "READY_FOR_PICKUP",
        /// Time and manner of the service are agreed (R7.2).
        Scheduled = "SCHEDULED",
        /// Handed over to the carrier.
        Dispatched = "DISPATCHED",
        /// On its way.
        InTransit = "IN_TRANSIT",
        /// The service is being performed.
        InService = "IN_SERVICE",
        /// An attempt to deliver failed; another follows.
        AttemptFailed = "ATTEMPT_FAILED",
        /// With the customer.
        Delivered = "DELIVERED",
        /// Cancelled before it left.
        Cancelled = "CANCELLED",
    }
}

use DeliveryStatus::*;

impl Lifecycle for DeliveryStatus {
    const NOUN: &'static str = "delivery";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::PlanDelivery, Planned, "R7.1"),
        step(Planned, Action::BookDelivery, Booked, "R7.3"),
        step(Planned, Action::BookDelivery, ReadyForPickup, "R7.1"),
        step(Planned, Action::BookDelivery, Scheduled, "R7.2"),
        step(Booked, Action::DispatchDelivery, Dispatched, "R6.2"),
        step(Scheduled, Action::DispatchDelivery, InService, "R6.2"),
        step(
            ReadyForPickup,
            Action::RecordTrackingEvent,
            Delivered,
            "R7.3",
        ),
        step(Dispatched, Action::RecordTrackingEvent, Dispatched, "R7.3"),
        step(Dispatched, Action::RecordTrackingEvent, InTransit, "R7.3"),
        step(
            Dispatched,
            Action::RecordTrackingEvent,
            AttemptFailed,
            "R7.3",
        ),
        step(Dispatched, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(InTransit, Action::RecordTrackingEvent, InTransit, "R7.3"),
        step(
            InTransit,
            Action::RecordTrackingEvent,
            AttemptFailed,
            "R7.3",
        ),
        step(InTransit, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(
            AttemptFailed,
            Action::RecordTrackingEvent,
            InTransit,
            "R7.3",
        ),
        step(
            AttemptFailed,
            Action::RecordTrackingEvent,
            AttemptFailed,
            "R7.3",
        ),
        step(
            AttemptFailed,
            Action::RecordTrackingEvent,
            Delivered,
            "R7.3",
        ),
        step(InService, Action::RecordTrackingEvent, InService, "R7.3"),
        step(InService, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(Delivered, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(Delivered, Action::ConfirmDelivery, Delivered, "R8.1"),
        step(Planned, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Booked, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(
            ReadyForPickup,
            Action::AnswerCancellation,
            Cancelled,
            "R4.3",
        ),
        step(Scheduled, Action::AnswerCancellation, Cancelled, "R4.3"),
    ];
}

codes! {
    /// What the customer has confirmed of a delivery.
    ConfirmationStatus {
        /// Nothing yet.
        Pending = "PENDING",
        /// Part of it.
        PartiallyConfirmed = "PARTIALLY_CONFIRMED",
        /// All of it.
        Confirmed = "CONFIRMED",
    }
}

codes! {
    /// What proves a confirmation (R8.1).
    EvidenceKind {
        /// The courier's slip, signed. Goods only.
        SignedSlip = "SIGNED_SLIP",
        /// The customer's own receipt.
        CustomerReceipt = "CUSTOMER_RECEIPT",
        /// The completion report, signed. Services only.
        ServiceReportSignature = "SERVICE_REPORT_SIGNATURE",
        /// A rating given online. Services only.
        OnlineRating = "ONLINE_RATING",
    }
}

codes! {
    /// What a carrier reports.
    TrackingKind {
        /// It was picked up.
        PickedUp = "PICKED_UP",
        /// It is on its way.
        InTransit = "IN_TRANSIT",
        /// It is on the last leg.
        OutForDelivery = "OUT_FOR_DELIVERY",
        /// Nobody took it in; another attempt follows.
        AttemptFailed = "ATTEMPT_FAILED",
        /// The customer has it, or the service is performed.
        Delivered = "DELIVERED",
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

/// What proves a confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Where to find it: a slip's number, a file's name, a rating.
    pub reference: String,
    /// SHA-256 of the file in hexadecimal, where there is one.
    pub file_hash: Option<String>,
}

/// How much of a delivery line the customer confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedQuantity {
    /// The line.
    pub line_id: DeliveryLineId,
    /// How much of it.
    pub quantity: Decimal,
}

/// A customer's confirmation; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Identity.
    pub id: ConfirmationId,
    /// What proves it.
    pub evidence: Evidence,
    /// What was confirmed.
    pub quantities: Vec<ConfirmedQuantity>,
    /// Who recorded it.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: DateTime<Utc>,
}

/// A line of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeliveryLine {
    /// Identity.
    pub id: DeliveryLineId,
    /// The allocation's line.
    pub allocation_line_id: AllocationLineId,
    /// The order's line.
    pub order_line_id: OrderLineId,
    /// How much is delivered.
    pub quantity: Decimal,
    /// How much of it is confirmed.
    pub confirmed: Decimal,
}

/// A delivery of what passed inspection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Identity.
    pub id: DeliveryId,
    /// Counts the changes.
    pub version: i64,
    /// The number people use.
    pub number: String,
    /// The order.
    pub order_id: OrderId,
    /// The share it delivers.
    pub allocation_id: AllocationId,
    /// How it goes.
    pub method: DeliveryMethod,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Every method that was considered, best first.
    pub options: Vec<DeliveryOption>,
    /// What it costs, in the order's currency.
    pub cost: Decimal,
    /// The date it should arrive.
    pub planned_arrival: NaiveDate,
    /// The carrier, or who performs the service.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// When the service or pickup is agreed for.
    pub appointment: Option<DateTime<Utc>>,
    /// Who planned it.
    pub planned_by: String,
    /// When.
    pub planned_at: DateTime<Utc>,
    /// When it left.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it reached the customer.
    pub delivered_at: Option<DateTime<Utc>>,
    /// What the customer has confirmed.
    pub confirmation_status: ConfirmationStatus,
    /// The confirmations.
    pub confirmations: Vec<Confirmation>,
    /// Its lines.
    pub lines: Vec<DeliveryLine>,
}

/// What a carrier reported; kept once per carrier and its event id, in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingReport {
    /// The carrier.
    pub carrier: String,
    /// The carrier's own id of the report.
    pub carrier_event_id: String,
    /// What happened.
    pub kind: TrackingKind,
    /// When, by the carrier's clock.
    pub occurred_at: DateTime<Utc>,
    /// Where.
    pub location: Option<String>,
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
    let mut options: Vec<DeliveryOption> = rules
        .delivery_methods
        .iter()
        .map(|terms| option(order, kind, quantity, near, terms, today))
        .collect();
    options.sort_by_key(|option| {
        (
            !option.available,
            !option.in_time,
            option.cost,
            option.arrives_on,
            option.method,
        )
    });
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
    let for_service = matches!(
        terms.method,
        DeliveryMethod::OnSiteService | DeliveryMethod::OnlineService
    );
    let mut why_not = Vec::new();
    if for_service != (kind == ProductKind::Service) {
        why_not.push(
            if for_service {
                "is for services."
            } else {
                "is for products."
            }
            .to_owned(),
        );
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
    let cost =
        super::money::round_to_minor(terms.base_cost + terms.unit_cost * quantity, order.currency);
    let arrives_on = today + Duration::days(terms.days);
    let in_time = arrives_on <= order.required_by;
    let reason = if why_not.is_empty() {
        let timing = if in_time {
            "in time"
        } else {
            "after the expected date"
        };
        format!(
            "costs {cost} {} and arrives on {arrives_on}, {timing}.",
            order.currency.code()
        )
    } else {
        why_not.join(" ")
    };
    DeliveryOption {
        method: terms.method,
        available: why_not.is_empty(),
        cost,
        arrives_on,
        in_time,
        reason,
    }
}

/// What stands between the actor and planning a delivery of this share, apart from the input.
pub fn plan_blockers(allocation: &Allocation, order: &Order, actor: &Actor) -> Refusals {
    let mut refusals = allocation.blockers(Action::PlanDelivery, order, actor);
    refusals.require(
        allocation
            .lines
            .iter()
            .any(|line| line.planned < line.passed),
        || {
            Refusal::new(
                Code::NothingToDeliver,
                "R6.2",
                "Nothing that passed inspection is left to deliver.",
            )
        },
    );
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
        let open = |line: &super::allocation::AllocationLine| line.passed - line.planned;
        allocation
            .lines
            .iter()
            .filter(|line| open(line) > Decimal::ZERO)
            .map(|line| DeliveryQuantity {
                line_id: line.id,
                quantity: open(line),
            })
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
            Refusal::new(
                Code::MethodNotAvailable,
                "R7.1",
                format!("{} {}", option.method, option.reason),
            )
            .at("method"),
        ),
        None => refusals
            .push(Refusal::new(Code::MethodNotAvailable, "R7.1", "No method fits.").at("method")),
    }
    refusals.into_result()?;
    let Some(chosen) = chosen.cloned() else {
        return Err(Refusals::default());
    };
    let mut lines = Vec::new();
    for one in quantities {
        if let Some(line) = allocation
            .lines
            .iter_mut()
            .find(|line| line.id == one.line_id)
        {
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
        status: Planned,
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

fn check_quantities(
    allocation: &Allocation,
    quantities: &[DeliveryQuantity],
    refusals: &mut Refusals,
) {
    for (index, one) in quantities.iter().enumerate() {
        let at = |field: &str| format!("lines.{index}.{field}");
        super::intake::check_quantity(refusals, &at("quantity"), one.quantity);
        let Some(line) = allocation.line(one.line_id) else {
            refusals.push(
                Refusal::new(Code::UnknownLine, "R7.1", "Not a line of this allocation.")
                    .at(at("lineId")),
            );
            continue;
        };
        refusals.require(
            quantities[..index]
                .iter()
                .all(|other| other.line_id != one.line_id),
            || Refusal::new(Code::Repeated, "R7.1", "This line is named twice.").at(at("lineId")),
        );
        refusals.require(one.quantity <= line.passed - line.planned, || {
            Refusal::new(
                Code::QuantityExceeded,
                "R6.2",
                format!(
                    "{} passed inspection and are not planned yet.",
                    (line.passed - line.planned).normalize()
                ),
            )
            .at(at("quantity"))
        });
    }
}

/// What a booking says.
pub struct Booking {
    /// The carrier, or who performs the service.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// When pickup or service is agreed for.
    pub appointment: Option<DateTime<Utc>>,
}

impl Delivery {
    /// What stands between the actor and an action on this delivery, apart from the input.
    pub fn blockers(&self, action: Action, order: &Order, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        match action {
            Action::BookDelivery | Action::DispatchDelivery => {
                refusals.require(order.status == OrderStatus::InProgress, || {
                    Refusal::new(
                        Code::IllegalTransition,
                        "R2.6",
                        format!("The order is {}.", order.status),
                    )
                });
                order.hold_blockers(&mut refusals);
            }
            Action::ConfirmDelivery => {
                refusals.require(
                    self.confirmation_status != ConfirmationStatus::Confirmed,
                    || Refusal::new(Code::NothingToConfirm, "R8.1", "All of it is confirmed."),
                );
            }
            _ => {}
        }
        refusals
    }

    /// Books with the carrier, announces the pickup, or agrees on the appointment.
    pub fn book(
        &mut self,
        booking: Booking,
        order: &Order,
        act: &Act<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::BookDelivery, order, act.actor);
        let (status, carrier_required, appointment_required) = match self.method {
            DeliveryMethod::SelfPickup => (ReadyForPickup, false, false),
            DeliveryMethod::OnSiteService | DeliveryMethod::OnlineService => {
                (Scheduled, false, true)
            }
            _ => (Booked, true, false),
        };
        text(
            &mut refusals,
            "carrier",
            booking.carrier.as_deref(),
            carrier_required,
            SHORT_TEXT,
        );
        text(
            &mut refusals,
            "trackingNumber",
            booking.tracking_number.as_deref(),
            carrier_required,
            SHORT_TEXT,
        );
        refusals.require(
            !appointment_required || booking.appointment.is_some(),
            || {
                Refusal::new(
                    Code::Required,
                    "R7.2",
                    "The customer is told the time of a service beforehand.",
                )
                .at("appointment")
            },
        );
        refusals.require(booking.appointment.is_none_or(|at| at >= act.now), || {
            Refusal::new(Code::DateInPast, "R7.2", "An appointment lies ahead.").at("appointment")
        });
        refusals.into_result()?;
        self.status = status;
        self.carrier = booking.carrier;
        self.tracking_number = booking.tracking_number;
        self.appointment = booking.appointment;
        Ok(EventKind::DeliveryBooked)
    }

    /// Hands the delivery over, or begins the service. Says what to issue from stock.
    pub fn dispatch(
        &mut self,
        allocation: &mut Allocation,
        order: &mut Order,
        act: &Act<'_>,
    ) -> Result<EventKind, Refusals> {
        self.blockers(Action::DispatchDelivery, order, act.actor)
            .into_result()?;
        self.status = if self.status == Scheduled {
            InService
        } else {
            Dispatched
        };
        self.leave(allocation, order, act.now);
        Ok(EventKind::DeliveryDispatched)
    }

    fn leave(&mut self, allocation: &mut Allocation, order: &mut Order, now: DateTime<Utc>) {
        self.dispatched_at = Some(now);
        for one in &self.lines {
            order.count(Counter::Dispatched, one.order_line_id, one.quantity);
            if let Some(line) = allocation
                .lines
                .iter_mut()
                .find(|line| line.id == one.allocation_line_id)
            {
                line.dispatched += one.quantity;
            }
        }
    }

    /// Follows a carrier's report. Reports may come late and out of order: what was delivered stays
    /// delivered. Says whether the goods left just now, as with a pickup.
    pub fn track(
        &mut self,
        report: &TrackingReport,
        allocation: &mut Allocation,
        order: &mut Order,
        act: &Act<'_>,
    ) -> Result<(EventKind, bool), Refusals> {
        let mut refusals = self.blockers(Action::RecordTrackingEvent, order, act.actor);
        text(
            &mut refusals,
            "carrier",
            Some(&report.carrier),
            true,
            SHORT_TEXT,
        );
        text(
            &mut refusals,
            "carrierEventId",
            Some(&report.carrier_event_id),
            true,
            SHORT_TEXT,
        );
        text(
            &mut refusals,
            "location",
            report.location.as_deref(),
            false,
            SHORT_TEXT,
        );
        if self.status == ReadyForPickup {
            refusals.require(report.kind == TrackingKind::Delivered, || {
                Refusal::new(
                    Code::IllegalTransition,
                    "R7.3",
                    "Of a pickup only DELIVERED is reported.",
                )
                .at("kind")
            });
        }
        refusals.into_result()?;
        let before = self.status;
        let target = match report.kind {
            _ if before == Delivered => Delivered,
            TrackingKind::Delivered => Delivered,
            _ if before == InService => InService,
            TrackingKind::AttemptFailed => AttemptFailed,
            TrackingKind::PickedUp | TrackingKind::InTransit | TrackingKind::OutForDelivery => {
                InTransit
            }
        };
        self.status = target;
        let picked_up = before == ReadyForPickup;
        if picked_up {
            self.leave(allocation, order, act.now);
        }
        if target == Delivered && before != Delivered {
            self.delivered_at = Some(report.occurred_at);
            for one in &self.lines {
                order.count(Counter::Delivered, one.order_line_id, one.quantity);
            }
            return Ok((EventKind::DeliveryArrived, picked_up));
        }
        let kind = if target == AttemptFailed {
            EventKind::DeliveryAttemptFailed
        } else {
            EventKind::DeliveryTracked
        };
        Ok((kind, false))
    }

    /// Confirms receipt of all that is open, or of the quantities named.
    pub fn confirm(
        &mut self,
        evidence: Evidence,
        quantities: Option<Vec<ConfirmedQuantity>>,
        allocation: &mut Allocation,
        order: &mut Order,
        act: &Act<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ConfirmDelivery, order, act.actor);
        let quantities = quantities.unwrap_or_else(|| {
            self.lines
                .iter()
                .filter(|line| line.confirmed < line.quantity)
                .map(|line| ConfirmedQuantity {
                    line_id: line.id,
                    quantity: line.quantity - line.confirmed,
                })
                .collect()
        });
        self.check_confirmation(
            &evidence,
            &quantities,
            allocation.kind,
            act.actor,
            &mut refusals,
        );
        refusals.into_result()?;
        for one in &quantities {
            let Some(line) = self.lines.iter_mut().find(|line| line.id == one.line_id) else {
                continue;
            };
            line.confirmed += one.quantity;
            order.count(Counter::Confirmed, line.order_line_id, one.quantity);
            if let Some(share) = allocation
                .lines
                .iter_mut()
                .find(|share| share.id == line.allocation_line_id)
            {
                share.confirmed += one.quantity;
            }
        }
        let all = self
            .lines
            .iter()
            .all(|line| line.confirmed == line.quantity);
        self.confirmation_status = if all {
            ConfirmationStatus::Confirmed
        } else {
            ConfirmationStatus::PartiallyConfirmed
        };
        self.confirmations.push(Confirmation {
            id: act.id(),
            evidence,
            quantities,
            confirmed_by: act.actor.subject.clone(),
            confirmed_at: act.now,
        });
        if allocation
            .lines
            .iter()
            .all(|line| line.confirmed == line.quantity)
        {
            allocation.status = AllocationStatus::Closed;
        }
        Ok(EventKind::DeliveryConfirmed)
    }

    fn check_confirmation(
        &self,
        evidence: &Evidence,
        quantities: &[ConfirmedQuantity],
        kind: ProductKind,
        actor: &Actor,
        refusals: &mut Refusals,
    ) {
        text(
            refusals,
            "evidence.reference",
            Some(&evidence.reference),
            true,
            SHORT_TEXT,
        );
        let hash_fits =
            |hash: &String| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        refusals.require(evidence.file_hash.as_ref().is_none_or(hash_fits), || {
            Refusal::new(
                Code::Malformed,
                "R8.1",
                "A SHA-256 in 64 hexadecimal digits.",
            )
            .at("evidence.fileHash")
        });
        let service = kind == ProductKind::Service;
        let fits = match evidence.kind {
            EvidenceKind::SignedSlip => !service,
            EvidenceKind::CustomerReceipt => true,
            EvidenceKind::ServiceReportSignature | EvidenceKind::OnlineRating => service,
        };
        refusals.require(fits, || {
            Refusal::new(
                Code::EvidenceNotAcceptable,
                "R8.1",
                "Goods: SIGNED_SLIP or CUSTOMER_RECEIPT. Services: SERVICE_REPORT_SIGNATURE, ONLINE_RATING or CUSTOMER_RECEIPT.",
            )
            .at("evidence.kind")
        });
        // An online rating is the customer's own word; staff cannot give it.
        refusals.require(
            evidence.kind != EvidenceKind::OnlineRating || actor.is(Role::Customer),
            || {
                Refusal::new(
                    Code::EvidenceNotAcceptable,
                    "R8.1",
                    "Only the customer rates online.",
                )
                .at("evidence.kind")
            },
        );
        for (index, one) in quantities.iter().enumerate() {
            let at = |field: &str| format!("lines.{index}.{field}");
            let Some(line) = self.lines.iter().find(|line| line.id == one.line_id) else {
                refusals.push(
                    Refusal::new(Code::UnknownLine, "R8.1", "Not a line of this delivery.")
                        .at(at("lineId")),
                );
                continue;
            };
            refusals.require(
                quantities[..index]
                    .iter()
                    .all(|other| other.line_id != one.line_id),
                || {
                    Refusal::new(Code::Repeated, "R8.1", "This line is named twice.")
                        .at(at("lineId"))
                },
            );
            let open = line.quantity - line.confirmed;
            refusals.require(
                one.quantity > Decimal::ZERO && one.quantity.normalize().scale() <= QUANTITY_SCALE,
                || {
                    Refusal::new(
                        Code::QuantityNotPositive,
                        "R8.1",
                        "Above zero, at most three decimals.",
                    )
                    .at(at("quantity"))
                },
            );
            refusals.require(one.quantity <= open, || {
                Refusal::new(
                    Code::QuantityExceeded,
                    "R8.1",
                    format!("{} are open.", open.normalize()),
                )
                .at(at("quantity"))
            });
        }
    }

    /// Cancels a delivery that has not left.
    pub fn cancel(&mut self, allocation: &mut Allocation) -> EventKind {
        self.status = Cancelled;
        for one in &self.lines {
            if let Some(line) = allocation
                .lines
                .iter_mut()
                .find(|line| line.id == one.allocation_line_id)
            {
                line.planned -= one.quantity;
            }
        }
        EventKind::DeliveryCancelled
    }
}
