//! Whom the events of a transaction concern, as it leaves the orders.

use std::collections::{BTreeSet, HashMap};

use entity::{allocation, orders};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::error::Result;
use super::row::among;
use crate::domain::allocation::AllocationStatus;
use crate::domain::event::{AggregateKind, Event};
use crate::domain::ids::{OrderId, UnitId};

/// The parties of one order.
#[derive(Default)]
struct Parties {
    customer: Option<Uuid>,
    account: Option<String>,
    units: BTreeSet<UnitId>,
}

/// Gives the events of orders their customer, account and audience: the units that have a share in
/// the order now, and those whose share this transaction changed.
pub(super) async fn fill_in(tx: &DatabaseTransaction, events: &mut [Event]) -> Result<()> {
    let mut parties: HashMap<OrderId, Parties> = HashMap::new();
    for event in events.iter() {
        if let Some(order) = event.order_id {
            let entry = parties.entry(order).or_default();
            if event.aggregate_kind == AggregateKind::Allocation {
                entry.units.extend(event.unit_id);
            }
        }
    }
    if parties.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = parties.keys().map(|id| id.0).collect();
    let of_orders: Vec<(Uuid, Uuid, Option<String>)> = orders::Entity::find()
        .filter(among(orders::Column::Id, ids.clone()))
        .select_only()
        .columns([orders::Column::Id, orders::Column::CustomerId, orders::Column::Account])
        .into_tuple()
        .all(tx)
        .await?;
    for (order, customer, account) in of_orders {
        let entry = parties.entry(order.into()).or_default();
        entry.customer = Some(customer);
        entry.account = account;
    }
    let ended = AllocationStatus::ENDED.iter().map(|status| status.code());
    let shares: Vec<(Uuid, Uuid)> = allocation::Entity::find()
        .filter(among(allocation::Column::OrderId, ids))
        .filter(allocation::Column::Status.is_not_in(ended))
        .select_only()
        .columns([allocation::Column::OrderId, allocation::Column::UnitId])
        .into_tuple()
        .all(tx)
        .await?;
    for (order, unit) in shares {
        parties.entry(order.into()).or_default().units.insert(unit.into());
    }
    for event in events {
        let Some(found) = event.order_id.and_then(|order| parties.get(&order)) else { continue };
        event.customer_id = found.customer.map(Into::into);
        event.account.clone_from(&found.account);
        event.audience = found.units.iter().copied().collect();
    }
    Ok(())
}
