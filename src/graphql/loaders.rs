//! Loaders of one request: what many fields ask for one by one is read in one statement, in the
//! caller's scope.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

use crate::app::read::delivery::TrackingEvent;
use crate::app::read::order::SettlementRecord;
use crate::app::read::reference::Person;
use crate::app::read::{allocation, delivery, inventory, order, reference, review, ticket};
use crate::app::{Failure, Saved, Session};
use crate::domain::allocation::{Allocation, AllocationDecision};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{
    AllocationDecisionId, AllocationId, CustomerId, DeliveryId, OrderId, ProductId, StockItemId, UnitId,
};
use crate::domain::inventory::StockItem;
use crate::domain::order::Order;
use crate::domain::reference::{Customer, Product, Unit};
use crate::domain::review::ReviewCase;
use crate::domain::rules::RuleSet;
use crate::domain::ticket::Ticket;

/// The loaders of one request.
pub struct Loaders(DataLoader<Source, HashMapCache>);

impl Loaders {
    /// Loaders that remember what they read until the request ends.
    pub fn new(session: &Session) -> Self {
        let source = Source(session.clone());
        let cache = HashMapCache::default();
        Self(DataLoader::with_cache(source, tokio::spawn, cache))
    }

    /// What a key stands for, if it exists for the caller.
    pub async fn get<K>(&self, key: K) -> Result<Option<<Source as Loader<K>>::Value>, Arc<Failure>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Source: Loader<K, Error = Arc<Failure>>,
    {
        self.0.load_one(key).await
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
        self.0.load_many(keys).await.map(drop)
    }

    /// Takes what a command has just saved, instead of reading it.
    pub async fn know(&self, saved: Vec<Saved>) {
        for one in saved {
            match one {
                Saved::Order(order) => self.0.feed_one(order.id, order).await,
                Saved::Allocation(share) => self.0.feed_one(share.id, share).await,
                Saved::Delivery(delivery) => self.0.feed_one(delivery.id, delivery).await,
                Saved::StockItem(item) => self.0.feed_one(item.id, item).await,
            }
        }
    }

    /// Forgets what was read: after a write, the same request must see the new state.
    pub fn forget(&self) {
        let loader = &self.0;
        loader.clear::<OrderId>();
        loader.clear::<AllocationId>();
        loader.clear::<DeliveryId>();
        loader.clear::<StockItemId>();
        loader.clear::<AllocationDecisionId>();
        loader.clear::<ReviewOf>();
        loader.clear::<AllocationsOf>();
        loader.clear::<DeliveriesOf>();
        loader.clear::<TicketsOf>();
        loader.clear::<SettlementOf>();
        loader.clear::<ReportsOf>();
    }
}

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
    /// The allocations of an order.
    AllocationsOf(OrderId),
    /// The deliveries of an order.
    DeliveriesOf(OrderId),
    /// The tickets of an order.
    TicketsOf(OrderId),
    /// The settlement records of an order.
    SettlementOf(OrderId),
    /// What the carrier reported of a delivery.
    ReportsOf(DeliveryId),
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
}

load_list! {
    AllocationsOf => Allocation, allocation::of_orders, |one| one.order_id;
    DeliveriesOf => Delivery, delivery::of_orders, |one| one.order_id;
    TicketsOf => Ticket, ticket::of_orders, |one| one.order_id;
    SettlementOf => SettlementRecord, order::settlement, |one| one.order_id;
    ReportsOf => TrackingEvent, delivery::reports, |one| one.delivery_id;
}
