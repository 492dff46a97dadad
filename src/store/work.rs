//! A unit of work: one command, one transaction, all its changes and their events.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use entity::orders;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::{Result, StoreError};
use super::{Store, concerned, log, scope};
use crate::domain::actor::{Act, Actor};
use crate::domain::document::{difference, document};
use crate::domain::event::{Event, Happening};
use crate::domain::ids::OrderId;
use crate::domain::order::Order;
use crate::domain::permission::Action;

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
    fn loaded(current: T) -> Self {
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

/// One transaction of one command.
pub struct Work {
    tx: DatabaseTransaction,
    occasion: Occasion,
    new_id: std::sync::Arc<dyn Fn() -> Uuid + Send + Sync>,
    /// What happened so far; written last, when everything they concern holds its locks.
    events: Mutex<Vec<Event>>,
}

impl Work {
    /// Begins.
    pub async fn begin(
        store: &Store,
        occasion: Occasion,
        new_id: std::sync::Arc<dyn Fn() -> Uuid + Send + Sync>,
    ) -> Result<Self> {
        let tx = store.begin().await?;
        Ok(Self { tx, occasion, new_id, events: Mutex::default() })
    }

    /// Writes what happened and makes everything durable. Says whether there are new events.
    pub async fn commit(self) -> Result<bool> {
        let Self { tx, events, .. } = self;
        let mut events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = async {
            concerned::fill_in(&tx, &mut events).await?;
            log::append(&tx, &mut events).await
        };
        match outcome.await {
            Ok(()) => {
                tx.commit().await?;
                Ok(!events.is_empty())
            }
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.tx.rollback().await?)
    }

    /// What a naive feed would tell before the commit.
    #[doc(hidden)]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The transaction, for reads within it.
    pub(crate) fn db(&self) -> &DatabaseTransaction {
        &self.tx
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
    /// begins here: the order's lock comes first, so that no two commands wait for each other.
    pub async fn order(&self, id: OrderId) -> Result<Tracked<Order>> {
        let visible = orders::Entity::find_by_id(id.0)
            .filter(scope::orders(&self.actor().scope))
            .select_only()
            .column(orders::Column::Id)
            .lock_exclusive()
            .into_tuple::<Uuid>()
            .one(&self.tx)
            .await?;
        visible.ok_or(StoreError::NotFound)?;
        self.find(id.0).await
    }

    /// An aggregate that was reached through something visible, locked.
    pub async fn find<T: Aggregate>(&self, id: Uuid) -> Result<Tracked<T>> {
        let mut found = self.find_many(&[id]).await?;
        found.pop().ok_or(StoreError::NotFound)
    }

    /// Several aggregates, locked in the order of their ids.
    pub async fn find_many<T: Aggregate>(&self, ids: &[Uuid]) -> Result<Vec<Tracked<T>>> {
        Ok(load_many(&self.tx, ids, true).await?.into_iter().map(Tracked::loaded).collect())
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
    /// whose sequence is the version.
    pub async fn save<T: Aggregate>(&self, mut tracked: Tracked<T>, happening: impl Into<Happening>) -> Result<T> {
        let before_version = tracked.before.as_ref().map_or(0, Aggregate::version);
        tracked.current.set_version(before_version + 1);
        let rows = tracked.current.to_rows()?;
        let before_rows = tracked.before.as_ref().map(T::to_rows).transpose()?;
        if !T::write(&rows, before_rows.as_ref(), &self.tx).await? {
            return Err(StoreError::Conflict);
        }
        // What a later reader will see, so that the log's fold and the rows cannot differ in form.
        let saved = T::from_rows(rows)?;
        let former = match &tracked.before {
            Some(before) => document(before)?,
            None => serde_json::Value::Object(serde_json::Map::new()),
        };
        let changes = difference(&former, &document(&saved)?);
        self.log(&saved, happening.into(), changes);
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
            account: None,
            unit_id: saved.unit_id(),
            audience: Vec::new(),
            public: happening.kind.is_public(),
            actor: self.actor().subject.clone(),
            request_id: self.occasion.request_id.clone(),
            occurred_at: self.now(),
            note: happening.note,
            changes,
        };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
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
            .one(&self.tx)
            .await?
            .ok_or(StoreError::NotFound)
    }
}
