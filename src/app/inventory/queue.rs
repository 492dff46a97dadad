//! What the clock does for those who wait: what nobody begins to work on in time becomes free, and what
//! is free goes to those who wait.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;

use super::{OnStock, Waiters, ask_to_replenish};
use crate::app::command::Command;
use crate::app::due::{AT_ONCE, each};
use crate::app::{Failure, Session};
use crate::domain::event::EventKind;
use crate::domain::ids::StockItemId;
use crate::domain::permission::Action;
use crate::store::{Result, StoreError, Work, inventory};

/// Free what is reserved at a stock item for shares nobody began to work on in time (R4.2). Those who wait
/// get it, in their turn; a share that lost something waits at the end of its queue.
#[derive(Clone, Debug, Serialize)]
pub struct ExpireReservations {
    /// The stock item.
    pub stock_item_id: StockItemId,
}

impl Command for ExpireReservations {
    const ACTION: Action = Action::ExpireReservations;
    type Answer = OnStock;

    async fn run(&self, work: &Work) -> Result<OnStock> {
        let items = [self.stock_item_id];
        let due = inventory::holders(work, &items, Some(work.now())).await?;
        let mut waiters = Waiters::lock(work, &items, due).await?;
        let mut item = inventory::visible(work, self.stock_item_id).await?;
        let mut journal = Vec::new();
        if waiters.expire(work, &mut item, &mut journal).is_zero() {
            // Somebody has begun to work, or another clock was here first.
            return Err(StoreError::NotFound);
        }
        let left = waiters.fill(work, &mut item, &mut journal).await?;
        let item = work.save(item, EventKind::StockReleased).await?;
        let filled_allocation_ids = waiters.save(work).await?;
        inventory::keep_movements(work, &journal)?;
        ask_to_replenish(work, &item, left).await?;
        Ok(OnStock { stock_item_id: item.id, filled_allocation_ids })
    }
}

/// Give what is free of a stock item to those who wait for it: what a cancelled order gave back, for
/// instance (R4.3).
#[derive(Clone, Debug, Serialize)]
pub struct FillBackorders {
    /// The stock item.
    pub stock_item_id: StockItemId,
}

impl Command for FillBackorders {
    const ACTION: Action = Action::FillBackorders;
    type Answer = OnStock;

    async fn run(&self, work: &Work) -> Result<OnStock> {
        let mut waiters = Waiters::lock(work, &[self.stock_item_id], []).await?;
        let mut item = inventory::visible(work, self.stock_item_id).await?;
        item.blockers(Action::FillBackorders, work.actor()).into_result()?;
        let mut journal = Vec::new();
        let left = waiters.fill(work, &mut item, &mut journal).await?;
        if item.is_changed() {
            let item = work.save(item, EventKind::StockReserved).await?;
            let filled_allocation_ids = waiters.save(work).await?;
            inventory::keep_movements(work, &journal)?;
            ask_to_replenish(work, &item, left).await?;
            return Ok(OnStock { stock_item_id: item.id, filled_allocation_ids });
        }
        Ok(OnStock { stock_item_id: self.stock_item_id, filled_allocation_ids: Vec::new() })
    }
}

/// Frees reservations whose time is over.
pub fn expire_reservations(session: &Session) -> BoxFuture<'_, std::result::Result<usize, Failure>> {
    async {
        let due = inventory::due_items(session.app.store(), session.app.clock.now(), AT_ONCE).await?;
        each(session, due.into_iter().map(|stock_item_id| ExpireReservations { stock_item_id })).await
    }
    .boxed()
}

/// Gives what became free to those who wait.
pub fn fill_backorders(session: &Session) -> BoxFuture<'_, std::result::Result<usize, Failure>> {
    async {
        let free = inventory::fillable_items(session.app.store(), AT_ONCE).await?;
        each(session, free.into_iter().map(|stock_item_id| FillBackorders { stock_item_id })).await
    }
    .boxed()
}
