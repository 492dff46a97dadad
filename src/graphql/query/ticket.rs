//! After-sales tickets.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::ticket::{TicketStatus, TicketType};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::types::ticket::TicketConnection;
use crate::graphql::write::Tree;

/// What tickets are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct TicketFilter {
    /// In one of these states.
    statuses: Option<Vec<TicketStatus>>,
    /// Of one of these types.
    types: Option<Vec<TicketType>>,
    /// About this order, by id.
    order_id: Option<ID>,
    /// Handled by one of these teams, by the units' ids.
    team_ids: Option<Vec<ID>>,
}

impl TicketFilter {
    fn read(self) -> Result<read::ticket::TicketFilter, Failure> {
        Ok(read::ticket::TicketFilter {
            status: self.statuses,
            ticket_type: self.types,
            order: ids::parse_optional(self.order_id.as_ref())?,
            teams: ids::parse_all(self.team_ids)?,
        })
    }
}

/// After-sales tickets.
#[derive(Default)]
pub struct TicketQuery;

/// After-sales tickets.
#[Object]
impl TicketQuery {
    /// The after-sales tickets that exist for the caller, newest first (R9).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("tickets"), limit("tickets"))
    )]
    async fn tickets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<TicketFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<TicketConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::ticket::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::ticket::count(&session, &filter).await }) as _
        });
        Ok(Tree(TicketConnection(Slice::new(page, Into::into, total))))
    }
}
