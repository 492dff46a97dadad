//! Acceptance with reservation, receipts, corrections. Everything else of stock has a file of its own.

mod held;
mod queue;
mod replenishment;
mod stocktake;
mod transfer;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::inventory::{AcceptAllocation, AdjustStock, ReceiveStock};
use crate::domain::ids::AllocationId;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::context::Answer;
use crate::graphql::ids;
use crate::graphql::scalars::Decimal;
use crate::graphql::types::allocation::{Allocation, allocation};
use crate::graphql::types::inventory::{StockItem, stock_item};

pub use held::HeldMutation;
pub use queue::QueueMutation;
pub use replenishment::ReplenishmentMutation;
pub use stocktake::StocktakeMutation;
pub use transfer::TransferMutation;

/// The allocation to accept.
#[derive(InputObject)]
pub struct AcceptAllocationInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Subject of the operator responsible for the milestones; the caller when absent.
    responsible: Option<String>,
}

payload! {
    /// The accepted allocation with its reservations, backorders and milestones.
    AcceptAllocationPayload {
        /// The allocation as it is now.
        allocation: Allocation,
    }
}

/// What came in.
#[derive(InputObject)]
pub struct ReceiveStockInput {
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How much came in, in the product's unit of measure.
    quantity: Decimal,
    /// The replenishment request it came for. By a tenth more than was asked for is accepted, if the rules say
    /// nothing else. Absent: it counts for the open request that is closest to coming.
    replenishment_request_id: Option<ID>,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The stock item, and who got what they waited for.
    ReceiveStockPayload {
        /// Allocations that got what they waited for, or part of it.
        filled_allocations: Vec<Allocation>,
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// The correction of a stock count, and why.
#[derive(InputObject)]
pub struct AdjustStockInput {
    /// What to add to the count; negative to take away.
    change: Decimal,
    /// The `version` of the stock item you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The stock item.
    stock_item_id: ID,
}

payload! {
    /// The corrected stock item.
    AdjustStockPayload {
        /// The stock item as it is now.
        stock_item: StockItem,
    }
}

/// Acceptance with reservation, receipts, corrections.
#[derive(Default)]
pub struct InventoryMutation;

#[Object]
impl InventoryMutation {
    /// Accepts an allocation. Stock is reserved in the same step; what is missing is backordered and
    /// procurement is told (R4.2, R4.3); milestones are set up (R5.1). For operators of the unit.
    #[graphql(directive = access::apply(roles("acceptAllocation"), limit("acceptAllocation")))]
    async fn accept_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocation to accept.")] input: AcceptAllocationInput,
    ) -> Result<AcceptAllocationPayload> {
        let command = AcceptAllocation {
            allocation_id: id(ctx, &input.allocation_id)?,
            responsible: clean_optional(ctx, "responsible", input.responsible)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(AcceptAllocationPayload {
                allocation: allocation(ctx, answer.allocation_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(AcceptAllocationPayload::refused(errors)),
        }
    }

    /// Books goods into a warehouse. They fill what waits, by priority and then by age (R4.3).
    /// For warehouse staff and procurement.
    #[graphql(directive = access::apply(roles("receiveStock"), limit("receiveStock")))]
    async fn receive_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came in.")] input: ReceiveStockInput,
    ) -> Result<ReceiveStockPayload> {
        let command = ReceiveStock {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            quantity: input.quantity.0,
            request_id: ids::parse_optional(input.replenishment_request_id.as_ref()).answer(ctx)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReceiveStockPayload {
                filled_allocations: Some(filled(ctx, answer.filled_allocation_ids).await?),
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ReceiveStockPayload::refused(errors)),
        }
    }

    /// Corrects a stock count. What is reserved cannot be corrected away (R4.1).
    /// For warehouse staff.
    #[graphql(directive = access::apply(roles("adjustStock"), limit("adjustStock")))]
    async fn adjust_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The correction of a stock count, and why.")] input: AdjustStockInput,
    ) -> Result<AdjustStockPayload> {
        let command = AdjustStock {
            stock_item_id: id(ctx, &input.stock_item_id)?,
            change: input.change.0,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(AdjustStockPayload {
                stock_item: stock_item(ctx, answer.stock_item_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(AdjustStockPayload::refused(errors)),
        }
    }
}

async fn filled(ctx: &Context<'_>, ids: Vec<AllocationId>) -> Result<Vec<Allocation>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(allocation(ctx, id).await?);
    }
    Ok(found)
}
