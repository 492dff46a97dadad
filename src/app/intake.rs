//! Intake (R1): one entrance for every channel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::actor::Scope;
use crate::domain::ids::OrderId;
use crate::domain::intake::{self, IntakeFacts, Submission};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, order, reference};

/// Submit an order.
#[derive(Clone, Debug, Serialize)]
pub struct SubmitOrder {
    /// The order as it is handed in.
    pub submission: Submission,
}

/// The order that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The order.
    pub order_id: OrderId,
    /// Was it here already, under the same external reference?
    pub duplicate: bool,
}

impl Command for SubmitOrder {
    const ACTION: Action = Action::SubmitOrder;
    type Answer = Submitted;

    async fn run(&self, work: &Work) -> Result<Submitted> {
        let submission = self.submission.clone();
        let digest = super::command::digest(&(&submission, &work.actor().scope_name()))
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        if let Some(reference) = &submission.external_reference
            && let Some((order_id, former)) = order::by_reference(work, submission.channel, reference).await?
        {
            if former == digest {
                return Ok(Submitted { order_id, duplicate: true });
            }
            let message =
                "Another submission on this channel carries this reference; use a reference of its own for each order.";
            let refusal = Refusal::new(RefusalCode::ExternalReferenceConflict, "R1.3", message).at("externalReference");
            return Err(StoreError::Refused(refusal.into()));
        }
        let customer = match (&work.actor().scope, &submission.customer_number) {
            // Whoever acts for a customer can name no other.
            (Scope::Customer(own), named) => {
                let own = reference::customer_by_id(work.db(), *own).await?;
                Some(own).filter(|own| named.as_ref().is_none_or(|number| *number == own.number))
            }
            (Scope::Nothing, _) | (_, None) => None,
            (_, Some(number)) => reference::customer_by_number(work.db(), number).await?,
        };
        let skus: Vec<String> = submission.lines.iter().filter_map(|line| line.sku.clone()).collect();
        let products =
            if skus.is_empty() { BTreeMap::new() } else { reference::products_by_sku(work.db(), &skus).await? };
        let rules = reference::active_rules(work.db()).await?;
        let line_ids = submission.lines.iter().map(|_| work.id()).collect();
        let facts = IntakeFacts {
            actor: work.actor(),
            customer: customer.as_ref(),
            products: &products,
            now: work.now(),
            rule_set_version: rules.version,
            digest,
            order_id: work.id(),
            line_ids,
        };
        let (order, happening) = intake::submit(submission, facts)?;
        let order = work.save(Tracked::new(order), happening).await?;
        Ok(Submitted { order_id: order.id, duplicate: false })
    }
}
