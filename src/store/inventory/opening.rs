//! Stock to begin with, put in with a catalogue.

use crate::domain::actor::Actor;
use crate::domain::event::EventKind;
use crate::domain::inventory::StockItem;
use crate::domain::permission::Action;
use crate::store::error::{Result, StoreError};
use crate::store::row::among;
use crate::store::work::{Occasion, Tracked, Work};
use crate::store::{Store, reference};
use chrono::{DateTime, Utc};
use entity::stock_item;
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::keep_movements;

/// Stock to begin with.
#[derive(Clone, Debug)]
pub struct OpeningStock {
    /// The product's SKU.
    pub sku: String,
    /// The warehouse's code.
    pub warehouse: String,
    /// What lies there.
    pub on_hand: Decimal,
    /// What should always be left.
    pub safety_stock: Decimal,
    /// The lower limit at which procurement is told.
    pub reorder_point: Decimal,
    /// The lot procurement orders at least; nothing for as much as is missing.
    pub reorder_quantity: Decimal,
}

/// Opens stock items that do not exist yet, with what lies there; says how many. In one
/// transaction, by the system.
pub async fn open_stock(
    store: &Store,
    opening: &[OpeningStock],
    now: DateTime<Utc>,
    new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
) -> Result<usize> {
    let occasion =
        Occasion { actor: Actor::system(), action: Action::ReceiveStock, request_id: "opening-stock".to_owned(), now };
    let work = Work::begin(store, occasion, new_id).await?;
    let opened = open_within(&work, opening).await;
    match opened {
        Ok(count) => {
            work.commit().await?;
            Ok(count)
        }
        Err(error) => {
            work.rollback().await?;
            Err(error)
        }
    }
}

async fn open_within(work: &Work, opening: &[OpeningStock]) -> Result<usize> {
    let skus: Vec<String> = opening.iter().map(|row| row.sku.clone()).collect();
    let products = reference::products_by_sku(work.reference(), &skus).await?;
    let units = reference::all_units(work.reference()).await?;
    let ids = products.values().map(|product| product.id.0);
    let mut known: BTreeSet<(Uuid, Uuid)> = stock_item::Entity::find()
        .filter(among(stock_item::Column::ProductId, ids))
        .select_only()
        .columns([stock_item::Column::ProductId, stock_item::Column::WarehouseId])
        .into_tuple()
        .all(work.db().await?)
        .await?
        .into_iter()
        .collect();
    let mut count = 0;
    for row in opening {
        let missing =
            |what: &str| StoreError::Corrupt(format!("opening stock of {}: no {what} {}", row.sku, row.warehouse));
        let product = products.get(&row.sku).ok_or_else(|| missing("product for"))?;
        let warehouse = units.iter().find(|unit| unit.code == row.warehouse).ok_or_else(|| missing("warehouse"))?;
        if !known.insert((product.id.0, warehouse.id.0)) {
            continue;
        }
        let mut item = StockItem::empty(work.id(), product.id, product.sku.clone(), warehouse.id);
        item.safety_stock = row.safety_stock;
        item.reorder_point = row.reorder_point;
        item.reorder_quantity = row.reorder_quantity;
        let mut journal = Vec::new();
        if row.on_hand > Decimal::ZERO {
            item.open_with(&work.act(), row.on_hand, &mut journal);
        }
        work.save(Tracked::new(item), EventKind::StockOpened).await?;
        keep_movements(work, &journal)?;
        count += 1;
    }
    Ok(count)
}
