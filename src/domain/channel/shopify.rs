//! Orders in Shopify's words. A webhook about an order has the order as a whole, whatever its topic; and since
//! the signature covers the body but not the headers, only the body says what became of the order.

use rust_decimal::Decimal;

use super::ChannelSettings;
use super::order::Reading;
use super::told::{Fields, Told};
use crate::domain::intake::received::{Charges, Received, ReceivedLine};
use crate::domain::reference::{Address, Contact};

/// Topics whose body is an order.
const ORDERS: [&str; 6] = [
    "orders/create",
    "orders/updated",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
];

/// What a webhook says.
///
/// # Errors
/// Why nothing can be made of it.
pub fn read(topic: &str, body: &str, settings: &ChannelSettings) -> Result<Reading, String> {
    if !topic.is_empty() && !ORDERS.contains(&topic) {
        return Ok(Reading::Ignored(format!("A delivery about {topic} makes no order.")));
    }
    let told = Fields::of_body(body).ok_or("The body is no object in JSON.")?;
    let reference = told.get("id").text().or_else(|| told.get("token").text());
    let reference = reference.ok_or("The order has no id.")?;
    let cancelled = told.get("cancelled_at").text().map(|_| {
        let reason = told.get("cancel_reason").text();
        format!("Cancelled at the channel: {}.", reason.as_deref().unwrap_or("no reason told"))
    });
    let offset = settings.offset();
    let customer = told.get("customer").fields();
    let shipping = told.get("shipping_address").fields();
    let billing = told.get("billing_address").fields();
    let destination = if shipping.get("address1").text().is_some() { &shipping } else { &billing };
    let email = first([told.get("email"), told.get("contact_email"), customer.get("email")]);
    let phone = first([told.get("phone"), destination.get("phone"), customer.get("phone")]);
    let name = name_of(destination).or_else(|| name_of(&billing)).or_else(|| name_of(&customer)).unwrap_or_default();
    let company = first([destination.get("company"), billing.get("company")]);
    let is_cancelled = cancelled.is_some();
    let lines = told.get("line_items").list().into_iter().filter_map(|entry| line(&entry.fields(), is_cancelled));
    Ok(Reading::Order(Box::new(Received {
        reference,
        name: told.get("name").text(),
        placed_at: told.get("created_at").moment(offset),
        changed_at: told.get("updated_at").moment(offset),
        is_test: told.get("test").is_true(),
        cancelled,
        buyer: first([customer.get("email"), told.get("email"), told.get("phone"), customer.get("id")]),
        currency_code: told.get("currency").text(),
        contact: Contact { company_name: company.unwrap_or_else(|| name.clone()), contact_name: name, email, phone },
        address: address(destination),
        note: told.get("note").text(),
        lines: lines.collect(),
        charges: charges(&told, is_cancelled),
    })))
}

pub(super) fn first<const N: usize>(told: [Told<'_>; N]) -> Option<String> {
    told.into_iter().find_map(Told::text)
}

fn name_of(told: &Fields<'_>) -> Option<String> {
    told.get("name").text().or_else(|| joined(&[told.get("first_name"), told.get("last_name")], " "))
}

pub(super) fn joined(told: &[Told<'_>], separator: &str) -> Option<String> {
    let parts: Vec<String> = told.iter().filter_map(|one| one.text()).collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

/// A country code in the form of ISO 3166; blank for anything else.
pub(super) fn country(told: Told<'_>) -> String {
    let code = told.text().unwrap_or_default().to_ascii_uppercase();
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) { code } else { String::new() }
}

fn address(told: &Fields<'_>) -> Address {
    Address {
        street: joined(&[told.get("address1"), told.get("address2")], ", ").unwrap_or_default(),
        city: told.get("city").text().unwrap_or_default(),
        region_name: first([told.get("province"), told.get("province_code")]),
        postal_code: told.get("zip").text(),
        country_code: country(told.get("country_code")),
    }
}

/// A line, unless nothing is left of it. A cancelled order is told with nothing left, and is kept as it was placed.
fn line(told: &Fields<'_>, is_cancelled: bool) -> Option<ReceivedLine> {
    let placed = told.get("quantity").decimal();
    let left = if is_cancelled { placed } else { told.get("current_quantity").decimal().or(placed) };
    if left.is_some_and(|left| left.is_zero()) {
        return None;
    }
    let allocations = told.get("discount_allocations").list();
    let discount = if allocations.is_empty() {
        told.get("total_discount").decimal().unwrap_or_default()
    } else {
        allocations.iter().filter_map(|one| one.fields().get("amount").decimal()).sum()
    };
    // It is told for what was placed.
    let share = match (left, placed) {
        (Some(left), Some(placed)) if left != placed => left.checked_div(placed).unwrap_or(Decimal::ONE),
        _ => Decimal::ONE,
    };
    let wishes: Vec<String> = told.get("properties").list().iter().filter_map(|one| wish(&one.fields())).collect();
    Some(ReceivedLine {
        reference: told.get("id").text(),
        sku: told.get("sku").text(),
        title: first([told.get("name"), told.get("title")]),
        specification: (!wishes.is_empty()).then(|| wishes.join("\n")),
        quantity: left,
        unit_price: told.get("price").decimal(),
        discount: discount.checked_mul(share).unwrap_or(discount),
    })
}

fn wish(told: &Fields<'_>) -> Option<String> {
    let (name, value) = (told.get("name").text()?, told.get("value").text()?);
    (!name.starts_with('_')).then(|| format!("{name}: {value}"))
}

/// What it costs now; of a cancelled order, what it cost.
fn charges(told: &Fields<'_>, is_cancelled: bool) -> Charges {
    let now = |current: &str, placed: &str| {
        let current = if is_cancelled { None } else { told.get(current).decimal() };
        current.or_else(|| told.get(placed).decimal())
    };
    let shipping = told.get("shipping_lines").list();
    let shipping = shipping.iter().filter_map(|one| {
        let fields = one.fields();
        fields.get("discounted_price").decimal().or_else(|| fields.get("price").decimal())
    });
    let set = |name: &str| told.get(name).fields().get("shop_money").fields().get("amount").decimal();
    let fees = [set("current_total_additional_fees_set"), set("current_total_duties_set")];
    let tip = told.get("total_tip_received").decimal();
    Charges {
        total: now("current_total_price", "total_price"),
        shipping: shipping.sum(),
        tax: if told.get("taxes_included").is_true() {
            Decimal::ZERO
        } else {
            now("current_total_tax", "total_tax").unwrap_or_default()
        },
        fees: fees.into_iter().chain([tip]).flatten().sum(),
    }
}
