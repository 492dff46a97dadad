//! Inspection before delivery (R6).

use serde::Serialize;

use super::command::Command;
use super::inventory::OnAllocation;
use crate::domain::event::EventKind;
use crate::domain::ids::AllocationId;
use crate::domain::inspection::InspectionReport;
use crate::domain::permission::Action;
use crate::store::{Result, Work, allocation};

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
        let (mut order, mut share) = allocation::with_order(work, self.allocation_id).await?;
        let order_id = order.id;
        work.expect(&share, self.expected_version)?;
        let rules = work.rules(order.rule_set_version).await?;
        let happening = share.inspect(self.report.clone(), &mut order, &rules, &work.act())?;
        if order.is_changed() {
            work.save(order, EventKind::OrderPassed).await?;
        }
        work.save(share, happening).await?;
        Ok(OnAllocation { order_id, allocation_id: self.allocation_id })
    }
}
