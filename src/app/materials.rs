//! Bills of materials (R4.6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::ids::ProductId;
use crate::domain::materials::{self as rules_of, ComponentWish};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, materials, reference};

/// The product a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnProduct {
    /// The product.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
}

/// Set what a product is made of, instead of what it was made of before.
#[derive(Clone, Debug, Serialize)]
pub struct SetBillOfMaterials {
    /// The product's SKU.
    pub sku: String,
    /// What it is made of; nothing for what is bought.
    pub components: Vec<ComponentWish>,
    /// The version of the bill of materials the caller has seen; 0 for one that was never set.
    pub expected_version: Option<i64>,
}

impl Command for SetBillOfMaterials {
    const ACTION: Action = Action::SetBillOfMaterials;
    type Answer = OnProduct;

    async fn run(&self, work: &Work) -> Result<OnProduct> {
        let mut skus: Vec<String> = self.components.iter().map(|one| one.sku.clone()).collect();
        skus.push(self.sku.clone());
        let known: BTreeMap<String, ProductId> = reference::ids_by_sku(work.reference(), &skus).await?;
        let Some(product_id) = known.get(&self.sku).copied() else {
            let refusal = Refusal::new(RefusalCode::UnknownSku, "R4.6", "No product has this SKU.").at("sku");
            return Err(StoreError::Refused(refusal.into()));
        };
        let former = materials::lock(work, product_id).await?;
        match (&former, self.expected_version) {
            (Some(former), expected) => work.expect(former, expected)?,
            (None, Some(expected)) if expected != 0 => {
                return Err(StoreError::VersionMismatch { expected, found: 0 });
            }
            (None, _) => {}
        }
        let whole = materials::whole(work.db().await?).await?;
        let product = (product_id, self.sku.as_str());
        let (bill, happening) =
            rules_of::set(former.as_deref(), product, &self.components, &known, whole, &work.act())?;
        let tracked = match former {
            Some(mut former) => {
                *former = bill;
                former
            }
            None => {
                materials::clear(work, product_id).await?;
                Tracked::new(bill)
            }
        };
        work.save(tracked, happening).await?;
        Ok(OnProduct { product_id, sku: self.sku.clone() })
    }
}
