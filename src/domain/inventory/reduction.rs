//! Less is needed of a share: what it waits for and what it has reserved become smaller (R4.3).

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Backorder, BackorderStatus, MovementKind, Reservation, ReservationStatus, StockItem, StockMovement};
use crate::domain::actor::Act;
use crate::domain::allocation::{Allocation, AllocationStatus};
use crate::domain::ids::{AllocationLineId, ProductId, StockItemId};
use crate::domain::materials::{Part, Structure, net};
use crate::domain::money::QUANTITY_SCALE;
use crate::domain::order::{Counter, Order};
use crate::domain::reference::ProductKind;

impl Allocation {
    /// Takes a quantity out of a line that is neither produced nor inspected, with what was reserved and
    /// waited for. A share of which nothing is left is cancelled.
    #[expect(clippy::too_many_arguments, reason = "the order, the stock and its journal change together")]
    pub fn cut(
        &mut self,
        line_id: AllocationLineId,
        quantity: Decimal,
        order: &mut Order,
        structure: &Structure,
        items: &mut BTreeMap<StockItemId, StockItem>,
        journal: &mut Vec<StockMovement>,
        act: &Act<'_>,
    ) {
        let Some(line) = self.line(line_id).cloned() else { return };
        order.count(Counter::Allocated, line.order_line_id, -quantity);
        let left = line.quantity - quantity;
        for (product, surplus) in self.surplus(
            line_id,
            &Part { quantity: left, product_id: line.product_id, sku: line.sku.clone() },
            structure,
            act,
        ) {
            let released = self.give_up(line_id, product, surplus, items, journal, act);
            if self.kind == ProductKind::Goods {
                order.count(Counter::Reserved, line.order_line_id, -released);
                if let Some(line) = self.lines.iter_mut().find(|one| one.id == line_id) {
                    line.reserved -= released;
                }
            }
        }
        let is_last = self.lines.iter().all(|one| one.id == line_id);
        if left.is_zero() && is_last {
            // As when an order is cancelled, the share keeps what it once was.
            self.status = AllocationStatus::Cancelled;
            self.accept_by = None;
            return;
        }
        if left.is_zero() {
            self.lines.retain(|one| one.id != line_id);
        } else if let Some(line) = self.lines.iter_mut().find(|one| one.id == line_id) {
            line.quantity = left;
        }
        self.go_on_without();
    }

    /// What was missing may have been all that kept it from the next state.
    fn go_on_without(&mut self) {
        let waits = matches!(self.status, AllocationStatus::AwaitingInspection | AllocationStatus::Rectification);
        if waits && self.lines.iter().all(|line| line.passed == line.quantity) {
            self.status = AllocationStatus::Cleared;
        }
        if self.status == AllocationStatus::Cleared && self.lines.iter().all(|line| line.confirmed == line.quantity) {
            self.status = AllocationStatus::Closed;
        }
    }

    /// What is held or waited for of each product beyond what the rest of a line needs.
    fn surplus(
        &self,
        line_id: AllocationLineId,
        left: &Part,
        structure: &Structure,
        act: &Act<'_>,
    ) -> Vec<(ProductId, Decimal)> {
        let mut held: BTreeMap<ProductId, Decimal> = BTreeMap::new();
        for one in self.reservations.iter().filter(|one| one.line_id == line_id) {
            *held.entry(one.product_id).or_default() += one.open();
        }
        for one in self.backorders.iter().filter(|one| one.line_id == line_id) {
            *held.entry(one.product_id).or_default() += one.missing();
        }
        let whole = self.line(line_id).map_or(Decimal::ZERO, |line| line.quantity);
        let kept: BTreeMap<ProductId, Decimal> = match self.kind {
            ProductKind::Goods => held
                .iter()
                .map(|(product, held)| {
                    // What has left the warehouse is no longer held, and stays with the line.
                    let issued = whole - *held;
                    (*product, (left.quantity - issued).max(Decimal::ZERO))
                })
                .collect(),
            _ => kept_parts(left, whole, &held, structure, act),
        };
        held.into_iter()
            .map(|(product, held)| (product, held - kept.get(&product).copied().unwrap_or_default().min(held)))
            .filter(|(_, surplus)| *surplus > Decimal::ZERO)
            .collect()
    }

    /// Gives up a quantity of a product: first what is waited for, then what is reserved. Says how much of
    /// what was reserved became free.
    fn give_up(
        &mut self,
        line_id: AllocationLineId,
        product: ProductId,
        quantity: Decimal,
        items: &mut BTreeMap<StockItemId, StockItem>,
        journal: &mut Vec<StockMovement>,
        act: &Act<'_>,
    ) -> Decimal {
        let mut left = quantity;
        let of = |line: AllocationLineId, other: ProductId| line == line_id && other == product;
        for one in self.backorders.iter_mut().filter(|one| of(one.line_id, one.product_id)) {
            let less = one.missing().min(left);
            left -= less;
            one.wait_less(less);
        }
        let mut released = Decimal::ZERO;
        for one in self.reservations.iter_mut().rev().filter(|one| of(one.line_id, one.product_id)) {
            let less = one.open().min(left);
            if less > Decimal::ZERO {
                left -= less;
                released += less;
                one.hold_less(less);
                if let Some(item) = items.get_mut(&one.stock_item_id) {
                    let movement = item.movement(act, MovementKind::Release, Decimal::ZERO, -less, Some(self.order_id));
                    item.apply(movement, journal);
                }
            }
        }
        released
    }

    /// Hands what a line waits for over to a line of another share, as old as it is.
    pub fn hand_over_backorders(
        &mut self,
        line: AllocationLineId,
        to_line: AllocationLineId,
        to: &mut Self,
        act: &Act<'_>,
    ) {
        for one in self.backorders.iter_mut().filter(|one| one.line_id == line && one.is_waiting()) {
            let missing = one.missing();
            to.backorders.push(Backorder {
                id: act.id(),
                line_id: to_line,
                quantity: missing,
                filled: Decimal::ZERO,
                status: BackorderStatus::Waiting,
                ..one.clone()
            });
            one.wait_less(missing);
        }
    }
}

/// How much of each part the rest of a line is made of, out of what is held for the whole: parts that are
/// made first. Where the bill of materials has become another since, each part in proportion.
fn kept_parts(
    left: &Part,
    whole: Decimal,
    held: &BTreeMap<ProductId, Decimal>,
    structure: &Structure,
    act: &Act<'_>,
) -> BTreeMap<ProductId, Decimal> {
    if left.quantity.is_zero() {
        return BTreeMap::new();
    }
    let supply = |product| {
        if product == left.product_id { Decimal::ZERO } else { held.get(&product).copied().unwrap_or_default() }
    };
    let netted = net(std::slice::from_ref(left), act.now.date_naive(), structure, supply);
    match netted {
        Ok(netted) if netted.iter().all(|one| one.short.is_zero()) => {
            netted.into_iter().map(|one| (one.product_id, one.taken)).collect()
        }
        _ => held
            .iter()
            .map(|(product, held)| {
                let share = *held * left.quantity / whole;
                (*product, share.round_dp_with_strategy(QUANTITY_SCALE, RoundingStrategy::ToPositiveInfinity))
            })
            .collect(),
    }
}

impl Backorder {
    /// Waits for less; for nothing more when that is all.
    fn wait_less(&mut self, less: Decimal) {
        if less.is_zero() {
            return;
        }
        if less < self.missing() {
            self.quantity -= less;
        } else if self.filled.is_zero() {
            self.status = BackorderStatus::Cancelled;
        } else {
            self.quantity = self.filled;
            self.status = BackorderStatus::Filled;
        }
    }
}

impl Reservation {
    /// Holds less; nothing more when that is all.
    fn hold_less(&mut self, less: Decimal) {
        if less < self.open() {
            self.quantity -= less;
        } else if self.consumed.is_zero() {
            self.status = ReservationStatus::Released;
        } else {
            self.quantity = self.consumed;
            self.status = ReservationStatus::Consumed;
        }
    }
}
