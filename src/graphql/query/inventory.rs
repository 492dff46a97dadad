//! Stock and its replenishment. What is done with stock, and what it adds up to, have files of their own.

mod operations;
mod report;

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::inventory::ReplenishmentStatus;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::types::inventory::{ReplenishmentRequestConnection, StockItemConnection};
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

pub use operations::StockOperationsQuery;
pub use report::InventoryReportQuery;

/// What stock items are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct StockItemFilter {
    /// With one of these stock keeping units.
    skus: Option<Vec<String>>,
    /// In one of these warehouses, by the units' ids.
    warehouse_ids: Option<Vec<ID>>,
    /// True: what is available is below the lower limit (R4.4). False: it is not.
    below_reorder_point: Option<bool>,
    /// True: what is available is below the safety stock. False: it is not.
    below_safety_stock: Option<bool>,
}

impl StockItemFilter {
    fn read(self) -> Result<read::inventory::StockFilter, Failure> {
        Ok(read::inventory::StockFilter {
            sku: text::clean_all("filter.skus", self.skus)?,
            warehouses: ids::parse_all(self.warehouse_ids)?,
            below_reorder_point: self.below_reorder_point,
            below_safety_stock: self.below_safety_stock,
        })
    }
}

/// What replenishment requests are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ReplenishmentRequestFilter {
    /// In one of these states.
    statuses: Option<Vec<ReplenishmentStatus>>,
    /// Of one of these stock items.
    stock_item_ids: Option<Vec<ID>>,
}

impl ReplenishmentRequestFilter {
    fn read(self) -> Result<read::inventory::ReplenishmentFilter, Failure> {
        Ok(read::inventory::ReplenishmentFilter { status: self.statuses, items: ids::parse_all(self.stock_item_ids)? })
    }
}

/// Stock and its replenishment.
#[derive(Default)]
pub struct InventoryQuery;

/// Stock and its replenishment.
#[Object]
impl InventoryQuery {
    /// The stock that exists for the caller, by stock keeping unit (R4).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("stockItems"), limit("stockItems"))
    )]
    async fn stock_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<StockItemFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<StockItemConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::list(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count(&session, &filter).await }) as _
        });
        Ok(Tree(StockItemConnection(Slice::new(page, Into::into, total))))
    }

    /// The replenishment requests that exist for the caller, oldest first (R4.4).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("replenishmentRequests"), limit("replenishmentRequests"))
    )]
    async fn replenishment_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<ReplenishmentRequestFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ReplenishmentRequestConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::requests(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_requests(&session, &filter).await }) as _
        });
        Ok(Tree(ReplenishmentRequestConnection(Slice::new(page, Into::into, total))))
    }
}
