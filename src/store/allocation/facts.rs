//! What the rules of allocation must know of every executing unit, read at once.

use chrono::{DateTime, NaiveTime, Utc};
use entity::{allocation, allocation_line, stock_item};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::allocation::{AllocationStatus, Available, Demand, UnitFacts};
use crate::domain::ids::{OrderId, OrderLineId, ProductId, UnitId};
use crate::domain::money::QUANTITY_SCALE;
use crate::domain::order::Order;
use crate::domain::reference::{Unit, UnitKind};
use crate::store::error::Result;
use crate::store::reference;
use crate::store::row::{among, from_quantity};

/// What is wanted, and what is known of every unit that might take it.
#[derive(Clone, Debug)]
pub struct Situation {
    /// What is wanted.
    pub demand: Demand,
    /// Every executing unit, by code.
    pub units: Vec<UnitFacts>,
}

/// What an order wants, and what is known of the units, within a transaction.
pub async fn of_order(
    reference: &impl ConnectionTrait,
    db: &impl ConnectionTrait,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<Situation> {
    let group = reference::customer_by_id(reference, order.customer_id).await?.group;
    let demand = Demand::of(order, group, now.date_naive());
    let units = known_units(reference, db, Some(order.id), &products(order), now).await?;
    Ok(Situation { demand, units })
}

/// The same for an order that nobody has placed.
pub async fn of_wishes(db: &impl ConnectionTrait, demand: Demand, now: DateTime<Utc>) -> Result<Situation> {
    let products: Vec<(ProductId, String)> =
        demand.lines.iter().map(|line| (line.product_id, line.sku.clone())).collect();
    let units = known_units(db, db, None, &products, now).await?;
    Ok(Situation { demand, units })
}

fn products(order: &Order) -> Vec<(ProductId, String)> {
    order.lines.iter().filter_map(|line| Some((line.product_id?, line.sku.clone()?))).collect()
}

async fn known_units(
    reference: &impl ConnectionTrait,
    db: &impl ConnectionTrait,
    order: Option<OrderId>,
    products: &[(ProductId, String)],
    now: DateTime<Utc>,
) -> Result<Vec<UnitFacts>> {
    let units = reference::all_units(reference).await?;
    let loads = loads(db, now).await?;
    let declined = match order {
        Some(order) => declined(db, order).await?,
        None => Vec::new(),
    };
    let stock: Vec<stock_item::Model> = stock_item::Entity::find()
        .filter(among(stock_item::Column::ProductId, products.iter().map(|(id, _)| id.0)))
        .all(db)
        .await?;
    let mut facts = Vec::new();
    for unit in units.iter().filter(|unit| !unit.capabilities.is_empty()) {
        let warehouse_id = warehouse(&units, unit);
        let mut available: Vec<Available> = stock
            .iter()
            .filter(|item| Some(UnitId(item.warehouse_id)) == warehouse_id)
            .map(|item| {
                let bound = from_quantity(item.reserved) + from_quantity(item.quality_hold);
                let quantity = (from_quantity(item.on_hand) - bound).normalize();
                Available { product_id: item.product_id.into(), sku: item.sku.clone(), quantity }
            })
            .collect();
        available.sort_by(|one, other| one.sku.cmp(&other.sku));
        let load = loads.iter().find(|load| load.unit == unit.id.0);
        facts.push(UnitFacts {
            unit_id: unit.id,
            code: unit.code.clone(),
            capabilities: unit.capabilities.clone(),
            regions: unit.regions.clone(),
            warehouse_id,
            open_allocations: load.map_or(0, |load| load.open),
            open_quantity: load
                .map_or(Decimal::ZERO, |load| Decimal::new(load.open_quantity, QUANTITY_SCALE).normalize()),
            allocations_today: load.map_or(0, |load| load.today),
            available,
            declined: declined.iter().filter(|(id, _)| *id == unit.id.0).map(|(_, line)| OrderLineId(*line)).collect(),
        });
    }
    Ok(facts)
}

/// A unit's stock lies in the first warehouse below it.
fn warehouse(units: &[Unit], unit: &Unit) -> Option<UnitId> {
    let below =
        units.iter().filter(|other| other.kind == UnitKind::Warehouse && reference::is_below(units, other.id, unit.id));
    below.min_by(|one, other| one.code.cmp(&other.code)).map(|warehouse| warehouse.id)
}

/// What a unit is at work on, and what it was given today.
struct Load {
    unit: Uuid,
    open: i64,
    /// In thousandths.
    open_quantity: i64,
    today: i64,
}

/// The load of every unit that has any.
async fn loads(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Load>> {
    let midnight = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let ended = AllocationStatus::ENDED.iter().map(|status| status.code());
    let ended: Vec<&str> = ended.chain([AllocationStatus::Closed.code()]).collect();
    let id = || Expr::col((allocation::Entity, allocation::Column::Id));
    let is_open = || allocation::Column::Status.is_not_in(ended.clone());
    let is_new = || allocation::Column::AssignedAt.gte(midnight);
    let quantity = Expr::col((allocation_line::Entity, allocation_line::Column::Quantity));
    let unit = (allocation::Entity, allocation::Column::UnitId);
    let mut select = Query::select();
    select
        .column(unit)
        .expr(Expr::case(is_open(), id()).count_distinct())
        // PostgreSQL sums into a wider type.
        .expr(Expr::case(is_open(), quantity).finally(0).sum().cast_as(Alias::new("bigint")))
        .expr(Expr::case(is_new(), id()).count_distinct())
        .from(allocation::Entity)
        .inner_join(
            allocation_line::Entity,
            id().equals((allocation_line::Entity, allocation_line::Column::AllocationId)),
        )
        .cond_where(Condition::any().add(is_open()).add(is_new()))
        .group_by_col(unit);
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(Load {
                unit: row.try_get_by_index(0)?,
                open: row.try_get_by_index(1)?,
                open_quantity: row.try_get_by_index(2)?,
                today: row.try_get_by_index(3)?,
            })
        })
        .collect()
}

/// The lines of an order that units declined.
async fn declined(db: &impl ConnectionTrait, order: OrderId) -> Result<Vec<(Uuid, Uuid)>> {
    let mut select = Query::select();
    select
        .distinct()
        .column((allocation::Entity, allocation::Column::UnitId))
        .column((allocation_line::Entity, allocation_line::Column::OrderLineId))
        .from(allocation::Entity)
        .inner_join(
            allocation_line::Entity,
            Expr::col((allocation::Entity, allocation::Column::Id))
                .equals((allocation_line::Entity, allocation_line::Column::AllocationId)),
        )
        .and_where(allocation::Column::OrderId.eq(order.0))
        .and_where(allocation::Column::Status.eq(AllocationStatus::Declined.code()))
        .order_by((allocation_line::Entity, allocation_line::Column::OrderLineId), sea_orm::Order::Asc);
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}
