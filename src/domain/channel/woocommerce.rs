//! Orders in WooCommerce's words. Prices of lines are without tax; moments come twice, in the shop's time and in
//! Greenwich's, both without an offset.

use chrono::{DateTime, FixedOffset, Utc};
use rust_decimal::Decimal;

use super::ChannelSettings;
use super::order::Reading;
use super::shopify::{country, first, joined};
use super::told::Fields;
use crate::domain::intake::received::{Charges, Received, ReceivedLine};
use crate::domain::reference::{Address, Contact};

/// Topics whose body is an order.
const ORDERS: [&str; 3] = ["order.created", "order.updated", "order.restored"];
/// States in which nobody has ordered yet.
const DRAFTS: [&str; 2] = ["checkout-draft", "auto-draft"];
/// States in which nothing is to be done any more.
const CANCELLED: [&str; 3] = ["cancelled", "failed", "trash"];

/// What a webhook says.
///
/// # Errors
/// Why nothing can be made of it.
pub fn read(topic: &str, body: &str, settings: &ChannelSettings) -> Result<Reading, String> {
    if !topic.is_empty() && !ORDERS.contains(&topic) {
        return Ok(Reading::Ignored(format!("A delivery about {topic} makes no order.")));
    }
    let told = Fields::of_body(body).ok_or("The body is no object in JSON.")?;
    let reference = told.get("id").text().or_else(|| told.get("order_key").text());
    let reference = reference.ok_or("The order has no id.")?;
    let status = told.get("status").text().unwrap_or_default();
    if DRAFTS.contains(&status.as_str()) {
        return Ok(Reading::Ignored(format!("An order in the state {status} is not placed yet.")));
    }
    let billing = told.get("billing").fields();
    let shipping = told.get("shipping").fields();
    let destination = if shipping.get("address_1").text().is_some() { &shipping } else { &billing };
    let name_of = |told: &Fields<'_>| joined(&[told.get("first_name"), told.get("last_name")], " ");
    let name = name_of(&billing).or_else(|| name_of(&shipping)).unwrap_or_default();
    let account = told.get("customer_id").text().filter(|id| id != "0");
    let offset = settings.offset();
    let lines = told.get("line_items").list().into_iter().filter_map(|entry| line(&entry.fields()));
    Ok(Reading::Order(Box::new(Received {
        reference,
        name: told.get("number").text(),
        placed_at: moment(&told, "date_created", offset),
        changed_at: moment(&told, "date_modified", offset),
        is_test: false,
        cancelled: CANCELLED.contains(&status.as_str()).then(|| format!("Cancelled at the channel: {status}.")),
        buyer: first([billing.get("email"), billing.get("phone")]).or(account),
        currency_code: told.get("currency").text(),
        contact: Contact {
            company_name: first([billing.get("company"), shipping.get("company")]).unwrap_or_else(|| name.clone()),
            contact_name: name,
            email: billing.get("email").text(),
            phone: first([billing.get("phone"), shipping.get("phone")]),
        },
        address: address(destination),
        note: told.get("customer_note").text(),
        lines: lines.collect(),
        charges: charges(&told),
    })))
}

fn moment(told: &Fields<'_>, name: &str, offset: FixedOffset) -> Option<DateTime<Utc>> {
    let greenwich = FixedOffset::east_opt(0).and_then(|utc| told.get(&format!("{name}_gmt")).moment(utc));
    greenwich.or_else(|| told.get(name).moment(offset))
}

fn address(told: &Fields<'_>) -> Address {
    Address {
        street: joined(&[told.get("address_1"), told.get("address_2")], ", ").unwrap_or_default(),
        city: told.get("city").text().unwrap_or_default(),
        region_name: told.get("state").text(),
        postal_code: told.get("postcode").text(),
        country_code: country(told.get("country")),
    }
}

/// A line: its price is told rounded, so that it is taken from the amounts before and after the discount.
fn line(told: &Fields<'_>) -> Option<ReceivedLine> {
    let quantity = told.get("quantity").decimal();
    if quantity.is_some_and(|quantity| quantity.is_zero()) {
        return None;
    }
    let total = told.get("total").decimal();
    let before = told.get("subtotal").decimal().or(total);
    let unit_price = before.and_then(|before| before.checked_div(quantity.unwrap_or(Decimal::ONE)));
    let discount = match (before, total) {
        (Some(before), Some(total)) => before.checked_sub(total).unwrap_or_default(),
        _ => Decimal::ZERO,
    };
    let wishes: Vec<String> = told.get("meta_data").list().iter().filter_map(|one| wish(&one.fields())).collect();
    Some(ReceivedLine {
        reference: told.get("id").text(),
        sku: told.get("sku").text(),
        title: told.get("name").text(),
        specification: (!wishes.is_empty()).then(|| wishes.join("\n")),
        quantity,
        unit_price: unit_price.or_else(|| told.get("price").decimal()),
        discount,
    })
}

/// What the buyer chose of a product. What begins with a line is the shop's own.
fn wish(told: &Fields<'_>) -> Option<String> {
    let key = told.get("key").text()?;
    let name = told.get("display_key").text().unwrap_or_else(|| key.clone());
    let value = first([told.get("display_value"), told.get("value")])?;
    (!key.starts_with('_')).then(|| format!("{name}: {value}"))
}

fn charges(told: &Fields<'_>) -> Charges {
    let fees = told.get("fee_lines").list();
    Charges {
        total: told.get("total").decimal(),
        shipping: told.get("shipping_total").decimal().unwrap_or_default(),
        tax: told.get("total_tax").decimal().unwrap_or_default(),
        fees: fees.iter().filter_map(|fee| fee.fields().get("total").decimal()).sum(),
    }
}
