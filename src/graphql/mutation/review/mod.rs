//! Review of orders.

pub mod clock;
pub mod queue;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::review::{AnswerClarification, ApproveOrder, RejectOrder, RequestClarification, StartReview};
use crate::domain::review::{CheckKind, LineSpecification, Waiver};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::context::Answer;
use crate::graphql::ids;
use crate::graphql::mutation::{act, clean, clean_optional, id, payload};
use crate::graphql::scalars::DateTime;
use crate::graphql::types::order::{Order, order};

/// What a line turned out to be that named only a category, or the specification it lacked.
#[derive(InputObject)]
pub struct LineSpecificationInput {
    /// The order's line.
    line_id: ID,
    /// The product's stock keeping unit; absent for a line that names a product and lacks only the
    /// specification its category asks for.
    sku: Option<String>,
    /// Details of what is wanted.
    specification: Option<String>,
}

/// A check that does not stand in the way, and why.
#[derive(InputObject)]
pub struct WaiverInput {
    /// The check. `LEGALITY` is never waived (R2.4).
    check: CheckKind,
    /// Why it does not stand in the way; kept.
    reason: String,
}

/// The order to take into review.
#[derive(InputObject)]
pub struct StartReviewInput {
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
    /// The order under review.
    StartReviewPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The question to whoever placed the order.
#[derive(InputObject)]
pub struct RequestClarificationInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// What is unclear.
    question: String,
    /// By when an answer is wanted; as the rules say where absent. Without one the order expires then.
    due_at: Option<DateTime>,
}

payload! {
    /// The order that waits for an answer.
    RequestClarificationPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The answer, and the products of unclear lines.
#[derive(InputObject)]
pub struct AnswerClarificationInput {
    /// The answer; kept.
    answer: String,
    /// The question it answers; every open one where absent.
    clarification_id: Option<ID>,
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What lines that named only a category turned out to be.
    #[graphql(default)]
    lines: Vec<LineSpecificationInput>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The order, back under review.
    AnswerClarificationPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The order to approve, and what is waived.
#[derive(InputObject)]
pub struct ApproveOrderInput {
    /// The `version` of the order you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The order.
    order_id: ID,
    /// Checks that need a human decision, and why they do not stand in the way.
    #[graphql(default)]
    waivers: Vec<WaiverInput>,
    /// A remark; kept.
    reason: Option<String>,
}

payload! {
    /// The order, approved, or under review until the next level has approved it.
    ApproveOrderPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// The order to reject, and why.
#[derive(InputObject)]
pub struct RejectOrderInput {
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
    /// The rejected order.
    RejectOrderPayload {
        /// The order as it is now.
        order: Order,
    }
}

/// Review of orders.
#[derive(Default)]
pub struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Takes a submitted order into review; the five checks are run and kept (R2.1).
    /// For reviewers and finance approvers, but not the one who submitted it.
    #[graphql(directive = access::apply(roles("startReview"), limit("startReview")))]
    async fn start_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to take into review.")] input: StartReviewInput,
    ) -> Result<StartReviewPayload> {
        let command = StartReview {
            order_id: id(ctx, &input.order_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(StartReviewPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(StartReviewPayload::refused(errors)),
        }
    }

    /// Sends a question back to whoever placed the order (R2.3). While one is open, more may follow. Whoever
    /// placed it is reminded before the answer is due; without an answer the order expires.
    /// For reviewers and finance approvers, but not the one who submitted it.
    #[graphql(directive = access::apply(roles("requestClarification"), limit("requestClarification")))]
    async fn request_clarification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question to whoever placed the order.")] input: RequestClarificationInput,
    ) -> Result<RequestClarificationPayload> {
        let command = RequestClarification {
            order_id: id(ctx, &input.order_id)?,
            question: clean(ctx, "question", input.question)?,
            due_at: input.due_at.map(|at| at.0),
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(RequestClarificationPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(RequestClarificationPayload::refused(errors)),
        }
    }

    /// Answers one or all open questions (R2.3); the checks are run again. With the last answer the order is
    /// back under review.
    /// For the customer, the partner that submitted the order, and sales staff.
    #[graphql(directive = access::apply(roles("answerClarification"), limit("answerClarification")))]
    async fn answer_clarification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The answer, and the products of unclear lines.")] input: AnswerClarificationInput,
    ) -> Result<AnswerClarificationPayload> {
        let command = AnswerClarification {
            order_id: id(ctx, &input.order_id)?,
            answer: clean(ctx, "answer", input.answer)?,
            clarification_id: ids::parse_optional(input.clarification_id.as_ref()).answer(ctx)?,
            lines: specifications(ctx, input.lines)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(AnswerClarificationPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(AnswerClarificationPayload::refused(errors)),
        }
    }

    /// Gives the next approval to an order under review (R2.6). The amount decides how many levels there are,
    /// and who approves at each (R2.5); with the last one the order is approved.
    /// For reviewers and finance approvers, but not the one who submitted it, nor one who approved it before.
    #[graphql(directive = access::apply(roles("approveOrder"), limit("approveOrder")))]
    async fn approve_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to approve, and what is waived.")] input: ApproveOrderInput,
    ) -> Result<ApproveOrderPayload> {
        let command = ApproveOrder {
            order_id: id(ctx, &input.order_id)?,
            waivers: waivers(ctx, input.waivers)?,
            reason: clean_optional(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ApproveOrderPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ApproveOrderPayload::refused(errors)),
        }
    }

    /// Rejects an order under review, with a reason (R2.6).
    /// For reviewers and finance approvers, but not the one who submitted it.
    #[graphql(directive = access::apply(roles("rejectOrder"), limit("rejectOrder")))]
    async fn reject_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order to reject, and why.")] input: RejectOrderInput,
    ) -> Result<RejectOrderPayload> {
        let command = RejectOrder {
            order_id: id(ctx, &input.order_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RejectOrderPayload { order: order(ctx, answer.order_id).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(RejectOrderPayload::refused(errors)),
        }
    }
}

fn specifications(ctx: &Context<'_>, lines: Vec<LineSpecificationInput>) -> Result<Vec<LineSpecification>> {
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            Ok(LineSpecification {
                line_id: id(ctx, &line.line_id)?,
                sku: clean_optional(ctx, &format!("lines.{index}.sku"), line.sku)?,
                specification: clean_optional(ctx, &format!("lines.{index}.specification"), line.specification)?,
            })
        })
        .collect()
}

fn waivers(ctx: &Context<'_>, waivers: Vec<WaiverInput>) -> Result<Vec<Waiver>> {
    waivers
        .into_iter()
        .enumerate()
        .map(|(index, waiver)| {
            Ok(Waiver { check: waiver.check, reason: clean(ctx, &format!("waivers.{index}.reason"), waiver.reason)? })
        })
        .collect()
}
