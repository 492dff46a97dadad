//! Customers, products, units and people.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::actor::Scope;
use crate::domain::codes::codes;
use crate::domain::ids::{CustomerId, ProductId, UnitId};
use crate::domain::reference::{Customer, Product, ProductKind, Unit};
use crate::store::reference;

pub use crate::store::reference::Person;

codes! {
    /// The part of the group's business that exists for a caller.
    ScopeKind {
        /// Everything.
        All = "ALL",
        /// Orders with a share in the caller's unit or one below it.
        Units = "UNITS",
        /// One customer's own orders.
        Customer = "CUSTOMER",
        /// Orders that came over one partner's or shop's channel account.
        Account = "ACCOUNT",
        /// One order: the caller holds its tracking link.
        Order = "ORDER",
        /// Nothing: the token names a unit or customer that does not exist, or no role.
        Nothing = "NOTHING",
    }
}

impl ScopeKind {
    /// The kind of a scope.
    pub const fn of(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Units(_) => Self::Units,
            Scope::Customer(_) => Self::Customer,
            Scope::Account(_) => Self::Account,
            Scope::Order(_) => Self::Order,
            Scope::Nothing => Self::Nothing,
        }
    }
}

/// A page of customers; text looks in number and company.
pub async fn customers(session: &Session, text: Option<&str>, keyset: Keyset) -> Result<Page<Customer>, Failure> {
    session.may_read("customers")?;
    Ok(reference::customers(session.app.store(), &session.actor, text, keyset).await?)
}

/// How many customers there are.
pub async fn count_customers(session: &Session, text: Option<&str>) -> Result<u64, Failure> {
    session.may_read("customers")?;
    Ok(reference::count_customers(session.app.store(), &session.actor, text).await?)
}

/// Customers by id, as far as they exist for the caller.
pub async fn visible_customers(session: &Session, ids: &[CustomerId]) -> Result<Vec<Customer>, Failure> {
    if !readable(session, "customers") {
        return Ok(Vec::new());
    }
    Ok(reference::visible_customers(session.app.store(), &session.actor, ids).await?)
}

/// The customers of orders that were found visible before: whoever sees an order sees whose it is.
pub async fn customers_of_orders(session: &Session, ids: &[CustomerId]) -> Result<Vec<Customer>, Failure> {
    Ok(reference::customers_by_ids(session.app.store(), ids).await?)
}

/// A page of products.
pub async fn products(
    session: &Session,
    category: Option<&str>,
    kind: Option<ProductKind>,
    keyset: Keyset,
) -> Result<Page<Product>, Failure> {
    session.may_read("products")?;
    Ok(reference::products(session.app.store(), category, kind, keyset).await?)
}

/// How many products there are.
pub async fn count_products(
    session: &Session,
    category: Option<&str>,
    kind: Option<ProductKind>,
) -> Result<u64, Failure> {
    session.may_read("products")?;
    Ok(reference::count_products(session.app.store(), category, kind).await?)
}

/// Products by id.
pub async fn products_by_ids(session: &Session, ids: &[ProductId]) -> Result<Vec<Product>, Failure> {
    Ok(reference::products_by_ids(session.app.store().reader(), ids).await?)
}

/// The units that exist for the caller, by code.
pub async fn units(session: &Session) -> Result<Vec<Unit>, Failure> {
    session.may_read("units")?;
    let units = session.app.directory.units(session.app.store()).await?;
    Ok(units.iter().filter(|unit| session.actor.covers_unit(unit.id)).map(|unit| Unit::clone(unit)).collect())
}

/// Units by id: whoever sees a share of an order sees which unit has it.
pub async fn units_by_ids(session: &Session, ids: &[UnitId]) -> Result<Vec<Unit>, Failure> {
    let units = session.app.directory.units(session.app.store()).await?;
    Ok(units.iter().filter(|unit| ids.contains(&unit.id)).map(|unit| Unit::clone(unit)).collect())
}

/// People by subject. People outside the group learn of nobody.
pub async fn people(session: &Session, subjects: &[String]) -> Result<Vec<Person>, Failure> {
    if session.actor.is_external() {
        return Ok(Vec::new());
    }
    let subjects = subjects.iter().cloned().collect();
    let found = session.app.directory.people(session.app.store(), subjects).await?;
    Ok(found.into_values().flatten().map(|person| Person::clone(&person)).collect())
}

/// Units by id, as far as they exist for the caller.
pub async fn visible_units(session: &Session, ids: &[UnitId]) -> Result<Vec<Unit>, Failure> {
    if !readable(session, "units") {
        return Ok(Vec::new());
    }
    let mut units = units_by_ids(session, ids).await?;
    units.retain(|unit| session.actor.covers_unit(unit.id));
    Ok(units)
}
