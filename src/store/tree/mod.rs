//! Orders with what belongs to them, read in one statement: only the tables that were asked for, under
//! the caller's scope, of one snapshot.

mod blank;
mod levels;
mod slots;
mod statement;
mod wanted;
mod write;

use std::collections::HashMap;

use entity::{
    allocation, allocation_decision, allocation_line, backorder, component, customer, delivery, delivery_line, event,
    inspection, milestone, order_line, orders, product, reservation, review_case, settlement_record, ticket,
    tracking_event,
};
use foldhash::fast::RandomState;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use self::levels::Level;
use self::slots::{Row, Slots};
use self::write::tag;
use super::aggregate::Aggregate;
use super::allocation::AllocationRows;
use super::delivery::{SettlementRecord, TrackingEvent};
use super::error::{Result, StoreError};
use super::event::Event;
use super::order::{OrderSortField, sort_key};
use super::page::{Keyset, Page};
use super::row::code;
use super::{Store, allocation as allocations, delivery as deliveries, event as events, reference};
use crate::domain::actor::Actor;
use crate::domain::allocation::{Allocation, AllocationDecision};
use crate::domain::delivery::Delivery;
use crate::domain::ids::OrderId;
use crate::domain::order::{Order, Stage};
use crate::domain::reference::{Customer, Product};
use crate::domain::review::ReviewCase;
use crate::domain::ticket::Ticket;

pub use wanted::{AllocationParts, Properties, Roots, Wanted};

/// Orders, and what was asked for of what belongs to them. What was not asked for is not there, and not
/// empty either.
#[derive(Debug)]
pub struct Tree {
    /// The orders, with the parts that were asked for.
    pub orders: Page<Order>,
    /// The stages that they are in: an order without lines does not know its own.
    pub stages: Vec<(OrderId, Stage)>,
    /// How many the list has.
    pub total: Option<u64>,
    /// Their customers.
    pub customers: Option<Vec<Customer>>,
    /// The products of their lines and allocations.
    pub products: Option<Vec<Product>>,
    /// Their reviews.
    pub reviews: Option<Vec<ReviewCase>>,
    /// Their allocations, with the parts that were asked for.
    pub allocations: Option<Vec<Allocation>>,
    /// The decisions that made those.
    pub decisions: Option<Vec<AllocationDecision>>,
    /// Their deliveries.
    pub deliveries: Option<Vec<Delivery>>,
    /// What carriers reported of those, oldest first.
    pub reports: Option<Vec<TrackingEvent>>,
    /// Their tickets.
    pub tickets: Option<Vec<Ticket>>,
    /// What was settled of them.
    pub settlement: Option<Vec<SettlementRecord>>,
    /// Their histories, one page of each order's for every way in which it was asked for.
    pub timelines: Vec<(Keyset, HashMap<OrderId, Page<Event>>)>,
}

/// Reads orders with what is wanted of them.
pub async fn read(store: &Store, actor: &Actor, roots: &Roots, wanted: &Wanted) -> Result<Tree> {
    let (statement, layout) = write::statement(store.is_postgres(), actor, roots, wanted)?;
    let mut rows = Rows::default();
    let mut add = |row: Row<'_>| {
        let (tag, mut values) = layout.values(row)?;
        rows.add(tag, &mut values)
    };
    match store.lanes() {
        Some(lanes) => lanes.read(&statement).await?.iter().map(Row::Postgres).try_for_each(add)?,
        None => {
            for result in store.reader().query_all_raw(statement).await? {
                let row = result.try_as_sqlite_row();
                add(Row::Sqlite(row.ok_or_else(|| StoreError::Corrupt("a row of another database".to_owned()))?))?;
            }
        }
    }
    rows.assemble(roots, wanted)
}

/// The rows of every table.
#[derive(Default)]
struct Rows {
    orders: Vec<(i64, orders::Model)>,
    total: Option<i64>,
    lines: Parts<order_line::Model>,
    customers: Vec<customer::Model>,
    products: Vec<product::Model>,
    components: Vec<component::Model>,
    component_products: Vec<product::Model>,
    reviews: Vec<review_case::Model>,
    allocations: Vec<allocation::Model>,
    allocation_lines: Parts<allocation_line::Model>,
    milestones: Parts<milestone::Model>,
    reservations: Parts<reservation::Model>,
    backorders: Parts<backorder::Model>,
    inspections: Parts<inspection::Model>,
    decisions: Vec<allocation_decision::Model>,
    deliveries: Vec<delivery::Model>,
    delivery_lines: Parts<delivery_line::Model>,
    reports: Vec<tracking_event::Model>,
    tickets: Vec<ticket::Model>,
    settlement: Vec<settlement_record::Model>,
    /// By the way in which they were asked for: events, each with its position in the log.
    timelines: HashMap<i64, Vec<(Option<i64>, event::Model)>>,
}

/// Rows by what they are a part of.
type Parts<M> = HashMap<Uuid, Vec<M>, RandomState>;

fn part<M: Level>(parts: &mut Parts<M>, slots: &mut Slots<'_>, of: impl Fn(&M) -> Uuid) -> Result<()> {
    let row = M::read(slots)?;
    parts.entry(of(&row)).or_default().push(row);
    Ok(())
}

impl Rows {
    fn add(&mut self, tag: i64, slots: &mut Slots<'_>) -> Result<()> {
        match tag {
            tag::ORDERS => {
                let row = orders::Model::read(slots)?;
                self.orders.push((slots.take()?, row));
            }
            tag::TOTAL => self.total = Some(slots.take()?),
            tag::LINES => part(&mut self.lines, slots, |row| row.order_id)?,
            tag::CUSTOMERS => self.customers.push(Level::read(slots)?),
            tag::PRODUCTS => self.products.push(Level::read(slots)?),
            tag::COMPONENTS => self.components.push(Level::read(slots)?),
            tag::COMPONENT_PRODUCTS => self.component_products.push(Level::read(slots)?),
            tag::REVIEWS => self.reviews.push(Level::read(slots)?),
            tag::ALLOCATIONS => self.allocations.push(Level::read(slots)?),
            tag::ALLOCATION_LINES => part(&mut self.allocation_lines, slots, |row| row.allocation_id)?,
            tag::MILESTONES => part(&mut self.milestones, slots, |row| row.allocation_id)?,
            tag::RESERVATIONS => part(&mut self.reservations, slots, |row| row.allocation_id)?,
            tag::BACKORDERS => part(&mut self.backorders, slots, |row| row.allocation_id)?,
            tag::INSPECTIONS => part(&mut self.inspections, slots, |row| row.allocation_id)?,
            tag::DECISIONS => self.decisions.push(Level::read(slots)?),
            tag::DELIVERIES => self.deliveries.push(Level::read(slots)?),
            tag::DELIVERY_LINES => part(&mut self.delivery_lines, slots, |row| row.delivery_id)?,
            tag::REPORTS => self.reports.push(Level::read(slots)?),
            tag::TICKETS => self.tickets.push(Level::read(slots)?),
            tag::SETTLEMENT => self.settlement.push(Level::read(slots)?),
            timeline => {
                let row = event::Model::read(slots)?;
                self.timelines.entry(timeline).or_default().push((slots.take()?, row));
            }
        }
        Ok(())
    }

    fn assemble(mut self, roots: &Roots, wanted: &Wanted) -> Result<Tree> {
        self.orders.sort_by_key(|(place, _)| *place);
        let ids: Vec<Uuid> = self.orders.iter().map(|(_, row)| row.id).collect();
        self.orders.iter_mut().for_each(|(_, row)| blank::order(row));
        let stages = match wanted.orders.has("stage") {
            true => {
                self.orders.iter().map(|(_, row)| Ok((OrderId(row.id), code(&row.stage)?))).collect::<Result<_>>()?
            }
            false => Vec::new(),
        };
        let orders = self.orders.into_iter().map(|(_, row)| {
            let lines = self.lines.remove(&row.id).unwrap_or_default();
            Order::from_rows((row, lines))
        });
        let orders: Vec<Order> = orders.collect::<Result<_>>()?;

        self.products.iter_mut().for_each(blank::product);
        let allocation = |mut root: allocation::Model| {
            blank::allocation(&mut root);
            Allocation::from_rows(AllocationRows {
                lines: self.allocation_lines.remove(&root.id).unwrap_or_default(),
                milestones: self.milestones.remove(&root.id).unwrap_or_default(),
                reservations: self.reservations.remove(&root.id).unwrap_or_default(),
                backorders: self.backorders.remove(&root.id).unwrap_or_default(),
                inspections: self.inspections.remove(&root.id).unwrap_or_default(),
                root,
            })
        };
        let delivery = |mut row: delivery::Model| {
            blank::delivery(&mut row);
            let lines = self.delivery_lines.remove(&row.id).unwrap_or_default();
            Delivery::from_rows((row, lines))
        };
        // As the loaders answer them: aggregates by identity, records by identity, reports by time.
        self.allocations.sort_by_key(|row| row.id);
        self.deliveries.sort_by_key(|row| row.id);
        self.settlement.sort_by_key(|row| row.id);
        self.reports.sort_by_key(|row| (row.occurred_at, row.id));
        self.tickets.sort_by_key(|row| row.id);
        let mut timelines = Vec::new();
        for (tag, keyset) in (tag::FIRST_TIMELINE..).zip(&wanted.timelines) {
            let found = self.timelines.remove(&tag).unwrap_or_default();
            timelines.push((keyset.clone(), events::timelines(&ids, found, keyset)?));
        }
        Ok(Tree {
            total: self.total.map(|total| u64::try_from(total).unwrap_or_default()),
            customers: all(wanted.customers, self.customers, reference::customer)?,
            products: wanted
                .products
                .is_some()
                .then(|| reference::products_of(self.products, self.components, &self.component_products))
                .transpose()?,
            reviews: all(wanted.reviews, self.reviews, ReviewCase::from_rows)?,
            allocations: all(wanted.allocations.is_some(), self.allocations, allocation)?,
            decisions: all(wanted.decisions, self.decisions, allocations::decision)?,
            deliveries: all(wanted.deliveries.is_some(), self.deliveries, delivery)?,
            reports: all(wanted.reports, self.reports, deliveries::tracking)?,
            tickets: all(wanted.tickets, self.tickets, Ticket::from_rows)?,
            settlement: all(wanted.settlement, self.settlement, deliveries::settled)?,
            timelines,
            stages,
            orders: match roots {
                Roots::One(_) => Page::cut(orders, &Keyset { limit: 1, ..Keyset::default() }, |order| {
                    sort_key(order, OrderSortField::Number)
                }),
                Roots::Page { sort: (field, _), keyset, .. } => {
                    Page::cut(orders, keyset, |order| sort_key(order, *field))
                }
            },
        })
    }
}

fn all<M, T>(is_wanted: bool, rows: Vec<M>, read: impl FnMut(M) -> Result<T>) -> Result<Option<Vec<T>>, StoreError> {
    is_wanted.then(|| rows.into_iter().map(read).collect()).transpose()
}
