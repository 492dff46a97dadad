//! Milestones.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::allocation::Allocation;
use super::order::order;
use super::reference::{Person, person};
use crate::app::read;
use crate::domain::allocation as domain;
use crate::domain::ids::MilestoneId;
use crate::domain::progress as parts;
use crate::domain::progress::MilestoneStatus;
use crate::graphql::context::session;
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

/// A milestone within its allocation.
#[derive(Clone, Debug)]
pub struct Milestone {
    allocation: Arc<domain::Allocation>,
    milestone: parts::Milestone,
}

impl Milestone {
    /// The milestone at a position that the allocation has.
    pub fn new(allocation: Arc<domain::Allocation>, index: usize) -> Self {
        let milestone = allocation.milestones[index].clone();
        Self { allocation, milestone }
    }

    /// The milestone with this id, if it is one of the allocation's.
    pub fn of(allocation: Arc<domain::Allocation>, id: MilestoneId) -> Option<Self> {
        let index = allocation.milestones.iter().position(|one| one.id == id)?;
        Some(Self::new(allocation, index))
    }
}

/// A step of a unit's work, with the person responsible for it (R5).
#[macros::written]
#[Object]
impl Milestone {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.milestone.id)
    }

    /// The share it belongs to.
    async fn allocation(&self) -> Allocation {
        Allocation(self.allocation.clone())
    }

    /// Position: 1, 2, 3, …
    async fn sequence(&self) -> i32 {
        self.milestone.sequence
    }

    /// Stable code of the step; `RECTIFICATION` mends an inspection's findings (R6.3).
    async fn code(&self) -> &str {
        &self.milestone.code
    }

    /// Name of the step.
    async fn name(&self) -> &str {
        &self.milestone.name
    }

    /// The one who must update it, and nobody else (R5.2). Null for people outside the group.
    async fn responsible(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.milestone.responsible).await
    }

    /// Where it stands.
    async fn status(&self) -> MilestoneStatus {
        self.milestone.status
    }

    /// Must everything reserved be at hand before it can be finished?
    async fn needs_stock(&self) -> bool {
        self.milestone.needs_stock
    }

    /// Does finishing it produce the quantity, or perform the service?
    async fn produces(&self) -> bool {
        self.milestone.produces
    }

    /// When it should be begun.
    async fn planned_start(&self) -> DateTime {
        self.milestone.planned_start.into()
    }

    /// When it should be finished.
    async fn due_at(&self) -> DateTime {
        self.milestone.due_at.into()
    }

    /// Is it late: not finished although its time has passed (R5.3)?
    async fn overdue(&self, ctx: &Context<'_>) -> Result<bool> {
        let now = session(ctx)?.app.clock.now();
        let open = self.milestone.status != MilestoneStatus::Completed;
        Ok(open && self.milestone.due_at < now)
    }

    /// When it was begun.
    async fn started_at(&self) -> Option<DateTime> {
        self.milestone.started_at.map(Into::into)
    }

    /// When it was finished.
    async fn completed_at(&self) -> Option<DateTime> {
        self.milestone.completed_at.map(Into::into)
    }

    /// Why it cannot go on (R5.4).
    async fn block_cause(&self) -> Option<&String> {
        self.milestone.block_cause.as_ref()
    }

    /// What is done about it (R5.4).
    async fn block_measure(&self) -> Option<&String> {
        self.milestone.block_measure.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way; null when the caller
    /// may not see the order.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Option<Vec<AvailableAction>>> {
        let Some(order) = order(ctx, self.allocation.order_id).await? else {
            return Ok(None);
        };
        let actor = &session(ctx)?.actor;
        let (milestone, allocation) = (&self.milestone, &self.allocation);
        let available = read::actions::of_milestone(actor, milestone, allocation, &order.0);
        Ok(Some(actions::all(available)))
    }
}
