//! Access that was taken away.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::text;
use crate::graphql::types::access::AccessRestrictionConnection;
use crate::graphql::write::Tree;

/// What restrictions of access are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct AccessRestrictionFilter {
    /// Those in force (true), or those that were lifted (false).
    in_force: Option<bool>,
    /// Of this stable subject of a token.
    subject: Option<String>,
}

impl AccessRestrictionFilter {
    fn read(self) -> Result<read::access::RestrictionFilter, Failure> {
        Ok(read::access::RestrictionFilter {
            subject: text::clean_optional("filter.subject", self.subject)?,
            in_force: self.in_force,
        })
    }
}

/// Access that was taken away.
#[derive(Default)]
pub struct AccessQuery;

/// Access that was taken away.
#[Object]
impl AccessQuery {
    /// Whose access was taken away, newest first, with what was given back since (R13.2). For
    /// administrators and supervisors of the head unit.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("accessRestrictions"), limit("accessRestrictions"))
    )]
    async fn access_restrictions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<AccessRestrictionFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<AccessRestrictionConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::access::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::access::count(&session, &filter).await }) as _
        });
        Ok(Tree(AccessRestrictionConnection(Slice::new(page, Into::into, total))))
    }
}
