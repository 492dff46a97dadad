//! Inspection before delivery (R6): nothing is delivered without having passed.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::actor::{Act, Actor};
use super::allocation::{Allocation, AllocationStatus};
use super::codes::codes;
use super::event::EventKind;
use super::ids::{AllocationLineId, InspectionId};
use super::intake::{LONG_TEXT, text};
use super::order::{Counter, Order};
use super::permission::Action;
use super::progress::MilestoneStatus;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::rules::RuleSet;

codes! {
    /// What an inspection found.
    InspectionResult {
        /// Everything that was inspected may go.
        Passed = "PASSED",
        /// Part of it may go, the rest is to be mended.
        PartiallyPassed = "PARTIALLY_PASSED",
        /// Nothing may go.
        Failed = "FAILED",
    }
}

/// The answer to one item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistAnswer {
    /// The item's code.
    pub item: String,
    /// In order?
    pub passed: bool,
    /// A remark.
    pub note: Option<String>,
}

/// How much of a line may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedQuantity {
    /// The line.
    pub line_id: AllocationLineId,
    /// How much of it.
    pub quantity: Decimal,
}

/// One attempt at inspecting a share; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Identity.
    pub id: InspectionId,
    /// The attempt: 1, 2, 3, …
    pub attempt: i32,
    /// What was found.
    pub result: InspectionResult,
    /// The checklist as answered.
    pub checklist: Vec<ChecklistAnswer>,
    /// How much of each line may go.
    pub accepted: Vec<AcceptedQuantity>,
    /// What is to be mended.
    pub findings: Option<String>,
    /// Who inspected.
    pub inspector: String,
    /// When.
    pub inspected_at: DateTime<Utc>,
}

/// An inspection as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionReport {
    /// Every item of the checklist, answered.
    pub checklist: Vec<ChecklistAnswer>,
    /// How much of each line may go; when absent, all of it if every item passed, else nothing.
    pub accepted: Option<Vec<AcceptedQuantity>>,
    /// What is to be mended; required unless everything passed.
    pub findings: Option<String>,
}

/// Days a rectification may take.
const RECTIFICATION_DAYS: i64 = 3;

impl Allocation {
    /// What stands between the actor and an inspection of this share, apart from the report.
    pub fn inspection_blockers(&self, order: &Order, actor: &Actor) -> Refusals {
        let mut refusals = self.blockers(Action::RecordInspection, order, actor);
        let took_part = self.accepted_by.as_deref() == Some(&actor.subject)
            || self.milestones.iter().any(|milestone| {
                milestone.status == MilestoneStatus::Completed && milestone.responsible == actor.subject
            });
        refusals.require(!took_part, || {
            Refusal::new(Code::SeparationOfDuties, "R6.1", "Whoever produced does not inspect.")
        });
        refusals.require(self.lines.iter().any(|line| self.ready(line.id) > line.passed), || {
            Refusal::new(Code::NothingToInspect, "R6.1", "Nothing is ready that has not passed.")
        });
        refusals
    }

    /// Records an inspection. What passed may go; for the rest a rectification begins (R6.3).
    pub fn inspect(
        &mut self,
        report: InspectionReport,
        order: &mut Order,
        rules: &RuleSet,
        act: &Act<'_>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.inspection_blockers(order, act.actor);
        let items = rules.checklist_for(self.kind);
        for item in items {
            let answers = report.checklist.iter().filter(|answer| answer.item == *item).count();
            refusals.require(answers == 1, || {
                Refusal::new(Code::ChecklistIncomplete, "R6.1", format!("Answer {item} once.")).at("checklist")
            });
        }
        for (index, answer) in report.checklist.iter().enumerate() {
            refusals.require(items.contains(&answer.item), || {
                Refusal::new(Code::UnknownChecklistItem, "R6.1", format!("The items are {}.", items.join(", ")))
                    .at(format!("checklist.{index}.item"))
            });
            text(&mut refusals, &format!("checklist.{index}.note"), answer.note.as_deref(), false, LONG_TEXT);
        }
        let all_passed = report.checklist.iter().all(|answer| answer.passed);
        let accepted = report.accepted.unwrap_or_else(|| {
            let share = |line: &super::allocation::AllocationLine| {
                if all_passed { self.ready(line.id) - line.passed } else { Decimal::ZERO }
            };
            self.lines.iter().map(|line| AcceptedQuantity { line_id: line.id, quantity: share(line) }).collect()
        });
        self.check_accepted(&accepted, &mut refusals);
        let outstanding: Decimal = self.lines.iter().map(|line| line.quantity - line.passed).sum();
        let total: Decimal = accepted.iter().map(|one| one.quantity).sum();
        let result = if total == outstanding && all_passed {
            InspectionResult::Passed
        } else if total > Decimal::ZERO {
            InspectionResult::PartiallyPassed
        } else {
            InspectionResult::Failed
        };
        if result != InspectionResult::Passed {
            text(&mut refusals, "findings", report.findings.as_deref(), true, LONG_TEXT);
        }
        refusals.require(all_passed || total < outstanding, || {
            Refusal::new(Code::QuantityExceeded, "R6.2", "An item of the checklist failed, so not everything may go.")
                .at("accepted")
        });
        refusals.into_result()?;
        for one in &accepted {
            if let Some(line) = self.lines.iter_mut().find(|line| line.id == one.line_id) {
                line.passed += one.quantity;
                order.count(Counter::Passed, line.order_line_id, one.quantity);
            }
        }
        self.inspections.push(Inspection {
            id: act.id(),
            attempt: i32::try_from(self.inspections.len()).unwrap_or(i32::MAX).saturating_add(1),
            result,
            checklist: report.checklist,
            accepted,
            findings: report.findings,
            inspector: act.actor.subject.clone(),
            inspected_at: act.now,
        });
        if result == InspectionResult::Passed {
            self.status = AllocationStatus::Cleared;
        } else {
            self.status = AllocationStatus::Rectification;
            self.add_rectification(act, RECTIFICATION_DAYS);
        }
        Ok(EventKind::InspectionRecorded)
    }

    fn check_accepted(&self, accepted: &[AcceptedQuantity], refusals: &mut Refusals) {
        for (index, one) in accepted.iter().enumerate() {
            let at = |field: &str| format!("accepted.{index}.{field}");
            let Some(line) = self.line(one.line_id) else {
                refusals
                    .push(Refusal::new(Code::UnknownLine, "R6.1", "Not a line of this allocation.").at(at("lineId")));
                continue;
            };
            refusals.require(accepted[..index].iter().all(|other| other.line_id != one.line_id), || {
                Refusal::new(Code::Repeated, "R6.1", "This line is named twice.").at(at("lineId"))
            });
            refusals.require(one.quantity >= Decimal::ZERO, || {
                Refusal::new(Code::QuantityNotPositive, "R6.1", "Not negative.").at(at("quantity"))
            });
            refusals.require(one.quantity <= self.ready(line.id) - line.passed, || {
                Refusal::new(
                    Code::QuantityExceeded,
                    "R6.1",
                    format!("{} are ready and have not passed.", (self.ready(line.id) - line.passed).normalize()),
                )
                .at(at("quantity"))
            });
            refusals.require(one.quantity.normalize().scale() <= super::money::QUANTITY_SCALE, || {
                Refusal::new(Code::QuantityPrecision, "R6.1", "At most three decimals.").at(at("quantity"))
            });
        }
    }
}
