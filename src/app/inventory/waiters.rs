//! Those who wait for stock, and those who have something of it set aside.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::allocation::Allocation;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, BackorderId, OrderId, ReservationId, StockItemId};
use crate::domain::inventory::{Backorder, StockItem, StockMovement, TakeBack, Withdrawal};
use crate::domain::order::Order;
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, allocation, inventory};

/// Orders and shares that are locked because of a stock item. They come before stock in the order of locks.
pub(super) struct Waiters {
    orders: BTreeMap<OrderId, Tracked<Order>>,
    shares: BTreeMap<AllocationId, Tracked<Allocation>>,
    /// From whom something was taken back, and why.
    withdrawn: BTreeMap<AllocationId, Withdrawal>,
    /// Who got what it waited for, or part of it.
    filled: BTreeSet<AllocationId>,
}

/// A reservation that can be taken back.
pub(super) struct Retractable {
    /// Whose it is.
    pub(super) allocation_id: AllocationId,
    /// The reservation.
    pub(super) reservation_id: ReservationId,
    /// What is set aside.
    pub(super) open: Decimal,
    /// The number of the order.
    pub(super) number: String,
}

impl Waiters {
    /// Locks whoever waits for these stock items, and others.
    pub(super) async fn lock(
        work: &Work,
        items: &[StockItemId],
        others: impl IntoIterator<Item = AllocationId>,
    ) -> Result<Self> {
        let mut ids: BTreeSet<AllocationId> = others.into_iter().collect();
        ids.extend(inventory::waiting(work, items).await?.into_iter().map(|one| one.allocation_id));
        let (mut orders, mut shares) = (BTreeMap::new(), BTreeMap::new());
        for (order, share) in allocation::all_with_orders(work, ids).await? {
            orders.entry(order.id).or_insert(order);
            shares.insert(share.id, share);
        }
        Ok(Self { orders, shares, withdrawn: BTreeMap::new(), filled: BTreeSet::new() })
    }

    /// Is the share among those that are locked?
    pub(super) fn holds(&self, id: AllocationId) -> bool {
        self.shares.contains_key(&id)
    }

    /// What is set aside at an item and can still be taken back, the newest first.
    pub(super) fn retractable(&self, item: StockItemId) -> Vec<Retractable> {
        let of_share = |share: &Tracked<Allocation>| {
            let number = self.orders.get(&share.order_id).map(|order| order.number.clone()).unwrap_or_default();
            let open = share.retractable_reservations(item).into_iter();
            let allocation_id = share.id;
            open.map(move |(reservation_id, open)| Retractable {
                allocation_id,
                reservation_id,
                open,
                number: number.clone(),
            })
            .collect::<Vec<_>>()
        };
        let mut all: Vec<Retractable> = self.shares.values().flat_map(of_share).collect();
        // Identities are made in the order of time.
        all.sort_by_key(|one| Reverse(one.reservation_id));
        all
    }

    /// Takes back a part of a reservation. Says how much.
    pub(super) fn withdraw(
        &mut self,
        work: &Work,
        one: &Retractable,
        quantity: Decimal,
        why: Withdrawal,
        item: &mut StockItem,
        journal: &mut Vec<StockMovement>,
    ) -> Decimal {
        let Some(share) = self.shares.get_mut(&one.allocation_id) else { return Decimal::ZERO };
        let Some(order) = self.orders.get_mut(&share.order_id) else { return Decimal::ZERO };
        let taking = TakeBack { id: one.reservation_id, quantity, why };
        let taken = share.withdraw(taking, order, item, &work.act(), journal);
        if taken > Decimal::ZERO {
            self.withdrawn.insert(one.allocation_id, why);
        }
        taken
    }

    /// Takes back every reservation at an item whose time is over. Says how much.
    pub(super) fn expire(&mut self, work: &Work, item: &mut StockItem, journal: &mut Vec<StockMovement>) -> Decimal {
        let act = work.act();
        let due = |share: &Tracked<Allocation>| {
            let (allocation_id, ids) = (share.id, share.due_reservations(item.id, &act));
            ids.into_iter().map(move |reservation_id| Retractable {
                allocation_id,
                reservation_id,
                open: Decimal::MAX,
                number: String::new(),
            })
        };
        let due: Vec<Retractable> = self.shares.values().flat_map(due).collect();
        due.iter().map(|one| self.withdraw(work, one, one.open, Withdrawal::Expired, item, journal)).sum()
    }

    /// Fills what waits as far as the stock goes, by priority and then by age. Says how much is still
    /// waited for.
    pub(super) async fn fill(
        &mut self,
        work: &Work,
        item: &mut StockItem,
        journal: &mut Vec<StockMovement>,
    ) -> Result<Decimal> {
        // Whoever began to wait between the two looks has an order we hold no lock on.
        if inventory::waiting(work, &[item.id]).await?.iter().any(|one| !self.holds(one.allocation_id)) {
            return Err(StoreError::Conflict);
        }
        let mut left = Decimal::ZERO;
        for (allocation_id, id) in self.queue(item.id) {
            let Some(share) = self.shares.get_mut(&allocation_id) else { continue };
            let Some(order) = self.orders.get_mut(&share.order_id) else { continue };
            if order.status.is_executing() {
                let rules = work.rules(order.rule_set_version).await?;
                let taken = share.fill_backorder(id, order, item, &rules, &work.act(), journal);
                if taken > Decimal::ZERO {
                    self.filled.insert(allocation_id);
                }
            }
            let now = share.backorders.iter().find(|backorder| backorder.id == id);
            left += now.map_or(Decimal::ZERO, Backorder::missing);
        }
        Ok(left)
    }

    /// Those who wait for an item, in their turn. Those from whom something was just taken back are among them.
    fn queue(&self, item: StockItemId) -> Vec<(AllocationId, BackorderId)> {
        let mut queue = Vec::new();
        for share in self.shares.values() {
            for one in share.backorders.iter().filter(|one| one.is_waiting() && one.stock_item_id == item) {
                queue.push((Reverse(one.priority), one.created_at, one.id, share.id));
            }
        }
        queue.sort_unstable();
        queue.into_iter().map(|(.., id, share)| (share, id)).collect()
    }

    /// Saves what changed. Says who got what it waited for.
    pub(super) async fn save(self, work: &Work) -> Result<Vec<AllocationId>> {
        let Self { orders, shares, withdrawn, filled } = self;
        let lost: BTreeSet<OrderId> =
            withdrawn.keys().filter_map(|id| shares.get(id)).map(|share| share.order_id).collect();
        for (id, order) in orders.into_iter().filter(|(_, order)| order.is_changed()) {
            let kind = if lost.contains(&id) { EventKind::OrderUnreserved } else { EventKind::OrderReserved };
            work.save(order, kind).await?;
        }
        for (id, share) in shares.into_iter().filter(|(_, share)| share.is_changed()) {
            let kind = match withdrawn.get(&id) {
                Some(Withdrawal::Expired) => EventKind::AllocationReservationExpired,
                Some(Withdrawal::Missing) => EventKind::AllocationReservationWithdrawn,
                None => EventKind::AllocationBackorderFilled,
            };
            work.save(share, kind).await?;
        }
        Ok(filled.into_iter().collect())
    }
}
