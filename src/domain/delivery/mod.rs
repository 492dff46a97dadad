//! Delivery and its confirmation (R7, R8): only what passed inspection goes; the customer's
//! confirmation completes the order and is the basis of settlement.

mod confirmation;
mod plan;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::actor::{Act, Actor};
use crate::domain::allocation::Allocation;
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, AllocationLineId, DeliveryId, DeliveryLineId, OrderId, OrderLineId};
use crate::domain::intake::{SHORT_TEXT, text};
use crate::domain::order::{Counter, Order, OrderStatus, role_blockers};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

pub use confirmation::{Confirmation, ConfirmationStatus, ConfirmedQuantity, Evidence, EvidenceKind};
pub use plan::{DeliveryMethod, DeliveryOption, DeliveryQuantity, DeliveryWish, options, plan, plan_blockers};

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
        step(ReadyForPickup, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(Dispatched, Action::RecordTrackingEvent, Dispatched, "R7.3"),
        step(Dispatched, Action::RecordTrackingEvent, InTransit, "R7.3"),
        step(Dispatched, Action::RecordTrackingEvent, AttemptFailed, "R7.3"),
        step(Dispatched, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(InTransit, Action::RecordTrackingEvent, InTransit, "R7.3"),
        step(InTransit, Action::RecordTrackingEvent, AttemptFailed, "R7.3"),
        step(InTransit, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(AttemptFailed, Action::RecordTrackingEvent, InTransit, "R7.3"),
        step(AttemptFailed, Action::RecordTrackingEvent, AttemptFailed, "R7.3"),
        step(AttemptFailed, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(InService, Action::RecordTrackingEvent, InService, "R7.3"),
        step(InService, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(Delivered, Action::RecordTrackingEvent, Delivered, "R7.3"),
        step(Delivered, Action::ConfirmDelivery, Delivered, "R8.1"),
        step(Planned, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Booked, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(ReadyForPickup, Action::AnswerCancellation, Cancelled, "R4.3"),
        step(Scheduled, Action::AnswerCancellation, Cancelled, "R4.3"),
    ];
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
                    Refusal::new(Code::IllegalTransition, "R2.6", format!("The order is {}.", order.status))
                });
                order.hold_blockers(&mut refusals);
            }
            Action::ConfirmDelivery => {
                refusals.require(self.confirmation_status != ConfirmationStatus::Confirmed, || {
                    Refusal::new(Code::NothingToConfirm, "R8.1", "All of it is confirmed.")
                });
            }
            _ => {}
        }
        refusals
    }

    /// Books with the carrier, announces the pickup, or agrees on the appointment.
    pub fn book(&mut self, booking: Booking, order: &Order, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::BookDelivery, order, act.actor);
        let (status, carrier_required, appointment_required) = match self.method {
            DeliveryMethod::SelfPickup => (ReadyForPickup, false, false),
            DeliveryMethod::OnSiteService | DeliveryMethod::OnlineService => (Scheduled, false, true),
            _ => (Booked, true, false),
        };
        text(&mut refusals, "carrier", booking.carrier.as_deref(), carrier_required, SHORT_TEXT);
        text(&mut refusals, "trackingNumber", booking.tracking_number.as_deref(), carrier_required, SHORT_TEXT);
        refusals.require(!appointment_required || booking.appointment.is_some(), || {
            Refusal::new(Code::Required, "R7.2", "The customer is told the time of a service beforehand.")
                .at("appointment")
        });
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
        self.blockers(Action::DispatchDelivery, order, act.actor).into_result()?;
        self.status = if self.status == Scheduled { InService } else { Dispatched };
        self.leave(allocation, order, act.now);
        Ok(EventKind::DeliveryDispatched)
    }

    fn leave(&mut self, allocation: &mut Allocation, order: &mut Order, now: DateTime<Utc>) {
        self.dispatched_at = Some(now);
        for one in &self.lines {
            order.count(Counter::Dispatched, one.order_line_id, one.quantity);
            if let Some(line) = allocation.lines.iter_mut().find(|line| line.id == one.allocation_line_id) {
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
        text(&mut refusals, "carrier", Some(&report.carrier), true, SHORT_TEXT);
        text(&mut refusals, "carrierEventId", Some(&report.carrier_event_id), true, SHORT_TEXT);
        text(&mut refusals, "location", report.location.as_deref(), false, SHORT_TEXT);
        if self.status == ReadyForPickup {
            refusals.require(report.kind == TrackingKind::Delivered, || {
                Refusal::new(Code::IllegalTransition, "R7.3", "Of a pickup only DELIVERED is reported.").at("kind")
            });
        }
        refusals.into_result()?;
        let before = self.status;
        let target = match report.kind {
            _ if before == Delivered => Delivered,
            TrackingKind::Delivered => Delivered,
            _ if before == InService => InService,
            TrackingKind::AttemptFailed => AttemptFailed,
            TrackingKind::PickedUp | TrackingKind::InTransit | TrackingKind::OutForDelivery => InTransit,
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
        let kind = if target == AttemptFailed { EventKind::DeliveryAttemptFailed } else { EventKind::DeliveryTracked };
        Ok((kind, false))
    }

    /// Cancels a delivery that has not left.
    pub fn cancel(&mut self, allocation: &mut Allocation) -> EventKind {
        self.status = Cancelled;
        for one in &self.lines {
            if let Some(line) = allocation.lines.iter_mut().find(|line| line.id == one.allocation_line_id) {
                line.planned -= one.quantity;
            }
        }
        EventKind::DeliveryCancelled
    }
}
