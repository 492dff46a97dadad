//! Intake (R1): one form for every channel, checked as a whole.

mod form;
mod lenient;
mod past;
pub mod received;
mod terms;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::actor::{Actor, Scope};
use crate::domain::codes::codes;
use crate::domain::event::EventKind;
use crate::domain::ids::{OrderId, OrderLineId};
use crate::domain::money::Currency;
use crate::domain::order::{LineQuantities, Order, OrderLine, OrderStatus};
use crate::domain::reference::{Address, Contact, Customer, Product};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

pub(crate) use form::{check_address, check_contact, check_date, check_quantity, text};
use form::{check_channel, check_lines, check_texts, required_by};
pub use lenient::soften;
pub use past::{Past, PastStatus, record};

codes! {
    /// Where an order came from (R1.1).
    Channel {
        /// A web shop or e-commerce platform.
        ECommerce = "E_COMMERCE",
        /// The group's own sales staff.
        OfflineSales = "OFFLINE_SALES",
        /// A partner's referral.
        PartnerReferral = "PARTNER_REFERRAL",
    }
}

codes! {
    /// How urgent an order is.
    Priority {
        /// In its turn.
        Normal = "NORMAL",
        /// Before others.
        Urgent = "URGENT",
    }
}

/// Lines an order may have.
pub const MOST_LINES: usize = 500;
/// Characters a short text may have.
pub const SHORT_TEXT: usize = 200;
/// Characters a long text may have.
pub const LONG_TEXT: usize = 4_000;
/// Days ahead a delivery may be asked for.
pub const FARTHEST_DAYS: i64 = 3_650;

/// An order as it is handed in. Its serialized form is what duplicates are recognized by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Where it came from.
    pub channel: Channel,
    /// The submitter's own number for it, unique within the channel.
    pub external_reference: Option<String>,
    /// The customer; a customer submitting for itself may leave it out.
    pub customer_number: Option<String>,
    /// How to reach the customer about this order; the customer's own data where absent.
    pub contact: Option<Contact>,
    /// Region code; the customer's where absent.
    pub region: Option<String>,
    /// ISO 4217 code.
    pub currency_code: String,
    /// The date the customer expects delivery by.
    pub required_by: Option<NaiveDate>,
    /// The same as days from submission.
    pub required_within_days: Option<i32>,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it goes.
    pub delivery_address: Address,
    /// A remark by the submitter.
    pub note: Option<String>,
    /// What is ordered.
    pub lines: Vec<SubmissionLine>,
}

/// A line as it is handed in: a SKU, or only a category that needs clarification (R2.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionLine {
    /// The product.
    pub sku: Option<String>,
    /// The category, when the product is not yet known.
    pub category: Option<String>,
    /// How much.
    pub quantity: Decimal,
    /// The agreed price of one unit; the list price where absent.
    pub unit_price: Option<Decimal>,
    /// The agreed discount as a fraction: 0.02 is two percent.
    pub discount_rate: Option<Decimal>,
    /// Details of what is wanted.
    pub specification: Option<String>,
}

/// What intake must know besides the submission.
pub struct IntakeFacts<'a> {
    /// Who submits.
    pub actor: &'a Actor,
    /// The customer that was named or that submits.
    pub customer: Option<&'a Customer>,
    /// The products that were named, by SKU.
    pub products: &'a BTreeMap<String, Product>,
    /// Now.
    pub now: DateTime<Utc>,
    /// The rule set in force.
    pub rule_set_version: i32,
    /// Digest of the submission.
    pub digest: String,
    /// The new order's identity.
    pub order_id: OrderId,
    /// The new lines' identities, one for each line.
    pub line_ids: Vec<OrderLineId>,
}

/// Takes an order in, or says everything that is wrong with it.
pub fn submit(submission: Submission, facts: IntakeFacts<'_>) -> Result<(Order, EventKind), Refusals> {
    let mut refusals = Refusals::default();
    let today = facts.now.date_naive();
    check_texts(&submission, &mut refusals);
    check_channel(&submission, facts.actor, &mut refusals);
    let currency = Currency::from_code(&submission.currency_code);
    refusals.require(currency.is_some(), || {
        Refusal::new(Code::Malformed, "R1.4", "The currency is no ISO 4217 code.").at("currencyCode")
    });
    refusals.require(facts.customer.is_some(), || {
        Refusal::new(Code::UnknownCustomer, "R1.4", "No such customer; give a known customer number.")
            .at("customerNumber")
    });
    if let (Some(customer), Some(currency)) = (facts.customer, currency) {
        refusals.require(customer.currency == currency, || {
            Refusal::new(
                Code::CurrencyMismatch,
                "R2.5",
                format!("The customer is priced in {}.", customer.currency.code()),
            )
            .at("currencyCode")
        });
    }
    let required_by = required_by(&submission, today, &mut refusals);
    check_lines(&submission, &facts, currency, &mut refusals);
    refusals.into_result()?;
    let (Some(customer), Some(currency), Some(required_by)) = (facts.customer, currency, required_by) else {
        // Each absence was refused above.
        return Err(Refusals::default());
    };

    let lines = submission
        .lines
        .into_iter()
        .zip(&facts.line_ids)
        .enumerate()
        .map(|(index, (line, id))| order_line(index, line, *id, facts.products, currency))
        .collect();
    let order = Order {
        id: facts.order_id,
        version: 0,
        number: order_number(facts.order_id),
        channel: submission.channel,
        account: match &facts.actor.scope {
            Scope::Account(account) => Some(account.clone()),
            _ => None,
        },
        external_reference: submission.external_reference,
        digest: facts.digest,
        customer_id: customer.id,
        contact: submission.contact.unwrap_or_else(|| customer.contact.clone()),
        region: submission.region.unwrap_or_else(|| customer.region.clone()),
        delivery_address: submission.delivery_address,
        currency,
        priority: submission.priority,
        required_by,
        note: submission.note,
        status: OrderStatus::Submitted,
        submitted_by: facts.actor.subject.clone(),
        submitted_at: facts.now,
        completed_at: None,
        rule_set_version: facts.rule_set_version,
        cancellation: None,
        holds: Vec::new(),
        unallocatable: None,
        lines,
    };
    Ok((order, EventKind::OrderSubmitted))
}

fn order_line(
    index: usize,
    line: SubmissionLine,
    id: OrderLineId,
    products: &BTreeMap<String, Product>,
    currency: Currency,
) -> OrderLine {
    let product = line.sku.as_ref().and_then(|sku| products.get(sku));
    let mut order_line = OrderLine {
        id,
        line_number: i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1),
        product_id: None,
        sku: None,
        description: line.category.clone().unwrap_or_default(),
        category: line.category,
        kind: None,
        unit_of_measure: None,
        specification: line.specification,
        unit_price: line.unit_price.unwrap_or_default(),
        discount_rate: line.discount_rate.unwrap_or_default(),
        total: Decimal::ZERO,
        quantities: LineQuantities { ordered: line.quantity, ..LineQuantities::default() },
    };
    if let Some(product) = product {
        order_line.specify(product, line.unit_price, currency);
    }
    order_line
}

/// The number people use for an order: ten Crockford base-32 characters of its random part, which
/// cannot be guessed from another order's and need no counter that all writers would wait for.
pub fn order_number(id: OrderId) -> String {
    format!("OG-{}", public_number(id.0))
}

pub(crate) fn public_number(id: uuid::Uuid) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = id.as_u128();
    let mut text = String::with_capacity(11);
    for position in 0..10 {
        if position == 5 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    text
}
