//! Reviews of orders.

mod due;
mod queue;

use entity::review_case;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, UnitId};
use crate::domain::review::ReviewCase;
use crate::store::Store;
use crate::store::aggregate::{Aggregate, load_many};
use crate::store::error::{Result, StoreError};
use crate::store::row::{among, code, from_json, json};
use crate::store::work::{Tracked, Work};
use crate::store::write::Writes;

pub use due::{answers_overdue, due_for_the_clock, reminders_due};
pub use queue::{QueueFilter, ReviewQueueOrder, count_queue, queue};

impl Aggregate for ReviewCase {
    const KIND: AggregateKind = AggregateKind::ReviewCase;
    type Rows = review_case::Model;

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        Some(self.order_id)
    }
    fn unit_id(&self) -> Option<UnitId> {
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(review_case::Model {
            id: self.id.0,
            version: self.version,
            order_id: self.order_id.0,
            status: self.status.code().to_owned(),
            reviewer: self.reviewer.clone(),
            opened_at: self.opened_at,
            checks: json(&self.checks)?,
            clarifications: json(&self.clarifications)?,
            decision: self.decision.as_ref().map(json).transpose()?,
            owner: self.owner.clone(),
            waiting_since: self.waiting_since,
            assessment: self.assessment.as_ref().map(json).transpose()?,
            approvals: Some(json(&self.approvals)?),
            awaited_level: self.awaited_level(),
            remind_at: self.reminder_due_at(),
            due_at: self.answer_due_at(),
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            order_id: row.order_id.into(),
            status: code(&row.status)?,
            reviewer: row.reviewer,
            opened_at: row.opened_at,
            checks: from_json(row.checks)?,
            clarifications: from_json(row.clarifications)?,
            decision: row.decision.map(from_json).transpose()?,
            owner: row.owner,
            waiting_since: row.waiting_since,
            assessment: row.assessment.map(from_json).transpose()?,
            approvals: row.approvals.map(from_json).transpose()?.unwrap_or_default(),
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = review_case::Entity::find()
            .filter(among(review_case::Column::Id, ids.to_vec()))
            .order_by_asc(review_case::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<review_case::Entity>(row)
    }
}

/// The review of an order within a command.
pub async fn of_order(work: &Work, order: OrderId) -> Result<Tracked<ReviewCase>> {
    let id: Option<Uuid> = review_case::Entity::find()
        .filter(review_case::Column::OrderId.eq(order.0))
        .select_only()
        .column(review_case::Column::Id)
        .into_tuple()
        .one(work.db().await?)
        .await?;
    work.find(id.ok_or(StoreError::NotFound)?).await
}

/// The reviews of orders that were found visible before.
pub async fn of_orders(store: &Store, orders: &[OrderId]) -> Result<Vec<ReviewCase>> {
    let ids: Vec<Uuid> = review_case::Entity::find()
        .filter(among(review_case::Column::OrderId, orders.iter().map(|id| id.0)))
        .select_only()
        .column(review_case::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &ids, false).await
}
