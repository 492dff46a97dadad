//! Holds and cancellation.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, id, payload};
use crate::app::order::{AnswerCancellation, CancelOrder, PlaceHold, ReleaseHold};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::types::order::{Order, order};

/// The order to stop, and why.
#[derive(InputObject)]
pub struct PlaceHoldInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// Why; shown to the customer.
    reason: String,
}

payload! {
    /// The order that is on hold.
    PlaceHoldPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The hold to release.
#[derive(InputObject)]
pub struct ReleaseHoldInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// The hold.
    hold_id: ID,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order whose hold was released.
    ReleaseHoldPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The order to cancel, and why.
#[derive(InputObject)]
pub struct CancelOrderInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// Why.
    reason: String,
}

payload! {
    /// The order that is cancelled, or whose cancellation is asked for.
    CancelOrderPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The answer to a requested cancellation.
#[derive(InputObject)]
pub struct AnswerCancellationInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// Cancel it, or go on.
    grant: bool,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order whose cancellation was answered.
    AnswerCancellationPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// Holds and cancellation.
#[derive(Default)]
pub struct OrderMutation;

#[Object]
impl OrderMutation {
    /// Stops an order until the hold is released (R5.4); several holds may be in place at once.
    /// For reviewers, finance approvers, dispatchers and administrators.
    #[graphql(directive = access::apply(roles("placeHold"), limit("placeHold")))]
    async fn place_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to stop, and why.")] input: PlaceHoldInput,
    ) -> Result<PlaceHoldPayload> {
        let command = PlaceHold {
            order_id: id(ctx, &input.order_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(PlaceHoldPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(PlaceHoldPayload::refused(errors)),
        }
    }

    /// Releases a hold; the order is where it was (R5.4).
    /// For reviewers, finance approvers, dispatchers and administrators.
    #[graphql(directive = access::apply(roles("releaseHold"), limit("releaseHold")))]
    async fn release_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hold to release.")] input: ReleaseHoldInput,
    ) -> Result<ReleaseHoldPayload> {
        let command = ReleaseHold {
            order_id: id(ctx, &input.order_id)?,
            hold_id: id(ctx, &input.hold_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReleaseHoldPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(ReleaseHoldPayload::refused(errors)),
        }
    }

    /// Cancels an order; once a unit is at work on it, asks the unit to agree (R4.3).
    /// For the customer, the partner that submitted it, sales staff and administrators.
    #[graphql(directive = access::apply(roles("cancelOrder"), limit("cancelOrder")))]
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to cancel, and why.")] input: CancelOrderInput,
    ) -> Result<CancelOrderPayload> {
        let command = CancelOrder {
            order_id: id(ctx, &input.order_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(CancelOrderPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(CancelOrderPayload::refused(errors)),
        }
    }

    /// Grants or refuses a requested cancellation (R4.3); what was reserved becomes free once.
    /// For dispatchers and operators of a unit with a share.
    #[graphql(directive = access::apply(roles("answerCancellation"), limit("answerCancellation")))]
    async fn answer_cancellation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer to a requested cancellation.")] input: AnswerCancellationInput,
    ) -> Result<AnswerCancellationPayload> {
        let command = AnswerCancellation {
            order_id: id(ctx, &input.order_id)?,
            grant: input.grant,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(AnswerCancellationPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(AnswerCancellationPayload::refused(errors)),
        }
    }
}
