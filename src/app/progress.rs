//! Progress (R5): the one responsible updates milestones.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::inventory::Stock;
use crate::domain::allocation::Allocation;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, MilestoneId, OrderId};
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, Work, allocation};

/// The milestone a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnMilestone {
    /// The order.
    pub order_id: OrderId,
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The milestone.
    pub milestone_id: MilestoneId,
}

struct Loaded {
    order: Tracked<Order>,
    share: Tracked<Allocation>,
    answer: OnMilestone,
}

async fn load(work: &Work, milestone_id: MilestoneId, expected_version: Option<i64>) -> Result<Loaded> {
    let (order, share) = allocation::of_milestone(work, milestone_id).await?;
    work.expect(&share, expected_version)?;
    let answer = OnMilestone { order_id: order.id, allocation_id: share.id, milestone_id };
    Ok(Loaded { order, share, answer })
}

/// Begin or resume a milestone.
#[derive(Clone, Debug, Serialize)]
pub struct StartMilestone {
    /// The milestone.
    pub milestone_id: MilestoneId,
    /// The version of its allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for StartMilestone {
    const ACTION: Action = Action::StartMilestone;
    type Answer = OnMilestone;

    async fn run(&self, work: &Work) -> Result<OnMilestone> {
        let Loaded { order, mut share, answer } = load(work, self.milestone_id, self.expected_version).await?;
        let happening = share.start_milestone(self.milestone_id, &order, &work.act())?;
        work.save(share, happening).await?;
        Ok(answer)
    }
}

/// Finish a milestone; the one that produces uses up its parts.
#[derive(Clone, Debug, Serialize)]
pub struct CompleteMilestone {
    /// The milestone.
    pub milestone_id: MilestoneId,
    /// The version of its allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for CompleteMilestone {
    const ACTION: Action = Action::CompleteMilestone;
    type Answer = OnMilestone;

    async fn run(&self, work: &Work) -> Result<OnMilestone> {
        let Loaded { mut order, mut share, answer } = load(work, self.milestone_id, self.expected_version).await?;
        let consumed = share.complete_milestone(self.milestone_id, &mut order, &work.act())?;
        let mut stock = if consumed.is_empty() { None } else { Some(Stock::lock_for(work, &share).await?) };
        if let Some(stock) = &mut stock {
            for line in consumed {
                share.consume(line, None, &work.act(), &mut stock.book);
            }
        }
        if order.is_changed() {
            work.save(order, EventKind::OrderProduced).await?;
        }
        work.save(share, EventKind::MilestoneCompleted).await?;
        if let Some(stock) = stock {
            stock.save(work, EventKind::StockIssued).await?;
        }
        Ok(answer)
    }
}

/// Report that a milestone cannot go on: the cause, and what is done about it (R5.4).
#[derive(Clone, Debug, Serialize)]
pub struct BlockMilestone {
    /// The milestone.
    pub milestone_id: MilestoneId,
    /// Why it cannot go on.
    pub cause: String,
    /// What is done about it.
    pub measure: String,
    /// The version of its allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for BlockMilestone {
    const ACTION: Action = Action::BlockMilestone;
    type Answer = OnMilestone;

    async fn run(&self, work: &Work) -> Result<OnMilestone> {
        let Loaded { order, mut share, answer } = load(work, self.milestone_id, self.expected_version).await?;
        let (cause, measure) = (self.cause.clone(), self.measure.clone());
        let happening = share.block_milestone(self.milestone_id, cause, measure, &order, &work.act())?;
        work.save(share, happening).await?;
        Ok(answer)
    }
}
