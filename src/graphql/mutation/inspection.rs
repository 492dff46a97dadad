//! Inspection before delivery.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::inspection::RecordInspection;
use crate::domain::inspection::{AcceptedQuantity, ChecklistAnswer, InspectionReport};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::Decimal;
use crate::graphql::types::allocation::{Allocation, allocation};

/// The answer to one item of the checklist.
#[derive(InputObject)]
pub struct ChecklistAnswerInput {
    /// The item's code, one of the allocation's `checklistItems`.
    item: String,
    /// A remark.
    note: Option<String>,
    /// In order?
    passed: bool,
}

/// How much of a line may go.
#[derive(InputObject)]
pub struct AcceptedQuantityInput {
    /// The allocation's line.
    line_id: ID,
    /// How much of it.
    quantity: Decimal,
}

/// What the inspection found.
#[derive(InputObject)]
pub struct RecordInspectionInput {
    /// How much of each line may go; when absent, all of it if every item passed, else nothing.
    accepted: Option<Vec<AcceptedQuantityInput>>,
    /// The allocation.
    allocation_id: ID,
    /// Every item of the allocation's `checklistItems`, answered once.
    checklist: Vec<ChecklistAnswerInput>,
    /// The `version` of the allocation you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// What is to be mended; required unless everything passed.
    findings: Option<String>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
}

payload! {
    /// The inspected allocation.
    RecordInspectionPayload {
        /// The allocation as it is now.
        allocation: Allocation,
    }
}

/// Inspection before delivery.
#[derive(Default)]
pub struct InspectionMutation;

#[Object]
impl InspectionMutation {
    /// Records an inspection before delivery (R6.1). What passed may go; for the rest a rectification
    /// begins, and it is inspected again (R6.3). For inspectors, but not those who produced it.
    #[graphql(directive = access::apply(roles("recordInspection"), limit("recordInspection")))]
    async fn record_inspection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the inspection found.")] input: RecordInspectionInput,
    ) -> Result<RecordInspectionPayload> {
        let command = RecordInspection {
            allocation_id: id(ctx, &input.allocation_id)?,
            report: report(ctx, input.checklist, input.accepted, input.findings)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RecordInspectionPayload {
                allocation: allocation(ctx, answer.allocation_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RecordInspectionPayload::refused(errors)),
        }
    }
}

fn report(
    ctx: &Context<'_>,
    checklist: Vec<ChecklistAnswerInput>,
    accepted: Option<Vec<AcceptedQuantityInput>>,
    findings: Option<String>,
) -> Result<InspectionReport> {
    let answers = checklist.into_iter().enumerate().map(|(index, answer)| {
        Ok(ChecklistAnswer {
            item: clean(ctx, &format!("checklist.{index}.item"), answer.item)?,
            passed: answer.passed,
            note: clean_optional(ctx, &format!("checklist.{index}.note"), answer.note)?,
        })
    });
    let quantity =
        |one: AcceptedQuantityInput| Ok(AcceptedQuantity { line_id: id(ctx, &one.line_id)?, quantity: one.quantity.0 });
    Ok(InspectionReport {
        checklist: answers.collect::<Result<_>>()?,
        accepted: accepted.map(|all| all.into_iter().map(quantity).collect::<Result<_>>()).transpose()?,
        findings: clean_optional(ctx, "findings", findings)?,
    })
}
