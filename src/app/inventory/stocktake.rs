//! Stocktakes (R4.1): counting, and booking what is off.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Waiters, ask_to_replenish};
use crate::app::command::Command;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, ProductId, StockItemId, StocktakeId, UnitId};
use crate::domain::inventory::{CountedItem, MOST_ITEMS, StockItem, Stocktake, Withdrawal};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, inventory, reference};

/// The stocktake a command acted on, and the backorders that what turned up filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnStocktake {
    /// The stocktake.
    pub stocktake_id: StocktakeId,
    /// Allocations that got what they waited for, or part of it.
    pub filled_allocation_ids: Vec<AllocationId>,
}

impl OnStocktake {
    fn only(stocktake_id: StocktakeId) -> Self {
        Self { stocktake_id, filled_allocation_ids: Vec::new() }
    }
}

/// Begin to count stock of a warehouse: all of it, a category, or some items.
#[derive(Clone, Debug, Serialize)]
pub struct OpenStocktake {
    /// The warehouse.
    pub warehouse_id: UnitId,
    /// Only products of this category.
    pub category: Option<String>,
    /// Only these items.
    pub stock_item_ids: Option<Vec<StockItemId>>,
    /// Those who count do not see what the books say.
    pub blind: bool,
}

impl Command for OpenStocktake {
    const ACTION: Action = Action::OpenStocktake;
    type Answer = OnStocktake;

    async fn run(&self, work: &Work) -> Result<OnStocktake> {
        let warehouse = inventory::visible_warehouse(work, self.warehouse_id).await?;
        let (category, named) = (self.category.as_deref(), self.stock_item_ids.as_deref());
        let most = u64::try_from(MOST_ITEMS).unwrap_or(u64::MAX).saturating_add(1);
        let ids = inventory::items_to_count(work, warehouse, category, named, most).await?;
        if named.is_some_and(|named| named.iter().any(|one| !ids.contains(&one.0))) && ids.len() <= MOST_ITEMS {
            return Err(StoreError::NotFound);
        }
        let items: Vec<Tracked<StockItem>> = work.find_many(&ids).await?;
        let items: Vec<StockItem> = items.iter().map(|item| (**item).clone()).collect();
        let under_count = inventory::under_count(work, &ids).await?;
        let opened = Stocktake::open(&work.act(), warehouse, self.category.clone(), self.blind, &items, &under_count)?;
        let opened = work.save(Tracked::new(opened), EventKind::StocktakeOpened).await?;
        Ok(OnStocktake::only(opened.id))
    }
}

/// Record what was counted of a stock item; counting again replaces it.
#[derive(Clone, Debug, Serialize)]
pub struct RecordCount {
    /// The stocktake.
    pub stocktake_id: StocktakeId,
    /// The item.
    pub stock_item_id: StockItemId,
    /// What was counted.
    pub counted: Decimal,
    /// The version of the stocktake the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RecordCount {
    const ACTION: Action = Action::RecordCount;
    type Answer = OnStocktake;

    async fn run(&self, work: &Work) -> Result<OnStocktake> {
        let mut stocktake = inventory::visible_stocktake(work, self.stocktake_id).await?;
        work.expect(&stocktake, self.expected_version)?;
        // Under its lock: what the books say is what they say at the moment of the count.
        let item = inventory::visible(work, self.stock_item_id).await?;
        let happening = stocktake.count(&work.act(), &item, self.counted)?;
        work.save(stocktake, happening).await?;
        Ok(OnStocktake::only(self.stocktake_id))
    }
}

/// Say that all is counted. Variances within the tolerance are booked at once; others wait for approval.
#[derive(Clone, Debug, Serialize)]
pub struct FinishStocktake {
    /// The stocktake.
    pub stocktake_id: StocktakeId,
    /// The version of the stocktake the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for FinishStocktake {
    const ACTION: Action = Action::FinishStocktake;
    type Answer = OnStocktake;

    async fn run(&self, work: &Work) -> Result<OnStocktake> {
        let mut count = Count::lock(work, self.stocktake_id, self.expected_version, false).await?;
        let rules = reference::active_rules(work.reference()).await?.inventory;
        let items = count.priced(work).await?;
        let is_small = count.stocktake.finish(&work.act(), &items, &rules.count_tolerance)?;
        if !is_small {
            work.save(count.stocktake, EventKind::StocktakeFinished).await?;
            return Ok(OnStocktake::only(self.stocktake_id));
        }
        count.book(work, None, None).await
    }
}

/// Book the variances of a stocktake. What is reserved and was not found is taken back only when that is
/// said: from the newest reservations first, which wait again (R4.2).
#[derive(Clone, Debug, Serialize)]
pub struct ApproveStocktake {
    /// The stocktake.
    pub stocktake_id: StocktakeId,
    /// Take back what is reserved and was not found.
    pub release_reservations: bool,
    /// A remark.
    pub reason: Option<String>,
    /// The version of the stocktake the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ApproveStocktake {
    const ACTION: Action = Action::ApproveStocktake;
    type Answer = OnStocktake;

    async fn run(&self, work: &Work) -> Result<OnStocktake> {
        let mut count = Count::lock(work, self.stocktake_id, self.expected_version, true).await?;
        count.release_shortfalls(work, self.release_reservations, self.reason.as_deref())?;
        let by = Some(work.actor().subject.clone());
        count.book(work, by, self.reason.clone()).await
    }
}

/// Reject a stocktake; nothing is booked, and its items may be counted anew.
#[derive(Clone, Debug, Serialize)]
pub struct RejectStocktake {
    /// The stocktake.
    pub stocktake_id: StocktakeId,
    /// Why.
    pub reason: String,
    /// The version of the stocktake the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RejectStocktake {
    const ACTION: Action = Action::RejectStocktake;
    type Answer = OnStocktake;

    async fn run(&self, work: &Work) -> Result<OnStocktake> {
        let mut stocktake = inventory::visible_stocktake(work, self.stocktake_id).await?;
        work.expect(&stocktake, self.expected_version)?;
        let happening = stocktake.reject(&work.act(), self.reason.clone())?;
        work.save(stocktake, happening).await?;
        Ok(OnStocktake::only(self.stocktake_id))
    }
}

/// A stocktake with everything that booking it may move, locked in the order of locks.
struct Count {
    waiters: Waiters,
    stocktake: Tracked<Stocktake>,
    items: Vec<Tracked<StockItem>>,
    journal: Vec<crate::domain::inventory::StockMovement>,
}

/// The items that were counted off, and those of them of which less was found.
fn varied(stocktake: &Stocktake) -> (Vec<StockItemId>, Vec<StockItemId>) {
    let off = |wanted: fn(Decimal) -> bool| {
        let lines = stocktake.lines.iter().filter(move |line| line.variance().is_some_and(wanted));
        lines.map(|line| line.stock_item_id).collect::<Vec<_>>()
    };
    (off(|variance| !variance.is_zero()), off(|variance| variance < Decimal::ZERO))
}

impl Count {
    async fn lock(work: &Work, id: StocktakeId, expected_version: Option<i64>, holders: bool) -> Result<Self> {
        let (moved, less) = varied(&inventory::peek_stocktake(work, id).await?);
        let having = if holders { inventory::holders(work, &less, None).await? } else { Vec::new() };
        let waiters = Waiters::lock(work, &moved, having).await?;
        let stocktake = inventory::visible_stocktake(work, id).await?;
        work.expect(&stocktake, expected_version)?;
        if varied(&stocktake).0 != moved {
            // Somebody counted between the two looks.
            return Err(StoreError::Conflict);
        }
        let ids: Vec<_> = moved.iter().map(|id| id.0).collect();
        let items = work.find_many(&ids).await?;
        if holders && inventory::holders(work, &less, None).await?.into_iter().any(|one| !waiters.holds(one)) {
            return Err(StoreError::Conflict);
        }
        Ok(Self { waiters, stocktake, items, journal: Vec::new() })
    }

    /// The items with what they are worth.
    async fn priced(&self, work: &Work) -> Result<BTreeMap<StockItemId, CountedItem>> {
        let ids: Vec<ProductId> = self.items.iter().map(|item| item.product_id).collect();
        let products = reference::products_by_ids(work.reference(), &ids).await?;
        let price = |id: ProductId| products.iter().find(|one| one.id == id).map(|one| one.list_price);
        let priced = self.items.iter().map(|item| {
            let list_price = price(item.product_id).unwrap_or_default();
            (item.id, CountedItem { item: (**item).clone(), list_price })
        });
        Ok(priced.collect())
    }

    /// Takes back what is reserved and was not found, if that is wanted and can be; or says who has it.
    fn release_shortfalls(&mut self, work: &Work, wanted: bool, reason: Option<&str>) -> Result<()> {
        let mut refusals = self.stocktake.approval_blockers(work.actor(), reason);
        let mut plan = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let short = self.stocktake.shortfall(item);
            if short.is_zero() {
                continue;
            }
            let having = self.waiters.retractable(item.id);
            let most: Decimal = having.iter().map(|one| one.open).sum();
            if !wanted || most < short {
                let orders: Vec<String> =
                    having.iter().map(|one| format!("{} has {}", one.number, one.open.normalize())).collect();
                let message = format!(
                    "{}: {} of what is reserved or put aside were not found. {} can be taken back{}{}.",
                    item.sku,
                    short.normalize(),
                    most.normalize(),
                    if orders.is_empty() { "" } else { ", newest first: " },
                    orders.join(", "),
                );
                refusals.push(Refusal::new(RefusalCode::StockReserved, "R4.2", message).at("releaseReservations"));
            }
            plan.push((index, short, having));
        }
        refusals.into_result()?;
        for (index, mut short, having) in plan {
            for one in having {
                let item = &mut self.items[index];
                short -= self.waiters.withdraw(work, &one, short, Withdrawal::Missing, item, &mut self.journal);
            }
        }
        Ok(())
    }

    /// Books what is off. What turned up goes to those who wait.
    async fn book(self, work: &Work, by: Option<String>, reason: Option<String>) -> Result<OnStocktake> {
        let Self { mut waiters, mut stocktake, mut items, mut journal } = self;
        let id = stocktake.id;
        let counted = items.iter_mut().map(|item| &mut **item);
        let happening = stocktake.book(&work.act(), counted, by, reason, &mut journal);
        work.save(stocktake, happening).await?;
        let mut wanted = Vec::new();
        for mut item in items {
            let left = waiters.fill(work, &mut item, &mut journal).await?;
            wanted.push((work.save(item, EventKind::StockAdjusted).await?, left));
        }
        let filled_allocation_ids = waiters.save(work).await?;
        inventory::keep_movements(work, &journal)?;
        for (item, left) in wanted {
            ask_to_replenish(work, &item, left).await?;
        }
        Ok(OnStocktake { stocktake_id: id, filled_allocation_ids })
    }
}
