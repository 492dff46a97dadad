//! Reservations that are taken back: those nobody begins to work on in time, and those that a count shows
//! there is nothing for.

use rust_decimal::Decimal;

use super::{Backorder, BackorderStatus, MovementKind, ReservationStatus, StockItem, StockMovement};
use crate::domain::actor::Act;
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::ids::{ReservationId, StockItemId};
use crate::domain::order::Order;
use crate::domain::progress::MilestoneStatus;

/// Why a reservation is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// Its time is over.
    Expired,
    /// A count shows that less lies there.
    Missing,
}

/// A reservation that is taken back, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakeBack {
    /// The reservation.
    pub id: ReservationId,
    /// How much of it at most.
    pub quantity: Decimal,
    /// Why.
    pub why: Withdrawal,
}

impl Allocation {
    /// The open reservations at a stock item whose time is over. Whoever has begun to work keeps what is
    /// reserved.
    pub fn due_reservations(&self, item: StockItemId, act: &Act<'_>) -> Vec<ReservationId> {
        if self.status != AllocationStatus::Accepted {
            return Vec::new();
        }
        let due = self.reservations.iter().filter(|one| {
            one.stock_item_id == item
                && one.open() > Decimal::ZERO
                && one.expires_at.is_some_and(|expires_at| expires_at <= act.now)
        });
        due.map(|one| one.id).collect()
    }

    /// The open reservations at a stock item that can still be taken back, with what is set aside: nothing of
    /// the share was taken from its place yet.
    pub fn retractable_reservations(&self, item: StockItemId) -> Vec<(ReservationId, Decimal)> {
        let to_be_picked = || {
            self.milestones
                .iter()
                .any(|milestone| milestone.needs_stock && milestone.status != MilestoneStatus::Completed)
        };
        let untouched = match self.status {
            AllocationStatus::Accepted => true,
            AllocationStatus::InProgress => to_be_picked(),
            _ => false,
        };
        let open = self.reservations.iter().filter(|one| {
            untouched && one.stock_item_id == item && one.consumed.is_zero() && one.open() > Decimal::ZERO
        });
        open.map(|one| (one.id, one.open())).collect()
    }

    /// Takes back a reservation or a part of it, and says how much: once, since what is taken back is not open any more. The
    /// share waits for it at the end of the queue of its priority.
    pub fn withdraw(
        &mut self,
        TakeBack { id, quantity, why }: TakeBack,
        order: &mut Order,
        item: &mut StockItem,
        act: &Act<'_>,
        journal: &mut Vec<StockMovement>,
    ) -> Decimal {
        let Some(reservation) = self.reservations.iter_mut().find(|one| one.id == id) else {
            return Decimal::ZERO;
        };
        let taken = quantity.min(reservation.open());
        if taken <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        if taken < reservation.open() {
            reservation.quantity -= taken;
        } else {
            reservation.status = match why {
                Withdrawal::Expired => ReservationStatus::Expired,
                Withdrawal::Missing => ReservationStatus::Released,
            };
        }
        let (product_id, line_id) = (reservation.product_id, reservation.line_id);
        let mut movement = item.movement(act, MovementKind::Release, Decimal::ZERO, -taken, Some(order.id));
        movement.note = Some(
            match why {
                Withdrawal::Expired => "The reservation expired.",
                Withdrawal::Missing => "A count showed that it is not there.",
            }
            .to_owned(),
        );
        item.apply(movement, journal);
        self.backorders.push(Backorder {
            id: act.id(),
            stock_item_id: item.id,
            product_id,
            line_id,
            priority: order.priority,
            quantity: taken,
            filled: Decimal::ZERO,
            status: BackorderStatus::Waiting,
            created_at: act.now,
        });
        if let Some(order_line) = self.line(line_id).map(|line| line.order_line_id) {
            super::reservation::count_reserved(self, order, line_id, order_line, -taken);
        }
        taken
    }
}
