//! Intake (R1): one form for every channel, checked as a whole.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::actor::{Actor, Role, Scope};
use super::codes::codes;
use super::event::EventKind;
use super::ids::{OrderId, OrderLineId};
use super::money::{self, Currency};
use super::order::{LineQuantities, Order, OrderLine, OrderStatus};
use super::reference::{Address, Contact, Customer, Product};
use super::refusal::{Refusal, RefusalCode as Code, Refusals};

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
pub fn submit(
    submission: Submission,
    facts: IntakeFacts<'_>,
) -> Result<(Order, EventKind), Refusals> {
    let mut refusals = Refusals::default();
    let today = facts.now.date_naive();
    check_texts(&submission, &mut refusals);
    check_channel(&submission, facts.actor, &mut refusals);
    let currency = Currency::from_code(&submission.currency_code);
    refusals.require(currency.is_some(), || {
        Refusal::new(Code::Malformed, "R1.4", "The currency is no ISO 4217 code.")
            .at("currencyCode")
    });
    refusals.require(facts.customer.is_some(), || {
        Refusal::new(
            Code::UnknownCustomer,
            "R1.4",
            "No such customer; give a known customer number.",
        )
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
    let (Some(customer), Some(currency), Some(required_by)) =
        (facts.customer, currency, required_by)
    else {
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
        contact: submission
            .contact
            .unwrap_or_else(|| customer.contact.clone()),
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
        quantities: LineQuantities {
            ordered: line.quantity,
            ..LineQuantities::default()
        },
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

fn check_channel(submission: &Submission, actor: &Actor, refusals: &mut Refusals) {
    let allowed = match submission.channel {
        Channel::ECommerce => actor.is_any(&[Role::Customer, Role::Partner]),
        Channel::OfflineSales => actor.is(Role::Sales),
        Channel::PartnerReferral => actor.is(Role::Partner),
    };
    refusals.require(allowed, || {
        Refusal::new(
            Code::ChannelNotAllowed,
            "R1.1",
            "Customers and shops submit over E_COMMERCE, sales staff over OFFLINE_SALES, partners over PARTNER_REFERRAL.",
        )
        .at("channel")
    });
}

fn check_texts(submission: &Submission, refusals: &mut Refusals) {
    let address = &submission.delivery_address;
    text(
        refusals,
        "deliveryAddress.street",
        Some(&address.street),
        true,
        SHORT_TEXT,
    );
    text(
        refusals,
        "deliveryAddress.city",
        Some(&address.city),
        true,
        SHORT_TEXT,
    );
    text(
        refusals,
        "deliveryAddress.regionName",
        address.region_name.as_deref(),
        false,
        SHORT_TEXT,
    );
    text(
        refusals,
        "deliveryAddress.postalCode",
        address.postal_code.as_deref(),
        false,
        20,
    );
    let country = address.country_code.as_str();
    refusals.require(
        country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()),
        || {
            Refusal::new(
                Code::Malformed,
                "R1.4",
                "The country is a two-letter ISO 3166 code in capitals.",
            )
            .at("deliveryAddress.countryCode")
        },
    );
    text(
        refusals,
        "externalReference",
        submission.external_reference.as_deref(),
        false,
        100,
    );
    text(
        refusals,
        "note",
        submission.note.as_deref(),
        false,
        LONG_TEXT,
    );
    text(refusals, "region", submission.region.as_deref(), false, 20);
    if let Some(contact) = &submission.contact {
        // Blank contact data is taken in and found by the review (R2.2); only size is refused.
        for (name, value) in [
            ("companyName", Some(&contact.company_name)),
            ("contactName", Some(&contact.contact_name)),
            ("email", contact.email.as_ref()),
            ("phone", contact.phone.as_ref()),
        ] {
            let size = value.map_or(0, |value| value.chars().count());
            refusals.require(size <= SHORT_TEXT, || {
                too_long(&format!("contact.{name}"), SHORT_TEXT)
            });
        }
    }
}

fn too_long(path: &str, limit: usize) -> Refusal {
    Refusal::new(
        Code::TooLong,
        "R1.4",
        format!("At most {limit} characters."),
    )
    .at(path)
}

/// Refuses a text that is blank although present, missing although required, or too long.
pub(crate) fn text(
    refusals: &mut Refusals,
    path: &str,
    value: Option<&str>,
    required: bool,
    limit: usize,
) {
    match value {
        None if required => {
            refusals.push(Refusal::new(Code::Required, "R1.4", "This is required.").at(path))
        }
        Some(value) if value.trim().is_empty() => {
            refusals.push(Refusal::new(Code::Required, "R1.4", "This must not be blank.").at(path));
        }
        Some(value) if value.chars().count() > limit => refusals.push(too_long(path, limit)),
        _ => {}
    }
}

fn required_by(
    submission: &Submission,
    today: NaiveDate,
    refusals: &mut Refusals,
) -> Option<NaiveDate> {
    match (submission.required_by, submission.required_within_days) {
        (Some(date), None) if date < today => {
            refusals.push(
                Refusal::new(Code::DateInPast, "R1.4", format!("Today is {today}."))
                    .at("requiredBy"),
            );
            None
        }
        (Some(date), None) if (date - today).num_days() > FARTHEST_DAYS => {
            refusals.push(
                Refusal::new(
                    Code::Malformed,
                    "R1.4",
                    format!("At most {FARTHEST_DAYS} days ahead."),
                )
                .at("requiredBy"),
            );
            None
        }
        (Some(date), None) => Some(date),
        (None, Some(days)) if (0..=FARTHEST_DAYS).contains(&i64::from(days)) => {
            today.checked_add_days(Days::new(u64::from(days.unsigned_abs())))
        }
        (None, Some(days)) => {
            let code = if days < 0 {
                Code::DateInPast
            } else {
                Code::Malformed
            };
            refusals.push(
                Refusal::new(code, "R1.4", format!("Between 0 and {FARTHEST_DAYS} days."))
                    .at("requiredWithinDays"),
            );
            None
        }
        _ => {
            refusals.push(
                Refusal::new(
                    Code::ExactlyOneRequired,
                    "R1.4",
                    "Give the expected delivery time as either requiredBy or requiredWithinDays.",
                )
                .at("requiredBy"),
            );
            None
        }
    }
}

fn check_lines(
    submission: &Submission,
    facts: &IntakeFacts<'_>,
    currency: Option<Currency>,
    refusals: &mut Refusals,
) {
    refusals.require(!submission.lines.is_empty(), || {
        Refusal::new(Code::TooFew, "R1.4", "An order has at least one line.").at("lines")
    });
    refusals.require(submission.lines.len() <= MOST_LINES, || {
        Refusal::new(
            Code::TooMany,
            "R1.4",
            format!("At most {MOST_LINES} lines."),
        )
        .at("lines")
    });
    let may_price = !facts.actor.is(Role::Customer);
    for (index, line) in submission.lines.iter().take(MOST_LINES).enumerate() {
        let at = |field: &str| format!("lines.{index}.{field}");
        check_quantity(refusals, &at("quantity"), line.quantity);
        text(
            refusals,
            &at("specification"),
            line.specification.as_deref(),
            false,
            LONG_TEXT,
        );
        text(
            refusals,
            &at("category"),
            line.category.as_deref(),
            false,
            SHORT_TEXT,
        );
        match (&line.sku, &line.category) {
            (Some(sku), _) => match facts.products.get(sku) {
                None => refusals.push(
                    Refusal::new(Code::UnknownSku, "R1.4", "No product has this SKU.")
                        .at(at("sku")),
                ),
                Some(product)
                    if currency.is_some_and(|c| c != product.currency)
                        && line.unit_price.is_none() =>
                {
                    refusals.push(
                        Refusal::new(
                            Code::CurrencyMismatch,
                            "R2.5",
                            format!("The product is priced in {}.", product.currency.code()),
                        )
                        .at(at("sku")),
                    );
                }
                Some(_) => {}
            },
            (None, Some(_)) => {}
            (None, None) => refusals.push(
                Refusal::new(
                    Code::Required,
                    "R1.4",
                    "Name the product by SKU, or at least a category.",
                )
                .at(at("sku")),
            ),
        }
        refusals.require(
            may_price || (line.unit_price.is_none() && line.discount_rate.is_none()),
            || {
                Refusal::new(
                    Code::RoleNotPermitted,
                    "R2.5",
                    "Customers order at list price.",
                )
                .at(at("unitPrice"))
            },
        );
        refusals.require(line.unit_price.is_none_or(money::is_price), || {
            Refusal::new(
                Code::AmountOutOfRange,
                "R2.5",
                "A price is not negative and has at most four decimals.",
            )
            .at(at("unitPrice"))
        });
        let rate_fits = |rate: Decimal| {
            rate >= Decimal::ZERO
                && rate <= Decimal::ONE
                && rate.normalize().scale() <= money::PRICE_SCALE
        };
        refusals.require(line.discount_rate.is_none_or(rate_fits), || {
            Refusal::new(
                Code::AmountOutOfRange,
                "R2.5",
                "A discount lies between 0 and 1, with at most four decimals.",
            )
            .at(at("discountRate"))
        });
    }
}

/// Refuses what cannot be a quantity.
pub(crate) fn check_quantity(refusals: &mut Refusals, path: &str, quantity: Decimal) {
    if quantity <= Decimal::ZERO {
        refusals.push(
            Refusal::new(
                Code::QuantityNotPositive,
                "R1.4",
                "A quantity is greater than zero.",
            )
            .at(path),
        );
    } else if !money::is_quantity(quantity) {
        refusals.push(
            Refusal::new(
                Code::QuantityPrecision,
                "R1.4",
                format!("At most three decimals and {}.", money::LARGEST),
            )
            .at(path),
        );
    }
}
