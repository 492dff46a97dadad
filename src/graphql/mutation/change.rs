//! Changes of orders that are negotiated.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::change::{
    AcceptOrderChange, DeclineOrderChange, OnChange, ProposeOrderChange, ReviewOrderChange, WithdrawOrderChange,
};
use crate::domain::change::{OptionWish, OrderChangeKind};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{Date, Decimal};
use crate::graphql::types::change::{OrderChange, order_change};
use crate::graphql::types::order::{Order, order};

/// An alternative to offer.
#[derive(InputObject)]
pub struct OrderChangeOptionInput {
    /// LATER_DATE: the date, later than the one the order is expected by. SPLIT_DELIVERY: when the rest is
    /// expected, for the customer to know.
    date: Option<Date>,
    /// What it does.
    kind: OrderChangeKind,
    /// The line it is about, by id: for SUBSTITUTE, REDUCE_QUANTITY and CANCEL_LINE, and to split one line's
    /// shares only.
    line_id: Option<ID>,
    /// REDUCE_QUANTITY: how much less is delivered. SUBSTITUTE: how much is replaced, all of it when absent.
    quantity: Option<Decimal>,
    /// SUBSTITUTE: the stock keeping unit of what is delivered instead.
    substitute_sku: Option<String>,
    /// SUBSTITUTE: the price of one unit of it, before the line's discount; its list price when absent.
    unit_price: Option<Decimal>,
}

/// Alternatives for the customer.
#[derive(InputObject)]
pub struct ProposeOrderChangeInput {
    /// Hours the customer has to answer, at most 90 days; by the rules when absent.
    answer_within_hours: Option<i32>,
    /// The `version` of the order you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the same
    /// answer.
    idempotency_key: Option<String>,
    /// The alternatives, 1 to 10; `shortageOptions` says which are possible.
    options: Vec<OrderChangeOptionInput>,
    /// The order.
    order_id: ID,
    /// Why it is offered; the customer reads it.
    reason: String,
}

payload! {
    /// The offer.
    ProposeOrderChangePayload {
        /// The order as it is now.
        order: Order,
        /// The offer as it is now.
        order_change: OrderChange,
    }
}

/// The alternative that is chosen.
#[derive(InputObject)]
pub struct AcceptOrderChangeInput {
    /// The change.
    change_id: ID,
    /// The `version` of the change you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the same
    /// answer.
    idempotency_key: Option<String>,
    /// The alternative.
    option_id: ID,
}

payload! {
    /// The change with what was chosen.
    AcceptOrderChangePayload {
        /// The order as it is now.
        order: Order,
        /// The change as it is now.
        order_change: OrderChange,
    }
}

/// The offer that is declined, and why.
#[derive(InputObject)]
pub struct DeclineOrderChangeInput {
    /// The change.
    change_id: ID,
    /// The `version` of the change you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the same
    /// answer.
    idempotency_key: Option<String>,
    /// Why.
    reason: String,
}

payload! {
    /// The change that was declined.
    DeclineOrderChangePayload {
        /// The order as it is now.
        order: Order,
        /// The change as it is now.
        order_change: OrderChange,
    }
}

/// The offer that is taken back, and why.
#[derive(InputObject)]
pub struct WithdrawOrderChangeInput {
    /// The change.
    change_id: ID,
    /// The `version` of the change you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the same
    /// answer.
    idempotency_key: Option<String>,
    /// Why; the customer reads it.
    reason: String,
}

payload! {
    /// The change that was taken back.
    WithdrawOrderChangePayload {
        /// The order as it is now.
        order: Order,
        /// The change as it is now.
        order_change: OrderChange,
    }
}

/// The decision about what the customer chose.
#[derive(InputObject)]
pub struct ReviewOrderChangeInput {
    /// Approve it, which applies it, or decline.
    approve: bool,
    /// The change.
    change_id: ID,
    /// The `version` of the change you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the same
    /// answer.
    idempotency_key: Option<String>,
    /// Why; required to decline, and to approve where a check needs a human decision.
    reason: Option<String>,
}

payload! {
    /// The change that was reviewed.
    ReviewOrderChangePayload {
        /// The order as it is now.
        order: Order,
        /// The change as it is now.
        order_change: OrderChange,
    }
}

/// Changes of orders that are negotiated.
#[derive(Default)]
pub struct ChangeMutation;

#[Object]
impl ChangeMutation {
    /// Offers the customer alternatives, as on a shortage, each tried out beforehand (R4.3). One offer at a time
    /// is open for an order; it ends unanswered when its time is over. For sales staff and dispatchers.
    #[graphql(directive = access::apply(roles("proposeOrderChange"), limit("proposeOrderChange")))]
    async fn propose_order_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Alternatives for the customer.")] input: ProposeOrderChangeInput,
    ) -> Result<ProposeOrderChangePayload> {
        let mut options = Vec::new();
        for (index, one) in input.options.into_iter().enumerate() {
            options.push(OptionWish {
                kind: one.kind,
                line_id: one.line_id.map(|line| id(ctx, &line)).transpose()?,
                quantity: one.quantity.map(|quantity| quantity.0),
                date: one.date.map(|date| date.0),
                substitute_sku: clean_optional(ctx, &format!("options.{index}.substituteSku"), one.substitute_sku)?,
                unit_price: one.unit_price.map(|price| price.0),
            });
        }
        let command = ProposeOrderChange {
            order_id: id(ctx, &input.order_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            options,
            answer_hours: input.answer_within_hours.map(i64::from),
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                let (order, order_change) = outcome(ctx, &answer).await?;
                Ok(ProposeOrderChangePayload { order, order_change, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ProposeOrderChangePayload::refused(errors)),
        }
    }

    /// Chooses one of the alternatives (R4.3). The order, its shares and what is reserved change at once; what
    /// adds a product or raises the amount is reviewed first. If the order has moved on, so that the alternative
    /// would no longer do what its preview says, it is refused as ORDER_CHANGE_STALE and nothing changes.
    /// For the customer, the partner that submitted the order, and sales staff.
    #[graphql(directive = access::apply(roles("acceptOrderChange"), limit("acceptOrderChange")))]
    async fn accept_order_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The alternative that is chosen.")] input: AcceptOrderChangeInput,
    ) -> Result<AcceptOrderChangePayload> {
        let command = AcceptOrderChange {
            change_id: id(ctx, &input.change_id)?,
            option_id: id(ctx, &input.option_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                let (order, order_change) = outcome(ctx, &answer).await?;
                Ok(AcceptOrderChangePayload { order, order_change, user_errors: Vec::new() })
            }
            Err(errors) => Ok(AcceptOrderChangePayload::refused(errors)),
        }
    }

    /// Declines all alternatives; the order stays as it is (R4.3).
    /// For the customer, the partner that submitted the order, and sales staff.
    #[graphql(directive = access::apply(roles("declineOrderChange"), limit("declineOrderChange")))]
    async fn decline_order_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The offer that is declined, and why.")] input: DeclineOrderChangeInput,
    ) -> Result<DeclineOrderChangePayload> {
        let command = DeclineOrderChange {
            change_id: id(ctx, &input.change_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                let (order, order_change) = outcome(ctx, &answer).await?;
                Ok(DeclineOrderChangePayload { order, order_change, user_errors: Vec::new() })
            }
            Err(errors) => Ok(DeclineOrderChangePayload::refused(errors)),
        }
    }

    /// Takes an offer back before it is applied (R4.3). For sales staff and dispatchers.
    #[graphql(directive = access::apply(roles("withdrawOrderChange"), limit("withdrawOrderChange")))]
    async fn withdraw_order_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The offer that is taken back, and why.")] input: WithdrawOrderChangeInput,
    ) -> Result<WithdrawOrderChangePayload> {
        let command = WithdrawOrderChange {
            change_id: id(ctx, &input.change_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                let (order, order_change) = outcome(ctx, &answer).await?;
                Ok(WithdrawOrderChangePayload { order, order_change, user_errors: Vec::new() })
            }
            Err(errors) => Ok(WithdrawOrderChangePayload::refused(errors)),
        }
    }

    /// Approves what the customer chose, which applies it, or declines it (R2.6): for alternatives that add a
    /// product or raise the amount. The checks are run on the order as it would be; its amount decides who may
    /// approve. For reviewers and finance approvers, not those who proposed it or submitted the order.
    #[graphql(directive = access::apply(roles("reviewOrderChange"), limit("reviewOrderChange")))]
    async fn review_order_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The decision about what the customer chose.")] input: ReviewOrderChangeInput,
    ) -> Result<ReviewOrderChangePayload> {
        let command = ReviewOrderChange {
            change_id: id(ctx, &input.change_id)?,
            approve: input.approve,
            reason: clean_optional(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                let (order, order_change) = outcome(ctx, &answer).await?;
                Ok(ReviewOrderChangePayload { order, order_change, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ReviewOrderChangePayload::refused(errors)),
        }
    }
}

/// The order and the change as they are now.
async fn outcome(ctx: &Context<'_>, answer: &OnChange) -> Result<(Option<Order>, Option<OrderChange>)> {
    Ok((order(ctx, answer.order_id).await?, order_change(ctx, answer.change_id).await?))
}
