//! Orders handed in as a file (R1.2, R1.4, R1.5): the batch, what may be done with it and what came of it.

pub mod cells;
pub mod columns;
mod json;
mod market;
mod rows;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actor::{Act, Actor, Role, Scope};
use super::codes::codes;
use super::event::{EventKind, Happening};
use super::ids::{ImportBatchId, UnitId};
use super::intake::{Channel, SHORT_TEXT, text};
use super::order::role_blockers;
use super::permission::Action;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::transition::{Lifecycle, Transition, birth, step};

pub use json::{LineForm, OrderForm, read_line};
pub use rows::{Columns, FAULT_HEADERS, ReadOrder, Row, read_rows};

codes! {
    /// Where an import stands.
    ImportStatus {
        /// The file is here; nothing was done with it.
        Uploaded = "UPLOADED",
        /// It is being checked, or its orders are being taken.
        Running = "RUNNING",
        /// A dry run is through: its faults are known, nothing was taken.
        Checked = "CHECKED",
        /// Every order was taken now or before, or those that could not be were to be ignored.
        Completed = "COMPLETED",
        /// Every good order was taken; the others are listed, to be corrected and sent again.
        CompletedWithFaults = "COMPLETED_WITH_FAULTS",
        /// There are faults, and every fault was to reject everything: nothing was taken.
        Rejected = "REJECTED",
        /// The file as a whole could not be read; what was taken before stays taken.
        Failed = "FAILED",
        /// Stopped by somebody, or never started; what was taken before stays taken.
        Cancelled = "CANCELLED",
    }
}

codes! {
    /// What becomes of a file of which some orders are bad.
    ErrorPolicy {
        /// All or nothing: the whole file is checked first and then taken in one transaction; if any order is bad, none is
        /// taken.
        RejectEverything = "REJECT_EVERYTHING",
        /// Good orders are taken, bad ones are reported, and the import ends COMPLETED_WITH_FAULTS.
        RejectFailedRows = "REJECT_FAILED_ROWS",
        /// Good orders are taken, bad ones are skipped and reported, and the import ends COMPLETED.
        IgnoreFailed = "IGNORE_FAILED",
    }
}

codes! {
    /// What a file is written in.
    FileFormat {
        /// Comma-separated values, as spreadsheets save them: one row for each line of an order.
        Csv = "CSV",
        /// A spreadsheet of Office Open XML: the first sheet, one row for each line of an order.
        Xlsx = "XLSX",
        /// JSON Lines: one order on each line.
        Jsonl = "JSONL",
    }
}

codes! {
    /// Whose columns a file has.
    FileLayout {
        /// This service's own template.
        Standard = "STANDARD",
        /// An export of orders from Taobao or Tmall.
        Taobao = "TAOBAO",
        /// An export of orders from JD.
        Jd = "JD",
        /// An export of orders from Youzan.
        Youzan = "YOUZAN",
    }
}

use ImportStatus::*;

impl Lifecycle for ImportStatus {
    const NOUN: &'static str = "import";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::ImportOrders, Uploaded, "R1.2"),
        step(Uploaded, Action::ImportOrders, Running, "R1.2"),
        step(Checked, Action::ImportOrders, Running, "R1.2"),
        step(Running, Action::ImportOrders, Running, "R1.2"),
        step(Running, Action::ImportOrders, Checked, "R1.4"),
        step(Running, Action::ImportOrders, Completed, "R1.4"),
        step(Running, Action::ImportOrders, CompletedWithFaults, "R1.4"),
        step(Running, Action::ImportOrders, Rejected, "R1.4"),
        step(Running, Action::ImportOrders, Failed, "R1.4"),
        step(Uploaded, Action::CancelImport, Cancelled, "R1.2"),
        step(Checked, Action::CancelImport, Cancelled, "R1.2"),
        step(Running, Action::CancelImport, Cancelled, "R1.2"),
    ];
}

impl ImportStatus {
    /// Nothing more will happen to it, and its file is no longer kept.
    pub const fn is_final(self) -> bool {
        matches!(self, Completed | CompletedWithFaults | Rejected | Failed | Cancelled)
    }
}

/// What the file leaves open, for all of its orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSettings {
    /// The columns; recognized by their headers when absent.
    pub layout: Option<FileLayout>,
    /// The channel of orders that name none.
    pub channel: Option<Channel>,
    /// The channel account of shops' and partners' orders, when staff hand them in.
    pub account: Option<String>,
    /// The customer of orders that name none, such as a shop's collective customer.
    pub customer_number: Option<String>,
    /// The region code of orders that name none.
    pub region: Option<String>,
    /// The currency of orders that name none.
    pub currency_code: Option<String>,
    /// Days to delivery of orders that name no date.
    pub required_within_days: Option<i32>,
    /// Orders of the past: kept with their own dates, without any work or stock.
    pub historical: bool,
}

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportCounts {
    /// Rows with something in them.
    pub rows: i64,
    /// Orders in them.
    pub orders: i64,
    /// Orders that were looked at.
    pub handled: i64,
    /// Orders that were taken; in a dry run, that would be.
    pub taken: i64,
    /// Orders that were here before.
    pub duplicates: i64,
    /// Bad orders.
    pub refused: i64,
    /// What is wrong with them.
    pub faults: i64,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The row, or line, of the file, from 1.
    pub row: i64,
    /// The column by its header, or the place in a line of JSON; none where it is no single one.
    pub column: Option<String>,
    /// The stable code, as `submitOrder` has it.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Orders handed in as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportBatch {
    /// Identity.
    pub id: ImportBatchId,
    /// Counts the changes.
    pub version: i64,
    /// What the file is written in.
    pub format: FileFormat,
    /// Its columns, once it was read.
    pub layout: Option<FileLayout>,
    /// What it was called.
    pub file_name: Option<String>,
    /// Its bytes.
    pub size: i64,
    /// Its SHA-256 in hexadecimal.
    pub digest: String,
    /// What it leaves open.
    pub settings: ImportSettings,
    /// The headers it has, once it was read.
    pub headers: Vec<String>,
    /// Where it stands.
    pub status: ImportStatus,
    /// Is it, or was it, only checked?
    pub dry_run: bool,
    /// What becomes of bad orders.
    pub error_policy: ErrorPolicy,
    /// What was counted.
    pub counts: ImportCounts,
    /// The channel account it was handed in over, if a partner's system did.
    pub account: Option<String>,
    /// The unit of whoever handed it in, unless it is the head unit.
    pub unit_id: Option<UnitId>,
    /// The roles of whoever handed it in, or started it last.
    pub roles: Vec<Role>,
    /// Who handed it in.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: DateTime<Utc>,
    /// Who started it last: its orders are theirs.
    pub started_by: Option<String>,
    /// When it was started last.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who is at work on it.
    pub worker: Option<Uuid>,
    /// When others may take over from whoever is at work.
    pub lease_until: Option<DateTime<Utc>>,
    /// Why it failed or was cancelled.
    pub reason: Option<String>,
}

/// A file as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFile {
    /// The identity its import gets.
    pub id: ImportBatchId,
    /// What it is written in.
    pub format: FileFormat,
    /// What it is called.
    pub file_name: Option<String>,
    /// Its bytes.
    pub size: i64,
    /// Its SHA-256 in hexadecimal.
    pub digest: String,
}

/// A worker that has shown no life for so long is taken for dead.
const LEASE: Duration = Duration::seconds(30);
/// What a transaction that takes a whole file may need for an order, at the worst.
const SLOWEST_ORDER: Duration = Duration::milliseconds(3);
/// The account of shops' and partners' orders when staff name none.
pub const DEFAULT_ACCOUNT: &str = "import";
/// A file that nobody starts is kept so many days.
pub const KEPT_DAYS: i64 = 7;

/// What stands between the actor and handing in a file with these settings.
fn settings_blockers(settings: &ImportSettings, actor: &Actor) -> Refusals {
    let mut refusals = role_blockers(Action::ImportOrders, actor);
    let is_staff = actor.is_any(&[Role::Sales, Role::Admin]) && !matches!(actor.scope, Scope::Account(_));
    refusals.require(actor.scope != Scope::Nothing, || {
        Refusal::new(Code::RoleNotPermitted, "R13.1", "The token names no unit or channel account that exists.")
    });
    refusals.require(!settings.historical || (actor.is(Role::Admin) && actor.scope == Scope::All), || {
        Refusal::new(
            Code::RoleNotPermitted,
            "R13.1",
            "Only administrators of the head unit take over orders of the past.",
        )
        .at("historical")
    });
    refusals.require(settings.account.is_none() || is_staff, || {
        Refusal::new(Code::RoleNotPermitted, "R1.1", "A partner hands in over its own account.").at("account")
    });
    text(&mut refusals, "account", settings.account.as_deref(), false, SHORT_TEXT);
    text(&mut refusals, "customerNumber", settings.customer_number.as_deref(), false, SHORT_TEXT);
    text(&mut refusals, "region", settings.region.as_deref(), false, 20);
    refusals
}

/// Takes note of a file that arrived. `unit` is the uppermost unit of the actor's, unless that is the head unit.
pub fn receive(
    file: ReceivedFile,
    settings: ImportSettings,
    unit: Option<UnitId>,
    act: &Act<'_>,
) -> Result<(ImportBatch, EventKind), Refusals> {
    let mut refusals = settings_blockers(&settings, act.actor);
    text(&mut refusals, "fileName", file.file_name.as_deref(), false, SHORT_TEXT);
    refusals.require(file.size > 0, || Refusal::new(Code::TooFew, "R1.4", "The file is empty."));
    refusals.into_result()?;
    let account = match &act.actor.scope {
        Scope::Account(account) => Some(account.clone()),
        _ => None,
    };
    let batch = ImportBatch {
        id: file.id,
        version: 0,
        format: file.format,
        layout: None,
        file_name: file.file_name,
        size: file.size,
        digest: file.digest,
        settings,
        headers: Vec::new(),
        status: Uploaded,
        dry_run: false,
        error_policy: ErrorPolicy::RejectFailedRows,
        counts: ImportCounts::default(),
        account,
        unit_id: unit,
        roles: act.actor.roles.clone(),
        uploaded_by: act.actor.subject.clone(),
        uploaded_at: act.now,
        started_by: None,
        started_at: None,
        finished_at: None,
        worker: None,
        lease_until: None,
        reason: None,
    };
    Ok((batch, EventKind::ImportUploaded))
}

impl ImportBatch {
    /// What stands between the actor and an action on this import.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals.require(!self.settings.historical || actor.is_any(&[Role::Admin, Role::System]), || {
            Refusal::new(Code::RoleNotPermitted, "R13.1", "Only administrators take over orders of the past.")
        });
        refusals
    }

    /// Starts it: orders are taken on behalf of whoever starts it. Asked for again while it runs in the same way, nothing
    /// changes.
    pub fn start(&mut self, dry_run: bool, policy: ErrorPolicy, act: &Act<'_>) -> Result<Option<Happening>, Refusals> {
        let mut refusals = self.blockers(Action::ImportOrders, act.actor);
        let same = self.dry_run == dry_run && self.error_policy == policy;
        refusals.require(self.status != Running || same, || {
            Refusal::new(Code::IllegalTransition, "R1.2", "The import runs in another way; cancel it first.")
        });
        refusals.into_result()?;
        if self.status == Running {
            return Ok(None);
        }
        self.status = Running;
        self.dry_run = dry_run;
        self.error_policy = policy;
        self.started_by = Some(act.actor.subject.clone());
        self.started_at = Some(act.now);
        self.roles.clone_from(&act.actor.roles);
        self.counts = ImportCounts::default();
        Ok(Some(EventKind::ImportStarted.into()))
    }

    /// May somebody begin, or carry on, at this moment?
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        self.status == Running && self.lease_until.is_none_or(|until| until < now)
    }

    /// Gives it to a worker. What was only checked, or is taken as a whole, begins anew.
    pub fn claim(&mut self, worker: Uuid, now: DateTime<Utc>) -> Option<EventKind> {
        if !self.is_free(now) {
            return None;
        }
        let kind =
            if self.counts == ImportCounts::default() { EventKind::ImportProgressed } else { EventKind::ImportResumed };
        if !self.is_taken_in_parts() {
            self.counts = ImportCounts::default();
        }
        self.worker = Some(worker);
        self.lease_until = Some(now + LEASE);
        Some(kind)
    }

    /// Are orders taken a few at a time, so that it is carried on where it was cut off?
    pub fn is_taken_in_parts(&self) -> bool {
        !self.dry_run && self.error_policy != ErrorPolicy::RejectEverything
    }

    /// Is this worker still the one?
    pub fn is_with(&self, worker: Uuid) -> bool {
        self.status == Running && self.worker == Some(worker)
    }

    /// Takes note of what was found and done; the worker keeps it for another while.
    pub fn progress(&mut self, counts: ImportCounts, whole: bool, now: DateTime<Utc>) -> EventKind {
        self.counts = counts;
        let more =
            if whole { SLOWEST_ORDER * i32::try_from(counts.orders).unwrap_or(i32::MAX) } else { Duration::zero() };
        self.lease_until = Some(now + LEASE + more);
        EventKind::ImportProgressed
    }

    /// Lets another worker carry on at once: this one stops.
    pub fn release(&mut self) -> EventKind {
        self.worker = None;
        self.lease_until = None;
        EventKind::ImportProgressed
    }

    /// Ends it when every order was looked at.
    pub fn finish(&mut self, now: DateTime<Utc>) -> EventKind {
        self.status = match (self.dry_run, self.counts.refused > 0, self.error_policy) {
            (true, ..) => Checked,
            (_, true, ErrorPolicy::RejectEverything) => Rejected,
            (_, true, ErrorPolicy::RejectFailedRows) => CompletedWithFaults,
            _ => Completed,
        };
        if self.status == Rejected {
            self.counts.taken = 0;
            self.counts.duplicates = 0;
        }
        self.end(now);
        EventKind::ImportFinished
    }

    /// Ends it because the file as a whole cannot be read.
    pub fn fail(&mut self, reason: String, now: DateTime<Utc>) -> Happening {
        self.status = Failed;
        self.reason = Some(reason);
        self.end(now);
        EventKind::ImportFailed.into()
    }

    /// Stops it; what was taken stays taken.
    pub fn cancel(&mut self, reason: Option<String>, act: &Act<'_>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::CancelImport, act.actor);
        text(&mut refusals, "reason", reason.as_deref(), false, SHORT_TEXT);
        refusals.into_result()?;
        self.status = Cancelled;
        self.reason = reason;
        self.end(act.now);
        Ok(EventKind::ImportCancelled.into())
    }

    fn end(&mut self, now: DateTime<Utc>) {
        self.finished_at = Some(now);
        self.worker = None;
        self.lease_until = None;
    }

    /// As whom an order of a channel is submitted: the group's own sales as sales staff, a shop's or partner's as their
    /// system with the channel account. Somebody who may not gets what they are, and is refused by the rules of intake.
    pub fn submitter(&self, importer: &Actor, channel: Channel) -> Actor {
        if !importer.is_any(&[Role::Sales, Role::Admin]) {
            return importer.clone();
        }
        let named = self.account.as_ref().or(self.settings.account.as_ref());
        let account = || named.cloned().unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        let (role, scope) = match channel {
            Channel::OfflineSales => (Role::Sales, Scope::All),
            Channel::ECommerce | Channel::PartnerReferral => (Role::Partner, Scope::Account(account())),
        };
        Actor { subject: importer.subject.clone(), roles: vec![role], scope }
    }
}
