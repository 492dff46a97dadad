//! Orders handed in as files (R1): commands on imports, and what works through them.

pub mod file;
mod taking;
pub mod template;
mod upload;
mod worker;

use std::sync::Arc;

use chrono::Duration;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use super::command::Command;
use super::due::{AT_ONCE, each};
use super::{App, Failure, Session};
use crate::domain::actor::Scope;
use crate::domain::ids::{ImportBatchId, UnitId};
use crate::domain::import::{self as rules_of, ErrorPolicy, ImportSettings, KEPT_DAYS, ReceivedFile};
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, Work, import, reference};

pub use upload::{Upload, UploadLimits};
pub use worker::{follow, work_through};

/// What works through imports on this node.
pub struct Imports {
    /// This node, as the worker of imports.
    pub(super) node: Uuid,
    /// Told when there is something to do.
    pub(super) wake: Arc<Notify>,
}

impl Imports {
    pub(super) fn new() -> Self {
        Self { node: Uuid::new_v4(), wake: Arc::default() }
    }
}

/// The import a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnImport {
    /// The import.
    pub batch_id: ImportBatchId,
}

/// Take note of a file that arrived (R1.2).
#[derive(Clone, Debug, Serialize)]
pub struct ReceiveFile {
    /// The file.
    pub file: ReceivedFile,
    /// What it leaves open.
    pub settings: ImportSettings,
}

impl Command for ReceiveFile {
    const ACTION: Action = Action::ImportOrders;
    type Answer = OnImport;

    async fn run(&self, work: &Work) -> Result<OnImport> {
        let unit = uppermost(work).await?;
        let (batch, happening) = rules_of::receive(self.file.clone(), self.settings.clone(), unit, &work.act())?;
        work.save(Tracked::new(batch), happening).await?;
        Ok(OnImport { batch_id: self.file.id })
    }
}

/// The unit that the others of the caller's scope are below.
async fn uppermost(work: &Work) -> Result<Option<UnitId>> {
    let Scope::Units(own) = &work.actor().scope else { return Ok(None) };
    let units = reference::all_units(work.reference()).await?;
    let top = units
        .iter()
        .filter(|unit| own.contains(&unit.id))
        .find(|unit| unit.parent_id.is_none_or(|parent| !own.contains(&parent)));
    Ok(top.map(|unit| unit.id))
}

/// Start an import: check its file, or take the orders in it.
#[derive(Clone, Debug, Serialize)]
pub struct StartImport {
    /// The import.
    pub batch_id: ImportBatchId,
    /// Only check.
    pub dry_run: bool,
    /// What becomes of bad orders.
    pub error_policy: ErrorPolicy,
    /// The version of the import the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for StartImport {
    const ACTION: Action = Action::ImportOrders;
    type Answer = OnImport;

    async fn run(&self, work: &Work) -> Result<OnImport> {
        let mut found = import::visible(work, self.batch_id).await?;
        work.expect(&found, self.expected_version)?;
        if let Some(happening) = found.start(self.dry_run, self.error_policy, &work.act())? {
            import::forget_faults(work, self.batch_id).await?;
            work.save(found, happening).await?;
        }
        Ok(OnImport { batch_id: self.batch_id })
    }

    async fn committed(&self, app: &App) {
        app.imports.wake.notify_one();
    }
}

/// Stop an import; what was taken stays taken.
#[derive(Clone, Debug, Serialize)]
pub struct CancelImport {
    /// The import.
    pub batch_id: ImportBatchId,
    /// Why.
    pub reason: Option<String>,
    /// The version of the import the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for CancelImport {
    const ACTION: Action = Action::CancelImport;
    type Answer = OnImport;

    async fn run(&self, work: &Work) -> Result<OnImport> {
        let mut found = import::visible(work, self.batch_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.cancel(self.reason.clone(), &work.act())?;
        import::forget_file(work, self.batch_id).await?;
        work.save(found, happening).await?;
        Ok(OnImport { batch_id: self.batch_id })
    }
}

/// Cancels imports that nobody started, and throws away what arrived without becoming one.
pub fn tidy(session: &Session) -> BoxFuture<'_, Result<usize, Failure>> {
    Box::pin(async move {
        let app = &session.app;
        let now = app.clock.now();
        import::drop_orphans(app.store(), now - Duration::days(1)).await?;
        let forgotten = import::forgotten(app.store(), now - Duration::days(KEPT_DAYS), AT_ONCE).await?;
        let reason = format!("Nobody started it within {KEPT_DAYS} days.");
        let cancel = |batch_id| CancelImport { batch_id, reason: Some(reason.clone()), expected_version: None };
        each(session, forgotten.into_iter().map(cancel)).await
    })
}
