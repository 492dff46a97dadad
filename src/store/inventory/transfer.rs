//! Transfers between warehouses.

use entity::{org_unit, stock_item, stock_transfer};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, StockItemId, StockTransferId, UnitId};
use crate::domain::inventory::{StockTransfer, TransferStatus};
use crate::domain::reference::UnitKind;
use crate::store::aggregate::Aggregate;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, code, from_quantity, quantity};
use crate::store::work::{Tracked, Work};
use crate::store::write::Writes;
use crate::store::{Store, scope};

impl Aggregate for StockTransfer {
    const KIND: AggregateKind = AggregateKind::StockTransfer;
    type Rows = stock_transfer::Model;

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
    /// The warehouse that waits for it; the one it leaves hears of it by its stock.
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.to_warehouse_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(stock_transfer::Model {
            id: self.id.0,
            version: self.version,
            number: self.number.clone(),
            product_id: self.product_id.0,
            sku: self.sku.clone(),
            from_item_id: self.from_item_id.0,
            from_warehouse_id: self.from_warehouse_id.0,
            to_item_id: self.to_item_id.0,
            to_warehouse_id: self.to_warehouse_id.0,
            quantity: quantity(self.quantity)?,
            received: quantity(self.received)?,
            status: self.status.code().to_owned(),
            reason: self.reason.clone(),
            expected_at: self.expected_at,
            requested_by: self.requested_by.clone(),
            requested_at: self.requested_at,
            dispatched_by: self.dispatched_by.clone(),
            dispatched_at: self.dispatched_at,
            ended_reason: self.ended_reason.clone(),
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            number: row.number,
            product_id: row.product_id.into(),
            sku: row.sku,
            from_item_id: row.from_item_id.into(),
            from_warehouse_id: row.from_warehouse_id.into(),
            to_item_id: row.to_item_id.into(),
            to_warehouse_id: row.to_warehouse_id.into(),
            quantity: from_quantity(row.quantity),
            received: from_quantity(row.received),
            status: code(&row.status)?,
            reason: row.reason,
            expected_at: row.expected_at,
            requested_by: row.requested_by,
            requested_at: row.requested_at,
            dispatched_by: row.dispatched_by,
            dispatched_at: row.dispatched_at,
            ended_reason: row.ended_reason,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = stock_transfer::Entity::find()
            .filter(among(stock_transfer::Column::Id, ids.to_vec()))
            .order_by_asc(stock_transfer::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<stock_transfer::Entity>(row)
    }
}

/// A transfer within a command, if it exists for the caller; locked.
pub async fn visible_transfer(work: &Work, id: StockTransferId) -> Result<Tracked<StockTransfer>> {
    let visible = scope::transfers(&work.actor().scope);
    let column = stock_transfer::Column::Id;
    let id = work.visible_id::<stock_transfer::Entity>(column, id.0, visible, column).await?;
    work.find(id).await
}

/// The stock item a transfer goes to, if the transfer exists for the caller; that never changes.
pub async fn target_of(work: &Work, id: StockTransferId) -> Result<StockItemId> {
    let visible = scope::transfers(&work.actor().scope);
    let (column, wanted) = (stock_transfer::Column::Id, stock_transfer::Column::ToItemId);
    Ok(work.visible_id::<stock_transfer::Entity>(column, id.0, visible, wanted).await?.into())
}

/// A warehouse that exists for the caller.
pub async fn visible_warehouse(work: &Work, id: UnitId) -> Result<UnitId> {
    let found = org_unit::Entity::find_by_id(id.0)
        .filter(org_unit::Column::Kind.eq(UnitKind::Warehouse.code()))
        .one(work.reference())
        .await?
        .ok_or(StoreError::NotFound)?;
    let id = UnitId(found.id);
    if work.actor().covers_unit(id) { Ok(id) } else { Err(StoreError::NotFound) }
}

/// The stock item of the same product in another warehouse.
pub async fn item_in(work: &Work, from: StockItemId, warehouse: UnitId) -> Result<Option<StockItemId>> {
    let product = sea_orm::sea_query::Query::select()
        .column(stock_item::Column::ProductId)
        .from(stock_item::Entity)
        .and_where(stock_item::Column::Id.eq(from.0))
        .take();
    let found: Option<Uuid> = stock_item::Entity::find()
        .filter(stock_item::Column::WarehouseId.eq(warehouse.0))
        .filter(stock_item::Column::ProductId.in_subquery(product))
        .select_only()
        .column(stock_item::Column::Id)
        .into_tuple()
        .one(work.db().await?)
        .await?;
    Ok(found.map(Into::into))
}

/// What a list of transfers is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct TransferFilter {
    /// In one of these states.
    pub status: Option<Vec<TransferStatus>>,
    /// From one of these warehouses.
    pub from: Option<Vec<UnitId>>,
    /// To one of these warehouses.
    pub to: Option<Vec<UnitId>>,
}

fn condition(actor: &Actor, filter: &TransferFilter) -> Condition {
    let mut all = Condition::all().add(scope::transfers(&actor.scope));
    if let Some(status) = &filter.status {
        all = all.add(among(stock_transfer::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(from) = &filter.from {
        all = all.add(among(stock_transfer::Column::FromWarehouseId, from.iter().map(|id| id.0)));
    }
    if let Some(to) = &filter.to {
        all = all.add(among(stock_transfer::Column::ToWarehouseId, to.iter().map(|id| id.0)));
    }
    all
}

/// A page of the transfers that exist for the actor, newest first.
pub async fn transfers(
    store: &Store,
    actor: &Actor,
    filter: &TransferFilter,
    keyset: Keyset,
) -> Result<Page<StockTransfer>> {
    let query = stock_transfer::Entity::find().filter(condition(actor, filter));
    let (sort, id) = (stock_transfer::Column::RequestedAt, stock_transfer::Column::Id);
    page(query, sort, id, true, keyset, store.reader(), |row| (row.requested_at.to_rfc3339(), row.id))
        .await?
        .map(StockTransfer::from_rows)
}

/// How many transfers the filter leaves.
pub async fn count_transfers(store: &Store, actor: &Actor, filter: &TransferFilter) -> Result<u64> {
    Ok(stock_transfer::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Transfers by id, as far as they exist for the actor.
pub async fn transfers_by_ids(store: &Store, actor: &Actor, ids: &[StockTransferId]) -> Result<Vec<StockTransfer>> {
    let rows = stock_transfer::Entity::find()
        .filter(scope::transfers(&actor.scope))
        .filter(among(stock_transfer::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(StockTransfer::from_rows).collect()
}
