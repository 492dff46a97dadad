//! Messages of subscriptions. Nothing is read that is not selected.

use async_graphql::{Context, Object, Result};

use crate::domain::event::AggregateKind;
use crate::domain::ids::{AllocationId, ImportBatchId, OrderId, ReplenishmentRequestId, StockItemId, TicketId};
use crate::domain::review::QueueEntry;
use crate::graphql::context::{Answer, int, loaders};
use crate::graphql::live::update::Update;
use crate::graphql::loaders::ReviewOf;
use crate::graphql::types::allocation::{Allocation, allocation};
use crate::graphql::types::event::Event;
use crate::graphql::types::import::{ImportBatch, import_batch};
use crate::graphql::types::inventory::{ReplenishmentRequest, StockItem, replenishment_request, stock_item};
use crate::graphql::types::order::{Order, order};
use crate::graphql::types::review::ReviewQueueEntry;
use crate::graphql::types::ticket::{Ticket, ticket};

/// The event of an update that is none without one.
fn event(update: &Update) -> Result<Event> {
    update.event.clone().map(Event).ok_or_else(|| async_graphql::Error::new("an update without an event"))
}

/// About one order.
pub struct OrderProgress {
    pub order: OrderId,
    pub update: Update,
}

/// A message about one order.
#[Object]
impl OrderProgress {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.update.cursor
    }

    /// What happened; null in the snapshot that comes first.
    async fn event(&self) -> Option<Event> {
        self.update.event.clone().map(Event)
    }

    /// The order as it is now; null when it no longer exists for the caller.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.order).await
    }
}

/// About any order.
pub struct OrderEvent(pub Update);

/// A message about any order.
#[Object]
impl OrderEvent {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// What happened.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// The order as it is now; null when it does not exist for the caller.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match event(&self.0)?.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// About an order without a unit, or a unit that does not answer.
pub struct AllocationAlert(pub Update);

/// A message to those who look after allocation.
#[Object]
impl AllocationAlert {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// What happened.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// The order as it is now; null when it does not exist for the caller.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match event(&self.0)?.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The allocation whose unit did not answer, as it is now; null when it is about the order.
    async fn allocation(&self, ctx: &Context<'_>) -> Result<Option<Allocation>> {
        let event = event(&self.0)?.0;
        match event.aggregate_kind {
            AggregateKind::Allocation => allocation(ctx, AllocationId(event.aggregate_id)).await,
            _ => Ok(None),
        }
    }
}

/// About the queue of reviews.
pub struct ReviewUpdate(pub Update);

/// A message about the queue of reviews.
#[Object]
impl ReviewUpdate {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// What happened.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// The order as it is now; null when it does not exist for the caller.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match event(&self.0)?.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The order's entry in the queue as it is now; null when it has left the queue.
    async fn entry(&self, ctx: &Context<'_>) -> Result<Option<ReviewQueueEntry>> {
        let Some(order) = self.order(ctx).await? else { return Ok(None) };
        let review = loaders(ctx)?.get(ReviewOf(order.0.id)).await.answer(ctx)?;
        Ok(QueueEntry::of(order.0, review).map(Into::into))
    }
}

/// About an import.
pub struct ImportProgress(pub Update);

/// How far an import is.
#[Object]
impl ImportProgress {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// The newest step this message stands for.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// How many older steps of the import are left out in favour of this one.
    async fn skipped(&self) -> i32 {
        int(self.0.skipped)
    }

    /// The import as it is now; null when it does not exist for the caller.
    async fn import_batch(&self, ctx: &Context<'_>) -> Result<Option<ImportBatch>> {
        import_batch(ctx, ImportBatchId(event(&self.0)?.0.aggregate_id)).await
    }
}

/// About a request to replenish.
pub struct StockAlert(pub Update);

/// A message to procurement and warehouses.
#[Object]
impl StockAlert {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// What happened.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// The request to replenish, as it is now.
    async fn replenishment_request(&self, ctx: &Context<'_>) -> Result<Option<ReplenishmentRequest>> {
        replenishment_request(ctx, ReplenishmentRequestId(event(&self.0)?.0.aggregate_id)).await
    }

    /// The stock item that runs short.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        let request = replenishment_request(ctx, ReplenishmentRequestId(event(&self.0)?.0.aggregate_id)).await?;
        match request {
            Some(request) => stock_item(ctx, request.0.stock_item_id).await,
            None => Ok(None),
        }
    }
}

/// About a stock item.
pub struct StockLevel(pub Update);

/// The counts of a stock item after a change.
#[Object]
impl StockLevel {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// The newest change this message stands for.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// How many older changes of the stock item are left out in favour of this one.
    async fn skipped(&self) -> i32 {
        int(self.0.skipped)
    }

    /// The stock item as it is now; null when it does not exist for the caller.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, StockItemId(event(&self.0)?.0.aggregate_id)).await
    }
}

/// About a ticket.
pub struct TicketUpdate(pub Update);

/// A message about a ticket.
#[Object]
impl TicketUpdate {
    /// Pass it as `after` to go on behind this message.
    async fn cursor(&self) -> &str {
        &self.0.cursor
    }

    /// What happened.
    async fn event(&self) -> Result<Event> {
        event(&self.0)
    }

    /// The ticket as it is now; null when it does not exist for the caller.
    async fn ticket(&self, ctx: &Context<'_>) -> Result<Option<Ticket>> {
        ticket(ctx, TicketId(event(&self.0)?.0.aggregate_id)).await
    }
}
