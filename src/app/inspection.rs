//! Inspection before delivery (R6).

use serde::Serialize;

use super::command::Command;
use super::inventory::OnAllocation;
use crate::domain::allocation::Allocation;
use crate::domain::event::EventKind;
use crate::domain::ids::AllocationId;
use crate::domain::inspection::InspectionReport;
use crate::domain::permission::Action;
use crate::store::{Result, Work, allocation, reference};

/// Record an inspection: what passed may go, the rest is mended and inspected again.
#[derive(Clone, Debug, Serialize)]
pub struct RecordInspection {
    /// The allocation.
    pub allocation_id: AllocationId,
    /// What was found.
    pub report: InspectionReport,
    /// The version of the allocation the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RecordInspection {
    const ACTION: Action = Action::RecordInspection;
    type Answer = OnAllocation;

    async fn run(&self, work: &Work) -> Result<OnAllocation> {
        let order_id = allocation::order_of(work, self.allocation_id).await?;
        let mut order = work.order(order_id).await?;
        let mut share = work.find::<Allocation>(self.allocation_id.0).await?;
        work.expect(&share, self.expected_version)?;
        let rules = reference::rules(work.db(), order.rule_set_version).await?;
        let happening = share.inspect(self.report.clone(), &mut order, &rules, &work.act())?;
        if order.is_changed() {
            work.save(order, EventKind::OrderPassed).await?;
        }
        work.save(share, happening).await?;
        Ok(OnAllocation { order_id, allocation_id: self.allocation_id })
    }
}
