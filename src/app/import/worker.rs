//! Works through imports, one at a time on each node. Whatever is cut off is taken up again where the last transaction
//! ended: what was counted was taken in the same one.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::CancelImport;
use super::file::{FileLimits, Staged, Unreadable};
use super::taking::{HandleOrders, Handled, ORDERS_AT_ONCE, ROWS_AT_ONCE, Seen, TakeAll};
use crate::app::command::{Command, perform, perform_patiently};
use crate::app::{App, Failure, Guarded, Session};
use crate::domain::actor::{Actor, Scope};
use crate::domain::event::Happening;
use crate::domain::ids::ImportBatchId;
use crate::domain::import::{FileLayout, ImportBatch, ImportCounts};
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result as StoreResult, Work, import, reference};

/// How often a node looks for imports that were cut off, or started elsewhere.
const LOOK: Duration = Duration::from_secs(2);
/// How often a whole file is tried when others take some of its orders meanwhile.
const ATTEMPTS: usize = 3;

/// Works through imports until told to stop.
pub async fn follow(app: Arc<App>, limits: FileLimits, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.imports.wake.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        match next(&app, &limits, &stop).await {
            // There may be more.
            Ok(true) => app.imports.wake.notify_one(),
            Ok(false) => {}
            Err(failure) => tracing::warn!(cause = ?failure, "an import could not be carried on"),
        }
    }
}

async fn next(app: &Arc<App>, limits: &FileLimits, stop: &CancellationToken) -> Result<bool, Failure> {
    let Some(batch) = import::free(app.store(), app.clock.now(), 1).await?.into_iter().next() else {
        return Ok(false);
    };
    work_through(app, &batch, limits, stop).await?;
    Ok(true)
}

/// Works through an import that nobody is at work on.
///
/// # Errors
/// The database is away; it is carried on later.
pub async fn work_through(
    app: &Arc<App>,
    batch: &ImportBatch,
    limits: &FileLimits,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let worker = Worker { app: app.clone(), id: batch.id, worker: app.imports.node, stop: stop.clone() };
    match worker.run(batch, limits).await {
        Ok(()) => Ok(()),
        Err(Stop::Failed(Failure::Forbidden(message))) => {
            let reason = Some(format!("Whoever started it may no longer import: {message}"));
            let cancel = CancelImport { batch_id: batch.id, reason, expected_version: None };
            let session = Session::of(app, Actor::system(), "import");
            perform(&session, Guarded { command: cancel, idempotency_key: None }).await?;
            Ok(())
        }
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Unreadable(Unreadable(reason))) => {
            worker.steer(&batch.clone(), Step::Fail(reason)).await.map_err(Stop::into_failure)?;
            Ok(())
        }
        Err(Stop::Lost) => Ok(()),
    }
}

/// Why a worker stops before the end.
enum Stop {
    /// Somebody else carries on, or nobody does.
    Lost,
    /// The file as a whole cannot be read.
    Unreadable(Unreadable),
    /// Something failed.
    Failed(Failure),
}

impl Stop {
    fn into_failure(self) -> Failure {
        match self {
            Self::Failed(failure) => failure,
            Self::Lost => Failure::NotFound,
            Self::Unreadable(Unreadable(reason)) => Failure::Internal(reason),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound => Self::Lost,
            other => Self::Failed(other),
        }
    }
}

impl From<Unreadable> for Stop {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<crate::store::StoreError> for Stop {
    fn from(error: crate::store::StoreError) -> Self {
        Failure::from(error).into()
    }
}

/// One import, worked on by one node.
struct Worker {
    app: Arc<App>,
    id: ImportBatchId,
    worker: Uuid,
    stop: CancellationToken,
}

impl Worker {
    async fn run(&self, batch: &ImportBatch, limits: &FileLimits) -> Result<(), Stop> {
        self.steer(batch, Step::Claim(batch.version)).await?;
        let file = self.file(batch.size).await?;
        let (format, settings, limits) = (batch.format, batch.settings.clone(), limits.clone());
        let staged = blocking(move || Staged::read(file, format, &settings, &limits)).await??;
        let counts = self.steer(batch, Step::found(&staged)).await?;
        let staged = Arc::new(staged);
        if batch.is_taken_in_parts() {
            self.parts(batch, &staged, counts, None).await?;
            self.steer(batch, Step::Finish).await?;
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            self.steer(batch, Step::Anew).await?;
            let checked = Some(Seen::default());
            let counts = ImportCounts { handled: 0, ..counts };
            let counts = self.parts(batch, &staged, counts, checked).await?;
            if batch.dry_run || counts.refused > 0 {
                self.steer(batch, Step::Finish).await?;
                return Ok(());
            }
            self.steer(batch, Step::Whole).await?;
            let command = TakeAll { batch_id: self.id, worker: self.worker, staged: staged.clone() };
            let guarded = Guarded { command, idempotency_key: None };
            match perform_patiently(&self.session(batch).await?, guarded).await {
                Ok(_) => return Ok(()),
                // Somebody else has taken one of the orders since the check, with another content.
                Err(Failure::Refused(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let reason = "It was checked without a fault and refused when it was taken, again and again: orders of it are \
                      handed in elsewhere at the same time, or share an idempotencyKey.";
        Err(Unreadable(reason.to_owned()).into())
    }

    /// Handles what is left of the file, some orders at a time.
    async fn parts(
        &self,
        batch: &ImportBatch,
        staged: &Arc<Staged>,
        mut counts: ImportCounts,
        checked: Option<Seen>,
    ) -> Result<ImportCounts, Stop> {
        let read = |from: i64| {
            let staged = staged.clone();
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            blocking(move || staged.some(from, ORDERS_AT_ONCE, ROWS_AT_ONCE))
        };
        let mut orders = read(counts.handled).await??;
        while !orders.is_empty() {
            if self.stop.is_cancelled() {
                self.steer(batch, Step::Release).await?;
                return Err(Stop::Lost);
            }
            let following = counts.handled + i64::try_from(orders.len()).unwrap_or(0);
            let command = HandleOrders {
                batch_id: self.id,
                worker: self.worker,
                from: counts.handled,
                orders: Arc::new(orders),
                staged: staged.clone(),
                checked: checked.clone(),
            };
            let session = self.session(batch).await?;
            // The next are read while these are written.
            let (answered, next) =
                tokio::join!(perform_patiently(&session, Guarded { command, idempotency_key: None }), read(following));
            match answered?.answer {
                Handled::Counted(now) => counts = now,
                Handled::Lost => return Err(Stop::Lost),
            }
            orders = next??;
        }
        Ok(counts)
    }

    /// Whoever started it, with the roles that still count.
    async fn session(&self, batch: &ImportBatch) -> Result<Session, Stop> {
        let app = &self.app;
        app.access().ensure_current().await?;
        let subject = batch.started_by.clone().unwrap_or_else(|| batch.uploaded_by.clone());
        let scope = match (&batch.account, batch.unit_id) {
            (Some(account), _) => Scope::Account(account.clone()),
            (None, None) => Scope::All,
            (None, Some(unit)) => {
                let units = reference::all_units(app.store().reader()).await?;
                Scope::Units(
                    units.iter().map(|one| one.id).filter(|id| reference::is_below(&units, *id, unit)).collect(),
                )
            }
        };
        let roles = app.access().effective(&subject, &batch.roles);
        Ok(Session::of(app, Actor { subject, roles, scope }, "import"))
    }

    async fn steer(&self, batch: &ImportBatch, step: Step) -> Result<ImportCounts, Stop> {
        let command = Steer { batch_id: self.id, worker: self.worker, step };
        let answered = perform(&self.session(batch).await?, Guarded { command, idempotency_key: None }).await?;
        match answered.answer {
            Handled::Counted(counts) => Ok(counts),
            Handled::Lost => Err(Stop::Lost),
        }
    }

    /// The file, in one without a name.
    async fn file(&self, size: i64) -> Result<File, Stop> {
        let mut file = tempfile::tempfile().map_err(Unreadable::from)?;
        let mut written = 0;
        for number in 0.. {
            let Some(piece) = import::piece(self.app.store(), self.id, number).await? else { break };
            written += i64::try_from(piece.len()).unwrap_or(0);
            file = blocking(move || file.write_all(&piece).map(|()| file)).await?.map_err(Unreadable::from)?;
        }
        if written != size {
            return Err(Unreadable(format!("Of {size} bytes only {written} are here.")).into());
        }
        file.seek(SeekFrom::Start(0)).map_err(Unreadable::from)?;
        Ok(file)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        if error.is_panic() {
            // A reader that falls over a file falls over it each time.
            tracing::error!(%error, "a file of orders could not be read");
            return Stop::Unreadable(Unreadable("The file cannot be read.".to_owned()));
        }
        Stop::Failed(Failure::Internal(error.to_string()))
    })
}

/// What a worker does with the import itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Step {
    /// Takes it, if nobody is at work and it is as it was seen.
    Claim(i64),
    /// Says what was found in the file.
    Found { layout: Option<FileLayout>, headers: Vec<String>, rows: i64, orders: i64 },
    /// Begins anew, with nothing found wrong.
    Anew,
    /// Keeps it for as long as one transaction over the whole file may take.
    Whole,
    /// Leaves it to others.
    Release,
    /// Ends it: every order was looked at.
    Finish,
    /// Ends it: the file cannot be read.
    Fail(String),
}

impl Step {
    fn found(staged: &Staged) -> Self {
        let columns = staged.columns();
        Self::Found {
            layout: columns.map(|columns| columns.layout),
            headers: columns.map(|columns| columns.headers.clone()).unwrap_or_default(),
            rows: i64::try_from(staged.rows()).unwrap_or(i64::MAX),
            orders: i64::try_from(staged.orders()).unwrap_or(i64::MAX),
        }
    }
}

#[derive(Clone, Serialize)]
struct Steer {
    batch_id: ImportBatchId,
    worker: Uuid,
    step: Step,
}

impl Command for Steer {
    const ACTION: Action = Action::ImportOrders;
    type Answer = Handled;

    async fn run(&self, work: &Work) -> StoreResult<Handled> {
        let mut batch: Tracked<ImportBatch> = work.find(self.batch_id.0).await?;
        if !matches!(self.step, Step::Claim(_)) && !batch.is_with(self.worker) {
            return Ok(Handled::Lost);
        }
        let now = work.now();
        let counts = batch.counts;
        let happening: Happening = match &self.step {
            Step::Claim(seen) if batch.version != *seen => return Ok(Handled::Lost),
            Step::Claim(_) => match batch.claim(self.worker, now) {
                Some(kind) => kind.into(),
                None => return Ok(Handled::Lost),
            },
            Step::Found { layout, headers, rows, orders } => {
                batch.layout = *layout;
                batch.headers.clone_from(headers);
                batch.progress(ImportCounts { rows: *rows, orders: *orders, ..counts }, false, now).into()
            }
            Step::Anew => {
                let anew = ImportCounts { rows: counts.rows, orders: counts.orders, ..ImportCounts::default() };
                batch.progress(anew, false, now).into()
            }
            Step::Whole => batch.progress(counts, true, now).into(),
            Step::Release => batch.release().into(),
            Step::Finish => batch.finish(now).into(),
            Step::Fail(reason) => batch.fail(reason.clone(), now),
        };
        if matches!(self.step, Step::Anew) {
            import::forget_faults(work, self.batch_id).await?;
        }
        if batch.status.is_final() {
            import::forget_file(work, self.batch_id).await?;
        }
        let counts = work.save(batch, happening).await?.counts;
        Ok(Handled::Counted(counts))
    }
}
