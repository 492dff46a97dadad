//! Delivery and its confirmation (R7, R8).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::command::Command;
use super::inventory::Stock;
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::delivery::{
    self as rules_of, Booking, ConfirmedQuantity, Delivery, DeliveryMethod, DeliveryQuantity, DeliveryWish, Evidence,
    TrackingReport,
};
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, DeliveryId, OrderId};
use crate::domain::money::running_share;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::delivery::SettlementRecord;
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, allocation, delivery, reference};

/// The delivery a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDelivery {
    /// The order.
    pub order_id: OrderId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Was this report known before?
    pub duplicate: bool,
}

struct Loaded {
    order: Tracked<Order>,
    share: Tracked<Allocation>,
    delivery: Tracked<Delivery>,
}

async fn load(work: &Work, id: DeliveryId, expected_version: Option<i64>) -> Result<Loaded> {
    let (order, share, delivery) = delivery::with_order(work, id).await?;
    work.expect(&delivery, expected_version)?;
    Ok(Loaded { order, share, delivery })
}

/// Choose how what passed inspection is delivered (R7.1).
#[derive(Clone, Debug, Serialize)]
pub struct PlanDelivery {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The method; the best when absent.
    pub method: Option<DeliveryMethod>,
    /// How much of which lines; everything that can go when absent.
    pub lines: Option<Vec<DeliveryQuantity>>,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for PlanDelivery {
    const ACTION: Action = Action::PlanDelivery;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let (order, mut share) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&share, self.expected_version)?;
        let rules = work.rules(order.rule_set_version).await?;
        let units = reference::all_units(work.reference()).await?;
        let near = units.iter().any(|unit| unit.id == share.unit_id && unit.regions.contains(&order.region));
        let wish = DeliveryWish { method: self.method, quantities: self.lines.clone(), near };
        let planned = rules_of::plan(&mut share, &order, wish, &rules, &work.act())?;
        work.save(share, EventKind::AllocationDeliveryPlanned).await?;
        let planned = work.save(Tracked::new(planned), EventKind::DeliveryPlanned).await?;
        Ok(OnDelivery { order_id, delivery_id: planned.id, duplicate: false })
    }
}

/// Book the planned delivery with the carrier, or announce the pickup or the appointment (R7.2).
#[derive(Clone, Debug, Serialize)]
pub struct BookDelivery {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The carrier, or who performs the service.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
    /// When pickup or service is agreed for.
    pub appointment: Option<DateTime<Utc>>,
    /// The version of the delivery the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for BookDelivery {
    const ACTION: Action = Action::BookDelivery;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let Loaded { order, mut delivery, .. } = load(work, self.delivery_id, self.expected_version).await?;
        let booking = Booking {
            carrier: self.carrier.clone(),
            tracking_number: self.tracking_number.clone(),
            appointment: self.appointment,
        };
        let happening = delivery.book(booking, &order, &work.act())?;
        work.save(delivery, happening).await?;
        Ok(OnDelivery { order_id: order.id, delivery_id: self.delivery_id, duplicate: false })
    }
}

/// Hand the delivery over to the carrier, or begin the service; goods are issued from stock.
#[derive(Clone, Debug, Serialize)]
pub struct DispatchDelivery {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The version of the delivery the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for DispatchDelivery {
    const ACTION: Action = Action::DispatchDelivery;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let Loaded { mut order, mut share, mut delivery } = load(work, self.delivery_id, self.expected_version).await?;
        let happening = delivery.dispatch(&mut share, &mut order, &work.act())?;
        issue(work, &mut share, &delivery).await?;
        let order = work.save(order, EventKind::OrderDispatched).await?;
        work.save(share, EventKind::AllocationDispatched).await?;
        work.save(delivery, happening).await?;
        Ok(OnDelivery { order_id: order.id, delivery_id: self.delivery_id, duplicate: false })
    }
}

/// Goods leave the warehouse from the order's own reservation.
async fn issue(work: &Work, share: &mut Allocation, delivery: &Delivery) -> Result<()> {
    if share.kind != ProductKind::Goods {
        return Ok(());
    }
    let mut stock = Stock::lock_for(work, share).await?;
    for line in &delivery.lines {
        share.consume(line.allocation_line_id, Some(line.quantity), &work.act(), &mut stock.book);
    }
    stock.save(work, EventKind::StockIssued).await
}

/// Record what the carrier reports; kept once per carrier and its id, in any order (R7.3).
#[derive(Clone, Debug, Serialize)]
pub struct RecordTrackingEvent {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What was reported.
    pub report: TrackingReport,
}

impl Command for RecordTrackingEvent {
    const ACTION: Action = Action::RecordTrackingEvent;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let Loaded { mut order, mut share, mut delivery } = load(work, self.delivery_id, None).await?;
        let answer = OnDelivery { order_id: order.id, delivery_id: self.delivery_id, duplicate: false };
        if let Some(known) = delivery::report(work, &self.report.carrier, &self.report.carrier_event_id).await? {
            if known.delivery_id == self.delivery_id && known.report == self.report {
                return Ok(OnDelivery { duplicate: true, ..answer });
            }
            let message = "The carrier used this event id for another report.";
            let refusal = Refusal::new(RefusalCode::ExternalReferenceConflict, "R7.3", message).at("carrierEventId");
            return Err(StoreError::Refused(refusal.into()));
        }
        let (happening, left) = delivery.track(&self.report, &mut share, &mut order, &work.act())?;
        if left {
            issue(work, &mut share, &delivery).await?;
        }
        delivery::keep_report(work, self.delivery_id, &self.report)?;
        if order.is_changed() {
            work.save(order, EventKind::OrderDelivered).await?;
        }
        if share.is_changed() {
            work.save(share, EventKind::AllocationDispatched).await?;
        }
        work.save(delivery, happening).await?;
        Ok(answer)
    }
}

/// Confirm receipt, with evidence (R8.1): completes the order once everything open is confirmed,
/// and writes what the confirmed quantity is worth (R8.2).
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmDelivery {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What proves it.
    pub evidence: Evidence,
    /// How much of which lines; everything open when absent.
    pub lines: Option<Vec<ConfirmedQuantity>>,
    /// The version of the delivery the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ConfirmDelivery {
    const ACTION: Action = Action::ConfirmDelivery;
    type Answer = OnDelivery;

    async fn run(&self, work: &Work) -> Result<OnDelivery> {
        let Loaded { mut order, mut share, mut delivery } = load(work, self.delivery_id, self.expected_version).await?;
        let before = (*order).clone();
        let happening =
            delivery.confirm(self.evidence.clone(), self.lines.clone(), &mut share, &mut order, &work.act())?;
        let records = settle(work, &before, &order, &delivery);
        delivery::keep_settlement(work, &records)?;
        let outcome = order.complete_if_confirmed(work.now());
        let order = work.save(order, outcome).await?;
        let closed = share.status == AllocationStatus::Closed;
        let share_event = if closed { EventKind::AllocationClosed } else { EventKind::AllocationConfirmed };
        work.save(share, share_event).await?;
        work.save(delivery, happening).await?;
        Ok(OnDelivery { order_id: order.id, delivery_id: self.delivery_id, duplicate: false })
    }
}

/// What the newly confirmed quantities are worth: shares of the line totals that sum to them.
fn settle(work: &Work, before: &Order, after: &Order, delivery: &Delivery) -> Vec<SettlementRecord> {
    let Some(confirmation) = delivery.confirmations.last() else {
        return Vec::new();
    };
    let mut records = Vec::new();
    for line in &after.lines {
        let former = before.line(line.id).map_or_else(Default::default, |line| line.quantities.confirmed);
        let confirmed = line.quantities.confirmed;
        if confirmed > former {
            records.push(SettlementRecord {
                id: work.id(),
                order_id: after.id,
                order_line_id: line.id,
                delivery_id: delivery.id,
                confirmation_id: confirmation.id,
                quantity: confirmed - former,
                amount: running_share(line.total, former, confirmed, line.quantities.ordered, after.currency),
                currency: after.currency,
                settled_at: work.now(),
            });
        }
    }
    records
}
