//! What orders refer to: customers, products, organizational units.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::codes::codes;
use super::ids::{CustomerId, ProductId, UnitId};
use super::money::Currency;

codes! {
    /// How a product comes to the customer; decides who can execute a line and by which milestones.
    ProductKind {
        /// Sold from stock.
        Goods = "GOODS",
        /// Produced for the order from components in stock.
        MadeToOrder = "MADE_TO_ORDER",
        /// Performed for the customer, on site or online.
        Service = "SERVICE",
    }
}

codes! {
    /// What an executing unit can do.
    Capability {
        /// Delivers goods from stock.
        Distribution = "DISTRIBUTION",
        /// Produces what is made to order.
        Production = "PRODUCTION",
        /// Performs services.
        Service = "SERVICE",
    }
}

impl ProductKind {
    /// What a unit must be able to do to execute a line of this kind (R3.1).
    pub const fn capability(self) -> Capability {
        match self {
            Self::Goods => Capability::Distribution,
            Self::MadeToOrder => Capability::Production,
            Self::Service => Capability::Service,
        }
    }
}

codes! {
    /// What an organizational unit is.
    UnitKind {
        /// The group itself.
        Group = "GROUP",
        /// A company of the group.
        Subsidiary = "SUBSIDIARY",
        /// A department of a company.
        Department = "DEPARTMENT",
        /// A place where stock lies.
        Warehouse = "WAREHOUSE",
        /// A team that serves customers.
        ServiceTeam = "SERVICE_TEAM",
    }
}

/// How to reach the customer about an order (R2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The company's name; for a person, the person's.
    pub company_name: String,
    /// Whom to ask for.
    pub contact_name: String,
    /// Electronic mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

/// Where a delivery goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Province or state.
    pub region_name: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166 country code.
    pub country_code: String,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Identity.
    pub id: CustomerId,
    /// The number the group knows the customer by.
    pub number: String,
    /// How to reach the customer.
    pub contact: Contact,
    /// The customer group that restrictions speak of (R2.4).
    pub group: String,
    /// The customer's region code.
    pub region: String,
    /// The currency of the customer's prices.
    pub currency: Currency,
    /// The amount up to which an order needs no second look (R2.5); none means no limit.
    pub credit_limit: Option<Decimal>,
    /// What the customer may buy that others may not (R2.4).
    pub licences: Vec<Licence>,
}

/// A licence that a customer holds (R2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The code that restrictions name it by.
    pub code: String,
    /// The first day on which it is valid.
    pub valid_from: NaiveDate,
    /// The last day on which it is valid; none for no end.
    pub valid_to: Option<NaiveDate>,
}

impl Customer {
    /// Does the customer hold a licence that is valid on this day?
    pub fn holds_licence(&self, code: &str, day: NaiveDate) -> bool {
        self.licences.iter().any(|licence| {
            licence.code == code && licence.valid_from <= day && licence.valid_to.is_none_or(|to| day <= to)
        })
    }
}

/// A product or service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Identity.
    pub id: ProductId,
    /// Stock keeping unit: the product's stable public code.
    pub sku: String,
    /// Name.
    pub name: String,
    /// How it comes to the customer.
    pub kind: ProductKind,
    /// Category.
    pub category: String,
    /// The unit quantities are counted in, as a UN/ECE or house code.
    pub unit_of_measure: String,
    /// Price without an agreement.
    pub list_price: Decimal,
    /// The list price's currency.
    pub currency: Currency,
    /// The parts one unit of a made-to-order product needs (R4.6), each with the days it is needed on.
    pub components: Vec<Component>,
}

/// A part that a product needs, between two days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Component {
    /// The part.
    pub product_id: ProductId,
    /// The part's SKU.
    pub sku: String,
    /// How much of it one unit of the product needs.
    pub quantity: Decimal,
    /// The first day it is needed; none for always.
    pub effective_from: Option<NaiveDate>,
    /// The last day it is needed; none for no end.
    pub effective_until: Option<NaiveDate>,
}

impl Component {
    /// Is it needed on this day?
    pub fn is_effective(&self, day: NaiveDate) -> bool {
        self.effective_from.is_none_or(|from| from <= day) && self.effective_until.is_none_or(|until| day <= until)
    }

    /// Is it the same part on some day?
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time = |one: &Self, other: &Self| match (one.effective_from, other.effective_until) {
            (Some(from), Some(until)) => from <= until,
            _ => true,
        };
        self.product_id == other.product_id && begins_in_time(self, other) && begins_in_time(other, self)
    }
}

/// An organizational unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Identity.
    pub id: UnitId,
    /// The unit above; none for the group.
    pub parent_id: Option<UnitId>,
    /// Stable code.
    pub code: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// What it can execute.
    pub capabilities: Vec<Capability>,
    /// The regions it serves; none means all.
    pub regions: Vec<String>,
}
