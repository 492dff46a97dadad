//! Whom the events of a transaction concern, as it leaves the orders.

use std::collections::{BTreeSet, HashMap};

use entity::{allocation, orders};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::error::Result;
use super::parts::Share;
use super::row::among;
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::event::{AggregateKind, Event};
use crate::domain::ids::{OrderId, UnitId};
use crate::domain::order::Order;

/// What a unit of work has seen of the parties of orders.
#[derive(Default)]
pub struct Parties {
    orders: HashMap<OrderId, Owner>,
    /// Shares as they were loaded or saved last: of which order, whose, and whether they have not ended.
    /// Of an order in `orders` these are all that are open.
    shares: HashMap<Uuid, (OrderId, UnitId, bool)>,
}

/// Whose an order is; that never changes.
struct Owner {
    customer: Uuid,
    account: Option<String>,
}

impl Parties {
    /// An order that is locked or new, so that all shares in it are known.
    pub(super) fn order(&mut self, order: &Order) {
        let owner = || Owner { customer: order.customer_id.0, account: order.account.clone() };
        self.orders.entry(order.id).or_insert_with(owner);
    }

    /// A share that has not ended, as it was read.
    pub(super) fn open_share(&mut self, share: &Share) {
        self.shares.entry(share.id).or_insert((share.order_id, share.unit_id, true));
    }

    /// An allocation that was loaded or saved.
    pub(super) fn share(&mut self, share: &Allocation) {
        let is_open = !AllocationStatus::ENDED.contains(&share.status);
        self.shares.insert(share.id.0, (share.order_id, share.unit_id, is_open));
    }
}

/// Gives the events of orders their customer, account and audience: the units that have a share in
/// the order now, and those whose share this transaction changed. What the unit of work has in its hands
/// is not asked for, and may not be written yet.
pub(super) async fn fill_in(tx: &DatabaseTransaction, events: &mut [Event], known: &Parties) -> Result<()> {
    let mut units: HashMap<OrderId, BTreeSet<UnitId>> = HashMap::new();
    for event in events.iter() {
        if let Some(order) = event.order_id {
            let entry = units.entry(order).or_default();
            if event.aggregate_kind == AggregateKind::Allocation {
                entry.extend(event.unit_id);
            }
        }
    }
    let strangers: Vec<Uuid> = units.keys().filter(|id| !known.orders.contains_key(*id)).map(|id| id.0).collect();
    let owners = owners(tx, strangers.clone()).await?;
    let others = shares(tx, strangers).await?.into_iter().filter(|(share, ..)| !known.shares.contains_key(share));
    let own = known.shares.values().filter(|(.., is_open)| *is_open).map(|(order, unit, _)| (*order, *unit));
    for (order, unit) in others.map(|(_, order, unit)| (order, unit)).chain(own) {
        if let Some(units) = units.get_mut(&order) {
            units.insert(unit);
        }
    }
    for event in events {
        let Some(order) = event.order_id else { continue };
        if let Some(owner) = known.orders.get(&order).or_else(|| owners.get(&order)) {
            event.customer_id = Some(owner.customer.into());
            event.account.clone_from(&owner.account);
        }
        event.audience = units.get(&order).map(|units| units.iter().copied().collect()).unwrap_or_default();
    }
    Ok(())
}

async fn owners(tx: &DatabaseTransaction, ids: Vec<Uuid>) -> Result<HashMap<OrderId, Owner>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(Uuid, Uuid, Option<String>)> = orders::Entity::find()
        .filter(among(orders::Column::Id, ids))
        .select_only()
        .columns([orders::Column::Id, orders::Column::CustomerId, orders::Column::Account])
        .into_tuple()
        .all(tx)
        .await?;
    let owner = |(id, customer, account)| (OrderId(id), Owner { customer, account });
    Ok(found.into_iter().map(owner).collect())
}

/// The open shares in orders. Under the orders' locks nobody but this transaction changes them.
async fn shares(tx: &DatabaseTransaction, orders: Vec<Uuid>) -> Result<Vec<(Uuid, OrderId, UnitId)>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let ended = AllocationStatus::ENDED.iter().map(|status| status.code());
    let found: Vec<(Uuid, Uuid, Uuid)> = allocation::Entity::find()
        .filter(among(allocation::Column::OrderId, orders))
        .filter(allocation::Column::Status.is_not_in(ended))
        .select_only()
        .columns([allocation::Column::Id, allocation::Column::OrderId, allocation::Column::UnitId])
        .into_tuple()
        .all(tx)
        .await?;
    Ok(found.into_iter().map(|(id, order, unit)| (id, order.into(), unit.into())).collect())
}
