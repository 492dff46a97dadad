//! Orders for which no unit was found.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::AllocationDecision;
use crate::domain::order as domain;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, loaders};
use crate::graphql::loaders::UnallocatableOf;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::order::{Order, order};
use crate::graphql::types::wrapper;

wrapper! {
    /// An order without a unit.
    UnallocatableOrder(domain::Order)
}
connection!(
    UnallocatableOrderConnection,
    UnallocatableOrderEdge,
    UnallocatableOrder,
    "orders for which no unit was found"
);

/// An order for which no unit was found, in whole or in part: somebody must look after it (R3.1, R3.3).
#[macros::written]
#[Object]
impl UnallocatableOrder {
    /// The order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.id).await
    }

    /// Since when no unit was found.
    async fn since(&self) -> Option<DateTime> {
        self.0.unallocatable.map(|one| one.since.into())
    }

    /// When the clock tries again, if the order's rules have it allocate.
    async fn retry_at(&self) -> Option<DateTime> {
        self.0.unallocatable.map(|one| one.retry_at.into())
    }

    /// What no unit has.
    async fn open(&self) -> Vec<OpenQuantity> {
        let lines = self.0.lines.iter().filter(|line| line.quantities.allocated < line.quantities.open());
        lines
            .map(|line| OpenQuantity {
                line_number: line.line_number,
                sku: line.sku.clone(),
                quantity: (line.quantities.open() - line.quantities.allocated).into(),
            })
            .collect()
    }

    /// Why: the decisions of the last attempt that left something over, with what each rule said of each
    /// unit.
    async fn decisions(&self, ctx: &Context<'_>) -> Result<Vec<AllocationDecision>> {
        let found = loaders(ctx)?.list(UnallocatableOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(AllocationDecision).collect())
    }
}

/// A quantity that no unit has.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct OpenQuantity {
    /// Position of the line in the order: 1, 2, 3, …
    pub line_number: i32,
    /// The product's stock keeping unit.
    pub sku: Option<String>,
    /// How much, in the line's unit of measure.
    pub quantity: Decimal,
}
