//! Stock and its replenishment.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::{ReplenishmentRequestId, StockItemId, StockMovementId};
use crate::domain::inventory::{ReplenishmentRequest, StockItem, StockMovement};
use crate::store::inventory;

pub use crate::store::inventory::{ReplenishmentFilter, StockFilter};

/// A page of stock items.
pub async fn list(session: &Session, filter: &StockFilter, keyset: Keyset) -> Result<Page<StockItem>, Failure> {
    session.may_read("stockItems")?;
    Ok(inventory::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many stock items the filter leaves.
pub async fn count(session: &Session, filter: &StockFilter) -> Result<u64, Failure> {
    session.may_read("stockItems")?;
    Ok(inventory::count(session.app.store(), &session.actor, filter).await?)
}

/// Stock items by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[StockItemId]) -> Result<Vec<StockItem>, Failure> {
    if !readable(session, "stockItems") {
        return Ok(Vec::new());
    }
    Ok(inventory::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// A page of the movements of a stock item that was found visible before.
pub async fn movements(session: &Session, item: StockItemId, keyset: Keyset) -> Result<Page<StockMovement>, Failure> {
    Ok(inventory::movements(session.app.store(), item, keyset).await?)
}

/// Movements by id, as far as they exist for the caller.
pub async fn movements_by_ids(session: &Session, ids: &[StockMovementId]) -> Result<Vec<StockMovement>, Failure> {
    if !readable(session, "stockItems") {
        return Ok(Vec::new());
    }
    Ok(inventory::movements_by_ids(session.app.store(), &session.actor, ids).await?)
}

/// How many movements a stock item that was found visible before has.
pub async fn count_movements(session: &Session, item: StockItemId) -> Result<u64, Failure> {
    Ok(inventory::count_movements(session.app.store(), item).await?)
}

/// A page of replenishment requests.
pub async fn requests(
    session: &Session,
    filter: &ReplenishmentFilter,
    keyset: Keyset,
) -> Result<Page<ReplenishmentRequest>, Failure> {
    session.may_read("replenishmentRequests")?;
    Ok(inventory::requests(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many replenishment requests the filter leaves.
pub async fn count_requests(session: &Session, filter: &ReplenishmentFilter) -> Result<u64, Failure> {
    session.may_read("replenishmentRequests")?;
    Ok(inventory::count_requests(session.app.store(), &session.actor, filter).await?)
}

/// Replenishment requests by id, as far as they exist for the caller.
pub async fn requests_by_ids(
    session: &Session,
    ids: &[ReplenishmentRequestId],
) -> Result<Vec<ReplenishmentRequest>, Failure> {
    if !readable(session, "replenishmentRequests") {
        return Ok(Vec::new());
    }
    Ok(inventory::requests_by_ids(session.app.store(), &session.actor, ids).await?)
}
