//! Inventory (R4): counts per product and warehouse, and requests to replenish them.

mod reduction;
mod reservation;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{OrderId, ProductId, ReplenishmentRequestId, StockItemId, StockMovementId, UnitId};
use crate::domain::intake::{LONG_TEXT, check_quantity, text};
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

pub use reservation::{Backorder, BackorderStatus, Reservation, ReservationStatus, accept};

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
    }
}

codes! {
    /// Where a replenishment request stands.
    ReplenishmentStatus {
        /// Raised by the system; procurement is told.
        Proposed = "PROPOSED",
        /// Some of it arrived.
        PartiallyReceived = "PARTIALLY_RECEIVED",
        /// All of it arrived.
        Received = "RECEIVED",
    }
}

codes! {
    /// Why replenishment was asked for.
    ReplenishmentReason {
        /// Orders wait for it (R4.3).
        Shortage = "SHORTAGE",
        /// The lower limit was reached (R4.4).
        BelowReorderPoint = "BELOW_REORDER_POINT",
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
    /// What should always be left.
    pub safety_stock: Decimal,
    /// The lower limit at which procurement is told.
    pub reorder_point: Decimal,
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
    /// The order it was for.
    pub order_id: Option<OrderId>,
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

/// A request to procure more of a stock item; at most one is open per item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplenishmentRequest {
    /// Identity.
    pub id: ReplenishmentRequestId,
    /// Counts the changes.
    pub version: i64,
    /// What to replenish.
    pub stock_item_id: StockItemId,
    /// Why.
    pub reason: ReplenishmentReason,
    /// How much is asked for.
    pub quantity: Decimal,
    /// How much has arrived.
    pub received: Decimal,
    /// Where it stands.
    pub status: ReplenishmentStatus,
    /// When it was raised.
    pub requested_at: DateTime<Utc>,
}

impl StockItem {
    /// What can be promised: on hand less reserved.
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved
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
            order_id: order,
            note: None,
            moved_by: act.actor.subject.clone(),
            moved_at: act.now,
        }
    }

    /// Changes the counts by one movement and keeps it.
    fn apply(&mut self, movement: StockMovement, journal: &mut Vec<StockMovement>) {
        self.on_hand += movement.on_hand_change;
        self.reserved += movement.reserved_change;
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
        refusals
    }

    /// What lies there when the item comes into being.
    pub fn open_with(&mut self, act: &Act<'_>, quantity: Decimal, journal: &mut Vec<StockMovement>) {
        self.apply(self.movement(act, MovementKind::Receipt, quantity, Decimal::ZERO, None), journal);
    }

    /// Books goods in.
    pub fn receive(
        &mut self,
        act: &Act<'_>,
        quantity: Decimal,
        journal: &mut Vec<StockMovement>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ReceiveStock, act.actor);
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
        refusals.require(self.on_hand + change >= self.reserved, || {
            Refusal::new(
                Code::StockReserved,
                "R4.2",
                format!("{} of {} on hand are reserved.", self.reserved.normalize(), self.on_hand.normalize()),
            )
            .at("change")
        });
        refusals.into_result()?;
        let mut movement = self.movement(act, MovementKind::Adjust, change, Decimal::ZERO, None);
        movement.note = Some(reason);
        self.apply(movement, journal);
        Ok(EventKind::StockAdjusted)
    }

    /// What procurement should bring: what is waited for, and enough to be above the lower limit
    /// again, with the safety stock on top.
    pub fn wanted(&self, waiting: Decimal) -> Option<(ReplenishmentReason, Decimal)> {
        let below = self.available() < self.reorder_point;
        if waiting.is_zero() && !below {
            return None;
        }
        let refill = if below { self.reorder_point + self.safety_stock - self.available() } else { Decimal::ZERO };
        let reason =
            if waiting.is_zero() { ReplenishmentReason::BelowReorderPoint } else { ReplenishmentReason::Shortage };
        Some((reason, waiting + refill))
    }
}

impl ReplenishmentRequest {
    /// Raises the quantity so that it covers what is wanted now. Says whether anything changed.
    pub fn raise(&mut self, wanted: Decimal) -> bool {
        let quantity = self.received + wanted;
        let more = quantity > self.quantity;
        if more {
            self.quantity = quantity;
        }
        more
    }

    /// Counts goods that arrived; more than was asked for closes the request, too.
    pub fn receive(&mut self, quantity: Decimal) -> EventKind {
        self.received += quantity;
        self.status = if self.received >= self.quantity {
            ReplenishmentStatus::Received
        } else {
            ReplenishmentStatus::PartiallyReceived
        };
        EventKind::ReplenishmentReceived
    }
}
