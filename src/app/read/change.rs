//! Changes of orders that are negotiated, and what could be offered on a shortage.

use std::collections::{BTreeMap, BTreeSet};

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::actor::{Act, Actor};
use crate::domain::allocation::Allocation;
use crate::domain::change::{self as rules_of, OrderChange, Scene, Shortage, ShortageFacts, ShortageOption, StandIn};
use crate::domain::ids::{OrderChangeId, OrderId, ProductId, StockItemId, UnitId};
use crate::domain::inventory::Backorder;
use crate::domain::materials::Structure;
use crate::domain::order::Order;
use crate::domain::reference::ProductKind;
use crate::store::{change, inventory, materials, order, reference};

pub use crate::store::change::ChangeFilter;

/// A page of changes.
pub async fn list(session: &Session, filter: &ChangeFilter, keyset: Keyset) -> Result<Page<OrderChange>, Failure> {
    session.may_read("orderChanges")?;
    Ok(change::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many changes the filter leaves.
pub async fn count(session: &Session, filter: &ChangeFilter) -> Result<u64, Failure> {
    session.may_read("orderChanges")?;
    Ok(change::count(session.app.store(), &session.actor, filter).await?)
}

/// Changes by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[OrderChangeId]) -> Result<Vec<OrderChange>, Failure> {
    if !readable(session, "orderChanges") {
        return Ok(Vec::new());
    }
    Ok(change::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// The changes of orders that were found visible before, oldest first.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<OrderChange>, Failure> {
    Ok(change::of_orders(session.app.store(), orders).await?)
}

/// What is missing of an order, and what could be offered about it.
#[derive(Clone, Debug)]
pub struct Shortages {
    /// The order.
    pub order: Order,
    /// The lines of which something is missing.
    pub lines: Vec<Shortage>,
    /// What could be offered, and what could not.
    pub options: Vec<ShortageOption>,
}

/// What is missing of an order, and what could be offered about it; none if it does not exist for the
/// caller.
pub async fn shortages(session: &Session, id: OrderId) -> Result<Option<Shortages>, Failure> {
    session.may_read("shortageOptions")?;
    let store = session.app.store();
    let Some(order) = order::visible(store, &session.actor, &[id]).await?.pop() else { return Ok(None) };
    let shares = change::shares(store, id).await?;
    let rules = reference::rules(store.reader(), order.rule_set_version).await?;
    let facts = facts(session, &order, &shares).await?;
    let made = shares.iter().filter(|share| share.kind == ProductKind::MadeToOrder);
    let made: Vec<ProductId> = made.flat_map(|share| &share.lines).map(|line| line.product_id).collect();
    let structure =
        if made.is_empty() { Structure::default() } else { materials::structure(store.reader(), &made).await? };
    let scene = Scene { order, shares, items: BTreeMap::new(), structure, journal: Vec::new() };
    let now = session.app.clock.now();
    let act = Act { actor: &session.actor, now, new_id: &*session.app.new_id };
    let lines = rules_of::shortages(&scene, &facts, now.date_naive());
    let options = rules_of::shortage_options(&scene, &facts, &rules, &act);
    Ok(Some(Shortages { order: scene.order, lines, options }))
}

/// Whoever may offer alternatives learns what is in the warehouses of the order's shares, whosever they are.
async fn facts(session: &Session, order: &Order, shares: &[Allocation]) -> Result<ShortageFacts, Failure> {
    let store = session.app.store();
    let missing: Vec<&Backorder> =
        shares.iter().flat_map(|share| &share.backorders).filter(|one| one.is_waiting()).collect();
    if missing.is_empty() {
        return Ok(ShortageFacts::default());
    }
    let items: BTreeSet<StockItemId> = missing.iter().map(|one| one.stock_item_id).collect();
    let items: Vec<StockItemId> = items.into_iter().collect();
    let lines: Vec<ProductId> = order.lines.iter().filter_map(|line| line.product_id).collect();
    let ranked = change::substitutes(store, &lines).await?;
    let others: Vec<ProductId> = ranked.iter().map(|(_, other, _)| *other).collect();
    let products = reference::products_by_ids(store.reader(), &others).await?;
    let warehouses: Vec<UnitId> = shares.iter().filter_map(|share| share.warehouse_id).collect();
    let there = materials::supplies(store, &Actor::system(), &others, Some(&warehouses)).await?;
    let stand_in = |(instead_of, other, rank): (ProductId, ProductId, i32)| {
        let product = products.iter().find(|product| product.id == other)?.clone();
        let available = there.get(&other).map(|supply| supply.available).unwrap_or_default();
        Some(StandIn { instead_of, product, rank, available })
    };
    Ok(ShortageFacts {
        supplies: materials::supplies_of(store, &items).await?,
        waiting: inventory::waiting_quantities(store.reader(), &items).await?,
        stand_ins: ranked.into_iter().filter_map(stand_in).collect(),
    })
}
