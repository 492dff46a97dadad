//! Allocations and their milestones. People outside the group see who works on their order and how
//! far it is, but not the units that declined it.

pub mod simulation;

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::allocation::{Allocation, AllocationDecision, AllocationStatus};
use crate::domain::ids::{AllocationDecisionId, AllocationId, MilestoneId, OrderId};
use crate::domain::order::Order;
use crate::store::allocation;

pub use crate::store::allocation::AllocationFilter;

/// A page of allocations.
pub async fn list(session: &Session, filter: &AllocationFilter, keyset: Keyset) -> Result<Page<Allocation>, Failure> {
    session.may_read("allocations")?;
    Ok(allocation::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many allocations the filter leaves.
pub async fn count(session: &Session, filter: &AllocationFilter) -> Result<u64, Failure> {
    session.may_read("allocations")?;
    Ok(allocation::count(session.app.store(), &session.actor, filter).await?)
}

/// Allocations by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[AllocationId]) -> Result<Vec<Allocation>, Failure> {
    if !readable(session, "order") {
        return Ok(Vec::new());
    }
    let found = allocation::by_ids(session.app.store(), &session.actor, ids).await?;
    Ok(presentable(session, found))
}

/// The allocations of orders, as far as they exist for the caller.
pub async fn of_orders(session: &Session, orders: &[OrderId]) -> Result<Vec<Allocation>, Failure> {
    let found = allocation::of_orders(session.app.store(), &session.actor, orders).await?;
    Ok(presentable(session, found))
}

/// The allocations that hold these milestones, as far as they exist for the caller.
pub async fn of_milestones(session: &Session, ids: &[MilestoneId]) -> Result<Vec<Allocation>, Failure> {
    if !readable(session, "order") {
        return Ok(Vec::new());
    }
    let found = allocation::of_milestones(session.app.store(), &session.actor, ids).await?;
    Ok(presentable(session, found))
}

/// Why shares went where they went; their allocations were found visible before.
pub async fn decisions(session: &Session, ids: &[AllocationDecisionId]) -> Result<Vec<AllocationDecision>, Failure> {
    if session.actor.is_external() {
        return Ok(Vec::new());
    }
    Ok(allocation::decisions(session.app.store(), ids).await?)
}

/// A page of the orders for which no unit was found, those that have waited longest first.
pub async fn unallocatable(session: &Session, keyset: Keyset) -> Result<Page<Order>, Failure> {
    session.may_read("unallocatableOrders")?;
    Ok(allocation::unallocatable(session.app.store(), &session.actor, keyset).await?)
}

/// How many they are.
pub async fn count_unallocatable(session: &Session) -> Result<u64, Failure> {
    session.may_read("unallocatableOrders")?;
    Ok(allocation::count_unallocatable(session.app.store(), &session.actor).await?)
}

/// Why no unit was found for orders that were found visible before.
pub async fn unallocatable_reasons(session: &Session, ids: &[OrderId]) -> Result<Vec<AllocationDecision>, Failure> {
    if session.actor.is_external() {
        return Ok(Vec::new());
    }
    Ok(allocation::unallocatable_reasons(session.app.store(), ids).await?)
}

pub(super) fn presentable(session: &Session, mut found: Vec<Allocation>) -> Vec<Allocation> {
    if session.actor.is_external() {
        found.retain(|one| !matches!(one.status, AllocationStatus::Declined | AllocationStatus::Superseded));
    }
    found
}
