//! Deliveries, what carriers reported of them, and what their confirmation is worth.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{delivery, delivery_line, settlement_record, tracking_event};
use rust_decimal::Decimal;
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::{Result, StoreError};
use super::page::{Keyset, Page, page};
use super::reach::{Far, Reached, reach_one};
use super::row::{among, code, currency, from_json_or_blank, from_price, from_quantity, json, price, quantity};
use super::work::{Saved, Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::allocation::Allocation;
use crate::domain::delivery::{Delivery, DeliveryLine, DeliveryStatus, TrackingKind, TrackingReport};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{
    ConfirmationId, DeliveryId, OrderId, OrderLineId, SettlementRecordId, TrackingEventId, UnitId,
};
use crate::domain::money::Currency;
use crate::domain::order::Order;

impl Aggregate for Delivery {
    const KIND: AggregateKind = AggregateKind::Delivery;
    type Rows = (delivery::Model, Vec<delivery_line::Model>);

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        Some(self.order_id)
    }
    fn unit_id(&self) -> Option<UnitId> {
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        let row = delivery::Model {
            id: self.id.0,
            version: self.version,
            number: self.number.clone(),
            order_id: self.order_id.0,
            allocation_id: self.allocation_id.0,
            method: self.method.code().to_owned(),
            status: self.status.code().to_owned(),
            options: json(&self.options)?,
            cost: price(self.cost)?,
            planned_arrival: self.planned_arrival,
            carrier: self.carrier.clone(),
            tracking_number: self.tracking_number.clone(),
            appointment: self.appointment,
            planned_by: self.planned_by.clone(),
            planned_at: self.planned_at,
            dispatched_at: self.dispatched_at,
            delivered_at: self.delivered_at,
            confirmation_status: self.confirmation_status.code().to_owned(),
            confirmations: json(&self.confirmations)?,
        };
        let lines = self
            .lines
            .iter()
            .map(|line| {
                Ok(delivery_line::Model {
                    id: line.id.0,
                    delivery_id: self.id.0,
                    allocation_line_id: line.allocation_line_id.0,
                    order_line_id: line.order_line_id.0,
                    quantity: quantity(line.quantity)?,
                    confirmed: quantity(line.confirmed)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok((row, lines))
    }

    fn from_rows((row, mut lines): Self::Rows) -> Result<Self> {
        lines.sort_by_key(|line| line.id);
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            number: row.number,
            order_id: row.order_id.into(),
            allocation_id: row.allocation_id.into(),
            method: code(&row.method)?,
            status: code(&row.status)?,
            options: from_json_or_blank(row.options)?,
            cost: from_price(row.cost),
            planned_arrival: row.planned_arrival,
            carrier: row.carrier,
            tracking_number: row.tracking_number,
            appointment: row.appointment,
            planned_by: row.planned_by,
            planned_at: row.planned_at,
            dispatched_at: row.dispatched_at,
            delivered_at: row.delivered_at,
            confirmation_status: code(&row.confirmation_status)?,
            confirmations: from_json_or_blank(row.confirmations)?,
            lines: lines
                .into_iter()
                .map(|line| DeliveryLine {
                    id: line.id.into(),
                    allocation_line_id: line.allocation_line_id.into(),
                    order_line_id: line.order_line_id.into(),
                    quantity: from_quantity(line.quantity),
                    confirmed: from_quantity(line.confirmed),
                })
                .collect(),
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = delivery::Entity::find()
            .filter(among(delivery::Column::Id, ids.to_vec()))
            .order_by_asc(delivery::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let roots = query.all(db).await?;
        let mut lines: HashMap<Uuid, Vec<delivery_line::Model>> = HashMap::new();
        for line in
            delivery_line::Entity::find().filter(among(delivery_line::Column::DeliveryId, ids.to_vec())).all(db).await?
        {
            lines.entry(line.delivery_id).or_default().push(line);
        }
        Ok(roots
            .into_iter()
            .map(|row| {
                let parts = lines.remove(&row.id).unwrap_or_default();
                (row, parts)
            })
            .collect())
    }

    fn write((row, lines): &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<delivery::Entity>(row)?;
        let former = before.map_or(&[][..], |(_, lines)| lines);
        writes.parts::<delivery_line::Entity>(lines, former, |line| line.id)
    }

    fn handed_on(self) -> Option<Saved> {
        Some(Saved::Delivery(Arc::new(self)))
    }
}

/// A delivery that exists for the caller, its allocation and their order; all locked, the order first.
pub async fn with_order(
    work: &Work,
    id: DeliveryId,
) -> Result<(Tracked<Order>, Tracked<Allocation>, Tracked<Delivery>)> {
    let which = Condition::all().add(delivery::Column::Id.eq(id.0)).add(scope::deliveries(&work.actor().scope));
    let Reached { order, share, delivery } = reach_one(work, Far::Delivery, which).await?;
    Ok((order, share.ok_or(StoreError::NotFound)?, delivery.ok_or(StoreError::NotFound)?))
}

/// Every delivery of an order within a command; locked.
pub async fn all_of_order(work: &Work, order: OrderId) -> Result<Vec<Tracked<Delivery>>> {
    let ids: Vec<Uuid> = delivery::Entity::find()
        .filter(delivery::Column::OrderId.eq(order.0))
        .select_only()
        .column(delivery::Column::Id)
        .into_tuple()
        .all(work.db().await?)
        .await?;
    work.find_many(&ids).await
}

/// A report that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingEvent {
    /// Identity.
    pub id: TrackingEventId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What was reported.
    pub report: TrackingReport,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

pub(super) fn tracking(row: tracking_event::Model) -> Result<TrackingEvent> {
    Ok(TrackingEvent {
        id: row.id.into(),
        delivery_id: row.delivery_id.into(),
        report: TrackingReport {
            carrier: row.carrier,
            carrier_event_id: row.carrier_event_id,
            kind: code::<TrackingKind>(&row.kind)?,
            occurred_at: row.occurred_at,
            location: row.location,
        },
        recorded_by: row.recorded_by,
        recorded_at: row.recorded_at,
    })
}

/// The report a carrier sent before under this id.
pub async fn report(work: &Work, carrier: &str, carrier_event_id: &str) -> Result<Option<TrackingEvent>> {
    tracking_event::Entity::find()
        .filter(tracking_event::Column::Carrier.eq(carrier))
        .filter(tracking_event::Column::CarrierEventId.eq(carrier_event_id))
        .one(work.db().await?)
        .await?
        .map(tracking)
        .transpose()
}

/// Keeps a carrier's report.
pub fn keep_report(work: &Work, delivery: DeliveryId, report: &TrackingReport) -> Result<()> {
    let row = tracking_event::Model {
        id: work.id(),
        delivery_id: delivery.0,
        carrier: report.carrier.clone(),
        carrier_event_id: report.carrier_event_id.clone(),
        kind: report.kind.code().to_owned(),
        occurred_at: report.occurred_at,
        location: report.location.clone(),
        recorded_by: work.actor().subject.clone(),
        recorded_at: work.now(),
    };
    work.write(|writes| writes.new_row::<tracking_event::Entity>(&row))
}

/// What a confirmed quantity is worth (R8.2); never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementRecord {
    /// Identity.
    pub id: SettlementRecordId,
    /// The order.
    pub order_id: OrderId,
    /// Its line.
    pub order_line_id: OrderLineId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The confirmation it is based on.
    pub confirmation_id: ConfirmationId,
    /// How much was confirmed.
    pub quantity: Decimal,
    /// What is due for it.
    pub amount: Decimal,
    /// In this currency.
    pub currency: Currency,
    /// When.
    pub settled_at: DateTime<Utc>,
}

/// Keeps settlement records.
pub fn keep_settlement(work: &Work, records: &[SettlementRecord]) -> Result<()> {
    work.write(|writes| {
        records.iter().try_for_each(|record| {
            writes.new_row::<settlement_record::Entity>(&settlement_record::Model {
                id: record.id.0,
                order_id: record.order_id.0,
                order_line_id: record.order_line_id.0,
                delivery_id: record.delivery_id.0,
                confirmation_id: record.confirmation_id.0,
                quantity: quantity(record.quantity)?,
                amount: price(record.amount)?,
                currency: record.currency.code().to_owned(),
                settled_at: record.settled_at,
            })
        })
    })
}

/// The settlement records of orders that were found visible before.
pub async fn settlement(store: &Store, orders: &[OrderId]) -> Result<Vec<SettlementRecord>> {
    let rows = settlement_record::Entity::find()
        .filter(among(settlement_record::Column::OrderId, orders.iter().map(|id| id.0)))
        .order_by_asc(settlement_record::Column::Id)
        .all(store.reader())
        .await?;
    rows.into_iter().map(settled).collect()
}

pub(super) fn settled(row: settlement_record::Model) -> Result<SettlementRecord> {
    Ok(SettlementRecord {
        id: row.id.into(),
        order_id: row.order_id.into(),
        order_line_id: row.order_line_id.into(),
        delivery_id: row.delivery_id.into(),
        confirmation_id: row.confirmation_id.into(),
        quantity: from_quantity(row.quantity),
        amount: from_price(row.amount),
        currency: currency(&row.currency)?,
        settled_at: row.settled_at,
    })
}

/// What a list of deliveries is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// One of these states.
    pub status: Option<Vec<DeliveryStatus>>,
    /// Of this order.
    pub order: Option<OrderId>,
}

fn condition(actor: &Actor, filter: &DeliveryFilter) -> Condition {
    let mut all = scope::deliveries(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(delivery::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(order) = filter.order {
        all = all.add(delivery::Column::OrderId.eq(order.0));
    }
    all
}

/// A page of the deliveries that exist for the actor, newest first.
pub async fn list(store: &Store, actor: &Actor, filter: &DeliveryFilter, keyset: Keyset) -> Result<Page<Delivery>> {
    let query = delivery::Entity::find().filter(condition(actor, filter));
    let rows = page(query, delivery::Column::PlannedAt, delivery::Column::Id, true, keyset, store.reader(), |row| {
        (row.planned_at.to_rfc3339(), row.id)
    })
    .await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| row.id).collect();
    let mut loaded: HashMap<Uuid, Delivery> =
        load_many::<Delivery>(store.reader(), &ids, false).await?.into_iter().map(|one| (one.id.0, one)).collect();
    rows.map(|row| loaded.remove(&row.id).ok_or(StoreError::NotFound))
}

/// How many deliveries the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &DeliveryFilter) -> Result<u64> {
    Ok(delivery::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Deliveries by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[DeliveryId]) -> Result<Vec<Delivery>> {
    visible(
        store,
        Condition::all()
            .add(scope::deliveries(&actor.scope))
            .add(among(delivery::Column::Id, ids.iter().map(|id| id.0))),
    )
    .await
}

/// The deliveries of orders, as far as they exist for the actor.
pub async fn of_orders(store: &Store, actor: &Actor, orders: &[OrderId]) -> Result<Vec<Delivery>> {
    let chosen = among(delivery::Column::OrderId, orders.iter().map(|id| id.0));
    visible(store, Condition::all().add(scope::deliveries(&actor.scope)).add(chosen)).await
}

async fn visible(store: &Store, condition: Condition) -> Result<Vec<Delivery>> {
    let ids: Vec<Uuid> = delivery::Entity::find()
        .filter(condition)
        .select_only()
        .column(delivery::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &ids, false).await
}

/// What carriers reported of deliveries that were found visible before, oldest first.
pub async fn reports(store: &Store, deliveries: &[DeliveryId]) -> Result<Vec<TrackingEvent>> {
    let rows = tracking_event::Entity::find()
        .filter(among(tracking_event::Column::DeliveryId, deliveries.iter().map(|id| id.0)))
        .order_by_asc(tracking_event::Column::OccurredAt)
        .order_by_asc(tracking_event::Column::Id)
        .all(store.reader())
        .await?;
    rows.into_iter().map(tracking).collect()
}
