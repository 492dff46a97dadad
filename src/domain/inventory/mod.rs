//! Inventory (R4): counts per product and warehouse. One file per subject; this one is the stock item.

mod expiry;
mod hold;
mod queue;
mod reduction;
mod replenishment;
mod report;
mod reservation;
mod rules;
mod stocktake;
mod transfer;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{OrderId, ProductId, StockItemId, StockMovementId, StockTransferId, UnitId};
use crate::domain::intake::{LONG_TEXT, check_quantity, text};
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

pub use expiry::{TakeBack, Withdrawal};
pub use hold::HeldStock;
pub use queue::{Coming, Place, Supply, SupplyKind, expected};
pub use replenishment::{
    Purchase, ReorderPolicy, ReplenishmentReason, ReplenishmentRequest, ReplenishmentStatus, receipt_over,
};
pub use report::{Ageing, Flow, StockFigures, Unknown, UnknownReason};
pub use reservation::{Backorder, BackorderStatus, Reservation, ReservationStatus, accept};
pub use rules::{CountTolerance, InventoryRules};
pub use stocktake::{CountedItem, MOST_ITEMS, Stocktake, StocktakeLine, StocktakeStatus};
pub use transfer::{StockTransfer, TransferStatus, request as request_transfer};

codes! {
    /// Why a stock count changed.
    MovementKind {
        /// Goods came in.
        Receipt = "RECEIPT",
        /// Set aside for an order.
        Reserve = "RESERVE",
        /// No longer set aside.
        Release = "RELEASE",
        /// Left for the customer or went into production.
        Issue = "ISSUE",
        /// The count was corrected.
        Adjust = "ADJUST",
        /// Left for another warehouse.
        TransferOut = "TRANSFER_OUT",
        /// Came from another warehouse.
        TransferIn = "TRANSFER_IN",
        /// Put aside until its quality is known.
        QcHold = "QC_HOLD",
        /// Found good: no longer put aside.
        QcRelease = "QC_RELEASE",
        /// Found bad: thrown away.
        Scrap = "SCRAP",
    }
}

/// A product in a warehouse. Counts are in the product's unit of measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockItem {
    /// Identity.
    pub id: StockItemId,
    /// Counts the changes.
    pub version: i64,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// The warehouse.
    pub warehouse_id: UnitId,
    /// Lies in the warehouse.
    pub on_hand: Decimal,
    /// Of it, set aside for orders.
    pub reserved: Decimal,
    /// Of it, put aside until its quality is known; neither reserved nor available.
    #[serde(skip_serializing_if = "Decimal::is_zero")]
    pub quality_hold: Decimal,
    /// What should always be left.
    pub safety_stock: Decimal,
    /// The lower limit at which procurement is told.
    pub reorder_point: Decimal,
    /// The lot procurement orders at least; nothing for as much as is missing.
    #[serde(skip_serializing_if = "Decimal::is_zero")]
    pub reorder_quantity: Decimal,
}

/// One change of a stock item; never changed itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockMovement {
    /// Identity.
    pub id: StockMovementId,
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// Why.
    pub kind: MovementKind,
    /// Change of what lies in the warehouse.
    pub on_hand_change: Decimal,
    /// Change of what is set aside.
    pub reserved_change: Decimal,
    /// Change of what is put aside until its quality is known.
    pub quality_hold_change: Decimal,
    /// The order it was for.
    pub order_id: Option<OrderId>,
    /// The transfer it was part of.
    pub transfer_id: Option<StockTransferId>,
    /// A remark.
    pub note: Option<String>,
    /// Who moved it.
    pub moved_by: String,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// Stock items that a decision may move, and what it moves.
#[derive(Clone, Debug, Default)]
pub struct StockBook {
    /// The items, by product.
    pub items: BTreeMap<ProductId, StockItem>,
    /// The movements, in order.
    pub journal: Vec<StockMovement>,
}

impl StockItem {
    /// An item that has just come into being, with nothing in it.
    pub fn empty(id: StockItemId, product_id: ProductId, sku: String, warehouse_id: UnitId) -> Self {
        Self {
            id,
            version: 0,
            product_id,
            sku,
            warehouse_id,
            on_hand: Decimal::ZERO,
            reserved: Decimal::ZERO,
            quality_hold: Decimal::ZERO,
            safety_stock: Decimal::ZERO,
            reorder_point: Decimal::ZERO,
            reorder_quantity: Decimal::ZERO,
        }
    }

    /// What can be promised: on hand less what is reserved and what is put aside.
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved - self.quality_hold
    }

    fn movement(
        &self,
        act: &Act<'_>,
        kind: MovementKind,
        on_hand: Decimal,
        reserved: Decimal,
        order: Option<OrderId>,
    ) -> StockMovement {
        StockMovement {
            id: act.id(),
            stock_item_id: self.id,
            kind,
            on_hand_change: on_hand,
            reserved_change: reserved,
            quality_hold_change: Decimal::ZERO,
            order_id: order,
            transfer_id: None,
            note: None,
            moved_by: act.actor.subject.clone(),
            moved_at: act.now,
        }
    }

    /// Changes the counts by one movement and keeps it.
    fn apply(&mut self, movement: StockMovement, journal: &mut Vec<StockMovement>) {
        self.on_hand += movement.on_hand_change;
        self.reserved += movement.reserved_change;
        self.quality_hold += movement.quality_hold_change;
        journal.push(movement);
    }

    fn reserve(&mut self, act: &Act<'_>, quantity: Decimal, order: OrderId, journal: &mut Vec<StockMovement>) {
        self.apply(self.movement(act, MovementKind::Reserve, Decimal::ZERO, quantity, Some(order)), journal);
    }

    /// What stands between the actor and a change of this item's counts.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(actor.covers_unit(self.warehouse_id), || {
            Refusal::new(
                Code::RoleNotPermitted,
                "R4.1",
                "Only the warehouse's own people and those above change its stock.",
            )
        });
        let nothing = match action {
            Action::HoldStock => (self.available() <= Decimal::ZERO).then_some("Nothing of it is available."),
            Action::ReleaseHeldStock | Action::ScrapHeldStock => {
                self.quality_hold.is_zero().then_some("Nothing of it is put aside.")
            }
            _ => None,
        };
        if let Some(message) = nothing {
            refusals.push(Refusal::new(Code::QuantityExceeded, "R4.2", message));
        }
        refusals
    }

    /// What lies there when the item comes into being.
    pub fn open_with(&mut self, act: &Act<'_>, quantity: Decimal, journal: &mut Vec<StockMovement>) {
        self.apply(self.movement(act, MovementKind::Receipt, quantity, Decimal::ZERO, None), journal);
    }

    /// What of it is not free, in words.
    fn bound(&self) -> String {
        let (reserved, held) = (self.reserved.normalize(), self.quality_hold.normalize());
        format!("Of {} on hand {reserved} are reserved and {held} put aside for quality.", self.on_hand.normalize())
    }

    /// Books goods in, unless there is something against it besides.
    pub fn receive(
        &mut self,
        act: &Act<'_>,
        quantity: Decimal,
        besides: Refusals,
        journal: &mut Vec<StockMovement>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ReceiveStock, act.actor);
        refusals.0.extend(besides.0);
        check_quantity(&mut refusals, "quantity", quantity);
        refusals.into_result()?;
        self.apply(self.movement(act, MovementKind::Receipt, quantity, Decimal::ZERO, None), journal);
        Ok(EventKind::StockReceived)
    }

    /// Corrects the count. What is reserved cannot be corrected away.
    pub fn adjust(
        &mut self,
        act: &Act<'_>,
        change: Decimal,
        reason: String,
        journal: &mut Vec<StockMovement>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::AdjustStock, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        if change.is_zero() {
            refusals
                .push(Refusal::new(Code::QuantityNotPositive, "R4.1", "A correction changes something.").at("change"));
        } else {
            check_quantity(&mut refusals, "change", change.abs());
        }
        refusals.require(self.available() + change >= Decimal::ZERO, || {
            Refusal::new(Code::StockReserved, "R4.2", self.bound()).at("change")
        });
        refusals.into_result()?;
        let mut movement = self.movement(act, MovementKind::Adjust, change, Decimal::ZERO, None);
        movement.note = Some(reason);
        self.apply(movement, journal);
        Ok(EventKind::StockAdjusted)
    }
}
