//! The event log: an order's history at once after its commit, the common feed by position.

use std::sync::Arc;

use super::subscription::{Interest, StreamFailure, piece, resume};
use super::{Keyset, Page};
use crate::app::{Failure, Session};
use crate::domain::ids::OrderId;
use crate::store::event;

pub use crate::store::event::{Event, EventFilter};

/// Events after a place in the log, and where to go on.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The events, oldest first.
    pub events: Vec<Arc<Event>>,
    /// Everything up to it is known now.
    pub cursor: String,
    /// Are there more already?
    pub has_more: bool,
}

/// The newest place in the log as this request began, before it read anything: follow from here, and
/// nothing between what it read and what follows is missed.
pub fn newest(session: &Session) -> Result<String, Failure> {
    session.may_read("eventCursor")?;
    Ok(at(session, session.began_at))
}

/// The place in this log with this position.
pub fn at(session: &Session, position: i64) -> String {
    session.app.feed().cursor(position, &session.visibility)
}

/// Events after a cursor, or from the beginning: what a subscription with this cursor would be sent.
pub async fn after(
    session: &Session,
    filter: &EventFilter,
    after: Option<&str>,
    limit: u64,
) -> Result<Batch, StreamFailure> {
    session.may_read("events")?;
    let feed = session.app.feed();
    let tip = feed.tip();
    let mut start = match after {
        None => 0,
        Some(text) => resume(session, text).await?,
    };
    let interest = Interest { filter: filter.clone(), conflates: false };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    loop {
        let found = piece(feed, &session.actor, &interest, start, tip.max(start), limit).await?;
        let has_more = found.reached < tip;
        // Without events the caller would have to ask again for nothing.
        if !has_more || !found.events.is_empty() {
            return Ok(Batch { events: found.events, cursor: at(session, found.reached), has_more });
        }
        start = found.reached;
    }
}

/// Events by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[i64]) -> Result<Vec<Event>, Failure> {
    if session.may_read("events").is_err() {
        return Ok(Vec::new());
    }
    Ok(event::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// A page of the history of an order that was found visible before, oldest first.
pub async fn timeline(session: &Session, order: OrderId, keyset: Keyset) -> Result<Page<Event>, Failure> {
    Ok(event::timeline(session.app.store(), &session.actor, order, keyset).await?)
}

/// How many events the history of an order has for the caller.
pub async fn count_timeline(session: &Session, order: OrderId) -> Result<u64, Failure> {
    Ok(event::count_timeline(session.app.store(), &session.actor, order).await?)
}
