//! Stock by product, over all warehouses the caller may see.

use entity::{Quantity, stock_item};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::ids::{ProductId, UnitId};
use crate::store::error::Result;
use crate::store::page::{Keyset, Page};
use crate::store::row::{among, from_quantity};
use crate::store::{Store, scope};

/// A product's stock summed over warehouses. In the product's unit of measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductStock {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// In how many warehouses it is kept.
    pub warehouses: i64,
    /// Lies there.
    pub on_hand: Decimal,
    /// Of it, set aside for orders.
    pub reserved: Decimal,
    /// Of it, put aside until its quality is known.
    pub quality_hold: Decimal,
    /// What should always be left.
    pub safety_stock: Decimal,
    /// The lower limit.
    pub reorder_point: Decimal,
}

impl ProductStock {
    /// What can be promised.
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved - self.quality_hold
    }
}

/// What a list of products' stock is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct ProductStockFilter {
    /// One of these SKUs.
    pub sku: Option<Vec<String>>,
    /// Only what lies in these warehouses.
    pub warehouses: Option<Vec<UnitId>>,
    /// Available below the safety stock, or not.
    pub below_safety_stock: Option<bool>,
    /// Available at or below the lower limit, or not.
    pub at_or_below_reorder_point: Option<bool>,
}

#[derive(FromQueryResult)]
struct SumRow {
    product_id: Uuid,
    sku: String,
    warehouses: i64,
    on_hand: Quantity,
    reserved: Quantity,
    quality_hold: Quantity,
    safety_stock: Quantity,
    reorder_point: Quantity,
}

const AVAILABLE: &str = "SUM(on_hand - reserved - quality_hold)";

fn grouped(actor: &Actor, filter: &ProductStockFilter) -> Select<stock_item::Entity> {
    let mut all = Condition::all().add(scope::stock(&actor.scope));
    if let Some(skus) = &filter.sku {
        all = all.add(among(stock_item::Column::Sku, skus.clone()));
    }
    if let Some(warehouses) = &filter.warehouses {
        all = all.add(among(stock_item::Column::WarehouseId, warehouses.iter().map(|id| id.0)));
    }
    let sum = |column: &str| Expr::cust(format!("CAST(SUM({column}) AS BIGINT)"));
    let mut query = stock_item::Entity::find()
        .filter(all)
        .select_only()
        .columns([stock_item::Column::ProductId, stock_item::Column::Sku])
        .expr_as(Expr::cust("COUNT(*)"), "warehouses")
        .group_by(stock_item::Column::ProductId)
        .group_by(stock_item::Column::Sku);
    for column in ["on_hand", "reserved", "quality_hold", "safety_stock", "reorder_point"] {
        query = query.expr_as(sum(column), column);
    }
    if let Some(below) = filter.below_safety_stock {
        query = query.having(Expr::cust(format!("{AVAILABLE} {} SUM(safety_stock)", if below { "<" } else { ">=" })));
    }
    if let Some(below) = filter.at_or_below_reorder_point {
        query = query.having(Expr::cust(format!("{AVAILABLE} {} SUM(reorder_point)", if below { "<=" } else { ">" })));
    }
    query
}

/// A page of the products of which stock exists for the actor, by SKU.
pub async fn of_products(
    store: &Store,
    actor: &Actor,
    filter: &ProductStockFilter,
    keyset: Keyset,
) -> Result<Page<ProductStock>> {
    let mut query = grouped(actor, filter);
    // A SKU is of one product.
    if let Some((sku, _)) = &keyset.after {
        query = query.filter(stock_item::Column::Sku.gt(sku.as_str()));
    }
    if let Some((sku, _)) = &keyset.before {
        query = query.filter(stock_item::Column::Sku.lt(sku.as_str()));
    }
    query = if keyset.backwards {
        query.order_by_desc(stock_item::Column::Sku)
    } else {
        query.order_by_asc(stock_item::Column::Sku)
    };
    let mut rows: Vec<SumRow> = query.limit(keyset.limit + 1).into_model::<SumRow>().all(store.reader()).await?;
    if keyset.backwards {
        rows.reverse();
    }
    Page::cut(rows, &keyset, |row| (row.sku.clone(), row.product_id)).map(|row| {
        Ok(ProductStock {
            product_id: row.product_id.into(),
            sku: row.sku,
            warehouses: row.warehouses,
            on_hand: from_quantity(row.on_hand),
            reserved: from_quantity(row.reserved),
            quality_hold: from_quantity(row.quality_hold),
            safety_stock: from_quantity(row.safety_stock),
            reorder_point: from_quantity(row.reorder_point),
        })
    })
}

/// How many products the filter leaves.
pub async fn count_products(store: &Store, actor: &Actor, filter: &ProductStockFilter) -> Result<u64> {
    Ok(grouped(actor, filter).into_model::<SumRow>().paginate(store.reader(), 1).num_items().await?)
}
