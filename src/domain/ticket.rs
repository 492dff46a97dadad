//! After-sales tickets (R9, R10.1): tied to the order, routed by type, contacted in time.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::actor::{Act, Actor};
use super::codes::codes;
use super::event::EventKind;
use super::ids::{CustomerId, OrderId, OrderLineId, TicketId, UnitId};
use super::intake::{LONG_TEXT, SHORT_TEXT, public_number, text};
use super::order::{Order, role_blockers};
use super::permission::Action;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::rules::TicketRoute;
use super::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// What a ticket is about; decides which team gets it (R9.2).
    TicketType {
        /// The product or its packaging is faulty.
        ProductQuality = "PRODUCT_QUALITY",
        /// How to install, use or repair it.
        Technical = "TECHNICAL",
        /// Late, lost, damaged on the way, incomplete.
        Delivery = "DELIVERY",
        /// The service was not as agreed.
        Service = "SERVICE",
        /// Anything else.
        Other = "OTHER",
    }
}

codes! {
    /// Where a ticket stands.
    TicketStatus {
        /// Nobody has contacted the customer yet.
        New = "NEW",
        /// The team is at work on it.
        Open = "OPEN",
        /// Solved.
        Resolved = "RESOLVED",
    }
}

use TicketStatus::*;

impl Lifecycle for TicketStatus {
    const NOUN: &'static str = "ticket";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::OpenTicket, New, "R9.1"),
        step(New, Action::ContactCustomer, Open, "R9.3"),
        step(Open, Action::ContactCustomer, Open, "R9.3"),
        step(Open, Action::ResolveTicket, Resolved, "R10.3"),
    ];
}

/// A contact with the customer (R9.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerContact {
    /// What was said, for the group's own people.
    pub summary: String,
    /// What will be done about the problem.
    pub plan: Option<String>,
    /// Who made it.
    pub contacted_by: String,
    /// When.
    pub contacted_at: DateTime<Utc>,
}

/// An after-sales ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// Identity.
    pub id: TicketId,
    /// Counts the changes.
    pub version: i64,
    /// The number people use.
    pub number: String,
    /// The order it is about.
    pub order_id: OrderId,
    /// The line it is about; none when it is about the order as a whole.
    pub order_line_id: Option<OrderLineId>,
    /// Whose order it is.
    pub customer_id: CustomerId,
    /// What it is about.
    pub ticket_type: TicketType,
    /// Where it stands.
    pub status: TicketStatus,
    /// In a few words.
    pub subject: String,
    /// In full.
    pub description: String,
    /// When the problem showed.
    pub occurred_at: DateTime<Utc>,
    /// The team that handles it.
    pub team_id: UnitId,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// By when the customer must be contacted first.
    pub first_contact_due: DateTime<Utc>,
    /// When that happened.
    pub first_contact_at: Option<DateTime<Utc>>,
    /// The contacts, oldest first.
    pub contacts: Vec<CustomerContact>,
    /// How it was solved.
    pub resolution: Option<String>,
    /// When.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// A problem as it is reported (R9.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemReport {
    /// What it is about.
    pub ticket_type: TicketType,
    /// The line it is about.
    pub order_line_id: Option<OrderLineId>,
    /// In a few words.
    pub subject: String,
    /// In full.
    pub description: String,
    /// When the problem showed; now when absent.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// What stands between the actor and opening a ticket about this order, apart from the report.
pub fn open_blockers(order: &Order, actor: &Actor) -> Refusals {
    let mut refusals = role_blockers(Action::OpenTicket, actor);
    refusals.require(order.has_dispatched(), || {
        Refusal::new(
            Code::IllegalTransition,
            "R9.1",
            "After-sales begins once something has left for the customer; until then speak to sales.",
        )
    });
    refusals
}

/// Opens a ticket and gives it to the team its type belongs to.
pub fn open(
    order: &Order,
    report: ProblemReport,
    route: Option<(&TicketRoute, UnitId)>,
    act: &Act<'_>,
) -> Result<Ticket, Refusals> {
    let mut refusals = open_blockers(order, act.actor);
    text(&mut refusals, "subject", Some(&report.subject), true, SHORT_TEXT);
    text(&mut refusals, "description", Some(&report.description), true, LONG_TEXT);
    refusals.require(report.order_line_id.is_none_or(|id| order.line(id).is_some()), || {
        Refusal::new(Code::UnknownLine, "R10.1", "Not a line of this order.").at("orderLineId")
    });
    refusals.require(report.occurred_at.is_none_or(|at| at <= act.now), || {
        Refusal::new(Code::Malformed, "R9.1", "The problem has already shown.").at("occurredAt")
    });
    refusals.require(route.is_some(), || {
        Refusal::new(Code::UnknownUnit, "R9.2", "The rules name no team for this type.").at("type")
    });
    refusals.into_result()?;
    let Some((route, team_id)) = route else {
        return Err(Refusals::default());
    };
    let id: TicketId = act.id();
    Ok(Ticket {
        id,
        version: 0,
        number: format!("TK-{}", public_number(id.0)),
        order_id: order.id,
        order_line_id: report.order_line_id,
        customer_id: order.customer_id,
        ticket_type: report.ticket_type,
        status: New,
        subject: report.subject,
        description: report.description,
        occurred_at: report.occurred_at.unwrap_or(act.now),
        team_id,
        opened_by: act.actor.subject.clone(),
        opened_at: act.now,
        first_contact_due: act.now + Duration::minutes(route.first_contact_minutes),
        first_contact_at: None,
        contacts: Vec::new(),
        resolution: None,
        resolved_at: None,
    })
}

impl Ticket {
    /// Was the customer contacted too late, or is it late now (R9.3)?
    pub fn first_contact_overdue(&self, now: DateTime<Utc>) -> bool {
        self.first_contact_at.unwrap_or(now) > self.first_contact_due
    }

    /// What stands between the actor and an action on this ticket, apart from the input.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals.require(actor.covers_unit(self.team_id), || {
            Refusal::new(Code::RoleNotPermitted, "R9.2", "Only the ticket's team and those above it act on it.")
        });
        refusals
    }

    /// Records a contact with the customer.
    pub fn contact(&mut self, summary: String, plan: Option<String>, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ContactCustomer, act.actor);
        text(&mut refusals, "summary", Some(&summary), true, LONG_TEXT);
        text(&mut refusals, "plan", plan.as_deref(), false, LONG_TEXT);
        refusals.into_result()?;
        self.status = Open;
        self.first_contact_at.get_or_insert(act.now);
        self.contacts.push(CustomerContact {
            summary,
            plan,
            contacted_by: act.actor.subject.clone(),
            contacted_at: act.now,
        });
        Ok(EventKind::TicketContacted)
    }

    /// Records the solution.
    pub fn resolve(&mut self, resolution: String, act: &Act<'_>) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ResolveTicket, act.actor);
        text(&mut refusals, "resolution", Some(&resolution), true, LONG_TEXT);
        refusals.into_result()?;
        self.status = Resolved;
        self.resolution = Some(resolution);
        self.resolved_at = Some(act.now);
        Ok(EventKind::TicketResolved)
    }
}
