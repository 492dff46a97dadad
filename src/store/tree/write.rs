//! The statement for what is wanted.

use entity::{
    allocation, allocation_decision, allocation_line, backorder, component, customer, delivery, delivery_line, event,
    inspection, milestone, order_line, orders, product, reservation, review_case, settlement_record, ticket,
    tracking_event,
};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, Statement};

use super::levels::Level;
use super::slots::Absent;
use super::statement::{Builder, Layout};
use super::wanted::{AllocationParts, Properties, Roots, Wanted};
use crate::domain::actor::Actor;
use crate::domain::reference::ProductKind;
use crate::store::error::Result;
use crate::store::order::{self, OrderKey, OrderSortField};
use crate::store::page::{Keyset, typed};
use crate::store::scope;

/// The numbers under which the sets are answered.
pub mod tag {
    pub const ORDERS: i64 = 0;
    pub const TOTAL: i64 = 1;
    pub const LINES: i64 = 2;
    pub const CUSTOMERS: i64 = 3;
    pub const PRODUCTS: i64 = 4;
    pub const COMPONENTS: i64 = 5;
    pub const COMPONENT_PRODUCTS: i64 = 6;
    pub const REVIEWS: i64 = 7;
    pub const ALLOCATIONS: i64 = 8;
    pub const ALLOCATION_LINES: i64 = 9;
    pub const MILESTONES: i64 = 10;
    pub const RESERVATIONS: i64 = 11;
    pub const BACKORDERS: i64 = 12;
    pub const INSPECTIONS: i64 = 13;
    pub const DECISIONS: i64 = 14;
    pub const DELIVERIES: i64 = 15;
    pub const DELIVERY_LINES: i64 = 16;
    pub const REPORTS: i64 = 17;
    pub const TICKETS: i64 = 18;
    pub const SETTLEMENT: i64 = 19;
    /// One for each way in which histories are asked for.
    pub const FIRST_TIMELINE: i64 = 20;
}

/// The orders of every other set.
const ORDER_IDS: &str = "SELECT id FROM o";

/// Writes the statement. What belongs to an order that exists for the actor is reached over that order;
/// allocations and events have a scope of their own besides.
pub fn statement(is_postgres: bool, actor: &Actor, roots: &Roots, wanted: &Wanted) -> Result<(Statement, Layout)> {
    let mut sql = Builder::new(is_postgres);
    write_roots(&mut sql, actor, roots, wanted)?;
    if let (true, Roots::Page { filter, .. }) = (wanted.total, roots) {
        sql.set("total", |sql| {
            sql.push("SELECT count(*) AS number FROM orders WHERE ");
            sql.condition(&order::condition(actor, filter));
        });
        sql.answer(tag::TOTAL, "total", &[], Absent::default(), &["number"]);
    }
    if let Some(properties) = &wanted.lines {
        let mut kept = vec!["order_id", "line_number"];
        if wanted.products.is_some() {
            kept.push("product_id");
        }
        let absent = others::<order_line::Model>(properties, &kept);
        of_without::<order_line::Model>(&mut sql, tag::LINES, "l", "order_id", ORDER_IDS, absent);
    }
    if wanted.customers {
        of::<customer::Model>(&mut sql, tag::CUSTOMERS, "c", "id", "SELECT customer_id FROM o");
    }
    if wanted.reviews {
        of::<review_case::Model>(&mut sql, tag::REVIEWS, "r", "order_id", ORDER_IDS);
    }
    if let Some(parts) = wanted.allocations {
        write_allocations(&mut sql, actor, parts, wanted);
        if wanted.decisions {
            let ids = "SELECT decision_id FROM a";
            of::<allocation_decision::Model>(&mut sql, tag::DECISIONS, "ad", "id", ids);
        }
    }
    if let Some(properties) = &wanted.products {
        write_products(&mut sql, wanted, properties);
    }
    if let Some(properties) = &wanted.deliveries {
        let absent = others::<delivery::Model>(properties, &["order_id"]);
        of_without::<delivery::Model>(&mut sql, tag::DELIVERIES, "d", "order_id", ORDER_IDS, absent);
        let ids = "SELECT id FROM d";
        if wanted.delivery_lines {
            of::<delivery_line::Model>(&mut sql, tag::DELIVERY_LINES, "dl", "delivery_id", ids);
        }
        if wanted.reports {
            of::<tracking_event::Model>(&mut sql, tag::REPORTS, "dr", "delivery_id", ids);
        }
    }
    if wanted.tickets {
        of::<ticket::Model>(&mut sql, tag::TICKETS, "t", "order_id", ORDER_IDS);
    }
    if wanted.settlement {
        of::<settlement_record::Model>(&mut sql, tag::SETTLEMENT, "s", "order_id", ORDER_IDS);
    }
    for (tag, keyset) in (tag::FIRST_TIMELINE..).zip(&wanted.timelines) {
        write_timeline(&mut sql, tag, actor, keyset, wanted.changes)?;
    }
    Ok(sql.finish())
}

/// A table's rows that belong to a set before it.
fn of<M: Level>(sql: &mut Builder, tag: i64, name: &'static str, column: &str, ids: &str) {
    of_without::<M>(sql, tag, name, column, ids, Absent::default());
}

/// The same without some of their columns.
fn of_without<M: Level>(sql: &mut Builder, tag: i64, name: &'static str, column: &str, ids: &str, absent: Absent) {
    sql.set(name, |sql| {
        sql.push("SELECT ");
        sql.names(M::columns(), absent);
        sql.push(" FROM ");
        sql.push(M::TABLE);
        sql.push(" WHERE ");
        sql.among(column, ids);
    });
    sql.answer(tag, name, M::columns(), absent, &[]);
}

/// The columns that need not be read: neither asked for nor kept for the reading itself.
fn others<M: Level>(wanted: &Properties, kept: &[&str]) -> Absent {
    Absent::those(M::columns(), |name| name != "id" && !kept.contains(&name) && !wanted.has(name))
}

fn write_roots(sql: &mut Builder, actor: &Actor, roots: &Roots, wanted: &Wanted) -> Result<()> {
    let mut kept = Vec::new();
    if wanted.customers {
        kept.push("customer_id");
    }
    if let Roots::Page { sort: (field, _), .. } = roots {
        kept.push(sort_column(*field).0);
    }
    let absent = Absent::those(orders::Model::columns(), |name| match name {
        "id" => false,
        // These are there for the database alone.
        "digest" | "fingerprint" | "search" => true,
        name => !kept.contains(&name) && !wanted.orders.has(name),
    });
    match roots {
        Roots::One(key) => {
            let condition = scope::orders(&actor.scope).add(match key {
                OrderKey::Id(id) => Condition::all().add(orders::Column::Id.eq(id.0)),
                OrderKey::Number(number) => Condition::all().add(orders::Column::Number.eq(number)),
                OrderKey::ExternalReference { channel, account, reference } => Condition::all()
                    .add(orders::Column::Channel.eq(channel.code()))
                    .add(orders::Column::ExternalReference.eq(reference))
                    .add_option(account.as_ref().map(|account| orders::Column::Account.eq(account.as_str()))),
            });
            sql.set("o", |sql| {
                sql.push("SELECT ");
                sql.names(orders::Model::columns(), absent);
                sql.push(", 1 AS place FROM orders WHERE ");
                sql.condition(&condition);
            });
        }
        Roots::Page { filter, sort: (field, descending), keyset } => {
            let (name, column) = sort_column(*field);
            // Cursors are looked into first: writing can't fail halfway.
            let bounds = Bounds::of(keyset, column)?;
            sql.set("o", |sql| {
                sql.push("SELECT page.*, row_number() OVER (");
                order_by(sql, "page", name, "id", *descending);
                sql.push(") AS place FROM (SELECT ");
                sql.names(orders::Model::columns(), absent);
                sql.push(" FROM orders WHERE ");
                sql.condition(&order::condition(actor, filter));
                bounds.write(sql, &format!("(orders.{name}, orders.id)"), *descending);
                sql.push(" ");
                order_by(sql, "orders", name, "id", *descending != keyset.backwards);
                // A number, not a value: the plan depends on it.
                sql.push(&format!(" LIMIT {}) AS page", keyset.limit + 1));
            });
        }
    }
    sql.answer(tag::ORDERS, "o", orders::Model::columns(), absent, &["place"]);
    Ok(())
}

const fn sort_column(field: OrderSortField) -> (&'static str, orders::Column) {
    match field {
        OrderSortField::SubmittedAt => ("submitted_at", orders::Column::SubmittedAt),
        OrderSortField::RequiredBy => ("required_by", orders::Column::RequiredBy),
        OrderSortField::Number => ("number", orders::Column::Number),
    }
}

fn order_by(sql: &mut Builder, table: &str, first: &str, second: &str, descending: bool) {
    let direction = if descending { " DESC" } else { "" };
    sql.push(&format!("ORDER BY {table}.{first}{direction}, {table}.{second}{direction}"));
}

/// Between which rows a page lies.
struct Bounds {
    after: Option<[sea_orm::Value; 2]>,
    before: Option<[sea_orm::Value; 2]>,
}

impl Bounds {
    fn of(keyset: &Keyset, column: impl ColumnTrait) -> Result<Self> {
        let read = |bound: &Option<(String, uuid::Uuid)>| -> Result<_> {
            let values = bound.as_ref().map(|(value, id)| Ok([typed(column, value)?, (*id).into()]));
            values.transpose()
        };
        Ok(Self { after: read(&keyset.after)?, before: read(&keyset.before)? })
    }

    fn write(self, sql: &mut Builder, row: &str, descending: bool) {
        let after = self.after.map(|values| (values, descending));
        let before = self.before.map(|values| (values, !descending));
        for ([value, id], is_below) in [after, before].into_iter().flatten() {
            sql.push(&format!(" AND {row} {} (", if is_below { "<" } else { ">" }));
            sql.value(value);
            sql.push(", ");
            sql.value(id);
            sql.push(")");
        }
    }
}

fn write_allocations(sql: &mut Builder, actor: &Actor, parts: AllocationParts, wanted: &Wanted) {
    let mut kept = vec!["order_id", "status"];
    if wanted.decisions {
        kept.push("decision_id");
    }
    let absent = others::<allocation::Model>(&wanted.allocation, &kept);
    sql.set("a", |sql| {
        sql.push("SELECT ");
        sql.names(allocation::Model::columns(), absent);
        sql.push(" FROM allocation WHERE ");
        sql.among("order_id", ORDER_IDS);
        sql.push(" AND ");
        sql.condition(&scope::allocations(&actor.scope));
    });
    sql.answer(tag::ALLOCATIONS, "a", allocation::Model::columns(), absent, &[]);
    let (column, ids) = ("allocation_id", "SELECT id FROM a");
    if parts.lines {
        of::<allocation_line::Model>(sql, tag::ALLOCATION_LINES, "al", column, ids);
    }
    if parts.milestones {
        of::<milestone::Model>(sql, tag::MILESTONES, "am", column, ids);
    }
    if parts.reservations {
        of::<reservation::Model>(sql, tag::RESERVATIONS, "ar", column, ids);
    }
    if parts.backorders {
        of::<backorder::Model>(sql, tag::BACKORDERS, "ab", column, ids);
    }
    if parts.inspections {
        of::<inspection::Model>(sql, tag::INSPECTIONS, "ai", column, ids);
    }
}

fn write_products(sql: &mut Builder, wanted: &Wanted, properties: &Properties) {
    let parts = wanted.allocations.unwrap_or_default();
    let named = [
        (wanted.lines.is_some(), "SELECT product_id FROM l"),
        (parts.lines, "SELECT product_id FROM al"),
        (parts.reservations, "SELECT product_id FROM ar"),
        (parts.backorders, "SELECT product_id FROM ab"),
    ];
    let named: Vec<&str> = named.into_iter().filter_map(|(is_there, ids)| is_there.then_some(ids)).collect();
    if named.is_empty() {
        return;
    }
    let kept: &[&str] = if wanted.components { &["kind"] } else { &[] };
    let absent = others::<product::Model>(properties, kept);
    of_without::<product::Model>(sql, tag::PRODUCTS, "p", "id", &named.join(" UNION "), absent);
    if wanted.components {
        let made = format!("SELECT id FROM p WHERE kind = '{}'", ProductKind::MadeToOrder.code());
        of::<component::Model>(sql, tag::COMPONENTS, "pc", "product_id", &made);
        of::<product::Model>(sql, tag::COMPONENT_PRODUCTS, "pp", "id", "SELECT component_id FROM pc");
    }
}

/// A page of each order's history. Rows of one order are written under the order's lock: their ids rise
/// as they were committed.
fn write_timeline(sql: &mut Builder, tag: i64, actor: &Actor, keyset: &Keyset, changes: bool) -> Result<()> {
    // Whom an event is for beyond its scope is known by then.
    let absent = Absent::those(event::Model::columns(), |name| match name {
        "audience" => true,
        "changes" => !changes,
        _ => false,
    });
    let bounds = Bounds::of(keyset, event::Column::Id)?;
    let name = format!("e{tag}");
    sql.set(&name, |sql| {
        let direction = if keyset.backwards { " DESC" } else { "" };
        sql.push("SELECT page.*, event_log.position AS log_position FROM (SELECT ");
        sql.names(event::Model::columns(), absent);
        sql.push(", row_number() OVER (");
        sql.push(&format!("PARTITION BY order_id ORDER BY id{direction}) AS place FROM event WHERE "));
        sql.among("order_id", ORDER_IDS);
        sql.push(" AND ");
        sql.condition(&scope::events(actor));
        bounds.write(sql, "(event.id, event.aggregate_id)", false);
        sql.push(") AS page LEFT JOIN event_log ON event_log.event_id = page.id WHERE ");
        sql.push(&format!("page.place <= {}", keyset.limit + 1));
    });
    sql.answer(tag, name, event::Model::columns(), absent, &["log_position"]);
    Ok(())
}
