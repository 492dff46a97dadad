//! What the hub counts, for those who run it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts of one node since its start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Subscriptions that are open.
    pub subscriptions: AtomicI64,
    /// Groups that are alive.
    pub groups: AtomicI64,
    /// Events that concerned a group, once per group.
    pub matches: AtomicU64,
    /// Updates that were executed: the same as `matches`, but for what is read anew or conflated.
    pub executions: AtomicU64,
    /// Results that were handed to subscribers.
    pub deliveries: AtomicU64,
    /// Times a subscriber read the log.
    pub catch_ups: AtomicU64,
    /// Subscriptions ended because their subscriber was too slow.
    pub slow_consumers: AtomicU64,
    /// Subscriptions ended because their caller lost rights.
    pub revocations: AtomicU64,
    /// Subscriptions ended because the log began anew.
    pub resyncs: AtomicU64,
}

impl Stats {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
