//! What can be followed: which events, from where, and what of them is already behind.

use std::sync::Arc;

use crate::app::{Failure, Session};
use crate::domain::actor::Actor;
use crate::domain::event::{Event, EventFilter};
use crate::feed::{CursorError, Feed, Topic};
use crate::store::log;

/// Events read from the log at a time.
const BATCH: u64 = 500;
/// Batches read for one call: whoever looks for little in much of the log gets an intermediate answer.
const BATCHES: usize = 10;

/// What somebody follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Which events.
    pub filter: EventFilter,
    /// Of several events of one thing only the newest matters, since what is told is its state.
    pub conflates: bool,
}

impl Interest {
    /// The topics under which it is heard of.
    pub fn topics(&self, actor: &Actor) -> Vec<Topic> {
        Topic::of(&self.filter, &actor.scope)
    }

    /// Is the event one of those, and does it exist for the actor?
    pub fn wants(&self, event: &Event, actor: &Actor) -> bool {
        self.filter.matches(event) && event.exists_for(actor)
    }
}

/// A piece of the log.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The events looked for, oldest first.
    pub events: Vec<Arc<Event>>,
    /// Everything up to here was looked at.
    pub reached: i64,
}

/// Why a stream cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum StreamFailure {
    /// The cursor cannot be resumed from.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The request fails.
    #[error(transparent)]
    Request(#[from] Failure),
}

/// The position a cursor of the caller stands for.
pub async fn resume(session: &Session, cursor: &str) -> Result<i64, StreamFailure> {
    let feed = session.app.feed();
    if feed.conduct().trust_any_cursor {
        return Ok(cursor.parse().unwrap_or(0));
    }
    Ok(feed.resume(cursor, &session.visibility).await.map_err(Failure::from)??)
}

/// Events that are looked for after a position and up to another, at most `limit`, as far as they
/// exist for the actor. From memory if they are recent enough.
pub async fn piece(
    feed: &Feed,
    actor: &Actor,
    interest: &Interest,
    after: i64,
    upto: i64,
    limit: usize,
) -> Result<Piece, Failure> {
    if let Some(recent) = feed.recent(after, upto) {
        return Ok(cut(recent, actor, interest, upto, limit));
    }
    let mut piece = Piece { events: Vec::new(), reached: after };
    for _ in 0..BATCHES {
        let found = log::matching(feed.store(), &interest.filter, piece.reached, upto, BATCH).await?;
        let last = found.last().and_then(|event| event.position);
        // A full batch may have been cut off.
        let looked_at = if found.len() as u64 == BATCH { last.unwrap_or(upto) } else { upto };
        let rest = limit - piece.events.len();
        let more = cut(found.into_iter().map(Arc::new).collect(), actor, interest, looked_at, rest);
        piece.events.extend(more.events);
        piece.reached = more.reached;
        if piece.events.len() == limit || piece.reached == upto {
            break;
        }
    }
    Ok(piece)
}

fn cut(found: Vec<Arc<Event>>, actor: &Actor, interest: &Interest, upto: i64, limit: usize) -> Piece {
    let mut wanted = found.into_iter().filter(|event| interest.wants(event, actor));
    let events: Vec<Arc<Event>> = wanted.by_ref().take(limit).collect();
    let reached = match (wanted.next(), events.last().and_then(|event| event.position)) {
        (Some(_), Some(last)) => last,
        _ => upto,
    };
    Piece { events, reached }
}
