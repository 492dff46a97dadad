//! The event log: an order's history at once after its commit, the common feed by position.

use super::{Keyset, Page};
use crate::app::{Failure, Session};
use crate::domain::ids::OrderId;
use crate::feed::{Cursor, CursorError};
use crate::store::event;

pub use crate::store::event::{Event, EventFilter};

/// Events after a place in the log, and where to go on.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Everything up to it is known now.
    pub cursor: Cursor,
    /// Are there more already?
    pub has_more: bool,
}

/// Why events could not be read.
#[derive(Debug)]
pub enum FeedFailure {
    /// The cursor cannot be resumed from.
    Cursor(CursorError),
    /// Anything else.
    Other(Failure),
}

impl From<CursorError> for FeedFailure {
    fn from(error: CursorError) -> Self {
        Self::Cursor(error)
    }
}

impl<E: Into<Failure>> From<E> for FeedFailure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// The newest place in the log: read the state first, then follow from here.
pub fn newest(session: &Session) -> Result<Cursor, Failure> {
    session.may_read("eventCursor")?;
    Ok(at(session, session.app.feed().tip()))
}

/// The place in this log with this position.
pub fn at(session: &Session, position: i64) -> Cursor {
    Cursor { epoch: session.app.feed().epoch().to_owned(), position }
}

/// Events after a cursor, or from the beginning.
pub async fn after(
    session: &Session,
    filter: &EventFilter,
    after: Option<&str>,
    limit: u64,
) -> Result<Batch, FeedFailure> {
    session.may_read("events")?;
    let feed = session.app.feed();
    let tip = feed.tip();
    let start = match after {
        None => 0,
        Some(text) => Cursor::decode(text)?.resume(feed.epoch(), tip)?,
    };
    let (store, actor) = (session.app.store(), &session.actor);
    // One event more than asked for tells whether there are more.
    let mut events = event::after(store, actor, filter, start, tip, limit + 1).await?;
    let has_more = u64::try_from(events.len()).unwrap_or(u64::MAX) > limit;
    if has_more {
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    // Without more, everything up to the tip was looked at, whether or not it was for the caller.
    let position = match events.last().and_then(|last| last.position) {
        Some(last) if has_more => last,
        _ => tip,
    };
    Ok(Batch { events, cursor: at(session, position), has_more })
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
