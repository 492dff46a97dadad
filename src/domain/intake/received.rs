//! Orders as channels send them (R1.3). Unlike a submission, nothing that is missing or unknown is refused: the
//! order is taken in, what is wrong with it is kept as faults, and the review settles it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::terms::Terms;
use super::{LONG_TEXT, Priority, SHORT_TEXT, order_number};
use crate::domain::actor::Act;
use crate::domain::channel::SalesChannel;
use crate::domain::codes::codes;
use crate::domain::ids::{OrderId, OrderLineId};
use crate::domain::money::{self, Currency};
use crate::domain::order::{LineQuantities, Order, OrderLine, OrderStatus};
use crate::domain::reference::{Address, Contact, Customer, Product};

codes! {
    /// What was missing or wrong when an order came over a channel. The order was taken in nevertheless.
    IntakeFaultCode {
        /// A line names no SKU; it says in words what was ordered.
        SkuMissing = "SKU_MISSING",
        /// No product has the SKU; map it in the channel's settings, or clarify the line.
        SkuUnknown = "SKU_UNKNOWN",
        /// The quantity of a line is missing or makes no sense; one was assumed, or the nearest that can be counted.
        QuantityUnreadable = "QUANTITY_UNREADABLE",
        /// The price of a line is missing or makes no sense; the list price, or zero, was assumed.
        PriceUnreadable = "PRICE_UNREADABLE",
        /// The order has no lines.
        LinesMissing = "LINES_MISSING",
        /// How to reach the buyer is missing in part.
        ContactMissing = "CONTACT_MISSING",
        /// The delivery address is missing in part.
        AddressMissing = "ADDRESS_MISSING",
        /// The currency is missing or none of ISO 4217; the channel's was assumed.
        CurrencyUnknown = "CURRENCY_UNKNOWN",
        /// The customer is priced in another currency.
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// The buyer cannot be told from others; the order is the channel's collective customer's.
        BuyerUnknown = "BUYER_UNKNOWN",
        /// A text was longer than is kept; the delivery has all of it.
        TextShortened = "TEXT_SHORTENED",
        /// The channel's total has shipping, taxes or fees in it, which are no lines of the order.
        ChargesNotTakenOver = "CHARGES_NOT_TAKEN_OVER",
        /// The channel's amount is another than the order's, and nothing it tells explains that.
        TotalDiffers = "TOTAL_DIFFERS",
        /// The channel changed the order after it was approved; nothing of that was applied.
        ChangedAfterApproval = "CHANGED_AFTER_APPROVAL",
        /// The channel cancelled the order, or revived it, after it had ended.
        ChangedAfterEnd = "CHANGED_AFTER_END",
    }
}

impl IntakeFaultCode {
    /// Must somebody find right what was assumed or told, before the order is approved? Whatever else was missing
    /// fails a check of its own, or is told in the order itself.
    pub const fn needs_decision(self) -> bool {
        matches!(
            self,
            Self::QuantityUnreadable
                | Self::PriceUnreadable
                | Self::CurrencyUnknown
                | Self::CurrencyMismatch
                | Self::TotalDiffers
        )
    }
}

/// Something that was missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeFault {
    /// What it is.
    pub code: IntakeFaultCode,
    /// Where in the order, such as `lines.0.sku`; none when it is about the whole.
    pub path: Option<String>,
    /// The same in words.
    pub message: String,
}

impl IntakeFault {
    /// A fault about the whole order.
    pub fn new(code: IntakeFaultCode, message: impl Into<String>) -> Self {
        Self { code, path: None, message: message.into() }
    }

    /// The same, about a place in it.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// What a channel says an order costs, in the order's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charges {
    /// What the buyer pays for all of it.
    pub total: Option<Decimal>,
    /// Of that, for shipping.
    pub shipping: Decimal,
    /// Of that, taxes that are not in the prices of the lines.
    pub tax: Decimal,
    /// Of that, other fees.
    pub fees: Decimal,
}

/// An order as a channel tells of it, in the group's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The channel's own number, exactly as it was told.
    pub reference: String,
    /// What the channel's people call it.
    pub name: Option<String>,
    /// When it was placed there.
    pub placed_at: Option<DateTime<Utc>>,
    /// When it was changed last there.
    pub changed_at: Option<DateTime<Utc>>,
    /// It is a test of the channel.
    pub is_test: bool,
    /// Why it was cancelled there, if it was.
    pub cancelled: Option<String>,
    /// What tells its buyer from others.
    pub buyer: Option<String>,
    /// The currency.
    pub currency_code: Option<String>,
    /// How to reach the buyer; blank where nothing is told.
    pub contact: Contact,
    /// Where it goes; blank where nothing is told.
    pub address: Address,
    /// The buyer's remark.
    pub note: Option<String>,
    /// What is ordered.
    pub lines: Vec<ReceivedLine>,
    /// What it costs.
    pub charges: Charges,
}

/// A line as a channel tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceivedLine {
    /// The channel's own number of the line.
    pub reference: Option<String>,
    /// The channel's SKU.
    pub sku: Option<String>,
    /// What it is called there.
    pub title: Option<String>,
    /// Details of what is wanted.
    pub specification: Option<String>,
    /// How much, if that can be read.
    pub quantity: Option<Decimal>,
    /// The price of one unit before the discount, if that can be read.
    pub unit_price: Option<Decimal>,
    /// What is taken off the whole line.
    pub discount: Decimal,
}

/// A digest of what was told, to know it again.
pub(crate) fn digest(told: &impl Serialize) -> String {
    // What is hashed are plain structures of texts and numbers, which always have a form in JSON.
    let text = serde_json::to_string(told).unwrap_or_default();
    format!("{:x}", Sha256::digest(text))
}

impl Received {
    /// Equal for orders that say the same of what is to be done; what else changes at a shop, such as payment,
    /// is no change of the order.
    pub fn content(&self) -> String {
        digest(&(&self.currency_code, &self.contact, &self.address, &self.note, &self.lines, &self.charges))
    }
}

/// A line of a draft, with what ties it to the channel's.
#[derive(Clone, Debug)]
pub struct DraftLine {
    /// The channel's own number of the line, or its place.
    pub reference: String,
    /// Digest of what was told of it.
    pub said: String,
    /// The line.
    pub line: OrderLine,
}

/// What was understood of an order.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its currency.
    pub currency: Currency,
    /// How to reach the buyer.
    pub contact: Contact,
    /// Where it goes.
    pub address: Address,
    /// The buyer's remark.
    pub note: Option<String>,
    /// Its lines; at least one.
    pub lines: Vec<DraftLine>,
    /// Was any line told?
    pub has_lines: bool,
    /// What was wrong, apart from the total.
    pub faults: Vec<IntakeFault>,
}

/// Understands an order as well as can be.
pub fn draft(
    received: &Received,
    channel: &SalesChannel,
    products: &BTreeMap<String, Product>,
    act: &Act<'_>,
) -> Draft {
    let mut faults = Vec::new();
    let told = received.currency_code.as_deref();
    let currency = told.and_then(Currency::from_code).unwrap_or_else(|| {
        let assumed = channel.settings.currency;
        let message = format!("The currency {} is unknown; {} was assumed.", told.unwrap_or("(none)"), assumed.code());
        faults.push(IntakeFault::new(IntakeFaultCode::CurrencyUnknown, message).at("currencyCode"));
        assumed
    });
    let mut fitted = |path: &str, text: &str, limit: usize| fit(text, limit, path, &mut faults);
    let contact = &received.contact;
    let contact = Contact {
        company_name: fitted("contact.companyName", &contact.company_name, SHORT_TEXT),
        contact_name: fitted("contact.contactName", &contact.contact_name, SHORT_TEXT),
        email: contact.email.as_ref().map(|email| fitted("contact.email", email, SHORT_TEXT)),
        phone: contact.phone.as_ref().map(|phone| fitted("contact.phone", phone, SHORT_TEXT)),
    };
    let address = &received.address;
    let address = Address {
        street: fitted("deliveryAddress.street", &address.street, SHORT_TEXT),
        city: fitted("deliveryAddress.city", &address.city, SHORT_TEXT),
        region_name: address.region_name.as_ref().map(|name| fitted("deliveryAddress.regionName", name, SHORT_TEXT)),
        postal_code: address.postal_code.as_ref().map(|code| fitted("deliveryAddress.postalCode", code, 20)),
        country_code: address.country_code.clone(),
    };
    let note = received.note.as_ref().map(|note| fitted("note", note, LONG_TEXT));
    check_contact(&contact, &mut faults);
    check_address(&address, &mut faults);
    let mut lines: Vec<DraftLine> = Vec::new();
    for (index, line) in received.lines.iter().enumerate() {
        lines.push(draft_line(index, line, channel, products, currency, act, &mut faults));
    }
    let has_lines = !lines.is_empty();
    if !has_lines {
        faults.push(IntakeFault::new(IntakeFaultCode::LinesMissing, "No line was told.").at("lines"));
        let unknown = ReceivedLine {
            reference: None,
            sku: None,
            title: Some("Not told".to_owned()),
            specification: None,
            quantity: Some(Decimal::ONE),
            unit_price: Some(Decimal::ZERO),
            discount: Decimal::ZERO,
        };
        lines.push(draft_line(0, &unknown, channel, products, currency, act, &mut Vec::new()));
    }
    Draft { currency, contact, address, note, lines, has_lines, faults }
}

fn fit(text: &str, limit: usize, path: &str, faults: &mut Vec<IntakeFault>) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let message = format!("It had more than {limit} characters.");
    faults.push(IntakeFault::new(IntakeFaultCode::TextShortened, message).at(path));
    text.chars().take(limit).collect()
}

fn check_contact(contact: &Contact, faults: &mut Vec<IntakeFault>) {
    let mut missing = |is_missing: bool, path: &str, message: &str| {
        if is_missing {
            faults.push(IntakeFault::new(IntakeFaultCode::ContactMissing, message).at(path));
        }
    };
    missing(contact.contact_name.is_empty(), "contact.contactName", "The buyer's name is missing.");
    let reachable = contact.email.is_some() || contact.phone.is_some();
    missing(!reachable, "contact", "Neither an e-mail address nor a telephone number is told.");
}

fn check_address(address: &Address, faults: &mut Vec<IntakeFault>) {
    for (value, name) in [(&address.street, "street"), (&address.city, "city"), (&address.country_code, "countryCode")]
    {
        if value.is_empty() {
            let fault = IntakeFault::new(IntakeFaultCode::AddressMissing, format!("The {name} is missing."));
            faults.push(fault.at(format!("deliveryAddress.{name}")));
        }
    }
}

fn draft_line(
    index: usize,
    told: &ReceivedLine,
    channel: &SalesChannel,
    products: &BTreeMap<String, Product>,
    currency: Currency,
    act: &Act<'_>,
    faults: &mut Vec<IntakeFault>,
) -> DraftLine {
    let place = index + 1;
    let at = |field: &str| format!("lines.{index}.{field}");
    let product = match &told.sku {
        None => {
            let message = format!("Line {place} names no SKU.");
            faults.push(IntakeFault::new(IntakeFaultCode::SkuMissing, message).at(at("sku")));
            None
        }
        Some(external) => {
            let product = products.get(channel.settings.sku_of(external));
            if product.is_none() {
                let message = format!("Line {place}: no product has the SKU {external}.");
                faults.push(IntakeFault::new(IntakeFaultCode::SkuUnknown, message).at(at("sku")));
            }
            product
        }
    };
    let quantity = told.quantity.unwrap_or(Decimal::ONE);
    let countable = quantity.round_dp(money::QUANTITY_SCALE);
    let countable = if money::is_quantity(countable) { countable.normalize() } else { Decimal::ONE };
    if told.quantity.is_none() || countable != quantity {
        let message = format!("Line {place}: the quantity cannot be read; {countable} was assumed.");
        faults.push(IntakeFault::new(IntakeFaultCode::QuantityUnreadable, message).at(at("quantity")));
    }
    let price = told.unit_price.filter(|price| money::is_price(price.round_dp(money::PRICE_SCALE)));
    let price = price.unwrap_or_else(|| {
        let list = product.filter(|product| product.currency == currency);
        let assumed = list.map_or(Decimal::ZERO, |product| product.list_price);
        let message = format!("Line {place}: the price cannot be read; {assumed} was assumed.");
        faults.push(IntakeFault::new(IntakeFaultCode::PriceUnreadable, message).at(at("unitPrice")));
        assumed
    });
    let terms = Terms::of(countable, price, told.discount, currency);
    if !terms.is_exact {
        let message = format!("Line {place} cannot be priced at exactly what the channel says.");
        faults.push(IntakeFault::new(IntakeFaultCode::TotalDiffers, message).at(at("unitPrice")));
    }
    let title = told.title.as_deref().or(told.sku.as_deref()).unwrap_or("Not told");
    let title = fit(title, SHORT_TEXT, &at("category"), faults);
    let specification = told.specification.as_ref().map(|text| fit(text, LONG_TEXT, &at("specification"), faults));
    let mut line = OrderLine {
        id: act.id::<OrderLineId>(),
        line_number: i32::try_from(place).unwrap_or(i32::MAX),
        product_id: None,
        sku: None,
        description: title.clone(),
        category: Some(title),
        kind: None,
        unit_of_measure: None,
        specification,
        unit_price: terms.unit_price,
        discount_rate: terms.discount_rate,
        total: Decimal::ZERO,
        quantities: LineQuantities { ordered: countable, ..LineQuantities::default() },
    };
    line.total = money::round_to_minor(line.extended(), currency);
    if let Some(product) = product {
        line.specify(product, Some(terms.unit_price), currency);
    }
    let reference = told.reference.clone().unwrap_or_else(|| format!("#{place}"));
    DraftLine { reference, said: digest(told), line }
}

/// What the channel's total has that the order's has not, if they differ.
pub fn total_fault(charges: &Charges, total: Decimal, currency: Currency) -> Option<IntakeFault> {
    let theirs = charges.total.filter(|theirs| *theirs != total)?;
    let unexplained = theirs - total - charges.shipping - charges.tax - charges.fees;
    let code = if unexplained.is_zero() { IntakeFaultCode::ChargesNotTakenOver } else { IntakeFaultCode::TotalDiffers };
    let message = format!(
        "The channel's total is {theirs} {}, the order's {total}: {} for shipping, {} taxes, {} fees, {unexplained} unexplained.",
        currency.code(),
        charges.shipping,
        charges.tax,
        charges.fees,
    );
    Some(IntakeFault::new(code, message).at("total"))
}

impl Draft {
    /// The order, as it is taken in.
    pub fn into_order(
        self,
        received: &Received,
        channel: &SalesChannel,
        customer: &Customer,
        rule_set_version: i32,
        act: &Act<'_>,
    ) -> (Order, Vec<IntakeFault>) {
        let Self { currency, contact, address, note, lines, mut faults, .. } = self;
        if customer.currency != currency {
            let message =
                format!("The customer is priced in {}, the order in {}.", customer.currency.code(), currency.code());
            faults.push(IntakeFault::new(IntakeFaultCode::CurrencyMismatch, message).at("currencyCode"));
        }
        let id: OrderId = act.id();
        let order = Order {
            id,
            version: 0,
            number: order_number(id),
            channel: channel.channel,
            account: Some(channel.code.clone()),
            external_reference: Some(received.reference.clone()),
            digest: received.content(),
            customer_id: customer.id,
            contact,
            region: channel.settings.region.clone().unwrap_or_else(|| customer.region.clone()),
            delivery_address: address,
            currency,
            priority: Priority::Normal,
            required_by: channel.settings.required_by(act.now),
            note,
            status: OrderStatus::Submitted,
            submitted_by: channel.actor().subject,
            submitted_at: act.now,
            completed_at: None,
            rule_set_version,
            cancellation: None,
            holds: Vec::new(),
            unallocatable: None,
            lines: lines.into_iter().map(|draft| draft.line).collect(),
        };
        faults.extend(total_fault(&received.charges, order.total(), currency));
        (order, faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn what_the_totals_differ_by_is_told() {
        let usd = Currency::from_code("USD").unwrap();
        let charges = Charges {
            total: Some(number("29.35")),
            shipping: number("10.00"),
            tax: number("1.35"),
            fees: Decimal::ZERO,
        };
        assert_eq!(total_fault(&charges, number("18"), usd).unwrap().code, IntakeFaultCode::ChargesNotTakenOver);
        assert_eq!(total_fault(&charges, number("18.01"), usd).unwrap().code, IntakeFaultCode::TotalDiffers);
        assert_eq!(total_fault(&charges, number("29.350"), usd), None);
        assert_eq!(total_fault(&Charges::default(), number("18"), usd), None);
    }
}
