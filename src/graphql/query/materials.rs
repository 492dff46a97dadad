//! Bills of materials, and whether what they need is there.

use async_graphql::{Context, ID, Object, Result};

use crate::app::read;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids;
use crate::graphql::scalars::{Date, Decimal};
use crate::graphql::text;
use crate::graphql::types::materials::{BillOfMaterials, MaterialAvailability, warm};
use crate::graphql::write::Tree;

/// Bills of materials, and whether what they need is there.
#[derive(Default)]
pub struct MaterialsQuery;

/// Bills of materials, and whether what they need is there.
#[Object]
impl MaterialsQuery {
    /// Everything that goes into a quantity of a product, over all levels (R4.6); null when no product has
    /// the SKU. A structure of more than 25 levels or 5,000 lines is BAD_USER_INPUT.
    #[graphql(directive = access::apply(roles("billOfMaterials"), limit("billOfMaterials")))]
    async fn bill_of_materials(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product's stock keeping unit.")] sku: String,
        #[graphql(desc = "How much of it; one when absent.")] quantity: Option<Decimal>,
        #[graphql(desc = "The day on which it is made; today when absent.")] on_date: Option<Date>,
    ) -> Result<Tree<Option<BillOfMaterials>>> {
        let sku = text::clean("sku", sku).answer(ctx)?;
        let quantity = quantity.map_or(rust_decimal::Decimal::ONE, |quantity| quantity.0);
        let day = on_date.map(|day| day.0);
        let found = read::materials::exploded(session(ctx)?, &sku, quantity, day).await.answer(ctx)?;
        if let Some(found) = &found {
            let named = found.explosion.lines.iter().map(|line| line.component.product_id);
            warm(ctx, named.chain([found.product.id])).await?;
        }
        Ok(Tree(found.map(BillOfMaterials)))
    }

    /// What a quantity of a product needs by a day, on every level, and whether it is there (R4.6): stock
    /// that is neither reserved nor held, and what comes in up to the day. Stock of a part is used before
    /// the part is made of its own parts. Null when no product has the SKU, or the unit does not exist for
    /// the caller.
    #[graphql(directive = access::apply(roles("materialAvailability"), limit("materialAvailability")))]
    async fn material_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product's stock keeping unit.")] sku: String,
        #[graphql(desc = "How much of it is wanted.")] quantity: Decimal,
        #[graphql(desc = "The day by which it is wanted; not in the past.")] date: Date,
        #[graphql(
            desc = "Only the stock of the warehouses at or below this unit, by id; all that exists for the caller when absent."
        )]
        unit_id: Option<ID>,
    ) -> Result<Tree<Option<MaterialAvailability>>> {
        let sku = text::clean("sku", sku).answer(ctx)?;
        let unit = ids::parse_optional(unit_id.as_ref()).answer(ctx)?;
        let found = read::materials::availability(session(ctx)?, &sku, quantity.0, date.0, unit).await.answer(ctx)?;
        if let Some(found) = &found {
            warm(ctx, found.materials.iter().map(|one| one.need.product_id)).await?;
        }
        Ok(Tree(found.map(MaterialAvailability)))
    }
}
