//! Deliveries and what carriers report of them.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{DeliveryId, OrderId};
use crate::store::delivery;

pub use crate::store::delivery::{DeliveryFilter, TrackingEvent};

/// A page of deliveries.
pub async fn list(session: &Session, filter: &DeliveryFilter, keyset: Keyset) -> Result<Page<Delivery>, Failure> {
    session.may_read("deliveries")?;
    Ok(delivery::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many deliveries the filter leaves.
pub async fn count(session: &Session, filter: &DeliveryFilter) -> Result<u64, Failure> {
    session.may_read("deliveries")?;
    Ok(delivery::count(session.app.store(), &session.actor, filter).await?)
}

/// Deliveries by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[DeliveryId]) -> Result<Vec<Delivery>, Failure> {
    if !readable(session, "deliveries") {
        return Ok(Vec::new());
    }
    Ok(delivery::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// The deliveries of orders, as far as they exist for the caller.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<Delivery>, Failure> {
    Ok(delivery::of_orders(session.app.store(), &session.actor, orders).await?)
}

/// What carriers reported of deliveries that were found visible before, oldest first.
pub async fn reports(session: &Session, deliveries: &[DeliveryId]) -> Result<Vec<TrackingEvent>, Failure> {
    Ok(delivery::reports(session.app.store(), deliveries).await?)
}
