//! What a decision on allocation is made of: what is wanted, and what is known of every unit. Both are kept
//! with the decision, so that it can be made again under other rules.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{OrderLineId, ProductId, UnitId};
use crate::domain::intake::{Channel, Priority};
use crate::domain::order::Order;
use crate::domain::reference::{Capability, ProductKind};

/// What units are wanted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The order's region.
    pub region: String,
    /// Where it came from.
    pub channel: Channel,
    /// How urgent it is.
    pub priority: Priority,
    /// The customer's group.
    pub customer_group: String,
    /// The day of the allocation.
    pub day: NaiveDate,
    /// The lines that no unit has.
    pub lines: Vec<DemandLine>,
}

/// A line, as far as no unit has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandLine {
    /// The order's line.
    pub id: OrderLineId,
    /// Its position in the order.
    pub line_number: i32,
    /// How it comes to the customer.
    pub kind: ProductKind,
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// Its category.
    pub category: Option<String>,
    /// How much of it no unit has.
    pub quantity: Decimal,
}

impl Demand {
    /// What no unit has of an order.
    pub fn of(order: &Order, customer_group: String, day: NaiveDate) -> Self {
        let open = order.lines.iter().map(|line| (line.id, line.quantities.open() - line.quantities.allocated));
        Self::with(order, customer_group, day, open)
    }

    /// Quantities of an order's lines; those of nothing are left out.
    pub fn with(
        order: &Order,
        customer_group: String,
        day: NaiveDate,
        quantities: impl Iterator<Item = (OrderLineId, Decimal)>,
    ) -> Self {
        let lines = quantities.filter(|(_, quantity)| *quantity > Decimal::ZERO).filter_map(|(id, quantity)| {
            let line = order.line(id)?;
            Some(DemandLine {
                id,
                line_number: line.line_number,
                kind: line.kind?,
                product_id: line.product_id?,
                sku: line.sku.clone()?,
                category: line.category.clone(),
                quantity,
            })
        });
        Self {
            region: order.region.clone(),
            channel: order.channel,
            priority: order.priority,
            customer_group,
            day,
            lines: lines.collect(),
        }
    }

    /// Its lines of a kind.
    pub fn of_kind(&self, kind: ProductKind) -> impl Iterator<Item = &DemandLine> + Clone {
        self.lines.iter().filter(move |line| line.kind == kind)
    }

    /// The kinds of its lines.
    pub fn kinds(&self) -> Vec<ProductKind> {
        ProductKind::ALL.iter().copied().filter(|kind| self.of_kind(*kind).next().is_some()).collect()
    }
}

/// What of a product can be had from a warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Available {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// On hand and not set aside.
    pub quantity: Decimal,
}

/// What was known of a unit that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// The unit.
    pub unit_id: UnitId,
    /// Its code.
    pub code: String,
    /// What it can execute.
    pub capabilities: Vec<Capability>,
    /// The regions it serves; all, when empty.
    pub regions: Vec<String>,
    /// Where its stock lies.
    pub warehouse_id: Option<UnitId>,
    /// Allocations it is at work on.
    pub open_allocations: i64,
    /// The quantity of them, each line in its unit of measure.
    pub open_quantity: Decimal,
    /// Allocations it was given on the day.
    pub allocations_today: i64,
    /// What its warehouse has of the wanted products.
    pub available: Vec<Available>,
    /// The order's lines that it declined.
    pub declined: Vec<OrderLineId>,
}

impl UnitFacts {
    /// What its warehouse has of a product.
    pub fn available(&self, product: ProductId) -> Decimal {
        self.available.iter().find(|one| one.product_id == product).map_or(Decimal::ZERO, |one| one.quantity)
    }
}
