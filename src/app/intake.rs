//! Intake (R1): one entrance for every channel.

use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::actor::{Actor, Scope};
use crate::domain::ids::OrderId;
use crate::domain::intake::{self, IntakeFacts, Submission};
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode};
use crate::store::intake::{self as facts, Named};
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work};

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
        let facts = facts::facts(work, &named(work.actor(), &submission)).await?;
        if let Some((order_id, former)) = facts.former {
            if former == digest {
                return Ok(Submitted { order_id, duplicate: true });
            }
            let message =
                "Another submission on this channel carries this reference; use a reference of its own for each order.";
            let refusal = Refusal::new(RefusalCode::ExternalReferenceConflict, "R1.3", message).at("externalReference");
            return Err(StoreError::Refused(refusal.into()));
        }
        let line_ids = submission.lines.iter().map(|_| work.id()).collect();
        let facts = IntakeFacts {
            actor: work.actor(),
            customer: facts.customer.as_ref(),
            products: &facts.products,
            now: work.now(),
            rule_set_version: facts.rule_set_version,
            digest,
            order_id: work.id(),
            line_ids,
        };
        let (order, happening) = intake::submit(submission, facts)?;
        let order = work.save(Tracked::new(order), happening).await?;
        Ok(Submitted { order_id: order.id, duplicate: false })
    }
}

/// What a submission names. Whoever acts for a customer can name no other.
fn named<'a>(actor: &'a Actor, submission: &'a Submission) -> Named<'a> {
    let number = submission.customer_number.as_deref();
    Named {
        channel: submission.channel,
        account: match &actor.scope {
            Scope::Account(account) => Some(account),
            _ => None,
        },
        reference: submission.external_reference.as_deref(),
        customer: match &actor.scope {
            Scope::Customer(own) => (Some(*own), number),
            Scope::Nothing => (None, None),
            Scope::All | Scope::Units(_) | Scope::Account(_) | Scope::Order(_) => (None, number),
        },
        skus: submission.lines.iter().filter_map(|line| line.sku.clone()).collect(),
    }
}
