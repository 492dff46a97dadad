//! Stock, its movements, and requests to replenish it.

mod opening;
mod product;
mod queue;
mod replenishment;
mod report;
mod stocktake;
mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::{Quantity, allocation, backorder, stock_item, stock_movement};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::ids::{AllocationId, OrderId, ProductId, StockItemId, StockMovementId, UnitId};
use crate::domain::inventory::{Backorder, BackorderStatus, StockItem, StockMovement};
use crate::store::aggregate::Aggregate;
use crate::store::allocation::backorder_part;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, code, from_quantity, quantity};
use crate::store::work::{Saved, Tracked, Work};
use crate::store::write::Writes;
use crate::store::{Store, scope};

pub use opening::{OpeningStock, open_stock};
pub use product::{ProductStock, ProductStockFilter, count_products, of_products};
pub use queue::{QueueFilter, count_queue, due_items, fillable_items, holders, incoming, queue};
pub use replenishment::{
    Replenishment, ReplenishmentFilter, count_requests, open_requests, request_with_item, requests, requests_by_ids,
};
pub use report::figures;
pub use stocktake::{
    StocktakeFilter, count_stocktakes, items_to_count, peek_stocktake, stocktakes, stocktakes_by_ids, under_count,
    visible_stocktake,
};
pub use transfer::{
    TransferFilter, count_transfers, item_in, target_of, transfers, transfers_by_ids, visible_transfer,
    visible_warehouse,
};

impl Aggregate for StockItem {
    const KIND: AggregateKind = AggregateKind::StockItem;
    type Rows = stock_item::Model;

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        None
    }
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.warehouse_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(stock_item::Model {
            id: self.id.0,
            version: self.version,
            product_id: self.product_id.0,
            sku: self.sku.clone(),
            warehouse_id: self.warehouse_id.0,
            on_hand: quantity(self.on_hand)?,
            reserved: quantity(self.reserved)?,
            safety_stock: quantity(self.safety_stock)?,
            reorder_point: quantity(self.reorder_point)?,
            quality_hold: quantity(self.quality_hold)?,
            reorder_quantity: quantity(self.reorder_quantity)?,
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            product_id: row.product_id.into(),
            sku: row.sku,
            warehouse_id: row.warehouse_id.into(),
            on_hand: from_quantity(row.on_hand),
            reserved: from_quantity(row.reserved),
            safety_stock: from_quantity(row.safety_stock),
            reorder_point: from_quantity(row.reorder_point),
            quality_hold: from_quantity(row.quality_hold),
            reorder_quantity: from_quantity(row.reorder_quantity),
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = stock_item::Entity::find()
            .filter(among(stock_item::Column::Id, ids.to_vec()))
            .order_by_asc(stock_item::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<stock_item::Entity>(row)
    }

    fn handed_on(self) -> Option<Saved> {
        Some(Saved::StockItem(Arc::new(self)))
    }
}

fn movement_row(movement: &StockMovement) -> Result<stock_movement::Model> {
    Ok(stock_movement::Model {
        id: movement.id.0,
        stock_item_id: movement.stock_item_id.0,
        kind: movement.kind.code().to_owned(),
        on_hand_change: quantity(movement.on_hand_change)?,
        reserved_change: quantity(movement.reserved_change)?,
        order_id: movement.order_id.map(|id| id.0),
        note: movement.note.clone(),
        moved_by: movement.moved_by.clone(),
        moved_at: movement.moved_at,
        quality_hold_change: quantity(movement.quality_hold_change)?,
        transfer_id: movement.transfer_id.map(|id| id.0),
    })
}

fn movement(row: stock_movement::Model) -> Result<StockMovement> {
    Ok(StockMovement {
        id: row.id.into(),
        stock_item_id: row.stock_item_id.into(),
        kind: code(&row.kind)?,
        on_hand_change: from_quantity(row.on_hand_change),
        reserved_change: from_quantity(row.reserved_change),
        order_id: row.order_id.map(Into::into),
        note: row.note,
        moved_by: row.moved_by,
        moved_at: row.moved_at,
        quality_hold_change: from_quantity(row.quality_hold_change),
        transfer_id: row.transfer_id.map(Into::into),
    })
}

/// Keeps movements.
pub fn keep_movements(work: &Work, movements: &[StockMovement]) -> Result<()> {
    work.write(|writes| {
        movements.iter().try_for_each(|one| writes.new_row::<stock_movement::Entity>(&movement_row(one)?))
    })
}

/// The stock of products in a warehouse, locked in the order of ids; items that do not exist yet
/// come into being with nothing on hand.
pub async fn lock_stock(
    work: &Work,
    warehouse: UnitId,
    products: &[(ProductId, String)],
) -> Result<Vec<Tracked<StockItem>>> {
    let known: Vec<Uuid> = stock_item::Entity::find()
        .filter(stock_item::Column::WarehouseId.eq(warehouse.0))
        .filter(among(stock_item::Column::ProductId, products.iter().map(|(id, _)| id.0)))
        .select_only()
        .column(stock_item::Column::Id)
        .into_tuple()
        .all(work.db().await?)
        .await?;
    let mut items: Vec<Tracked<StockItem>> = work.find_many(&known).await?;
    for (product_id, sku) in products {
        if items.iter().all(|item| item.product_id != *product_id) {
            let item = StockItem::empty(work.id(), *product_id, sku.clone(), warehouse);
            let opened = work.save(Tracked::new(item), EventKind::StockOpened).await?;
            items.extend(work.find_many(&[opened.id.0]).await?);
        }
    }
    Ok(items)
}

/// A stock item within a command, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: StockItemId) -> Result<Tracked<StockItem>> {
    let row = stock_item::Entity::find_by_id(id.0)
        .filter(scope::stock(&work.actor().scope))
        .lock_exclusive()
        .one(work.db().await?)
        .await?
        .ok_or(StoreError::NotFound)?;
    Ok(Tracked::loaded(StockItem::from_rows(row)?))
}

/// A stock item that was reached through something visible, as it is; what is read of it never changes.
pub async fn peek(work: &Work, id: StockItemId) -> Result<StockItem> {
    let row = stock_item::Entity::find_by_id(id.0).one(work.db().await?).await?.ok_or(StoreError::NotFound)?;
    StockItem::from_rows(row)
}

/// A backorder with the allocation and the order that wait.
pub struct Waiting {
    /// The backorder.
    pub backorder: Backorder,
    /// Whose it is.
    pub allocation_id: AllocationId,
    /// The order.
    pub order_id: OrderId,
}

/// Codes of backorders that wait.
const STILL_WAITING: [&str; 2] = [BackorderStatus::Waiting.code(), BackorderStatus::PartiallyFilled.code()];

/// A row of [`waiting`].
#[derive(FromQueryResult)]
struct WaitingRow {
    #[sea_orm(nested)]
    backorder: backorder::Model,
    order_id: Uuid,
}

/// What waits for stock items: by priority, then by age (R4.3).
pub async fn waiting(work: &Work, items: &[StockItemId]) -> Result<Vec<Waiting>> {
    let share: RelationDef = backorder::Entity::belongs_to(allocation::Entity)
        .from(backorder::Column::AllocationId)
        .to(allocation::Column::Id)
        .into();
    let rows = backorder::Entity::find()
        .join(JoinType::InnerJoin, share)
        .column_as(allocation::Column::OrderId, "order_id")
        .filter(among(backorder::Column::StockItemId, items.iter().map(|id| id.0)))
        .filter(backorder::Column::Status.is_in(STILL_WAITING))
        .into_model::<WaitingRow>()
        .all(work.db().await?)
        .await?;
    let mut waiting = Vec::new();
    for WaitingRow { backorder, order_id } in rows {
        let allocation_id = AllocationId(backorder.allocation_id);
        waiting.push(Waiting { backorder: backorder_part(backorder)?, allocation_id, order_id: OrderId(order_id) });
    }
    waiting.sort_by_key(|one| (std::cmp::Reverse(one.backorder.priority), one.backorder.created_at, one.backorder.id));
    Ok(waiting)
}

/// How much is waited for at stock items, by everybody; nothing is said of those nobody waits for.
pub async fn waiting_quantities(
    db: &impl ConnectionTrait,
    items: &[StockItemId],
) -> Result<BTreeMap<StockItemId, Decimal>> {
    let rows: Vec<(Uuid, Quantity)> = backorder::Entity::find()
        .select_only()
        .column(backorder::Column::StockItemId)
        .expr(Expr::cust("CAST(SUM(quantity - filled) AS BIGINT)"))
        .filter(among(backorder::Column::StockItemId, items.iter().map(|id| id.0)))
        .filter(backorder::Column::Status.is_in(STILL_WAITING))
        .group_by(backorder::Column::StockItemId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(item, missing)| (item.into(), from_quantity(missing))).collect())
}

/// What a list of stock items is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct StockFilter {
    /// One of these SKUs.
    pub sku: Option<Vec<String>>,
    /// In one of these warehouses.
    pub warehouses: Option<Vec<UnitId>>,
    /// Below the lower limit, or not.
    pub below_reorder_point: Option<bool>,
    /// Below the safety stock, or not.
    pub below_safety_stock: Option<bool>,
}

/// What of an item can be promised.
fn available() -> Expr {
    let column = |column: stock_item::Column| Expr::col((stock_item::Entity, column));
    column(stock_item::Column::OnHand)
        .sub(column(stock_item::Column::Reserved))
        .sub(column(stock_item::Column::QualityHold))
}

fn condition(actor: &Actor, filter: &StockFilter) -> Condition {
    let mut all = scope::stock(&actor.scope);
    if let Some(skus) = &filter.sku {
        all = all.add(among(stock_item::Column::Sku, skus.clone()));
    }
    if let Some(warehouses) = &filter.warehouses {
        all = all.add(among(stock_item::Column::WarehouseId, warehouses.iter().map(|id| id.0)));
    }
    let limits = [
        (filter.below_reorder_point, stock_item::Column::ReorderPoint),
        (filter.below_safety_stock, stock_item::Column::SafetyStock),
    ];
    for (below, limit) in limits {
        if let Some(below) = below {
            let limit = Expr::col(limit);
            all = all.add(if below { available().lt(limit) } else { available().gte(limit) });
        }
    }
    all
}

/// A page of the stock that exists for the actor, by SKU.
pub async fn list(store: &Store, actor: &Actor, filter: &StockFilter, keyset: Keyset) -> Result<Page<StockItem>> {
    let query = stock_item::Entity::find().filter(condition(actor, filter));
    page(query, stock_item::Column::Sku, stock_item::Column::Id, false, keyset, store.reader(), |row| {
        (row.sku.clone(), row.id)
    })
    .await?
    .map(StockItem::from_rows)
}

/// How many stock items the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &StockFilter) -> Result<u64> {
    Ok(stock_item::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Stock items by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[StockItemId]) -> Result<Vec<StockItem>> {
    let rows = stock_item::Entity::find()
        .filter(among(stock_item::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::stock(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(StockItem::from_rows).collect()
}

/// The newest movements of stock items that were found visible before, newest first.
pub async fn movements(store: &Store, item: StockItemId, keyset: Keyset) -> Result<Page<StockMovement>> {
    let query = stock_movement::Entity::find().filter(stock_movement::Column::StockItemId.eq(item.0));
    page(query, stock_movement::Column::MovedAt, stock_movement::Column::Id, true, keyset, store.reader(), |row| {
        (row.moved_at.to_rfc3339(), row.id)
    })
    .await?
    .map(movement)
}

/// Movements by id, as far as their stock items exist for the actor.
pub async fn movements_by_ids(store: &Store, actor: &Actor, ids: &[StockMovementId]) -> Result<Vec<StockMovement>> {
    let visible = sea_orm::sea_query::Query::select()
        .column(stock_item::Column::Id)
        .from(stock_item::Entity)
        .cond_where(scope::stock(&actor.scope))
        .take();
    let rows = stock_movement::Entity::find()
        .filter(stock_movement::Column::StockItemId.in_subquery(visible))
        .filter(among(stock_movement::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(movement).collect()
}

/// How many movements a stock item that was found visible before has.
pub async fn count_movements(store: &Store, item: StockItemId) -> Result<u64> {
    Ok(stock_movement::Entity::find()
        .filter(stock_movement::Column::StockItemId.eq(item.0))
        .count(store.reader())
        .await?)
}
