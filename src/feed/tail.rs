//! The tail: one task per node reads the log, once for everybody, and tells those whom it concerns.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::conduct::Conduct;
use super::router::{Listener, Router, Topic};
use super::{Epoch, Feed};
use crate::domain::event::Event;
use crate::store::{Result, log};

/// How long a missed hint can delay an event at most.
const POLL: Duration = Duration::from_millis(200);
/// How often the log is asked whether it is still the same.
const EPOCH_CHECK: Duration = Duration::from_secs(1);
/// Events read at a time.
const BATCH: u64 = 1_000;
/// What is remembered for those who were away for a moment.
const REMEMBERED_EVENTS: usize = 4_096;
const REMEMBERED_BYTES: usize = 4 << 20;

/// What the node knows of the end of the log.
pub struct Tail {
    state: Mutex<State>,
    tip: watch::Sender<i64>,
    oldest: AtomicI64,
    lag_milliseconds: AtomicI64,
    conduct: Conduct,
}

#[derive(Default)]
struct State {
    /// Everything up to here was told.
    tip: i64,
    router: Router,
    /// The newest events without a gap, oldest first.
    recent: VecDeque<Arc<Event>>,
    recent_bytes: usize,
}

impl Tail {
    /// A tail that knows the oldest and newest positions, and none of the events yet.
    pub fn new((oldest, newest): (i64, i64), conduct: Conduct) -> Self {
        Self {
            state: Mutex::new(State { tip: newest, ..State::default() }),
            tip: watch::Sender::new(newest),
            oldest: AtomicI64::new(oldest),
            lag_milliseconds: AtomicI64::new(0),
            conduct,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest position; every listener was told of everything up to it.
    pub fn tip(&self) -> i64 {
        *self.tip.borrow()
    }

    /// How old the newest event was when it was told of.
    pub fn lag_milliseconds(&self) -> i64 {
        self.lag_milliseconds.load(Ordering::Relaxed)
    }

    /// A receiver that is told of every new tip.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.tip.subscribe()
    }

    /// The oldest position that is kept.
    pub fn oldest(&self) -> i64 {
        self.oldest.load(Ordering::Relaxed)
    }

    /// Adds a listener; returns the position behind which it is told of everything.
    pub fn listen(&self, topics: &[Topic], listener: Arc<dyn Listener>) -> i64 {
        let mut state = self.state();
        state.router.add(topics, &listener);
        state.tip
    }

    /// Removes a listener.
    pub fn unlisten(&self, topics: &[Topic], listener: u64) {
        self.state().router.remove(topics, listener);
    }

    /// Everything after a position and up to another, if all of it is remembered.
    pub fn recent(&self, after: i64, upto: i64) -> Option<Vec<Arc<Event>>> {
        let state = self.state();
        let first = state.recent.front()?.position?;
        if after + 1 < first || upto > state.tip {
            return None;
        }
        let from = state.recent.partition_point(|event| event.position.unwrap_or(0) <= after);
        let to = state.recent.partition_point(|event| event.position.unwrap_or(0) <= upto);
        Some(state.recent.range(from..to.max(from)).cloned().collect())
    }

    /// Tells of events that follow each other, if they follow what was told.
    pub fn offer(&self, events: Vec<Event>) {
        let follows = events.first().and_then(|event| event.position) == Some(self.tip() + 1);
        if follows && !self.conduct.order_by_id {
            self.tell(events);
        }
    }

    /// Tells of events that follow each other; of those that were told already not again.
    fn tell(&self, events: Vec<Event>) {
        if let Some(last) = events.last() {
            let age = chrono::Utc::now() - last.occurred_at;
            self.lag_milliseconds.store(age.num_milliseconds(), Ordering::Relaxed);
        }
        let mut state = self.state();
        for event in events {
            let Some(position) = event.position.filter(|position| *position > state.tip) else { continue };
            let event = Arc::new(event);
            state.tip = position;
            if self.conduct.broadcast_to_all {
                state.router.broadcast(|listener| listener.hear(&event));
            } else {
                state.router.route(&event);
            }
            state.remember(event);
        }
        // Whoever reads the tip finds that everybody was told.
        self.tip.send_replace(state.tip);
    }

    /// The log does not continue from where it was.
    fn restart(&self, (oldest, newest): (i64, i64)) {
        let mut state = self.state();
        state.recent.clear();
        state.recent_bytes = 0;
        state.tip = newest;
        state.router.broadcast(|listener| listener.resync());
        self.oldest.store(oldest, Ordering::Relaxed);
        self.tip.send_replace(newest);
    }
}

impl State {
    fn remember(&mut self, event: Arc<Event>) {
        self.recent_bytes += weight(&event);
        self.recent.push_back(event);
        while self.recent.len() > REMEMBERED_EVENTS || self.recent_bytes > REMEMBERED_BYTES {
            match self.recent.pop_front() {
                Some(old) => self.recent_bytes -= weight(&old),
                None => break,
            }
        }
    }
}

/// About how many bytes of memory an event takes. An object lies in the nodes of a tree, each with room for
/// eleven fields, however few there are.
fn weight(event: &Event) -> usize {
    const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
    const USUAL_FIELDS: usize = 8;
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(fields) => {
                let nodes = fields.len().div_ceil(USUAL_FIELDS) * NODE;
                nodes + fields.iter().map(|(name, field)| name.len() + of(field)).sum::<usize>()
            }
            Value::Array(items) => items.iter().map(|item| size_of::<Value>() + of(item)).sum(),
            Value::String(text) => text.len(),
            _ => 0,
        }
    }
    size_of::<Event>() + event.note.as_ref().map_or(0, String::len) + event.audience.len() * 16 + of(&event.changes)
}

/// Follows the log until told to stop.
pub async fn follow(feed: Feed, stop: CancellationToken) {
    // On SQLite a commit is a new end of the log; on PostgreSQL the relay makes one.
    let postgres = feed.0.store.is_postgres();
    let mut hints = if postgres { feed.0.bus.log() } else { feed.0.bus.waiting() };
    let mut checked = Instant::now();
    let mut fails = false;
    loop {
        let hint = async {
            let hint = hints.next().await;
            matches!(hint, super::bus::Hint::UpTo(position) if position <= feed.tip())
        };
        let poll = async {
            if feed.0.conduct.trust_hints {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(POLL).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            known = hint => if known { continue },
            () = poll => {}
        }
        let outcome = async {
            if checked.elapsed() >= EPOCH_CHECK || fails {
                checked = Instant::now();
                is_the_same(&feed).await?;
            }
            look(&feed).await
        };
        match outcome.await {
            Ok(()) => fails = false,
            Err(error) if fails => tracing::debug!(%error, "the log still cannot be read"),
            Err(error) => {
                tracing::warn!(%error, "the log cannot be read");
                fails = true;
            }
        }
    }
}

/// Reads what is new and tells of it.
async fn look(feed: &Feed) -> Result<()> {
    let tail = &feed.0.tail;
    loop {
        let tip = tail.tip();
        let events = if feed.0.conduct.order_by_id {
            log::by_id_after(&feed.0.store, tip, BATCH).await?
        } else {
            log::all_after(&feed.0.store, tip, i64::MAX, BATCH).await?
        };
        let full = events.len() as u64 == BATCH;
        if let Some(first) = events.first().and_then(|event| event.position)
            && first != tip + 1
            && !feed.0.conduct.order_by_id
        {
            tracing::error!(tip, first, "the log has a gap: everybody begins anew");
            tail.restart(log::bounds(&feed.0.store).await?);
            return Ok(());
        }
        if !events.is_empty() {
            tail.tell(events);
        }
        if !full {
            return Ok(());
        }
    }
}

/// Begins anew when the log is another one than before, as after a restore.
async fn is_the_same(feed: &Feed) -> Result<()> {
    let (store, tail) = (&feed.0.store, &feed.0.tail);
    // Read first: meanwhile the relay may tell of more.
    let tip = tail.tip();
    let bounds = log::bounds(store).await?;
    let name = log::epoch(store).await?;
    if name != feed.epoch().name {
        tracing::warn!("the log has a new epoch: everybody begins anew");
        let epoch = Arc::new(Epoch::read(store).await?);
        *feed.0.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        tail.restart(bounds);
    } else if bounds.1 < tip && !feed.0.conduct.order_by_id {
        tracing::error!(known = tip, found = bounds.1, "the log ends before what was told of it: begin anew");
        tail.restart(bounds);
    } else {
        tail.oldest.store(bounds.0, Ordering::Relaxed);
    }
    Ok(())
}
