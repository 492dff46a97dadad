//! Values that many types share.

use async_graphql::SimpleObject;
use rust_decimal::Decimal as Amount;

use crate::domain::money::Currency;
use crate::domain::reference as domain;
use crate::graphql::scalars::{CurrencyCode, Decimal};

/// An amount of money. Amounts of different currencies are never added up.
#[derive(Clone, Copy, Debug, SimpleObject, macros::Written)]
pub struct Money {
    /// The amount in major units, such as yuan or dollars.
    pub amount: Decimal,
    /// The currency.
    pub currency_code: CurrencyCode,
}

impl Money {
    /// An amount in a currency.
    pub const fn new(amount: Amount, currency: Currency) -> Self {
        Self { amount: Decimal(amount), currency_code: CurrencyCode(currency) }
    }
}

/// Where a delivery goes.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Province or state.
    pub region_name: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166 country code, such as `CN`.
    pub country_code: String,
}

impl From<&domain::Address> for Address {
    fn from(address: &domain::Address) -> Self {
        let address = address.clone();
        Self {
            street: address.street,
            city: address.city,
            region_name: address.region_name,
            postal_code: address.postal_code,
            country_code: address.country_code,
        }
    }
}

/// How to reach a customer (R2.2).
#[derive(Clone, Debug, SimpleObject, macros::Written)]
#[graphql(name = "ContactDetails")]
pub struct Contact {
    /// The company's name; for a private customer, the person's.
    pub company_name: String,
    /// Whom to ask for.
    pub contact_name: String,
    /// Electronic mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

impl From<&domain::Contact> for Contact {
    fn from(contact: &domain::Contact) -> Self {
        let contact = contact.clone();
        Self {
            company_name: contact.company_name,
            contact_name: contact.contact_name,
            email: contact.email,
            phone: contact.phone,
        }
    }
}
