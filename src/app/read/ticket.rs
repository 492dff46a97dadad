//! After-sales tickets.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::{OrderId, TicketId};
use crate::domain::ticket::Ticket;
use crate::store::ticket;

pub use crate::store::ticket::TicketFilter;

/// A page of tickets.
pub async fn list(session: &Session, filter: &TicketFilter, keyset: Keyset) -> Result<Page<Ticket>, Failure> {
    session.may_read("tickets")?;
    Ok(ticket::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many tickets the filter leaves.
pub async fn count(session: &Session, filter: &TicketFilter) -> Result<u64, Failure> {
    session.may_read("tickets")?;
    Ok(ticket::count(session.app.store(), &session.actor, filter).await?)
}

/// Tickets by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[TicketId]) -> Result<Vec<Ticket>, Failure> {
    if !readable(session, "tickets") {
        return Ok(Vec::new());
    }
    Ok(ticket::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// The tickets of orders, as far as they exist for the caller; none for roles that read no tickets.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<Ticket>, Failure> {
    if !readable(session, "tickets") {
        return Ok(Vec::new());
    }
    Ok(ticket::of_orders(session.app.store(), &session.actor, orders).await?)
}
