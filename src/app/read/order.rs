//! Orders.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::OrderId;
use crate::domain::intake::Channel;
use crate::domain::order::Order;
use crate::store::{delivery, order};

pub use crate::store::delivery::SettlementRecord;
pub use crate::store::order::{OrderFilter, OrderSortField};

/// The ways to name an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// By its identity.
    Id(OrderId),
    /// By the number people use.
    Number(String),
    /// By the submitter's own number on a channel.
    ExternalReference {
        /// The channel.
        channel: Channel,
        /// The submitter's number.
        reference: String,
    },
}

/// One order, if it exists for the caller.
pub async fn one(session: &Session, key: &OrderKey) -> Result<Option<Order>, Failure> {
    session.may_read("order")?;
    let (store, actor) = (session.app.store(), &session.actor);
    Ok(match key {
        OrderKey::Id(id) => order::visible(store, actor, &[*id]).await?.pop(),
        OrderKey::Number(number) => order::by_number(store, actor, number).await?,
        OrderKey::ExternalReference { channel, reference } => {
            order::by_external_reference(store, actor, *channel, reference).await?
        }
    })
}

/// A page of orders.
pub async fn list(
    session: &Session,
    filter: &OrderFilter,
    sort: (OrderSortField, bool),
    keyset: Keyset,
) -> Result<Page<Order>, Failure> {
    session.may_read("orders")?;
    Ok(order::list(session.app.store(), &session.actor, filter, sort, keyset).await?)
}

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
