//! Reviews, and the rules an order is handled under.

use super::{Keyset, Page};
use crate::app::{Failure, Session};
use crate::domain::ids::OrderId;
use crate::domain::money;
use crate::domain::review::{QueueEntry, ReviewCase};
use crate::domain::rules::RuleSet;
use crate::store::{reference, review};

pub use crate::store::review::{QueueFilter, ReviewQueueOrder};

/// Amounts are looked for as they are kept.
fn check(filter: &QueueFilter) -> Result<(), Failure> {
    if [filter.amount_from, filter.amount_to].into_iter().flatten().all(money::is_price) {
        return Ok(());
    }
    Err(Failure::BadInput("An amount is not negative and has at most four decimals.".to_owned()))
}

/// A page of the queue of reviews.
pub async fn queue(
    session: &Session,
    filter: &QueueFilter,
    order: ReviewQueueOrder,
    keyset: Keyset,
) -> Result<Page<QueueEntry>, Failure> {
    session.may_read("reviewQueue")?;
    check(filter)?;
    Ok(review::queue(session.app.store(), &session.actor, filter, order, keyset).await?)
}

/// How many entries the filter leaves.
pub async fn count_queue(session: &Session, filter: &QueueFilter) -> Result<u64, Failure> {
    session.may_read("reviewQueue")?;
    check(filter)?;
    Ok(review::count_queue(session.app.store(), &session.actor, filter).await?)
}

/// The reviews of orders that were found visible before.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<ReviewCase>, Failure> {
    Ok(review::of_orders(session.app.store(), orders).await?)
}

/// Versions of the rules. A page of orders spans one or two versions, so each is read by itself.
pub async fn rules(session: &Session, versions: &[i32]) -> Result<Vec<RuleSet>, Failure> {
    let mut found = Vec::with_capacity(versions.len());
    for version in versions {
        found.push(reference::rules(session.app.store().reader(), *version).await?);
    }
    Ok(found)
}
