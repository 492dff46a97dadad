//! Transfers, stocktakes, and those who wait.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::inventory::{StocktakeStatus, TransferStatus};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::types::inventory::{QueuedBackorderConnection, StockTransferConnection, StocktakeConnection};
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

/// What transfers are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct StockTransferFilter {
    /// In one of these states.
    statuses: Option<Vec<TransferStatus>>,
    /// From one of these warehouses, by the units' ids.
    from_warehouse_ids: Option<Vec<ID>>,
    /// To one of these warehouses, by the units' ids.
    to_warehouse_ids: Option<Vec<ID>>,
}

impl StockTransferFilter {
    fn read(self) -> Result<read::inventory::TransferFilter, Failure> {
        Ok(read::inventory::TransferFilter {
            status: self.statuses,
            from: ids::parse_all(self.from_warehouse_ids)?,
            to: ids::parse_all(self.to_warehouse_ids)?,
        })
    }
}

/// What stocktakes are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct StocktakeFilter {
    /// In one of these states.
    statuses: Option<Vec<StocktakeStatus>>,
    /// Of one of these warehouses, by the units' ids.
    warehouse_ids: Option<Vec<ID>>,
}

impl StocktakeFilter {
    fn read(self) -> Result<read::inventory::StocktakeFilter, Failure> {
        Ok(read::inventory::StocktakeFilter { status: self.statuses, warehouses: ids::parse_all(self.warehouse_ids)? })
    }
}

/// What those who wait are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct BackorderFilter {
    /// For one of these stock keeping units.
    skus: Option<Vec<String>>,
    /// In one of these warehouses, by the units' ids.
    warehouse_ids: Option<Vec<ID>>,
    /// For this order, by id.
    order_id: Option<ID>,
}

impl BackorderFilter {
    fn read(self) -> Result<read::inventory::QueueFilter, Failure> {
        Ok(read::inventory::QueueFilter {
            sku: text::clean_all("filter.skus", self.skus)?,
            warehouses: ids::parse_all(self.warehouse_ids)?,
            order: ids::parse_optional(self.order_id.as_ref())?,
        })
    }
}

/// Transfers, stocktakes, and those who wait.
#[derive(Default)]
pub struct StockOperationsQuery;

/// Transfers, stocktakes, and those who wait.
#[Object]
impl StockOperationsQuery {
    /// The transfers from and to warehouses the caller may see, newest first (R4.3).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("stockTransfers"), limit("stockTransfers"))
    )]
    async fn stock_transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<StockTransferFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<StockTransferConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::transfers(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_transfers(&session, &filter).await }) as _
        });
        Ok(Tree(StockTransferConnection(Slice::new(page, Into::into, total))))
    }

    /// The stocktakes of warehouses the caller may see, newest first (R4.1).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("stocktakes"), limit("stocktakes"))
    )]
    async fn stocktakes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<StocktakeFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<StocktakeConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::stocktakes(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_stocktakes(&session, &filter).await }) as _
        });
        Ok(Tree(StocktakeConnection(Slice::new(page, Into::into, total))))
    }

    /// Those who wait for stock the caller may see, oldest first, each with its place in the queue and the day its
    /// goods are expected (R4.3).
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("backorders"), limit("backorders"))
    )]
    async fn backorders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<BackorderFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<QueuedBackorderConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::inventory::queue(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::inventory::count_queue(&session, &filter).await }) as _
        });
        Ok(Tree(QueuedBackorderConnection(Slice::new(page, Into::into, total))))
    }
}
