//! What an order is known by from the outside: the stage it is in, and what it is a double of.

use rust_decimal::Decimal;

use super::{Order, OrderStatus};
use crate::domain::codes::codes;

use OrderStatus::*;

codes! {
    /// The stage of the process an order is in, coarser than its status and finer than its end.
    Stage {
        /// Waits to be reviewed.
        Intake = "INTAKE",
        /// Under review, or back for clarification.
        Review = "REVIEW",
        /// Approved; waits for units to take it.
        Allocation = "ALLOCATION",
        /// Units are at work; nothing has left yet.
        Execution = "EXECUTION",
        /// Something has left for the customer; not all is confirmed.
        Delivery = "DELIVERY",
        /// Completed.
        Completed = "COMPLETED",
        /// Rejected, cancelled or expired.
        Ended = "ENDED",
    }
}

impl Order {
    /// The stage it is in.
    pub fn stage(&self) -> Stage {
        match self.status {
            Submitted => Stage::Intake,
            UnderReview | ClarificationRequested => Stage::Review,
            Approved => Stage::Allocation,
            InProgress | CancellationPending if self.has_dispatched() => Stage::Delivery,
            InProgress | CancellationPending => Stage::Execution,
            Completed => Stage::Completed,
            Rejected | Cancelled | Expired => Stage::Ended,
        }
    }

    /// Equal for orders with the same products in the same quantities: what a duplicate is
    /// suspected by.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut lines: Vec<String> = self
            .lines
            .iter()
            // Lines that were taken out again.
            .filter(|line| line.quantities.ordered > Decimal::ZERO)
            .map(|line| {
                let what = line.sku.as_deref().or(line.category.as_deref()).unwrap_or_default();
                format!("{what}\u{1f}{}", line.quantities.ordered.normalize())
            })
            .collect();
        lines.sort_unstable();
        format!("{:.32x}", Sha256::digest(lines.join("\u{1e}")))
    }
}
