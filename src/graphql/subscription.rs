//! Subscriptions: what happened, in order, once, in the caller's scope; resumable by cursor.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Result, SimpleObject, Subscription as GraphqlSubscription};
use async_stream::try_stream;
use futures::{Stream, StreamExt};

use super::access::{access, limit, roles};
use super::context::{Answer, coded, failure, session};
use super::gateway::{CursorSlot, resume_from};
use super::ids;
use super::types::event::Event;
use super::types::inventory::{ReplenishmentRequest, StockItem, replenishment_request, stock_item};
use super::types::order::{Order, order};
use super::types::ticket::{Ticket, ticket};
use crate::app::Failure;
use crate::app::read::event::EventFilter;
use crate::app::read::subscription::{StreamFailure, follow};
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::ids::{OrderId, ReplenishmentRequestId, StockItemId, TicketId};

/// Live progress.
#[derive(Default)]
pub struct Subscription;

/// A message about one order.
#[derive(SimpleObject)]
pub struct OrderProgress {
    /// Pass it as `after` to go on behind this message.
    cursor: String,
    /// What happened; null in the snapshot that comes first.
    event: Option<Event>,
    /// The order as it is now; null when it no longer exists for the caller.
    order: Option<Order>,
}

/// A message about any order.
#[derive(SimpleObject)]
pub struct OrderEvent {
    /// Pass it as `after` to go on behind this message.
    cursor: String,
    /// What happened.
    event: Event,
    /// The order as it is now; null when it does not exist for the caller.
    order: Option<Order>,
}

/// A message to procurement and warehouses.
#[derive(SimpleObject)]
pub struct StockAlert {
    /// Pass it as `after` to go on behind this message.
    cursor: String,
    /// What happened.
    event: Event,
    /// The request to replenish, as it is now.
    replenishment_request: Option<ReplenishmentRequest>,
    /// The stock item that runs short.
    stock_item: Option<StockItem>,
}

/// A message about a ticket.
#[derive(SimpleObject)]
pub struct TicketUpdate {
    /// Pass it as `after` to go on behind this message.
    cursor: String,
    /// What happened.
    event: Event,
    /// The ticket as it is now; null when it does not exist for the caller.
    ticket: Option<Ticket>,
}

/// What events about orders are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct OrderEventFilter {
    /// Of one of these kinds.
    kinds: Option<Vec<EventKind>>,
    /// Of this order and what belongs to it, by id.
    order_id: Option<ID>,
    /// Concerning one of these units, by id.
    unit_ids: Option<Vec<ID>>,
}

/// What updates of tickets are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct TicketUpdateFilter {
    /// About this order, by id.
    order_id: Option<ID>,
    /// Of this ticket, by id.
    ticket_id: Option<ID>,
}

/// What can be followed live. Every message has a cursor to go on behind it after a break: nothing
/// is missed and nothing comes twice. What lies outside the caller's scope does not exist.
#[GraphqlSubscription]
impl Subscription {
    /// Follows one order: a snapshot first unless you resume or decline it, then each event once
    /// and in order (R5.3). For the customer, the partner that submitted it, and staff in whose scope it is.
    #[graphql(directive = access::apply(roles("orderProgress"), limit("orderProgress")))]
    async fn order_progress<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "The order, by id.")] order_id: ID,
        #[graphql(desc = "Send the order as it is now first; not done when resuming.", default = true)] snapshot: bool,
    ) -> Result<impl Stream<Item = Result<OrderProgress>> + 'c> {
        session(ctx)?.may_read("orderProgress").answer(ctx)?;
        let id: OrderId = ids::parse(&order_id).answer(ctx)?;
        // Read before the order, so that nothing between the two is missed.
        let start = crate::app::read::event::newest(session(ctx)?).answer(ctx)?.encode();
        let found = order(ctx, id).await?.ok_or_else(|| failure(ctx, &Failure::NotFound))?;
        let after = resume_from(ctx, after);
        let first = (snapshot && after.is_none()).then(|| OrderProgress {
            cursor: start.clone(),
            event: None,
            order: Some(found),
        });
        let filter = EventFilter { order: Some(id), ..EventFilter::default() };
        let mut messages = messages(ctx, filter, Some(after.unwrap_or(start)))?;
        Ok(try_stream! {
            if let Some(first) = first {
                note(ctx, &first.cursor);
                yield first;
            }
            while let Some(message) = messages.next().await {
                let (cursor, event) = message?;
                let order = order(ctx, id).await?;
                note(ctx, &cursor);
                yield OrderProgress { cursor, event: Some(event), order };
            }
        })
    }

    /// Follows everything that happens to the orders in the caller's scope.
    #[graphql(directive = access::apply(roles("orderEvents"), limit("orderEvents")))]
    async fn order_events<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "What to narrow it by.")] filter: Option<OrderEventFilter>,
    ) -> Result<impl Stream<Item = Result<OrderEvent>> + 'c> {
        session(ctx)?.may_read("orderEvents").answer(ctx)?;
        let filter = filter.unwrap_or_default();
        let aggregates = [
            AggregateKind::Order,
            AggregateKind::ReviewCase,
            AggregateKind::Allocation,
            AggregateKind::Delivery,
            AggregateKind::Ticket,
        ];
        let filter = EventFilter {
            order: ids::parse_optional(filter.order_id.as_ref()).answer(ctx)?,
            kinds: filter.kinds,
            units: ids::parse_all(filter.unit_ids).answer(ctx)?,
            aggregates: Some(aggregates.to_vec()),
            ..EventFilter::default()
        };
        let mut messages = messages(ctx, filter, resume_from(ctx, after))?;
        Ok(try_stream! {
            while let Some(message) = messages.next().await {
                let (cursor, event) = message?;
                let order = match event.0.order_id {
                    Some(id) => order(ctx, id).await?,
                    None => None,
                };
                note(ctx, &cursor);
                yield OrderEvent { cursor, event, order };
            }
        })
    }

    /// Follows requests to replenish and what arrives for them (R4.3, R4.4). For warehouses,
    /// procurement and those who plan with stock.
    #[graphql(directive = access::apply(roles("stockAlerts"), limit("stockAlerts")))]
    async fn stock_alerts<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<StockAlert>> + 'c> {
        session(ctx)?.may_read("stockAlerts").answer(ctx)?;
        let filter =
            EventFilter { aggregates: Some(vec![AggregateKind::ReplenishmentRequest]), ..EventFilter::default() };
        let mut messages = messages(ctx, filter, resume_from(ctx, after))?;
        Ok(try_stream! {
            while let Some(message) = messages.next().await {
                let (cursor, event) = message?;
                let request = replenishment_request(ctx, ReplenishmentRequestId(event.0.aggregate_id)).await?;
                let item: Option<StockItemId> = request.as_ref().map(|request| request.0.stock_item_id);
                let stock_item = match item {
                    Some(item) => stock_item(ctx, item).await?,
                    None => None,
                };
                note(ctx, &cursor);
                yield StockAlert { cursor, event, replenishment_request: request, stock_item };
            }
        })
    }

    /// Follows tickets: opened, contacted, resolved (R9). For the customer, the partner that submitted
    /// the order, sales staff, service agents and supervisors.
    #[graphql(directive = access::apply(roles("ticketUpdates"), limit("ticketUpdates")))]
    async fn ticket_updates<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "What to narrow it by.")] filter: Option<TicketUpdateFilter>,
    ) -> Result<impl Stream<Item = Result<TicketUpdate>> + 'c> {
        session(ctx)?.may_read("ticketUpdates").answer(ctx)?;
        let filter = filter.unwrap_or_default();
        let filter = EventFilter {
            order: ids::parse_optional(filter.order_id.as_ref()).answer(ctx)?,
            ticket: ids::parse_optional(filter.ticket_id.as_ref()).answer(ctx)?,
            aggregates: Some(vec![AggregateKind::Ticket]),
            ..EventFilter::default()
        };
        let mut messages = messages(ctx, filter, resume_from(ctx, after))?;
        Ok(try_stream! {
            while let Some(message) = messages.next().await {
                let (cursor, event) = message?;
                let ticket = ticket(ctx, TicketId(event.0.aggregate_id)).await?;
                note(ctx, &cursor);
                yield TicketUpdate { cursor, event, ticket };
            }
        })
    }
}

/// Tells the gateway the cursor of the message that is about to be sent.
fn note(ctx: &Context<'_>, cursor: &str) {
    if let Some(slot) = ctx.data_opt::<Arc<CursorSlot>>() {
        slot.put(cursor);
    }
}

/// Events with their cursors, as the executor wants them.
fn messages<'c>(
    ctx: &'c Context<'_>,
    filter: EventFilter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<(String, Event)>> + Unpin + 'c> {
    let session = session(ctx)?.clone();
    let epoch = session.app.feed().epoch().to_owned();
    let events = follow(session, filter, after).map(move |found| match found {
        Ok(event) => {
            let cursor = crate::feed::Cursor { epoch: epoch.clone(), position: event.position.unwrap_or_default() };
            Ok((cursor.encode(), Event::from(event)))
        }
        Err(StreamFailure::Cursor(error)) => Err(coded(error.to_string(), error.code())),
        Err(StreamFailure::Request(error)) => Err(failure(ctx, &error)),
    });
    Ok(Box::pin(events))
}
