//! After-sales tickets (R9, R10.1).

use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::event::EventKind;
use crate::domain::ids::{OrderId, TicketId};
use crate::domain::permission::Action;
use crate::domain::ticket::{self as rules_of, ProblemReport};
use crate::store::work::Tracked;
use crate::store::{Result, Work, reference, ticket};

/// The ticket a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnTicket {
    /// The ticket.
    pub ticket_id: TicketId,
}

/// Report a problem; it goes to the team its type belongs to (R9.1, R9.2).
#[derive(Clone, Debug, Serialize)]
pub struct OpenTicket {
    /// The order it is about.
    pub order_id: OrderId,
    /// The problem.
    pub report: ProblemReport,
}

impl Command for OpenTicket {
    const ACTION: Action = Action::OpenTicket;
    type Answer = OnTicket;

    async fn run(&self, work: &Work) -> Result<OnTicket> {
        let order = work.order(self.order_id).await?;
        // Service levels are those of today, not of the day of the order.
        let rules = reference::active_rules(work.reference()).await?;
        let units = reference::all_units(work.reference()).await?;
        let route = rules.route(self.report.ticket_type).and_then(|route| {
            let team = units.iter().find(|unit| unit.code == route.team)?;
            Some((route, team.id))
        });
        let opened = rules_of::open(&order, self.report.clone(), route, &work.act())?;
        let opened = work.save(Tracked::new(opened), EventKind::TicketOpened).await?;
        Ok(OnTicket { ticket_id: opened.id })
    }
}

/// Record a contact with the customer (R9.3).
#[derive(Clone, Debug, Serialize)]
pub struct ContactCustomer {
    /// The ticket.
    pub ticket_id: TicketId,
    /// What was said, for the group's own people.
    pub summary: String,
    /// What will be done.
    pub plan: Option<String>,
    /// The version of the ticket the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ContactCustomer {
    const ACTION: Action = Action::ContactCustomer;
    type Answer = OnTicket;

    async fn run(&self, work: &Work) -> Result<OnTicket> {
        let mut found = ticket::visible(work, self.ticket_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.contact(self.summary.clone(), self.plan.clone(), &work.act())?;
        work.save(found, happening).await?;
        Ok(OnTicket { ticket_id: self.ticket_id })
    }
}

/// Record a ticket's solution (R10.3).
#[derive(Clone, Debug, Serialize)]
pub struct ResolveTicket {
    /// The ticket.
    pub ticket_id: TicketId,
    /// How it was solved.
    pub resolution: String,
    /// The version of the ticket the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ResolveTicket {
    const ACTION: Action = Action::ResolveTicket;
    type Answer = OnTicket;

    async fn run(&self, work: &Work) -> Result<OnTicket> {
        let mut found = ticket::visible(work, self.ticket_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.resolve(self.resolution.clone(), &work.act())?;
        work.save(found, happening).await?;
        Ok(OnTicket { ticket_id: self.ticket_id })
    }
}
