//! Progress of milestones.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, id, payload};
use crate::app::progress::{BlockMilestone, CompleteMilestone, OnMilestone, StartMilestone};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::types::allocation::allocation;
use crate::graphql::types::progress::Milestone;

/// The milestone to begin or resume.
#[derive(InputObject)]
pub struct StartMilestoneInput {
    /// The `version` of the milestone's allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The milestone.
    milestone_id: ID,
}

payload! {
    /// The milestone that is being worked on.
    StartMilestonePayload {
        /// The milestone as it is now.
        milestone: Milestone,
    }
}

/// The milestone to finish.
#[derive(InputObject)]
pub struct CompleteMilestoneInput {
    /// The `version` of the milestone's allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The milestone.
    milestone_id: ID,
}

payload! {
    /// The finished milestone.
    CompleteMilestonePayload {
        /// The milestone as it is now.
        milestone: Milestone,
    }
}

/// The milestone that cannot go on, why, and what is done about it.
#[derive(InputObject)]
pub struct BlockMilestoneInput {
    /// Why it cannot go on.
    cause: String,
    /// The `version` of the milestone's allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What is done about it.
    measure: String,
    /// The milestone.
    milestone_id: ID,
}

payload! {
    /// The blocked milestone.
    BlockMilestonePayload {
        /// The milestone as it is now.
        milestone: Milestone,
    }
}

/// Progress of milestones.
#[derive(Default)]
pub struct ProgressMutation;

#[Object]
impl ProgressMutation {
    /// Begins a milestone, or resumes one that was blocked (R5.2).
    /// For the operator named responsible.
    #[graphql(directive = access::apply(roles("startMilestone"), limit("startMilestone")))]
    async fn start_milestone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The milestone to begin or resume.")] input: StartMilestoneInput,
    ) -> Result<StartMilestonePayload> {
        let command = StartMilestone {
            milestone_id: id(ctx, &input.milestone_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(StartMilestonePayload { milestone: shown(ctx, answer).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(StartMilestonePayload::refused(errors)),
        }
    }

    /// Finishes a milestone (R5.2); the last one leads to inspection.
    /// For the operator named responsible.
    #[graphql(directive = access::apply(roles("completeMilestone"), limit("completeMilestone")))]
    async fn complete_milestone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The milestone to finish.")] input: CompleteMilestoneInput,
    ) -> Result<CompleteMilestonePayload> {
        let command = CompleteMilestone {
            milestone_id: id(ctx, &input.milestone_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(CompleteMilestonePayload { milestone: shown(ctx, answer).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(CompleteMilestonePayload::refused(errors)),
        }
    }

    /// Reports that a milestone cannot go on, with cause and measure (R5.4).
    /// For the operator named responsible.
    #[graphql(directive = access::apply(roles("blockMilestone"), limit("blockMilestone")))]
    async fn block_milestone(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The milestone that cannot go on, why, and what is done about it.")]
        input: BlockMilestoneInput,
    ) -> Result<BlockMilestonePayload> {
        let command = BlockMilestone {
            milestone_id: id(ctx, &input.milestone_id)?,
            cause: clean(ctx, "cause", input.cause)?,
            measure: clean(ctx, "measure", input.measure)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(BlockMilestonePayload { milestone: shown(ctx, answer).await?, user_errors: Vec::new() }),
            Err(errors) => Ok(BlockMilestonePayload::refused(errors)),
        }
    }
}

/// The milestone that was acted on, within its allocation as it is now.
async fn shown(ctx: &Context<'_>, on: OnMilestone) -> Result<Option<Milestone>> {
    Ok(allocation(ctx, on.allocation_id).await?.and_then(|share| Milestone::of(share.0, on.milestone_id)))
}
