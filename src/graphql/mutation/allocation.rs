//! Allocation to executing units.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, id, payload};
use crate::app::allocation::{
    AllocateManually, AllocateOrder, DeclineAllocation, EscalateAllocation, MergeAllocations, ReassignAllocation,
    SplitAllocation,
};
use crate::domain::allocation::{GivenShare, TakenPart};
use crate::domain::ids::AllocationId;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::Decimal;
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
        /// The new allocations, one for each kind of line and unit.
        allocations: Vec<Allocation>,
        /// The order as it is now.
        order: Order,
    }
}

/// What to give to which units, and why.
#[derive(InputObject)]
pub struct AllocateManuallyInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// Why; kept.
    reason: String,
    /// What goes to which unit.
    shares: Vec<ManualShareInput>,
}

/// What goes to a unit of a line.
#[derive(InputObject)]
pub struct ManualShareInput {
    /// The order's line.
    line_id: ID,
    /// How much of it, in the line's unit of measure.
    quantity: Decimal,
    /// The unit.
    unit_id: ID,
}

payload! {
    /// The order and its new allocations.
    AllocateManuallyPayload {
        /// The new allocations, one for each kind of line and unit.
        allocations: Vec<Allocation>,
        /// The order as it is now.
        order: Order,
    }
}

/// The allocation to split, what to take out of it, for whom, and why.
#[derive(InputObject)]
pub struct SplitAllocationInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What to take out.
    parts: Vec<AllocationPartInput>,
    /// Why; kept.
    reason: String,
    /// The unit that gets what is taken out; the unit itself for a share of its own.
    unit_id: ID,
}

/// What to take out of an allocation.
#[derive(InputObject)]
pub struct AllocationPartInput {
    /// The allocation's line.
    line_id: ID,
    /// How much of it, in the line's unit of measure.
    quantity: Decimal,
}

payload! {
    /// The two allocations that took the place of the former one.
    SplitAllocationPayload {
        /// What stayed, and what was taken out.
        allocations: Vec<Allocation>,
        /// The order as it is now.
        order: Order,
    }
}

/// The allocations to merge, and why.
#[derive(InputObject)]
pub struct MergeAllocationsInput {
    /// The allocation that stays.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The allocation that goes into it.
    other_allocation_id: ID,
    /// Why; kept.
    reason: String,
}

payload! {
    /// The allocation that stayed.
    MergeAllocationsPayload {
        /// The allocation with everything of both.
        allocation: Allocation,
        /// The order as it is now.
        order: Order,
    }
}

/// The allocation to escalate.
#[derive(InputObject)]
pub struct EscalateAllocationInput {
    /// The allocation.
    allocation_id: ID,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
}

payload! {
    /// The escalated allocation.
    EscalateAllocationPayload {
        /// The allocation as it is now.
        allocation: Allocation,
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
    /// allocation keeps why it went to its unit. What no unit can take puts the order among
    /// `unallocatableOrders`; when that is everything, a dispatcher is refused. For dispatchers.
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

    /// Gives quantities of an approved order to units by hand, for urgent orders and special customers (R3.3).
    /// A person may overrule region, capacity and a unit's earlier refusal, but not what a unit is able to do.
    /// For dispatchers.
    #[graphql(directive = access::apply(roles("allocateManually"), limit("allocateManually")))]
    async fn allocate_manually(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to give to which units, and why.")] input: AllocateManuallyInput,
    ) -> Result<AllocateManuallyPayload> {
        let mut shares = Vec::new();
        for share in input.shares {
            let (unit_id, line_id) = (id(ctx, &share.unit_id)?, id(ctx, &share.line_id)?);
            shares.push(GivenShare { unit_id, line_id, quantity: share.quantity.0 });
        }
        let command = AllocateManually {
            order_id: id(ctx, &input.order_id)?,
            shares,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(AllocateManuallyPayload {
                allocations: Some(all(ctx, answer.allocation_ids).await?),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(AllocateManuallyPayload::refused(errors)),
        }
    }

    /// Splits an allocation that nobody has begun to work on, by hand (R3.3): what is taken out goes to
    /// another unit, which must accept it, and what was reserved for it becomes free; or stays with the unit
    /// as a share of its own, with what was reserved for it. Two allocations take the place of the former.
    /// For dispatchers.
    #[graphql(directive = access::apply(roles("splitAllocation"), limit("splitAllocation")))]
    async fn split_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocation to split, what to take out of it, for whom, and why.")]
        input: SplitAllocationInput,
    ) -> Result<SplitAllocationPayload> {
        let mut parts = Vec::new();
        for part in input.parts {
            parts.push(TakenPart { line_id: id(ctx, &part.line_id)?, quantity: part.quantity.0 });
        }
        let command = SplitAllocation {
            allocation_id: id(ctx, &input.allocation_id)?,
            unit_id: id(ctx, &input.unit_id)?,
            parts,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(SplitAllocationPayload {
                allocations: Some(all(ctx, answer.allocation_ids).await?),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(SplitAllocationPayload::refused(errors)),
        }
    }

    /// Makes one allocation of two of the same order, unit and kind that stand at the same point and that
    /// nobody has begun to work on, by hand (R3.3). What was reserved goes along. For dispatchers.
    #[graphql(directive = access::apply(roles("mergeAllocations"), limit("mergeAllocations")))]
    async fn merge_allocations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocations to merge, and why.")] input: MergeAllocationsInput,
    ) -> Result<MergeAllocationsPayload> {
        let command = MergeAllocations {
            allocation_id: id(ctx, &input.allocation_id)?,
            other_allocation_id: id(ctx, &input.other_allocation_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(MergeAllocationsPayload {
                allocation: all(ctx, answer.allocation_ids).await?.into_iter().next(),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(MergeAllocationsPayload::refused(errors)),
        }
    }

    /// Escalates an allocation whose unit has not answered by `acceptBy` (R3.1): those who look after
    /// allocation are told or, after the last deadline, the share counts as declined and is to be allocated
    /// again. For the clock, which does it by itself.
    #[graphql(directive = access::apply(roles("escalateAllocation"), limit("escalateAllocation")))]
    async fn escalate_allocation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The allocation to escalate.")] input: EscalateAllocationInput,
    ) -> Result<EscalateAllocationPayload> {
        let command = EscalateAllocation {
            allocation_id: id(ctx, &input.allocation_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(EscalateAllocationPayload {
                allocation: all(ctx, answer.allocation_ids).await?.into_iter().next(),
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(EscalateAllocationPayload::refused(errors)),
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
