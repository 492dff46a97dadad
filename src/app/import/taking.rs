//! Takes orders of a file, many in one transaction: the same rules as for one, with what they ask for read at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::file::{FileOrder, Staged, brief};
use crate::app::command::{Command, digest};
use crate::app::intake::{SubmitOrder, Submitted};
use crate::domain::actor::{Actor, Scope};
use crate::domain::event::EventKind;
use crate::domain::ids::{ImportBatchId, OrderId};
use crate::domain::import::{Columns, Fault, ImportBatch, ImportCounts, ReadOrder};
use crate::domain::intake::{self, IntakeFacts};
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::store::intake::{ManyFacts, ManyNamed, many_facts};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, idempotency, import};

/// Orders of one transaction, unless they have many lines.
pub(super) const ORDERS_AT_ONCE: usize = 250;
/// Rows of one transaction, about.
pub(super) const ROWS_AT_ONCE: usize = 1_000;

/// A digest, cut short.
type Brief = [u8; 16];
/// A submission by channel and reference: in which place of the file it is, and what it says.
type Sighting = (Brief, (i64, Brief));

/// Submissions that were only checked.
pub(super) type Seen = Arc<Mutex<HashMap<Brief, (i64, Brief)>>>;

/// What came of some orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Handled {
    /// What is counted of the import now.
    Counted(ImportCounts),
    /// The import is somebody else's by now, or over: the worker stops.
    Lost,
}

/// Check or take some orders of a file, and count them in the same transaction.
#[derive(Clone, Serialize)]
pub(super) struct HandleOrders {
    /// The import.
    pub(super) batch_id: ImportBatchId,
    /// Who works on it.
    pub(super) worker: Uuid,
    /// Orders of the file before these.
    pub(super) from: i64,
    /// The orders.
    #[serde(skip)]
    pub(super) orders: Arc<Vec<FileOrder>>,
    /// The file they are of.
    #[serde(skip)]
    pub(super) staged: Arc<Staged>,
    /// What was checked before, when they are only checked.
    #[serde(skip)]
    pub(super) checked: Option<Seen>,
}

impl Command for HandleOrders {
    const ACTION: Action = Action::ImportOrders;
    type Answer = Handled;

    async fn run(&self, work: &Work) -> Result<Handled> {
        let mut batch = work.find::<ImportBatch>(self.batch_id.0).await?;
        if !batch.is_with(self.worker) || batch.counts.handled != self.from {
            return Ok(Handled::Lost);
        }
        let taker = Taker { work, batch: &batch, columns: self.staged.columns(), checked: self.checked.as_ref() };
        let counts = taker.handle(&self.orders, batch.counts).await?;
        let happening = batch.progress(counts, false, work.now());
        work.save(batch, happening).await?;
        Ok(Handled::Counted(counts))
    }
}

/// Take every order of a file, or none. It is refused when one is bad: a check finds out which.
#[derive(Clone, Serialize)]
pub(super) struct TakeAll {
    /// The import.
    pub(super) batch_id: ImportBatchId,
    /// Who works on it.
    pub(super) worker: Uuid,
    /// The file.
    #[serde(skip)]
    pub(super) staged: Arc<Staged>,
}

impl Command for TakeAll {
    const ACTION: Action = Action::ImportOrders;
    type Answer = Handled;

    async fn run(&self, work: &Work) -> Result<Handled> {
        // Without a lock: the import can be cancelled until the last moment.
        let batch = import::glimpse(work, self.batch_id).await?;
        let mut counts = ImportCounts { handled: 0, taken: 0, duplicates: 0, refused: 0, faults: 0, ..batch.counts };
        let mut from = 0;
        while from < self.staged.orders() {
            let staged = self.staged.clone();
            let reading = tokio::task::spawn_blocking(move || staged.some(from, ORDERS_AT_ONCE, ROWS_AT_ONCE));
            let orders = reading
                .await
                .map_err(|error| StoreError::Corrupt(error.to_string()))?
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            from += orders.len();
            let taker = Taker { work, batch: &batch, columns: self.staged.columns(), checked: None };
            counts = taker.handle(&orders, counts).await?;
            if counts.refused > 0 {
                return Err(StoreError::Refused(Refusals::default()));
            }
            work.spill().await?;
        }
        let mut batch = work.find::<ImportBatch>(self.batch_id.0).await?;
        if !batch.is_with(self.worker) {
            return Err(StoreError::NotFound);
        }
        batch.progress(counts, false, work.now());
        let happening = batch.finish(work.now());
        import::forget_file(work, self.batch_id).await?;
        work.save(batch, happening).await?;
        Ok(Handled::Counted(counts))
    }
}

/// What becomes of an order of a file.
enum Outcome {
    Taken(Box<Order>, EventKind),
    Duplicate,
    Bad(Vec<Fault>),
}

/// Handles orders of one import within one transaction.
struct Taker<'a> {
    work: &'a Work,
    batch: &'a ImportBatch,
    columns: Option<&'a Columns>,
    checked: Option<&'a Seen>,
}

impl Taker<'_> {
    async fn handle(&self, orders: &[FileOrder], mut counts: ImportCounts) -> Result<ImportCounts> {
        let mut named = named(orders);
        let account = |channel: intake::Channel| match self.batch.submitter(self.work.actor(), channel).scope {
            Scope::Account(account) => Some((channel, account)),
            _ => None,
        };
        named.accounts = intake::Channel::ALL.iter().filter_map(|channel| account(*channel)).collect();
        let mut facts = many_facts(self.work, &named).await?;
        let mut seen = Vec::new();
        for order in orders {
            let place = counts.handled;
            counts.handled += 1;
            let outcome = match &order.read {
                Ok(read) => self.decide(read, place, &mut facts, &mut seen)?,
                Err(faults) => Outcome::Bad(faults.clone()),
            };
            match outcome {
                Outcome::Taken(order, happening) => {
                    counts.taken += 1;
                    if self.checked.is_none() {
                        self.work.save(Tracked::new(*order), happening).await?;
                    }
                }
                Outcome::Duplicate => counts.duplicates += 1,
                Outcome::Bad(faults) => {
                    counts.refused += 1;
                    counts.faults += i64::try_from(faults.len()).unwrap_or(0);
                    import::keep_faults(self.work, self.batch.id, &order.rows, &faults)?;
                }
            }
        }
        if let Some(checked) = self.checked {
            checked.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
        }
        Ok(counts)
    }

    fn decide(&self, read: &ReadOrder, place: i64, facts: &mut ManyFacts, seen: &mut Vec<Sighting>) -> Result<Outcome> {
        let submitter = self.batch.submitter(self.work.actor(), read.submission.channel);
        let digest = match &read.past {
            None => digest(&(&read.submission, &submitter.scope_name())),
            Some(past) => digest(&(&read.submission, &submitter.scope_name(), past)),
        };
        let digest = digest.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let key = match self.key(read, facts)? {
            Key::None => None,
            Key::New(digest) => Some(digest),
            Key::Known => return Ok(Outcome::Duplicate),
            Key::Reused => {
                let message = "This key was used with other arguments; use a new key for a new request.";
                let refusal = Refusal::new(RefusalCode::IdempotencyKeyReused, "R1.3", message).at("idempotencyKey");
                return Ok(Outcome::Bad(self.faults(read, &refusal.into())));
            }
        };
        let reference = read.submission.external_reference.clone().unwrap_or_default();
        let pair = (read.submission.channel, reference);
        if let Some(same) = self.former(&pair, &digest, place, facts, seen) {
            if same {
                return Ok(Outcome::Duplicate);
            }
            let message =
                "Another submission on this channel carries this reference; use a reference of its own for each order.";
            let refusal = Refusal::new(RefusalCode::ExternalReferenceConflict, "R1.3", message).at("externalReference");
            return Ok(Outcome::Bad(self.faults(read, &refusal.into())));
        }
        let order = match self.order(read, &submitter, digest.clone(), facts) {
            Ok(order) => order,
            Err(refusals) => return Ok(Outcome::Bad(self.faults(read, &refusals))),
        };
        let (order, happening) = order;
        if let (Some((key, arguments)), None) = (key, self.checked) {
            let answer = serde_json::to_value(Submitted { order_id: order.id, duplicate: false })?;
            idempotency::keep(self.work, &key, Action::SubmitOrder, &arguments, answer)?;
            facts.keys.insert(key, arguments);
        }
        facts.former.insert(pair, (order.id, digest));
        Ok(Outcome::Taken(Box::new(order), happening))
    }

    fn order(
        &self,
        read: &ReadOrder,
        submitter: &Actor,
        digest: String,
        facts: &ManyFacts,
    ) -> std::result::Result<(Order, EventKind), Refusals> {
        let mut submission = read.submission.clone();
        if read.is_lenient {
            intake::soften(&mut submission, |sku| facts.products.contains_key(sku));
        }
        let customer = match (&submitter.scope, &submission.customer_number) {
            (Scope::Nothing, _) | (_, None) => None,
            (_, Some(number)) => facts.customers.get(number),
        };
        let given = IntakeFacts {
            actor: submitter,
            customer,
            products: &facts.products,
            now: self.work.now(),
            rule_set_version: facts.rule_set_version,
            digest,
            order_id: self.work.id::<OrderId>(),
            line_ids: submission.lines.iter().map(|_| self.work.id()).collect(),
        };
        match read.past {
            Some(past) => intake::record(submission, past, given),
            None => intake::submit(submission, given),
        }
    }

    /// Was the same channel and reference here before, in the database or in the part of the file that was only checked;
    /// and with the same content?
    fn former(
        &self,
        pair: &(intake::Channel, String),
        digest: &str,
        place: i64,
        facts: &ManyFacts,
        seen: &mut Vec<Sighting>,
    ) -> Option<bool> {
        if let Some((_, former)) = facts.former.get(pair) {
            return Some(former == digest);
        }
        let checked = self.checked?;
        let (name, content) = (brief(&format!("{}\u{1f}{}", pair.0, pair.1)), brief(digest));
        let checked = checked.lock().unwrap_or_else(PoisonError::into_inner);
        match checked.get(&name) {
            // What was looked at in an attempt that was undone is not another order.
            Some((at, former)) if *at < place => Some(*former == content),
            _ => {
                seen.push((name, (place, content)));
                None
            }
        }
    }

    fn key(&self, read: &ReadOrder, facts: &ManyFacts) -> Result<Key> {
        let Some(key) = &read.idempotency_key else { return Ok(Key::None) };
        let asked = SubmitOrder { submission: read.submission.clone() };
        let arguments = digest(&asked).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(match facts.keys.get(key) {
            Some(former) if *former == arguments => Key::Known,
            Some(_) => Key::Reused,
            None => Key::New((key.clone(), arguments)),
        })
    }

    fn faults(&self, read: &ReadOrder, refusals: &Refusals) -> Vec<Fault> {
        let told = |refusal: &Refusal| match self.columns {
            Some(columns) => columns.fault(&read.rows, refusal),
            None => Fault {
                row: read.rows.first().copied().unwrap_or_default(),
                column: (!refusal.path.is_empty()).then(|| refusal.path.join(".")),
                code: refusal.code.code().to_owned(),
                message: refusal.message.clone(),
            },
        };
        refusals.0.iter().map(told).collect()
    }
}

/// What there is of a submitter's key.
enum Key {
    None,
    New((String, String)),
    Known,
    Reused,
}

fn named(orders: &[FileOrder]) -> ManyNamed {
    let mut named = ManyNamed::default();
    let mut references = BTreeSet::new();
    for read in orders.iter().filter_map(|order| order.read.as_ref().ok()) {
        let submission = &read.submission;
        if let Some(reference) = &submission.external_reference {
            references.insert((submission.channel, reference.clone()));
        }
        named.keys.extend(read.idempotency_key.clone());
        named.customers.extend(submission.customer_number.clone());
        named.skus.extend(submission.lines.iter().filter_map(|line| line.sku.clone()));
    }
    named.references = references.into_iter().collect();
    named
}
