//! What is read.

use crate::store::order::{OrderFilter, OrderKey, OrderSortField};
use crate::store::page::Keyset;

/// Which orders.
#[derive(Clone, Debug)]
pub enum Roots {
    /// One, if it exists for the actor.
    One(OrderKey),
    /// A page of a list.
    Page {
        /// What the list is narrowed by.
        filter: OrderFilter,
        /// What it is sorted by, and whether downwards.
        sort: (OrderSortField, bool),
        /// Where the page lies.
        keyset: Keyset,
    },
}

/// What of them and of what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How many the list has.
    pub total: bool,
    /// Which parts of the orders.
    pub orders: OrderParts,
    /// Customers.
    pub customers: bool,
    /// Products of lines and allocations.
    pub products: bool,
    /// The products' components.
    pub components: bool,
    /// Reviews.
    pub reviews: bool,
    /// Allocations.
    pub allocations: Option<AllocationParts>,
    /// The decisions that made those.
    pub decisions: bool,
    /// Deliveries.
    pub deliveries: Option<DeliveryParts>,
    /// What carriers reported of those.
    pub reports: bool,
    /// Tickets.
    pub tickets: bool,
    /// What was settled.
    pub settlement: bool,
    /// Pages of each order's history.
    pub timelines: Vec<Keyset>,
    /// What the events of those histories changed.
    pub changes: bool,
    /// Who acted.
    pub people: bool,
    /// The units that are named.
    pub units: bool,
}

/// Which parts of orders. One that lacks a part must not be asked for what depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for something that costs")]
pub struct OrderParts {
    /// Their lines, on which quantities, amounts and states of fulfilment depend.
    pub lines: bool,
    /// How to reach the customer.
    pub contact: bool,
    /// Where they go.
    pub address: bool,
    /// What stops them: holds and cancellations.
    pub stops: bool,
}

impl OrderParts {
    /// Everything.
    pub const ALL: Self = Self { lines: true, contact: true, address: true, stops: true };
}

/// Which parts of deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryParts {
    /// Their lines.
    pub lines: bool,
    /// The methods that were considered.
    pub options: bool,
    /// Their confirmations.
    pub confirmations: bool,
}

impl DeliveryParts {
    /// Everything.
    pub const ALL: Self = Self { lines: true, options: true, confirmations: true };
}

/// Which parts of allocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a table")]
pub struct AllocationParts {
    /// Their lines.
    pub lines: bool,
    /// Their milestones.
    pub milestones: bool,
    /// Stock set aside.
    pub reservations: bool,
    /// Stock they wait for.
    pub backorders: bool,
    /// Their inspections.
    pub inspections: bool,
}

impl AllocationParts {
    /// Everything.
    pub const ALL: Self =
        Self { lines: true, milestones: true, reservations: true, backorders: true, inspections: true };
}
