//! Stock and its replenishment.

use chrono::{DateTime, Duration, Utc};

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::{ReplenishmentRequestId, StockItemId, StockMovementId, StockTransferId, StocktakeId};
use crate::domain::inventory::{
    Coming, Place, ReplenishmentRequest, StockFigures, StockItem, StockMovement, StockTransfer, Stocktake,
};
use crate::store::inventory;

pub use crate::store::inventory::{
    ProductStock, ProductStockFilter, QueueFilter, ReplenishmentFilter, StockFilter, StocktakeFilter, TransferFilter,
};

/// Days an inventory report may span.
const LONGEST_REPORT: i64 = 3_660;

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

/// A page of transfers between warehouses.
pub async fn transfers(
    session: &Session,
    filter: &TransferFilter,
    keyset: Keyset,
) -> Result<Page<StockTransfer>, Failure> {
    session.may_read("stockTransfers")?;
    Ok(inventory::transfers(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many transfers between warehouses the filter leaves.
pub async fn count_transfers(session: &Session, filter: &TransferFilter) -> Result<u64, Failure> {
    session.may_read("stockTransfers")?;
    Ok(inventory::count_transfers(session.app.store(), &session.actor, filter).await?)
}

/// Transfers by id, as far as they exist for the caller.
pub async fn transfers_by_ids(session: &Session, ids: &[StockTransferId]) -> Result<Vec<StockTransfer>, Failure> {
    if !readable(session, "stockTransfers") {
        return Ok(Vec::new());
    }
    Ok(inventory::transfers_by_ids(session.app.store(), &session.actor, ids).await?)
}

/// A page of stocktakes.
pub async fn stocktakes(
    session: &Session,
    filter: &StocktakeFilter,
    keyset: Keyset,
) -> Result<Page<Stocktake>, Failure> {
    session.may_read("stocktakes")?;
    Ok(inventory::stocktakes(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many stocktakes the filter leaves.
pub async fn count_stocktakes(session: &Session, filter: &StocktakeFilter) -> Result<u64, Failure> {
    session.may_read("stocktakes")?;
    Ok(inventory::count_stocktakes(session.app.store(), &session.actor, filter).await?)
}

/// Stocktakes by id, as far as they exist for the caller.
pub async fn stocktakes_by_ids(session: &Session, ids: &[StocktakeId]) -> Result<Vec<Stocktake>, Failure> {
    if !readable(session, "stocktakes") {
        return Ok(Vec::new());
    }
    Ok(inventory::stocktakes_by_ids(session.app.store(), &session.actor, ids).await?)
}

/// A page of those who wait.
pub async fn queue(session: &Session, filter: &QueueFilter, keyset: Keyset) -> Result<Page<Place>, Failure> {
    session.may_read("backorders")?;
    Ok(inventory::queue(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many those who wait the filter leaves.
pub async fn count_queue(session: &Session, filter: &QueueFilter) -> Result<u64, Failure> {
    session.may_read("backorders")?;
    Ok(inventory::count_queue(session.app.store(), &session.actor, filter).await?)
}

/// A page of products' stock.
pub async fn products(
    session: &Session,
    filter: &ProductStockFilter,
    keyset: Keyset,
) -> Result<Page<ProductStock>, Failure> {
    session.may_read("productStock")?;
    Ok(inventory::of_products(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many products' stock the filter leaves.
pub async fn count_products(session: &Session, filter: &ProductStockFilter) -> Result<u64, Failure> {
    session.may_read("productStock")?;
    Ok(inventory::count_products(session.app.store(), &session.actor, filter).await?)
}

/// What is known to be coming for stock items that were found visible before.
pub async fn incoming(session: &Session, items: &[StockItemId]) -> Result<Vec<(StockItemId, Coming)>, Failure> {
    let coming = inventory::incoming(session.app.store(), items).await?;
    Ok(coming.into_iter().flat_map(|(item, all)| all.into_iter().map(move |one| (item, one))).collect())
}

/// A page of stock items with what the movements of a time say of them.
pub async fn report(
    session: &Session,
    filter: &StockFilter,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    keyset: Keyset,
) -> Result<Page<StockFigures>, Failure> {
    session.may_read("inventoryReport")?;
    if from >= to || to - from > Duration::days(LONGEST_REPORT) {
        return Err(Failure::BadInput(format!("A report spans a time of at most {LONGEST_REPORT} days.")));
    }
    let store = session.app.store();
    let page = inventory::list(store, &session.actor, filter, keyset).await?;
    let (has_next, has_previous) = (page.has_next, page.has_previous);
    let (keys, items): (Vec<_>, Vec<_>) = page.items.into_iter().unzip();
    let figures = inventory::figures(store, items, from, to).await?;
    Ok(Page { items: keys.into_iter().zip(figures).collect(), has_next, has_previous })
}

/// How many stock items a report is about.
pub async fn count_report(session: &Session, filter: &StockFilter) -> Result<u64, Failure> {
    session.may_read("inventoryReport")?;
    Ok(inventory::count(session.app.store(), &session.actor, filter).await?)
}
