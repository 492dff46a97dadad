//! What stock adds up to.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::StockItemFilter;
use crate::app::{Failure, read};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::scalars::DateTime;
use crate::graphql::types::inventory::{InventoryFiguresConnection, ProductStockConnection};
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

/// What products' stock is narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ProductStockFilter {
    /// With one of these stock keeping units.
    skus: Option<Vec<String>>,
    /// Only what lies in these warehouses, by the units' ids.
    warehouse_ids: Option<Vec<ID>>,
    /// True: what is available is below the safety stock. False: it is not.
    below_safety_stock: Option<bool>,
    /// True: what is available is at or below the lower limit (R4.4). False: it is above.
    at_or_below_reorder_point: Option<bool>,
}

impl ProductStockFilter {
    fn read(self) -> Result<read::inventory::ProductStockFilter, Failure> {
        Ok(read::inventory::ProductStockFilter {
            sku: text::clean_all("filter.skus", self.skus)?,
            warehouses: ids::parse_all(self.warehouse_ids)?,
            below_safety_stock: self.below_safety_stock,
            at_or_below_reorder_point: self.at_or_below_reorder_point,
        })
    }
}

/// What stock adds up to.
#[derive(Default)]
pub struct InventoryReportQuery;

/// What stock adds up to.
#[Object]
impl InventoryReportQuery {
    /// Stock by product, summed over the warehouses the caller may see, by stock keeping unit (R4.1, R4.4).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("productStock"), limit("productStock"))
    )]
    async fn product_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<ProductStockFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ProductStockConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::products(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_products(&session, &filter).await }) as _
        });
        Ok(Tree(ProductStockConnection(Slice::new(page, Into::into, total))))
    }

    /// What the movements of a time say of each stock item the caller may see, by stock keeping unit: how fast it
    /// turns over, how long it lasts, how old it is, and how much of it is too much (R4.5).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("inventoryReport"), limit("inventoryReport"))
    )]
    #[expect(clippy::too_many_arguments, reason = "four of them are what every list takes")]
    async fn inventory_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<StockItemFilter>,
        #[graphql(desc = "The time begins here.")] from: DateTime,
        #[graphql(desc = "The time ends before this; at most ten years later.")] to: DateTime,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<InventoryFiguresConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::report(session, &filter, from.0, to.0, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_report(&session, &filter).await }) as _
        });
        Ok(Tree(InventoryFiguresConnection(Slice::new(page, Into::into, total))))
    }
}
