//! Keys of partners' systems, and tracking links.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::access_key::{AccessKeyKind, AccessKeyStatus};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::types::access_key::AccessKeyConnection;
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

/// What access keys are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct AccessKeyFilter {
    /// Of this channel account.
    account: Option<String>,
    /// Of this kind.
    kind: Option<AccessKeyKind>,
    /// Of this order.
    order_id: Option<ID>,
    /// Where it stands.
    status: Option<AccessKeyStatus>,
}

impl AccessKeyFilter {
    fn read(self) -> Result<read::access_key::KeyFilter, Failure> {
        Ok(read::access_key::KeyFilter {
            account: text::clean_optional("filter.account", self.account)?,
            kind: self.kind,
            order: self.order_id.as_ref().map(ids::parse).transpose()?,
            status: self.status,
        })
    }
}

/// Keys of partners' systems, and tracking links.
#[derive(Default)]
pub struct AccessKeyQuery;

/// Keys of partners' systems, and tracking links.
#[Object]
impl AccessKeyQuery {
    /// Keys of partners' systems and tracking links, newest first: those of the orders the caller sees,
    /// and of the own channel account; for the head unit all of them (R13.2).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("accessKeys"), limit("accessKeys"))
    )]
    async fn access_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<AccessKeyFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<AccessKeyConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::access_key::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::access_key::count(&session, &filter).await }) as _
        });
        Ok(Tree(AccessKeyConnection(Slice::new(page, Into::into, total))))
    }
}
