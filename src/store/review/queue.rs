//! The queue of reviews: orders that wait for somebody, with what they wait for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{order_line, orders, review_case};
use rust_decimal::Decimal;
use sea_orm::sea_query::{BinOper, Condition, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, Order as Direction};
use uuid::Uuid;

use super::of_orders;
use crate::domain::actor::Actor;
use crate::domain::codes::codes;
use crate::domain::ids::OrderId;
use crate::domain::intake::Priority;
use crate::domain::order::{Order, OrderStatus};
use crate::domain::review::QueueEntry;
use crate::store::aggregate::load_many;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page};
use crate::store::row::{among, price};
use crate::store::{Store, scope};

codes! {
    /// What comes first in the queue of reviews.
    ReviewQueueOrder {
        /// What has waited longest.
        Oldest = "OLDEST",
        /// Urgent orders, and among equals what has waited longest.
        Priority = "PRIORITY",
    }
}

/// What the queue is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct QueueFilter {
    /// The caller is at work on it, or is not.
    pub is_own: Option<bool>,
    /// Somebody is at work on it, or nobody is.
    pub is_taken: Option<bool>,
    /// This person is at work on it.
    pub owner: Option<String>,
    /// It has waited since before this moment.
    pub waiting_before: Option<DateTime<Utc>>,
    /// It waits for this level of approval.
    pub awaited_level: Option<i32>,
    /// The order's amount, in its own currency, is at least this.
    pub amount_from: Option<Decimal>,
    /// The order's amount, in its own currency, is at most this.
    pub amount_to: Option<Decimal>,
    /// The order is in one of these states.
    pub status: Option<Vec<OrderStatus>>,
}

fn of_case(column: review_case::Column) -> Expr {
    Expr::col((review_case::Entity, column))
}

fn of_order(column: orders::Column) -> Expr {
    Expr::col((orders::Entity, column))
}

fn level() -> Expr {
    Expr::expr(of_case(review_case::Column::AwaitedLevel)).if_null(1)
}

/// Since when it waits.
fn waiting() -> Expr {
    let opened = Expr::expr(of_case(review_case::Column::OpenedAt)).if_null(of_order(orders::Column::SubmittedAt));
    Expr::expr(of_case(review_case::Column::WaitingSince)).if_null(opened)
}

/// The smallest comes first.
fn rank(order: ReviewQueueOrder) -> Expr {
    match order {
        ReviewQueueOrder::Oldest => Expr::val(0),
        ReviewQueueOrder::Priority => {
            Expr::case(of_order(orders::Column::Priority).eq(Priority::Urgent.code()), 0).finally(1).into()
        }
    }
}

fn from(actor: &Actor, filter: &QueueFilter) -> Result<SelectStatement> {
    // Literal, so that the database knows how few orders these are of all.
    let pending: Vec<String> = QueueEntry::STATUSES.iter().map(|status| format!("'{status}'")).collect();
    let pending = Expr::cust(format!("\"orders\".\"status\" IN ({})", pending.join(", ")));
    let mut all = scope::orders(&actor.scope).add(pending);
    if let Some(is_taken) = filter.is_taken {
        let owner = of_case(review_case::Column::Owner);
        all = all.add(if is_taken { owner.is_not_null() } else { owner.is_null() });
    }
    if let Some(is_own) = filter.is_own {
        let owner = of_case(review_case::Column::Owner);
        let own = owner.clone().eq(actor.subject.as_str());
        all = all.add(if is_own { own } else { owner.is_null().or(own.not()) });
    }
    if let Some(owner) = &filter.owner {
        all = all.add(of_case(review_case::Column::Owner).eq(owner.as_str()));
    }
    if let Some(before) = filter.waiting_before {
        all = all.add(waiting().lt(before));
    }
    if let Some(wanted) = filter.awaited_level {
        all = all.add(level().eq(wanted));
    }
    if let Some(status) = &filter.status {
        all = all.add(among(orders::Column::Status, status.iter().map(|one| one.code())));
    }
    for (bound, comparison) in
        [(filter.amount_from, BinOper::GreaterThanOrEqual), (filter.amount_to, BinOper::SmallerThanOrEqual)]
    {
        let Some(bound) = bound else { continue };
        let due = Query::select()
            .expr(Expr::col((order_line::Entity, order_line::Column::Total)).sum())
            .from(order_line::Entity)
            .and_where(
                Expr::col((order_line::Entity, order_line::Column::OrderId))
                    .equals((orders::Entity, orders::Column::Id)),
            )
            .take();
        let due = Expr::SubQuery(None, Box::new(due.into()));
        all = all.add(due.binary(comparison, price(bound)?.0));
    }
    let mut select = Query::select();
    select
        .from(orders::Entity)
        .left_join(
            review_case::Entity,
            of_case(review_case::Column::OrderId).equals((orders::Entity, orders::Column::Id)),
        )
        .cond_where(all);
    Ok(select)
}

/// A cursor's value: the rank and the moment.
fn position((value, id): &(String, Uuid)) -> Result<Expr> {
    let invalid = || StoreError::BadCursor;
    let (rank, since) = value.split_once('|').ok_or_else(invalid)?;
    let rank: i32 = rank.parse().map_err(|_| invalid())?;
    let since = DateTime::parse_from_rfc3339(since).map_err(|_| invalid())?.with_timezone(&Utc);
    Ok(Expr::tuple([Expr::val(rank), Expr::val(since), Expr::val(*id)]))
}

/// A page of the queue.
pub async fn queue(
    store: &Store,
    actor: &Actor,
    filter: &QueueFilter,
    order: ReviewQueueOrder,
    keyset: Keyset,
) -> Result<Page<QueueEntry>> {
    let place = || -> Expr { Expr::tuple([rank(order), waiting(), of_order(orders::Column::Id)]) };
    let mut bounds = Condition::all();
    if let Some(after) = &keyset.after {
        bounds = bounds.add(place().binary(BinOper::GreaterThan, position(after)?));
    }
    if let Some(before) = &keyset.before {
        bounds = bounds.add(place().binary(BinOper::SmallerThan, position(before)?));
    }
    let direction = if keyset.backwards { Direction::Desc } else { Direction::Asc };
    let select = from(actor, filter)?
        .column((orders::Entity, orders::Column::Id))
        .expr_as(rank(order), "place")
        .expr_as(waiting(), "since")
        .cond_where(bounds)
        .order_by_expr(rank(order), direction.clone())
        .order_by_expr(waiting(), direction.clone())
        .order_by((orders::Entity, orders::Column::Id), direction)
        .limit(keyset.limit + 1)
        .take();
    let db = store.reader();
    let mut places: Vec<(Uuid, i32, DateTime<Utc>)> = Vec::new();
    for row in db.query_all(&select).await? {
        places.push((row.try_get("", "id")?, row.try_get("", "place")?, row.try_get("", "since")?));
    }
    if keyset.backwards {
        places.reverse();
    }
    let ids: Vec<Uuid> = places.iter().map(|(id, ..)| *id).collect();
    let found: Vec<Order> = load_many(db, &ids, false).await?;
    let mut found: HashMap<Uuid, Order> = found.into_iter().map(|order| (order.id.0, order)).collect();
    let of: Vec<OrderId> = ids.iter().copied().map(OrderId).collect();
    let reviews = of_orders(store, &of).await?;
    let mut reviews: HashMap<OrderId, _> = reviews.into_iter().map(|review| (review.order_id, review)).collect();
    let key = |(id, place, since): &(Uuid, i32, DateTime<Utc>)| {
        (format!("{place}|{}", since.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)), *id)
    };
    Page::cut(places, &keyset, key).map(|(id, ..)| {
        let order = found.remove(&id).ok_or(StoreError::NotFound)?;
        let review = reviews.remove(&order.id).map(Arc::new);
        Ok(QueueEntry { order: Arc::new(order), review })
    })
}

/// How many entries the queue has.
pub async fn count_queue(store: &Store, actor: &Actor, filter: &QueueFilter) -> Result<u64> {
    let select = from(actor, filter)?.expr_as(of_order(orders::Column::Id).count(), "number").take();
    let row = store.reader().query_one(&select).await?.ok_or(StoreError::NotFound)?;
    let number: i64 = row.try_get("", "number")?;
    Ok(u64::try_from(number).unwrap_or(0))
}
