//! Stock, for the group's own people. This file is the stock item and what is set aside of it.

mod product;
mod queue;
mod replenishment;
mod report;
mod stocktake;
mod transfer;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::order::{Order, order};
use super::reference::{Person, Product, Unit, person, product, unit};
use super::wrapper;
use crate::app::read;
use crate::domain::ids::StockItemId;
use crate::domain::intake::Priority;
use crate::domain::inventory as domain;
use crate::domain::inventory::{BackorderStatus, MovementKind, ReservationStatus};
use crate::graphql::connection::{Paging, Slice, connection, page_cost};
use crate::graphql::context::{Answer, int, loaders, session};
use crate::graphql::ids;
use crate::graphql::loaders::ComingTo;
use crate::graphql::scalars::{DateTime, Decimal};

pub use product::{ProductStock, ProductStockConnection};
pub use queue::{QueuedBackorder, QueuedBackorderConnection};
pub use replenishment::{ReplenishmentRequest, ReplenishmentRequestConnection, replenishment_request};
pub use report::{InventoryFigures, InventoryFiguresConnection};
pub use stocktake::{Stocktake, StocktakeConnection, stocktake};
pub use transfer::{StockTransfer, StockTransferConnection, stock_transfer};

wrapper! {
    /// A stock item.
    StockItem(domain::StockItem)
}
connection!(StockItemConnection, StockItemEdge, StockItem, "stock items");

/// A product in a warehouse (R4). Counts are in the product's unit of measure.
#[macros::written]
#[Object]
impl StockItem {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// The warehouse.
    async fn warehouse(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.warehouse_id).await
    }

    /// What lies in the warehouse.
    async fn on_hand(&self) -> Decimal {
        self.0.on_hand.into()
    }

    /// What of the goods on hand is set aside for orders (R4.2).
    async fn reserved(&self) -> Decimal {
        self.0.reserved.into()
    }

    /// What of the goods on hand is put aside until its quality is known; neither reserved nor available.
    async fn quality_hold(&self) -> Decimal {
        self.0.quality_hold.into()
    }

    /// What is known to be coming: transfers that have left, and replenishment requests that were approved.
    async fn incoming(&self, ctx: &Context<'_>) -> Result<Decimal> {
        let coming = loaders(ctx)?.list(ComingTo(self.0.id)).await.answer(ctx)?;
        Ok(coming.iter().map(|one| one.1.quantity).sum::<rust_decimal::Decimal>().into())
    }

    /// What can be promised: on hand less what is reserved and what is put aside.
    async fn available(&self) -> Decimal {
        self.0.available().into()
    }

    /// What should always be left, for surprises.
    async fn safety_stock(&self) -> Decimal {
        self.0.safety_stock.into()
    }

    /// The lower limit at which procurement is told (R4.4).
    async fn reorder_point(&self) -> Decimal {
        self.0.reorder_point.into()
    }

    /// The lot procurement orders at least; 0 for as much as is missing.
    async fn reorder_quantity(&self) -> Decimal {
        self.0.reorder_quantity.into()
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_stock_item(actor, &self.0)))
    }

    /// Every change of its counts, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<StockMovementConnection> {
        let paging = Paging { first, after, last, before };
        let session = session(ctx)?;
        let keyset = paging.keyset().answer(ctx)?;
        let id = self.0.id;
        let page = read::inventory::movements(session, id, keyset).await.answer(ctx)?;
        let counting = session.clone();
        let total = Arc::new(move || {
            let session = counting.clone();
            Box::pin(async move { read::inventory::count_movements(&session, id).await }) as _
        });
        let slice = Slice::new(page, Into::into, total);
        Ok(StockMovementConnection(slice))
    }
}

/// A stock item by id, if it exists for the caller.
pub async fn stock_item(ctx: &Context<'_>, id: StockItemId) -> Result<Option<StockItem>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(StockItem))
}

wrapper! {
    /// A movement.
    StockMovement(domain::StockMovement)
}
connection!(StockMovementConnection, StockMovementEdge, StockMovement, "stock movements");

/// One change of a stock item's counts; never changed itself (R4.1).
#[macros::written]
#[Object]
impl StockMovement {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Why the counts changed.
    async fn kind(&self) -> MovementKind {
        self.0.kind
    }

    /// Change of what lies in the warehouse; negative when it became less.
    async fn on_hand_change(&self) -> Decimal {
        self.0.on_hand_change.into()
    }

    /// Change of what is set aside; negative when it became less.
    async fn reserved_change(&self) -> Decimal {
        self.0.reserved_change.into()
    }

    /// Change of what is put aside until its quality is known; negative when it became less.
    async fn quality_hold_change(&self) -> Decimal {
        self.0.quality_hold_change.into()
    }

    /// The transfer it was part of; null where there is none.
    async fn transfer(&self, ctx: &Context<'_>) -> Result<Option<StockTransfer>> {
        match self.0.transfer_id {
            Some(id) => stock_transfer(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The order it was for; null where there is none or none the caller may see.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match self.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }

    /// A remark, such as the reason for a correction.
    async fn note(&self) -> Option<&String> {
        self.0.note.as_ref()
    }

    /// Who moved it.
    async fn moved_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.moved_by).await
    }

    /// When it was moved.
    async fn moved_at(&self) -> DateTime {
        self.0.moved_at.into()
    }
}

/// A reservation.
#[derive(Clone, Debug)]
pub struct Reservation(pub domain::Reservation);

/// Stock set aside for a line of an allocation (R4.2).
#[macros::written]
#[Object]
impl Reservation {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Where it lies; null when the caller may not see the warehouse's stock.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.stock_item_id).await
    }

    /// What it is: the product itself, or a part of what is made.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// Id of the allocation's line it is for.
    async fn allocation_line_id(&self) -> ID {
        ids::encode(self.0.line_id)
    }

    /// How much was set aside, less what was taken back of it, in the product's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// How much of what was set aside was issued.
    async fn consumed(&self) -> Decimal {
        self.0.consumed.into()
    }

    /// Where it stands.
    async fn status(&self) -> ReservationStatus {
        self.0.status
    }

    /// When it becomes free again unless somebody begins to work on the share; null for never.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }
}

/// A backorder.
#[derive(Clone, Debug)]
pub struct Backorder(pub domain::Backorder);

/// Quantity that a line of an allocation still waits for (R4.3).
#[macros::written]
#[Object]
impl Backorder {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Where it is waited for; null when the caller may not see the warehouse's stock.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.stock_item_id).await
    }

    /// What is waited for: the product itself, or a part of what is made.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// Id of the allocation's line that waits.
    async fn allocation_line_id(&self) -> ID {
        ids::encode(self.0.line_id)
    }

    /// How urgent the order is; urgent ones are filled first.
    async fn priority(&self) -> Priority {
        self.0.priority
    }

    /// How much was missing, in the product's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// How much of what was missing has come in.
    async fn filled(&self) -> Decimal {
        self.0.filled.into()
    }

    /// Where it stands.
    async fn status(&self) -> BackorderStatus {
        self.0.status
    }

    /// Since when it is waited for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}
