//! Requests to replenish.

use async_graphql::{Context, ID, Object, Result};

use super::{StockItem, stock_item};
use crate::app::read;
use crate::domain::inventory as domain;
use crate::domain::inventory::{ReplenishmentReason, ReplenishmentStatus};
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::actions::{self, AvailableAction};
use crate::graphql::types::reference::{Person, person};
use crate::graphql::types::wrapper;

wrapper! {
    /// A replenishment request.
    ReplenishmentRequest(domain::ReplenishmentRequest)
}
connection!(ReplenishmentRequestConnection, ReplenishmentRequestEdge, ReplenishmentRequest, "replenishment requests");

/// A request to procure more of a stock item; of one item at most one waits to be decided (R4.4).
#[macros::written]
#[Object]
impl ReplenishmentRequest {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes of the request.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// What to replenish.
    async fn stock_item(&self, ctx: &Context<'_>) -> Result<Option<StockItem>> {
        stock_item(ctx, self.0.stock_item_id).await
    }

    /// Why.
    async fn reason(&self) -> ReplenishmentReason {
        self.0.reason
    }

    /// How much is asked for, in the product's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// How much has arrived.
    async fn received(&self) -> Decimal {
        self.0.received.into()
    }

    /// Where it stands.
    async fn status(&self) -> ReplenishmentStatus {
        self.0.status
    }

    /// When it was raised.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }

    /// What is still to come of it, in the product's unit of measure.
    async fn outstanding(&self) -> Decimal {
        self.0.outstanding().into()
    }

    /// Who approved or rejected it; null before.
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        match &self.0.decided_by {
            Some(subject) => person(ctx, subject).await,
            None => Ok(None),
        }
    }

    /// From whom it was ordered; null before.
    async fn supplier(&self) -> Option<&String> {
        self.0.supplier.as_ref()
    }

    /// The supplier's reference of the order.
    async fn supplier_reference(&self) -> Option<&String> {
        self.0.supplier_reference.as_ref()
    }

    /// When it is expected to arrive; null where nobody has said.
    async fn expected_at(&self) -> Option<DateTime> {
        self.0.expected_at.map(Into::into)
    }

    /// Why it was rejected, cancelled or closed short.
    async fn ended_reason(&self) -> Option<&String> {
        self.0.ended_reason.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let Some(item) = stock_item(ctx, self.0.stock_item_id).await? else { return Ok(Vec::new()) };
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_request(actor, &self.0, item.0.warehouse_id)))
    }
}

/// A replenishment request by id, if it exists for the caller.
pub async fn replenishment_request(
    ctx: &Context<'_>,
    id: crate::domain::ids::ReplenishmentRequestId,
) -> Result<Option<ReplenishmentRequest>> {
    let found = read::inventory::requests_by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(ReplenishmentRequest::from))
}
