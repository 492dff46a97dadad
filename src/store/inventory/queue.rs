//! Those who wait, in the order in which they are served; what is coming for them; and what is due.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{Quantity, allocation, backorder, orders, replenishment_request, reservation, stock_item, stock_transfer};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Statement, Value,
};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::ids::{AllocationId, OrderId, StockItemId, UnitId};
use crate::domain::intake::Priority;
use crate::domain::inventory::{Coming, Place, ReplenishmentStatus, ReservationStatus, SupplyKind, expected};
use crate::domain::order::OrderStatus;
use crate::store::allocation::backorder_part;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, from_quantity};
use crate::store::{Store, Work, scope};

/// As the indexes over those who wait say it, so that they are used.
const WAITING: &str = "status IN ('WAITING', 'PARTIALLY_FILLED')";

/// What the queue is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct QueueFilter {
    /// Of one of these SKUs.
    pub sku: Option<Vec<String>>,
    /// In one of these warehouses.
    pub warehouses: Option<Vec<UnitId>>,
    /// For this order.
    pub order: Option<OrderId>,
}

fn condition(actor: &Actor, filter: &QueueFilter) -> Condition {
    let mut all = Condition::all().add(Expr::cust(WAITING));
    let mut items = scope::stock(&actor.scope);
    if let Some(skus) = &filter.sku {
        items = items.add(among(stock_item::Column::Sku, skus.clone()));
    }
    if let Some(warehouses) = &filter.warehouses {
        items = items.add(among(stock_item::Column::WarehouseId, warehouses.iter().map(|id| id.0)));
    }
    // Whoever sees everything and asks for everything need not have every item looked up.
    if !items.is_empty() {
        let items = Query::select().column(stock_item::Column::Id).from(stock_item::Entity).cond_where(items).take();
        all = all.add(backorder::Column::StockItemId.in_subquery(items));
    }
    if let Some(order) = filter.order {
        let shares = Query::select()
            .column(allocation::Column::Id)
            .from(allocation::Entity)
            .and_where(allocation::Column::OrderId.eq(order.0))
            .take();
        all = all.add(backorder::Column::AllocationId.in_subquery(shares));
    }
    all
}

/// A page of those who wait, oldest first, each with its place in its item's queue and what will cover it.
/// Four statements, however many there are.
pub async fn queue(store: &Store, actor: &Actor, filter: &QueueFilter, keyset: Keyset) -> Result<Page<Place>> {
    let query = backorder::Entity::find().filter(condition(actor, filter));
    let (sort, id) = (backorder::Column::CreatedAt, backorder::Column::Id);
    let rows =
        page(query, sort, id, false, keyset, store.reader(), |row| (row.created_at.to_rfc3339(), row.id)).await?;
    if rows.items.is_empty() {
        return Ok(Page { items: Vec::new(), has_next: rows.has_next, has_previous: rows.has_previous });
    }
    let of = |wanted: fn(&backorder::Model) -> Uuid| {
        let mut ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| wanted(row)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let items = of(|row| row.stock_item_id);
    let places = places(store, &items, &of(|row| row.id)).await?;
    let owners: HashMap<Uuid, Uuid> = allocation::Entity::find()
        .filter(among(allocation::Column::Id, of(|row| row.allocation_id)))
        .select_only()
        .columns([allocation::Column::Id, allocation::Column::OrderId])
        .into_tuple::<(Uuid, Uuid)>()
        .all(store.reader())
        .await?
        .into_iter()
        .collect();
    let coming = incoming(store, &items.into_iter().map(StockItemId).collect::<Vec<_>>()).await?;
    rows.map(|row| {
        let order = owners.get(&row.allocation_id).copied().ok_or(StoreError::NotFound)?;
        let allocation_id = AllocationId(row.allocation_id);
        let backorder = backorder_part(row)?;
        // Who was served since the page was read has no place any more, and waits for nothing.
        let (position, ahead) = places.get(&backorder.id.0).copied().unwrap_or_default();
        let ahead = from_quantity(Quantity(ahead));
        let coming = coming.get(&backorder.stock_item_id).map_or(&[][..], Vec::as_slice);
        let supply = expected(ahead, backorder.missing(), coming);
        Ok(Place { backorder, allocation_id, order_id: OrderId(order), position, ahead, supply })
    })
}

/// How many wait.
pub async fn count_queue(store: &Store, actor: &Actor, filter: &QueueFilter) -> Result<u64> {
    Ok(backorder::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

fn list(values: &mut Vec<Value>, ids: &[Uuid]) -> String {
    let mut names = Vec::new();
    for id in ids {
        values.push((*id).into());
        names.push(format!("${}", values.len()));
    }
    names.join(", ")
}

/// The places of backorders in the queues of their items, and what those before them wait for.
async fn places(store: &Store, items: &[Uuid], wanted: &[Uuid]) -> Result<HashMap<Uuid, (i64, i64)>> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut ranks = String::new();
    for (rank, priority) in Priority::ALL.iter().rev().enumerate() {
        ranks.push_str(&format!(" WHEN '{}' THEN {rank}", priority.code()));
    }
    let mut values = Vec::new();
    let sql = format!(
        "SELECT id, place, CAST(upto - missing AS BIGINT) AS ahead FROM (\
         SELECT id, quantity - filled AS missing, ROW_NUMBER() OVER turn AS place, \
         SUM(quantity - filled) OVER (turn ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto \
         FROM backorder WHERE stock_item_id IN ({}) AND {WAITING} \
         WINDOW turn AS (PARTITION BY stock_item_id ORDER BY CASE priority{ranks} END, created_at, id)\
         ) AS queue WHERE id IN ({})",
        list(&mut values, items),
        list(&mut values, wanted),
    );
    use sea_orm::ConnectionTrait;
    let db = store.reader();
    let mut places = HashMap::new();
    for row in db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await? {
        places.insert(row.try_get("", "id")?, (row.try_get("", "place")?, row.try_get("", "ahead")?));
    }
    Ok(places)
}

/// A row of [`incoming`].
#[derive(FromQueryResult)]
struct ComingRow {
    id: Uuid,
    item: Uuid,
    quantity: Quantity,
    received: Quantity,
    expected_at: Option<DateTime<Utc>>,
}

impl ComingRow {
    fn coming(self, kind: SupplyKind) -> (StockItemId, Coming) {
        let quantity = from_quantity(self.quantity) - from_quantity(self.received);
        (self.item.into(), Coming { kind, id: self.id, quantity, expected_at: self.expected_at })
    }
}

/// What is known to be coming for stock items that were found visible before.
pub async fn incoming(store: &Store, items: &[StockItemId]) -> Result<BTreeMap<StockItemId, Vec<Coming>>> {
    let ids = || items.iter().map(|id| id.0);
    let requests = replenishment_request::Entity::find()
        .filter(among(replenishment_request::Column::StockItemId, ids()))
        .filter(among(replenishment_request::Column::Status, ReplenishmentStatus::COMING.iter().map(|s| s.code())))
        .select_only()
        .columns([
            replenishment_request::Column::Id,
            replenishment_request::Column::Quantity,
            replenishment_request::Column::Received,
            replenishment_request::Column::ExpectedAt,
        ])
        .column_as(replenishment_request::Column::StockItemId, "item")
        .into_model::<ComingRow>()
        .all(store.reader())
        .await?;
    let transfers = stock_transfer::Entity::find()
        .filter(among(stock_transfer::Column::ToItemId, ids()))
        .filter(Expr::cust("status IN ('DISPATCHED', 'PARTIALLY_RECEIVED')"))
        .select_only()
        .columns([
            stock_transfer::Column::Id,
            stock_transfer::Column::Quantity,
            stock_transfer::Column::Received,
            stock_transfer::Column::ExpectedAt,
        ])
        .column_as(stock_transfer::Column::ToItemId, "item")
        .into_model::<ComingRow>()
        .all(store.reader())
        .await?;
    let mut coming: BTreeMap<StockItemId, Vec<Coming>> = BTreeMap::new();
    let requests = requests.into_iter().map(|row| row.coming(SupplyKind::Replenishment));
    for (item, one) in requests.chain(transfers.into_iter().map(|row| row.coming(SupplyKind::Transfer))) {
        coming.entry(item).or_default().push(one);
    }
    Ok(coming)
}

/// Stock items with reservations whose time is over, those that have waited longest first.
pub async fn due_items(store: &Store, now: DateTime<Utc>, most: u64) -> Result<Vec<StockItemId>> {
    let found: Vec<Uuid> = reservation::Entity::find()
        .filter(reservation::Column::ExpiresAt.is_not_null())
        .filter(Expr::cust(format!("status = '{}'", ReservationStatus::Active.code())))
        .filter(reservation::Column::ExpiresAt.lte(now))
        .select_only()
        .column(reservation::Column::StockItemId)
        .group_by(reservation::Column::StockItemId)
        .order_by_asc(Expr::col(reservation::Column::ExpiresAt).min())
        .limit(most)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// Stock items of which something is free while an order at work waits for it.
pub async fn fillable_items(store: &Store, most: u64) -> Result<Vec<StockItemId>> {
    let item: RelationDef = backorder::Entity::belongs_to(stock_item::Entity)
        .from(backorder::Column::StockItemId)
        .to(stock_item::Column::Id)
        .into();
    let share: RelationDef = backorder::Entity::belongs_to(allocation::Entity)
        .from(backorder::Column::AllocationId)
        .to(allocation::Column::Id)
        .into();
    let order: RelationDef =
        allocation::Entity::belongs_to(orders::Entity).from(allocation::Column::OrderId).to(orders::Column::Id).into();
    let executing = OrderStatus::ALL.iter().filter(|status| status.is_executing()).map(|status| status.code());
    let found: Vec<Uuid> = backorder::Entity::find()
        .join(JoinType::InnerJoin, item)
        .join(JoinType::InnerJoin, share)
        .join(JoinType::InnerJoin, order)
        .filter(Expr::cust("backorder.status IN ('WAITING', 'PARTIALLY_FILLED')"))
        .filter(super::available().gt(0))
        .filter(among(orders::Column::Status, executing))
        .select_only()
        .column(backorder::Column::StockItemId)
        .distinct()
        .limit(most)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// The allocations that have something set aside at these stock items, or whose time there is over.
pub async fn holders(work: &Work, items: &[StockItemId], due_at: Option<DateTime<Utc>>) -> Result<Vec<AllocationId>> {
    let mut query = reservation::Entity::find()
        .filter(among(reservation::Column::StockItemId, items.iter().map(|id| id.0)))
        .filter(reservation::Column::Status.eq(ReservationStatus::Active.code()));
    if let Some(now) = due_at {
        query = query.filter(reservation::Column::ExpiresAt.lte(now));
    }
    let found: Vec<Uuid> = query
        .select_only()
        .column(reservation::Column::AllocationId)
        .distinct()
        .into_tuple()
        .all(work.db().await?)
        .await?;
    Ok(found.into_iter().map(Into::into).collect())
}
