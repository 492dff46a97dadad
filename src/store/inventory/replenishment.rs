//! Requests to replenish stock.

use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, ReplenishmentRequestId, StockItemId, UnitId};
use crate::domain::inventory::{ReplenishmentRequest, ReplenishmentStatus, StockItem};
use crate::store::aggregate::Aggregate;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, code, from_quantity, quantity};
use crate::store::work::{Tracked, Work};
use crate::store::write::Writes;
use crate::store::{Store, scope};
use entity::{replenishment_request, stock_item};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A request with the warehouse it is for, which decides who follows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Replenishment {
    /// The request.
    pub request: ReplenishmentRequest,
    /// The warehouse.
    #[serde(skip)]
    pub warehouse_id: UnitId,
}

impl Aggregate for Replenishment {
    const KIND: AggregateKind = AggregateKind::ReplenishmentRequest;
    type Rows = (replenishment_request::Model, Uuid);

    fn key(&self) -> Uuid {
        self.request.id.0
    }
    fn version(&self) -> i64 {
        self.request.version
    }
    fn set_version(&mut self, version: i64) {
        self.request.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        None
    }
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.warehouse_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        let request = &self.request;
        let row = replenishment_request::Model {
            id: request.id.0,
            version: request.version,
            stock_item_id: request.stock_item_id.0,
            reason: request.reason.code().to_owned(),
            quantity: quantity(request.quantity)?,
            received: quantity(request.received)?,
            status: request.status.code().to_owned(),
            requested_at: request.requested_at,
            decided_by: request.decided_by.clone(),
            supplier: request.supplier.clone(),
            supplier_reference: request.supplier_reference.clone(),
            expected_at: request.expected_at,
            ended_reason: request.ended_reason.clone(),
        };
        Ok((row, self.warehouse_id.0))
    }

    fn from_rows((row, warehouse): Self::Rows) -> Result<Self> {
        Ok(Self { request: replenishment(row)?, warehouse_id: warehouse.into() })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = replenishment_request::Entity::find()
            .filter(among(replenishment_request::Column::Id, ids.to_vec()))
            .order_by_asc(replenishment_request::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let rows = query.all(db).await?;
        let items: Vec<(Uuid, Uuid)> = stock_item::Entity::find()
            .filter(among(stock_item::Column::Id, rows.iter().map(|row| row.stock_item_id)))
            .select_only()
            .columns([stock_item::Column::Id, stock_item::Column::WarehouseId])
            .into_tuple()
            .all(db)
            .await?;
        let warehouses: BTreeMap<Uuid, Uuid> = items.into_iter().collect();
        rows.into_iter()
            .map(|row| {
                let warehouse = warehouses.get(&row.stock_item_id).copied().ok_or(StoreError::NotFound)?;
                Ok((row, warehouse))
            })
            .collect()
    }

    fn write((row, _): &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<replenishment_request::Entity>(row)
    }
}

fn replenishment(row: replenishment_request::Model) -> Result<ReplenishmentRequest> {
    Ok(ReplenishmentRequest {
        id: row.id.into(),
        version: row.version,
        stock_item_id: row.stock_item_id.into(),
        reason: code(&row.reason)?,
        quantity: from_quantity(row.quantity),
        received: from_quantity(row.received),
        status: code(&row.status)?,
        requested_at: row.requested_at,
        decided_by: row.decided_by,
        supplier: row.supplier,
        supplier_reference: row.supplier_reference,
        expected_at: row.expected_at,
        ended_reason: row.ended_reason,
    })
}

/// The open replenishment requests of a stock item, locked; those that are closest to coming, and the
/// oldest of them, first.
pub async fn open_requests(work: &Work, item: &StockItem) -> Result<Vec<Tracked<Replenishment>>> {
    let open = ReplenishmentStatus::OPEN;
    let mut rows = replenishment_request::Entity::find()
        .filter(replenishment_request::Column::StockItemId.eq(item.id.0))
        .filter(replenishment_request::Column::Status.is_in(open.iter().map(|status| status.code())))
        .order_by_asc(replenishment_request::Column::Id)
        .lock_exclusive()
        .all(work.db().await?)
        .await?;
    rows.sort_by_key(|row| (open.iter().position(|status| status.code() == row.status), row.requested_at, row.id));
    rows.into_iter().map(|row| Ok(Tracked::loaded(Replenishment::from_rows((row, item.warehouse_id.0))?))).collect()
}

/// A request that exists for the caller, and its stock item; both locked, the item first.
pub async fn request_with_item(
    work: &Work,
    id: ReplenishmentRequestId,
) -> Result<(Tracked<StockItem>, Tracked<Replenishment>)> {
    let item = work
        .visible_id::<replenishment_request::Entity>(
            replenishment_request::Column::Id,
            id.0,
            request_condition(work.actor(), &ReplenishmentFilter::default()),
            replenishment_request::Column::StockItemId,
        )
        .await?;
    let item = super::visible(work, item.into()).await?;
    Ok((item, work.find(id.0).await?))
}

/// What a list of replenishment requests is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct ReplenishmentFilter {
    /// One of these states.
    pub status: Option<Vec<ReplenishmentStatus>>,
    /// Of one of these stock items.
    pub items: Option<Vec<StockItemId>>,
}

fn request_condition(actor: &Actor, filter: &ReplenishmentFilter) -> Condition {
    let mut all = Condition::all();
    let stock = scope::stock(&actor.scope);
    // Whoever sees everything need not have every item looked up.
    if !stock.is_empty() {
        let visible = sea_orm::sea_query::Query::select()
            .column(stock_item::Column::Id)
            .from(stock_item::Entity)
            .cond_where(stock)
            .take();
        all = all.add(replenishment_request::Column::StockItemId.in_subquery(visible));
    }
    if let Some(status) = &filter.status {
        all = all.add(among(replenishment_request::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(items) = &filter.items {
        all = all.add(among(replenishment_request::Column::StockItemId, items.iter().map(|id| id.0)));
    }
    all
}

/// A page of the replenishment requests that exist for the actor, oldest first.
pub async fn requests(
    store: &Store,
    actor: &Actor,
    filter: &ReplenishmentFilter,
    keyset: Keyset,
) -> Result<Page<ReplenishmentRequest>> {
    let query = replenishment_request::Entity::find().filter(request_condition(actor, filter));
    page(
        query,
        replenishment_request::Column::RequestedAt,
        replenishment_request::Column::Id,
        false,
        keyset,
        store.reader(),
        |row| (row.requested_at.to_rfc3339(), row.id),
    )
    .await?
    .map(replenishment)
}

/// How many replenishment requests the filter leaves.
pub async fn count_requests(store: &Store, actor: &Actor, filter: &ReplenishmentFilter) -> Result<u64> {
    Ok(replenishment_request::Entity::find().filter(request_condition(actor, filter)).count(store.reader()).await?)
}

/// Replenishment requests by id, as far as they exist for the actor.
pub async fn requests_by_ids(
    store: &Store,
    actor: &Actor,
    ids: &[ReplenishmentRequestId],
) -> Result<Vec<ReplenishmentRequest>> {
    let rows = replenishment_request::Entity::find()
        .filter(request_condition(actor, &ReplenishmentFilter::default()))
        .filter(among(replenishment_request::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(replenishment).collect()
}
