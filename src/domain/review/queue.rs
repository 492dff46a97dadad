//! The queue of reviews: who is at work on which (R13.1: duties are set down).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ReviewCase;
use crate::domain::actor::{Act, Actor, Role};
use crate::domain::event::{EventKind, Happening};
use crate::domain::intake::{LONG_TEXT, text};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::permission::{Action, permitted};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

/// An order that waits for somebody: to be reviewed, to be answered for, or to be approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The order.
    pub order: Arc<Order>,
    /// Its review; none before somebody, or the clock, has looked at it.
    pub review: Option<Arc<ReviewCase>>,
}

/// What changes the queue or an entry of it: one event for each thing that happens.
pub const QUEUE_EVENTS: [EventKind; 16] = [
    EventKind::OrderSubmitted,
    EventKind::OrderReviewStarted,
    EventKind::OrderClarificationRequested,
    EventKind::OrderClarificationAnswered,
    EventKind::OrderClarificationReminded,
    EventKind::OrderExpired,
    EventKind::OrderAmended,
    EventKind::OrderApprovalGiven,
    EventKind::OrderApproved,
    EventKind::OrderRejected,
    EventKind::OrderCancelled,
    EventKind::OrderHeld,
    EventKind::OrderHoldReleased,
    EventKind::ReviewTaken,
    EventKind::ReviewReturned,
    EventKind::ReviewReassigned,
];

impl QueueEntry {
    /// The states in which an order waits so.
    pub const STATUSES: [OrderStatus; 3] =
        [OrderStatus::Submitted, OrderStatus::UnderReview, OrderStatus::ClarificationRequested];

    /// The order's entry; none when it waits for nobody.
    pub fn of(order: Arc<Order>, review: Option<Arc<ReviewCase>>) -> Option<Self> {
        Self::STATUSES.contains(&order.status).then_some(Self { order, review })
    }

    /// Since when it waits for what it waits for now.
    pub fn waiting_since(&self) -> DateTime<Utc> {
        let review = self.review.as_ref();
        review.map_or(self.order.submitted_at, |review| review.waiting_since.unwrap_or(review.opened_at))
    }

    /// The level of approval it waits for.
    pub fn awaited_level(&self) -> i32 {
        self.review.as_ref().and_then(|review| review.awaited_level()).unwrap_or(1)
    }
}

/// Somebody a review is to be given to.
#[derive(Clone, Copy, Debug)]
pub struct NewOwner<'a> {
    /// The subject of their token.
    pub subject: &'a str,
    /// The roles they hold; none when nobody of this name is on record.
    pub roles: Option<&'a [Role]>,
}

impl ReviewCase {
    /// What stands between the actor and taking, returning or passing on the review.
    pub fn queue_blockers(&self, action: Action, order: &Order, actor: &Actor) -> Refusals {
        let mut refusals = order.blockers(action, actor);
        let is_own = self.owner.as_ref() == Some(&actor.subject);
        match action {
            Action::TakeReview => refusals.require(self.owner.is_none(), || {
                let message = if is_own { "You are at it already." } else { "Somebody else is at it." };
                Refusal::new(Code::ReviewTaken, "R13.1", message)
            }),
            Action::ReturnReview => refusals.require(is_own, || {
                Refusal::new(Code::NotResponsible, "R13.1", "Only who is at work on a review returns it.")
            }),
            _ => {}
        }
        refusals
    }

    /// Takes a review that nobody is at work on.
    pub fn take(&mut self, order: &Order, actor: &Actor) -> Result<EventKind, Refusals> {
        self.queue_blockers(Action::TakeReview, order, actor).into_result()?;
        self.owner = Some(actor.subject.clone());
        Ok(EventKind::ReviewTaken)
    }

    /// Puts the own review back into the queue.
    pub fn put_back(&mut self, order: &Order, actor: &Actor) -> Result<EventKind, Refusals> {
        self.queue_blockers(Action::ReturnReview, order, actor).into_result()?;
        self.owner = None;
        Ok(EventKind::ReviewReturned)
    }

    /// Gives the review to somebody who may work on it, with a reason.
    pub fn reassign(
        &mut self,
        order: &Order,
        act: &Act<'_>,
        to: NewOwner<'_>,
        reason: &str,
    ) -> Result<Happening, Refusals> {
        let mut refusals = self.queue_blockers(Action::ReassignReview, order, act.actor);
        text(&mut refusals, "reason", Some(reason), true, LONG_TEXT);
        match to.roles {
            None => refusals.push(
                Refusal::new(Code::UnknownPerson, "R13.1", "Nobody of the group is known by this subject.").at("to"),
            ),
            Some(roles) => {
                let reviewers = permitted(Action::TakeReview).0;
                refusals.require(roles.iter().any(|role| reviewers.contains(role)), || {
                    Refusal::new(Code::RoleNotPermitted, "R13.1", "They do not review orders.").at("to")
                });
            }
        }
        refusals.require(order.submitted_by != to.subject, || {
            Refusal::new(Code::SeparationOfDuties, "R2.1", "Whoever submitted an order does not review it.").at("to")
        });
        refusals.require(self.owner.as_deref() != Some(to.subject), || {
            Refusal::new(Code::ReviewTaken, "R13.1", "They are at it already.").at("to")
        });
        refusals.into_result()?;
        self.owner = Some(to.subject.to_owned());
        Ok(EventKind::ReviewReassigned.because(reason))
    }
}
