//! Stocktakes with what was counted.

use std::collections::HashMap;

use entity::{product, stock_item, stocktake, stocktake_line};
use sea_orm::sea_query::{Condition, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, StockItemId, StocktakeId, UnitId};
use crate::domain::inventory::{Stocktake, StocktakeLine, StocktakeStatus};
use crate::store::aggregate::{Aggregate, load_many};
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, code, from_quantity, quantity};
use crate::store::work::{Tracked, Work};
use crate::store::write::Writes;
use crate::store::{Store, scope};

impl Aggregate for Stocktake {
    const KIND: AggregateKind = AggregateKind::Stocktake;
    type Rows = (stocktake::Model, Vec<stocktake_line::Model>);

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
        let root = stocktake::Model {
            id: self.id.0,
            version: self.version,
            number: self.number.clone(),
            warehouse_id: self.warehouse_id.0,
            category: self.category.clone(),
            blind: self.blind,
            status: self.status.code().to_owned(),
            opened_by: self.opened_by.clone(),
            opened_at: self.opened_at,
            finished_by: self.finished_by.clone(),
            finished_at: self.finished_at,
            decided_by: self.decided_by.clone(),
            decided_at: self.decided_at,
            decision_reason: self.decision_reason.clone(),
        };
        let line = |line: &StocktakeLine| {
            Ok(stocktake_line::Model {
                id: line.id.0,
                stocktake_id: self.id.0,
                stock_item_id: line.stock_item_id.0,
                product_id: line.product_id.0,
                sku: line.sku.clone(),
                counted: line.counted.map(quantity).transpose()?,
                book: line.book.map(quantity).transpose()?,
                counted_by: line.counted_by.clone(),
                counted_at: line.counted_at,
                within_tolerance: line.within_tolerance,
                open: line.open,
            })
        };
        Ok((root, self.lines.iter().map(line).collect::<Result<_>>()?))
    }

    fn from_rows((root, mut lines): Self::Rows) -> Result<Self> {
        lines.sort_by_key(|row| row.id);
        let line = |row: stocktake_line::Model| StocktakeLine {
            id: row.id.into(),
            stock_item_id: row.stock_item_id.into(),
            product_id: row.product_id.into(),
            sku: row.sku,
            counted: row.counted.map(from_quantity),
            book: row.book.map(from_quantity),
            counted_by: row.counted_by,
            counted_at: row.counted_at,
            within_tolerance: row.within_tolerance,
            open: row.open,
        };
        Ok(Self {
            id: root.id.into(),
            version: root.version,
            number: root.number,
            warehouse_id: root.warehouse_id.into(),
            category: root.category,
            blind: root.blind,
            status: code(&root.status)?,
            opened_by: root.opened_by,
            opened_at: root.opened_at,
            finished_by: root.finished_by,
            finished_at: root.finished_at,
            decided_by: root.decided_by,
            decided_at: root.decided_at,
            decision_reason: root.decision_reason,
            lines: lines.into_iter().map(line).collect(),
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = stocktake::Entity::find()
            .filter(among(stocktake::Column::Id, ids.to_vec()))
            .order_by_asc(stocktake::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let roots = query.all(db).await?;
        let mut lines: HashMap<Uuid, Vec<stocktake_line::Model>> = HashMap::new();
        for row in stocktake_line::Entity::find()
            .filter(among(stocktake_line::Column::StocktakeId, roots.iter().map(|root| root.id)))
            .all(db)
            .await?
        {
            lines.entry(row.stocktake_id).or_default().push(row);
        }
        Ok(roots.into_iter().map(|root| (lines.remove(&root.id).unwrap_or_default(), root)).map(swapped).collect())
    }

    fn write((root, lines): &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<stocktake::Entity>(root)?;
        writes.parts::<stocktake_line::Entity>(lines, before.map_or(&[], |(_, lines)| lines), |row| row.id)
    }
}

fn swapped((lines, root): (Vec<stocktake_line::Model>, stocktake::Model)) -> <Stocktake as Aggregate>::Rows {
    (root, lines)
}

/// A stocktake within a command, if it exists for the caller; locked.
pub async fn visible_stocktake(work: &Work, id: StocktakeId) -> Result<Tracked<Stocktake>> {
    let visible = scope::stocktakes(&work.actor().scope);
    let column = stocktake::Column::Id;
    let id = work.visible_id::<stocktake::Entity>(column, id.0, visible, column).await?;
    work.find(id).await
}

/// The same without a lock, to know what must be locked before it.
pub async fn peek_stocktake(work: &Work, id: StocktakeId) -> Result<Stocktake> {
    let visible = scope::stocktakes(&work.actor().scope);
    let column = stocktake::Column::Id;
    let id = work.visible_id::<stocktake::Entity>(column, id.0, visible, column).await?;
    load_many(work.db().await?, &[id], false).await?.pop().ok_or(StoreError::NotFound)
}

/// The stock items of a warehouse that are to be counted: all, those of a category, or these.
pub async fn items_to_count(
    work: &Work,
    warehouse: UnitId,
    category: Option<&str>,
    items: Option<&[StockItemId]>,
    most: u64,
) -> Result<Vec<Uuid>> {
    let mut query = stock_item::Entity::find().filter(stock_item::Column::WarehouseId.eq(warehouse.0));
    if let Some(category) = category {
        let products = Query::select()
            .column(product::Column::Id)
            .from(product::Entity)
            .and_where(product::Column::Category.eq(category))
            .take();
        query = query.filter(stock_item::Column::ProductId.in_subquery(products));
    }
    if let Some(items) = items {
        query = query.filter(among(stock_item::Column::Id, items.iter().map(|id| id.0)));
    }
    Ok(query
        .order_by_asc(stock_item::Column::Id)
        .limit(most)
        .select_only()
        .column(stock_item::Column::Id)
        .into_tuple()
        .all(work.db().await?)
        .await?)
}

/// Which of these stock items are being counted. Whoever holds their locks is told for good.
pub async fn under_count(work: &Work, items: &[Uuid]) -> Result<Vec<StockItemId>> {
    let found: Vec<Uuid> = stocktake_line::Entity::find()
        .filter(sea_orm::sea_query::Expr::cust("open"))
        .filter(among(stocktake_line::Column::StockItemId, items.to_vec()))
        .select_only()
        .column(stocktake_line::Column::StockItemId)
        .into_tuple()
        .all(work.db().await?)
        .await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// What a list of stocktakes is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct StocktakeFilter {
    /// In one of these states.
    pub status: Option<Vec<StocktakeStatus>>,
    /// Of one of these warehouses.
    pub warehouses: Option<Vec<UnitId>>,
}

fn condition(actor: &Actor, filter: &StocktakeFilter) -> Condition {
    let mut all = scope::stocktakes(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(stocktake::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(warehouses) = &filter.warehouses {
        all = all.add(among(stocktake::Column::WarehouseId, warehouses.iter().map(|id| id.0)));
    }
    all
}

/// A page of the stocktakes that exist for the actor, newest first.
pub async fn stocktakes(
    store: &Store,
    actor: &Actor,
    filter: &StocktakeFilter,
    keyset: Keyset,
) -> Result<Page<Stocktake>> {
    let query = stocktake::Entity::find().filter(condition(actor, filter));
    let (sort, id) = (stocktake::Column::OpenedAt, stocktake::Column::Id);
    let rows = page(query, sort, id, true, keyset, store.reader(), |row| (row.opened_at.to_rfc3339(), row.id)).await?;
    let ids: Vec<Uuid> = rows.items.iter().map(|(_, row)| row.id).collect();
    let mut loaded: HashMap<Uuid, Stocktake> =
        load_many::<Stocktake>(store.reader(), &ids, false).await?.into_iter().map(|one| (one.id.0, one)).collect();
    rows.map(|row| loaded.remove(&row.id).ok_or(StoreError::NotFound))
}

/// How many stocktakes the filter leaves.
pub async fn count_stocktakes(store: &Store, actor: &Actor, filter: &StocktakeFilter) -> Result<u64> {
    Ok(stocktake::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Stocktakes by id, as far as they exist for the actor.
pub async fn stocktakes_by_ids(store: &Store, actor: &Actor, ids: &[StocktakeId]) -> Result<Vec<Stocktake>> {
    let visible: Vec<Uuid> = stocktake::Entity::find()
        .filter(scope::stocktakes(&actor.scope))
        .filter(among(stocktake::Column::Id, ids.iter().map(|id| id.0)))
        .select_only()
        .column(stocktake::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &visible, false).await
}
