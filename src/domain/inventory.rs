//! Inventory (R4): counts per product and warehouse, reservations, backorders, replenishment.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::actor::{Act, Actor};
use super::allocation::{Allocation, AllocationStatus};
use super::codes::codes;
use super::event::EventKind;
use super::ids::{
    AllocationLineId, BackorderId, OrderId, OrderLineId, ProductId, ReplenishmentRequestId,
    ReservationId, StockItemId, StockMovementId, UnitId,
};
use super::intake::{LONG_TEXT, Priority, check_quantity, text};
use super::order::{Counter, Order, role_blockers};
use super::permission::Action;
use super::progress;
use super::reference::{Component, ProductKind};
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::rules::RuleSet;

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
    /// Where a reservation stands.
    ReservationStatus {
        /// Set aside.
        Active = "ACTIVE",
        /// Part of it was issued.
        PartiallyConsumed = "PARTIALLY_CONSUMED",
        /// All of it was issued.
        Consumed = "CONSUMED",
        /// What was left of it became free again.
        Released = "RELEASED",
    }
}

codes! {
    /// Where a backorder stands.
    BackorderStatus {
        /// Nothing came in for it.
        Waiting = "WAITING",
        /// Some of it came in.
        PartiallyFilled = "PARTIALLY_FILLED",
        /// All of it came in and is reserved.
        Filled = "FILLED",
        /// No longer wanted.
        Cancelled = "CANCELLED",
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

/// Stock set aside for an allocation line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// Identity.
    pub id: ReservationId,
    /// Where it lies.
    pub stock_item_id: StockItemId,
    /// What it is.
    pub product_id: ProductId,
    /// For which line.
    pub line_id: AllocationLineId,
    /// How much was set aside.
    pub quantity: Decimal,
    /// How much of it was issued.
    pub consumed: Decimal,
    /// Where it stands.
    pub status: ReservationStatus,
}

impl Reservation {
    /// What is still set aside.
    pub fn open(&self) -> Decimal {
        match self.status {
            ReservationStatus::Released => Decimal::ZERO,
            _ => self.quantity - self.consumed,
        }
    }
}

/// Quantity an allocation line still waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backorder {
    /// Identity.
    pub id: BackorderId,
    /// Where it is waited for.
    pub stock_item_id: StockItemId,
    /// What is waited for.
    pub product_id: ProductId,
    /// By which line.
    pub line_id: AllocationLineId,
    /// How urgent the order is.
    pub priority: Priority,
    /// How much was missing.
    pub quantity: Decimal,
    /// How much of it has come in.
    pub filled: Decimal,
    /// Where it stands.
    pub status: BackorderStatus,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl Backorder {
    /// Is something still missing?
    pub fn is_waiting(&self) -> bool {
        matches!(
            self.status,
            BackorderStatus::Waiting | BackorderStatus::PartiallyFilled
        )
    }

    /// How much is still missing.
    pub fn missing(&self) -> Decimal {
        if self.is_waiting() {
            self.quantity - self.filled
        } else {
            Decimal::ZERO
        }
    }
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

    fn reserve(
        &mut self,
        act: &Act<'_>,
        quantity: Decimal,
        order: OrderId,
        journal: &mut Vec<StockMovement>,
    ) {
        self.apply(
            self.movement(
                act,
                MovementKind::Reserve,
                Decimal::ZERO,
                quantity,
                Some(order),
            ),
            journal,
        );
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
    pub fn open_with(
        &mut self,
        act: &Act<'_>,
        quantity: Decimal,
        journal: &mut Vec<StockMovement>,
    ) {
        self.apply(
            self.movement(act, MovementKind::Receipt, quantity, Decimal::ZERO, None),
            journal,
        );
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
        self.apply(
            self.movement(act, MovementKind::Receipt, quantity, Decimal::ZERO, None),
            journal,
        );
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
            refusals.push(
                Refusal::new(
                    Code::QuantityNotPositive,
                    "R4.1",
                    "A correction changes something.",
                )
                .at("change"),
            );
        } else {
            check_quantity(&mut refusals, "change", change.abs());
        }
        refusals.require(self.on_hand + change >= self.reserved, || {
            Refusal::new(
                Code::StockReserved,
                "R4.2",
                format!(
                    "{} of {} on hand are reserved.",
                    self.reserved.normalize(),
                    self.on_hand.normalize()
                ),
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
        let refill = if below {
            self.reorder_point + self.safety_stock - self.available()
        } else {
            Decimal::ZERO
        };
        let reason = if waiting.is_zero() {
            ReplenishmentReason::BelowReorderPoint
        } else {
            ReplenishmentReason::Shortage
        };
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

/// The unit takes its share: stock is reserved at once, what is missing is backordered (R4.2, R4.3),
/// and milestones with a responsible person are set up (R5.1).
pub fn accept(
    allocation: &mut Allocation,
    order: &mut Order,
    act: &Act<'_>,
    responsible: &str,
    rules: &RuleSet,
    components: &BTreeMap<ProductId, Vec<Component>>,
    stock: &mut BTreeMap<ProductId, StockItem>,
    journal: &mut Vec<StockMovement>,
) -> Result<EventKind, Refusals> {
    allocation
        .blockers(Action::AcceptAllocation, order, act.actor)
        .into_result()?;
    for need in allocation.needs(components) {
        let Some(item) = stock.get_mut(&need.product_id) else {
            continue;
        };
        let taken = need.quantity.min(item.available());
        if taken > Decimal::ZERO {
            item.reserve(act, taken, order.id, journal);
            allocation.note_reservation(act, item.id, need.product_id, need.line_id, taken);
            count_reserved(allocation, order, need.line_id, need.order_line_id, taken);
        }
        if taken < need.quantity {
            allocation.backorders.push(Backorder {
                id: act.id(),
                stock_item_id: item.id,
                product_id: need.product_id,
                line_id: need.line_id,
                priority: order.priority,
                quantity: need.quantity - taken,
                filled: Decimal::ZERO,
                status: BackorderStatus::Waiting,
                created_at: act.now,
            });
        }
    }
    allocation.status = AllocationStatus::Accepted;
    allocation.accepted_by = Some(act.actor.subject.clone());
    allocation.milestones = progress::plan(allocation.kind, rules, responsible, act);
    order.begin();
    Ok(EventKind::AllocationAccepted)
}

/// Goods count as reserved on the order's line; parts of what is made do not.
fn count_reserved(
    allocation: &mut Allocation,
    order: &mut Order,
    line: AllocationLineId,
    order_line: OrderLineId,
    quantity: Decimal,
) {
    if allocation.kind == ProductKind::Goods {
        order.count(Counter::Reserved, order_line, quantity);
        if let Some(line) = allocation.lines.iter_mut().find(|one| one.id == line) {
            line.reserved += quantity;
        }
    }
}

impl Allocation {
    fn note_reservation(
        &mut self,
        act: &Act<'_>,
        stock_item_id: StockItemId,
        product_id: ProductId,
        line_id: AllocationLineId,
        quantity: Decimal,
    ) {
        self.reservations.push(Reservation {
            id: act.id(),
            stock_item_id,
            product_id,
            line_id,
            quantity,
            consumed: Decimal::ZERO,
            status: ReservationStatus::Active,
        });
    }

    /// Fills one backorder as far as the stock goes. Says how much was filled.
    pub fn fill_backorder(
        &mut self,
        id: BackorderId,
        order: &mut Order,
        item: &mut StockItem,
        act: &Act<'_>,
        journal: &mut Vec<StockMovement>,
    ) -> Decimal {
        let Some(backorder) = self.backorders.iter_mut().find(|one| one.id == id) else {
            return Decimal::ZERO;
        };
        let taken = backorder.missing().min(item.available());
        if taken <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        backorder.filled += taken;
        backorder.status = if backorder.filled == backorder.quantity {
            BackorderStatus::Filled
        } else {
            BackorderStatus::PartiallyFilled
        };
        let (product_id, line_id) = (backorder.product_id, backorder.line_id);
        item.reserve(act, taken, order.id, journal);
        self.note_reservation(act, item.id, product_id, line_id, taken);
        if let Some(order_line) = self.line(line_id).map(|line| line.order_line_id) {
            count_reserved(self, order, line_id, order_line, taken);
        }
        taken
    }

    /// Issues what is reserved for a line, oldest reservation first: a part takes exactly its part.
    pub fn consume(
        &mut self,
        line_id: AllocationLineId,
        quantity: Option<Decimal>,
        act: &Act<'_>,
        stock: &mut BTreeMap<ProductId, StockItem>,
        journal: &mut Vec<StockMovement>,
    ) {
        let order_id = self.order_id;
        let mut left = quantity;
        for reservation in self
            .reservations
            .iter_mut()
            .filter(|one| one.line_id == line_id)
        {
            let taken = left.map_or(reservation.open(), |left| left.min(reservation.open()));
            let Some(item) = stock.get_mut(&reservation.product_id) else {
                continue;
            };
            if taken <= Decimal::ZERO {
                continue;
            }
            reservation.consumed += taken;
            reservation.status = if reservation.consumed == reservation.quantity {
                ReservationStatus::Consumed
            } else {
                ReservationStatus::PartiallyConsumed
            };
            let movement = item.movement(act, MovementKind::Issue, -taken, -taken, Some(order_id));
            item.apply(movement, journal);
            left = left.map(|left| left - taken);
        }
    }

    /// Frees everything still reserved and stops waiting for the rest; once, however often asked.
    pub fn release(
        &mut self,
        act: &Act<'_>,
        stock: &mut BTreeMap<ProductId, StockItem>,
        journal: &mut Vec<StockMovement>,
    ) {
        for reservation in &mut self.reservations {
            let open = reservation.open();
            if open > Decimal::ZERO {
                if let Some(item) = stock.get_mut(&reservation.product_id) {
                    let movement = item.movement(
                        act,
                        MovementKind::Release,
                        Decimal::ZERO,
                        -open,
                        Some(self.order_id),
                    );
                    item.apply(movement, journal);
                    reservation.status = ReservationStatus::Released;
                }
            }
        }
        for backorder in self.backorders.iter_mut().filter(|one| one.is_waiting()) {
            backorder.status = BackorderStatus::Cancelled;
        }
    }

    /// The products in stock that this allocation has reserved or waits for.
    pub fn stocked_products(&self) -> Vec<ProductId> {
        let mut products: Vec<ProductId> = self
            .reservations
            .iter()
            .map(|one| one.product_id)
            .chain(self.backorders.iter().map(|one| one.product_id))
            .collect();
        products.sort_unstable();
        products.dedup();
        products
    }
}
