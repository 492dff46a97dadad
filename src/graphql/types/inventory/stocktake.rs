//! Stocktakes.

use async_graphql::{Context, ID, Object, Result};

use super::{StockItem, stock_item};
use crate::app::read;
use crate::domain::ids::StocktakeId;
use crate::domain::inventory as domain;
use crate::domain::inventory::StocktakeStatus;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::actions::{self, AvailableAction};
use crate::graphql::types::reference::{Person, Product, Unit, person, product, unit};
use crate::graphql::types::wrapper;

wrapper! {
    /// A stocktake.
    Stocktake(domain::Stocktake)
}
connection!(StocktakeConnection, StocktakeEdge, Stocktake, "stocktakes");

/// A count of what lies in a warehouse (R4.1).
#[macros::written]
#[Object]
impl Stocktake {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The number people use.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The warehouse.
    async fn warehouse(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.warehouse_id).await
    }

    /// The category of products that is counted; null for all, or for items that were named.
    async fn category(&self) -> Option<&String> {
        self.0.category.as_ref()
    }

    /// Does nobody see what the books say before all is counted?
    async fn blind(&self) -> bool {
        self.0.blind
    }

    /// Where it stands.
    async fn status(&self) -> StocktakeStatus {
        self.0.status
    }

    /// The items, with what was counted; at most 500.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn lines(&self) -> Vec<StocktakeLine> {
        let shows_book = self.0.shows_book();
        self.0.lines.iter().map(|line| StocktakeLine { line: line.clone(), shows_book }).collect()
    }

    /// Who opened it.
    async fn opened_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.opened_by).await
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.0.opened_at.into()
    }

    /// Who said that all is counted; null before.
    async fn finished_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        match &self.0.finished_by {
            Some(subject) => person(ctx, subject).await,
            None => Ok(None),
        }
    }

    /// When all was counted; null before.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(Into::into)
    }

    /// Who approved or rejected it; null before, and where all was within the tolerance.
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        match &self.0.decided_by {
            Some(subject) => person(ctx, subject).await,
            None => Ok(None),
        }
    }

    /// When it was decided or booked; null before.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(Into::into)
    }

    /// Why it was rejected, or a remark.
    async fn decision_reason(&self) -> Option<&String> {
        self.0.decision_reason.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way. Whether what is reserved was
    /// found shows when it is approved.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_stocktake(actor, &self.0)))
    }
}

/// A stocktake by id, if it exists for the caller.
pub async fn stocktake(ctx: &Context<'_>, id: StocktakeId) -> Result<Option<Stocktake>> {
    let found = read::inventory::stocktakes_by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(Stocktake::from))
}

/// A line, and whether the books may be seen.
#[derive(Clone, Debug)]
pub struct StocktakeLine {
    line: domain::StocktakeLine,
    shows_book: bool,
}

/// What was counted of a stock item. Counts are in the product's unit of measure.
#[macros::written]
#[Object]
impl StocktakeLine {
    /// Opaque global id; for caches, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.line.id)
    }

    /// The stock item; null when the caller may not see it.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.line.stock_item_id).await
    }

    /// Id of the stock item, to record a count.
    async fn stock_item_id(&self) -> ID {
        ids::encode(self.line.stock_item_id)
    }

    /// The product.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.line.product_id).await
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.line.sku
    }

    /// What was counted; null before.
    async fn counted(&self) -> Option<Decimal> {
        self.line.counted.map(Into::into)
    }

    /// What the books said when it was counted; null before, and in a blind stocktake until all is counted.
    async fn book(&self) -> Option<Decimal> {
        self.line.book.filter(|_| self.shows_book).map(Into::into)
    }

    /// What was counted less what the books said; null where `book` is. It is what is booked: what moves
    /// between the count and the approval moves both.
    async fn variance(&self) -> Option<Decimal> {
        self.line.variance().filter(|_| self.shows_book).map(Into::into)
    }

    /// Is the variance so small that nobody else need look at it? Null until all is counted.
    async fn within_tolerance(&self) -> Option<bool> {
        self.line.within_tolerance
    }

    /// Who counted; null before.
    async fn counted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        match &self.line.counted_by {
            Some(subject) => person(ctx, subject).await,
            None => Ok(None),
        }
    }

    /// When it was counted; null before.
    async fn counted_at(&self) -> Option<DateTime> {
        self.line.counted_at.map(Into::into)
    }
}
