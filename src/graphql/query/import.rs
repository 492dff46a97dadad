//! Orders handed in as files.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::read;
use crate::domain::import::ImportStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::types::import::{ImportBatch, ImportBatchConnection, import_batch};
use crate::graphql::write::Tree;

/// What imports are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ImportBatchFilter {
    /// In one of these states.
    statuses: Option<Vec<ImportStatus>>,
}

/// Orders handed in as files.
#[derive(Default)]
pub struct ImportQuery;

/// Orders handed in as files.
#[Object]
impl ImportQuery {
    /// An import; null when it does not exist for the caller.
    #[graphql(directive = access::apply(roles("importBatch"), limit("importBatch")))]
    async fn import_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import, by id.")] id: ID,
    ) -> Result<Option<ImportBatch>> {
        session(ctx)?.may_read("importBatch").answer(ctx)?;
        import_batch(ctx, ids::parse(&id).answer(ctx)?).await
    }

    /// The imports that exist for the caller, newest first (R1.2): staff of the head unit see all, others those of their
    /// unit and below, partners their own.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("importBatches"), limit("importBatches"))
    )]
    async fn import_batches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<ImportBatchFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ImportBatchConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let statuses = filter.unwrap_or_default().statuses;
        let page = read::import::list(session, statuses.as_deref(), keyset).await.answer(ctx)?;
        let counting = (session.clone(), statuses);
        let total = Arc::new(move || {
            let (session, statuses) = counting.clone();
            Box::pin(async move { read::import::count(&session, statuses.as_deref()).await }) as _
        });
        Ok(Tree(ImportBatchConnection(Slice::new(page, Into::into, total))))
    }
}
