//! What a command acts on, found, locked and loaded: the rows to lock in one statement, and in a second,
//! when nobody else can change them any more, everything that belongs to them.

use entity::{allocation, delivery, orders};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::aggregate::Aggregate;
use super::allocation::AllocationRows;
use super::error::{Result, StoreError};
use super::parts::{Parts, Wanted};
use super::row::{select_as, selected};
use super::scope;
use super::work::{Tracked, Work};
use crate::domain::allocation::Allocation;
use crate::domain::delivery::Delivery;
use crate::domain::order::Order;

/// How far from the order what is acted on lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Far {
    /// It is the order.
    Order,
    /// An allocation of it.
    Allocation,
    /// A delivery of an allocation of it.
    Delivery,
}

/// What was reached.
pub(super) struct Reached {
    pub(super) order: Tracked<Order>,
    pub(super) share: Option<Tracked<Allocation>>,
    pub(super) delivery: Option<Tracked<Delivery>>,
}

/// The orders that satisfy a condition, whoever may see them, with what is acted on.
///
/// Rows are locked from the order outwards, in the order in which the tables are named, and several
/// orders by their ids. Whoever had to wait for a lock gets the rows as they were left; what the
/// condition says must be of what never changes.
pub(super) async fn reach(work: &Work, far: Far, which: Condition) -> Result<Vec<Reached>> {
    let db = work.db().await?;
    let mut select = Query::select();
    select_as::<orders::Entity>(&mut select, "order_");
    select.from(orders::Entity);
    if far >= Far::Allocation {
        select_as::<allocation::Entity>(&mut select, "allocation_");
        let of_order = Expr::col((allocation::Entity, allocation::Column::OrderId));
        select.inner_join(allocation::Entity, of_order.equals((orders::Entity, orders::Column::Id)));
    }
    if far >= Far::Delivery {
        select_as::<delivery::Entity>(&mut select, "delivery_");
        let of_share = Expr::col((delivery::Entity, delivery::Column::AllocationId));
        select.inner_join(delivery::Entity, of_share.equals((allocation::Entity, allocation::Column::Id)));
    }
    select.cond_where(which).order_by((orders::Entity, orders::Column::Id), sea_orm::Order::Asc).lock_exclusive();
    let rows = db.query_all(&select).await?;
    let mut roots = Vec::new();
    let mut wanted = Wanted::default();
    for row in &rows {
        let order = orders::Model::from_query_result(row, "order_")?;
        let share: Option<allocation::Model> =
            if far >= Far::Allocation { selected(row, "allocation_")? } else { None };
        let delivery: Option<delivery::Model> = if far >= Far::Delivery { selected(row, "delivery_")? } else { None };
        // Several allocations may be of the same order.
        if wanted.orders.last() != Some(&order.id) {
            wanted.orders.push(order.id);
        }
        wanted.allocations.extend(share.as_ref().map(|share| share.id));
        wanted.deliveries.extend(delivery.as_ref().map(|delivery| delivery.id));
        roots.push((order, share, delivery));
    }
    let mut parts = Parts::of(db, wanted).await?;
    let mut reached = Vec::new();
    for (order, share, delivery) in roots {
        let lines = parts.order_lines.get(&order.id).cloned().unwrap_or_default();
        let order = Order::from_rows((order, lines))?;
        let share = share.map(|root| Allocation::from_rows(AllocationRows::of(root, &mut parts))).transpose()?;
        let delivery = delivery.map(|root| {
            let lines = parts.delivery_lines.remove(&root.id).unwrap_or_default();
            Delivery::from_rows((root, lines))
        });
        reached.push(Reached {
            order: Tracked::loaded(order),
            share: share.map(Tracked::loaded),
            delivery: delivery.transpose()?.map(Tracked::loaded),
        });
    }
    work.know_parties(reached.iter().map(|one| &*one.order), &parts.shares);
    Ok(reached)
}

/// The same for what lies at one order that exists for the caller.
pub(super) async fn reach_one(work: &Work, far: Far, which: Condition) -> Result<Reached> {
    let visible = which.add(scope::orders(&work.actor().scope));
    reach(work, far, visible).await?.pop().ok_or(StoreError::NotFound)
}
