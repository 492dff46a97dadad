//! The form of docs/import.md: one order on one line.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::cells::decimal;
use super::rows::{ReadOrder, UNREADABLE, days_between};
use super::{Fault, ImportSettings};
use crate::domain::intake::{Channel, Past, PastStatus, Priority, Submission, SubmissionLine};
use crate::domain::money::Currency;
use crate::domain::reference::{Address, Contact};

/// An order as a line says it; serialized, it is the input of `submitOrder`. Quantities and prices stay text, so that
/// they are read exactly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderForm {
    /// Where it comes from.
    pub channel: Channel,
    /// Its number there.
    pub external_reference: String,
    /// The submitter's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The customer.
    pub customer_number: String,
    /// Region code.
    pub region: String,
    /// ISO 4217 code.
    pub currency_code: String,
    /// The day delivery is expected by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_by: Option<String>,
    /// The same in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_within_days: Option<i32>,
    /// How urgent it is.
    #[serde(default = "normal")]
    pub priority: Priority,
    /// How to reach the customer.
    pub contact: ContactForm,
    /// Where it goes.
    pub delivery_address: AddressForm,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is ordered.
    pub lines: Vec<LineForm>,
    /// How an order of the past ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PastStatus>,
    /// When an order of the past was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<String>,
    /// When an order of the past was finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
}

fn normal() -> Priority {
    Priority::Normal
}

/// How to reach the customer; what is left out is found by the review.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactForm {
    /// The company.
    #[serde(default)]
    pub company_name: String,
    /// The contact person.
    #[serde(default)]
    pub contact_name: String,
    /// Electronic mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Where the order goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressForm {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Province or state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_name: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166 code.
    pub country_code: String,
}

/// A line of the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineForm {
    /// The product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How much.
    pub quantity: String,
    /// Price of one unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<String>,
    /// Share taken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_rate: Option<String>,
    /// What exactly is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specification: Option<String>,
}

impl FromStr for OrderForm {
    type Err = String;

    /// Reads a line, or says what is wrong with its form.
    fn from_str(line: &str) -> Result<Self, String> {
        // The reader would take a list of the values in their order, too.
        if !line.trim_ascii_start().starts_with('{') {
            return Err("The line is not a JSON object.".to_owned());
        }
        // It is always line 1 of the text, but seldom of the file.
        serde_json::from_str(line)
            .map_err(|error| error.to_string().replace(" at line 1 column ", " at column ").replace('\0', "\\0"))
    }
}

/// Reads the order on a line.
///
/// # Errors
/// Everything that cannot be read.
pub fn read_line(row: i64, line: &str, settings: &ImportSettings) -> Result<ReadOrder, Vec<Fault>> {
    let fault = |column: Option<&str>, code: &str, message: String| Fault {
        row,
        column: column.map(str::to_owned),
        code: code.to_owned(),
        message,
    };
    let form: OrderForm = line.parse().map_err(|message| vec![fault(None, "MALFORMED", message)])?;
    let mut faults = Vec::new();
    let mut unreadable = |path: &str, message: &str| faults.push(fault(Some(path), UNREADABLE, message.to_owned()));
    let number = |path: String, text: Option<&String>, unreadable: &mut dyn FnMut(&str, &str)| -> Option<Decimal> {
        let value = text.map(|text| decimal(text).filter(|_| !text.starts_with(['¥', '￥'])));
        if value == Some(None) {
            unreadable(&path, "Write a decimal with digits and at most one point, such as \"12.50\".");
        }
        value.flatten()
    };
    let mut lines = Vec::new();
    for (index, line) in form.lines.iter().enumerate() {
        let mut read =
            |name: &str, text: Option<&String>| number(format!("lines.{index}.{name}"), text, &mut unreadable);
        lines.push(SubmissionLine {
            sku: line.sku.clone(),
            category: line.category.clone(),
            quantity: read("quantity", Some(&line.quantity)).unwrap_or_default(),
            unit_price: read("unitPrice", line.unit_price.as_ref()),
            discount_rate: read("discountRate", line.discount_rate.as_ref()),
            specification: line.specification.clone(),
        });
    }
    let required_by = form.required_by.as_ref().map(|text| strict_date(text));
    if required_by == Some(None) {
        unreadable("requiredBy", "Write a day like 2026-03-31.");
    }
    if Currency::from_code(&form.currency_code).is_none() {
        unreadable("currencyCode", "This is no ISO 4217 code.");
    }
    for (path, text) in texts(&form) {
        if let Some(unwanted) = text.chars().find(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t')) {
            unreadable(&path, &format!("The text contains the control character U+{:04X}.", u32::from(unwanted)));
        }
    }
    let mut moment = |path: &str, text: Option<&String>| -> Option<DateTime<Utc>> {
        let value = text.map(|text| DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)));
        if value == Some(None) {
            unreadable(path, "Write a moment like 2026-03-31T08:30:00Z.");
        }
        value.flatten()
    };
    let (submitted_at, completed_at) =
        (moment("submittedAt", form.submitted_at.as_ref()), moment("completedAt", form.completed_at.as_ref()));
    let is_past = form.status.is_some() || form.submitted_at.is_some() || form.completed_at.is_some();
    let past = match (settings.historical, form.status, submitted_at) {
        (true, Some(status), Some(submitted_at)) => {
            Some(Past { status, submitted_at, completed_at: completed_at.unwrap_or(submitted_at) })
        }
        (true, ..) => {
            faults.push(fault(None, "REQUIRED", "An order of the past has status and submittedAt.".to_owned()));
            None
        }
        (false, ..) if is_past => {
            faults.push(fault(None, "MALFORMED", "Only an import of orders of the past takes its dates.".to_owned()));
            None
        }
        (false, ..) => None,
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let days = match (&past, form.required_within_days, &form.required_by) {
        (Some(past), None, None) => Some(days_between(past)),
        (_, days, _) => days,
    };
    let rows = vec![row; lines.len().max(1)];
    let is_lenient = past.is_some();
    let idempotency_key = form.idempotency_key.clone();
    Ok(ReadOrder {
        submission: submission(form, required_by.flatten(), days, lines),
        idempotency_key,
        past,
        rows,
        is_lenient,
    })
}

fn submission(
    form: OrderForm,
    required_by: Option<NaiveDate>,
    required_within_days: Option<i32>,
    lines: Vec<SubmissionLine>,
) -> Submission {
    Submission {
        channel: form.channel,
        external_reference: Some(form.external_reference),
        customer_number: Some(form.customer_number),
        contact: Some(Contact {
            company_name: form.contact.company_name,
            contact_name: form.contact.contact_name,
            email: form.contact.email,
            phone: form.contact.phone,
        }),
        region: Some(form.region),
        currency_code: form.currency_code,
        required_by,
        required_within_days,
        priority: form.priority,
        delivery_address: Address {
            street: form.delivery_address.street,
            city: form.delivery_address.city,
            region_name: form.delivery_address.region_name,
            postal_code: form.delivery_address.postal_code,
            country_code: form.delivery_address.country_code,
        },
        note: form.note,
        lines,
    }
}

/// Days have one spelling here: a duplicate is recognized by what is written.
fn strict_date(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|date: &NaiveDate| text.len() == 10 && date.to_string() == *text)
}

fn texts(form: &OrderForm) -> impl Iterator<Item = (String, &String)> {
    let (contact, address) = (&form.contact, &form.delivery_address);
    let own = [
        ("externalReference", Some(&form.external_reference)),
        ("idempotencyKey", form.idempotency_key.as_ref()),
        ("customerNumber", Some(&form.customer_number)),
        ("region", Some(&form.region)),
        ("note", form.note.as_ref()),
        ("contact.companyName", Some(&contact.company_name)),
        ("contact.contactName", Some(&contact.contact_name)),
        ("contact.email", contact.email.as_ref()),
        ("contact.phone", contact.phone.as_ref()),
        ("deliveryAddress.street", Some(&address.street)),
        ("deliveryAddress.city", Some(&address.city)),
        ("deliveryAddress.regionName", address.region_name.as_ref()),
        ("deliveryAddress.postalCode", address.postal_code.as_ref()),
        ("deliveryAddress.countryCode", Some(&address.country_code)),
    ];
    let of_lines = form.lines.iter().enumerate().flat_map(|(index, line)| {
        [
            ("sku", line.sku.as_ref()),
            ("category", line.category.as_ref()),
            ("specification", line.specification.as_ref()),
        ]
        .into_iter()
        .filter_map(move |(name, text)| Some((format!("lines.{index}.{name}"), text?)))
    });
    own.into_iter().filter_map(|(path, text)| Some((path.to_owned(), text?))).chain(of_lines)
}
