//! What the clock does about reviews.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::review::clock::{ExpireClarification, RemindClarification, ReviewAutomatically};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::mutation::{act, id, payload};
use crate::graphql::types::order::{Order, order};

/// The order to look at.
#[derive(InputObject)]
pub struct ReviewAutomaticallyInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order, approved, or in the queue of reviews.
    ReviewAutomaticallyPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The order with an open question.
#[derive(InputObject)]
pub struct RemindClarificationInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order that waits for an answer.
    RemindClarificationPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The order with a question that nobody answered.
#[derive(InputObject)]
pub struct ExpireClarificationInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order that expired.
    ExpireClarificationPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// Reviews and time.
#[derive(Default)]
pub struct ReviewClockMutation;

#[Object]
impl ReviewClockMutation {
    /// Looks at a submitted order by the rules alone (R2.6): what passes every check and needs nobody is approved,
    /// everything else waits in the queue with its checks. The clock does so by itself; for systems that act for it.
    #[graphql(directive = access::apply(roles("reviewAutomatically"), limit("reviewAutomatically")))]
    async fn review_automatically(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to look at.")] input: ReviewAutomaticallyInput,
    ) -> Result<ReviewAutomaticallyPayload> {
        let command = ReviewAutomatically { order_id: id(ctx, &input.order_id)? };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ReviewAutomaticallyPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ReviewAutomaticallyPayload::refused(errors)),
        }
    }

    /// Reminds whoever placed the order of an open question, when that is due (R2.3). The clock does so by itself;
    /// for systems that act for it.
    #[graphql(directive = access::apply(roles("remindClarification"), limit("remindClarification")))]
    async fn remind_clarification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order with an open question.")] input: RemindClarificationInput,
    ) -> Result<RemindClarificationPayload> {
        let command = RemindClarification { order_id: id(ctx, &input.order_id)? };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(RemindClarificationPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(RemindClarificationPayload::refused(errors)),
        }
    }

    /// Lets an order expire whose question nobody answered in time (R2.3). The clock does so by itself; for systems
    /// that act for it.
    #[graphql(directive = access::apply(roles("expireClarification"), limit("expireClarification")))]
    async fn expire_clarification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order with a question that nobody answered.")] input: ExpireClarificationInput,
    ) -> Result<ExpireClarificationPayload> {
        let command = ExpireClarification { order_id: id(ctx, &input.order_id)? };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ExpireClarificationPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ExpireClarificationPayload::refused(errors)),
        }
    }
}
