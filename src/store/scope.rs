//! Scope as SQL: what does not exist for a caller is not found by any query.

use entity::{
    access_key, allocation, allocation_decision, delivery, event, import_batch, order_change, orders, sales_channel,
    stock_item, stock_transfer, stocktake, ticket,
};
use sea_orm::sea_query::{Condition, Expr, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, Iden};
use uuid::Uuid;

use super::work::Saved;
use crate::domain::actor::{Actor, Scope};
use crate::domain::allocation::AllocationStatus;
use crate::domain::ids::{OrderId, UnitId};

fn nothing() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
}

fn unit_ids(units: &[UnitId]) -> Vec<Uuid> {
    units.iter().map(|unit| unit.0).collect()
}

/// Orders that exist for the scope.
pub fn orders(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Customer(id) => Condition::all().add(orders::Column::CustomerId.eq(id.0)),
        Scope::Account(account) => Condition::all().add(orders::Column::Account.eq(account.as_str())),
        Scope::Order(id) => Condition::all().add(orders::Column::Id.eq(id.0)),
        Scope::Units(units) => Condition::all().add(orders::Column::Id.in_subquery(orders_of_units(&unit_ids(units)))),
        Scope::Nothing => nothing(),
    }
}

fn orders_of_units(units: &[Uuid]) -> SelectStatement {
    let ended: Vec<&str> = AllocationStatus::ENDED.iter().map(|status| status.code()).collect();
    Query::select()
        .column(allocation::Column::OrderId)
        .from(allocation::Entity)
        .and_where(allocation::Column::UnitId.is_in(units.to_vec()))
        .and_where(allocation::Column::Status.is_not_in(ended))
        .take()
}

fn in_visible_orders(column: impl ColumnTrait + Iden, scope: &Scope) -> SimpleExpr {
    let visible = Query::select()
        .column((orders::Entity, orders::Column::Id))
        .from(orders::Entity)
        .cond_where(orders(scope))
        .take();
    column.in_subquery(visible)
}

/// Allocations that exist for the scope: a unit keeps sight of its own, also when they ended.
pub fn allocations(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::all().add(allocation::Column::UnitId.is_in(unit_ids(units))),
        Scope::Nothing => nothing(),
        other => Condition::all().add(in_visible_orders(allocation::Column::OrderId, other)),
    }
}

/// Decisions on allocation that exist for the scope: those about its orders.
pub fn decisions(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Nothing => nothing(),
        other => Condition::all().add(in_visible_orders(allocation_decision::Column::OrderId, other)),
    }
}

/// Deliveries that exist for the scope.
pub fn deliveries(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Nothing => nothing(),
        other => Condition::all().add(in_visible_orders(delivery::Column::OrderId, other)),
    }
}

/// Changes of orders that exist for the scope: whoever sees an order sees what is negotiated about it.
pub fn changes(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Nothing => nothing(),
        other => Condition::all().add(in_visible_orders(order_change::Column::OrderId, other)),
    }
}

/// Which of the things a command has just saved exist for the scope, as far as that can be told from
/// them alone. A command has found them within its scope, so that only shares that moved or ended, and
/// the orders of units that had them, may not.
pub fn of_saved(scope: &Scope, saved: &[Saved]) -> Vec<bool> {
    let has_share = |units: &[UnitId], order: OrderId| {
        saved.iter().any(|one| {
            matches!(one, Saved::Allocation(share) if share.order_id == order
                && units.contains(&share.unit_id) && !AllocationStatus::ENDED.contains(&share.status))
        })
    };
    let exists = |one: &Saved| match (scope, one) {
        (Scope::All, _) => true,
        (Scope::Nothing, _) => false,
        (Scope::Units(units), Saved::Order(order)) => has_share(units, order.id),
        (Scope::Units(units), Saved::Delivery(delivery)) => has_share(units, delivery.order_id),
        (Scope::Units(units), Saved::Allocation(share)) => units.contains(&share.unit_id),
        (Scope::Units(units), Saved::StockItem(item)) => units.contains(&item.warehouse_id),
        (Scope::Customer(_) | Scope::Account(_) | Scope::Order(_), Saved::StockItem(_)) => false,
        (Scope::Customer(id), Saved::Order(order)) => order.customer_id == *id,
        (Scope::Account(account), Saved::Order(order)) => order.account.as_ref() == Some(account),
        (Scope::Order(id), Saved::Order(order)) => order.id == *id,
        (Scope::Customer(_) | Scope::Account(_) | Scope::Order(_), Saved::Allocation(_) | Saved::Delivery(_)) => true,
    };
    saved.iter().map(exists).collect()
}

/// Tickets that exist for the scope: a team sees its own and those of its orders.
pub fn tickets(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Nothing => nothing(),
        Scope::Units(units) => Condition::any()
            .add(ticket::Column::TeamId.is_in(unit_ids(units)))
            .add(in_visible_orders(ticket::Column::OrderId, scope)),
        other => Condition::all().add(in_visible_orders(ticket::Column::OrderId, other)),
    }
}

/// Stock that exists for the scope: the group's own people only.
pub fn stock(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::all().add(stock_item::Column::WarehouseId.is_in(unit_ids(units))),
        _ => nothing(),
    }
}

/// Transfers that exist for the scope: those from and to its warehouses.
pub fn transfers(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::any()
            .add(stock_transfer::Column::FromWarehouseId.is_in(unit_ids(units)))
            .add(stock_transfer::Column::ToWarehouseId.is_in(unit_ids(units))),
        _ => nothing(),
    }
}

/// Stocktakes that exist for the scope: those of its warehouses.
pub fn stocktakes(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::all().add(stocktake::Column::WarehouseId.is_in(unit_ids(units))),
        _ => nothing(),
    }
}

/// Restrictions of access that exist for the scope: those of the head unit see all, others none.
pub fn restrictions(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        _ => nothing(),
    }
}

/// Imports that exist for the scope: a partner's own, and those of a unit and below.
pub fn imports(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::all().add(import_batch::Column::UnitId.is_in(unit_ids(units))),
        Scope::Account(account) => Condition::all().add(import_batch::Column::Account.eq(account.as_str())),
        _ => nothing(),
    }
}

/// Access keys that exist for the scope: tracking links of the orders that do, and the keys of the own
/// channel account. Whoever holds a tracking link sees none.
pub fn access_keys(scope: &Scope) -> Condition {
    let links = in_visible_orders(access_key::Column::OrderId, scope);
    match scope {
        Scope::All => Condition::all(),
        Scope::Account(account) => Condition::any().add(access_key::Column::Account.eq(account.as_str())).add(links),
        Scope::Customer(_) | Scope::Units(_) => Condition::all().add(links),
        Scope::Order(_) | Scope::Nothing => nothing(),
    }
}

/// Channels that exist for the scope: a unit's own, for the group's own people.
pub fn channels(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Units(units) => Condition::all().add(sales_channel::Column::UnitId.is_in(unit_ids(units))),
        _ => nothing(),
    }
}

/// Events that exist for the actor. People outside the group learn of public events only.
pub fn events(actor: &Actor) -> Condition {
    let visible = match &actor.scope {
        Scope::All => Condition::all(),
        Scope::Customer(id) => Condition::all().add(event::Column::CustomerId.eq(id.0)),
        Scope::Account(account) => Condition::all().add(event::Column::Account.eq(account.as_str())),
        Scope::Order(id) => Condition::all().add(event::Column::OrderId.eq(id.0)),
        Scope::Units(units) => Condition::any()
            .add(event::Column::UnitId.is_in(unit_ids(units)))
            .add(event::Column::OrderId.in_subquery(orders_of_units(&unit_ids(units)))),
        Scope::Nothing => nothing(),
    };
    if actor.is_external() { Condition::all().add(visible).add(event::Column::Public.eq(true)) } else { visible }
}
