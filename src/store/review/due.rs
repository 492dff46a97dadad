//! What of reviews is due, found by its state.

use chrono::{DateTime, Duration, Utc};
use entity::{orders, review_case};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::store::Store;
use crate::store::error::Result;
use crate::store::row::among;

/// Submitted orders that their rules let the clock look at, those that have waited longest first.
pub async fn due_for_the_clock(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<OrderId>> {
    let db = store.reader();
    let mut is_due = Condition::any();
    let mut any = false;
    for rules in store.rules().every(db).await? {
        let Some(automatic) = &rules.review.automatic else { continue };
        any = true;
        is_due = is_due.add(
            Condition::all()
                .add(orders::Column::RuleSetVersion.eq(rules.version))
                .add(among(orders::Column::Channel, automatic.channels.iter().map(|one| one.code())))
                .add(orders::Column::SubmittedAt.lte(now - Duration::minutes(automatic.after_minutes))),
        );
    }
    if !any {
        return Ok(Vec::new());
    }
    let found: Vec<Uuid> = orders::Entity::find()
        .filter(orders::Column::Status.eq(OrderStatus::Submitted.code()))
        .filter(is_due)
        .order_by_asc(orders::Column::SubmittedAt)
        .limit(limit)
        .select_only()
        .column(orders::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().map(OrderId).collect())
}

/// Orders whose submitters are to be reminded of a question.
pub async fn reminders_due(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<OrderId>> {
    questions(store, review_case::Column::RemindAt, now, limit).await
}

/// Orders whose questions should have been answered.
pub async fn answers_overdue(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<OrderId>> {
    questions(store, review_case::Column::DueAt, now, limit).await
}

async fn questions(store: &Store, moment: review_case::Column, now: DateTime<Utc>, limit: u64) -> Result<Vec<OrderId>> {
    // A question that was open when its order was cancelled stays open; it is nobody's any more.
    let select = Query::select()
        .column((orders::Entity, orders::Column::Id))
        .from(review_case::Entity)
        .inner_join(
            orders::Entity,
            Expr::col((orders::Entity, orders::Column::Id)).equals((review_case::Entity, review_case::Column::OrderId)),
        )
        .and_where(moment.lte(now))
        .and_where(orders::Column::Status.eq(OrderStatus::ClarificationRequested.code()))
        .order_by((review_case::Entity, moment), Order::Asc)
        .limit(limit)
        .take();
    let rows = store.reader().query_all(&select).await?;
    rows.into_iter().map(|row| Ok(OrderId(row.try_get("", "id")?))).collect()
}
