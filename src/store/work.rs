//! A unit of work: one command, one transaction, all its changes and their events.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use entity::{event, orders};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::{Result, StoreError};
use super::{Store, scope};
use crate::domain::actor::{Act, Actor};
use crate::domain::document::{difference, document};
use crate::domain::event::Happening;
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
    /// On SQLite the position of the next event; the writing transaction is alone.
    position: Mutex<Option<i64>>,
    positioned: bool,
    parties: Mutex<HashMap<OrderId, (Uuid, Option<String>)>>,
    wrote: AtomicBool,
}

impl Work {
    /// Begins.
    pub async fn begin(
        store: &Store,
        occasion: Occasion,
        new_id: std::sync::Arc<dyn Fn() -> Uuid + Send + Sync>,
    ) -> Result<Self> {
        let tx = store.begin().await?;
        Ok(Self {
            tx,
            occasion,
            new_id,
            position: Mutex::new(None),
            positioned: !store.is_postgres(),
            parties: Mutex::default(),
            wrote: AtomicBool::new(false),
        })
    }

    /// Makes everything durable. Says whether there are new events.
    pub async fn commit(self) -> Result<bool> {
        self.tx.commit().await?;
        Ok(self.wrote.into_inner())
    }

    /// Undoes everything.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.tx.rollback().await?)
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
        self.log(&saved, happening.into(), changes).await?;
        Ok(saved)
    }

    async fn log<T: Aggregate>(&self, saved: &T, happening: Happening, changes: serde_json::Value) -> Result<()> {
        let party = match saved.order_id() {
            Some(order) => Some(self.party(order).await?),
            None => None,
        };
        let position = if self.positioned { Some(self.next_position().await?) } else { None };
        let row = event::ActiveModel {
            id: NotSet,
            position: Set(position),
            aggregate_kind: Set(T::KIND.code().to_owned()),
            aggregate_id: Set(saved.key()),
            sequence: Set(saved.version()),
            kind: Set(happening.kind.code().to_owned()),
            action: Set(self.occasion.action.code().to_owned()),
            order_id: Set(saved.order_id().map(|id| id.0)),
            customer_id: Set(party.as_ref().map(|(customer, _)| *customer)),
            account: Set(party.and_then(|(_, account)| account)),
            unit_id: Set(saved.unit_id().map(|id| id.0)),
            public: Set(happening.kind.is_public()),
            actor: Set(self.actor().subject.clone()),
            request_id: Set(self.occasion.request_id.clone()),
            occurred_at: Set(self.now()),
            note: Set(happening.note),
            changes: Set(changes),
        };
        event::Entity::insert(row).exec_without_returning(&self.tx).await?;
        self.wrote.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn party(&self, order: OrderId) -> Result<(Uuid, Option<String>)> {
        let mut parties = self.parties.lock().await;
        if let Some(party) = parties.get(&order) {
            return Ok(party.clone());
        }
        let party: (Uuid, Option<String>) = orders::Entity::find_by_id(order.0)
            .select_only()
            .columns([orders::Column::CustomerId, orders::Column::Account])
            .into_tuple()
            .one(&self.tx)
            .await?
            .ok_or(StoreError::NotFound)?;
        parties.insert(order, party.clone());
        Ok(party)
    }

    async fn next_position(&self) -> Result<i64> {
        let mut position = self.position.lock().await;
        let next = match *position {
            Some(next) => next,
            None => {
                let newest: Option<Option<i64>> = event::Entity::find()
                    .select_only()
                    .expr(Expr::cust("MAX(position)"))
                    .into_tuple()
                    .one(&self.tx)
                    .await?;
                newest.flatten().unwrap_or(0) + 1
            }
        };
        *position = Some(next + 1);
        Ok(next)
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
