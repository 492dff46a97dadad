//! Loaders of one request: what many fields ask for one by one is read in one statement, in the
//! caller's scope.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

use super::known::Known;
use crate::app::read::delivery::TrackingEvent;
use crate::app::read::event::Event;
use crate::app::read::order::SettlementRecord;
use crate::app::read::reference::Person;
use crate::app::read::tree::{Found, Wanted};
use crate::app::read::{
    Keyset, Page, allocation, change, channel, delivery, inventory, order, reference, review, ticket,
};
use crate::app::{Failure, Saved, Session};
use crate::domain::allocation::{Allocation, AllocationDecision};
use crate::domain::change::OrderChange;
use crate::domain::channel::order::ChannelOrder;
use crate::domain::delivery::Delivery;
use crate::domain::ids::{
    AllocationDecisionId, AllocationId, CustomerId, DeliveryId, OrderId, ProductId, StockItemId, UnitId,
};
use crate::domain::inventory::{Coming, StockItem};
use crate::domain::order::{Order, Stage};
use crate::domain::reference::{Customer, Product, Unit};
use crate::domain::review::ReviewCase;
use crate::domain::rules::RuleSet;
use crate::domain::ticket::Ticket;

/// The loaders of one request.
pub struct Loaders {
    loader: DataLoader<Source, HashMapCache>,
    /// What was read ahead; it is not asked for again.
    known: Known,
}

impl Loaders {
    /// Loaders that remember what they read until the request ends.
    pub fn new(session: &Session) -> Self {
        let source = Source(session.clone());
        let cache = HashMapCache::default();
        Self { loader: DataLoader::with_cache(source, tokio::spawn, cache), known: Known::default() }
    }

    /// What a key stands for, if it exists for the caller.
    pub async fn get<K>(&self, key: K) -> Result<Option<<Source as Loader<K>>::Value>, Arc<Failure>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Source: Loader<K, Error = Arc<Failure>>,
    {
        match self.known.get(&key) {
            Some(known) => Ok(known),
            None => self.loader.load_one(key).await,
        }
    }

    /// What a key for a list stands for; nothing is an empty list.
    pub async fn list<K, V>(&self, key: K) -> Result<Vec<V>, Arc<Failure>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Source: Loader<K, Error = Arc<Failure>, Value = Vec<V>>,
    {
        Ok(self.get(key).await?.unwrap_or_default())
    }

    /// Reads what will be asked for one by one, in one go.
    pub async fn warm<K>(&self, keys: impl IntoIterator<Item = K>) -> Result<(), Arc<Failure>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Source: Loader<K, Error = Arc<Failure>>,
    {
        self.loader.load_many(keys).await.map(drop)
    }

    /// Remembers what was read at once, and gives the orders it was read for. What was not wanted stays
    /// unknown.
    pub fn know(&self, found: Found, wanted: &Wanted) -> Page<Arc<Order>> {
        let Found { tree, units, people } = found;
        let known = &self.known;
        let orders = Page {
            items: tree.orders.items.into_iter().map(|(key, order)| (key, Arc::new(order))).collect(),
            has_next: tree.orders.has_next,
            has_previous: tree.orders.has_previous,
        };
        let ids: Vec<OrderId> = orders.items.iter().map(|(_, order)| order.id).collect();
        known.add(tree.stages.into_iter().map(|(id, stage)| (StageOf(id), Some(stage))));
        if wanted.has_whole_orders() {
            known.add(orders.items.iter().map(|(_, order)| (order.id, Some(order.clone()))));
        }
        known.add(each(tree.customers, |one| CustomerOf(one.id)));
        known.add(each(tree.products, |one| one.id));
        known.add(each(tree.decisions, |one| one.id));
        if let Some(reviews) = tree.reviews {
            known.add(ids.iter().map(|id| (ReviewOf(*id), None::<Arc<ReviewCase>>)));
            known.add(each(Some(reviews), |one| ReviewOf(one.order_id)));
        }
        if let Some(allocations) = tree.allocations {
            let allocations: Vec<_> = allocations.into_iter().map(Arc::new).collect();
            if wanted.has_whole_allocations() {
                known.add(allocations.iter().map(|one| (one.id, Some(one.clone()))));
            }
            known.add(lists(&ids, allocations, |id| AllocationsOf(*id), |one| AllocationsOf(one.order_id)));
        }
        if let Some(deliveries) = tree.deliveries {
            let deliveries: Vec<_> = deliveries.into_iter().map(Arc::new).collect();
            if let Some(reports) = tree.reports {
                let reports = reports.into_iter().map(Arc::new).collect();
                let of: Vec<DeliveryId> = deliveries.iter().map(|one| one.id).collect();
                known.add(lists(&of, reports, |id| ReportsOf(*id), |one| ReportsOf(one.delivery_id)));
            }
            known.add(lists(&ids, deliveries, |id| DeliveriesOf(*id), |one| DeliveriesOf(one.order_id)));
        }
        if let Some(tickets) = tree.tickets {
            let tickets = tickets.into_iter().map(Arc::new).collect();
            known.add(lists(&ids, tickets, |id| TicketsOf(*id), |one| TicketsOf(one.order_id)));
        }
        if let Some(records) = tree.settlement {
            let records = records.into_iter().map(Arc::new).collect();
            known.add(lists(&ids, records, |id| SettlementOf(*id), |one| SettlementOf(one.order_id)));
        }
        for (keyset, pages) in tree.timelines {
            known.add(pages.into_iter().map(|(id, page)| (TimelineOf(id, keyset.clone()), Some(page))));
        }
        known.add(units.into_iter().map(|unit| (unit.id, Some(unit))));
        known.add(people.into_iter().map(|(subject, person)| (Subject(subject), person)));
        orders
    }

    /// The stage of an order that was perhaps read without what it follows from.
    pub fn stage(&self, order: &Order) -> Stage {
        self.known.get(&StageOf(order.id)).flatten().unwrap_or_else(|| order.stage())
    }

    /// A page of an order's history, if it was read ahead.
    pub fn timeline(&self, order: OrderId, keyset: &Keyset) -> Option<Page<Event>> {
        self.known.get(&TimelineOf(order, keyset.clone())).flatten()
    }

    /// Takes what a command has just saved, instead of reading it.
    pub fn know_saved(&self, saved: Vec<Saved>) {
        for one in saved {
            match one {
                Saved::Order(order) => self.known.add([(order.id, Some(order))]),
                Saved::Allocation(share) => self.known.add([(share.id, Some(share))]),
                Saved::Delivery(delivery) => self.known.add([(delivery.id, Some(delivery))]),
                Saved::StockItem(item) => self.known.add([(item.id, Some(item))]),
            }
        }
    }

    /// Forgets what was read: after a write, the same request must see the new state.
    pub fn forget(&self) {
        self.known.clear();
        let loader = &self.loader;
        loader.clear::<OrderId>();
        loader.clear::<AllocationId>();
        loader.clear::<DeliveryId>();
        loader.clear::<StockItemId>();
        loader.clear::<AllocationDecisionId>();
        loader.clear::<ReviewOf>();
        loader.clear::<ChannelOrderOf>();
        loader.clear::<UnallocatableOf>();
        loader.clear::<AllocationsOf>();
        loader.clear::<DeliveriesOf>();
        loader.clear::<ChangesOf>();
        loader.clear::<TicketsOf>();
        loader.clear::<SettlementOf>();
        loader.clear::<ReportsOf>();
        loader.clear::<ComingTo>();
    }
}

/// Values by their keys.
fn each<K, T>(values: Option<Vec<T>>, key: impl Fn(&T) -> K) -> impl Iterator<Item = (K, Option<Arc<T>>)> {
    values.into_iter().flatten().map(move |value| (key(&value), Some(Arc::new(value))))
}

/// Lists of values by their keys, with an empty one for whom there are none.
fn lists<I, K: Hash + Eq, T>(
    owners: &[I],
    values: Vec<Arc<T>>,
    of: impl Fn(&I) -> K,
    key: impl Fn(&T) -> K,
) -> HashMap<K, Option<Vec<Arc<T>>>> {
    let mut lists: HashMap<K, Option<Vec<Arc<T>>>> = owners.iter().map(|owner| (of(owner), Some(Vec::new()))).collect();
    for value in values {
        lists.entry(key(&value)).or_default().get_or_insert_default().push(value);
    }
    lists
}

/// The stage of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StageOf(OrderId);

/// A page of an order's history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TimelineOf(OrderId, Keyset);

/// Reads batches within a session.
pub struct Source(Session);

macro_rules! keys {
    ($($(#[$doc:meta])+ $key:ident($of:ty)),+ $(,)?) => { $(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub $of);
    )+ };
}

keys! {
    /// The customer of an order that was found visible before.
    CustomerOf(CustomerId),
    /// A person by subject.
    Subject(String),
    /// A version of the rules.
    Rules(i32),
    /// The review of an order.
    ReviewOf(OrderId),
    /// An order as its channel tells of it.
    ChannelOrderOf(OrderId),
    /// Why no unit was found for an order.
    UnallocatableOf(OrderId),
    /// The allocations of an order.
    AllocationsOf(OrderId),
    /// The deliveries of an order.
    DeliveriesOf(OrderId),
    /// The changes of an order that are or were negotiated.
    ChangesOf(OrderId),
    /// The tickets of an order.
    TicketsOf(OrderId),
    /// The settlement records of an order.
    SettlementOf(OrderId),
    /// What the carrier reported of a delivery.
    ReportsOf(DeliveryId),
    /// What is known to be coming for a stock item.
    ComingTo(StockItemId),
}

/// One value per key.
macro_rules! load_one {
    ($($key:ty => $value:ty, $read:path, |$keys:ident| $ids:expr, |$one:ident| $by:expr;)+) => { $(
        impl Loader<$key> for Source {
            type Value = Arc<$value>;
            type Error = Arc<Failure>;

            async fn load(
                &self,
                $keys: &[$key],
            ) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let found = $read(&self.0, $ids).await?;
                Ok(found.into_iter().map(|$one| ($by, Arc::new($one))).collect())
            }
        }
    )+ };
}

/// A list of values per key.
macro_rules! load_list {
    ($($key:ident => $value:ty, $read:path, |$one:ident| $by:expr;)+) => { $(
        impl Loader<$key> for Source {
            type Value = Vec<Arc<$value>>;
            type Error = Arc<Failure>;

            async fn load(
                &self,
                keys: &[$key],
            ) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
                let mut lists: HashMap<$key, Self::Value> = HashMap::new();
                for $one in $read(&self.0, &ids).await? {
                    lists.entry($key($by)).or_default().push(Arc::new($one));
                }
                Ok(lists)
            }
        }
    )+ };
}

fn inner<T: Clone, K>(keys: &[K], of: impl Fn(&K) -> &T) -> Vec<T> {
    keys.iter().map(|key| of(key).clone()).collect()
}

load_one! {
    OrderId => Order, order::by_ids, |keys| keys, |one| one.id;
    AllocationId => Allocation, allocation::by_ids, |keys| keys, |one| one.id;
    DeliveryId => Delivery, delivery::by_ids, |keys| keys, |one| one.id;
    StockItemId => StockItem, inventory::by_ids, |keys| keys, |one| one.id;
    ProductId => Product, reference::products_by_ids, |keys| keys, |one| one.id;
    UnitId => Unit, reference::units_by_ids, |keys| keys, |one| one.id;
    AllocationDecisionId => AllocationDecision, allocation::decisions, |keys| keys, |one| one.id;
    CustomerOf => Customer, reference::customers_of_orders,
        |keys| &inner(keys, |key| &key.0), |one| CustomerOf(one.id);
    Subject => Person, reference::people,
        |keys| &inner(keys, |key| &key.0), |one| Subject(one.subject.clone());
    Rules => RuleSet, review::rules,
        |keys| &inner(keys, |key| &key.0), |one| Rules(one.version);
    ReviewOf => ReviewCase, review::of_orders,
        |keys| &inner(keys, |key| &key.0), |one| ReviewOf(one.order_id);
    ChannelOrderOf => ChannelOrder, channel::of_orders,
        |keys| &inner(keys, |key| &key.0), |one| ChannelOrderOf(one.order_id);
}

load_list! {
    UnallocatableOf => AllocationDecision, allocation::unallocatable_reasons, |one| one.order_id;
    AllocationsOf => Allocation, allocation::of_orders, |one| one.order_id;
    DeliveriesOf => Delivery, delivery::of_orders, |one| one.order_id;
    ChangesOf => OrderChange, change::of_orders, |one| one.order_id;
    TicketsOf => Ticket, ticket::of_orders, |one| one.order_id;
    SettlementOf => SettlementRecord, order::settlement, |one| one.order_id;
    ReportsOf => TrackingEvent, delivery::reports, |one| one.delivery_id;
    ComingTo => (StockItemId, Coming), inventory::incoming, |one| one.0;
}
