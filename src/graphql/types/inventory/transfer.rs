//! Transfers between warehouses.

// Fields are called as people speak of them: goods come from somewhere; nothing is converted.
#![allow(clippy::wrong_self_convention)]

use async_graphql::{Context, ID, Object, Result};

use super::{StockItem, stock_item};
use crate::app::read;
use crate::domain::ids::StockTransferId;
use crate::domain::inventory as domain;
use crate::domain::inventory::TransferStatus;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::actions::{self, AvailableAction};
use crate::graphql::types::reference::{Person, Product, Unit, person, product, unit};
use crate::graphql::types::wrapper;

wrapper! {
    /// A transfer.
    StockTransfer(domain::StockTransfer)
}
connection!(StockTransferConnection, StockTransferEdge, StockTransfer, "transfers between warehouses");

/// Goods on their way from one warehouse to another (R4.3). Counts are in the product's unit of measure.
#[macros::written]
#[Object]
impl StockTransfer {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The number people use.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// What is transferred.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// The stock item it comes from; null when the caller may not see it.
    async fn from_stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.from_item_id).await
    }

    /// The warehouse it comes from.
    async fn from_warehouse(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.from_warehouse_id).await
    }

    /// The stock item it goes to; null when the caller may not see it.
    async fn to_stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.to_item_id).await
    }

    /// The warehouse it goes to.
    async fn to_warehouse(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.to_warehouse_id).await
    }

    /// How much.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// How much of it arrived.
    async fn received(&self) -> Decimal {
        self.0.received.into()
    }

    /// How much of it is on its way.
    async fn in_transit(&self) -> Decimal {
        self.0.in_transit().into()
    }

    /// How much left and never arrived: what was given up when the transfer was closed short.
    async fn lost(&self) -> Decimal {
        self.0.lost().into()
    }

    /// Where it stands.
    async fn status(&self) -> TransferStatus {
        self.0.status
    }

    /// Why it is wanted.
    async fn reason(&self) -> Option<&String> {
        self.0.reason.as_ref()
    }

    /// When it is expected to arrive; null where nobody has said.
    async fn expected_at(&self) -> Option<DateTime> {
        self.0.expected_at.map(Into::into)
    }

    /// Who asked for it.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.requested_by).await
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }

    /// Who sent it; null before.
    async fn dispatched_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        match &self.0.dispatched_by {
            Some(subject) => person(ctx, subject).await,
            None => Ok(None),
        }
    }

    /// When it was sent; null before.
    async fn dispatched_at(&self) -> Option<DateTime> {
        self.0.dispatched_at.map(Into::into)
    }

    /// Why it was cancelled or closed short.
    async fn ended_reason(&self) -> Option<&String> {
        self.0.ended_reason.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way. Whether there is enough to
    /// send shows when it is sent.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_transfer(actor, &self.0)))
    }
}

/// A transfer by id, if it exists for the caller.
pub async fn stock_transfer(ctx: &Context<'_>, id: StockTransferId) -> Result<Option<StockTransfer>> {
    let found = read::inventory::transfers_by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(StockTransfer::from))
}
