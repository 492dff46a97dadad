//! Those who wait for stock.

use async_graphql::{Context, ID, Object, Result};

use super::{Backorder, ReplenishmentRequest, StockTransfer, replenishment_request, stock_transfer};
use crate::domain::inventory as domain;
use crate::domain::inventory::SupplyKind;
use crate::graphql::connection::connection;
use crate::graphql::context::int;
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::allocation::{Allocation, allocation};
use crate::graphql::types::order::{Order, order};
use crate::graphql::types::wrapper;

wrapper! {
    /// Somebody who waits.
    QueuedBackorder(domain::Place)
}
connection!(QueuedBackorderConnection, QueuedBackorderEdge, QueuedBackorder, "those who wait for stock");

/// A backorder with its place among all that wait for the same stock item, and what will cover it (R4.3).
/// Urgent orders come first, then older backorders; what comes in is given out in that order.
#[macros::written]
#[Object]
impl QueuedBackorder {
    /// Opaque global id of the backorder; for caches, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.backorder.id)
    }

    /// What is waited for.
    async fn backorder(&self) -> Backorder {
        Backorder(self.0.backorder.clone())
    }

    /// How much is still missing, in the product's unit of measure.
    async fn missing(&self) -> Decimal {
        self.0.backorder.missing().into()
    }

    /// Whose it is; null when the caller may not see it.
    async fn allocation(&self, ctx: &Context<'_>) -> Result<Option<Allocation>> {
        allocation(ctx, self.0.allocation_id).await
    }

    /// The order it is for; null when the caller may not see it.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.order_id).await
    }

    /// 1 for the one whose turn is next.
    async fn position(&self) -> i32 {
        int(self.0.position)
    }

    /// How much those before it wait for, in the product's unit of measure.
    async fn ahead(&self) -> Decimal {
        self.0.ahead.into()
    }

    /// When the last of it is expected; null where no supply is known that covers it, or nobody has said when
    /// that comes.
    async fn expected_at(&self) -> Option<DateTime> {
        self.0.supply.and_then(|supply| supply.expected_at).map(Into::into)
    }

    /// The request with which the last of it comes; null where it is a transfer or nothing.
    async fn replenishment_request(&self, ctx: &Context<'_>) -> Result<Option<ReplenishmentRequest>> {
        match self.0.supply.filter(|supply| supply.coming.kind == SupplyKind::Replenishment) {
            Some(supply) => replenishment_request(ctx, supply.coming.id.into()).await,
            None => Ok(None),
        }
    }

    /// The transfer with which the last of it comes; null where it is a request or nothing.
    async fn transfer(&self, ctx: &Context<'_>) -> Result<Option<StockTransfer>> {
        match self.0.supply.filter(|supply| supply.coming.kind == SupplyKind::Transfer) {
            Some(supply) => stock_transfer(ctx, supply.coming.id.into()).await,
            None => Ok(None),
        }
    }

    /// The kind of supply that will cover it; null where none is known.
    async fn supply(&self) -> Option<SupplyKind> {
        self.0.supply.map(|supply| supply.coming.kind)
    }

    /// Its place and what will cover it, in words.
    async fn explanation(&self) -> String {
        self.0.explanation()
    }
}
