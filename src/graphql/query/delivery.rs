//! Deliveries.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::delivery::DeliveryStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::types::delivery::DeliveryConnection;
use crate::graphql::write::Tree;

/// What deliveries are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct DeliveryFilter {
    /// In one of these states.
    statuses: Option<Vec<DeliveryStatus>>,
    /// Of this order, by id.
    order_id: Option<ID>,
}

impl DeliveryFilter {
    fn read(self) -> Result<read::delivery::DeliveryFilter, Failure> {
        Ok(read::delivery::DeliveryFilter {
            status: self.statuses,
            order: ids::parse_optional(self.order_id.as_ref())?,
        })
    }
}

/// Deliveries.
#[derive(Default)]
pub struct DeliveryQuery;

/// Deliveries.
#[Object]
impl DeliveryQuery {
    /// The deliveries that exist for the caller, newest first (R7).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("deliveries"), limit("deliveries"))
    )]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<DeliveryFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<DeliveryConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::delivery::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::delivery::count(&session, &filter).await }) as _
        });
        Ok(Tree(DeliveryConnection(Slice::new(page, Into::into, total))))
    }
}
