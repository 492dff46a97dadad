//! After-sales tickets and contacts with the customer.

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::order::{Order, OrderLine, order};
use super::reference::{Customer, Person, Unit, customer, person, unit};
use super::wrapper;
use crate::app::read;
use crate::domain::ticket as domain;
use crate::domain::ticket::{TicketStatus, TicketType};
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, is_external, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// A ticket.
    Ticket(domain::Ticket)
}
connection!(TicketConnection, TicketEdge, Ticket, "after-sales tickets");

/// A problem reported after something was delivered (R9, R10).
#[macros::written]
#[Object]
impl Ticket {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The number people use.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The order it is about; null when the caller may see the ticket but not the order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        order(ctx, self.0.order_id).await
    }

    /// The line of the order it is about; null when it is about the order as a whole.
    async fn order_line(&self, ctx: &Context<'_>) -> Result<Option<OrderLine>> {
        let Some(line) = self.0.order_line_id else {
            return Ok(None);
        };
        let order = order(ctx, self.0.order_id).await?;
        Ok(order.and_then(|order| {
            let line = order.0.line(line)?;
            Some(OrderLine::new(line.clone(), order.0.currency))
        }))
    }

    /// Whose order it is.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>> {
        customer(ctx, self.0.customer_id).await
    }

    /// What it is about; decides which team gets it (R9.2).
    #[graphql(name = "type")]
    async fn ticket_type(&self) -> TicketType {
        self.0.ticket_type
    }

    /// Where it stands.
    async fn status(&self) -> TicketStatus {
        self.0.status
    }

    /// The problem in a few words.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The problem in full.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// When the problem showed.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// The team that handles it.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.team_id).await
    }

    /// Who opened it. People outside the group see themselves only, else null.
    async fn opened_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.opened_by).await
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime {
        self.0.opened_at.into()
    }

    /// By when the customer must be contacted first (R9.3).
    async fn first_contact_due(&self) -> DateTime {
        self.0.first_contact_due.into()
    }

    /// When the customer was contacted first.
    async fn first_contact_at(&self) -> Option<DateTime> {
        self.0.first_contact_at.map(Into::into)
    }

    /// Was the customer contacted too late, or is it late now?
    async fn first_contact_overdue(&self, ctx: &Context<'_>) -> Result<bool> {
        let now = session(ctx)?.app.clock.now();
        Ok(self.0.first_contact_overdue(now))
    }

    /// The contacts with the customer, oldest first.
    async fn contacts(&self) -> Vec<CustomerContact> {
        let contacts = self.0.contacts.iter().cloned();
        contacts.map(CustomerContact).collect()
    }

    /// How it was solved.
    async fn resolution(&self) -> Option<&String> {
        self.0.resolution.as_ref()
    }

    /// When it was solved.
    async fn resolved_at(&self) -> Option<DateTime> {
        self.0.resolved_at.map(Into::into)
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_ticket(actor, &self.0)))
    }
}

/// A contact.
#[derive(Clone, Debug)]
pub struct CustomerContact(domain::CustomerContact);

/// A contact with the customer about a ticket (R9.3).
#[macros::written]
#[Object]
impl CustomerContact {
    /// What was said. Null for people outside the group.
    async fn summary(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(Some(&self.0.summary))
    }

    /// What will be done about the problem.
    async fn plan(&self) -> Option<&String> {
        self.0.plan.as_ref()
    }

    /// Who made the contact. Null for people outside the group.
    async fn contacted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.contacted_by).await
    }

    /// When the contact was made.
    async fn contacted_at(&self) -> DateTime {
        self.0.contacted_at.into()
    }
}

/// A ticket by id, if it exists for the caller.
pub async fn ticket(ctx: &Context<'_>, id: crate::domain::ids::TicketId) -> Result<Option<Ticket>> {
    let found = crate::app::read::ticket::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(Ticket::from))
}
