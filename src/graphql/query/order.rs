//! Orders.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};

use crate::app::read::order::{OrderKey, OrderSortField};
use crate::app::{Failure, Session, read};
use crate::domain::intake::Channel;
use crate::domain::order::{OrderStatus, Stage};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::connection::{Paging, Slice, page_cost};
use crate::graphql::context::{Answer, loaders, session};
use crate::graphql::scalars::DateTime;
use crate::graphql::types::order::{Order, OrderConnection};
use crate::graphql::wanted::wanted;
use crate::graphql::write::Tree;
use crate::graphql::{ids, text};

/// One of the ways to name an order.
#[derive(OneofObject)]
pub enum OrderRef {
    /// By its global id.
    Id(ID),
    /// By the number people use.
    Number(String),
    /// By the submitter's own number.
    ExternalReference(ExternalReference),
}

/// The submitter's own number for an order, unique within its channel and account (R1.3).
#[derive(InputObject)]
pub struct ExternalReference {
    /// The channel account the order came over; needed when several accounts use the same number.
    account: Option<String>,
    /// The channel the order came over.
    channel: Channel,
    /// The submitter's own number.
    reference: String,
}

impl OrderRef {
    /// The reference as the application takes it.
    pub fn read(self) -> Result<OrderKey, Failure> {
        Ok(match self {
            Self::Id(id) => OrderKey::Id(ids::parse(&id)?),
            Self::Number(number) => OrderKey::Number(text::clean("by.number", number)?),
            Self::ExternalReference(one) => OrderKey::ExternalReference {
                channel: one.channel,
                account: text::clean_optional("by.externalReference.account", one.account)?,
                reference: text::clean("by.externalReference.reference", one.reference)?,
            },
        })
    }
}

/// What orders are narrowed by. Everything given must hold.
#[derive(Default, InputObject)]
pub struct OrderFilter {
    /// In one of these states.
    statuses: Option<Vec<OrderStatus>>,
    /// In one of these stages.
    stages: Option<Vec<Stage>>,
    /// With a share in one of these units, by id.
    unit_ids: Option<Vec<ID>>,
    /// From one of these channels.
    channels: Option<Vec<Channel>>,
    /// Of this customer, by id.
    customer_id: Option<ID>,
    /// In one of these regions, by code.
    regions: Option<Vec<String>>,
    /// Submitted at or after this moment.
    submitted_from: Option<DateTime>,
    /// Submitted before this moment.
    submitted_before: Option<DateTime>,
    /// True: late, that is not finished although the expected date has passed. False: not late.
    overdue: Option<bool>,
    /// Text in the number, the company's name or the external reference; upper and lower case alike.
    text: Option<String>,
}

impl OrderFilter {
    fn read(self, session: &Session) -> Result<read::order::OrderFilter, Failure> {
        let today = session.app.clock.now().date_naive();
        Ok(read::order::OrderFilter {
            status: self.statuses,
            stage: self.stages,
            units: ids::parse_all(self.unit_ids)?,
            channel: self.channels,
            customer: ids::parse_optional(self.customer_id.as_ref())?,
            region: text::clean_all("filter.regions", self.regions)?,
            submitted_from: self.submitted_from.map(|moment| moment.0),
            submitted_before: self.submitted_before.map(|moment| moment.0),
            overdue: self.overdue.map(|late| (late, today)),
            text: text::clean_optional("filter.text", self.text)?,
        })
    }
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum SortDirection {
    /// Smallest, earliest or alphabetically first at the start.
    #[default]
    Ascending,
    /// Largest, latest or alphabetically last at the start.
    Descending,
}

/// How orders are sorted.
#[derive(InputObject)]
pub struct OrderSort {
    /// What they are sorted by.
    field: OrderSortField,
    /// Which end comes first.
    #[graphql(default)]
    direction: SortDirection,
}

/// Orders.
#[derive(Default)]
pub struct OrderQuery;

/// Orders.
#[Object]
impl OrderQuery {
    /// One order; null when none exists for the caller.
    #[graphql(directive = access::apply(roles("order"), limit("order")))]
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] by: OrderRef,
    ) -> Result<Tree<Option<Order>>> {
        let session = session(ctx)?;
        let key = by.read().answer(ctx)?;
        let wanted = wanted(ctx);
        let found = read::tree::order(session, &key, &wanted).await.answer(ctx)?;
        let orders = loaders(ctx)?.know(found, &wanted);
        Ok(Tree(orders.items.into_iter().next().map(|(_, order)| order.into())))
    }

    /// The orders that exist for the caller; the newest first unless sorted otherwise.
    #[graphql(
        complexity = "page_cost(first, last, child_complexity)",
        directive = access::apply(roles("orders"), limit("orders"))
    )]
    #[expect(clippy::too_many_arguments, reason = "four of them are what every list takes")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the list is narrowed by.")] filter: Option<OrderFilter>,
        #[graphql(desc = "How the list is sorted; by submission, newest first, when absent.")] sort: Option<OrderSort>,
        #[graphql(
            desc = "So many entries from the start, or after the cursor `after`: 1 to 100. Without `first` and `last`: 20."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only entries after the one this cursor points at.")] after: Option<String>,
        #[graphql(desc = "So many entries up to the end, or before the cursor `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before the one this cursor points at.")] before: Option<String>,
    ) -> Result<Tree<OrderConnection>> {
        let session = session(ctx)?;
        let paging = Paging { first, after, last, before };
        let keyset = paging.keyset().answer(ctx)?;
        let filter = filter.unwrap_or_default().read(session).answer(ctx)?;
        let sort = sort.map_or((OrderSortField::SubmittedAt, true), |sort| {
            (sort.field, sort.direction == SortDirection::Descending)
        });
        let wanted = wanted(ctx);
        let found = read::tree::orders(session, &filter, sort, keyset, &wanted).await.answer(ctx)?;
        let known = found.tree.total;
        let page = loaders(ctx)?.know(found, &wanted);
        let counting = (session.clone(), filter);
        let total = Arc::new(move || {
            let (session, filter) = counting.clone();
            Box::pin(async move {
                match known {
                    Some(total) => Ok(total),
                    None => read::order::count(&session, &filter).await,
                }
            }) as _
        });
        Ok(Tree(OrderConnection(Slice::new(page, Into::into, total))))
    }
}
