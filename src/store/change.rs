//! Changes of orders that are negotiated, and what may stand in for a product.

use entity::{allocation, order_change, reservation, substitute};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::Result;
use super::page::{Keyset, Page, page};
use super::row::{among, code, from_json, json};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::allocation::AllocationStatus;
use crate::domain::change::{OrderChange, OrderChangeStatus};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{AllocationId, OrderChangeId, OrderId, ProductId, StockItemId, UnitId};
use crate::domain::inventory::ReservationStatus;

impl Aggregate for OrderChange {
    const KIND: AggregateKind = AggregateKind::OrderChange;
    type Rows = order_change::Model;

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
        Ok(order_change::Model {
            id: self.id.0,
            version: self.version,
            order_id: self.order_id.0,
            status: self.status.code().to_owned(),
            reason: self.reason.clone(),
            options: json(&self.options)?,
            chosen_option_id: self.chosen_option_id.map(|id| id.0),
            proposed_by: self.proposed_by.clone(),
            proposed_at: self.proposed_at,
            expires_at: self.expires_at,
            answered_by: self.answered_by.clone(),
            answered_at: self.answered_at,
            answer_reason: self.answer_reason.clone(),
            review: self.review.as_ref().map(json).transpose()?,
            applied_at: self.applied_at,
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            order_id: row.order_id.into(),
            status: code(&row.status)?,
            reason: row.reason,
            options: from_json(row.options)?,
            chosen_option_id: row.chosen_option_id.map(Into::into),
            proposed_by: row.proposed_by,
            proposed_at: row.proposed_at,
            expires_at: row.expires_at,
            answered_by: row.answered_by,
            answered_at: row.answered_at,
            answer_reason: row.answer_reason,
            review: row.review.map(from_json).transpose()?,
            applied_at: row.applied_at,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = order_change::Entity::find()
            .filter(among(order_change::Column::Id, ids.to_vec()))
            .order_by_asc(order_change::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<order_change::Entity>(row)
    }
}

/// The order of a change that exists for the caller. Nothing is locked: the order's lock comes first.
pub async fn order_of(work: &Work, id: OrderChangeId) -> Result<OrderId> {
    let found = work
        .visible_id::<order_change::Entity>(
            order_change::Column::Id,
            id.0,
            scope::changes(&work.actor().scope),
            order_change::Column::OrderId,
        )
        .await?;
    Ok(found.into())
}

/// Is a change of the order being negotiated?
pub async fn is_open(work: &Work, order: OrderId) -> Result<bool> {
    let open = order_change::Entity::find()
        .filter(order_change::Column::OrderId.eq(order.0))
        .filter(order_change::Column::Status.is_in(OrderChangeStatus::OPEN.iter().map(|status| status.code())))
        .count(work.db().await?)
        .await?;
    Ok(open > 0)
}

/// The shares of an order that have not ended, as they are at the moment.
pub async fn open_shares(work: &Work, order: OrderId) -> Result<Vec<AllocationId>> {
    open_share_ids(work.db().await?, order).await
}

async fn open_share_ids(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<AllocationId>> {
    let mut ids: Vec<Uuid> = allocation::Entity::find()
        .filter(allocation::Column::OrderId.eq(order.0))
        .filter(allocation::Column::Status.is_not_in(AllocationStatus::ENDED.iter().map(|one| one.code())))
        .select_only()
        .column(allocation::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(AllocationId).collect())
}

/// The stock items of which something is reserved for shares, as it is at the moment.
pub async fn reserved_items(work: &Work, shares: &[AllocationId]) -> Result<Vec<StockItemId>> {
    let open = [ReservationStatus::Active.code(), ReservationStatus::PartiallyConsumed.code()];
    let mut ids: Vec<Uuid> = reservation::Entity::find()
        .filter(among(reservation::Column::AllocationId, shares.iter().map(|id| id.0)))
        .filter(reservation::Column::Status.is_in(open))
        .select_only()
        .column(reservation::Column::StockItemId)
        .distinct()
        .into_tuple()
        .all(work.db().await?)
        .await?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(StockItemId).collect())
}

/// Offers that nobody answered by a moment, those that have waited longest first.
pub async fn unanswered(store: &Store, by: chrono::DateTime<chrono::Utc>, at_most: u64) -> Result<Vec<OrderChangeId>> {
    let ids: Vec<Uuid> = order_change::Entity::find()
        .filter(order_change::Column::Status.eq(OrderChangeStatus::AwaitingCustomer.code()))
        .filter(order_change::Column::ExpiresAt.lte(by))
        .order_by_asc(order_change::Column::ExpiresAt)
        .limit(at_most)
        .select_only()
        .column(order_change::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(ids.into_iter().map(OrderChangeId).collect())
}

/// What a list of changes is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct ChangeFilter {
    /// One of these states.
    pub status: Option<Vec<OrderChangeStatus>>,
    /// Of this order.
    pub order: Option<OrderId>,
}

fn condition(actor: &Actor, filter: &ChangeFilter) -> Condition {
    let mut all = scope::changes(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(order_change::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(order) = filter.order {
        all = all.add(order_change::Column::OrderId.eq(order.0));
    }
    all
}

/// A page of the changes that exist for the actor, newest first.
pub async fn list(store: &Store, actor: &Actor, filter: &ChangeFilter, keyset: Keyset) -> Result<Page<OrderChange>> {
    let query = order_change::Entity::find().filter(condition(actor, filter));
    page(query, order_change::Column::ProposedAt, order_change::Column::Id, true, keyset, store.reader(), |row| {
        (row.proposed_at.to_rfc3339(), row.id)
    })
    .await?
    .map(OrderChange::from_rows)
}

/// How many changes the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &ChangeFilter) -> Result<u64> {
    Ok(order_change::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Changes by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[OrderChangeId]) -> Result<Vec<OrderChange>> {
    let rows = order_change::Entity::find()
        .filter(among(order_change::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::changes(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(OrderChange::from_rows).collect()
}

/// The changes of orders that were found visible before, oldest first.
pub async fn of_orders(store: &Store, orders: &[OrderId]) -> Result<Vec<OrderChange>> {
    let rows = order_change::Entity::find()
        .filter(among(order_change::Column::OrderId, orders.iter().map(|id| id.0)))
        .order_by_asc(order_change::Column::Id)
        .all(store.reader())
        .await?;
    rows.into_iter().map(OrderChange::from_rows).collect()
}

/// The shares of an order that have not ended, for whoever may see the order.
pub async fn shares(store: &Store, order: OrderId) -> Result<Vec<crate::domain::allocation::Allocation>> {
    let ids: Vec<Uuid> = open_share_ids(store.reader(), order).await?.into_iter().map(|id| id.0).collect();
    load_many(store.reader(), &ids, false).await
}

/// What may stand in for products, best first: the product, what may stand in for it, and its place.
pub async fn substitutes(store: &Store, products: &[ProductId]) -> Result<Vec<(ProductId, ProductId, i32)>> {
    let mut rows = substitute::Entity::find()
        .filter(among(substitute::Column::ProductId, products.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.sort_by_key(|row| (row.product_id, row.rank));
    Ok(rows.into_iter().map(|row| (row.product_id.into(), row.substitute_id.into(), row.rank)).collect())
}

/// A change of an order, locked after the order was.
pub async fn find(work: &Work, id: OrderChangeId) -> Result<Tracked<OrderChange>> {
    work.find(id.0).await
}
