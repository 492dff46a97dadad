//! What the clock finds to do about allocation.

use chrono::{DateTime, Utc};
use entity::{allocation, order_line, orders};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::allocation::AllocationStatus;
use crate::domain::ids::{AllocationId, OrderId};
use crate::domain::order::OrderStatus;
use crate::store::Store;
use crate::store::error::Result;

/// Orders that the clock may act on: under way, and stopped by no hold.
fn moving() -> Condition {
    let under_way = [OrderStatus::Approved.code(), OrderStatus::InProgress.code()];
    Condition::all()
        .add(orders::Column::Status.is_in(under_way))
        .add(orders::Column::Holds.eq(serde_json::Value::Array(Vec::new())))
}

/// Shares whose unit has not answered by a moment, those that have waited longest first.
pub async fn answers_due(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<AllocationId>> {
    let moving = Query::select().column(orders::Column::Id).from(orders::Entity).cond_where(moving()).take();
    let ids: Vec<Uuid> = allocation::Entity::find()
        // Literally what the partial index says, or no plan may use it.
        .filter(Expr::cust(format!("status = '{}'", AllocationStatus::Assigned.code())))
        .filter(allocation::Column::AcceptBy.lte(now))
        .filter(allocation::Column::OrderId.in_subquery(moving))
        .select_only()
        .column(allocation::Column::Id)
        .order_by_asc(allocation::Column::AcceptBy)
        .order_by_asc(allocation::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(ids.into_iter().map(AllocationId).collect())
}

/// Orders with quantities that no unit has and that the clock allocates by their rules, oldest first. What no
/// unit could take before waits until it is tried again.
pub async fn to_allocate(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<OrderId>> {
    let mut due = Condition::any();
    let mut some = false;
    for rules in store.rules().every(store.reader()).await? {
        let automatic = rules.allocation().automatic.clone();
        let mut cases = Condition::any();
        if automatic.approved {
            cases = cases.add(was_declined().not());
        }
        if automatic.declined {
            cases = cases.add(was_declined());
        }
        if !cases.is_empty() {
            some = true;
            due = due.add(Condition::all().add(orders::Column::RuleSetVersion.eq(rules.version)).add(cases));
        }
    }
    if !some {
        return Ok(Vec::new());
    }
    let open = Query::select()
        .column(order_line::Column::OrderId)
        .from(order_line::Entity)
        .and_where(Expr::cust("allocated < ordered - cancelled"))
        .take();
    let ids: Vec<Uuid> = orders::Entity::find()
        .filter(moving())
        .filter(orders::Column::Id.in_subquery(open))
        .filter(due)
        .filter(
            Condition::any()
                .add(orders::Column::AllocationRetryAt.is_null())
                .add(orders::Column::AllocationRetryAt.lte(now)),
        )
        .select_only()
        .column(orders::Column::Id)
        .order_by_asc(orders::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(ids.into_iter().map(OrderId).collect())
}

/// Did a unit decline a share of the order, or not answer for it?
fn was_declined() -> Expr {
    let shares = Query::select()
        .expr(Expr::val(1))
        .from(allocation::Entity)
        .and_where(
            Expr::col((allocation::Entity, allocation::Column::OrderId)).equals((orders::Entity, orders::Column::Id)),
        )
        .and_where(allocation::Column::Status.eq(AllocationStatus::Declined.code()))
        .take();
    Expr::exists(shares)
}
