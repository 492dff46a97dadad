//! The order as a whole: holds and cancellation.

use serde::Serialize;

use super::command::Command;
use super::inventory::Stock;
use super::review::OnOrder;
use crate::domain::allocation::AllocationStatus;
use crate::domain::event::EventKind;
use crate::domain::ids::{HoldId, OrderId};
use crate::domain::order::{Hold, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::domain::transition::Lifecycle;
use crate::store::{Result, Work, allocation, delivery};

/// Stop an order until the hold is released (R5.4).
#[derive(Clone, Debug, Serialize)]
pub struct PlaceHold {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: String,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for PlaceHold {
    const ACTION: Action = Action::PlaceHold;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let hold = Hold {
            id: work.id(),
            reason: self.reason.clone(),
            placed_by: work.actor().subject.clone(),
            placed_at: work.now(),
        };
        let happening = order.place_hold(work.actor(), hold)?;
        work.save(order, happening).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Release a hold; the order is where it was.
#[derive(Clone, Debug, Serialize)]
pub struct ReleaseHold {
    /// The order.
    pub order_id: OrderId,
    /// The hold.
    pub hold_id: HoldId,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReleaseHold {
    const ACTION: Action = Action::ReleaseHold;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let happening = order.release_hold(work.actor(), self.hold_id)?;
        work.save(order, happening).await?;
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Cancel an order, or ask the unit at work to agree to it (R4.3).
#[derive(Clone, Debug, Serialize)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub reason: String,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for CancelOrder {
    const ACTION: Action = Action::CancelOrder;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let happening = order.cancel(work.actor(), self.reason.clone(), work.now())?;
        let cancelled = order.status == OrderStatus::Cancelled;
        work.save(order, happening).await?;
        if cancelled {
            wind_up(work, self.order_id, Action::CancelOrder).await?;
        }
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Grant or refuse a requested cancellation.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerCancellation {
    /// The order.
    pub order_id: OrderId,
    /// Cancel it, or go on.
    pub grant: bool,
    /// The version of the order the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AnswerCancellation {
    const ACTION: Action = Action::AnswerCancellation;
    type Answer = OnOrder;

    async fn run(&self, work: &Work) -> Result<OnOrder> {
        let mut order = work.order(self.order_id).await?;
        work.expect(&order, self.expected_version)?;
        let happening = order.answer_cancellation(work.actor(), self.grant)?;
        work.save(order, happening).await?;
        if self.grant {
            wind_up(work, self.order_id, Action::AnswerCancellation).await?;
        }
        Ok(OnOrder { order_id: self.order_id })
    }
}

/// Ends everything that was going on for a cancelled order, and frees its stock once.
pub(super) async fn wind_up(work: &Work, order_id: OrderId, action: Action) -> Result<()> {
    let mut deliveries = delivery::all_of_order(work, order_id).await?;
    for mut share in allocation::all_of_order(work, order_id).await? {
        if !share.status.is_live() {
            continue;
        }
        let mut refusals = Refusals::default();
        refusals.require(share.status.permits(action, AllocationStatus::Cancelled), || {
            Refusal::new(RefusalCode::IllegalTransition, "R4.3", format!("A share of it is {}.", share.status))
        });
        refusals.into_result()?;
        let mut stock = Stock::lock_for(work, &share).await?;
        share.release(&work.act(), &mut stock.book);
        share.status = AllocationStatus::Cancelled;
        share.accept_by = None;
        let mut remaining = Vec::new();
        for mut one in deliveries {
            if one.allocation_id == share.id && one.status.admits(action) {
                let happening = one.cancel(&mut share);
                work.save(one, happening).await?;
            } else {
                remaining.push(one);
            }
        }
        deliveries = remaining;
        work.save(share, EventKind::AllocationCancelled).await?;
        stock.save(work, EventKind::StockReleased).await?;
    }
    Ok(())
}
