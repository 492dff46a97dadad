//! What all aggregates have in common: rows, a version, a place in the log.

use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::concerned::Parties;
use super::error::Result;
use super::work::Saved;
use super::write::Writes;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, UnitId};

/// An aggregate that is loaded, changed by a decision, and saved with an event.
pub trait Aggregate: Clone + Serialize + Send + Sync + Sized + 'static {
    /// Which aggregate it is.
    const KIND: AggregateKind;
    /// Its rows over all its tables.
    type Rows: Send + Sync;

    /// Its identity.
    fn key(&self) -> Uuid;
    /// Its version.
    fn version(&self) -> i64;
    /// Sets its version.
    fn set_version(&mut self, version: i64);
    /// The order it belongs to, for those who follow the order.
    fn order_id(&self) -> Option<OrderId>;
    /// The unit it concerns, for those who follow the unit.
    fn unit_id(&self) -> Option<UnitId>;

    /// The channel account it belongs to, unless it belongs to an order, whose account counts.
    fn account(&self) -> Option<String> {
        None
    }

    /// As rows.
    fn to_rows(&self) -> Result<Self::Rows>;
    /// From rows.
    fn from_rows(rows: Self::Rows) -> Result<Self>;
    /// Reads the rows of several, set by set; with a lock until the transaction ends, in id order.
    fn fetch(
        db: &impl ConnectionTrait,
        ids: &[Uuid],
        lock: bool,
    ) -> impl Future<Output = Result<Vec<Self::Rows>>> + Send;
    /// Puts the rows that are not what they were among what is to be written; the root row always.
    fn write(rows: &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()>;

    /// Tells what it says of whom an order's events concern, loaded or saved; new if it did not exist before.
    fn concerns(&self, _parties: &mut Parties, _is_new: bool) {}
    /// What of it can be handed on to whoever reads it next.
    fn handed_on(self) -> Option<Saved> {
        None
    }
}

/// Loads several aggregates in the order of their ids; those that do not exist are left out.
pub async fn load_many<T: Aggregate>(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<T>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut loaded: Vec<T> = T::fetch(db, ids, lock).await?.into_iter().map(T::from_rows).collect::<Result<_>>()?;
    loaded.sort_by_key(Aggregate::key);
    Ok(loaded)
}
