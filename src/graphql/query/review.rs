//! The queue of reviews.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result};

use crate::app::read;
use crate::app::read::review::ReviewQueueOrder;
use crate::domain::order::OrderStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::review::ReviewQueueConnection;
use crate::graphql::write::Tree;

/// What the queue of reviews is narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ReviewQueueFilter {
    /// The caller is at work on it, or is not.
    mine: Option<bool>,
    /// Somebody is at work on it, or nobody is.
    taken: Option<bool>,
    /// The person with this subject is at work on it.
    owner: Option<String>,
    /// It has waited since before this moment.
    waiting_before: Option<DateTime>,
    /// It waits for this level of approval: 1, 2, 3, …
    awaited_level: Option<i32>,
    /// The order's amount, in its own currency, is at least this.
    amount_from: Option<Decimal>,
    /// The order's amount, in its own currency, is at most this.
    amount_to: Option<Decimal>,
    /// The order is in one of these states.
    statuses: Option<Vec<OrderStatus>>,
}

/// Reviews.
#[derive(Default)]
pub struct ReviewQuery;

/// Reviews.
#[Object]
impl ReviewQuery {
    /// The orders that wait for a review, an answer or an approval, as far as they exist for the caller (R2.1);
    /// what has waited longest first unless sorted otherwise.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("reviewQueue"), limit("reviewQueue"))
    )]
    #[expect(clippy::too_many_arguments, reason = "four of them are what every list takes")]
    async fn review_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the queue is narrowed by.")] filter: Option<ReviewQueueFilter>,
        #[graphql(desc = "What comes first; what has waited longest, when absent.")] sort: Option<ReviewQueueOrder>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ReviewQueueConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default();
        let filter = read::review::QueueFilter {
            is_own: filter.mine,
            is_taken: filter.taken,
            owner: filter.owner,
            waiting_before: filter.waiting_before.map(|moment| moment.0),
            awaited_level: filter.awaited_level,
            amount_from: filter.amount_from.map(|amount| amount.0),
            amount_to: filter.amount_to.map(|amount| amount.0),
            status: filter.statuses,
        };
        let page = read::review::queue(session, &filter, sort.unwrap_or(ReviewQueueOrder::Oldest), keyset)
            .await
            .answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::review::count_queue(&session, &filter).await }) as _
        });
        Ok(Tree(ReviewQueueConnection(Slice::new(page, Into::into, total))))
    }
}
