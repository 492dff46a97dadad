//! Orders.

use super::readable;
use crate::app::{Failure, Session};
use crate::domain::ids::OrderId;
use crate::domain::order::Order;
use crate::store::{delivery, order};

pub use crate::store::delivery::SettlementRecord;
pub use crate::store::order::{OrderFilter, OrderKey, OrderSortField};

/// How many orders the filter leaves.
pub async fn count(session: &Session, filter: &OrderFilter) -> Result<u64, Failure> {
    session.may_read("orders")?;
    Ok(order::count(session.app.store(), &session.actor, filter).await?)
}

/// Orders by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[OrderId]) -> Result<Vec<Order>, Failure> {
    if !readable(session, "order") {
        return Ok(Vec::new());
    }
    Ok(order::visible(session.app.store(), &session.actor, ids).await?)
}

/// The settlement records of orders that were found visible before.
pub async fn settlement(session: &Session, orders: &[OrderId]) -> Result<Vec<SettlementRecord>, Failure> {
    Ok(delivery::settlement(session.app.store(), orders).await?)
}
