//! Deliveries, their confirmation and settlement.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::actions::{self, AvailableAction};
use super::allocation::{Allocation, allocation};
use super::common::Money;
use super::order::{Order, OrderLine, order};
use super::reference::{Person, person};
use super::wrapper;
use crate::app::read;
use crate::domain::delivery as domain;
use crate::domain::delivery::{ConfirmationStatus, DeliveryMethod, DeliveryStatus, EvidenceKind, TrackingKind};
use crate::domain::ids::{OrderId, OrderLineId};
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, loaders, session};
use crate::graphql::ids;
use crate::graphql::loaders::ReportsOf;
use crate::graphql::scalars::{Date, DateTime, Decimal};

wrapper! {
    /// A delivery.
    Delivery(domain::Delivery)
}
connection!(DeliveryConnection, DeliveryEdge, Delivery, "deliveries");

/// A delivery of what passed inspection, or the performance of a service (R7).
#[macros::written]
#[Object]
impl Delivery {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The number people use.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The order; null when the caller may see the delivery but not the order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.order_id).await
    }

    /// The share it delivers; null when it does not exist for the caller.
    async fn allocation(&self, ctx: &Context<'_>) -> Result<Option<Allocation>> {
        allocation(ctx, self.0.allocation_id).await
    }

    /// How it goes (R7.1).
    async fn method(&self) -> DeliveryMethod {
        self.0.method
    }

    /// Where it stands.
    async fn status(&self) -> DeliveryStatus {
        self.0.status
    }

    /// Every method that was considered, best first, with why or why not.
    async fn options(&self, ctx: &Context<'_>) -> Result<Vec<DeliveryOption>> {
        let order = order(ctx, self.0.order_id).await?;
        let options = self.0.options.iter();
        Ok(options
            .map(|option| DeliveryOption {
                method: option.method,
                available: option.available,
                cost: order.as_ref().map(|order| Money::new(option.cost, order.0.currency)),
                arrives_on: option.arrives_on.into(),
                in_time: option.in_time,
                reason: option.reason.clone(),
            })
            .collect())
    }

    /// What it costs, in the order's currency; null when the caller may not see the order.
    async fn cost(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let order = order(ctx, self.0.order_id).await?;
        Ok(order.map(|order| Money::new(self.0.cost, order.0.currency)))
    }

    /// The date it should arrive.
    async fn planned_arrival(&self) -> Date {
        self.0.planned_arrival.into()
    }

    /// The carrier, or who performs the service.
    async fn carrier(&self) -> Option<&String> {
        self.0.carrier.as_ref()
    }

    /// The carrier's number for it (R7.3).
    async fn tracking_number(&self) -> Option<&String> {
        self.0.tracking_number.as_ref()
    }

    /// When the service or pickup is agreed for (R7.2).
    async fn appointment(&self) -> Option<DateTime> {
        self.0.appointment.map(Into::into)
    }

    /// Who planned it. Null for people outside the group.
    async fn planned_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.planned_by).await
    }

    /// When it was planned.
    async fn planned_at(&self) -> DateTime {
        self.0.planned_at.into()
    }

    /// When it left.
    async fn dispatched_at(&self) -> Option<DateTime> {
        self.0.dispatched_at.map(Into::into)
    }

    /// When it reached the customer.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.delivered_at.map(Into::into)
    }

    /// What the customer has confirmed of it (R8.1).
    async fn confirmation_status(&self) -> ConfirmationStatus {
        self.0.confirmation_status
    }

    /// The customer's confirmations, oldest first.
    async fn confirmations(&self) -> Vec<DeliveryConfirmation> {
        let all = self.0.confirmations.iter().cloned();
        all.map(DeliveryConfirmation).collect()
    }

    /// What is delivered.
    async fn lines(&self) -> Vec<DeliveryLine> {
        let order_id = self.0.order_id;
        let lines = self.0.lines.iter().cloned();
        lines.map(|line| DeliveryLine { line, order_id }).collect()
    }

    /// What the carrier reported, oldest first (R7.3).
    async fn tracking_events(&self, ctx: &Context<'_>) -> Result<Vec<TrackingEvent>> {
        let found = loaders(ctx)?.list(ReportsOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(TrackingEvent).collect())
    }

    /// What the caller can do with it right now, and what stands in the way; null when the caller
    /// may not see the order.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Option<Vec<AvailableAction>>> {
        let Some(order) = order(ctx, self.0.order_id).await? else {
            return Ok(None);
        };
        let actor = &session(ctx)?.actor;
        let available = read::actions::of_delivery(actor, &self.0, &order.0);
        Ok(Some(actions::all(available)))
    }
}

/// A method of delivery that was considered (R7.1).
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct DeliveryOption {
    /// The method.
    pub method: DeliveryMethod,
    /// Can it be used here?
    pub available: bool,
    /// What it costs, in the order's currency; null when the caller may not see the order.
    pub cost: Option<Money>,
    /// The date it would arrive.
    pub arrives_on: Date,
    /// Does it arrive by the date the customer expects?
    pub in_time: bool,
    /// Why, or why not.
    pub reason: String,
}

/// A line of a delivery.
#[derive(Clone, Debug)]
pub struct DeliveryLine {
    line: domain::DeliveryLine,
    order_id: OrderId,
}

/// A line of a delivery, in the order line's unit of measure.
#[macros::written]
#[Object]
impl DeliveryLine {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.line.id)
    }

    /// Id of the allocation's line it delivers.
    async fn allocation_line_id(&self) -> ID {
        ids::encode(self.line.allocation_line_id)
    }

    /// The order's line; null when the caller may not see the order.
    async fn order_line(&self, ctx: &Context<'_>) -> Result<Option<OrderLine>> {
        order_line(ctx, self.order_id, self.line.order_line_id).await
    }

    /// How much is delivered.
    async fn quantity(&self) -> Decimal {
        self.line.quantity.into()
    }

    /// How much of it the customer has confirmed.
    async fn confirmed(&self) -> Decimal {
        self.line.confirmed.into()
    }
}

/// A line of an order, if the order exists for the caller.
pub async fn order_line(ctx: &Context<'_>, id: OrderId, line: OrderLineId) -> Result<Option<OrderLine>> {
    let order = order(ctx, id).await?;
    Ok(order.and_then(|order| {
        let line = order.0.line(line)?;
        Some(OrderLine::new(line.clone(), order.0.currency))
    }))
}

/// A confirmation.
#[derive(Clone, Debug)]
pub struct DeliveryConfirmation(domain::Confirmation);

/// A customer's confirmation of a delivery or part of it; never changed (R8.1).
#[macros::written]
#[Object]
impl DeliveryConfirmation {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// What kind of evidence proves it.
    async fn evidence_kind(&self) -> EvidenceKind {
        self.0.evidence.kind
    }

    /// Where to find the evidence: a slip's number, a file's name, a rating.
    async fn evidence_reference(&self) -> &str {
        &self.0.evidence.reference
    }

    /// SHA-256 of the evidence's file in hexadecimal, where there is one.
    async fn evidence_file_hash(&self) -> Option<&String> {
        self.0.evidence.file_hash.as_ref()
    }

    /// What was confirmed.
    async fn quantities(&self) -> Vec<ConfirmedQuantity> {
        let all = self.0.quantities.iter();
        all.map(|one| ConfirmedQuantity { delivery_line_id: ids::encode(one.line_id), quantity: one.quantity.into() })
            .collect()
    }

    /// Who recorded it. People outside the group see themselves only, else null.
    async fn confirmed_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.confirmed_by).await
    }

    /// When it was recorded.
    async fn confirmed_at(&self) -> DateTime {
        self.0.confirmed_at.into()
    }
}

/// How much of a delivery's line a customer confirmed.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ConfirmedQuantity {
    /// Id of the delivery's line.
    pub delivery_line_id: ID,
    /// How much of it, in the order line's unit of measure.
    pub quantity: Decimal,
}

wrapper! {
    /// A report.
    TrackingEvent(read::delivery::TrackingEvent)
}

/// What a carrier reported of a delivery; kept once, in whatever order it came (R7.3).
#[macros::written]
#[Object]
impl TrackingEvent {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// The carrier.
    async fn carrier(&self) -> &str {
        &self.0.report.carrier
    }

    /// The carrier's own id of the report.
    async fn carrier_event_id(&self) -> &str {
        &self.0.report.carrier_event_id
    }

    /// What happened.
    async fn kind(&self) -> TrackingKind {
        self.0.report.kind
    }

    /// When it happened, by the carrier's clock.
    async fn occurred_at(&self) -> DateTime {
        self.0.report.occurred_at.into()
    }

    /// Where it happened.
    async fn location(&self) -> Option<&String> {
        self.0.report.location.as_ref()
    }

    /// Who recorded it. Null for people outside the group.
    async fn recorded_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.recorded_by).await
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

wrapper! {
    /// A settlement record.
    SettlementRecord(read::order::SettlementRecord)
}

/// What a confirmed quantity is worth: the basis of settlement; never changed (R8.2). The records of
/// a wholly confirmed line add up to the line's total.
#[macros::written]
#[Object]
impl SettlementRecord {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// The order's line.
    async fn order_line(&self, ctx: &Context<'_>) -> Result<Option<OrderLine>> {
        order_line(ctx, self.0.order_id, self.0.order_line_id).await
    }

    /// Id of the delivery.
    async fn delivery_id(&self) -> ID {
        ids::encode(self.0.delivery_id)
    }

    /// Id of the confirmation it is based on.
    async fn confirmation_id(&self) -> ID {
        ids::encode(self.0.confirmation_id)
    }

    /// How much was confirmed, in the order line's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// What is due for it.
    async fn amount(&self) -> Money {
        Money::new(self.0.amount, self.0.currency)
    }

    /// When it was settled.
    async fn settled_at(&self) -> DateTime {
        self.0.settled_at.into()
    }
}

/// A delivery by id, if it exists for the caller.
pub async fn delivery(ctx: &Context<'_>, id: crate::domain::ids::DeliveryId) -> Result<Option<Delivery>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(Delivery))
}
