//! After-sales tickets.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::ticket::{ContactCustomer, OpenTicket, ResolveTicket};
use crate::domain::ticket::{ProblemReport, TicketType};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::DateTime;
use crate::graphql::types::ticket::{Ticket, ticket};

/// The problem, and the order it is about.
#[derive(InputObject)]
pub struct OpenTicketInput {
    /// What the problem is about; decides which team gets it (R9.2).
    r#type: TicketType,
    /// The problem in full.
    description: String,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// When the problem showed; now when absent.
    occurred_at: Option<DateTime>,
    /// The order.
    order_id: ID,
    /// The line it is about; leave it out when it is about the order as a whole.
    order_line_id: Option<ID>,
    /// The problem in a few words.
    subject: String,
}

payload! {
    /// The new ticket.
    OpenTicketPayload {
        /// The ticket as it is now.
        ticket: Ticket,
    }
}

/// The contact with the customer.
#[derive(InputObject)]
pub struct ContactCustomerInput {
    /// The `version` of the ticket you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What will be done; the customer sees it.
    plan: Option<String>,
    /// What was said, for the group's own people.
    summary: String,
    /// The ticket.
    ticket_id: ID,
}

payload! {
    /// The ticket.
    ContactCustomerPayload {
        /// The ticket as it is now.
        ticket: Ticket,
    }
}

/// How the ticket was solved.
#[derive(InputObject)]
pub struct ResolveTicketInput {
    /// The `version` of the ticket you have seen; when it has changed since, the call fails with the
    /// code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// How it was solved; the customer sees it.
    resolution: String,
    /// The ticket.
    ticket_id: ID,
}

payload! {
    /// The resolved ticket.
    ResolveTicketPayload {
        /// The ticket as it is now.
        ticket: Ticket,
    }
}

/// After-sales tickets.
#[derive(Default)]
pub struct TicketMutation;

#[Object]
impl TicketMutation {
    /// Reports a problem with an order of which something has left for the customer (R9.1). It goes to
    /// the team its type belongs to (R9.2). For the customer, the partner, sales staff and service
    /// agents.
    #[graphql(directive = access::apply(roles("openTicket"), limit("openTicket")))]
    async fn open_ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The problem, and the order it is about.")] input: OpenTicketInput,
    ) -> Result<OpenTicketPayload> {
        let command = OpenTicket {
            order_id: id(ctx, &input.order_id)?,
            report: ProblemReport {
                ticket_type: input.r#type,
                order_line_id: input.order_line_id.map(|line| id(ctx, &line)).transpose()?,
                subject: clean(ctx, "subject", input.subject)?,
                description: clean(ctx, "description", input.description)?,
                occurred_at: input.occurred_at.map(|at| at.0),
            },
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(OpenTicketPayload { ticket: ticket(ctx, answer.ticket_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(OpenTicketPayload::refused(errors)),
        }
    }

    /// Records a contact with the customer about a ticket (R9.3); the first one stops the clock.
    /// For service agents of the team.
    #[graphql(directive = access::apply(roles("contactCustomer"), limit("contactCustomer")))]
    async fn contact_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact with the customer.")] input: ContactCustomerInput,
    ) -> Result<ContactCustomerPayload> {
        let command = ContactCustomer {
            ticket_id: id(ctx, &input.ticket_id)?,
            summary: clean(ctx, "summary", input.summary)?,
            plan: clean_optional(ctx, "plan", input.plan)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ContactCustomerPayload { ticket: ticket(ctx, answer.ticket_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ContactCustomerPayload::refused(errors)),
        }
    }

    /// Records a ticket's solution (R10.3).
    /// For service agents of the team.
    #[graphql(directive = access::apply(roles("resolveTicket"), limit("resolveTicket")))]
    async fn resolve_ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How the ticket was solved.")] input: ResolveTicketInput,
    ) -> Result<ResolveTicketPayload> {
        let command = ResolveTicket {
            ticket_id: id(ctx, &input.ticket_id)?,
            resolution: clean(ctx, "resolution", input.resolution)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                Ok(ResolveTicketPayload { ticket: ticket(ctx, answer.ticket_id).await?, user_errors: Vec::new() })
            }
            Err(errors) => Ok(ResolveTicketPayload::refused(errors)),
        }
    }
}
