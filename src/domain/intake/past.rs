//! Orders of the past, taken over from elsewhere: kept with their own dates, for whoever looks back. They were handled
//! under no rules of ours: no review, no unit, no stock and no settlement is theirs.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{IntakeFacts, Submission, submit};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::money;
use crate::domain::order::{HANDLED_ELSEWHERE, Order, OrderStatus};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

codes! {
    /// How an order of the past ended.
    PastStatus {
        /// Everything reached the customer.
        Completed = "COMPLETED",
        /// Nothing did.
        Cancelled = "CANCELLED",
    }
}

/// When and how an order of the past ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// How.
    pub status: PastStatus,
    /// When it was placed.
    pub submitted_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
}

/// Records an order of the past, or says everything that is wrong with it. It is checked as of the day it was placed.
pub fn record(submission: Submission, past: Past, facts: IntakeFacts<'_>) -> Result<(Order, EventKind), Refusals> {
    let mut refusals = Refusals::default();
    refusals.require(past.submitted_at <= past.completed_at, || {
        Refusal::new(Code::Malformed, "R1.4", "It ended before it was placed.").at("completedAt")
    });
    refusals.require(past.completed_at <= facts.now, || {
        Refusal::new(Code::Malformed, "R1.4", "It ends in the future.").at("completedAt")
    });
    let outcome = submit(submission, IntakeFacts { now: past.submitted_at, ..facts });
    let (mut order, _) = match outcome {
        Ok(taken) => taken,
        Err(others) => {
            refusals.0.extend(others.0);
            return Err(refusals);
        }
    };
    refusals.into_result()?;
    order.rule_set_version = HANDLED_ELSEWHERE;
    let currency = order.currency;
    for line in &mut order.lines {
        // What nobody can be asked about any more keeps its price, too.
        line.total = money::round_to_minor(line.extended(), currency);
        let counts = &mut line.quantities;
        match past.status {
            PastStatus::Completed => {
                let all = counts.ordered;
                counts.allocated = all;
                counts.passed = all;
                counts.dispatched = all;
                counts.delivered = all;
                counts.confirmed = all;
            }
            PastStatus::Cancelled => {
                counts.cancelled = counts.ordered;
                counts.allocated = Decimal::ZERO;
            }
        }
    }
    (order.status, order.completed_at) = match past.status {
        PastStatus::Completed => (OrderStatus::Completed, Some(past.completed_at)),
        PastStatus::Cancelled => (OrderStatus::Cancelled, None),
    };
    Ok((order, EventKind::OrderRecorded))
}
