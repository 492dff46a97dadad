//! Rule sets: what the group may change without changing the program. Every order remembers the
//! version it was handled under (R11.3).

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::allocation::{AllocationRule, AllocationRules};
pub use super::change::ChangeRules;
use super::delivery::DeliveryMethod;
use super::inventory::InventoryRules;
use super::reference::ProductKind;
use super::ticket::TicketType;

pub use super::review::{
    ApprovalBand, AutomaticReview, CustomerField, Exchange, ExchangeRate, RequiredData, Restriction, ReviewRules,
};

/// One version of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// The version: 1, 2, 3, …
    pub version: i32,
    /// Whose approvals an order takes, by its amount (R2.5), lowest first.
    pub approval_bands: Vec<ApprovalBand>,
    /// What may not be sold to whom (R2.4).
    pub restrictions: Vec<Restriction>,
    /// What else a review looks at (R2.2, R2.3, R2.5).
    #[serde(default)]
    pub review: ReviewRules,
    /// Days within which a like order of the same customer is suspected to be a duplicate.
    pub duplicate_window_days: i64,
    /// The rankers of rule sets that say nothing more of allocation (R3.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rankers: Vec<AllocationRule>,
    /// How orders find their executing units (R3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<AllocationRules>,
    /// Milestones by kind of line (R5.1).
    pub milestones: Vec<MilestoneTemplate>,
    /// What an inspection must look at, by kind of line (R6.1).
    pub checklists: Vec<Checklist>,
    /// What each delivery method costs and takes (R7.1).
    pub delivery_methods: Vec<DeliveryTerms>,
    /// How changes of orders are negotiated (R4.3).
    #[serde(default)]
    pub changes: ChangeRules,
    /// Which team handles which type of ticket, and how soon it must call (R9.2, R9.3).
    pub ticket_routes: Vec<TicketRoute>,
    /// What stock operations go by (R4).
    #[serde(default)]
    pub inventory: InventoryRules,
}

/// The milestones of a kind of line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneTemplate {
    /// The kind of line.
    pub kind: ProductKind,
    /// The steps, in order.
    pub steps: Vec<MilestoneStep>,
}

/// A step of a milestone template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneStep {
    /// Stable code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Days it may take.
    pub days: i64,
    /// Everything reserved must be at hand before it can be finished.
    pub needs_stock: bool,
    /// Finishing it produces the quantity: components are used up, or the service is performed.
    pub produces: bool,
}

/// What an inspection of a kind of line must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// The kind of line.
    pub kind: ProductKind,
    /// Stable codes of the items.
    pub items: Vec<String>,
}

/// What a delivery method costs and takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTerms {
    /// The method.
    pub method: DeliveryMethod,
    /// Cost of the delivery as such, in the order's currency.
    pub base_cost: Decimal,
    /// Cost for each unit delivered, in the order's currency.
    pub unit_cost: Decimal,
    /// Days from dispatch to arrival.
    pub days: i64,
    /// The largest quantity it can carry; none for no limit.
    pub largest_quantity: Option<Decimal>,
    /// Only for urgent orders.
    pub urgent_only: bool,
    /// Only within the region of the executing unit.
    pub near_only: bool,
}

/// Where a type of ticket goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRoute {
    /// The type.
    pub ticket_type: TicketType,
    /// Code of the unit that handles it.
    pub team: String,
    /// Minutes within which the customer must be contacted first.
    pub first_contact_minutes: i64,
}

impl RuleSet {
    /// How orders find their executing units.
    pub fn allocation(&self) -> Cow<'_, AllocationRules> {
        match &self.allocation {
            Some(rules) => Cow::Borrowed(rules),
            None => Cow::Owned(AllocationRules::of_rankers(&self.rankers)),
        }
    }

    /// The milestones of a kind of line.
    pub fn milestones_for(&self, kind: ProductKind) -> &[MilestoneStep] {
        self.milestones.iter().find(|t| t.kind == kind).map_or(&[], |t| &t.steps)
    }

    /// The checklist of a kind of line.
    pub fn checklist_for(&self, kind: ProductKind) -> &[String] {
        self.checklists.iter().find(|c| c.kind == kind).map_or(&[], |c| &c.items)
    }

    /// Where a type of ticket goes.
    pub fn route(&self, ticket_type: TicketType) -> Option<&TicketRoute> {
        self.ticket_routes.iter().find(|route| route.ticket_type == ticket_type)
    }
}
