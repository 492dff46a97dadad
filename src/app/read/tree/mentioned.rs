//! Who and which units are named in what was read.

use std::collections::BTreeSet;

use super::Tree;
use crate::domain::ids::UnitId;

/// Names to be looked up.
#[derive(Debug, Default)]
pub struct Mentioned {
    /// People by the subjects of their tokens.
    pub subjects: BTreeSet<String>,
    /// Units.
    pub units: BTreeSet<UnitId>,
}

impl Mentioned {
    fn people<'t>(&mut self, subjects: impl IntoIterator<Item = &'t String>) {
        for subject in subjects {
            if !self.subjects.contains(subject) {
                self.subjects.insert(subject.clone());
            }
        }
    }
}

/// All that are named anywhere. Whoever is forgotten here is looked up when asked for.
pub fn of(tree: &Tree) -> Mentioned {
    let mut found = Mentioned::default();
    for (_, order) in &tree.orders.items {
        found.people([&order.submitted_by]);
        found.people(order.holds.iter().map(|hold| &hold.placed_by));
        found.people(order.cancellation.iter().map(|one| &one.requested_by));
    }
    for review in tree.reviews.iter().flatten() {
        found.people([&review.reviewer]);
        found.people(review.owner.as_ref());
        found.people(review.approvals.iter().map(|approval| &approval.approved_by));
        found.people(review.decision.iter().map(|decision| &decision.decided_by));
        for clarification in &review.clarifications {
            found.people([&clarification.asked_by]);
            found.people(clarification.answered_by.as_ref());
        }
    }
    for allocation in tree.allocations.iter().flatten() {
        found.units.insert(allocation.unit_id);
        found.units.extend(allocation.warehouse_id);
        found.people(allocation.accepted_by.as_ref());
        found.people(allocation.milestones.iter().map(|milestone| &milestone.responsible));
        found.people(allocation.inspections.iter().map(|inspection| &inspection.inspector));
    }
    for decision in tree.decisions.iter().flatten() {
        found.people([&decision.decided_by]);
        found.units.extend(decision.candidates.iter().map(|candidate| candidate.unit_id));
    }
    for delivery in tree.deliveries.iter().flatten() {
        found.people([&delivery.planned_by]);
        found.people(delivery.confirmations.iter().map(|one| &one.confirmed_by));
    }
    found.people(tree.reports.iter().flatten().map(|report| &report.recorded_by));
    for ticket in tree.tickets.iter().flatten() {
        found.units.insert(ticket.team_id);
        found.people([&ticket.opened_by]);
        found.people(ticket.contacts.iter().map(|contact| &contact.contacted_by));
    }
    for (_, event) in tree.timelines.iter().flat_map(|(_, pages)| pages.values()).flat_map(|page| &page.items) {
        found.people([&event.actor]);
        found.units.extend(event.unit_id);
    }
    found
}
