//! Channels, what they delivered, and what they tell of orders.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::channel::SalesChannel;
use crate::domain::channel::delivery::ChannelDelivery;
use crate::domain::channel::order::ChannelOrder;
use crate::domain::channel::reconcile::{Listed, Ours, Reconciliation, reconcile};
use crate::domain::ids::{ChannelDeliveryId, OrderId, SalesChannelId};
use crate::store::channel;

pub use crate::store::channel::{DeliveryFilter, Health};

/// Entries a list to compare with may have.
pub const MOST_LISTED: usize = 500;
/// Orders of the group that are compared at most.
const MOST_COMPARED: u64 = 2_000;

/// A page of channels.
pub async fn list(session: &Session, keyset: Keyset) -> Result<Page<SalesChannel>, Failure> {
    session.may_read("salesChannels")?;
    Ok(channel::list(session.app.store(), &session.actor, keyset).await?)
}

/// How many channels there are.
pub async fn count(session: &Session) -> Result<u64, Failure> {
    session.may_read("salesChannels")?;
    Ok(channel::count(session.app.store(), &session.actor).await?)
}

/// Channels by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[SalesChannelId]) -> Result<Vec<SalesChannel>, Failure> {
    if !readable(session, "salesChannels") {
        return Ok(Vec::new());
    }
    Ok(channel::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// How a channel does that was found visible before.
pub async fn health(session: &Session, id: SalesChannelId) -> Result<Health, Failure> {
    Ok(channel::health(session.app.store(), id).await?)
}

/// A page of deliveries.
pub async fn deliveries(
    session: &Session,
    filter: &DeliveryFilter,
    keyset: Keyset,
) -> Result<Page<ChannelDelivery>, Failure> {
    session.may_read("channelDeliveries")?;
    Ok(channel::deliveries(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many deliveries the filter leaves.
pub async fn count_deliveries(session: &Session, filter: &DeliveryFilter) -> Result<u64, Failure> {
    session.may_read("channelDeliveries")?;
    Ok(channel::count_deliveries(session.app.store(), &session.actor, filter).await?)
}

/// Deliveries by id, as far as they exist for the caller.
pub async fn deliveries_by_ids(session: &Session, ids: &[ChannelDeliveryId]) -> Result<Vec<ChannelDelivery>, Failure> {
    if !readable(session, "channelDeliveries") {
        return Ok(Vec::new());
    }
    Ok(channel::deliveries_by_ids(session.app.store(), &session.actor, ids).await?)
}

/// The body of a delivery that was found visible before, unless an operator has removed it; what is no UTF-8
/// in it is replaced.
pub async fn body(session: &Session, id: ChannelDeliveryId) -> Result<Option<String>, Failure> {
    let body = channel::body_of(session.app.store().reader(), id).await?;
    Ok(body.map(|body| String::from_utf8_lossy(&body).into_owned()))
}

/// What channels tell of orders that were found visible before.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<ChannelOrder>, Failure> {
    Ok(channel::of_orders(session.app.store(), orders).await?)
}

/// Compares a channel's own list of the orders that were placed between two moments with those that are here.
pub async fn compare(
    session: &Session,
    id: SalesChannelId,
    (from, before): (DateTime<Utc>, DateTime<Utc>),
    listed: &[Listed],
) -> Result<Reconciliation, Failure> {
    session.may_read("reconcileChannel")?;
    if listed.len() > MOST_LISTED {
        return Err(Failure::BadInput(format!("List at most {MOST_LISTED} orders at once.")));
    }
    let store = session.app.store();
    let found = channel::by_ids(store, &session.actor, &[id]).await?;
    let found = found.first().ok_or(Failure::NotFound)?;
    let references: BTreeSet<String> = listed.iter().map(|one| one.reference.clone()).collect();
    let references: Vec<String> = references.into_iter().collect();
    let here = channel::placed_between(store, found, (from, before), &references, MOST_COMPARED).await?;
    let Some(here) = here else {
        let message = format!("More than {MOST_COMPARED} orders lie between these moments; ask for less at once.");
        return Err(Failure::BadInput(message));
    };
    let ours: Vec<Ours> = here
        .into_iter()
        .map(|(order, told)| {
            let placed = told.as_ref().and_then(|told| told.placed_at).unwrap_or(order.submitted_at);
            Ours { in_window: from <= placed && placed < before, order, told }
        })
        .collect();
    Ok(reconcile(listed, &ours))
}
