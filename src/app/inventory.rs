//! Inventory (R4): acceptance reserves, receipts fill what waits, procurement is told in time. One file
//! per subject; this one is acceptance, receipts and corrections.

mod held;
mod queue;
mod replenishment;
mod stocktake;
mod transfer;
mod waiters;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::allocation::Allocation;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, OrderId, ProductId, ReplenishmentRequestId, StockItemId};
use crate::domain::inventory::{self as rules_of, ReplenishmentRequest, ReplenishmentStatus, StockBook, StockItem};
use crate::domain::materials::Structure;
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::store::inventory::{self, Replenishment};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, allocation, materials, reference};

pub use held::{HoldStock, ReleaseHeldStock, ScrapHeldStock};
pub use queue::{ExpireReservations, FillBackorders, expire_reservations, fill_backorders};
pub use replenishment::{
    ApproveReplenishment, CancelReplenishment, CloseReplenishmentShort, OnRequest, OrderReplenishment,
    RejectReplenishment, SetReorderPolicy,
};
pub use stocktake::{ApproveStocktake, FinishStocktake, OnStocktake, OpenStocktake, RecordCount, RejectStocktake};
pub use transfer::{
    CancelTransfer, CloseTransferShort, DispatchTransfer, OnTransfer, ReceiveTransfer, RequestTransfer,
};
use waiters::Waiters;

/// Stock items that are locked for a command, and what is moved of them.
pub(super) struct Stock {
    before: Vec<Tracked<StockItem>>,
    pub(super) book: StockBook,
}

impl Stock {
    fn of(before: Vec<Tracked<StockItem>>) -> Self {
        let items = before.iter().map(|item| (item.product_id, (**item).clone())).collect();
        Self { before, book: StockBook { items, journal: Vec::new() } }
    }

    /// Locks what an allocation has reserved or waits for.
    pub(super) async fn lock_for(work: &Work, allocation: &Allocation) -> Result<Self> {
        let mut ids: Vec<_> = allocation
            .reservations
            .iter()
            .map(|one| one.stock_item_id.0)
            .chain(allocation.backorders.iter().map(|one| one.stock_item_id.0))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Self::of(work.find_many(&ids).await?))
    }

    /// Saves what was moved, and tells procurement where the lower limit was reached.
    pub(super) async fn save(self, work: &Work, happening: EventKind) -> Result<()> {
        let Self { before, book: StockBook { mut items, journal } } = self;
        for mut tracked in before {
            if let Some(item) = items.remove(&tracked.product_id) {
                *tracked = item;
            }
            if tracked.is_changed() {
                let item = work.save(tracked, happening).await?;
                ask_for_those_who_wait(work, &item).await?;
            }
        }
        inventory::keep_movements(work, &journal)
    }
}

/// Sees to it that what is wanted now is proposed to procurement, as far as nothing is known to be coming
/// for it. Of an item at most one proposal waits to be decided (R4.3, R4.4).
async fn ask_to_replenish(work: &Work, item: &StockItem, waiting: Decimal) -> Result<()> {
    let Some((reason, wanted)) = item.wanted(waiting) else {
        return Ok(());
    };
    let open = inventory::open_requests(work, item).await?;
    let is_coming = |one: &Tracked<Replenishment>| ReplenishmentStatus::COMING.contains(&one.request.status);
    let coming: Decimal = open.iter().filter(|one| is_coming(one)).map(|one| one.request.outstanding()).sum();
    let wanted = wanted - coming;
    if wanted <= Decimal::ZERO {
        return Ok(());
    }
    match open.into_iter().find(|one| one.request.status == ReplenishmentStatus::Proposed) {
        Some(mut proposed) => {
            if proposed.request.raise(wanted) {
                work.save(proposed, EventKind::ReplenishmentRaised).await?;
            }
        }
        None => {
            let request = ReplenishmentRequest::propose(&work.act(), item, reason, wanted);
            let new = Tracked::new(Replenishment { request, warehouse_id: item.warehouse_id });
            work.save(new, EventKind::ReplenishmentRequested).await?;
        }
    }
    Ok(())
}

/// The same for an item that was changed without looking at those who wait.
async fn ask_for_those_who_wait(work: &Work, item: &StockItem) -> Result<()> {
    let waiting = inventory::waiting_quantities(work.db().await?, &[item.id]).await?;
    ask_to_replenish(work, item, waiting.get(&item.id).copied().unwrap_or_default()).await
}

/// The allocation a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnAllocation {
    /// The order.
    pub order_id: OrderId,
    /// The allocation.
    pub allocation_id: AllocationId,
}

/// Accept an allocation: its stock is reserved in the same transaction, what is missing is
/// backordered, and its milestones are set up (R4.2, R4.3, R5.1).
#[derive(Clone, Debug, Serialize)]
pub struct AcceptAllocation {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// Subject of the one responsible for its milestones; the caller when absent.
    pub responsible: Option<String>,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AcceptAllocation {
    const ACTION: Action = Action::AcceptAllocation;
    type Answer = OnAllocation;

    async fn run(&self, work: &Work) -> Result<OnAllocation> {
        let (mut order, mut share) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&share, self.expected_version)?;
        share.blockers(Action::AcceptAllocation, &order, work.actor()).into_result()?;
        let responsible = self.responsible.clone().unwrap_or_else(|| work.actor().subject.clone());
        check_responsible(work, &responsible).await?;
        let rules = work.rules(order.rule_set_version).await?;
        let structure = structure(work, &share).await?;
        let products = stocked_products(work, &share, &structure).await?;
        let mut stock = match share.warehouse_id {
            Some(warehouse) => Stock::of(inventory::lock_stock(work, warehouse, &products).await?),
            None => Stock::of(Vec::new()),
        };
        let happening =
            rules_of::accept(&mut share, &mut order, &work.act(), &responsible, &rules, &structure, &mut stock.book)?;
        work.save(order, EventKind::OrderStarted).await?;
        let share = work.save(share, happening).await?;
        // Items that only run short are not moved, but procurement is told all the same.
        let short: Vec<StockItemId> = share.backorders.iter().map(|one| one.stock_item_id).collect();
        let unmoved: Vec<StockItem> = stock
            .before
            .iter()
            .filter(|item| short.contains(&item.id) && stock.book.items.get(&item.product_id) == Some(&**item))
            .map(|item| (**item).clone())
            .collect();
        stock.save(work, EventKind::StockReserved).await?;
        for item in unmoved {
            ask_for_those_who_wait(work, &item).await?;
        }
        Ok(OnAllocation { order_id, allocation_id: share.id })
    }
}

/// Milestones are for people of the group who may update them (R5.2).
async fn check_responsible(work: &Work, subject: &str) -> Result<()> {
    if subject == work.actor().subject {
        return Ok(());
    }
    let people = reference::people(work.reference(), &[subject.to_owned()]).await?;
    let fits = people.iter().any(|person| person.roles.contains(&crate::domain::actor::Role::Operator));
    if fits {
        return Ok(());
    }
    let refusal = Refusal::new(RefusalCode::NotResponsible, "R5.1", "No operator of the group has this subject.")
        .at("responsible");
    Err(StoreError::Refused(refusal.into()))
}

/// What goes into what a share makes, on every level.
pub(super) async fn structure(work: &Work, share: &Allocation) -> Result<Structure> {
    if share.kind != ProductKind::MadeToOrder {
        return Ok(Structure::default());
    }
    let ids: Vec<ProductId> = share.lines.iter().map(|line| line.product_id).collect();
    materials::structure(work.reference(), &ids).await
}

/// The products whose stock decides what a share gets. What can be made need not have any.
async fn stocked_products(work: &Work, share: &Allocation, structure: &Structure) -> Result<Vec<(ProductId, String)>> {
    if share.kind == ProductKind::Goods {
        let mut products: Vec<_> = share.lines.iter().map(|line| (line.product_id, line.sku.clone())).collect();
        products.sort();
        products.dedup();
        return Ok(products);
    }
    let (made, mut products) = structure.parts_by_making(work.now().date_naive());
    if let (Some(warehouse), false) = (share.warehouse_id, made.is_empty()) {
        let ids: Vec<ProductId> = made.keys().copied().collect();
        let stocked = materials::stocked(work, warehouse, &ids).await?;
        products.extend(made.into_iter().filter(|(id, _)| stocked.contains(id)));
    }
    Ok(products.into_iter().collect())
}

/// A receipt or correction, and the backorders it filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnStock {
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// Allocations that got what they waited for, or part of it.
    pub filled_allocation_ids: Vec<AllocationId>,
}

/// Book goods into a warehouse; they fill what waits, by priority and then by age (R4.3).
#[derive(Clone, Debug, Serialize)]
pub struct ReceiveStock {
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// How much came in.
    pub quantity: Decimal,
    /// The request they came for; the one that is closest to coming when absent.
    pub request_id: Option<ReplenishmentRequestId>,
    /// The version of the stock item the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReceiveStock {
    const ACTION: Action = Action::ReceiveStock;
    type Answer = OnStock;

    async fn run(&self, work: &Work) -> Result<OnStock> {
        let mut waiters = Waiters::lock(work, &[self.stock_item_id], []).await?;
        let mut item = inventory::visible(work, self.stock_item_id).await?;
        work.expect(&item, self.expected_version)?;
        let mut open = inventory::open_requests(work, &item).await?;
        let mut refusals = Refusals::default();
        if let Some(id) = self.request_id {
            let rules = reference::active_rules(work.reference()).await?.inventory;
            open.retain(|one| one.request.id == id);
            refusals.0.extend(match open.first() {
                Some(named) => rules_of::receipt_over(&named.request, self.quantity, rules.over_receipt_rate),
                None => Some(
                    Refusal::new(RefusalCode::IllegalTransition, "R4.3", "No open request of this item has this id.")
                        .at("replenishmentRequestId"),
                ),
            });
        }
        let mut journal = Vec::new();
        let happening = item.receive(&work.act(), self.quantity, refusals, &mut journal)?;
        let left = waiters.fill(work, &mut item, &mut journal).await?;
        let item = work.save(item, happening).await?;
        let filled_allocation_ids = waiters.save(work).await?;
        inventory::keep_movements(work, &journal)?;
        self.count_for(work, open).await?;
        ask_to_replenish(work, &item, left).await?;
        Ok(OnStock { stock_item_id: item.id, filled_allocation_ids })
    }
}

impl ReceiveStock {
    /// Counts what came for the requests of the item, one after the other; what nobody asked for counts
    /// for none.
    async fn count_for(&self, work: &Work, open: Vec<Tracked<Replenishment>>) -> Result<()> {
        let mut rest = self.quantity;
        for mut one in open {
            // A request that was named takes all of it; that it is not too much was seen to.
            let part = if self.request_id.is_some() { rest } else { rest.min(one.request.outstanding()) };
            if part > Decimal::ZERO {
                let happening = one.request.receive(part);
                work.save(one, happening).await?;
                rest -= part;
            }
        }
        Ok(())
    }
}

/// Correct a stock count, with a reason.
#[derive(Clone, Debug, Serialize)]
pub struct AdjustStock {
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// What to add to the count; negative to take away.
    pub change: Decimal,
    /// Why.
    pub reason: String,
    /// The version of the stock item the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for AdjustStock {
    const ACTION: Action = Action::AdjustStock;
    type Answer = OnStock;

    async fn run(&self, work: &Work) -> Result<OnStock> {
        let mut waiters = Waiters::lock(work, &[self.stock_item_id], []).await?;
        let mut item = inventory::visible(work, self.stock_item_id).await?;
        work.expect(&item, self.expected_version)?;
        let mut journal = Vec::new();
        let happening = item.adjust(&work.act(), self.change, self.reason.clone(), &mut journal)?;
        // What turned up in a count is there for those who wait, as if it had come in.
        let left = waiters.fill(work, &mut item, &mut journal).await?;
        let item = work.save(item, happening.because(&self.reason)).await?;
        let filled_allocation_ids = waiters.save(work).await?;
        inventory::keep_movements(work, &journal)?;
        ask_to_replenish(work, &item, left).await?;
        Ok(OnStock { stock_item_id: item.id, filled_allocation_ids })
    }
}
