//! Procurement: when it is told, and what it does about a request.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::inventory::{
    ApproveReplenishment, CancelReplenishment, CloseReplenishmentShort, OrderReplenishment, RejectReplenishment,
    SetReorderPolicy,
};
use crate::domain::inventory::{Purchase, ReorderPolicy};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, clean, clean_optional, id, payload};
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::inventory::{ReplenishmentRequest, StockItem, replenishment_request, stock_item};

/// When procurement is told, and how much it then orders.
#[derive(InputObject)]
pub struct SetReorderPolicyInput {
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The lower limit: procurement is told when less is available.
    reorder_point: Decimal,
    /// The lot procurement orders at least; nothing, or 0, for as much as is missing.
    reorder_quantity: Option<Decimal>,
    /// What should always be left, for surprises.
    safety_stock: Decimal,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item.
    SetReorderPolicyPayload {
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// The request to approve.
#[derive(InputObject)]
pub struct ApproveReplenishmentInput {
    /// The `version` of the request you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The request.
    replenishment_request_id: ID,
}

payload! {
    /// The request.
    ApproveReplenishmentPayload {
        /// The request as it is now.
        replenishment_request: ReplenishmentRequest,
    }
}

/// The request to reject, and why.
#[derive(InputObject)]
pub struct RejectReplenishmentInput {
    /// The `version` of the request you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The request.
    replenishment_request_id: ID,
}

payload! {
    /// The request.
    RejectReplenishmentPayload {
        /// The request as it is now.
        replenishment_request: ReplenishmentRequest,
    }
}

/// What was agreed with the supplier.
#[derive(InputObject)]
pub struct OrderReplenishmentInput {
    /// When it is expected to arrive; those who wait are told.
    expected_at: Option<DateTime>,
    /// The `version` of the request you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much was ordered; what was asked for when absent.
    quantity: Option<Decimal>,
    /// The request.
    replenishment_request_id: ID,
    /// The supplier.
    supplier: String,
    /// The supplier's reference of the order.
    supplier_reference: Option<String>,
}

payload! {
    /// The request.
    OrderReplenishmentPayload {
        /// The request as it is now.
        replenishment_request: ReplenishmentRequest,
    }
}

/// The request to give up, and why.
#[derive(InputObject)]
pub struct CancelReplenishmentInput {
    /// The `version` of the request you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The request.
    replenishment_request_id: ID,
}

payload! {
    /// The request.
    CancelReplenishmentPayload {
        /// The request as it is now.
        replenishment_request: ReplenishmentRequest,
    }
}

/// The request to close, and why.
#[derive(InputObject)]
pub struct CloseReplenishmentShortInput {
    /// The `version` of the request you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The request.
    replenishment_request_id: ID,
}

payload! {
    /// The request.
    CloseReplenishmentShortPayload {
        /// The request as it is now.
        replenishment_request: ReplenishmentRequest,
    }
}

/// Procurement.
#[derive(Default)]
pub struct ReplenishmentMutation;

#[Object]
impl ReplenishmentMutation {
    /// Sets the lower limit, the lot and the safety stock of a stock item. If it is below the new limit,
    /// procurement is told at once (R4.4). For procurement.
    #[graphql(directive = access::apply(roles("setReorderPolicy"), limit("setReorderPolicy")))]
    async fn set_reorder_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "When procurement is told, and how much it then orders.")] input: SetReorderPolicyInput,
    ) -> Result<SetReorderPolicyPayload> {
        let command = SetReorderPolicy {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            expected_version: input.expected_version.map(i64::from),
            policy: ReorderPolicy {
                reorder_point: input.reorder_point.0,
                reorder_quantity: input.reorder_quantity.map(|one| one.0).unwrap_or_default(),
                safety_stock: input.safety_stock.0,
            },
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(SetReorderPolicyPayload {
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(SetReorderPolicyPayload::refused(errors)),
        }
    }

    /// Decides that what the system proposed is ordered (R4.3). For procurement.
    #[graphql(directive = access::apply(roles("approveReplenishment"), limit("approveReplenishment")))]
    async fn approve_replenishment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request to approve.")] input: ApproveReplenishmentInput,
    ) -> Result<ApproveReplenishmentPayload> {
        let command = ApproveReplenishment {
            request_id: id(ctx, &input.replenishment_request_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ApproveReplenishmentPayload {
                replenishment_request: replenishment_request(ctx, answer.request_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ApproveReplenishmentPayload::refused(errors)),
        }
    }

    /// Decides that what the system proposed is not ordered, to avoid overstock for instance (R4.5). The next
    /// change of the stock item proposes it anew if it is still below its limit. For procurement.
    #[graphql(directive = access::apply(roles("rejectReplenishment"), limit("rejectReplenishment")))]
    async fn reject_replenishment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request to reject, and why.")] input: RejectReplenishmentInput,
    ) -> Result<RejectReplenishmentPayload> {
        let command = RejectReplenishment {
            request_id: id(ctx, &input.replenishment_request_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RejectReplenishmentPayload {
                replenishment_request: replenishment_request(ctx, answer.request_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RejectReplenishmentPayload::refused(errors)),
        }
    }

    /// Records that an approved request was ordered, or that the supplier named another day or quantity
    /// (R4.3). For procurement.
    #[graphql(directive = access::apply(roles("orderReplenishment"), limit("orderReplenishment")))]
    async fn order_replenishment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was agreed with the supplier.")] input: OrderReplenishmentInput,
    ) -> Result<OrderReplenishmentPayload> {
        let command = OrderReplenishment {
            request_id: id(ctx, &input.replenishment_request_id)?,
            expected_version: input.expected_version.map(i64::from),
            purchase: Purchase {
                supplier: clean(ctx, "supplier", input.supplier)?,
                supplier_reference: clean_optional(ctx, "supplierReference", input.supplier_reference)?,
                expected_at: input.expected_at.map(|one| one.0),
                quantity: input.quantity.map(|one| one.0),
            },
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(OrderReplenishmentPayload {
                replenishment_request: replenishment_request(ctx, answer.request_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(OrderReplenishmentPayload::refused(errors)),
        }
    }

    /// Gives up a request before anything arrived. What is still wanted is proposed anew. For procurement.
    #[graphql(directive = access::apply(roles("cancelReplenishment"), limit("cancelReplenishment")))]
    async fn cancel_replenishment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request to give up, and why.")] input: CancelReplenishmentInput,
    ) -> Result<CancelReplenishmentPayload> {
        let command = CancelReplenishment {
            request_id: id(ctx, &input.replenishment_request_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CancelReplenishmentPayload {
                replenishment_request: replenishment_request(ctx, answer.request_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CancelReplenishmentPayload::refused(errors)),
        }
    }

    /// Gives up what is missing of a request of which part arrived. What is still wanted is proposed anew.
    /// For procurement.
    #[graphql(directive = access::apply(roles("closeReplenishmentShort"), limit("closeReplenishmentShort")))]
    async fn close_replenishment_short(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request to close, and why.")] input: CloseReplenishmentShortInput,
    ) -> Result<CloseReplenishmentShortPayload> {
        let command = CloseReplenishmentShort {
            request_id: id(ctx, &input.replenishment_request_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CloseReplenishmentShortPayload {
                replenishment_request: replenishment_request(ctx, answer.request_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CloseReplenishmentShortPayload::refused(errors)),
        }
    }
}
