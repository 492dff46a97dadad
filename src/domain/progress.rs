//! Progress (R5): milestones with a responsible person, updated by that person only.

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::actor::{Act, Actor};
use super::allocation::{Allocation, AllocationStatus};
use super::codes::codes;
use super::event::{EventKind, Happening};
use super::ids::{AllocationLineId, MilestoneId};
use super::intake::{LONG_TEXT, text};
use super::order::{Counter, Order};
use super::permission::Action;
use super::reference::ProductKind;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::rules::{MilestoneStep, RuleSet};
use super::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// Where a milestone stands.
    MilestoneStatus {
        /// Not begun.
        Pending = "PENDING",
        /// Being worked on.
        InProgress = "IN_PROGRESS",
        /// Cannot go on until a measure takes effect.
        Blocked = "BLOCKED",
        /// Finished.
        Completed = "COMPLETED",
    }
}

use MilestoneStatus::*;

impl Lifecycle for MilestoneStatus {
    const NOUN: &'static str = "milestone";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::AcceptAllocation, Pending, "R5.1"),
        birth(Action::RecordInspection, Pending, "R6.3"),
        step(Pending, Action::StartMilestone, InProgress, "R5.2"),
        step(Blocked, Action::StartMilestone, InProgress, "R5.4"),
        step(InProgress, Action::BlockMilestone, Blocked, "R5.4"),
        step(InProgress, Action::CompleteMilestone, Completed, "R5.2"),
    ];
}

/// A step of a unit's work, with the person responsible for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Milestone {
    /// Identity.
    pub id: MilestoneId,
    /// Position: 1, 2, 3, …
    pub sequence: i32,
    /// Stable code of the step.
    pub code: String,
    /// Name of the step.
    pub name: String,
    /// Subject of the one who must update it.
    pub responsible: String,
    /// Where it stands.
    pub status: MilestoneStatus,
    /// Everything reserved must be at hand before it can be finished.
    pub needs_stock: bool,
    /// Finishing it produces the quantity.
    pub produces: bool,
    /// When it should be begun.
    pub planned_start: DateTime<Utc>,
    /// When it should be finished.
    pub due_at: DateTime<Utc>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it cannot go on.
    pub block_cause: Option<String>,
    /// What is done about it.
    pub block_measure: Option<String>,
}

/// Code of the milestone that an inspection's findings are mended under.
pub const RECTIFICATION: &str = "RECTIFICATION";

/// The milestones of a share, one after the other from now.
pub fn plan(kind: ProductKind, rules: &RuleSet, responsible: &str, act: &Act<'_>) -> Vec<Milestone> {
    let mut start = act.now;
    let mut milestones = Vec::new();
    for (index, template) in rules.milestones_for(kind).iter().enumerate() {
        let milestone = milestone(index, template, responsible, start, act);
        start = milestone.due_at;
        milestones.push(milestone);
    }
    milestones
}

fn milestone(
    index: usize,
    template: &MilestoneStep,
    responsible: &str,
    start: DateTime<Utc>,
    act: &Act<'_>,
) -> Milestone {
    Milestone {
        id: act.id(),
        sequence: i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1),
        code: template.code.clone(),
        name: template.name.clone(),
        responsible: responsible.to_owned(),
        status: Pending,
        needs_stock: template.needs_stock,
        produces: template.produces,
        planned_start: start,
        due_at: start + Duration::days(template.days),
        started_at: None,
        completed_at: None,
        block_cause: None,
        block_measure: None,
    }
}

/// Quantities that finishing a milestone used up, to be issued from stock.
pub type Consumption = Vec<AllocationLineId>;

impl Allocation {
    /// Adds the milestone under which an inspection's findings are mended (R6.3).
    pub fn add_rectification(&mut self, act: &Act<'_>, days: i64) {
        let responsible = self.accepted_by.clone().unwrap_or_default();
        let template = MilestoneStep {
            code: RECTIFICATION.to_owned(),
            name: "Rectification".to_owned(),
            days,
            needs_stock: false,
            produces: false,
        };
        let next = milestone(self.milestones.len(), &template, &responsible, act.now, act);
        self.milestones.push(next);
    }

    /// What stands between the actor and an action on a milestone, apart from the input.
    pub fn milestone_blockers(&self, action: Action, milestone: &Milestone, order: &Order, actor: &Actor) -> Refusals {
        let mut refusals = self.blockers(action, order, actor);
        refusals.require(milestone.status.admits(action), || milestone.status.refuse(action));
        refusals.require(milestone.responsible == actor.subject, || {
            Refusal::new(Code::NotResponsible, "R5.2", "Only the one named responsible updates a milestone.")
        });
        if action == Action::StartMilestone {
            let earlier_open =
                self.milestones.iter().any(|other| other.sequence < milestone.sequence && other.status != Completed);
            refusals.require(!earlier_open, || {
                Refusal::new(Code::MilestoneOrder, "R5.1", "An earlier milestone is not finished.")
            });
        }
        if action == Action::CompleteMilestone && milestone.needs_stock {
            for backorder in self.backorders.iter().filter(|one| one.is_waiting()) {
                refusals.push(Refusal::new(
                    Code::StockMissing,
                    "R4.3",
                    format!("{} of a reserved product are still missing.", backorder.missing().normalize()),
                ));
            }
        }
        refusals
    }

    fn milestone_mut(&mut self, id: MilestoneId) -> Option<&mut Milestone> {
        self.milestones.iter_mut().find(|milestone| milestone.id == id)
    }

    fn checked(&self, action: Action, id: MilestoneId, order: &Order, actor: &Actor) -> Result<Milestone, Refusals> {
        let milestone = self.milestones.iter().find(|milestone| milestone.id == id).cloned();
        let Some(milestone) = milestone else {
            return Err(Refusal::new(Code::UnknownLine, "R5.2", "No such milestone.").into());
        };
        self.milestone_blockers(action, &milestone, order, actor).into_result()?;
        Ok(milestone)
    }

    /// Begins or resumes a milestone.
    pub fn start_milestone(&mut self, id: MilestoneId, order: &Order, act: &Act<'_>) -> Result<EventKind, Refusals> {
        self.checked(Action::StartMilestone, id, order, act.actor)?;
        if self.status == AllocationStatus::Accepted {
            self.status = AllocationStatus::InProgress;
            // What is worked on does not become free again by itself (R4.2).
            for reservation in &mut self.reservations {
                reservation.expires_at = None;
            }
        }
        if let Some(milestone) = self.milestone_mut(id) {
            milestone.status = InProgress;
            milestone.started_at.get_or_insert(act.now);
            milestone.block_cause = None;
            milestone.block_measure = None;
        }
        Ok(EventKind::MilestoneStarted)
    }

    /// Reports that a milestone cannot go on: the cause, and what is done about it (R5.4).
    pub fn block_milestone(
        &mut self,
        id: MilestoneId,
        cause: String,
        measure: String,
        order: &Order,
        act: &Act<'_>,
    ) -> Result<Happening, Refusals> {
        let mut refusals = Refusals::default();
        text(&mut refusals, "cause", Some(&cause), true, LONG_TEXT);
        text(&mut refusals, "measure", Some(&measure), true, LONG_TEXT);
        if let Err(Refusals(more)) = self.checked(Action::BlockMilestone, id, order, act.actor) {
            refusals.0.extend(more);
        }
        refusals.into_result()?;
        let happening = EventKind::MilestoneBlocked.because(format!("{cause} Measure: {measure}"));
        if let Some(milestone) = self.milestone_mut(id) {
            milestone.status = Blocked;
            milestone.block_cause = Some(cause);
            milestone.block_measure = Some(measure);
        }
        Ok(happening)
    }

    /// Finishes a milestone. The one that produces counts the quantity as produced and uses up the
    /// parts of the lines returned; the last one leads to inspection (R6.1).
    pub fn complete_milestone(
        &mut self,
        id: MilestoneId,
        order: &mut Order,
        act: &Act<'_>,
    ) -> Result<Consumption, Refusals> {
        let milestone = self.checked(Action::CompleteMilestone, id, order, act.actor)?;
        if let Some(milestone) = self.milestone_mut(id) {
            milestone.status = Completed;
            milestone.completed_at = Some(act.now);
        }
        let mut consumption = Vec::new();
        if milestone.produces {
            for line in &mut self.lines {
                let made = line.quantity - line.produced;
                line.produced += made;
                order.count(Counter::Produced, line.order_line_id, made);
                consumption.push(line.id);
            }
        }
        if self.milestones.iter().all(|milestone| milestone.status == Completed) {
            self.status = AllocationStatus::AwaitingInspection;
        }
        Ok(consumption)
    }

    /// What of a line lies ready to be inspected: reserved goods, or what was produced.
    pub fn ready(&self, id: AllocationLineId) -> Decimal {
        self.line(id).map_or(Decimal::ZERO, |line| match self.kind {
            ProductKind::Goods => line.reserved,
            _ => line.produced,
        })
    }
}
