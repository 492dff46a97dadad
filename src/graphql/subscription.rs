//! Subscriptions: what happened, in order, once, in the caller's scope; resumable by cursor.

mod payload;

use async_graphql::{Context, ID, InputObject, Result, Subscription as GraphqlSubscription};
use futures::{Stream, StreamExt};

use super::access::{access, limit, roles};
use super::context::{Answer, failure, session};
use super::ids;
use super::live::update::{Opening, is_admission, updates, warm_orders};
use super::types::order::order;
use crate::app::Failure;
use crate::app::read::event::EventFilter;
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::ids::{ImportBatchId, OrderId, StockItemId};
use crate::domain::review::QUEUE_EVENTS;

use payload::{
    AllocationAlert, ImportProgress, OrderEvent, OrderProgress, ReviewUpdate, StockAlert, StockLevel, TicketUpdate,
};

/// Live progress.
#[derive(Default)]
pub struct Subscription;

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
///
/// Each resolver runs once to say what is to be followed, and then for whatever was found.
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
    ) -> Result<impl Stream<Item = OrderProgress> + 'c> {
        session(ctx)?.may_read("orderProgress").answer(ctx)?;
        let id: OrderId = ids::parse(&order_id).answer(ctx)?;
        let filter = EventFilter { order: Some(id), ..EventFilter::default() };
        let updates = updates(ctx, Opening::of(filter, after).with_snapshot(snapshot));
        // Whom it does not exist for may not follow it; whom it leaves learns of that.
        if is_admission(ctx) {
            order(ctx, id).await?.ok_or_else(|| failure(ctx, &Failure::NotFound))?;
        }
        Ok(updates.map(move |update| OrderProgress { order: id, update }))
    }

    /// Follows everything that happens to the orders in the caller's scope.
    #[graphql(directive = access::apply(roles("orderEvents"), limit("orderEvents")))]
    async fn order_events<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "What to narrow it by.")] filter: Option<OrderEventFilter>,
    ) -> Result<impl Stream<Item = OrderEvent> + 'c> {
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
        warm_orders(ctx).await?;
        Ok(updates(ctx, Opening::of(filter, after)).map(OrderEvent))
    }

    /// Follows what somebody must look after in allocation: orders for which no unit was found, in whole or in
    /// part, and units that declined or did not answer in time (R3.1). For dispatchers and supervisors.
    #[graphql(directive = access::apply(roles("allocationAlerts"), limit("allocationAlerts")))]
    async fn allocation_alerts<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = AllocationAlert> + 'c> {
        session(ctx)?.may_read("allocationAlerts").answer(ctx)?;
        let kinds = vec![
            EventKind::OrderUnallocatable,
            EventKind::OrderPartlyAllocated,
            EventKind::AllocationEscalated,
            EventKind::AllocationDeclined,
        ];
        let filter = EventFilter { kinds: Some(kinds), ..EventFilter::default() };
        warm_orders(ctx).await?;
        Ok(updates(ctx, Opening::of(filter, after)).map(AllocationAlert))
    }

    /// Follows the queue of reviews (R2.1): what comes in, is taken, asked, answered, amended, approved, and
    /// leaves. For reviewers, finance approvers and those who supervise them.
    #[graphql(directive = access::apply(roles("reviewUpdates"), limit("reviewUpdates")))]
    async fn review_updates<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = ReviewUpdate> + 'c> {
        session(ctx)?.may_read("reviewUpdates").answer(ctx)?;
        let filter = EventFilter {
            aggregates: Some(vec![AggregateKind::Order, AggregateKind::ReviewCase]),
            kinds: Some(QUEUE_EVENTS.to_vec()),
            ..EventFilter::default()
        };
        warm_orders(ctx).await?;
        Ok(updates(ctx, Opening::of(filter, after)).map(ReviewUpdate))
    }

    /// Follows imports (R1.2): how far each is, and how it ended. Of several steps of one import that come faster than they
    /// are sent only the newest is, and `skipped` says how many it stands for. For partners, sales staff, supervisors and
    /// administrators.
    #[graphql(directive = access::apply(roles("importProgress"), limit("importProgress")))]
    async fn import_progress<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "These imports, by id; all in the caller's scope when absent.")] import_batch_ids: Option<
            Vec<ID>,
        >,
    ) -> Result<impl Stream<Item = ImportProgress> + 'c> {
        session(ctx)?.may_read("importProgress").answer(ctx)?;
        let imports: Option<Vec<ImportBatchId>> = ids::parse_all(import_batch_ids).answer(ctx)?;
        let filter = EventFilter {
            aggregates: Some(vec![AggregateKind::ImportBatch]),
            ids: imports.map(|imports| imports.into_iter().map(Into::into).collect()),
            ..EventFilter::default()
        };
        Ok(updates(ctx, Opening::of(filter, after).conflating()).map(ImportProgress))
    }

    /// Follows requests to replenish and what arrives for them (R4.3, R4.4). For warehouses,
    /// procurement and those who plan with stock.
    #[graphql(directive = access::apply(roles("stockAlerts"), limit("stockAlerts")))]
    async fn stock_alerts<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = StockAlert> + 'c> {
        session(ctx)?.may_read("stockAlerts").answer(ctx)?;
        let aggregates = Some(vec![AggregateKind::ReplenishmentRequest]);
        let filter = EventFilter { aggregates, ..EventFilter::default() };
        Ok(updates(ctx, Opening::of(filter, after)).map(StockAlert))
    }

    /// Follows what lies in warehouses (R4.1): the counts as they are after a change. Of several changes
    /// of one stock item that come faster than they are sent only the newest is, and `skipped` says how
    /// many it stands for.
    #[graphql(directive = access::apply(roles("stockLevels"), limit("stockLevels")))]
    async fn stock_levels<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "These stock items, by id; all in the caller's scope when absent.")] stock_item_ids: Option<
            Vec<ID>,
        >,
    ) -> Result<impl Stream<Item = StockLevel> + 'c> {
        session(ctx)?.may_read("stockLevels").answer(ctx)?;
        let items: Option<Vec<StockItemId>> = ids::parse_all(stock_item_ids).answer(ctx)?;
        let filter = EventFilter {
            aggregates: Some(vec![AggregateKind::StockItem]),
            ids: items.map(|items| items.into_iter().map(Into::into).collect()),
            ..EventFilter::default()
        };
        Ok(updates(ctx, Opening::of(filter, after).conflating()).map(StockLevel))
    }

    /// Follows tickets: opened, contacted, resolved (R9). For the customer, the partner that submitted
    /// the order, sales staff, service agents and supervisors.
    #[graphql(directive = access::apply(roles("ticketUpdates"), limit("ticketUpdates")))]
    async fn ticket_updates<'c>(
        &self,
        ctx: &'c Context<'_>,
        #[graphql(desc = "The cursor to go on behind; from now on when absent.")] after: Option<String>,
        #[graphql(desc = "What to narrow it by.")] filter: Option<TicketUpdateFilter>,
    ) -> Result<impl Stream<Item = TicketUpdate> + 'c> {
        session(ctx)?.may_read("ticketUpdates").answer(ctx)?;
        let filter = filter.unwrap_or_default();
        let filter = EventFilter {
            order: ids::parse_optional(filter.order_id.as_ref()).answer(ctx)?,
            ticket: ids::parse_optional(filter.ticket_id.as_ref()).answer(ctx)?,
            aggregates: Some(vec![AggregateKind::Ticket]),
            ..EventFilter::default()
        };
        Ok(updates(ctx, Opening::of(filter, after)).map(TicketUpdate))
    }
}
