//! Customers, products, units and people.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::common::{Contact, Money};
use super::wrapper;
use crate::app::read::reference as read;
use crate::domain::reference as domain;
use crate::domain::reference::{Capability, ProductKind, UnitKind};
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, is_external, loaders, session};
use crate::graphql::ids;
use crate::graphql::loaders::{CustomerOf, Subject};
use crate::graphql::scalars::{CurrencyCode, Date, Decimal};

wrapper! {
    /// A customer.
    Customer(domain::Customer)
}
connection!(CustomerConnection, CustomerEdge, Customer, "customers");

/// A customer of the group.
#[macros::written]
#[Object]
impl Customer {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// The number the group knows the customer by.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// How to reach the customer.
    async fn contact(&self) -> Contact {
        (&self.0.contact).into()
    }

    /// The customer group that sales restrictions speak of (R2.4).
    async fn group(&self) -> &str {
        &self.0.group
    }

    /// Region code; decides which units can serve the customer (R3.2).
    async fn region(&self) -> &str {
        &self.0.region
    }

    /// The currency of the customer's prices.
    async fn currency_code(&self) -> CurrencyCode {
        self.0.currency.into()
    }

    /// The amount up to which an order needs no second look (R2.5). Null when there is no limit, and
    /// for people outside the group.
    async fn credit_limit(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let limit = self.0.credit_limit;
        Ok(limit.map(|limit| Money::new(limit, self.0.currency)))
    }

    /// The licences the customer holds, which lift restrictions while they are valid (R2.4). Null for people
    /// outside the group.
    async fn licences(&self, ctx: &Context<'_>) -> Result<Option<Vec<Licence>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let licences = self.0.licences.iter();
        Ok(Some(licences.map(Into::into).collect()))
    }
}

/// A licence that a customer holds (R2.4).
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct Licence {
    /// The code that restrictions name it by.
    pub code: String,
    /// The first day on which it is valid.
    pub valid_from: Date,
    /// The last day on which it is valid; null for no end.
    pub valid_to: Option<Date>,
}

impl From<&domain::Licence> for Licence {
    fn from(licence: &domain::Licence) -> Self {
        Self {
            code: licence.code.clone(),
            valid_from: licence.valid_from.into(),
            valid_to: licence.valid_to.map(Into::into),
        }
    }
}

wrapper! {
    /// A product or service.
    Product(domain::Product)
}
connection!(ProductConnection, ProductEdge, Product, "products");

/// A product or service that can be ordered.
#[macros::written]
#[Object]
impl Product {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Stock keeping unit: the product's stable public code, which orders name.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How it comes to the customer.
    async fn kind(&self) -> ProductKind {
        self.0.kind
    }

    /// Category.
    async fn category(&self) -> &str {
        &self.0.category
    }

    /// The unit its quantities are counted in, as a UN/ECE or house code.
    async fn unit_of_measure(&self) -> &str {
        &self.0.unit_of_measure
    }

    /// Price of one unit without an agreement.
    async fn list_price(&self) -> Money {
        Money::new(self.0.list_price, self.0.currency)
    }

    /// The parts one unit of a made-to-order product needs (R4.6), on its first level; `billOfMaterials` has
    /// all levels, of any product. Null for people outside the group.
    async fn components(&self, ctx: &Context<'_>) -> Result<Option<Vec<BillOfMaterialsComponent>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let components = self.0.components.iter().cloned();
        Ok(Some(components.map(BillOfMaterialsComponent).collect()))
    }
}

/// A part of a product.
pub struct BillOfMaterialsComponent(domain::Component);

/// A part that a made-to-order product needs.
#[macros::written]
#[Object]
impl BillOfMaterialsComponent {
    /// The part.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        product(ctx, self.0.product_id).await
    }

    /// The part's stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// How much of it one unit of the product needs, in the part's unit of measure.
    async fn quantity(&self) -> Decimal {
        self.0.quantity.into()
    }

    /// The first day it is needed; null for always.
    async fn effective_from(&self) -> Option<Date> {
        self.0.effective_from.map(Into::into)
    }

    /// The last day it is needed; null for no end.
    async fn effective_until(&self) -> Option<Date> {
        self.0.effective_until.map(Into::into)
    }
}

wrapper! {
    /// An organizational unit.
    Unit(domain::Unit)
}

/// An organizational unit of the group: a company, department, warehouse or team.
#[macros::written]
#[Object]
impl Unit {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Stable code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is.
    async fn kind(&self) -> UnitKind {
        self.0.kind
    }

    /// What it can execute; empty for units that execute nothing.
    async fn capabilities(&self) -> &[Capability] {
        &self.0.capabilities
    }

    /// Codes of the regions it serves; empty when it serves all (R3.2).
    async fn regions(&self) -> &[String] {
        &self.0.regions
    }

    /// The unit above; null for the group itself.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        match self.0.parent_id {
            Some(id) => unit(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// Somebody who acted: on record as staff, or known by the subject of the token only.
pub struct Person {
    subject: String,
    known: Option<std::sync::Arc<read::Person>>,
}

/// Somebody who acts in the process.
#[macros::written]
#[Object]
impl Person {
    /// Opaque global id; for caches, not for `node`.
    async fn id(&self) -> ID {
        ids::named("Person", &self.subject)
    }

    /// The stable subject of the person's or system's token.
    async fn subject(&self) -> &str {
        &self.subject
    }

    /// Name; the subject where no such person is on record.
    async fn name(&self) -> &str {
        self.known.as_ref().map_or(&self.subject, |known| &known.name)
    }

    /// The unit the person works in; null where none is on record.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        match &self.known {
            Some(known) => unit(ctx, known.unit_id).await,
            None => Ok(None),
        }
    }
}

/// Who did something. People outside the group learn of themselves only.
pub async fn person(ctx: &Context<'_>, subject: &str) -> Result<Option<Person>> {
    if session(ctx)?.actor.subject != subject && is_external(ctx)? {
        return Ok(None);
    }
    let subject = subject.to_owned();
    let known = loaders(ctx)?.get(Subject(subject.clone())).await;
    Ok(Some(Person { subject, known: known.answer(ctx)? }))
}

/// The same where perhaps nobody did.
pub async fn perhaps(ctx: &Context<'_>, subject: Option<&String>) -> Result<Option<Person>> {
    match subject {
        Some(subject) => person(ctx, subject).await,
        None => Ok(None),
    }
}

/// A unit by id.
pub async fn unit(ctx: &Context<'_>, id: crate::domain::ids::UnitId) -> Result<Option<Unit>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(Unit))
}

/// A product by id.
pub async fn product(ctx: &Context<'_>, id: crate::domain::ids::ProductId) -> Result<Option<Product>> {
    let found = loaders(ctx)?.get(id).await.answer(ctx)?;
    Ok(found.map(Product))
}

/// The customer of an order that was found visible.
pub async fn customer(ctx: &Context<'_>, id: crate::domain::ids::CustomerId) -> Result<Option<Customer>> {
    let found = loaders(ctx)?.get(CustomerOf(id)).await.answer(ctx)?;
    Ok(found.map(Customer))
}
