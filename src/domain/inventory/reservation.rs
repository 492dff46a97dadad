//! Reservations and backorders: what an allocation has of the stock, and what it waits for.

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{MovementKind, StockBook, StockItem, StockMovement};
use crate::domain::actor::Act;
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationLineId, BackorderId, OrderLineId, ProductId, ReservationId, StockItemId};
use crate::domain::intake::Priority;
use crate::domain::materials::Structure;
use crate::domain::order::{Counter, Order};
use crate::domain::permission::Action;
use crate::domain::progress;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::Refusals;
use crate::domain::rules::RuleSet;

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
        /// Nobody began to work in time: it became free again.
        Expired = "EXPIRED",
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
    /// How much was set aside, less what was taken back of it.
    pub quantity: Decimal,
    /// How much of it was issued.
    pub consumed: Decimal,
    /// Where it stands.
    pub status: ReservationStatus,
    /// When it becomes free again unless somebody begins to work; none for never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Reservation {
    /// What is still set aside.
    pub fn open(&self) -> Decimal {
        match self.status {
            ReservationStatus::Released | ReservationStatus::Expired => Decimal::ZERO,
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
        matches!(self.status, BackorderStatus::Waiting | BackorderStatus::PartiallyFilled)
    }

    /// How much is still missing.
    pub fn missing(&self) -> Decimal {
        if self.is_waiting() { self.quantity - self.filled } else { Decimal::ZERO }
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
    structure: &Structure,
    stock: &mut StockBook,
) -> Result<EventKind, Refusals> {
    allocation.blockers(Action::AcceptAllocation, order, act.actor).into_result()?;
    let needs = allocation.needs(structure, act.now.date_naive(), &stock.items)?;
    let StockBook { items, journal } = stock;
    let expires_at = expiry(rules, act);
    for need in needs {
        let Some(item) = items.get_mut(&need.product_id) else {
            continue;
        };
        let taken = need.quantity.min(item.available());
        if taken > Decimal::ZERO {
            item.reserve(act, taken, order.id, journal);
            allocation.note_reservation(act, item, need.line_id, taken, expires_at);
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
    allocation.accept_by = None;
    allocation.milestones = progress::plan(allocation.kind, rules, responsible, act);
    order.begin();
    Ok(EventKind::AllocationAccepted)
}

/// When what is reserved now becomes free again.
fn expiry(rules: &RuleSet, act: &Act<'_>) -> Option<DateTime<Utc>> {
    act.now.checked_add_signed(Duration::try_days(rules.inventory.reservation_days?)?)
}

/// Goods count as reserved on the order's line; parts of what is made do not.
pub(super) fn count_reserved(
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
        item: &StockItem,
        line_id: AllocationLineId,
        quantity: Decimal,
        expires_at: Option<DateTime<Utc>>,
    ) {
        self.reservations.push(Reservation {
            id: act.id(),
            stock_item_id: item.id,
            product_id: item.product_id,
            line_id,
            quantity,
            consumed: Decimal::ZERO,
            status: ReservationStatus::Active,
            expires_at,
        });
    }

    /// Fills one backorder as far as the stock goes. Says how much was filled.
    pub fn fill_backorder(
        &mut self,
        id: BackorderId,
        order: &mut Order,
        item: &mut StockItem,
        rules: &RuleSet,
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
        let line_id = backorder.line_id;
        // Whoever is at work already keeps what comes in for it.
        let expires_at = expiry(rules, act).filter(|_| self.status == AllocationStatus::Accepted);
        item.reserve(act, taken, order.id, journal);
        self.note_reservation(act, item, line_id, taken, expires_at);
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
        stock: &mut StockBook,
    ) {
        let order_id = self.order_id;
        let StockBook { items, journal } = stock;
        let mut left = quantity;
        for reservation in self.reservations.iter_mut().filter(|one| one.line_id == line_id) {
            let taken = left.map_or(reservation.open(), |left| left.min(reservation.open()));
            let Some(item) = items.get_mut(&reservation.product_id) else {
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
    pub fn release(&mut self, act: &Act<'_>, stock: &mut StockBook) {
        let StockBook { items, journal } = stock;
        for reservation in &mut self.reservations {
            let open = reservation.open();
            if open > Decimal::ZERO
                && let Some(item) = items.get_mut(&reservation.product_id)
            {
                let movement = item.movement(act, MovementKind::Release, Decimal::ZERO, -open, Some(self.order_id));
                item.apply(movement, journal);
                reservation.status = ReservationStatus::Released;
            }
        }
        for backorder in self.backorders.iter_mut().filter(|one| one.is_waiting()) {
            backorder.status = BackorderStatus::Cancelled;
        }
    }
}
