//! Orders as their channels tell of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{channel_order, orders};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::super::Store;
use super::super::aggregate::{Aggregate, load_many};
use super::super::error::Result;
use super::super::row::{among, from_json, json};
use super::super::work::Work;
use super::super::write::Writes;
use crate::domain::channel::SalesChannel;
use crate::domain::channel::order::ChannelOrder;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{ChannelOrderId, OrderId, SalesChannelId, UnitId};
use crate::domain::intake::received::IntakeFault;
use crate::domain::order::Order;

impl Aggregate for ChannelOrder {
    const KIND: AggregateKind = AggregateKind::ChannelOrder;
    type Rows = channel_order::Model;

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
        Ok(channel_order::Model {
            id: self.id.0,
            version: self.version,
            channel_id: self.channel_id.0,
            order_id: self.order_id.0,
            reference: self.reference.clone(),
            name: self.name.clone(),
            placed_at: self.placed_at,
            told_at: self.told_at,
            cancelled: self.cancelled,
            applied: self.applied.clone(),
            told: self.told.clone(),
            charges: json(&self.charges)?,
            lines: json(&self.lines)?,
            faults: json(&self.faults)?,
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            channel_id: row.channel_id.into(),
            order_id: row.order_id.into(),
            reference: row.reference,
            name: row.name,
            placed_at: row.placed_at,
            told_at: row.told_at,
            cancelled: row.cancelled,
            applied: row.applied,
            told: row.told,
            charges: from_json(row.charges)?,
            lines: from_json(row.lines)?,
            faults: from_json(row.faults)?,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = channel_order::Entity::find()
            .filter(among(channel_order::Column::Id, ids.to_vec()))
            .order_by_asc(channel_order::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<channel_order::Entity>(row)
    }
}

/// What is known of the order under the channel's number, if it came over it before. Never changes once it is
/// there: it can be asked before the order is locked.
pub async fn known_order(
    work: &Work,
    channel: SalesChannelId,
    reference: &str,
) -> Result<Option<(ChannelOrderId, OrderId)>> {
    let found: Option<(Uuid, Uuid)> = channel_order::Entity::find()
        .filter(channel_order::Column::ChannelId.eq(channel.0))
        .filter(channel_order::Column::Reference.eq(reference))
        .select_only()
        .columns([channel_order::Column::Id, channel_order::Column::OrderId])
        .into_tuple()
        .one(work.db().await?)
        .await?;
    Ok(found.map(|(id, order)| (id.into(), order.into())))
}

/// What was missing or wrong with an order of the work's own.
pub async fn faults_of(work: &Work, order: OrderId) -> Result<Vec<IntakeFault>> {
    let found: Option<serde_json::Value> = channel_order::Entity::find()
        .filter(channel_order::Column::OrderId.eq(order.0))
        .select_only()
        .column(channel_order::Column::Faults)
        .into_tuple()
        .one(work.db().await?)
        .await?;
    found.map_or_else(|| Ok(Vec::new()), from_json)
}

/// What channels tell of orders that were found visible before.
pub async fn of_orders(store: &Store, orders: &[OrderId]) -> Result<Vec<ChannelOrder>> {
    let rows = channel_order::Entity::find()
        .filter(among(channel_order::Column::OrderId, orders.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(ChannelOrder::from_rows).collect()
}

/// The orders of a channel that were placed there between two moments (submitted here, where the channel does
/// not tell), and those it knows by one of these numbers; with what it tells of them. Nothing when more than so many lie
/// between the moments.
pub async fn placed_between(
    store: &Store,
    channel: &SalesChannel,
    (from, before): (DateTime<Utc>, DateTime<Utc>),
    references: &[String],
    limit: u64,
) -> Result<Option<Vec<(Order, Option<ChannelOrder>)>>> {
    let own = || {
        orders::Entity::find()
            .filter(orders::Column::Account.eq(channel.code.as_str()))
            .select_only()
            .column(orders::Column::Id)
    };
    let mut ids: Vec<Uuid> = own()
        .filter(orders::Column::SubmittedAt.gte(from))
        .filter(orders::Column::SubmittedAt.lt(before))
        .order_by_asc(orders::Column::SubmittedAt)
        .limit(limit + 1)
        .into_tuple()
        .all(store.reader())
        .await?;
    let placed: Vec<Uuid> = channel_order::Entity::find()
        .filter(channel_order::Column::ChannelId.eq(channel.id.0))
        .filter(channel_order::Column::PlacedAt.gte(from))
        .filter(channel_order::Column::PlacedAt.lt(before))
        .order_by_asc(channel_order::Column::PlacedAt)
        .limit(limit + 1)
        .select_only()
        .column(channel_order::Column::OrderId)
        .into_tuple()
        .all(store.reader())
        .await?;
    if ids.len() as u64 > limit || placed.len() as u64 > limit {
        return Ok(None);
    }
    ids.extend(placed);
    if !references.is_empty() {
        let named: Vec<Uuid> = own()
            .filter(orders::Column::Channel.eq(channel.channel.code()))
            .filter(among(orders::Column::ExternalReference, references.to_vec()))
            .into_tuple()
            .all(store.reader())
            .await?;
        ids.extend(named);
    }
    ids.sort_unstable();
    ids.dedup();
    let found: Vec<Order> = load_many(store.reader(), &ids, false).await?;
    let told = of_orders(store, &found.iter().map(|order| order.id).collect::<Vec<_>>()).await?;
    let mut told: HashMap<OrderId, ChannelOrder> = told.into_iter().map(|one| (one.order_id, one)).collect();
    Ok(Some(
        found.into_iter().map(|order| (told.remove(&order.id), order)).map(|(told, order)| (order, told)).collect(),
    ))
}
