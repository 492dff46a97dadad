//! Amendments: changes of an order before a unit is at work on it.

use serde::Serialize;

use super::command::Command;
use super::review::{Facts, OnOrder};
use crate::domain::amendment::Amendment;
use crate::domain::event::EventKind;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::domain::permission::Action;
use crate::domain::review;
use crate::store::{Result, Work, review as cases};

/// Change an order. What a review looks at is reviewed again, and former approvals hold no more (R2.6).
#[derive(Clone, Debug, Serialize)]
pub struct AmendOrder {
    /// The order.
    pub order_id: OrderId,
    /// What is to change.
    pub amendment: Amendment,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AmendOrder {
    const ACTION: Action = Action::AmendOrder;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let answer = OnOrder { order_id: self.order_id };
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let amended = order.amend(work.actor(), &self.amendment, work.now().date_naive())?;
        if !amended.changed {
            return Ok(answer);
        }
        let case = match order.status {
            OrderStatus::Submitted => None,
            _ if amended.reviewed => Some(cases::of_order(work, self.order_id).await?),
            _ => None,
        };
        if let Some(mut case) = case {
            let facts = Facts::gather(work, &order).await?;
            let reason = "The order was changed by whoever placed it.";
            let happening = review::invalidate(&mut order, &mut case, &work.act(), &facts.checks(), reason);
            work.save(case, happening).await?;
        }
        work.save(order, EventKind::OrderAmended).await?;
        Ok(answer)
    }
}
