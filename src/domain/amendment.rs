//! Amendments: what may still be changed of an order before a unit is at work on it, and what of that was
//! reviewed and so is reviewed again (R2.6).

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::actor::Actor;
use crate::domain::ids::OrderLineId;
use crate::domain::intake::{LONG_TEXT, Priority, check_address, check_contact, check_date, check_quantity, text};
use crate::domain::money;
use crate::domain::order::Order;
use crate::domain::permission::Action;
use crate::domain::reference::{Address, Contact};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

/// What is to change of an order; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// How to reach the customer about it.
    pub contact: Option<Contact>,
    /// Where it goes.
    pub delivery_address: Option<Address>,
    /// Quantities and specifications.
    pub lines: Vec<LineAmendment>,
    /// The date the customer expects delivery by.
    pub required_by: Option<NaiveDate>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// A remark by the submitter.
    pub note: Option<String>,
}

/// What is to change of a line; what is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAmendment {
    /// The line.
    pub line_id: OrderLineId,
    /// How much is wanted instead.
    pub quantity: Option<Decimal>,
    /// Details of what is wanted instead.
    pub specification: Option<String>,
}

/// What an amendment changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amended {
    /// Anything at all: an amendment may ask for what is there already.
    pub changed: bool,
    /// Something that a review looks at: approvals given before do not hold for it.
    pub reviewed: bool,
}

impl Amendment {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Order {
    /// Digest of what a review looks at. An approval holds for the content it was given for, and no other.
    pub fn reviewed_content(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text);
            hash.update("\u{1f}");
        };
        for text in [&self.contact.company_name, &self.contact.contact_name] {
            add(text);
        }
        let address = &self.delivery_address;
        for text in [&self.contact.email, &self.contact.phone, &address.region_name, &address.postal_code] {
            add(text.as_deref().unwrap_or_default());
        }
        for text in [&address.street, &address.city, &address.country_code, &self.region] {
            add(text);
        }
        add(self.currency.code());
        for line in &self.lines {
            add(&line.id.to_string());
            for text in [&line.sku, &line.category, &line.specification] {
                add(text.as_deref().unwrap_or_default());
            }
            for number in [line.quantities.ordered, line.unit_price, line.discount_rate] {
                add(&number.normalize().to_string());
            }
        }
        format!("{:.32x}", hash.finalize())
    }

    /// Changes the order, or says everything that is wrong with the amendment. Whoever holds its review has
    /// to tell it (`review::invalidate`) when something changed that a review looks at.
    pub fn amend(&mut self, actor: &Actor, amendment: &Amendment, today: NaiveDate) -> Result<Amended, Refusals> {
        let mut refusals = self.blockers(Action::AmendOrder, actor);
        self.check_amendment(amendment, today, &mut refusals);
        refusals.into_result()?;
        let before = self.clone();
        if let Some(contact) = &amendment.contact {
            self.contact.clone_from(contact);
        }
        if let Some(address) = &amendment.delivery_address {
            self.delivery_address.clone_from(address);
        }
        let currency = self.currency;
        for change in &amendment.lines {
            let Some(line) = self.lines.iter_mut().find(|line| line.id == change.line_id) else { continue };
            if let Some(quantity) = change.quantity {
                line.quantities.ordered = quantity;
                line.total = money::round_to_minor(line.extended(), currency);
            }
            if change.specification.is_some() {
                line.specification.clone_from(&change.specification);
            }
        }
        self.required_by = amendment.required_by.unwrap_or(self.required_by);
        self.priority = amendment.priority.unwrap_or(self.priority);
        if amendment.note.is_some() {
            self.note.clone_from(&amendment.note);
        }
        let reviewed = before.reviewed_content() != self.reviewed_content();
        Ok(Amended { changed: reviewed || before != *self, reviewed })
    }

    fn check_amendment(&self, amendment: &Amendment, today: NaiveDate, refusals: &mut Refusals) {
        refusals.require(!amendment.is_empty(), || Refusal::new(Code::TooFew, "R1.4", "Say what is to be changed."));
        if let Some(contact) = &amendment.contact {
            check_contact(contact, refusals);
        }
        if let Some(address) = &amendment.delivery_address {
            check_address(address, refusals);
        }
        text(refusals, "note", amendment.note.as_deref(), false, LONG_TEXT);
        if let Some(date) = amendment.required_by {
            check_date(date, today, refusals);
        }
        for (index, change) in amendment.lines.iter().enumerate() {
            let at = |field: &str| format!("lines.{index}.{field}");
            refusals.require(self.line(change.line_id).is_some(), || {
                Refusal::new(Code::UnknownLine, "R1.4", "The order has no such line.").at(at("lineId"))
            });
            let before = amendment.lines.iter().take(index);
            refusals.require(before.into_iter().all(|other| other.line_id != change.line_id), || {
                Refusal::new(Code::Repeated, "R1.4", "The line is named twice.").at(at("lineId"))
            });
            if let Some(quantity) = change.quantity {
                check_quantity(refusals, &at("quantity"), quantity);
                let cancelled = self.line(change.line_id).map_or(Decimal::ZERO, |line| line.quantities.cancelled);
                refusals.require(cancelled.is_zero() || quantity > cancelled, || {
                    let message = format!("{} of this line were cancelled; more must be left.", cancelled.normalize());
                    Refusal::new(Code::QuantityExceeded, "R1.4", message).at(at("quantity"))
                });
            }
            text(refusals, &at("specification"), change.specification.as_deref(), false, LONG_TEXT);
        }
    }
}
