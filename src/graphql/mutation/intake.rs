//! Taking orders in.

use async_graphql::{Context, InputObject, Object, Result};

use super::{act, clean, clean_optional, payload};
use crate::app::intake::SubmitOrder;
use crate::domain::intake::{Channel, Priority, Submission, SubmissionLine};
use crate::domain::reference::{Address, Contact};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{CurrencyCode, Date, Decimal};
use crate::graphql::types::order::{Order, order};

/// How to reach the customer about an order.
#[derive(InputObject)]
pub struct ContactDetailsInput {
    /// The company's name; for a person, the person's. Checked by the review, not refused when blank.
    company_name: String,
    /// Whom to ask for.
    contact_name: String,
    /// Electronic mail address.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
}

/// Where an order is delivered to.
#[derive(InputObject)]
pub struct AddressInput {
    /// City.
    city: String,
    /// ISO 3166 country code in capitals, such as `CN`.
    country_code: String,
    /// Postal code.
    postal_code: Option<String>,
    /// Province or state.
    region_name: Option<String>,
    /// Street and number.
    street: String,
}

/// A line of an order: a SKU, or only a category that is then clarified.
#[derive(InputObject)]
pub struct OrderLineInput {
    /// The category, when the product is not known yet; the order then goes to clarification (R2.3).
    category: Option<String>,
    /// The agreed discount as a fraction: `0.02` is two percent. Not for customers.
    discount_rate: Option<Decimal>,
    /// How much, in the product's unit of measure: above zero, at most three decimals.
    quantity: Decimal,
    /// The product's stock keeping unit.
    sku: Option<String>,
    /// Details of what is wanted.
    specification: Option<String>,
    /// The agreed price of one unit in the order's currency, at most four decimals; the list price
    /// when absent. Not for customers.
    unit_price: Option<Decimal>,
}

/// An order as it is handed in: one form for every channel (R1.4, R1.5).
#[derive(InputObject)]
pub struct SubmitOrderInput {
    /// Where the order comes from. Customers and shops use `E_COMMERCE`, sales staff `OFFLINE_SALES`,
    /// partners `PARTNER_REFERRAL`.
    channel: Channel,
    /// How to reach the customer about this order; the customer's own data when absent.
    contact: Option<ContactDetailsInput>,
    /// The currency of all prices.
    currency_code: CurrencyCode,
    /// The customer's `number`; a customer submitting for itself may leave it out.
    customer_number: Option<String>,
    /// Where the order is delivered to.
    delivery_address: AddressInput,
    /// The submitter's own number, unique within the channel: the same order again answers the first
    /// one (R1.3).
    external_reference: Option<String>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What is ordered: 1 to 500 lines.
    lines: Vec<OrderLineInput>,
    /// A remark.
    note: Option<String>,
    /// How urgent the order is.
    #[graphql(default_with = "Priority::Normal")]
    priority: Priority,
    /// Region code; the customer's when absent.
    region: Option<String>,
    /// The date delivery is expected by. Either this or `requiredWithinDays`.
    required_by: Option<Date>,
    /// Days from today within which delivery is expected. Either this or `requiredBy`.
    required_within_days: Option<i32>,
}

payload! {
    /// The order that was taken in.
    SubmitOrderPayload {
        /// Was it here already, under the same external reference? Then nothing was done.
        duplicate: bool,
        /// The order; the first one's when it is a duplicate.
        order: Order,
    }
}

/// Intake.
#[derive(Default)]
pub struct IntakeMutation;

#[Object]
impl IntakeMutation {
    /// Submits an order (R1). The same external reference with the same content answers the first
    /// order with `duplicate: true`. For customers, partners' systems and sales staff.
    #[graphql(directive = access::apply(roles("submitOrder"), limit("submitOrder")))]
    async fn submit_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order as it is handed in.")] input: SubmitOrderInput,
    ) -> Result<SubmitOrderPayload> {
        let key = input.idempotency_key.clone();
        let submission = submission(ctx, input)?;
        match act(ctx, SubmitOrder { submission }, key).await? {
            Ok(answer) => Ok(SubmitOrderPayload {
                duplicate: Some(answer.duplicate),
                order: order(ctx, answer.order_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(SubmitOrderPayload::refused(errors)),
        }
    }
}

fn submission(ctx: &Context<'_>, input: SubmitOrderInput) -> Result<Submission> {
    let lines = input.lines.into_iter().enumerate().map(|(index, line)| submission_line(ctx, index, line));
    Ok(Submission {
        channel: input.channel,
        external_reference: clean_optional(ctx, "externalReference", input.external_reference)?,
        customer_number: clean_optional(ctx, "customerNumber", input.customer_number)?,
        contact: input.contact.map(|contact| read_contact(ctx, contact)).transpose()?,
        region: clean_optional(ctx, "region", input.region)?,
        currency_code: input.currency_code.0.code().to_owned(),
        required_by: input.required_by.map(|date| date.0),
        required_within_days: input.required_within_days,
        priority: input.priority,
        delivery_address: read_address(ctx, input.delivery_address)?,
        note: clean_optional(ctx, "note", input.note)?,
        lines: lines.collect::<Result<_>>()?,
    })
}

/// Contact data without control characters.
pub(super) fn read_contact(ctx: &Context<'_>, contact: ContactDetailsInput) -> Result<Contact> {
    Ok(Contact {
        company_name: clean(ctx, "contact.companyName", contact.company_name)?,
        contact_name: clean(ctx, "contact.contactName", contact.contact_name)?,
        email: clean_optional(ctx, "contact.email", contact.email)?,
        phone: clean_optional(ctx, "contact.phone", contact.phone)?,
    })
}

/// An address without control characters.
pub(super) fn read_address(ctx: &Context<'_>, address: AddressInput) -> Result<Address> {
    Ok(Address {
        street: clean(ctx, "deliveryAddress.street", address.street)?,
        city: clean(ctx, "deliveryAddress.city", address.city)?,
        region_name: clean_optional(ctx, "deliveryAddress.regionName", address.region_name)?,
        postal_code: clean_optional(ctx, "deliveryAddress.postalCode", address.postal_code)?,
        country_code: clean(ctx, "deliveryAddress.countryCode", address.country_code)?,
    })
}

fn submission_line(ctx: &Context<'_>, index: usize, line: OrderLineInput) -> Result<SubmissionLine> {
    Ok(SubmissionLine {
        sku: clean_optional(ctx, &format!("lines.{index}.sku"), line.sku)?,
        category: clean_optional(ctx, &format!("lines.{index}.category"), line.category)?,
        quantity: line.quantity.0,
        unit_price: line.unit_price.map(|price| price.0),
        discount_rate: line.discount_rate.map(|rate| rate.0),
        specification: clean_optional(ctx, &format!("lines.{index}.specification"), line.specification)?,
    })
}
