//! Bills of materials, and whether what they need is there.

use async_graphql::{Context, Object, Result};

use super::reference::{Product, product};
use crate::app::read::materials as read;
use crate::domain::ids::ProductId;
use crate::domain::materials as domain;
use crate::domain::materials::LateReason;
use crate::graphql::connection::page_cost;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::scalars::{Date, Decimal};

/// What a quantity of a product is made of.
pub struct BillOfMaterials(pub read::Exploded);

/// Everything that goes into a quantity of a product, over all levels (R4.6).
#[macros::written]
#[Object]
impl BillOfMaterials {
    /// The product.
    async fn product(&self) -> Product {
        self.0.product.clone().into()
    }

    /// How much of it.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// The day on which it is made; parts may change from one day to the next.
    async fn on_date(&self) -> Date {
        self.0.day.into()
    }

    /// How often the product's own components were set, 0 for those that came with a catalogue; pass it as
    /// `expectedVersion` to set only what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Levels below the product; 0 for what is not made of anything.
    async fn depth(&self) -> i32 {
        int(self.0.explosion.depth)
    }

    /// Every component at every place it is needed, each followed by what it is made of.
    #[graphql(complexity = "page_cost(Some(20), None, child_complexity)")]
    async fn lines(&self) -> Vec<BillOfMaterialsLine> {
        self.0.explosion.lines.iter().cloned().map(BillOfMaterialsLine).collect()
    }

    /// What is not made of anything else, once each, with its total over all places, by stock keeping
    /// unit.
    #[graphql(complexity = "page_cost(Some(20), None, child_complexity)")]
    async fn leaf_totals(&self) -> Vec<MaterialTotal> {
        self.0.explosion.leaves.iter().cloned().map(MaterialTotal).collect()
    }

    /// The sum of `leafTotals`. Quantities of different units of measure are added up as they are.
    async fn leaf_quantity(&self) -> Decimal {
        self.0.explosion.leaves.iter().map(|leaf| leaf.quantity).sum::<rust_decimal::Decimal>().into()
    }
}

/// A line of a bill of materials.
pub struct BillOfMaterialsLine(domain::ExplosionLine);

/// A component at a place it is needed.
#[macros::written]
#[Object]
impl BillOfMaterialsLine {
    /// 1 for what goes into the product itself, 2 for what goes into that, and so on.
    async fn level(&self) -> i32 {
        int(self.0.level)
    }

    /// What it goes into.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.parent_id).await
    }

    /// The component.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.component.product_id).await
    }

    /// The component's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.component.sku
    }

    /// How much of it one unit of the parent needs.
    async fn quantity_per_unit(&self) -> Decimal {
        self.0.component.quantity.into()
    }

    /// How much of it is needed here, exactly.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// The first day it is needed; null for always.
    async fn effective_from(&self) -> Option<Date> {
        self.0.component.effective_from.map(Into::into)
    }

    /// The last day it is needed; null for no end.
    async fn effective_until(&self) -> Option<Date> {
        self.0.component.effective_until.map(Into::into)
    }

    /// It is not made of anything else.
    async fn is_leaf(&self) -> bool {
        self.0.is_leaf
    }
}

/// How much of a part is needed in all.
pub struct MaterialTotal(domain::Part);

/// A part that is not made of anything else, with how much of it is needed in all.
#[macros::written]
#[Object]
impl MaterialTotal {
    /// The part.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// The part's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// How much of it is needed, in its unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }
}

/// Whether what a product needs will be there.
pub struct MaterialAvailability(pub read::Availability);

/// What a quantity of a product needs by a day, on every level, and whether it is there (R4.6).
///
/// What lies in stock is used first: a part that is there is not made again, and only what has to be made
/// needs parts of its own. What is made to order is made anew, so that none in stock is counted of it.
#[macros::written]
#[Object]
impl MaterialAvailability {
    /// The product.
    async fn product(&self) -> Product {
        self.0.product.clone().into()
    }

    /// How much of it is wanted.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// The day by which it is wanted.
    async fn date(&self) -> Date {
        self.0.day.into()
    }

    /// Nothing is missing on that day.
    async fn sufficient(&self) -> bool {
        self.0.materials.iter().all(|one| one.need.short.is_zero())
    }

    /// The first day on which everything is there; null when nobody can say, which `lines` explain. How
    /// long making it takes is not part of it.
    async fn available_on(&self) -> Option<Date> {
        let days: std::result::Result<Vec<_>, _> = self.0.materials.iter().map(|one| one.available_on).collect();
        days.ok()?.into_iter().max().map(Into::into)
    }

    /// What is needed, the product itself first, parts after all they go into.
    #[graphql(complexity = "page_cost(Some(20), None, child_complexity)")]
    async fn lines(&self) -> Vec<MaterialAvailabilityLine> {
        self.0.materials.iter().cloned().map(MaterialAvailabilityLine).collect()
    }

    /// Those of `lines` of which something is missing on that day.
    #[graphql(complexity = "page_cost(Some(20), None, child_complexity)")]
    async fn shortages(&self) -> Vec<MaterialAvailabilityLine> {
        let short = self.0.materials.iter().filter(|one| !one.need.short.is_zero());
        short.cloned().map(MaterialAvailabilityLine).collect()
    }
}

/// What is needed of one product.
pub struct MaterialAvailabilityLine(domain::Material);

/// What is needed of a product or part in all, and where it comes from: `required` is the sum of
/// `fromStock`, `toMake` and `missing`.
#[macros::written]
#[Object]
impl MaterialAvailabilityLine {
    /// The deepest level it is needed at; 0 for the product that was asked about.
    async fn level(&self) -> i32 {
        int(self.0.need.level)
    }

    /// The product or part.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.need.product_id).await
    }

    /// Its stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.need.sku
    }

    /// How much is needed.
    async fn required(&self) -> Decimal {
        self.0.need.required.into()
    }

    /// What can be promised now: on hand, neither reserved nor held.
    async fn available(&self) -> Decimal {
        self.0.available.into()
    }

    /// What is expected to come in up to the day.
    async fn incoming(&self) -> Decimal {
        self.0.incoming.into()
    }

    /// Of what is needed, taken from stock and from what comes in up to the day.
    async fn from_stock(&self) -> Decimal {
        self.0.need.taken.into()
    }

    /// Of what is needed, made of parts of its own.
    async fn to_make(&self) -> Decimal {
        self.0.need.made.into()
    }

    /// Of what is needed, missing on the day.
    async fn missing(&self) -> Decimal {
        self.0.need.short.into()
    }

    /// The first day on which what is not made is there; null when nobody can say, for the reason under
    /// `lateReason`.
    async fn available_on(&self) -> Option<Date> {
        self.0.available_on.ok().map(Into::into)
    }

    /// Why nobody can say when it will be there; null when somebody can.
    async fn late_reason(&self) -> Option<LateReason> {
        self.0.available_on.err()
    }
}

/// What one of a product is made of today.
pub async fn bill_of_materials(ctx: &Context<'_>, sku: &str) -> Result<Option<BillOfMaterials>> {
    let found = read::exploded(session(ctx)?, sku, rust_decimal::Decimal::ONE, None).await.answer(ctx)?;
    Ok(found.map(BillOfMaterials))
}

/// Products that many lines will ask for one by one, read in one go.
pub async fn warm(ctx: &Context<'_>, products: impl IntoIterator<Item = ProductId>) -> Result<()> {
    crate::graphql::context::loaders(ctx)?.warm(products).await.answer(ctx)
}
