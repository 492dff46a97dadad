//! Procurement: when it is told, and what it does about a request (R4.3, R4.4).

use serde::{Deserialize, Serialize};

use super::{OnStock, ask_for_those_who_wait};
use crate::app::command::Command;
use crate::domain::ids::{ReplenishmentRequestId, StockItemId};
use crate::domain::inventory::{Purchase, ReorderPolicy};
use crate::domain::permission::Action;
use crate::store::{Result, Work, inventory};

/// The request a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnRequest {
    /// The request.
    pub request_id: ReplenishmentRequestId,
}

/// Set the lower limit, the lot and the safety stock of a stock item (R4.4).
#[derive(Clone, Debug, Serialize)]
pub struct SetReorderPolicy {
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// When procurement is told, and how much it then orders.
    pub policy: ReorderPolicy,
    /// The version of the stock item the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for SetReorderPolicy {
    const ACTION: Action = Action::SetReorderPolicy;
    type Answer = OnStock;

    async fn run(&self, work: &Work) -> Result<OnStock> {
        let mut item = inventory::visible(work, self.stock_item_id).await?;
        work.expect(&item, self.expected_version)?;
        let happening = item.set_policy(&work.act(), self.policy)?;
        let item = work.save(item, happening).await?;
        ask_for_those_who_wait(work, &item).await?;
        Ok(OnStock { stock_item_id: item.id, filled_allocation_ids: Vec::new() })
    }
}

/// Decide that a request is ordered.
#[derive(Clone, Debug, Serialize)]
pub struct ApproveReplenishment {
    /// The request.
    pub request_id: ReplenishmentRequestId,
    /// The version of the request the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ApproveReplenishment {
    const ACTION: Action = Action::ApproveReplenishment;
    type Answer = OnRequest;

    async fn run(&self, work: &Work) -> Result<OnRequest> {
        let (item, mut found) = inventory::request_with_item(work, self.request_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.request.approve(&work.act(), item.warehouse_id)?;
        work.save(found, happening).await?;
        Ok(OnRequest { request_id: self.request_id })
    }
}

/// Record that a request was ordered from a supplier, or that the supplier named another day.
#[derive(Clone, Debug, Serialize)]
pub struct OrderReplenishment {
    /// The request.
    pub request_id: ReplenishmentRequestId,
    /// What was agreed.
    pub purchase: Purchase,
    /// The version of the request the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for OrderReplenishment {
    const ACTION: Action = Action::OrderReplenishment;
    type Answer = OnRequest;

    async fn run(&self, work: &Work) -> Result<OnRequest> {
        let (item, mut found) = inventory::request_with_item(work, self.request_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.request.order(&work.act(), item.warehouse_id, self.purchase.clone())?;
        work.save(found, happening).await?;
        // Less may have been ordered than is wanted.
        ask_for_those_who_wait(work, &item).await?;
        Ok(OnRequest { request_id: self.request_id })
    }
}

macro_rules! ending {
    ($($(#[$doc:meta])+ $command:ident;)+) => { $(
        $(#[$doc])+
        #[derive(Clone, Debug, Serialize)]
        pub struct $command {
            /// The request.
            pub request_id: ReplenishmentRequestId,
            /// Why.
            pub reason: String,
            /// The version of the request the caller has seen.
            pub expected_version: Option<i64>,
        }

        impl Command for $command {
            const ACTION: Action = Action::$command;
            type Answer = OnRequest;

            async fn run(&self, work: &Work) -> Result<OnRequest> {
                end(work, Self::ACTION, self.request_id, &self.reason, self.expected_version).await
            }
        }
    )+ };
}

ending! {
    /// Decide that a request is not ordered.
    RejectReplenishment;
    /// Give up a request before anything arrived.
    CancelReplenishment;
    /// Give up what is missing of a request.
    CloseReplenishmentShort;
}

async fn end(
    work: &Work,
    action: Action,
    id: ReplenishmentRequestId,
    reason: &str,
    expected_version: Option<i64>,
) -> Result<OnRequest> {
    let (item, mut found) = inventory::request_with_item(work, id).await?;
    work.expect(&found, expected_version)?;
    let happening = found.request.end(&work.act(), item.warehouse_id, action, reason.to_owned())?;
    work.save(found, happening).await?;
    // What a supplier does not bring is still wanted; what procurement does not want is not proposed at once.
    if action != Action::RejectReplenishment {
        ask_for_those_who_wait(work, &item).await?;
    }
    Ok(OnRequest { request_id: id })
}
