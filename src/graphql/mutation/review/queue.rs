//! Who is at work on which review.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::review::queue::{ReassignReview, ReturnReview, TakeReview};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, clean, id, payload};
use crate::graphql::types::order::{Order, order};

/// The review to take.
#[derive(InputObject)]
pub struct TakeReviewInput {
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
    /// The order whose review the caller is at work on.
    TakeReviewPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The review to put back.
#[derive(InputObject)]
pub struct ReturnReviewInput {
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
    /// The order whose review waits for somebody again.
    ReturnReviewPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The review to pass on, to whom, and why.
#[derive(InputObject)]
pub struct ReassignReviewInput {
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
    /// The subject of the person who is to go on with it.
    to: String,
}

payload! {
    /// The order whose review somebody else is at work on.
    ReassignReviewPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The queue of reviews.
#[derive(Default)]
pub struct ReviewQueueMutation;

#[Object]
impl ReviewQueueMutation {
    /// Takes a review that nobody is at work on out of the queue (R13.1).
    /// For reviewers and finance approvers, but not the one who submitted the order.
    #[graphql(directive = access::apply(roles("takeReview"), limit("takeReview")))]
    async fn take_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review to take.")] input: TakeReviewInput,
    ) -> Result<TakeReviewPayload> {
        let command =
            TakeReview { order_id: id(ctx, &input.order_id)?, expected_version: input.expected_version.map(i64::from) };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(TakeReviewPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(TakeReviewPayload::refused(errors)),
        }
    }

    /// Puts the own review back into the queue (R13.1). For the one who is at work on it.
    #[graphql(directive = access::apply(roles("returnReview"), limit("returnReview")))]
    async fn return_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review to put back.")] input: ReturnReviewInput,
    ) -> Result<ReturnReviewPayload> {
        let command = ReturnReview {
            order_id: id(ctx, &input.order_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ReturnReviewPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ReturnReviewPayload::refused(errors)),
        }
    }

    /// Gives a review to another person who reviews orders, with a reason that is kept (R13.1).
    /// For reviewers and finance approvers; never to the one who submitted the order.
    #[graphql(directive = access::apply(roles("reassignReview"), limit("reassignReview")))]
    async fn reassign_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review to pass on, to whom, and why.")] input: ReassignReviewInput,
    ) -> Result<ReassignReviewPayload> {
        let command = ReassignReview {
            order_id: id(ctx, &input.order_id)?,
            to: clean(ctx, "to", input.to)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ReassignReviewPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ReassignReviewPayload::refused(errors)),
        }
    }
}
