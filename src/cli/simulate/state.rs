//! An order as one role sees it: where it stands, and what that role can do about it.

use serde::Deserialize;

use crate::domain::actor::Role;
use crate::domain::allocation::AllocationStatus;
use crate::domain::delivery::{ConfirmationStatus, DeliveryStatus};
use crate::domain::intake::Channel;
use crate::domain::inventory::BackorderStatus;
use crate::domain::order::{Coverage, OrderStatus};
use crate::domain::permission::Action;
use crate::domain::reference::ProductKind;
use crate::domain::review::{CheckKind, CheckOutcome};

/// The fields that [`State`] is read from: one answer decides the next step, whoever takes it.
pub(super) const FRAGMENT: &str = "
fragment Offers on AvailableAction { action allowed blockedBy { code message } }
fragment State on Order {
  id number version channel status allocationStatus
  availableActions { ...Offers }
  review { checks { kind outcome } }
  allocations {
    id kind status
    availableActions { ...Offers }
    backorders { status }
    milestones { id availableActions { ...Offers } }
  }
  deliveries { id number status confirmationStatus availableActions { ...Offers } }
}";

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) version: i64,
    pub(super) channel: Channel,
    pub(super) status: OrderStatus,
    allocation_status: Coverage,
    available_actions: Vec<Offer>,
    review: Option<Review>,
    allocations: Vec<Share>,
    deliveries: Vec<Shipment>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    action: Action,
    allowed: bool,
    blocked_by: Vec<Blocker>,
}

#[derive(Clone, Debug, Deserialize)]
struct Blocker {
    code: String,
    message: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Review {
    checks: Vec<Check>,
}

#[derive(Clone, Debug, Deserialize)]
struct Check {
    kind: CheckKind,
    outcome: CheckOutcome,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Share {
    id: String,
    kind: ProductKind,
    status: AllocationStatus,
    available_actions: Option<Vec<Offer>>,
    backorders: Option<Vec<Backorder>>,
    milestones: Vec<Milestone>,
}

#[derive(Clone, Debug, Deserialize)]
struct Backorder {
    status: BackorderStatus,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Milestone {
    id: String,
    available_actions: Option<Vec<Offer>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    id: String,
    number: String,
    status: DeliveryStatus,
    confirmation_status: ConfirmationStatus,
    available_actions: Option<Vec<Offer>>,
}

/// An action that takes the order forward, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) action: Action,
    /// Id of the order, allocation, milestone or delivery.
    pub(super) target: String,
    /// Number of the delivery, for its papers.
    pub(super) delivery_number: Option<String>,
    /// Kind of the allocation, for its checklist.
    pub(super) kind: Option<ProductKind>,
}

impl State {
    /// Is nothing more to be done?
    pub(super) fn is_finished(&self) -> bool {
        matches!(
            self.status,
            OrderStatus::Completed | OrderStatus::Cancelled | OrderStatus::Rejected | OrderStatus::Expired
        )
    }

    /// Does it wait for goods?
    pub(super) fn waits_for_stock(&self) -> bool {
        let backorders = self.allocations.iter().filter_map(|share| share.backorders.as_ref());
        backorders
            .flatten()
            .any(|one| matches!(one.status, BackorderStatus::Waiting | BackorderStatus::PartiallyFilled))
    }

    /// Checks that somebody must decide on.
    pub(super) fn undecided_checks(&self) -> Vec<CheckKind> {
        let checks = self.review.iter().flat_map(|review| &review.checks);
        checks.filter(|check| check.outcome == CheckOutcome::NeedsHuman).map(|check| check.kind).collect()
    }

    /// The roles on whose desks it lies, by its states alone.
    pub(super) fn desks(&self) -> Vec<Role> {
        match self.status {
            OrderStatus::Submitted | OrderStatus::UnderReview => {
                return vec![Role::FinanceApprover];
            }
            OrderStatus::ClarificationRequested => return vec![Role::Sales],
            _ if self.is_finished() => return Vec::new(),
            _ => {}
        }
        let mut desks = Vec::new();
        if self.allocation_status != Coverage::Full {
            desks.push(Role::Dispatcher);
        }
        for share in &self.allocations {
            desks.push(match share.status {
                AllocationStatus::Assigned
                | AllocationStatus::Accepted
                | AllocationStatus::InProgress
                | AllocationStatus::Rectification => Role::Operator,
                AllocationStatus::AwaitingInspection => Role::Inspector,
                AllocationStatus::Cleared => Role::Logistics,
                _ => continue,
            });
        }
        let open = |one: &Shipment| one.confirmation_status != ConfirmationStatus::Confirmed;
        if self.deliveries.iter().any(open) {
            desks.push(Role::Logistics);
        }
        desks.dedup();
        desks
    }

    /// What the one who asked can do now to take the order forward.
    pub(super) fn next_step(&self) -> Option<Step> {
        self.order_step().or_else(|| self.delivery_step()).or_else(|| self.allocation_step())
    }

    fn order_step(&self) -> Option<Step> {
        let forward = [Action::StartReview, Action::ApproveOrder, Action::AllocateOrder];
        first_allowed(&forward, &self.available_actions).map(|action| step(action, &self.id))
    }

    fn delivery_step(&self) -> Option<Step> {
        self.deliveries.iter().find_map(|one| {
            let forward: &[Action] = if one.status == DeliveryStatus::Delivered {
                // Carriers may report even afterwards; that leads nowhere.
                &[Action::ConfirmDelivery]
            } else {
                &[Action::BookDelivery, Action::DispatchDelivery, Action::RecordTrackingEvent]
            };
            let action = first_allowed(forward, one.available_actions.as_deref()?)?;
            Some(Step { delivery_number: Some(one.number.clone()), ..step(action, &one.id) })
        })
    }

    fn allocation_step(&self) -> Option<Step> {
        self.allocations.iter().find_map(|share| {
            let forward = [Action::AcceptAllocation, Action::RecordInspection, Action::PlanDelivery];
            let own = share.available_actions.as_deref().unwrap_or_default();
            if let Some(action) = first_allowed(&forward, own) {
                return Some(Step { kind: Some(share.kind), ..step(action, &share.id) });
            }
            share.milestones.iter().find_map(|milestone| {
                let forward = [Action::CompleteMilestone, Action::StartMilestone];
                let action = first_allowed(&forward, milestone.available_actions.as_deref()?)?;
                Some(step(action, &milestone.id))
            })
        })
    }

    /// What stands in the way of everything that is offered, each reason once.
    pub(super) fn blockers(&self) -> String {
        let of_shares = self.allocations.iter().filter_map(|share| share.available_actions.as_ref());
        let of_milestones = self
            .allocations
            .iter()
            .flat_map(|share| &share.milestones)
            .filter_map(|milestone| milestone.available_actions.as_ref());
        let of_deliveries = self.deliveries.iter().filter_map(|delivery| delivery.available_actions.as_ref());
        let mut reasons: Vec<String> = std::iter::once(&self.available_actions)
            .chain(of_shares)
            .chain(of_milestones)
            .chain(of_deliveries)
            .flatten()
            .flat_map(|offer| offer.blocked_by.iter().map(|by| format!("{} {}: {}", offer.action, by.code, by.message)))
            .collect();
        reasons.sort();
        reasons.dedup();
        if reasons.is_empty() { "nothing is offered that takes it forward".to_owned() } else { reasons.join("; ") }
    }
}

fn step(action: Action, target: &str) -> Step {
    Step { action, target: target.to_owned(), delivery_number: None, kind: None }
}

fn first_allowed(forward: &[Action], offers: &[Offer]) -> Option<Action> {
    let allowed = |action: &Action| offers.iter().any(|offer| offer.action == *action && offer.allowed);
    forward.iter().copied().find(allowed)
}
