//! Bills of materials.

use async_graphql::{Context, InputObject, Object, Result};

use super::{act, clean, payload};
use crate::app::materials::SetBillOfMaterials;
use crate::domain::materials::ComponentWish;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{Date, Decimal};
use crate::graphql::types::materials::{BillOfMaterials, bill_of_materials};

/// A part and how much of it is needed.
#[derive(InputObject)]
pub struct ComponentInput {
    /// The first day it is needed; always when absent.
    effective_from: Option<Date>,
    /// The last day it is needed, not before the first; no end when absent. The same part may be named
    /// again for other days.
    effective_until: Option<Date>,
    /// How much of it one unit of the product needs, in the part's unit of measure.
    quantity: Decimal,
    /// The part's stock keeping unit.
    sku: String,
}

/// A product and all it is made of.
#[derive(InputObject)]
pub struct SetBillOfMaterialsInput {
    /// What one unit is made of; an empty list for what is bought. At most 500.
    components: Vec<ComponentInput>,
    /// The `version` of the bill of materials you have seen; when it has changed since, the call fails with
    /// the code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The product's stock keeping unit.
    sku: String,
}

payload! {
    /// The bill of materials that was set.
    SetBillOfMaterialsPayload {
        /// What one of the product is made of today, over all levels.
        bill_of_materials: BillOfMaterials,
    }
}

/// Bills of materials.
#[derive(Default)]
pub struct MaterialsMutation;

#[Object]
impl MaterialsMutation {
    /// Sets what a product is made of, instead of what it was made of before (R4.6). A product that would be
    /// a part of itself, on whichever level and days, is refused. What orders have reserved stays as it is.
    /// For procurement and administrators.
    #[graphql(directive = access::apply(roles("setBillOfMaterials"), limit("setBillOfMaterials")))]
    async fn set_bill_of_materials(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A product and all it is made of.")] input: SetBillOfMaterialsInput,
    ) -> Result<SetBillOfMaterialsPayload> {
        let mut components = Vec::new();
        for (index, one) in input.components.into_iter().enumerate() {
            components.push(ComponentWish {
                sku: clean(ctx, &format!("components.{index}.sku"), one.sku)?,
                quantity: one.quantity.0,
                effective_from: one.effective_from.map(|day| day.0),
                effective_until: one.effective_until.map(|day| day.0),
            });
        }
        let command = SetBillOfMaterials {
            sku: clean(ctx, "sku", input.sku)?,
            components,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(SetBillOfMaterialsPayload {
                bill_of_materials: bill_of_materials(ctx, &answer.sku).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(SetBillOfMaterialsPayload::refused(errors)),
        }
    }
}
