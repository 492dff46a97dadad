//! A unit of work: one command, one transaction, all its changes and their events.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use entity::orders;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::concerned::{self, Parties};
use super::error::{Result, StoreError};
use super::parts::Share;
use super::reach::{Far, reach_one};
use super::reference::RuleBook;
use super::write::Writes;
use super::{Store, log, scope};
use crate::domain::actor::{Act, Actor};
use crate::domain::allocation::Allocation;
use crate::domain::delivery::Delivery;
use crate::domain::document::{difference, document};
use crate::domain::event::{Event, Happening};
use crate::domain::ids::OrderId;
use crate::domain::inventory::StockItem;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::rules::RuleSet;

/// An aggregate as it was loaded and as it is now.
#[derive(Clone, Debug)]
pub struct Tracked<T> {
    before: Option<T>,
    current: T,
}

impl<T> Tracked<T> {
    /// An aggregate that does not exist yet.
    pub fn new(current: T) -> Self {
        Self { before: None, current }
    }
}

impl<T: Clone> Tracked<T> {
    pub(super) fn loaded(current: T) -> Self {
        Self { before: Some(current.clone()), current }
    }
}

impl<T: PartialEq> Tracked<T> {
    /// Did a decision change it?
    pub fn is_changed(&self) -> bool {
        self.before.as_ref() != Some(&self.current)
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.current
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.current
    }
}

/// Who does what, when, and under which request.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// Who acts.
    pub actor: Actor,
    /// What they do.
    pub action: Action,
    /// The request it came with, for the trace.
    pub request_id: String,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Something as it was saved: what a later reader reads, without reading it.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// An order.
    Order(Arc<Order>),
    /// A unit's share of one.
    Allocation(Arc<Allocation>),
    /// A delivery.
    Delivery(Arc<Delivery>),
    /// A stock item.
    StockItem(Arc<StockItem>),
}

/// What came of a unit of work.
#[derive(Debug, Default)]
pub struct Committed {
    /// Are there new events?
    pub has_events: bool,
    /// What was saved, as far as it still exists for the actor; of the same thing the last counts.
    pub saved: Vec<Saved>,
}

/// One transaction of one command.
pub struct Work {
    tx: DatabaseTransaction,
    occasion: Occasion,
    new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    rules: Arc<RuleBook>,
    gathered: Mutex<Gathered>,
}

/// What a unit of work has come to so far.
#[derive(Default)]
struct Gathered {
    /// What is written when somebody looks, or at the commit.
    writes: Writes,
    /// What happened; written last, when everything it concerns holds its locks.
    events: Vec<Event>,
    parties: Parties,
    saved: Vec<Saved>,
    /// Were events written before?
    spilled: bool,
}

async fn write_out(tx: &DatabaseTransaction, writes: Writes, mut events: Vec<Event>, parties: &Parties) -> Result<()> {
    concerned::fill_in(tx, &mut events, parties).await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        return writes.send(tx, log::waiting_events(&events)?).await;
    }
    writes.send(tx, Vec::new()).await?;
    log::append(tx, &mut events).await
}

impl Work {
    /// Begins.
    pub async fn begin(store: &Store, occasion: Occasion, new_id: Arc<dyn Fn() -> Uuid + Send + Sync>) -> Result<Self> {
        let tx = store.begin().await?;
        Ok(Self { tx, occasion, new_id, rules: store.rules().clone(), gathered: Mutex::default() })
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is left with what happened, and makes everything durable.
    pub async fn commit(self) -> Result<Committed> {
        let Self { tx, occasion, gathered, .. } = self;
        let Gathered { writes, events, parties, mut saved, spilled } =
            gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let has_events = spilled || !events.is_empty();
        match write_out(&tx, writes, events, &parties).await {
            Ok(()) => {
                tx.commit().await?;
                let seen = scope::of_saved(&occasion.actor.scope, &saved);
                let mut seen = seen.into_iter();
                saved.retain(|_| seen.next().unwrap_or(false));
                Ok(Committed { has_events, saved })
            }
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// Writes everything that was saved so far with what happened, and forgets it: whoever saves thousands of things in one
    /// transaction needs memory for some only. Whatever follows must not change whom these events concern.
    pub(crate) async fn spill(&self) -> Result<()> {
        let Gathered { writes, events, parties, spilled, .. } = std::mem::take(&mut *self.gathered());
        let spilled = spilled || !events.is_empty();
        self.gathered().spilled = spilled;
        write_out(&self.tx, writes, events, &parties).await
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.tx.rollback().await?)
    }

    /// What a naive feed would tell before the commit.
    #[doc(hidden)]
    pub fn events(&self) -> Vec<Event> {
        self.gathered().events.clone()
    }

    /// The transaction with everything written that was saved so far, for reads within it.
    pub(crate) async fn db(&self) -> Result<&DatabaseTransaction> {
        let writes = std::mem::take(&mut self.gathered().writes);
        writes.send(&self.tx, Vec::new()).await?;
        Ok(&self.tx)
    }

    /// The transaction as it is, for reads of what no command writes: units, people, customers, products.
    pub(crate) fn reference(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// A version of the rules. Versions never change: this node reads each once.
    pub async fn rules(&self, version: i32) -> Result<Arc<RuleSet>> {
        self.rules.get(&self.tx, version).await
    }

    /// Gathers something to write.
    pub(super) fn write(&self, gather: impl FnOnce(&mut Writes) -> Result<()>) -> Result<()> {
        gather(&mut self.gathered().writes)
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.occasion.actor
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.occasion.now
    }

    /// What decisions are told.
    pub fn act(&self) -> Act<'_> {
        Act { actor: &self.occasion.actor, now: self.occasion.now, new_id: &*self.new_id }
    }

    /// A new identity.
    pub fn id<T: From<Uuid>>(&self) -> T {
        T::from((self.new_id)())
    }

    /// The order, locked, if it exists for the caller. Every command on anything of an order
    /// begins by locking it: the order's lock comes first, so that no two commands wait for each other.
    pub async fn order(&self, id: OrderId) -> Result<Tracked<Order>> {
        Ok(reach_one(self, Far::Order, Condition::all().add(orders::Column::Id.eq(id.0))).await?.order)
    }

    /// Takes note of orders that are locked, and of all open shares in them.
    pub(super) fn know_parties<'a>(&self, orders: impl Iterator<Item = &'a Order>, shares: &[Share]) {
        let parties = &mut self.gathered().parties;
        orders.for_each(|order| parties.order(order));
        shares.iter().for_each(|share| parties.open_share(share));
    }

    /// An aggregate that was reached through something visible, locked.
    pub async fn find<T: Aggregate>(&self, id: Uuid) -> Result<Tracked<T>> {
        let mut found = self.find_many(&[id]).await?;
        found.pop().ok_or(StoreError::NotFound)
    }

    /// Several aggregates, locked in the order of their ids.
    pub async fn find_many<T: Aggregate>(&self, ids: &[Uuid]) -> Result<Vec<Tracked<T>>> {
        let found: Vec<T> = load_many(self.db().await?, ids, true).await?;
        let parties = &mut self.gathered().parties;
        found.iter().for_each(|one| one.concerns(parties, false));
        Ok(found.into_iter().map(Tracked::loaded).collect())
    }

    /// Fails unless the version is the one the caller expected.
    pub fn expect<T: Aggregate>(&self, aggregate: &Tracked<T>, expected: Option<i64>) -> Result<()> {
        match expected {
            Some(expected) if expected != aggregate.version() => {
                Err(StoreError::VersionMismatch { expected, found: aggregate.version() })
            }
            _ => Ok(()),
        }
    }

    /// Saves the aggregate with what happened to it: compare-and-set on the version, and an event
    /// whose sequence is the version. It is written when somebody looks, or at the commit; that somebody
    /// else changed it first shows then.
    pub async fn save<T: Aggregate>(&self, mut tracked: Tracked<T>, happening: impl Into<Happening>) -> Result<T> {
        let before_version = tracked.before.as_ref().map_or(0, Aggregate::version);
        tracked.current.set_version(before_version + 1);
        let rows = tracked.current.to_rows()?;
        let before_rows = tracked.before.as_ref().map(T::to_rows).transpose()?;
        if self.gathered().writes.holds(T::KIND, tracked.current.key()) {
            self.db().await?;
        }
        self.write(|writes| {
            writes.mark(T::KIND, tracked.current.key());
            T::write(&rows, before_rows.as_ref(), writes)
        })?;
        // What a later reader will see, so that the log's fold and the rows cannot differ in form.
        let saved = T::from_rows(rows)?;
        let former = match &tracked.before {
            Some(before) => document(before)?,
            None => serde_json::Value::Object(serde_json::Map::new()),
        };
        let changes = difference(&former, &document(&saved)?);
        self.log(&saved, happening.into(), changes);
        let mut gathered = self.gathered();
        saved.concerns(&mut gathered.parties, tracked.before.is_none());
        gathered.saved.extend(saved.clone().handed_on());
        drop(gathered);
        Ok(saved)
    }

    fn log<T: Aggregate>(&self, saved: &T, happening: Happening, changes: serde_json::Value) {
        let event = Event {
            id: 0,
            position: None,
            aggregate_kind: T::KIND,
            aggregate_id: saved.key(),
            sequence: saved.version(),
            kind: happening.kind,
            action: self.occasion.action,
            order_id: saved.order_id(),
            customer_id: None,
            account: saved.account(),
            unit_id: saved.unit_id(),
            audience: Vec::new(),
            public: happening.kind.is_public(),
            actor: self.actor().subject.clone(),
            request_id: self.occasion.request_id.clone(),
            occurred_at: self.now(),
            note: happening.note,
            changes,
        };
        self.gathered().events.push(event);
    }

    /// The id of one row of a table that satisfies a condition, or `NotFound`.
    pub(crate) async fn visible_id<E>(
        &self,
        column: E::Column,
        id: Uuid,
        visible: Condition,
        wanted: E::Column,
    ) -> Result<Uuid>
    where
        E: EntityTrait,
    {
        E::find()
            .filter(column.eq(id))
            .filter(visible)
            .select_only()
            .column(wanted)
            .into_tuple::<Uuid>()
            .one(self.db().await?)
            .await?
            .ok_or(StoreError::NotFound)
    }
}
