//! What a submission must look like; all faults are found at once.

use crate::domain::actor::{Actor, Role};
use crate::domain::money::{self, Currency};
use crate::domain::reference::{Address, Contact};
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use super::{Channel, FARTHEST_DAYS, IntakeFacts, LONG_TEXT, MOST_LINES, SHORT_TEXT, Submission};

pub(super) fn check_channel(submission: &Submission, actor: &Actor, refusals: &mut Refusals) {
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

pub(super) fn check_texts(submission: &Submission, refusals: &mut Refusals) {
    check_address(&submission.delivery_address, refusals);
    text(refusals, "externalReference", submission.external_reference.as_deref(), false, 100);
    text(refusals, "note", submission.note.as_deref(), false, LONG_TEXT);
    text(refusals, "region", submission.region.as_deref(), false, 20);
    if let Some(contact) = &submission.contact {
        check_contact(contact, refusals);
    }
}

/// Refuses an address that nothing can be delivered to.
pub(crate) fn check_address(address: &Address, refusals: &mut Refusals) {
    text(refusals, "deliveryAddress.street", Some(&address.street), true, SHORT_TEXT);
    text(refusals, "deliveryAddress.city", Some(&address.city), true, SHORT_TEXT);
    text(refusals, "deliveryAddress.regionName", address.region_name.as_deref(), false, SHORT_TEXT);
    text(refusals, "deliveryAddress.postalCode", address.postal_code.as_deref(), false, 20);
    let country = address.country_code.as_str();
    refusals.require(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()), || {
        Refusal::new(Code::Malformed, "R1.4", "The country is a two-letter ISO 3166 code in capitals.")
            .at("deliveryAddress.countryCode")
    });
}

/// Refuses contact data by its size alone: what is blank is taken in and found by the review (R2.2).
pub(crate) fn check_contact(contact: &Contact, refusals: &mut Refusals) {
    for (name, value) in [
        ("companyName", Some(&contact.company_name)),
        ("contactName", Some(&contact.contact_name)),
        ("email", contact.email.as_ref()),
        ("phone", contact.phone.as_ref()),
    ] {
        let size = value.map_or(0, |value| value.chars().count());
        refusals.require(size <= SHORT_TEXT, || too_long(&format!("contact.{name}"), SHORT_TEXT));
    }
}

/// Refuses a date that delivery can't be expected by.
pub(crate) fn check_date(date: NaiveDate, today: NaiveDate, refusals: &mut Refusals) {
    if date < today {
        refusals.push(Refusal::new(Code::DateInPast, "R1.4", format!("Today is {today}.")).at("requiredBy"));
    } else if (date - today).num_days() > FARTHEST_DAYS {
        let message = format!("At most {FARTHEST_DAYS} days ahead.");
        refusals.push(Refusal::new(Code::Malformed, "R1.4", message).at("requiredBy"));
    }
}

fn too_long(path: &str, limit: usize) -> Refusal {
    Refusal::new(Code::TooLong, "R1.4", format!("At most {limit} characters.")).at(path)
}

/// Refuses a text that is blank although present, missing although required, or too long.
pub(crate) fn text(refusals: &mut Refusals, path: &str, value: Option<&str>, required: bool, limit: usize) {
    match value {
        None if required => refusals.push(Refusal::new(Code::Required, "R1.4", "This is required.").at(path)),
        Some(value) if value.trim().is_empty() => {
            refusals.push(Refusal::new(Code::Required, "R1.4", "This must not be blank.").at(path));
        }
        Some(value) if value.chars().count() > limit => refusals.push(too_long(path, limit)),
        _ => {}
    }
}

pub(super) fn required_by(submission: &Submission, today: NaiveDate, refusals: &mut Refusals) -> Option<NaiveDate> {
    match (submission.required_by, submission.required_within_days) {
        (Some(date), None) => {
            check_date(date, today, refusals);
            Some(date)
        }
        (None, Some(days)) if (0..=FARTHEST_DAYS).contains(&i64::from(days)) => {
            today.checked_add_days(Days::new(u64::from(days.unsigned_abs())))
        }
        (None, Some(days)) => {
            let code = if days < 0 { Code::DateInPast } else { Code::Malformed };
            refusals.push(
                Refusal::new(code, "R1.4", format!("Between 0 and {FARTHEST_DAYS} days.")).at("requiredWithinDays"),
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

pub(super) fn check_lines(
    submission: &Submission,
    facts: &IntakeFacts<'_>,
    currency: Option<Currency>,
    refusals: &mut Refusals,
) {
    refusals.require(!submission.lines.is_empty(), || {
        Refusal::new(Code::TooFew, "R1.4", "An order has at least one line.").at("lines")
    });
    refusals.require(submission.lines.len() <= MOST_LINES, || {
        Refusal::new(Code::TooMany, "R1.4", format!("At most {MOST_LINES} lines.")).at("lines")
    });
    let may_price = !facts.actor.is(Role::Customer);
    for (index, line) in submission.lines.iter().take(MOST_LINES).enumerate() {
        let at = |field: &str| format!("lines.{index}.{field}");
        check_quantity(refusals, &at("quantity"), line.quantity);
        text(refusals, &at("specification"), line.specification.as_deref(), false, LONG_TEXT);
        text(refusals, &at("category"), line.category.as_deref(), false, SHORT_TEXT);
        match (&line.sku, &line.category) {
            (Some(sku), _) => match facts.products.get(sku) {
                None => refusals.push(Refusal::new(Code::UnknownSku, "R1.4", "No product has this SKU.").at(at("sku"))),
                Some(product) if currency.is_some_and(|c| c != product.currency) && line.unit_price.is_none() => {
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
                Refusal::new(Code::Required, "R1.4", "Name the product by SKU, or at least a category.").at(at("sku")),
            ),
        }
        refusals.require(may_price || (line.unit_price.is_none() && line.discount_rate.is_none()), || {
            Refusal::new(Code::RoleNotPermitted, "R2.5", "Customers order at list price.").at(at("unitPrice"))
        });
        refusals.require(line.unit_price.is_none_or(money::is_price), || {
            Refusal::new(Code::AmountOutOfRange, "R2.5", "A price is not negative and has at most four decimals.")
                .at(at("unitPrice"))
        });
        let rate_fits = |rate: Decimal| {
            rate >= Decimal::ZERO && rate <= Decimal::ONE && rate.normalize().scale() <= money::PRICE_SCALE
        };
        refusals.require(line.discount_rate.is_none_or(rate_fits), || {
            Refusal::new(Code::AmountOutOfRange, "R2.5", "A discount lies between 0 and 1, with at most four decimals.")
                .at(at("discountRate"))
        });
    }
}

/// Refuses what cannot be a quantity.
pub(crate) fn check_quantity(refusals: &mut Refusals, path: &str, quantity: Decimal) {
    if quantity <= Decimal::ZERO {
        refusals.push(Refusal::new(Code::QuantityNotPositive, "R1.4", "A quantity is greater than zero.").at(path));
    } else if !money::is_quantity(quantity) {
        refusals.push(
            Refusal::new(Code::QuantityPrecision, "R1.4", format!("At most three decimals and {}.", money::LARGEST))
                .at(path),
        );
    }
}
