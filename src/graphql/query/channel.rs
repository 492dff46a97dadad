//! Channels and what they delivered.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::app::{Failure, read};
use crate::domain::channel::delivery::DeliveryOutcome;
use crate::domain::channel::reconcile::Listed;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, session};
use crate::graphql::scalars::{CurrencyCode, DateTime, Decimal};
use crate::graphql::types::channel::{ChannelDeliveryConnection, SalesChannelConnection};
use crate::graphql::types::channel_order::ChannelReconciliation;
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

/// What deliveries of channels are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct ChannelDeliveryFilter {
    /// Over this channel, by id.
    channel_id: Option<ID>,
    /// About this order, by id.
    order_id: Option<ID>,
    /// With one of these outcomes.
    outcomes: Option<Vec<DeliveryOutcome>>,
    /// Received before this moment.
    received_before: Option<DateTime>,
    /// Received at or after this moment.
    received_from: Option<DateTime>,
    /// About the order with this number at the channel.
    reference: Option<String>,
}

impl ChannelDeliveryFilter {
    fn read(self) -> Result<read::channel::DeliveryFilter, Failure> {
        Ok(read::channel::DeliveryFilter {
            channel: ids::parse_optional(self.channel_id.as_ref())?,
            outcomes: self.outcomes,
            reference: text::clean_optional("filter.reference", self.reference)?,
            order: ids::parse_optional(self.order_id.as_ref())?,
            received_from: self.received_from.map(|moment| moment.0),
            received_before: self.received_before.map(|moment| moment.0),
        })
    }
}

/// An order as a channel lists it. What is not given is not compared.
#[derive(InputObject)]
pub struct ListedOrderInput {
    /// What the buyer pays there.
    amount: Option<Decimal>,
    /// Is it cancelled there?
    cancelled: Option<bool>,
    /// In which currency.
    currency_code: Option<CurrencyCode>,
    /// How much of everything, over all lines.
    quantity: Option<Decimal>,
    /// The channel's own number of the order.
    reference: String,
}

/// A channel's own list of its orders.
#[derive(InputObject)]
pub struct ReconcileChannelInput {
    /// The list is of orders that were placed before this moment.
    before: DateTime,
    /// The channel.
    channel_id: ID,
    /// The list is of orders that were placed at or after this moment.
    from: DateTime,
    /// The orders on it: at most 500.
    listing: Vec<ListedOrderInput>,
}

impl ListedOrderInput {
    fn read(self) -> Result<Listed, Failure> {
        Ok(Listed {
            reference: text::clean("input.listing.reference", self.reference)?,
            amount: self.amount.map(|amount| amount.0),
            currency_code: self.currency_code.map(|currency| currency.0.code().to_owned()),
            quantity: self.quantity.map(|quantity| quantity.0),
            cancelled: self.cancelled,
        })
    }
}

/// Channels.
#[derive(Default)]
pub struct ChannelQuery;

/// Channels.
#[Object]
impl ChannelQuery {
    /// The channels that orders come over, by code (R1.1). For administrators and supervisors.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("salesChannels"), limit("salesChannels"))
    )]
    async fn sales_channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<SalesChannelConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let page = read::channel::list(session, keyset).await.answer(ctx)?;
        let counting = session.clone();
        let total = Arc::new(move || {
            let session = counting.clone();
            Box::pin(async move { read::channel::count(&session).await }) as _
        });
        Ok(Tree(SalesChannelConnection(Slice::new(page, Into::into, total))))
    }

    /// What channels delivered, newest first, and what came of it (R1.3). For administrators and supervisors.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("channelDeliveries"), limit("channelDeliveries"))
    )]
    async fn channel_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<ChannelDeliveryFilter>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<ChannelDeliveryConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read().answer(ctx)?;
        let page = read::channel::deliveries(session, &filter, keyset).await.answer(ctx)?;
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move { read::channel::count_deliveries(&session, &filter).await }) as _
        });
        Ok(Tree(ChannelDeliveryConnection(Slice::new(page, Into::into, total))))
    }

    /// Compares a channel's own list of its orders with those that are here: what is missing or different on
    /// either side (R1.3). Changes nothing. For administrators and supervisors.
    #[graphql(directive = access::apply(roles("reconcileChannel"), limit("reconcileChannel")))]
    async fn reconcile_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel's list.")] input: ReconcileChannelInput,
    ) -> Result<Tree<ChannelReconciliation>> {
        let session = session(ctx)?;
        session.may_read("reconcileChannel").answer(ctx)?;
        let id = ids::parse(&input.channel_id).answer(ctx)?;
        let listed: Result<Vec<Listed>, Failure> = input.listing.into_iter().map(ListedOrderInput::read).collect();
        let listed = listed.answer(ctx)?;
        let window = (input.from.0, input.before.0);
        let compared = read::channel::compare(session, id, window, &listed).await.answer(ctx)?;
        Ok(Tree(compared.into()))
    }
}
