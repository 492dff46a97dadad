//! Deadlines of a unit's answer: first somebody is told, in the end the share counts as declined (R3.1).

use chrono::{DateTime, Duration, Utc};

use super::facts::Demand;
use super::rules::Overdue;
use super::{Allocation, AllocationStatus};
use crate::domain::actor::{Act, Actor};
use crate::domain::event::{EventKind, Happening};
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::rules::RuleSet;

/// Why a share is declined whose unit did not answer.
const NO_ANSWER: &str = "no answer";

impl Allocation {
    /// What stands in the way of an escalation.
    pub fn escalation_blockers(&self, order: &Order, actor: &Actor, now: DateTime<Utc>) -> Refusals {
        let mut refusals = self.blockers(Action::EscalateAllocation, order, actor);
        refusals.require(self.accept_by.is_some_and(|deadline| deadline <= now), || {
            Refusal::new(Code::NotDue, "R3.1", "No deadline of the unit's answer has passed.")
        });
        refusals
    }

    /// A deadline of the unit's answer has passed: those who look after it are told or, if that is what the
    /// rules say, the share counts as declined and is to be allocated again.
    pub fn escalate(
        &mut self,
        order: &mut Order,
        act: &Act<'_>,
        rules: &RuleSet,
        customer_group: &str,
    ) -> Result<Happening, Refusals> {
        self.escalation_blockers(order, act.actor, act.now).into_result()?;
        let rules = rules.allocation();
        let held = self.lines.iter().map(|line| (line.order_line_id, line.quantity));
        let demand = Demand::with(order, customer_group.to_owned(), self.assigned_at.date_naive(), held);
        let deadlines = rules.deadlines(&demand, demand.lines.iter());
        let passed = usize::try_from(self.escalation_level).unwrap_or(usize::MAX);
        let deadline = deadlines.get(passed);
        self.escalation_level += 1;
        let next = deadlines.get(passed.saturating_add(1));
        self.accept_by = next.map(|next| self.assigned_at + Duration::hours(next.hours));
        let told: Vec<&str> = deadline.iter().flat_map(|one| &one.tell).map(|role| role.code()).collect();
        let hours = deadline.map_or(0, |deadline| deadline.hours);
        let note = format!("No answer within {hours} hours. Told: {}.", told.join(", "));
        if deadline.is_none_or(|deadline| deadline.then != Overdue::Decline) {
            return Ok(EventKind::AllocationEscalated.because(note));
        }
        self.give_back(order, AllocationStatus::Declined);
        self.decline_reason = Some(NO_ANSWER.to_owned());
        Ok(EventKind::AllocationDeclined.because(note))
    }
}
