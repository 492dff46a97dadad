//! Allocations.

mod rules;
mod simulation;

pub use simulation::SimulationQuery;

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::allocation::AllocationStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::types::allocation::{AllocationConnection, UnallocatableOrderConnection};
use crate::graphql::write::Tree;

/// What allocations are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct AllocationFilter {
    /// In one of these states.
    statuses: Option<Vec<AllocationStatus>>,
    /// Of one of these executing units, by id.
    unit_ids: Option<Vec<ID>>,
    /// Of this order, by id.
    order_id: Option<ID>,
    /// With a unit that did not answer in time, or the others.
    escalated: Option<bool>,
}

impl AllocationFilter {
    fn read(self) -> Result<read::allocation::AllocationFilter, Failure> {
        Ok(read::allocation::AllocationFilter {
            status: self.statuses,
            units: ids::parse_all(self.unit_ids)?,
            order: ids::parse_optional(self.order_id.as_ref())?,
            escalated: self.escalated,
        })
    }
}

/// Allocations.
#[derive(Default)]
pub struct AllocationQuery;

/// Allocations.
#[Object]
impl AllocationQuery {
    /// The shares of executing units that exist for the caller, newest first (R3).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("allocations"), limit("allocations"))
    )]
    async fn allocations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<AllocationFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<AllocationConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::allocation::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::allocation::count(&session, &filter).await }) as _
        });
        Ok(Tree(AllocationConnection(Slice::new(page, Into::into, total))))
    }

    /// The orders in the caller's scope for which no unit was found, in whole or in part, those that have
    /// waited longest first (R3.1). An order leaves the list when it is allocated or cancelled.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("unallocatableOrders"), limit("unallocatableOrders"))
    )]
    async fn unallocatable_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<UnallocatableOrderConnection>> {
        let session = session(ctx)?;
        let keyset = Paging { first, after, last, before }.keyset().answer(ctx)?;
        let page = read::allocation::unallocatable(session, keyset).await.answer(ctx)?;
        let counting = session.clone();
        let total = Arc::new(move || {
            let session = counting.clone();
            Box::pin(async move { read::allocation::count_unallocatable(&session).await }) as _
        });
        Ok(Tree(UnallocatableOrderConnection(Slice::new(page, Into::into, total))))
    }
}
