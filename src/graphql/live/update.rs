//! Between the hub and the resolvers of subscriptions. A resolver is called for one of two reasons:
//! to say what is to be followed, or to dress what was found.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, Result};
use futures::stream::{self, Stream};

use crate::app::read::event::Event;
use crate::app::read::subscription::Interest;
use crate::domain::event::EventFilter;
use crate::graphql::context::{Answer, loaders};

/// Something a subscriber is told, before it is asked for fields.
#[derive(Clone, Debug)]
pub struct Update {
    /// Where to go on behind it.
    pub cursor: Arc<str>,
    /// What happened; nothing in a snapshot.
    pub event: Option<Arc<Event>>,
    /// Its place in the log.
    pub position: i64,
    /// How many older events of the same thing it stands for, too.
    pub skipped: usize,
}

/// What a subscription follows, and where it begins.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which events.
    pub interest: Interest,
    /// The cursor to go on behind; from now on without one.
    pub after: Option<String>,
    /// Begin with the state as it is, unless there is a cursor.
    pub snapshot: bool,
}

impl Opening {
    /// Every event that a filter looks for.
    pub fn of(filter: EventFilter, after: Option<String>) -> Self {
        Self { interest: Interest { filter, conflates: false }, after, snapshot: false }
    }

    /// The same with a snapshot first, if it is wanted.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: bool) -> Self {
        self.snapshot = snapshot;
        self
    }

    /// The same, but of several events of one thing only the newest is told.
    #[must_use]
    pub fn conflating(mut self) -> Self {
        self.interest.conflates = true;
        self
    }
}

/// Where a resolver leaves what is to be followed. Clones share it.
#[derive(Clone, Default)]
pub struct Admission(Arc<Mutex<Option<Opening>>>);

impl Admission {
    pub(super) fn take(&self) -> Option<Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a resolver is to dress.
pub(super) struct Batch(pub(super) Vec<Update>);

/// What the resolver of a subscription returns: the updates it is to dress, or none while it only
/// says what is to be followed.
pub fn updates(ctx: &Context<'_>, opening: Opening) -> impl Stream<Item = Update> + use<> {
    if let Some(admission) = ctx.data_opt::<Admission>() {
        *admission.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(opening);
    }
    stream::iter(ctx.data_opt::<Batch>().map(|batch| batch.0.clone()).unwrap_or_default())
}

/// Is the resolver called to say what is to be followed?
pub fn is_admission(ctx: &Context<'_>) -> bool {
    ctx.data_opt::<Admission>().is_some()
}

/// Reads the orders of all updates in one go, if they are asked for.
pub async fn warm_orders(ctx: &Context<'_>) -> Result<()> {
    let Some(Batch(updates)) = ctx.data_opt::<Batch>() else { return Ok(()) };
    if updates.len() > 1 && ctx.look_ahead().field("order").exists() {
        let orders = updates.iter().filter_map(|update| update.event.as_ref()?.order_id);
        loaders(ctx)?.warm(orders).await.answer(ctx)?;
    }
    Ok(())
}
