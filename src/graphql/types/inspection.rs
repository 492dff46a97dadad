//! Inspections.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::reference::{Person, person};
use crate::domain::inspection as domain;
use crate::domain::inspection::InspectionResult;
use crate::graphql::context::is_external;
use crate::graphql::ids;
use crate::graphql::scalars::{DateTime, Decimal};

/// An inspection.
#[derive(Clone, Debug)]
pub struct Inspection(pub domain::Inspection);

/// One attempt at inspecting a share before delivery; never changed (R6).
#[macros::written]
#[Object]
impl Inspection {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// The attempt: 1, 2, 3, …
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// What was found.
    async fn result(&self) -> InspectionResult {
        self.0.result
    }

    /// The checklist as it was answered (R6.1). Null for people outside the group.
    async fn checklist(&self, ctx: &Context<'_>) -> Result<Option<Vec<ChecklistAnswer>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(Some(self.0.checklist.iter().map(Into::into).collect()))
    }

    /// How much of each line may go (R6.2).
    async fn accepted(&self) -> Vec<AcceptedQuantity> {
        let all = self.0.accepted.iter();
        all.map(|one| AcceptedQuantity { allocation_line_id: ids::encode(one.line_id), quantity: one.quantity.into() })
            .collect()
    }

    /// What is to be mended (R6.3). Null when nothing is, and for people outside the group.
    async fn findings(&self, ctx: &Context<'_>) -> Result<Option<&String>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(self.0.findings.as_ref())
    }

    /// Who inspected; never one who produced (R6.1). Null for people outside the group.
    async fn inspector(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.inspector).await
    }

    /// When it was inspected.
    async fn inspected_at(&self) -> DateTime {
        self.0.inspected_at.into()
    }
}

/// The answer to one item of an inspection's checklist.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ChecklistAnswer {
    /// The item's code.
    pub item: String,
    /// Was it in order?
    pub passed: bool,
    /// A remark.
    pub note: Option<String>,
}

impl From<&domain::ChecklistAnswer> for ChecklistAnswer {
    fn from(answer: &domain::ChecklistAnswer) -> Self {
        Self { item: answer.item.clone(), passed: answer.passed, note: answer.note.clone() }
    }
}

/// How much of a line an inspection let go.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AcceptedQuantity {
    /// Id of the allocation's line.
    pub allocation_line_id: ID,
    /// How much of it, in the order line's unit of measure.
    pub quantity: Decimal,
}
