//! Transfers between warehouses.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::filled;
use crate::app::inventory::{CancelTransfer, CloseTransferShort, DispatchTransfer, ReceiveTransfer, RequestTransfer};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, clean, clean_optional, id, payload};
use crate::graphql::scalars::{DateTime, Decimal};
use crate::graphql::types::allocation::Allocation;
use crate::graphql::types::inventory::{StockTransfer, stock_transfer};

/// What is wanted, from where and where.
#[derive(InputObject)]
pub struct RequestTransferInput {
    /// When it is expected to arrive; those who wait are told.
    expected_at: Option<DateTime>,
    /// The stock item the goods are taken from.
    from_stock_item_id: ID,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much, in the product's unit of measure.
    quantity: Decimal,
    /// Why it is wanted.
    reason: Option<String>,
    /// The warehouse they go to, by the unit's id.
    to_warehouse_id: ID,
}

payload! {
    /// The new transfer.
    RequestTransferPayload {
        /// The transfer as it is now.
        transfer: StockTransfer,
    }
}

/// The transfer that leaves.
#[derive(InputObject)]
pub struct DispatchTransferInput {
    /// The `version` of the transfer you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The transfer.
    transfer_id: ID,
}

payload! {
    /// The transfer.
    DispatchTransferPayload {
        /// The transfer as it is now.
        transfer: StockTransfer,
    }
}

/// What arrived.
#[derive(InputObject)]
pub struct ReceiveTransferInput {
    /// The `version` of the transfer you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much arrived, in the product's unit of measure; at most what is on its way.
    quantity: Decimal,
    /// The transfer.
    transfer_id: ID,
}

payload! {
    /// The transfer, and who got what they waited for.
    ReceiveTransferPayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The transfer as it is now.
        transfer: StockTransfer,
    }
}

/// The transfer to close, and why.
#[derive(InputObject)]
pub struct CloseTransferShortInput {
    /// The `version` of the transfer you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The transfer.
    transfer_id: ID,
}

payload! {
    /// The transfer.
    CloseTransferShortPayload {
        /// The transfer as it is now.
        transfer: StockTransfer,
    }
}

/// The transfer to give up, and why.
#[derive(InputObject)]
pub struct CancelTransferInput {
    /// The `version` of the transfer you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The transfer.
    transfer_id: ID,
}

payload! {
    /// The transfer.
    CancelTransferPayload {
        /// The transfer as it is now.
        transfer: StockTransfer,
    }
}

/// Transfers between warehouses.
#[derive(Default)]
pub struct TransferMutation;

#[Object]
impl TransferMutation {
    /// Asks for goods of one warehouse in another (R4.3). Nothing is reserved by it. For dispatchers,
    /// procurement and warehouse staff whose scope has both warehouses.
    #[graphql(directive = access::apply(roles("requestTransfer"), limit("requestTransfer")))]
    async fn request_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is wanted, from where and where.")] input: RequestTransferInput,
    ) -> Result<RequestTransferPayload> {
        let command = RequestTransfer {
            from_stock_item_id: id(ctx, &input.from_stock_item_id)?,
            to_warehouse_id: id(ctx, &input.to_warehouse_id)?,
            quantity: input.quantity.0,
            reason: clean_optional(ctx, "reason", input.reason)?,
            expected_at: input.expected_at.map(|one| one.0),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RequestTransferPayload {
                transfer: stock_transfer(ctx, answer.transfer_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RequestTransferPayload::refused(errors)),
        }
    }

    /// Sends a transfer on its way. What is reserved or put aside stays (R4.2). What is on its way counts as
    /// `incoming` where it goes. For staff of the warehouse it leaves.
    #[graphql(directive = access::apply(roles("dispatchTransfer"), limit("dispatchTransfer")))]
    async fn dispatch_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transfer that leaves.")] input: DispatchTransferInput,
    ) -> Result<DispatchTransferPayload> {
        let command = DispatchTransfer {
            transfer_id: id(ctx, &input.transfer_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(DispatchTransferPayload {
                transfer: stock_transfer(ctx, answer.transfer_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(DispatchTransferPayload::refused(errors)),
        }
    }

    /// Books in what arrived of a transfer. It fills what waits, by priority and then by age (R4.3).
    /// For staff of the warehouse it goes to.
    #[graphql(directive = access::apply(roles("receiveTransfer"), limit("receiveTransfer")))]
    async fn receive_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What arrived.")] input: ReceiveTransferInput,
    ) -> Result<ReceiveTransferPayload> {
        let command = ReceiveTransfer {
            transfer_id: id(ctx, &input.transfer_id)?,
            quantity: input.quantity.0,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReceiveTransferPayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                transfer: stock_transfer(ctx, answer.transfer_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ReceiveTransferPayload::refused(errors)),
        }
    }

    /// Gives up what did not arrive of a transfer; the difference is kept as `lost` (R4.1).
    /// For staff of the warehouse it goes to and procurement.
    #[graphql(directive = access::apply(roles("closeTransferShort"), limit("closeTransferShort")))]
    async fn close_transfer_short(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transfer to close, and why.")] input: CloseTransferShortInput,
    ) -> Result<CloseTransferShortPayload> {
        let command = CloseTransferShort {
            transfer_id: id(ctx, &input.transfer_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CloseTransferShortPayload {
                transfer: stock_transfer(ctx, answer.transfer_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CloseTransferShortPayload::refused(errors)),
        }
    }

    /// Gives up a transfer before anything left. For whoever may ask for one.
    #[graphql(directive = access::apply(roles("cancelTransfer"), limit("cancelTransfer")))]
    async fn cancel_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transfer to give up, and why.")] input: CancelTransferInput,
    ) -> Result<CancelTransferPayload> {
        let command = CancelTransfer {
            transfer_id: id(ctx, &input.transfer_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CancelTransferPayload {
                transfer: stock_transfer(ctx, answer.transfer_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CancelTransferPayload::refused(errors)),
        }
    }
}
