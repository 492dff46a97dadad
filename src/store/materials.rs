//! Bills of materials, and what there is of the parts they name.

use std::collections::{BTreeMap, HashMap};

use entity::{bill_of_materials, component, product, stock_item};
use sea_orm::sea_query::{CommonTableExpression, Condition, Expr, ExprTrait, Query, UnionType, WithClause};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::Aggregate;
use super::error::{Result, StoreError};
use super::row::{among, among_found, from_quantity, quantity};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, ProductId, StockItemId, UnitId};
use crate::domain::inventory::{Coming, StockItem};
use crate::domain::materials::{BillOfMaterials, Incoming, MOST_LINES, Structure, Supply};
use crate::domain::reference::Component;
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};

impl Aggregate for BillOfMaterials {
    const KIND: AggregateKind = AggregateKind::BillOfMaterials;
    /// The parts' SKUs stand with the parts.
    type Rows = (bill_of_materials::Model, Vec<component::Model>, BTreeMap<Uuid, String>);

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
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        let root = bill_of_materials::Model {
            id: self.id.0,
            version: self.version,
            set_by: self.set_by.clone(),
            set_at: self.set_at,
        };
        let components = self.components.iter().map(|one| row(self.id, one)).collect::<Result<_>>()?;
        let skus = self.components.iter().map(|one| (one.product_id.0, one.sku.clone())).collect();
        Ok((root, components, skus))
    }

    fn from_rows((root, rows, skus): Self::Rows) -> Result<Self> {
        let mut components = rows
            .into_iter()
            .map(|row| {
                let sku = skus.get(&row.component_id).cloned().ok_or(StoreError::NotFound)?;
                Ok(part(row, sku))
            })
            .collect::<Result<Vec<Component>>>()?;
        components.sort_by(|a, b| (&a.sku, a.effective_from).cmp(&(&b.sku, b.effective_from)));
        Ok(Self { id: root.id.into(), version: root.version, components, set_by: root.set_by, set_at: root.set_at })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = bill_of_materials::Entity::find()
            .filter(among(bill_of_materials::Column::Id, ids.to_vec()))
            .order_by_asc(bill_of_materials::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let roots = query.all(db).await?;
        let rows = component::Entity::find().filter(among(component::Column::ProductId, ids.to_vec())).all(db).await?;
        let skus = skus(db, rows.iter().map(|row| row.component_id)).await?;
        let mut of: HashMap<Uuid, Vec<component::Model>> = HashMap::new();
        for row in rows {
            of.entry(row.product_id).or_default().push(row);
        }
        let rows = roots.into_iter().map(|root| {
            let rows = of.remove(&root.id).unwrap_or_default();
            (root, rows, skus.clone())
        });
        Ok(rows.collect())
    }

    fn write((root, rows, _): &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<bill_of_materials::Entity>(root)?;
        let former = before.map_or(&[][..], |(_, rows, _)| rows);
        writes.parts::<component::Entity>(rows, former, |row| row.id)
    }
}

/// The row of a component. Its identity is derived from what it says, so that putting it in again finds it.
pub(super) fn row(product: ProductId, one: &Component) -> Result<component::Model> {
    let day = one.effective_from.map_or(0, |day| u128::from(chrono::Datelike::num_days_from_ce(&day).unsigned_abs()));
    let id = product.0.as_u128() ^ one.product_id.0.as_u128().rotate_left(64) ^ day.rotate_left(32);
    Ok(component::Model {
        id: Uuid::from_u128(id),
        product_id: product.0,
        component_id: one.product_id.0,
        quantity: quantity(one.quantity)?,
        effective_from: one.effective_from,
        effective_until: one.effective_until,
    })
}

/// A component from its row and the part's SKU.
pub(super) fn part(row: component::Model, sku: String) -> Component {
    Component {
        product_id: row.component_id.into(),
        sku,
        quantity: from_quantity(row.quantity),
        effective_from: row.effective_from,
        effective_until: row.effective_until,
    }
}

async fn skus(db: &impl ConnectionTrait, ids: impl Iterator<Item = Uuid>) -> Result<BTreeMap<Uuid, String>> {
    let rows: Vec<(Uuid, String)> = product::Entity::find()
        .filter(among(product::Column::Id, ids))
        .select_only()
        .columns([product::Column::Id, product::Column::Sku])
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Everything that goes into some products, on every level, in one statement.
///
/// # Errors
/// The structure is larger than anybody can work with.
pub async fn structure(db: &impl ConnectionTrait, products: &[ProductId]) -> Result<Structure> {
    let reached = |column: &'static str| Expr::col(("reached", column));
    let needs = Expr::col((component::Entity, component::Column::ProductId));
    // Found once each, so that it ends even where bad data leads in a circle.
    let mut found = Query::select()
        .column(product::Column::Id)
        .from(product::Entity)
        .and_where(product::Column::Id.is_in(products.iter().map(|id| id.0)))
        .take();
    let below = Query::select()
        .column((component::Entity, component::Column::ComponentId))
        .from(component::Entity)
        .inner_join("reached", needs.clone().eq(reached("id")))
        .take();
    found.union(UnionType::Distinct, below);
    let named = CommonTableExpression::new().query(found).column("id").table_name("reached").to_owned();
    let all = Query::select().column("id").from("reached").take();
    let mut select = components();
    select.and_where(among_found(db, component::Column::ProductId, all)).limit(MOST_LINES as u64 + 1);
    read(db, &select.with(WithClause::new().recursive(true).cte(named).to_owned())).await
}

/// Every bill of materials there is.
pub async fn whole(db: &impl ConnectionTrait) -> Result<Structure> {
    collect(db.query_all(&components()).await?)
}

fn components() -> sea_orm::sea_query::SelectStatement {
    let mut select = Query::select();
    for column in [
        component::Column::Id,
        component::Column::ProductId,
        component::Column::ComponentId,
        component::Column::Quantity,
        component::Column::EffectiveFrom,
        component::Column::EffectiveUntil,
    ] {
        select.column((component::Entity, column));
    }
    select.column((product::Entity, product::Column::Sku)).from(component::Entity).inner_join(
        product::Entity,
        Expr::col((product::Entity, product::Column::Id)).equals((component::Entity, component::Column::ComponentId)),
    );
    select
}

async fn read(db: &impl ConnectionTrait, statement: &sea_orm::sea_query::WithQuery) -> Result<Structure> {
    let rows = db.query_all(statement).await?;
    if rows.len() > MOST_LINES {
        let message = format!("The structure has more than {MOST_LINES} parts.");
        let refusal = Refusal::new(RefusalCode::StructureTooLarge, "R4.6", message);
        return Err(StoreError::Refused(Refusals::from(refusal)));
    }
    collect(rows)
}

fn collect(rows: Vec<sea_orm::QueryResult>) -> Result<Structure> {
    use sea_orm::FromQueryResult;
    let component = |row: &sea_orm::QueryResult| {
        let one = component::Model::from_query_result(row, "")?;
        let sku: String = row.try_get("", "sku")?;
        Ok((ProductId(one.product_id), part(one, sku)))
    };
    Ok(Structure::new(rows.iter().map(component).collect::<Result<Vec<_>>>()?))
}

/// The bill of materials of a product as it was set last, locked; none if it came with a catalogue or
/// there is none. Nobody else changes any until the end: two changes may only together lead in a circle.
pub async fn lock(work: &Work, product: ProductId) -> Result<Option<Tracked<BillOfMaterials>>> {
    let db = work.db().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        db.execute_unprepared("SELECT pg_advisory_xact_lock(7315)").await?;
    }
    Ok(work.find_many(&[product.0]).await?.pop())
}

/// The products whose bill of materials was set, be it to nothing.
pub(super) async fn set_before(db: &impl ConnectionTrait) -> Result<Vec<ProductId>> {
    let ids: Vec<Uuid> = bill_of_materials::Entity::find()
        .select_only()
        .column(bill_of_materials::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(ProductId).collect())
}

/// Takes away what came with a catalogue, to be set anew.
pub async fn clear(work: &Work, product: ProductId) -> Result<()> {
    component::Entity::delete_many().filter(component::Column::ProductId.eq(product.0)).exec(work.db().await?).await?;
    Ok(())
}

/// How often the bill of materials of a product was set.
pub async fn version(store: &Store, product: ProductId) -> Result<i64> {
    let found: Option<i64> = bill_of_materials::Entity::find_by_id(product.0)
        .select_only()
        .column(bill_of_materials::Column::Version)
        .into_tuple()
        .one(store.reader())
        .await?;
    Ok(found.unwrap_or(0))
}

/// Which of some products have a stock item in a warehouse.
pub async fn stocked(work: &Work, warehouse: UnitId, products: &[ProductId]) -> Result<Vec<ProductId>> {
    let found: Vec<Uuid> = stock_item::Entity::find()
        .filter(stock_item::Column::WarehouseId.eq(warehouse.0))
        .filter(among(stock_item::Column::ProductId, products.iter().map(|id| id.0)))
        .select_only()
        .column(stock_item::Column::ProductId)
        .into_tuple()
        .all(work.db().await?)
        .await?;
    Ok(found.into_iter().map(ProductId).collect())
}

/// What there is of products, and what is on order, in some warehouses or in all, as far as they exist
/// for the actor.
pub async fn supplies(
    store: &Store,
    actor: &Actor,
    products: &[ProductId],
    warehouses: Option<&[UnitId]>,
) -> Result<BTreeMap<ProductId, Supply>> {
    let mut visible = Condition::all().add(scope::stock(&actor.scope));
    if let Some(warehouses) = warehouses {
        visible = visible.add(among(stock_item::Column::WarehouseId, warehouses.iter().map(|id| id.0)));
    }
    let items = stock_item::Entity::find()
        .filter(visible)
        .filter(among(stock_item::Column::ProductId, products.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    let of: HashMap<Uuid, ProductId> = items.iter().map(|item| (item.id, item.product_id.into())).collect();
    let mut supplies: BTreeMap<ProductId, Supply> = BTreeMap::new();
    for item in items {
        let item = StockItem::from_rows(item)?;
        supplies.entry(item.product_id).or_default().available += item.available();
    }
    let ids: Vec<Uuid> = of.keys().copied().collect();
    for (item, incoming) in incoming(store, &ids).await? {
        if let Some(product) = of.get(&item) {
            supplies.entry(*product).or_default().incoming.push(incoming);
        }
    }
    Ok(supplies)
}

/// What there is of stock items, and what is on order, whoever may see them.
pub async fn supplies_of(store: &Store, items: &[StockItemId]) -> Result<BTreeMap<StockItemId, Supply>> {
    let ids: Vec<Uuid> = items.iter().map(|id| id.0).collect();
    let mut supplies: BTreeMap<StockItemId, Supply> = BTreeMap::new();
    for row in stock_item::Entity::find().filter(among(stock_item::Column::Id, ids.clone())).all(store.reader()).await?
    {
        let item = StockItem::from_rows(row)?;
        supplies.entry(item.id).or_default().available = item.available();
    }
    for (item, incoming) in incoming(store, &ids).await? {
        supplies.entry(item.into()).or_default().incoming.push(incoming);
    }
    Ok(supplies)
}

/// What is known to be coming, by stock item: the same that tells whoever waits when it is their turn.
async fn incoming(store: &Store, items: &[Uuid]) -> Result<Vec<(Uuid, Incoming)>> {
    let items: Vec<StockItemId> = items.iter().copied().map(Into::into).collect();
    let coming = super::inventory::incoming(store, &items).await?;
    let dated = |item: StockItemId, one: &Coming| {
        let expected_on = one.expected_at.map(|at| at.date_naive());
        (item.0, Incoming { quantity: one.quantity, expected_on })
    };
    Ok(coming.iter().flat_map(|(item, all)| all.iter().map(|one| dated(*item, one))).collect())
}
