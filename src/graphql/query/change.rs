//! Changes of orders that are negotiated, and what could be offered on a shortage.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::change::OrderChangeStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::types::change::{OrderChangeConnection, OrderShortage};
use crate::graphql::write::Tree;

/// What changes of orders are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct OrderChangeFilter {
    /// In one of these states.
    statuses: Option<Vec<OrderChangeStatus>>,
    /// Of this order, by id.
    order_id: Option<ID>,
}

impl OrderChangeFilter {
    fn read(self) -> Result<read::change::ChangeFilter, Failure> {
        Ok(read::change::ChangeFilter { status: self.statuses, order: ids::parse_optional(self.order_id.as_ref())? })
    }
}

/// Changes of orders that are negotiated.
#[derive(Default)]
pub struct ChangeQuery;

/// Changes of orders that are negotiated.
#[Object]
impl ChangeQuery {
    /// The changes of orders that are or were negotiated, newest first, as far as the orders exist for the
    /// caller (R4.3).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("orderChanges"), limit("orderChanges"))
    )]
    async fn order_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<OrderChangeFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<OrderChangeConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::change::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::change::count(&session, &filter).await }) as _
        });
        Ok(Tree(OrderChangeConnection(Slice::new(page, Into::into, total))))
    }

    /// What is missing of an order, and what could be offered to the customer about it: for each kind of
    /// change whether it is possible, with quantities, dates and money, or why not (R4.3). Null when the
    /// order does not exist for the caller.
    #[graphql(directive = access::apply(roles("shortageOptions"), limit("shortageOptions")))]
    async fn shortage_options(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order, by id.")] order_id: ID,
    ) -> Result<Tree<Option<OrderShortage>>> {
        let id = ids::parse(&order_id).answer(ctx)?;
        let found = read::change::shortages(session(ctx)?, id).await.answer(ctx)?;
        Ok(Tree(found.map(|found| OrderShortage(Arc::new(found)))))
    }
}
