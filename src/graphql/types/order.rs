//! Orders, their holds and cancellation.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::allocation::Allocation;
use super::change::OrderChange;
use super::channel_order::ChannelOrder;
use super::common::{Address, Contact, Money};
use super::delivery::{Delivery, SettlementRecord};
use super::event::EventConnection;
use super::reference::{Customer, Person, customer, person};
use super::review::{Clarification, ReviewCase};
use super::ticket::Ticket;
use super::wrapper;
use crate::app::read;
use crate::domain::ids::OrderId;
use crate::domain::intake::{Channel, Priority};
use crate::domain::order as domain;
use crate::domain::order::{Coverage, OrderStatus, Stage};
use crate::graphql::connection::{Paging, Slice, connection, page_cost};
use crate::graphql::context::{Answer, int, is_external, loaders, session};
use crate::graphql::ids;
use crate::graphql::loaders::{
    AllocationsOf, ChangesOf, ChannelOrderOf, DeliveriesOf, ReviewOf, Rules, SettlementOf, TicketsOf,
};
use crate::graphql::scalars::{CurrencyCode, Date, DateTime};

pub use super::order_line::{LineQuantities, OrderLine};

wrapper! {
    /// An order.
    Order(domain::Order)
}
connection!(OrderConnection, OrderEdge, Order, "orders");

/// A customer's order, from intake to the last confirmation.
#[macros::written]
#[Object]
impl Order {
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

    /// Where it came from (R1.1).
    async fn channel(&self) -> Channel {
        self.0.channel
    }

    /// The partner's or shop's channel account it came over.
    async fn account(&self) -> Option<&String> {
        self.0.account.as_ref()
    }

    /// The submitter's own number for it, unique within the channel and account (R1.3).
    async fn external_reference(&self) -> Option<&String> {
        self.0.external_reference.as_ref()
    }

    /// Whose order it is.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Option<Customer>> {
        customer(ctx, self.0.customer_id).await
    }

    /// How to reach the customer about this order (R2.2).
    async fn contact(&self) -> Contact {
        (&self.0.contact).into()
    }

    /// Region code; decides which units can execute it (R3.2).
    async fn region(&self) -> &str {
        &self.0.region
    }

    /// Where it goes.
    async fn delivery_address(&self) -> Address {
        (&self.0.delivery_address).into()
    }

    /// The currency of all its prices.
    async fn currency_code(&self) -> CurrencyCode {
        self.0.currency.into()
    }

    /// How urgent it is.
    async fn priority(&self) -> Priority {
        self.0.priority
    }

    /// The date the customer expects delivery by.
    async fn required_by(&self) -> Date {
        self.0.required_by.into()
    }

    /// A remark by the submitter.
    async fn note(&self) -> Option<&String> {
        self.0.note.as_ref()
    }

    /// Where it stands.
    async fn status(&self) -> OrderStatus {
        self.0.status
    }

    /// The stage of the process it is in.
    async fn stage(&self, ctx: &Context<'_>) -> Result<Stage> {
        Ok(loaders(ctx)?.stage(&self.0))
    }

    /// Is it late: not finished although the expected date has passed?
    async fn overdue(&self, ctx: &Context<'_>) -> Result<bool> {
        let today = session(ctx)?.app.clock.now().date_naive();
        Ok(self.0.is_overdue(today))
    }

    /// Who submitted it. People outside the group see themselves only, else null.
    async fn submitted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.submitted_by).await
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> DateTime {
        self.0.submitted_at.into()
    }

    /// When its last open quantity was confirmed (R8.2).
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(Into::into)
    }

    /// The version of the rules it is handled under (R11.3).
    async fn rule_set_version(&self) -> i32 {
        self.0.rule_set_version
    }

    /// The requested or final cancellation (R4.3).
    async fn cancellation(&self) -> Option<Cancellation> {
        self.0.cancellation.clone().map(Cancellation)
    }

    /// What stops it until released; several holds may do so at once (R5.4).
    async fn holds(&self) -> Vec<Hold> {
        self.0.holds.iter().cloned().map(Hold).collect()
    }

    /// What is ordered, by line number.
    async fn lines(&self) -> Vec<OrderLine> {
        let lines = self.0.lines.iter().cloned();
        lines.map(|line| OrderLine::new(line, self.0.currency)).collect()
    }

    /// The exact sum of quantity × price less discount over all lines, with up to four decimals.
    async fn subtotal(&self) -> Money {
        Money::new(self.0.subtotal(), self.0.currency)
    }

    /// What was ordered for: the sum of the line totals, each rounded to the currency's minor unit.
    async fn total(&self) -> Money {
        Money::new(self.0.total(), self.0.currency)
    }

    /// What is due for what is still wanted: `total` without what was cancelled. Settled amounts add up to it.
    async fn amount_due(&self) -> Money {
        Money::new(self.0.due(), self.0.currency)
    }

    /// How much of the open quantity is with executing units.
    async fn allocation_status(&self) -> Coverage {
        self.0.coverage(|line| line.allocated)
    }

    /// How much of the open quantity has left for the customer.
    async fn fulfillment_status(&self) -> Coverage {
        self.0.coverage(|line| line.dispatched)
    }

    /// How much of the open quantity the customer has confirmed.
    async fn confirmation_status(&self) -> Coverage {
        self.0.coverage(|line| line.confirmed)
    }

    /// How much of the open quantity is settled; settlement follows confirmation (R8.2).
    async fn settlement_status(&self) -> Coverage {
        self.0.coverage(|line| line.confirmed)
    }

    /// Its review (R2). Null before it begins, and for people outside the group, who see the
    /// questions under `clarifications`.
    async fn review(&self, ctx: &Context<'_>) -> Result<Option<ReviewCase>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let found = loaders(ctx)?.get(ReviewOf(self.0.id)).await.answer(ctx)?;
        Ok(found.map(ReviewCase))
    }

    /// The order as the channel it came over tells of it: what it costs there, what was missing or wrong. Null
    /// for orders that came otherwise, and for people outside the group.
    async fn channel_order(&self, ctx: &Context<'_>) -> Result<Option<ChannelOrder>> {
        if is_external(ctx)? || self.0.account.is_none() {
            return Ok(None);
        }
        let found = loaders(ctx)?.get(ChannelOrderOf(self.0.id)).await.answer(ctx)?;
        Ok(found.map(|told| ChannelOrder::new(told, self.0.currency)))
    }

    /// Questions to whoever placed the order, and their answers, oldest first (R2.3).
    async fn clarifications(&self, ctx: &Context<'_>) -> Result<Vec<Clarification>> {
        let review = loaders(ctx)?.get(ReviewOf(self.0.id)).await.answer(ctx)?;
        Ok(review.map_or_else(Vec::new, |review| {
            let all = review.clarifications.iter().cloned();
            all.map(Clarification).collect()
        }))
    }

    /// The shares of the executing units (R3), as far as they exist for the caller. People outside
    /// the group do not see shares that were declined or moved to another unit.
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn allocations(&self, ctx: &Context<'_>) -> Result<Vec<Allocation>> {
        let found = loaders(ctx)?.list(AllocationsOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(Allocation).collect())
    }

    /// Its deliveries (R7), as far as they exist for the caller.
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<Delivery>> {
        let found = loaders(ctx)?.list(DeliveriesOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(Delivery).collect())
    }

    /// Changes of it that are or were negotiated, oldest first (R4.3).
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<OrderChange>> {
        let found = loaders(ctx)?.list(ChangesOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(OrderChange).collect())
    }

    /// After-sales tickets about it (R9), as far as they exist for the caller; empty for roles that
    /// do not read tickets.
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn tickets(&self, ctx: &Context<'_>) -> Result<Vec<Ticket>> {
        let found = loaders(ctx)?.list(TicketsOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(Ticket).collect())
    }

    /// What the confirmed quantities are worth: the basis of settlement (R8.2).
    #[graphql(complexity = "page_cost(Some(5), None, child_complexity)")]
    async fn settlement(&self, ctx: &Context<'_>) -> Result<Vec<SettlementRecord>> {
        let found = loaders(ctx)?.list(SettlementOf(self.0.id)).await.answer(ctx)?;
        Ok(found.into_iter().map(SettlementRecord).collect())
    }

    /// What happened to it and all that belongs to it, oldest first (R5.3, R13.2). People outside
    /// the group see what is meant for them.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<EventConnection> {
        let paging = Paging { first, after, last, before };
        let session = session(ctx)?;
        let keyset = paging.keyset().answer(ctx)?;
        let id = self.0.id;
        let page = match loaders(ctx)?.timeline(id, &keyset) {
            Some(known) => known,
            None => read::event::timeline(session, id, keyset).await.answer(ctx)?,
        };
        let counting = session.clone();
        let total = Arc::new(move || {
            let session = counting.clone();
            Box::pin(async move { read::event::count_timeline(&session, id).await }) as _
        });
        Ok(EventConnection(Slice::new(page, Into::into, total)))
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        let mut facts = None;
        if read::actions::needs_review(actor) {
            let loaders = loaders(ctx)?;
            if let Some(review) = loaders.get(ReviewOf(self.0.id)).await.answer(ctx)? {
                let rules = loaders.get(Rules(self.0.rule_set_version)).await;
                facts = rules.answer(ctx)?.map(|rules| (review, rules));
            }
        }
        let facts = facts.as_ref().map(|(review, rules)| (review.as_ref(), rules.as_ref()));
        Ok(actions::all(read::actions::of_order(actor, &self.0, facts)))
    }
}

/// An order by id, if it exists for the caller.
pub async fn order(ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(Order))
}

/// A hold on an order.
#[derive(Clone, Debug)]
pub struct Hold(pub domain::Hold);

/// Something that stops an order until it is released (R5.4).
#[macros::written]
#[Object]
impl Hold {
    /// Opaque global id; for caches and arguments, not for `node`.
    async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who placed it. Null for people outside the group.
    async fn placed_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.placed_by).await
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        self.0.placed_at.into()
    }
}

/// The cancellation of an order.
#[derive(Clone, Debug)]
pub struct Cancellation(pub domain::Cancellation);

/// A request to cancel an order that a unit is at work on, or its final cancellation (R4.3).
#[macros::written]
#[Object]
impl Cancellation {
    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who asked for it. People outside the group see themselves only, else null.
    async fn requested_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.requested_by).await
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }
}
