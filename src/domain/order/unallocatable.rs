//! The queue of orders for which no unit was found.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Order;

/// An order for which no unit was found, in whole or in part (R3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unallocatable {
    /// Since when.
    pub since: DateTime<Utc>,
    /// When the clock tries again, where the rules have it allocate.
    pub retry_at: DateTime<Utc>,
}

impl Order {
    /// Leaves the queue of those for which no unit was found, once every open quantity is allocated.
    pub fn leave_queue_if_allocated(&mut self) {
        if !self.has_unallocated() {
            self.unallocatable = None;
        }
    }
}
