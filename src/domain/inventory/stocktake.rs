//! Stocktakes: what is counted against what the books said at that moment. What is off by more than the
//! rules tolerate is booked only when a second person, in another role, approves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{CountTolerance, MovementKind, StockItem, StockMovement};
use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ProductId, StockItemId, StocktakeId, StocktakeLineId, UnitId};
use crate::domain::intake::{LONG_TEXT, public_number, text};
use crate::domain::money;
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// Where a stocktake stands.
    StocktakeStatus {
        /// Being counted.
        Open = "OPEN",
        /// All is counted; the variances wait for approval.
        Counted = "COUNTED",
        /// The variances are booked.
        Approved = "APPROVED",
        /// Nothing is booked.
        Rejected = "REJECTED",
    }
}

use StocktakeStatus::*;

impl Lifecycle for StocktakeStatus {
    const NOUN: &'static str = "stocktake";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::OpenStocktake, Open, "R4.1"),
        step(Open, Action::RecordCount, Open, "R4.1"),
        step(Open, Action::FinishStocktake, Counted, "R4.1"),
        step(Open, Action::FinishStocktake, Approved, "R4.1"),
        step(Open, Action::RejectStocktake, Rejected, "R4.1"),
        step(Counted, Action::ApproveStocktake, Approved, "R4.1"),
        step(Counted, Action::RejectStocktake, Rejected, "R4.1"),
    ];
}

/// Items one stocktake may have.
pub const MOST_ITEMS: usize = 500;

/// What was counted of a stock item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StocktakeLine {
    /// Identity.
    pub id: StocktakeLineId,
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// What was counted; none before.
    pub counted: Option<Decimal>,
    /// What the books said when it was counted. What moves later moves both and leaves the variance.
    pub book: Option<Decimal>,
    /// Who counted.
    pub counted_by: Option<String>,
    /// When.
    pub counted_at: Option<DateTime<Utc>>,
    /// Is the variance so small that nobody else need look at it? Known when all is counted.
    pub within_tolerance: Option<bool>,
    /// Is the item still under this count?
    pub open: bool,
}

/// A count of what lies in a warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stocktake {
    /// Identity.
    pub id: StocktakeId,
    /// Counts the changes.
    pub version: i64,
    /// The number people use.
    pub number: String,
    /// The warehouse.
    pub warehouse_id: UnitId,
    /// The category of products that is counted; none for all or named ones.
    pub category: Option<String>,
    /// Those who count do not see what the books say.
    pub blind: bool,
    /// Where it stands.
    pub status: StocktakeStatus,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Who said that all is counted.
    pub finished_by: Option<String>,
    /// When.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who approved or rejected; none when all was within the tolerance.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was rejected, or a remark.
    pub decision_reason: Option<String>,
    /// The items, by SKU.
    pub lines: Vec<StocktakeLine>,
}

/// A stock item that was counted, as the books have it now, and what it is worth.
#[derive(Clone, Debug)]
pub struct CountedItem {
    /// The item.
    pub item: StockItem,
    /// List price of one unit.
    pub list_price: Decimal,
}

impl StocktakeLine {
    /// What was counted less what the books said.
    pub fn variance(&self) -> Option<Decimal> {
        Some(self.counted? - self.book?)
    }
}

impl Stocktake {
    /// Begins to count items of a warehouse. An item is counted in one stocktake at a time.
    pub fn open(
        act: &Act<'_>,
        warehouse_id: UnitId,
        category: Option<String>,
        blind: bool,
        items: &[StockItem],
        under_count: &[StockItemId],
    ) -> Result<Self, Refusals> {
        let mut refusals = role_blockers(Action::OpenStocktake, act.actor);
        cover(&mut refusals, warehouse_id, act.actor);
        refusals.require(!items.is_empty(), || {
            Refusal::new(Code::TooFew, "R4.1", "Nothing of this lies in the warehouse.").at("warehouseId")
        });
        refusals.require(items.len() <= MOST_ITEMS, || {
            let message = format!("At most {MOST_ITEMS} items are counted together; count by category or name them.");
            Refusal::new(Code::TooMany, "R4.1", message).at("warehouseId")
        });
        for item in items.iter().filter(|item| under_count.contains(&item.id)) {
            let message = format!("{} is under another count.", item.sku);
            refusals.push(Refusal::new(Code::AlreadyUnderCount, "R4.1", message));
        }
        refusals.into_result()?;
        let mut lines: Vec<StocktakeLine> = items
            .iter()
            .map(|item| StocktakeLine {
                id: act.id(),
                stock_item_id: item.id,
                product_id: item.product_id,
                sku: item.sku.clone(),
                counted: None,
                book: None,
                counted_by: None,
                counted_at: None,
                within_tolerance: None,
                open: true,
            })
            .collect();
        lines.sort_by_key(|line| line.id);
        let id: StocktakeId = act.id();
        Ok(Self {
            id,
            version: 0,
            number: public_number(id.0),
            warehouse_id,
            category,
            blind,
            status: Open,
            opened_by: act.actor.subject.clone(),
            opened_at: act.now,
            finished_by: None,
            finished_at: None,
            decided_by: None,
            decided_at: None,
            decision_reason: None,
            lines,
        })
    }

    /// What stands between the actor and an action on this stocktake, apart from the input and the stock.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        cover(&mut refusals, self.warehouse_id, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        if action == Action::FinishStocktake {
            let left = self.lines.iter().filter(|line| line.counted.is_none()).count();
            refusals.require(left == 0, || {
                Refusal::new(Code::CountIncomplete, "R4.1", format!("{left} items are not counted yet."))
            });
        }
        if action == Action::ApproveStocktake {
            let counters = self.lines.iter().filter_map(|line| line.counted_by.as_ref());
            let mut involved = counters.chain([&self.opened_by]).chain(&self.finished_by);
            refusals.require(involved.all(|one| *one != actor.subject), || {
                let message = "Whoever opened or counted does not approve what was counted.";
                Refusal::new(Code::SeparationOfDuties, "R4.1", message)
            });
        }
        refusals
    }

    /// What stands between the actor and approving it with this remark.
    pub fn approval_blockers(&self, actor: &Actor, reason: Option<&str>) -> Refusals {
        let mut refusals = self.blockers(Action::ApproveStocktake, actor);
        text(&mut refusals, "reason", reason, false, LONG_TEXT);
        refusals
    }

    /// Do those who count see what the books say?
    pub fn shows_book(&self) -> bool {
        !self.blind || self.status != Open
    }

    /// Keeps what was counted of an item; counting again replaces it.
    pub fn count(&mut self, act: &Act<'_>, item: &StockItem, counted: Decimal) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::RecordCount, act.actor);
        refusals.require(counted.is_zero() || money::is_quantity(counted), || {
            Refusal::new(Code::QuantityPrecision, "R4.1", "Not below zero, and at most three decimals.").at("counted")
        });
        let line = self.lines.iter_mut().find(|line| line.stock_item_id == item.id);
        let Some(line) = line else {
            let refusal = Refusal::new(Code::UnknownLine, "R4.1", "The item is not part of this stocktake.");
            refusals.push(refusal.at("stockItemId"));
            return Err(refusals);
        };
        refusals.into_result()?;
        line.counted = Some(counted);
        line.book = Some(item.on_hand);
        line.counted_by = Some(act.actor.subject.clone());
        line.counted_at = Some(act.now);
        Ok(EventKind::StocktakeItemCounted)
    }

    /// All is counted. Says whether every variance is so small, and no reservation is in its way, that it
    /// is booked without anybody else.
    pub fn finish(
        &mut self,
        act: &Act<'_>,
        items: &BTreeMap<StockItemId, CountedItem>,
        tolerance: &CountTolerance,
    ) -> Result<bool, Refusals> {
        self.blockers(Action::FinishStocktake, act.actor).into_result()?;
        self.status = Counted;
        self.finished_by = Some(act.actor.subject.clone());
        self.finished_at = Some(act.now);
        let mut all = true;
        for line in &mut self.lines {
            let price = items.get(&line.stock_item_id).map_or(Decimal::ZERO, |one| one.list_price);
            let within = line.variance().zip(line.book).is_some_and(|(off, book)| tolerance.covers(off, book, price));
            line.within_tolerance = Some(within);
            all &= within;
        }
        Ok(all && items.values().all(|one| self.shortfall(&one.item).is_zero()))
    }

    /// How much of what is reserved or put aside would have nothing under it when the variance is booked.
    pub fn shortfall(&self, item: &StockItem) -> Decimal {
        let line = self.lines.iter().find(|line| line.stock_item_id == item.id);
        let variance = line.and_then(StocktakeLine::variance).unwrap_or_default();
        (-(item.available() + variance)).max(Decimal::ZERO)
    }

    /// Books the variances. Nothing may fall short any more.
    pub fn book<'a>(
        &mut self,
        act: &Act<'_>,
        items: impl Iterator<Item = &'a mut StockItem>,
        decided_by: Option<String>,
        reason: Option<String>,
        journal: &mut Vec<StockMovement>,
    ) -> EventKind {
        for item in items {
            let line = self.lines.iter().find(|line| line.stock_item_id == item.id);
            let variance = line.and_then(StocktakeLine::variance).unwrap_or_default();
            if !variance.is_zero() {
                let mut movement = item.movement(act, MovementKind::Adjust, variance, Decimal::ZERO, None);
                movement.note = Some(format!("Stocktake {}", self.number));
                item.apply(movement, journal);
            }
        }
        self.close(act, Approved, decided_by, reason);
        EventKind::StocktakeApproved
    }

    /// Nothing is booked.
    pub fn reject(&mut self, act: &Act<'_>, reason: String) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::RejectStocktake, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        let happening = EventKind::StocktakeRejected.because(&reason);
        self.close(act, Rejected, Some(act.actor.subject.clone()), Some(reason));
        Ok(happening)
    }

    fn close(&mut self, act: &Act<'_>, status: StocktakeStatus, decided_by: Option<String>, reason: Option<String>) {
        self.status = status;
        self.decided_by = decided_by;
        self.decided_at = Some(act.now);
        self.decision_reason = reason;
        for line in &mut self.lines {
            line.open = false;
        }
    }
}

fn cover(refusals: &mut Refusals, warehouse: UnitId, actor: &Actor) {
    refusals.require(actor.covers_unit(warehouse), || {
        Refusal::new(Code::RoleNotPermitted, "R4.1", "Only the warehouse's own people and those above count its stock.")
    });
}
