//! Orders handed in as files.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::actions::{self, AvailableAction};
use super::reference::{Person, perhaps, person};
use super::wrapper;
use crate::app::read;
use crate::domain::ids::ImportBatchId;
use crate::domain::import as domain;
use crate::domain::import::{ErrorPolicy, FileFormat, FileLayout, ImportStatus};
use crate::domain::intake::Channel;
use crate::graphql::connection::{Paging, Slice, connection, page_cost};
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// An import.
    ImportBatch(domain::ImportBatch)
}
connection!(ImportBatchConnection, ImportBatchEdge, ImportBatch, "imports");
connection!(ImportFaultConnection, ImportFaultEdge, ImportFault, "faults in a file");

/// Something wrong in a file.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ImportFault {
    /// Stable code: one of the type `RefusalCode`, or `BAD_USER_INPUT` for a value that cannot be read at all.
    code: String,
    /// The column by its header in the file, or the place in a line of JSON such as `lines.0.sku`; null when it is about no
    /// single one.
    column: Option<String>,
    /// What is wrong and what to do, for people.
    message: String,
    /// The row of the file, or the line, from 1. The headers are row 1.
    row: i32,
}

impl From<read::import::KeptFault> for ImportFault {
    fn from(kept: read::import::KeptFault) -> Self {
        let domain::Fault { row, column, code, message } = kept.fault;
        Self { code, column, message, row: int(row) }
    }
}

/// What was counted of a file so far.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ImportCounts {
    /// Orders that were here before, with the same content: nothing was done.
    duplicates: i32,
    /// What is wrong with bad orders, all together.
    faults: i32,
    /// Orders that were looked at so far.
    handled: i32,
    /// Orders in the file; 0 until it was read.
    orders: i32,
    /// Bad orders.
    refused: i32,
    /// Rows in the file with something in them, the headers not counted; 0 until it was read.
    rows: i32,
    /// Orders that were taken; in a dry run, that would be.
    taken: i32,
}

impl From<domain::ImportCounts> for ImportCounts {
    fn from(counts: domain::ImportCounts) -> Self {
        Self {
            duplicates: int(counts.duplicates),
            faults: int(counts.faults),
            handled: int(counts.handled),
            orders: int(counts.orders),
            refused: int(counts.refused),
            rows: int(counts.rows),
            taken: int(counts.taken),
        }
    }
}

/// Orders handed in as a file (R1.2): uploaded with `POST /imports`, started with `importOrders`.
#[macros::written]
#[Object]
impl ImportBatch {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Where it stands.
    async fn status(&self) -> ImportStatus {
        self.0.status
    }

    /// What the file is written in.
    async fn format(&self) -> FileFormat {
        self.0.format
    }

    /// Whose columns the file has; null until it was read, and for JSON Lines.
    async fn layout(&self) -> Option<FileLayout> {
        self.0.layout
    }

    /// What the file is called.
    async fn file_name(&self) -> Option<&String> {
        self.0.file_name.as_ref()
    }

    /// The file's bytes.
    async fn size(&self) -> i32 {
        int(self.0.size)
    }

    /// The file's SHA-256 in hexadecimal.
    async fn digest(&self) -> &str {
        &self.0.digest
    }

    /// The channel of orders that name none.
    async fn channel(&self) -> Option<Channel> {
        self.0.settings.channel
    }

    /// The channel account of shops' and partners' orders; null when they are the group's own, or `import`.
    async fn account(&self) -> Option<&String> {
        self.0.account.as_ref().or(self.0.settings.account.as_ref())
    }

    /// Are they orders of the past, kept with their own dates and without any work?
    async fn historical(&self) -> bool {
        self.0.settings.historical
    }

    /// Is it, or was it, only checked?
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// What becomes of bad orders.
    async fn error_policy(&self) -> ErrorPolicy {
        self.0.error_policy
    }

    /// What was counted so far.
    async fn counts(&self) -> ImportCounts {
        self.0.counts.into()
    }

    /// What is wrong in the file, by row; the whole file with it is at `faultsUrl`.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn faults(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<ImportFaultConnection> {
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let page = read::import::faults(session(ctx)?, self.0.id, keyset).await.answer(ctx)?;
        let total = u64::try_from(self.0.counts.faults).unwrap_or(0);
        let counted = Arc::new(move || Box::pin(std::future::ready(Ok(total))) as _);
        Ok(ImportFaultConnection(Slice::new(page, Into::into, counted)))
    }

    /// Where the bad rows can be fetched with what is wrong with each, to be corrected and sent again; null when there
    /// are none. It takes the same token as the API.
    async fn faults_url(&self) -> Option<String> {
        (self.0.counts.faults > 0).then(|| format!("/imports/{}/faults", ids::encode(self.0.id).as_str()))
    }

    /// Who handed it in. People outside the group see themselves only, else null.
    async fn uploaded_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.uploaded_by).await
    }

    /// When it was handed in.
    async fn uploaded_at(&self) -> DateTime {
        self.0.uploaded_at.into()
    }

    /// Who started it last: its orders were submitted by them. People outside the group see themselves only, else null.
    async fn started_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.started_by.as_ref()).await
    }

    /// When it was started last.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(Into::into)
    }

    /// When it ended; of a dry run, when the check was through.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(Into::into)
    }

    /// Why it failed or was cancelled.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_import(actor, &self.0)))
    }
}

/// An import by id, if it exists for the caller.
pub async fn import_batch(ctx: &Context<'_>, id: ImportBatchId) -> Result<Option<ImportBatch>> {
    let found = read::import::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(ImportBatch::from))
}
