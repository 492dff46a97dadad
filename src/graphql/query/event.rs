//! The feed of events.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::Failure;
use crate::app::read;
use crate::app::read::subscription::StreamFailure;
use crate::domain::event::{AggregateKind, EventKind};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{DEFAULT_PAGE, LARGEST_PAGE, page_cost};
use crate::graphql::context::{Answer, coded, failure, session};
use crate::graphql::ids;
use crate::graphql::types::event::EventFeed;
use crate::graphql::write::Tree;

/// What events are narrowed by. Everything given must hold.
#[derive(Clone, Default, InputObject)]
pub struct EventFilter {
    /// Of this order and what belongs to it, by id.
    order_id: Option<ID>,
    /// Of these kinds.
    kinds: Option<Vec<EventKind>>,
    /// Of these kinds of things.
    aggregate_kinds: Option<Vec<AggregateKind>>,
    /// Concerning one of these units, by id.
    unit_ids: Option<Vec<ID>>,
}

impl EventFilter {
    /// The filter as the application takes it.
    pub fn read(self) -> Result<read::event::EventFilter, Failure> {
        Ok(read::event::EventFilter {
            order: ids::parse_optional(self.order_id.as_ref())?,
            kinds: self.kinds,
            aggregates: self.aggregate_kinds,
            ids: None,
            ticket: None,
            units: ids::parse_all(self.unit_ids)?,
        })
    }
}

/// A failure of the feed as a top-level error; a cursor's fault has a code of its own.
pub fn feed_failure(ctx: &Context<'_>, error: &StreamFailure) -> async_graphql::Error {
    match error {
        StreamFailure::Cursor(error) => coded(error.to_string(), error.code()),
        StreamFailure::Request(other) => failure(ctx, other),
    }
}

/// The feed of events.
#[derive(Default)]
pub struct EventQuery;

/// The feed of events.
#[Object]
impl EventQuery {
    /// The newest place in the feed of events. Ask for it together with the state you begin with, then
    /// pass it as `after` to `events` or a subscription: nothing is missed and nothing comes twice.
    #[graphql(directive = access::apply(roles("eventCursor"), limit("eventCursor")))]
    async fn event_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        read::event::newest(session(ctx)?).answer(ctx)
    }

    /// The feed of events that exist for the caller, oldest first. Errors about `after` have the code
    /// CURSOR_INVALID, CURSOR_EPOCH or CURSOR_AHEAD.
    #[graphql(
        complexity = "page_cost(first, None, child_complexity)",
        directive = access::apply(roles("events"), limit("events"))
    )]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the feed is narrowed by.")] filter: Option<EventFilter>,
        #[graphql(desc = "Only events after this cursor; from the beginning when absent.")] after: Option<String>,
        #[graphql(desc = "At most so many events: 1 to 100, 20 when absent.")] first: Option<i32>,
    ) -> Result<Tree<EventFeed>> {
        let session = session(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let size = first.unwrap_or(DEFAULT_PAGE);
        if !(1..=LARGEST_PAGE).contains(&size) {
            let message = format!("first is a number from 1 to {LARGEST_PAGE}.");
            return Err(failure(ctx, &Failure::BadInput(message)));
        }
        let size = u64::from(size.unsigned_abs());
        match read::event::after(session, &filter, after.as_deref(), size).await {
            Ok(batch) => Ok(Tree(batch.into())),
            Err(error) => Err(feed_failure(ctx, &error)),
        }
    }
}
