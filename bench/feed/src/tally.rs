//! What the subscribers received: how much, how late, and whether anything was lost, doubled or
//! out of order.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::sync::Notify;

use crate::frame;
use crate::histogram::Histogram;

const SEQUENCE: &[u8] = b"\"sequence\":";
const CURSOR: &[u8] = b"\"cursor\":\"";

/// Which moment an arrival is measured from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// All follow the same: by the number of the event.
    Shared,
    /// Each follows its own: by the number of the subscriber.
    Own,
}

/// What went wrong. All zero, or the figures mean nothing.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Events that a subscriber never got although it got later ones.
    pub gaps: u64,
    /// Events that a subscriber got again, or after later ones.
    pub doubles: u64,
    /// Messages in which no event was found, and errors.
    pub unreadable: u64,
    /// Sockets that ended, by close code (1006: without one).
    pub closed: BTreeMap<u16, u64>,
    /// The first message that was no event.
    pub example: Option<String>,
}

/// Where each subscriber stands.
#[derive(Clone, Default)]
pub struct Positions {
    /// Its last cursor, if they are kept.
    pub cursors: Vec<Option<Box<str>>>,
    /// The sequence that must come next; 0 before the first event.
    pub next: Vec<u64>,
}

/// Counts for all subscribers of one crowd.
pub struct Tally {
    inner: Mutex<Inner>,
    reached: Notify,
}

struct Inner {
    clock: Clock,
    /// The next sequence of each subscriber; 0 before its first event.
    next: Vec<u64>,
    /// Where the events' numbers begin for the shared clock.
    base: u64,
    started: Vec<Option<Instant>>,
    received: u64,
    target: u64,
    begun: u64,
    first: Option<Instant>,
    last: Option<Instant>,
    latency: Histogram,
    spread: Histogram,
    faults: Faults,
    sample: Option<Vec<u8>>,
    cursors: Option<Vec<Option<Box<str>>>>,
    /// Where the sequence was in the last message: it hardly moves.
    hint: usize,
}

/// What was received since the last time somebody asked.
#[derive(Default)]
pub struct Received {
    /// Messages.
    pub messages: u64,
    /// When the first of them came.
    pub first: Option<Instant>,
    /// From the first to the last of them.
    pub sweep: Duration,
    /// How long after its event each came.
    pub latency: Histogram,
    /// How long after the first of them each came.
    pub spread: Histogram,
}

impl Tally {
    /// Nothing received yet. `cursors` says whether to keep each subscriber's last one.
    pub fn new(clock: Clock, subscribers: usize, cursors: bool) -> Self {
        Self {
            inner: Mutex::new(Inner {
                clock,
                next: vec![0; subscribers],
                base: 0,
                started: if clock == Clock::Own { vec![None; subscribers] } else { Vec::new() },
                received: 0,
                target: u64::MAX,
                begun: 0,
                first: None,
                last: None,
                latency: Histogram::default(),
                spread: Histogram::default(),
                faults: Faults::default(),
                sample: None,
                cursors: cursors.then(|| vec![None; subscribers]),
                hint: 0,
            }),
            reached: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A subscriber received a result.
    pub fn next(&self, subscriber: usize, message: &[u8]) {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.next(subscriber, message, now);
        if inner.received >= inner.target {
            inner.target = u64::MAX;
            self.reached.notify_one();
        }
    }

    /// A subscriber received something that is no result and ends its subscription.
    pub fn unreadable(&self, message: &[u8]) {
        self.lock().unreadable(message);
    }

    /// A socket ended without being told to.
    pub fn closed(&self, code: u16) {
        *self.lock().faults.closed.entry(code).or_default() += 1;
    }

    /// The events `from` and `count - 1` behind it begin now, for all.
    pub fn begin_shared(&self, from: u64, count: u64, now: Instant) {
        let mut inner = self.lock();
        if inner.started.is_empty() {
            inner.base = from;
        }
        let Some(start) = from.checked_sub(inner.base).and_then(|start| usize::try_from(start).ok()) else { return };
        let end = start + usize::try_from(count).unwrap_or(0);
        if inner.started.len() < end {
            inner.started.resize(end, None);
        }
        inner.started[start..end].fill(Some(now));
    }

    /// An event begins now for each of these subscribers.
    pub fn begin_own(&self, subscribers: &[usize], now: Instant) {
        let mut inner = self.lock();
        for subscriber in subscribers {
            inner.started[*subscriber] = Some(now);
        }
    }

    /// Those who never received an event yet.
    pub fn silent(&self) -> Vec<usize> {
        let inner = self.lock();
        (0..inner.next.len()).filter(|subscriber| inner.next[*subscriber] == 0).collect()
    }

    /// Waits until so many more messages have come than when this was called first after
    /// [`Tally::take`] or another wait.
    pub async fn wait_for(&self, messages: u64, patience: Duration) -> anyhow::Result<()> {
        {
            let mut inner = self.lock();
            inner.begun += messages;
            if inner.received >= inner.begun {
                return Ok(());
            }
            inner.target = inner.begun;
        }
        // A permit may be left over from a target that was reached just as nobody waited any more.
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let timely = tokio::time::timeout_at(deadline, self.reached.notified()).await.is_ok();
            let mut inner = self.lock();
            if inner.received >= inner.begun {
                return Ok(());
            }
            inner.target = inner.begun;
            if !timely {
                bail!(
                    "of {} messages {} are missing after {patience:?}; {:?}",
                    inner.begun,
                    inner.begun - inner.received,
                    inner.faults
                );
            }
        }
    }

    /// What has come since the last time, and begins anew; waits count from here.
    pub fn take(&self) -> Received {
        let mut inner = self.lock();
        let received = Received {
            messages: inner.received,
            first: inner.first,
            sweep: inner.first.zip(inner.last).map_or(Duration::ZERO, |(first, last)| last - first),
            latency: std::mem::take(&mut inner.latency),
            spread: std::mem::take(&mut inner.spread),
        };
        (inner.received, inner.begun, inner.first, inner.last) = (0, 0, None, None);
        received
    }

    /// When the newest message came.
    pub fn last(&self) -> Option<Instant> {
        self.lock().last
    }

    /// What went wrong so far.
    pub fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// The first result that came, as it came.
    pub fn sample(&self) -> Option<Vec<u8>> {
        self.lock().sample.clone()
    }

    /// Where each subscriber stands.
    pub fn positions(&self) -> Positions {
        let inner = self.lock();
        Positions { cursors: inner.cursors.clone().unwrap_or_default(), next: inner.next.clone() }
    }

    /// Each subscriber goes on where it left off in another crowd.
    pub fn expect(&self, next: Vec<u64>) {
        self.lock().next = next;
    }
}

impl Inner {
    fn next(&mut self, subscriber: usize, message: &[u8], now: Instant) {
        let Some(sequence) = self.sequence(message) else {
            self.unreadable(message);
            return;
        };
        let Some(next) = self.next.get_mut(subscriber) else {
            self.unreadable(message);
            return;
        };
        if *next != 0 && sequence > *next {
            self.faults.gaps += sequence - *next;
        } else if sequence < *next {
            self.faults.doubles += 1;
        }
        *next = (*next).max(sequence + 1);
        let slot = match self.clock {
            Clock::Own => Some(subscriber),
            Clock::Shared => sequence.checked_sub(self.base).and_then(|slot| usize::try_from(slot).ok()),
        };
        if let Some(started) = slot.and_then(|slot| self.started.get(slot)).copied().flatten() {
            self.latency.record(now.saturating_duration_since(started));
        }
        self.received += 1;
        let first = *self.first.get_or_insert(now);
        self.spread.record(now.saturating_duration_since(first));
        self.last = Some(now);
        if self.sample.is_none() {
            self.sample = Some(message.to_vec());
        }
        if let Some(cursors) = &mut self.cursors {
            let cursor = frame::quoted(message, CURSOR).and_then(|cursor| std::str::from_utf8(cursor).ok());
            cursors[subscriber] = cursor.map(Box::from);
        }
    }

    fn sequence(&mut self, message: &[u8]) -> Option<u64> {
        let hinted = message.get(self.hint..).is_some_and(|rest| rest.starts_with(SEQUENCE));
        if !hinted {
            self.hint = frame::find(message, SEQUENCE)?;
        }
        frame::number(message.get(self.hint + SEQUENCE.len()..)?)
    }

    fn unreadable(&mut self, message: &[u8]) {
        self.faults.unreadable += 1;
        if self.faults.example.is_none() {
            self.faults.example = Some(String::from_utf8_lossy(message).chars().take(500).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence: u64) -> Vec<u8> {
        format!(r#"{{"cursor":"c{sequence}","sequence":{sequence}}}"#).into_bytes()
    }

    #[test]
    fn gaps_doubles_and_strangers_are_counted() {
        let tally = Tally::new(Clock::Shared, 2, true);
        for (subscriber, sequence) in [(0, 5), (0, 6), (1, 5), (0, 9), (0, 9), (1, 6)] {
            tally.next(subscriber, &message(sequence));
        }
        tally.next(0, b"nothing");
        let faults = tally.faults();
        assert_eq!((faults.gaps, faults.doubles, faults.unreadable), (2, 1, 1));
        assert_eq!(tally.take().messages, 6);
        let positions = tally.positions();
        assert_eq!(positions.cursors, [Some("c9".into()), Some("c6".into())]);
        assert_eq!(positions.next, [10, 7]);
    }

    #[tokio::test]
    async fn a_wait_ends_when_all_is_there() {
        let tally = Tally::new(Clock::Shared, 1, false);
        tally.begin_shared(1, 2, Instant::now());
        tally.next(0, &message(1));
        tally.wait_for(1, Duration::from_secs(1)).await.expect("one has come");
        assert!(tally.wait_for(1, Duration::from_millis(10)).await.is_err());
        tally.next(0, &message(2));
        tally.wait_for(0, Duration::from_secs(1)).await.expect("the second has come");
        assert_eq!(tally.take().latency.total(), 2);
    }
}
