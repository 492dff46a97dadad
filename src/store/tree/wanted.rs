//! What is read.

use std::collections::BTreeSet;

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
        filter: Box<OrderFilter>,
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
    /// What of the orders themselves.
    pub orders: Properties,
    /// What of their lines; nothing when none are wanted.
    pub lines: Option<Properties>,
    /// Customers.
    pub customers: bool,
    /// What of the products of lines and allocations.
    pub products: Option<Properties>,
    /// The products' components.
    pub components: bool,
    /// Reviews.
    pub reviews: bool,
    /// Allocations.
    pub allocations: Option<AllocationParts>,
    /// What of those, apart from their parts.
    pub allocation: Properties,
    /// The decisions that made those.
    pub decisions: bool,
    /// What of deliveries.
    pub deliveries: Option<Properties>,
    /// The lines of those.
    pub delivery_lines: bool,
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

impl Wanted {
    /// Orders with all that is theirs, and nothing of others.
    pub fn whole_orders() -> Self {
        Self { lines: Some(Properties::All), ..Self::default() }
    }

    /// Are the orders read whole?
    pub fn has_whole_orders(&self) -> bool {
        self.orders == Properties::All && self.lines == Some(Properties::All)
    }

    /// Are the allocations read whole?
    pub fn has_whole_allocations(&self) -> bool {
        self.allocation == Properties::All && self.allocations == Some(AllocationParts::ALL)
    }
}

/// Which properties of a thing, by their names in the domain. What was not asked for is empty, or whatever
/// else its type begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Properties {
    /// Every one.
    #[default]
    All,
    /// These.
    Of(BTreeSet<&'static str>),
}

impl Properties {
    /// Is one of this name wanted?
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(names) => names.contains(name),
        }
    }
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
