//! The lines of an order and what is counted of them.

use crate::domain::codes::codes;
use crate::domain::ids::{OrderLineId, ProductId};
use crate::domain::money::{self, Currency};
use crate::domain::reference::{Product, ProductKind};
use rust_decimal::Decimal;
use serde::Serialize;

codes! {
    /// How much of an order a step has covered.
    Coverage {
        /// Nothing yet.
        None = "NONE",
        /// Some of the open quantity.
        Partial = "PARTIAL",
        /// All of the open quantity.
        Full = "FULL",
    }
}

/// What is counted per line. Every count is in the line's unit of measure and never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineQuantities {
    /// Ordered.
    pub ordered: Decimal,
    /// Cancelled of it.
    pub cancelled: Decimal,
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

impl LineQuantities {
    /// What is still wanted: ordered less cancelled.
    pub fn open(&self) -> Decimal {
        self.ordered - self.cancelled
    }
}

/// A count of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Given to executing units.
    Allocated,
    /// Set aside from stock.
    Reserved,
    /// Produced or performed.
    Produced,
    /// Passed inspection.
    Passed,
    /// Left for the customer.
    Dispatched,
    /// Reached the customer.
    Delivered,
    /// Confirmed by the customer.
    Confirmed,
}

/// A line of an order. Price, discount and text are snapshots taken at submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderLine {
    /// Identity.
    pub id: OrderLineId,
    /// Position: 1, 2, 3, …
    pub line_number: i32,
    /// The product; none until a line that named only a category is clarified.
    pub product_id: Option<ProductId>,
    /// The product's SKU.
    pub sku: Option<String>,
    /// What it is, in words.
    pub description: String,
    /// The category that was asked for, or the product's.
    pub category: Option<String>,
    /// How it comes to the customer.
    pub kind: Option<ProductKind>,
    /// The unit its quantities are counted in.
    pub unit_of_measure: Option<String>,
    /// Details of what is wanted.
    pub specification: Option<String>,
    /// Price of one unit.
    pub unit_price: Decimal,
    /// Discount as a fraction.
    pub discount_rate: Decimal,
    /// What is due for the whole line, rounded once to the minor unit.
    pub total: Decimal,
    /// The counts.
    #[serde(flatten)]
    pub quantities: LineQuantities,
}

impl OrderLine {
    /// Quantity × price less discount, exact.
    pub fn extended(&self) -> Decimal {
        money::extended_price(self.quantities.ordered, self.unit_price, self.discount_rate)
    }

    /// What is due for what is still wanted: the total without the part that was cancelled. Settled amounts
    /// add up to it.
    pub fn due(&self, currency: Currency) -> Decimal {
        let LineQuantities { ordered, .. } = self.quantities;
        money::running_share(self.total, Decimal::ZERO, self.quantities.open(), ordered, currency)
    }

    /// Ties the line to a product, at the agreed price or the list price.
    pub fn specify(&mut self, product: &Product, agreed: Option<Decimal>, currency: Currency) {
        self.product_id = Some(product.id);
        self.sku = Some(product.sku.clone());
        self.description.clone_from(&product.name);
        self.category = Some(product.category.clone());
        self.kind = Some(product.kind);
        self.unit_of_measure = Some(product.unit_of_measure.clone());
        self.unit_price = agreed.unwrap_or(product.list_price);
        self.total = money::round_to_minor(self.extended(), currency);
    }

    pub(super) fn counter(&mut self, counter: Counter) -> &mut Decimal {
        let quantities = &mut self.quantities;
        match counter {
            Counter::Allocated => &mut quantities.allocated,
            Counter::Reserved => &mut quantities.reserved,
            Counter::Produced => &mut quantities.produced,
            Counter::Passed => &mut quantities.passed,
            Counter::Dispatched => &mut quantities.dispatched,
            Counter::Delivered => &mut quantities.delivered,
            Counter::Confirmed => &mut quantities.confirmed,
        }
    }
}
