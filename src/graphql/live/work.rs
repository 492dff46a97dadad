//! The workers that execute for groups. A fixed number: an event starts no task of its own, and
//! however much happens, the database is asked by so many at a time.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::group::Group;

/// Hands groups that have something to execute to workers.
#[derive(Debug)]
pub struct Work(Vec<UnboundedSender<Weak<Group>>>);

impl Work {
    /// So many workers; they end with what hands them work.
    pub fn start(workers: usize) -> Self {
        let start = |_| {
            let (give, take) = unbounded_channel();
            tokio::spawn(work(take));
            give
        };
        Self((0..workers.max(1)).map(start).collect())
    }

    /// Has a group executed; a group is given once until it has run.
    pub fn give(&self, group: &Arc<Group>) {
        // Always the same worker: one that waits for the database keeps some groups waiting, not all.
        let worker = usize::try_from(group.id).unwrap_or(0) % self.0.len();
        // A worker that is gone has been ended with the hub.
        let _ = self.0[worker].send(Arc::downgrade(group));
    }
}

async fn work(mut groups: UnboundedReceiver<Weak<Group>>) {
    while let Some(group) = groups.recv().await {
        if let Some(group) = group.upgrade() {
            group.run().await;
        }
    }
}
