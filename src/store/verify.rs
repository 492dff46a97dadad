//! `verify`: reads a database, live or not, and says which row breaks which invariant.

use std::collections::{BTreeMap, HashMap};

use entity::{
    access_key, access_restriction, allocation, bill_of_materials, channel_order, delivery, event, import_batch,
    order_change, orders, reservation, review_case, sales_channel, settlement_record, stock_item, stock_movement,
    stock_transfer, stocktake, ticket,
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionTrait};
use serde_json::Value;
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::Result;
use super::inventory::Replenishment;
use super::row::{among, from_price, from_quantity};
use super::{Store, log};
use crate::domain::access::AccessRestriction;
use crate::domain::access_key::AccessKey;
use crate::domain::allocation::Allocation;
use crate::domain::change::OrderChange;
use crate::domain::channel::SalesChannel;
use crate::domain::channel::order::ChannelOrder;
use crate::domain::delivery::Delivery;
use crate::domain::document::{document, fold};
use crate::domain::ids::OrderId;
use crate::domain::import::ImportBatch;
use crate::domain::invariants::{
    Findings, OrderPicture, Settled, StockSums, TransferSums, Violation, check_change, check_channel,
    check_channel_order, check_import, check_order, check_restriction, check_stock, check_stocktake, check_structure,
    check_transfer,
};
use crate::domain::inventory::{MovementKind, StockItem, StockTransfer, Stocktake};
use crate::domain::materials::BillOfMaterials;
use crate::domain::order::Order;
use crate::domain::review::ReviewCase;
use crate::domain::ticket::Ticket;

/// Aggregates looked at together; bounds the memory.
const BATCH: u64 = 200;

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Orders looked at.
    pub orders: u64,
    /// Stock items looked at.
    pub stock_items: u64,
    /// Events folded.
    pub events: u64,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

/// Checks every invariant, on one snapshot.
pub async fn verify(store: &Store) -> Result<Report> {
    // SQLite reads one snapshot anyway.
    let isolation = store.is_postgres().then_some(sea_orm::IsolationLevel::RepeatableRead);
    let db = store.reader().begin_with_config(isolation, None).await?;
    let outcome = verify_within(&db).await;
    db.rollback().await?;
    outcome
}

async fn verify_within(db: &DatabaseTransaction) -> Result<Report> {
    let mut findings = Findings::default();
    let mut report = Report { orders: verify_orders(db, &mut findings).await?, ..Report::default() };
    report.stock_items = verify_stock(db, &mut findings).await?;
    verify_transfers(db, &mut findings).await?;
    verify_each::<Stocktake, stocktake::Entity>(db, stocktake::Column::Id, &mut findings, check_stocktake).await?;
    verify_each::<AccessRestriction, access_restriction::Entity>(
        db,
        access_restriction::Column::Id,
        &mut findings,
        check_restriction,
    )
    .await?;
    verify_each::<SalesChannel, sales_channel::Entity>(db, sales_channel::Column::Id, &mut findings, check_channel)
        .await?;
    verify_channel_orders(db, &mut findings).await?;
    check_structure(&super::materials::whole(db).await?, &mut findings);
    verify_each::<ImportBatch, import_batch::Entity>(db, import_batch::Column::Id, &mut findings, check_import).await?;
    report.events += verify_history::<Order, orders::Entity>(db, orders::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<ReviewCase, review_case::Entity>(db, review_case::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<Allocation, allocation::Entity>(db, allocation::Column::Id, &mut findings).await?;
    report.events += verify_history::<StockItem, stock_item::Entity>(db, stock_item::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<StockTransfer, stock_transfer::Entity>(db, stock_transfer::Column::Id, &mut findings).await?;
    report.events += verify_history::<Stocktake, stocktake::Entity>(db, stocktake::Column::Id, &mut findings).await?;
    report.events += verify_history::<Delivery, delivery::Entity>(db, delivery::Column::Id, &mut findings).await?;
    report.events += verify_history::<Ticket, ticket::Entity>(db, ticket::Column::Id, &mut findings).await?;
    report.events += verify_history::<Replenishment, entity::replenishment_request::Entity>(
        db,
        entity::replenishment_request::Column::Id,
        &mut findings,
    )
    .await?;
    verify_each::<OrderChange, order_change::Entity>(db, order_change::Column::Id, &mut findings, check_change).await?;
    report.events +=
        verify_history::<OrderChange, order_change::Entity>(db, order_change::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<BillOfMaterials, bill_of_materials::Entity>(db, bill_of_materials::Column::Id, &mut findings)
            .await?;
    report.events += verify_history::<AccessRestriction, access_restriction::Entity>(
        db,
        access_restriction::Column::Id,
        &mut findings,
    )
    .await?;
    report.events +=
        verify_history::<ImportBatch, import_batch::Entity>(db, import_batch::Column::Id, &mut findings).await?;
    report.events += verify_history::<AccessKey, access_key::Entity>(db, access_key::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<SalesChannel, sales_channel::Entity>(db, sales_channel::Column::Id, &mut findings).await?;
    report.events +=
        verify_history::<ChannelOrder, channel_order::Entity>(db, channel_order::Column::Id, &mut findings).await?;
    log::verify(db, &mut findings).await?;
    report.violations = findings.0;
    Ok(report)
}

/// The next ids after one, in order.
async fn next_ids<E: EntityTrait>(
    db: &DatabaseTransaction,
    column: E::Column,
    after: Option<Uuid>,
) -> Result<Vec<Uuid>> {
    let mut query = E::find().select_only().column(column).order_by_asc(column).limit(BATCH);
    if let Some(after) = after {
        query = query.filter(column.gt(after));
    }
    Ok(query.into_tuple().all(db).await?)
}

async fn verify_orders(db: &DatabaseTransaction, findings: &mut Findings) -> Result<u64> {
    let mut count = 0;
    let mut after = None;
    loop {
        let ids = next_ids::<orders::Entity>(db, orders::Column::Id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(count);
        };
        after = Some(*last);
        count += u64::try_from(ids.len()).unwrap_or(0);
        let batch: Vec<Order> = load_many(db, &ids, false).await?;
        let allocations: Vec<Allocation> = load_of(
            db,
            allocation::Entity::find().filter(among(allocation::Column::OrderId, ids.clone())),
            allocation::Column::Id,
        )
        .await?;
        let deliveries: Vec<Delivery> = load_of(
            db,
            delivery::Entity::find().filter(among(delivery::Column::OrderId, ids.clone())),
            delivery::Column::Id,
        )
        .await?;
        let reviews: Vec<ReviewCase> = load_of(
            db,
            review_case::Entity::find().filter(among(review_case::Column::OrderId, ids.clone())),
            review_case::Column::Id,
        )
        .await?;
        let settled = settled(db, &ids).await?;
        for order in &batch {
            let of = |id: OrderId| id == order.id;
            let allocations: Vec<&Allocation> = allocations.iter().filter(|one| of(one.order_id)).collect();
            let deliveries: Vec<&Delivery> = deliveries.iter().filter(|one| of(one.order_id)).collect();
            let settled: Vec<Settled> =
                order.lines.iter().map(|line| settled.get(&line.id.0).copied().unwrap_or_default()).collect();
            let picture = OrderPicture {
                order,
                review: reviews.iter().find(|one| of(one.order_id)),
                allocations: &allocations,
                deliveries: &deliveries,
                settled: &settled,
            };
            check_order(&picture, findings);
        }
    }
}

async fn load_of<T: Aggregate, E: EntityTrait>(
    db: &DatabaseTransaction,
    query: sea_orm::Select<E>,
    id: E::Column,
) -> Result<Vec<T>> {
    let ids: Vec<Uuid> = query.select_only().column(id).into_tuple().all(db).await?;
    load_many(db, &ids, false).await
}

async fn settled(db: &DatabaseTransaction, orders: &[Uuid]) -> Result<HashMap<Uuid, Settled>> {
    let mut sums: HashMap<Uuid, Settled> = HashMap::new();
    for row in settlement_record::Entity::find()
        .filter(among(settlement_record::Column::OrderId, orders.to_vec()))
        .all(db)
        .await?
    {
        let sum = sums.entry(row.order_line_id).or_default();
        sum.quantity += from_quantity(row.quantity);
        sum.amount += from_price(row.amount);
    }
    Ok(sums)
}

async fn verify_stock(db: &DatabaseTransaction, findings: &mut Findings) -> Result<u64> {
    let mut count = 0;
    let mut after = None;
    loop {
        let ids = next_ids::<stock_item::Entity>(db, stock_item::Column::Id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(count);
        };
        after = Some(*last);
        count += u64::try_from(ids.len()).unwrap_or(0);
        let mut sums: BTreeMap<Uuid, StockSums> = BTreeMap::new();
        for row in stock_movement::Entity::find()
            .filter(among(stock_movement::Column::StockItemId, ids.clone()))
            .all(db)
            .await?
        {
            let sum = sums.entry(row.stock_item_id).or_default();
            sum.on_hand += from_quantity(row.on_hand_change);
            sum.reserved += from_quantity(row.reserved_change);
            sum.quality_hold += from_quantity(row.quality_hold_change);
        }
        for row in
            reservation::Entity::find().filter(among(reservation::Column::StockItemId, ids.clone())).all(db).await?
        {
            let one = super::allocation::reservation_part(row)?;
            sums.entry(one.stock_item_id.0).or_default().reservations += one.open();
        }
        for item in load_many::<StockItem>(db, &ids, false).await? {
            check_stock(&item, sums.get(&item.id.0).copied().unwrap_or_default(), findings);
        }
    }
}

async fn verify_transfers(db: &DatabaseTransaction, findings: &mut Findings) -> Result<()> {
    let mut after = None;
    loop {
        let ids = next_ids::<stock_transfer::Entity>(db, stock_transfer::Column::Id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = Some(*last);
        let mut sums: BTreeMap<Uuid, TransferSums> = BTreeMap::new();
        for row in stock_movement::Entity::find()
            .filter(among(stock_movement::Column::TransferId, ids.clone()))
            .all(db)
            .await?
        {
            let change = from_quantity(row.on_hand_change);
            let sum = sums.entry(row.transfer_id.unwrap_or_default()).or_default();
            if row.kind == MovementKind::TransferOut.code() { sum.out -= change } else { sum.arrived += change }
        }
        for transfer in load_many::<StockTransfer>(db, &ids, false).await? {
            check_transfer(&transfer, sums.get(&transfer.id.0).copied().unwrap_or_default(), findings);
        }
    }
}

async fn verify_channel_orders(db: &DatabaseTransaction, findings: &mut Findings) -> Result<()> {
    let mut after = None;
    loop {
        let ids = next_ids::<channel_order::Entity>(db, channel_order::Column::Id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = Some(*last);
        let told = load_many::<ChannelOrder>(db, &ids, false).await?;
        let orders: Vec<Uuid> = told.iter().map(|one| one.order_id.0).collect();
        let orders: Vec<Order> = load_many(db, &orders, false).await?;
        for one in &told {
            check_channel_order(one, orders.iter().find(|order| order.id == one.order_id), findings);
        }
    }
}

/// Checks every aggregate of a kind that can be checked by itself.
async fn verify_each<T: Aggregate, E: EntityTrait>(
    db: &DatabaseTransaction,
    id: E::Column,
    findings: &mut Findings,
    check: fn(&T, &mut Findings),
) -> Result<()> {
    let mut after = None;
    loop {
        let ids = next_ids::<E>(db, id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = Some(*last);
        for one in load_many::<T>(db, &ids, false).await? {
            check(&one, findings);
        }
    }
}

/// The state of every aggregate is the fold of its events, whose sequence is 1..n without a gap.
async fn verify_history<T: Aggregate, E: EntityTrait>(
    db: &DatabaseTransaction,
    id: E::Column,
    findings: &mut Findings,
) -> Result<u64> {
    let table = T::KIND.code();
    let mut count = 0;
    let mut after = None;
    loop {
        let ids = next_ids::<E>(db, id, after).await?;
        let Some(last) = ids.last() else {
            return Ok(count);
        };
        after = Some(*last);
        let mut histories: HashMap<Uuid, Vec<(i64, Value)>> = HashMap::new();
        let rows: Vec<(Uuid, i64, Value)> = event::Entity::find()
            .filter(among(event::Column::AggregateId, ids.clone()))
            .order_by_asc(event::Column::Sequence)
            .select_only()
            .columns([event::Column::AggregateId, event::Column::Sequence, event::Column::Changes])
            .into_tuple()
            .all(db)
            .await?;
        for (aggregate, sequence, changes) in rows {
            histories.entry(aggregate).or_default().push((sequence, changes));
            count += 1;
        }
        for aggregate in load_many::<T>(db, &ids, false).await? {
            let history = histories.remove(&aggregate.key()).unwrap_or_default();
            let dense = history.iter().zip(1..).all(|((sequence, _), expected)| *sequence == expected);
            let ends = history.last().map(|(sequence, _)| *sequence) == Some(aggregate.version());
            findings.expect(dense && ends, "SEQUENCE_WITHOUT_GAP", table, aggregate.key(), || {
                format!("version {} but {} events, not 1 to {0}", aggregate.version(), history.len())
            });
            let mut folded = Value::Null;
            for (_, changes) in &history {
                fold(&mut folded, changes);
            }
            let stored = document(&aggregate)?;
            findings.expect(folded == stored, "STATE_EQUALS_FOLD", table, aggregate.key(), || {
                let difference = crate::domain::document::difference(&folded, &stored);
                format!("the row differs from what its events say by {difference}")
            });
        }
    }
}
