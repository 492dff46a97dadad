//! What is reserved for a share, and what it waits for, follows the share when it is split or merged. Nothing
//! moves in the warehouse: what one share gives the other gets.

use rust_decimal::Decimal;

use super::{Allocation, AllocationLine};
use crate::domain::actor::Act;
use crate::domain::ids::{AllocationLineId, ProductId};
use crate::domain::inventory::{Backorder, BackorderStatus, Reservation, ReservationStatus};
use crate::domain::reference::ProductKind;

/// Gives a new share that takes over a part of a former one its part of what is reserved and waited for: as
/// much as it needs, reserved things first. Needs are in proportion to quantities.
pub(super) fn divide(former: &mut Allocation, heir: &mut Allocation, act: &Act<'_>) {
    let lines: Vec<(AllocationLineId, AllocationLineId, Decimal, Decimal)> = heir
        .lines
        .iter()
        .filter_map(|line| {
            let of = former.lines.iter().find(|one| one.order_line_id == line.order_line_id)?;
            Some((of.id, line.id, line.quantity, of.quantity))
        })
        .collect();
    for (from, to, quantity, of) in lines {
        for product in former.products_of(from) {
            let need = (former.held(from, product) * quantity / of).round_dp(3);
            give(former, heir, (from, to, product), need, act);
        }
    }
}

/// Gives it everything that is left.
pub(super) fn give_rest(former: &mut Allocation, heir: &mut Allocation, act: &Act<'_>) {
    let lines: Vec<(AllocationLineId, AllocationLineId)> = heir
        .lines
        .iter()
        .filter_map(|line| Some((former.lines.iter().find(|one| one.order_line_id == line.order_line_id)?.id, line.id)))
        .collect();
    for (from, to) in lines {
        for product in former.products_of(from) {
            let all = former.held(from, product);
            give(former, heir, (from, to, product), all, act);
        }
    }
}

/// Puts a share into another, with all that is reserved for it and all it waits for.
pub(super) fn join(kept: &mut Allocation, given: &mut Allocation, act: &Act<'_>) {
    for line in given.lines.clone() {
        let to = match kept.lines.iter_mut().find(|one| one.order_line_id == line.order_line_id) {
            Some(one) => {
                one.quantity += line.quantity;
                one.id
            }
            None => {
                let new = AllocationLine { id: act.id(), reserved: Decimal::ZERO, ..line.clone() };
                let id = new.id;
                kept.lines.push(new);
                id
            }
        };
        for product in given.products_of(line.id) {
            let all = given.held(line.id, product);
            give(given, kept, (line.id, to, product), all, act);
        }
    }
    for line in &mut given.lines {
        line.reserved = Decimal::ZERO;
    }
}

fn give(
    from: &mut Allocation,
    to: &mut Allocation,
    (from_line, to_line, product): (AllocationLineId, AllocationLineId, ProductId),
    need: Decimal,
    act: &Act<'_>,
) {
    let mut left = need;
    let mut reserved = Decimal::ZERO;
    for one in from.reservations.iter_mut().filter(|one| one.line_id == from_line && one.product_id == product) {
        let taken = one.open().min(left);
        if taken <= Decimal::ZERO {
            continue;
        }
        to.reservations.push(Reservation {
            id: act.id(),
            line_id: to_line,
            quantity: taken,
            consumed: Decimal::ZERO,
            status: ReservationStatus::Active,
            ..one.clone()
        });
        one.quantity -= taken;
        if one.quantity == one.consumed {
            one.status = ReservationStatus::Released;
        }
        left -= taken;
        reserved += taken;
    }
    for one in from.backorders.iter_mut().filter(|one| one.line_id == from_line && one.product_id == product) {
        let taken = one.missing().min(left);
        if taken <= Decimal::ZERO {
            continue;
        }
        to.backorders.push(Backorder {
            id: act.id(),
            line_id: to_line,
            quantity: taken,
            filled: Decimal::ZERO,
            status: BackorderStatus::Waiting,
            ..one.clone()
        });
        one.quantity -= taken;
        if one.quantity == one.filled {
            one.status = BackorderStatus::Cancelled;
        }
        left -= taken;
    }
    // Goods count as reserved on the line; parts of what is made do not.
    if from.kind == ProductKind::Goods {
        if let Some(line) = from.lines.iter_mut().find(|line| line.id == from_line) {
            line.reserved -= reserved;
        }
        if let Some(line) = to.lines.iter_mut().find(|line| line.id == to_line) {
            line.reserved += reserved;
        }
    }
}

impl Allocation {
    fn products_of(&self, line: AllocationLineId) -> Vec<ProductId> {
        let reserved = self.reservations.iter().filter(|one| one.line_id == line).map(|one| one.product_id);
        let waited = self.backorders.iter().filter(|one| one.line_id == line).map(|one| one.product_id);
        let mut products: Vec<ProductId> = reserved.chain(waited).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// What is reserved of a product for a line or waited for.
    fn held(&self, line: AllocationLineId, product: ProductId) -> Decimal {
        let reserved = self.reservations.iter().filter(|one| one.line_id == line && one.product_id == product);
        let waited = self.backorders.iter().filter(|one| one.line_id == line && one.product_id == product);
        reserved.map(Reservation::open).sum::<Decimal>() + waited.map(Backorder::missing).sum::<Decimal>()
    }
}
