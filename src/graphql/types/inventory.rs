//! Stock, for the group's own people.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::order::{Order, order};
use super::reference::{Person, Product, Unit, person, product, unit};
use super::wrapper;
use crate::app::read;
use crate::domain::ids::StockItemId;
use crate::domain::intake::Priority;
use crate::domain::inventory as domain;
use crate::domain::inventory::{
    BackorderStatus, MovementKind, ReplenishmentReason, ReplenishmentStatus, ReservationStatus,
};
use crate::graphql::connection::{Paging, Slice, connection, page_cost};
use crate::graphql::context::{Answer, int, loaders, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};

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

    /// What can be promised: on hand less reserved.
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

    /// How much was set aside, in the product's unit of measure.
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

wrapper! {
    /// A replenishment request.
    ReplenishmentRequest(domain::ReplenishmentRequest)
}
connection!(ReplenishmentRequestConnection, ReplenishmentRequestEdge, ReplenishmentRequest, "replenishment requests");

/// A request to procure more of a stock item; at most one is open per item (R4.4).
#[macros::written]
#[Object]
impl ReplenishmentRequest {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes of the request.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// What to replenish.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.stock_item_id).await
    }

    /// Why.
    async fn reason(&self) -> ReplenishmentReason {
        self.0.reason
    }

    /// How much is asked for, in the product's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// How much has arrived.
    async fn received(&self) -> Decimal {
        self.0.received.into()
    }

    /// Where it stands.
    async fn status(&self) -> ReplenishmentStatus {
        self.0.status
    }

    /// When it was raised.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }
}

/// A replenishment request by id, if it exists for the caller.
pub async fn replenishment_request(
    ctx: &Context<'_>,
    id: crate::domain::ids::ReplenishmentRequestId,
) -> Result<Option<ReplenishmentRequest>> {
    let found = crate::app::read::inventory::requests_by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(ReplenishmentRequest::from))
}
