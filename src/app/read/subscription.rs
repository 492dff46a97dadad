//! Following the log: everything after a cursor, in order, once, until the caller leaves.

use async_stream::try_stream;
use futures::Stream;

use crate::app::{Failure, Session};
use crate::feed::{Cursor, CursorError};
use crate::store::event::{self, Event, EventFilter};

/// Events read from the log at a time.
const BATCH: u64 = 100;

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

/// Everything that exists for the caller after a cursor, or from now on.
///
/// The tip is watched before the log is read, and every event is read from the log: there is no
/// moment at which one could slip through or come twice.
pub fn follow(
    session: Session,
    filter: EventFilter,
    after: Option<String>,
) -> impl Stream<Item = Result<Event, StreamFailure>> + Send + 'static {
    try_stream! {
        let feed = session.app.feed().clone();
        let mut tip = feed.watch();
        let mut position = match after {
            Some(cursor) => start(&feed, &session, &cursor).await?,
            None => *tip.borrow_and_update(),
        };
        loop {
            let newest = *tip.borrow_and_update();
            while position < newest {
                let batch = read(&session, &filter, position, newest).await?;
                let full = u64::try_from(batch.len()).is_ok_and(|length| length == BATCH);
                for found in batch {
                    position = found.position.unwrap_or(position);
                    yield found;
                }
                if !full {
                    position = newest;
                }
            }
            // The sender lives as long as the process; a closed channel is the end of the stream.
            if tip.changed().await.is_err() {
                break;
            }
        }
    }
}

/// The position a cursor stands for. A client may know of an event of another node before this one
/// does: what seems to lie ahead is looked up once.
async fn start(feed: &crate::feed::Feed, session: &Session, cursor: &str) -> Result<i64, StreamFailure> {
    let cursor = Cursor::decode(cursor)?;
    match cursor.resume(feed.epoch(), feed.tip()) {
        Err(CursorError::Ahead) => {
            let newest = event::tip(session.app.store()).await.map_err(Failure::from)?;
            Ok(cursor.resume(feed.epoch(), newest)?)
        }
        outcome => Ok(outcome?),
    }
}

/// Reads in a task of its own: a caller who leaves while a connection is being taken from the pool
/// must not take it along.
async fn read(session: &Session, filter: &EventFilter, after: i64, upto: i64) -> Result<Vec<Event>, Failure> {
    let (session, filter) = (session.clone(), filter.clone());
    let task =
        tokio::spawn(
            async move { event::after(session.app.store(), &session.actor, &filter, after, upto, BATCH).await },
        );
    match task.await {
        Ok(outcome) => Ok(outcome?),
        Err(error) => Err(Failure::Internal(error.to_string())),
    }
}
