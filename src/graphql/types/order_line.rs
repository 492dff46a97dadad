//! Lines of an order and their quantities.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::common::Money;
use super::reference::{Product, product};
use crate::domain::money::Currency;
use crate::domain::order as domain;
use crate::domain::reference::ProductKind;
use crate::graphql::ids;
use crate::graphql::scalars::Decimal;

/// A line of an order.
#[derive(Clone, Debug)]
pub struct OrderLine {
    line: domain::OrderLine,
    currency: Currency,
}

impl OrderLine {
    /// A line of an order in this currency.
    pub const fn new(line: domain::OrderLine, currency: Currency) -> Self {
        Self { line, currency }
    }
}

/// A line of an order. Price, discount and text are as they were at submission.
#[macros::written]
#[Object]
impl OrderLine {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.line.id)
    }

    /// Position on the order: 1, 2, 3, …
    async fn line_number(&self) -> i32 {
        self.line.line_number
    }

    /// The product; null while the line names only a category and waits for clarification (R2.3).
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        match self.line.product_id {
            Some(id) => product(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The product's stock keeping unit.
    async fn sku(&self) -> Option<&String> {
        self.line.sku.as_ref()
    }

    /// What it is, in words.
    async fn description(&self) -> &str {
        &self.line.description
    }

    /// The category that was asked for, or the product's.
    async fn category(&self) -> Option<&String> {
        self.line.category.as_ref()
    }

    /// How it comes to the customer.
    async fn kind(&self) -> Option<ProductKind> {
        self.line.kind
    }

    /// The unit its quantities are counted in, as a UN/ECE or house code.
    async fn unit_of_measure(&self) -> Option<&String> {
        self.line.unit_of_measure.as_ref()
    }

    /// Details of what is wanted.
    async fn specification(&self) -> Option<&String> {
        self.line.specification.as_ref()
    }

    /// Price of one unit, with up to four decimals.
    async fn unit_price(&self) -> Money {
        Money::new(self.line.unit_price, self.currency)
    }

    /// Discount as a fraction: 0.02 is two percent.
    async fn discount_rate(&self) -> Decimal {
        self.line.discount_rate.into()
    }

    /// What was ordered for: the whole line, rounded once to the currency's minor unit.
    async fn total(&self) -> Money {
        Money::new(self.line.total, self.currency)
    }

    /// What is due for what is still wanted: `total` without the part that was cancelled.
    async fn amount_due(&self) -> Money {
        Money::new(self.line.due(self.currency), self.currency)
    }

    /// How far its quantities are.
    async fn quantities(&self) -> LineQuantities {
        self.line.quantities.into()
    }
}

/// What is counted per line of an order, in the line's unit of measure.
#[derive(Clone, Copy, Debug, SimpleObject, macros::Written)]
pub struct LineQuantities {
    /// Ordered.
    pub ordered: Decimal,
    /// Cancelled of it.
    pub cancelled: Decimal,
    /// Still wanted: ordered less cancelled.
    pub open: Decimal,
    /// Given to executing units.
    pub allocated: Decimal,
    /// Set aside from stock, including what has since been issued.
    pub reserved: Decimal,
    /// Produced or performed.
    pub produced: Decimal,
    /// Passed inspection.
    pub passed: Decimal,
    /// Left for the customer.
    pub dispatched: Decimal,
    /// Reached the customer.
    pub delivered: Decimal,
    /// Confirmed by the customer.
    pub confirmed: Decimal,
    /// Sent back by the customer.
    pub returned: Decimal,
}

impl From<domain::LineQuantities> for LineQuantities {
    fn from(counts: domain::LineQuantities) -> Self {
        Self {
            open: counts.open().into(),
            ordered: counts.ordered.into(),
            cancelled: counts.cancelled.into(),
            allocated: counts.allocated.into(),
            reserved: counts.reserved.into(),
            produced: counts.produced.into(),
            passed: counts.passed.into(),
            dispatched: counts.dispatched.into(),
            delivered: counts.delivered.into(),
            confirmed: counts.confirmed.into(),
            returned: counts.returned.into(),
        }
    }
}
