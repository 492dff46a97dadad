//! Allocation to executing units.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, id, payload};
use crate::app::allocation::{AllocateOrder, DeclineAllocation, ReassignAllocation};
use crate::domain::ids::AllocationId;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::types::allocation::{Allocation, allocation};
use crate::graphql::types::order::{Order, order};

/// The order to allocate.
#[derive(InputObject)]
pub struct AllocateOrderInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order and its new allocations.
    AllocateOrderPayload {
        /// The new allocations, one for each kind of line.
        allocations: Vec<Allocation>,
        /// The order as it is now.
        order: Order,
    }
}

/// The allocation to move, where to, and why.
#[derive(InputObject)]
pub struct ReassignAllocationInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
    /// The unit it goes to.
    unit_id: ID,
}

payload! {
    /// The allocation that took the place of the former one.
    ReassignAllocationPayload {
        /// The new allocation of the other unit.
        allocation: Allocation,
        /// The order as it is now.
        order: Order,
    }
}

/// The allocation to decline, and why.
#[derive(InputObject)]
pub struct DeclineAllocationInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why; kept.
    reason: String,
}

payload! {
    /// The declined allocation.
    DeclineAllocationPayload {
        /// The allocation as it is now.
        allocation: Allocation,
    }
}

/// Allocation to executing units.
#[derive(Default)]
pub struct AllocationMutation;

#[Object]
impl AllocationMutation {
    /// Allocates everything of an approved order that no unit has, by the rules (R3.1, R3.2). Each
    /// allocation keeps why it went to its unit. For dispatchers.
    #[graphql(directive = access::apply(roles("allocateOrder"), limit("allocateOrder")))]
    async fn allocate_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to allocate.")] input: AllocateOrderInput,
    ) -> Result<AllocateOrderPayload> {
        let command = AllocateOrder {
            order_id: id(ctx, &input.order_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(AllocateOrderPayload {
                allocations: Some(all(ctx, answer.allocation_ids).await?),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(AllocateOrderPayload::refused(errors)),
        }
    }

    /// Moves an allocation to another unit by hand, for urgent orders and special customers (R3.3).
    /// What was reserved becomes free. For dispatchers.
    #[graphql(directive = access::apply(roles("reassignAllocation"), limit("reassignAllocation")))]
    async fn reassign_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocation to move, where to, and why.")] input: ReassignAllocationInput,
    ) -> Result<ReassignAllocationPayload> {
        let command = ReassignAllocation {
            allocation_id: id(ctx, &input.allocation_id)?,
            unit_id: id(ctx, &input.unit_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReassignAllocationPayload {
                allocation: all(ctx, answer.allocation_ids).await?.into_iter().next(),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ReassignAllocationPayload::refused(errors)),
        }
    }

    /// Declines an allocation: the unit is excluded, and the share is to be allocated again (R3.1).
    /// For operators of the unit.
    #[graphql(directive = access::apply(roles("declineAllocation"), limit("declineAllocation")))]
    async fn decline_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocation to decline, and why.")] input: DeclineAllocationInput,
    ) -> Result<DeclineAllocationPayload> {
        let command = DeclineAllocation {
            allocation_id: id(ctx, &input.allocation_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(DeclineAllocationPayload {
                allocation: all(ctx, answer.allocation_ids).await?.into_iter().next(),
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(DeclineAllocationPayload::refused(errors)),
        }
    }
}

async fn all(ctx: &Context<'_>, ids: Vec<AllocationId>) -> Result<Vec<Allocation>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(allocation(ctx, id).await?);
    }
    Ok(found)
}
