//! The five checks of a review.

use super::rules::CustomerField;
use crate::domain::codes::codes;
use crate::domain::intake::received::IntakeFault;
use crate::domain::money::Currency;
use crate::domain::order::{Order, OrderLine};
use crate::domain::reference::Customer;
use crate::domain::rules::RuleSet;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

codes! {
    /// What a review looks at.
    CheckKind {
        /// What the rules ask for on the order's channel is known of the customer (R2.2).
        CustomerInfo = "CUSTOMER_INFO",
        /// Every line names a product, and says what is wanted where its category asks for that (R2.3).
        RequirementClarity = "REQUIREMENT_CLARITY",
        /// Nothing is sold to a group or into a region it may not be sold to (R2.4). Can never be waived.
        Legality = "LEGALITY",
        /// The amount agrees with the customer's limit, and can be compared with the approval bands (R2.5).
        FinanceLimit = "FINANCE_LIMIT",
        /// It is not the same order twice (R1.3).
        DuplicateSuspect = "DUPLICATE_SUSPECT",
    }
}

codes! {
    /// What a check found.
    CheckOutcome {
        /// Nothing to object to.
        Pass = "PASS",
        /// The order cannot be approved as it is.
        Fail = "FAIL",
        /// Somebody must decide: waive it with a reason, or reject.
        NeedsHuman = "NEEDS_HUMAN",
    }
}

/// A check and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub kind: CheckKind,
    /// What was found.
    pub outcome: CheckOutcome,
    /// The clause that asks for it.
    pub clause: String,
    /// In words.
    pub message: String,
}

/// What the checks must know besides the order.
pub struct CheckFacts<'a> {
    /// Whose order it is.
    pub customer: &'a Customer,
    /// The rules.
    pub rules: &'a RuleSet,
    /// Numbers of the customer's recent orders with the same lines.
    pub lookalikes: &'a [String],
    /// What the customer's other orders within the rolling days come to, by currency.
    pub others: &'a [(Currency, Decimal)],
    /// What was missing or wrong when the order came over a channel.
    pub intake_faults: &'a [IntakeFault],
    /// Now: licences and restrictions are valid on a day.
    pub now: DateTime<Utc>,
}

/// Runs the five checks.
pub fn run_checks(order: &Order, facts: &CheckFacts<'_>) -> Vec<Check> {
    vec![
        customer_info(order, facts.rules.review.required_data(order.channel)),
        requirement_clarity(order, facts),
        legality(order, facts),
        finance_limit(order, facts),
        duplicate_suspect(facts),
    ]
}

fn check(kind: CheckKind, clause: &str, faults: Vec<String>, worst: CheckOutcome, fine: &str) -> Check {
    let (outcome, message) =
        if faults.is_empty() { (CheckOutcome::Pass, fine.to_owned()) } else { (worst, faults.join(" ")) };
    Check { kind, outcome, clause: clause.to_owned(), message }
}

/// A text that says something.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn customer_info(order: &Order, required: &[CustomerField]) -> Check {
    let (contact, address) = (&order.contact, &order.delivery_address);
    let (email, phone) = (given(contact.email.as_ref()), given(contact.phone.as_ref()));
    let mut faults: Vec<String> = required
        .iter()
        .filter_map(|field| {
            let (is_there, fault) = match field {
                CustomerField::CompanyName => {
                    (given(Some(&contact.company_name)).is_some(), "The company name is missing.")
                }
                CustomerField::ContactName => {
                    (given(Some(&contact.contact_name)).is_some(), "The contact person is missing.")
                }
                CustomerField::Email => (email.is_some(), "The email address is missing."),
                CustomerField::Phone => (phone.is_some(), "The telephone number is missing."),
                CustomerField::EmailOrPhone => {
                    (email.or(phone).is_some(), "Neither an email address nor a telephone number is given.")
                }
                CustomerField::AddressRegion => (
                    given(order.delivery_address.region_name.as_ref()).is_some(),
                    "The province or state of the delivery address is missing.",
                ),
                CustomerField::PostalCode => (
                    given(order.delivery_address.postal_code.as_ref()).is_some(),
                    "The postal code of the delivery address is missing.",
                ),
            };
            (!is_there).then(|| fault.to_owned())
        })
        .collect();
    // Only what comes over a channel can leave these blank.
    if [&address.street, &address.city, &address.country_code].into_iter().any(|part| given(Some(part)).is_none()) {
        faults.push("The delivery address is incomplete.".to_owned());
    }
    if email.is_some_and(|email| !looks_like_email(email)) {
        faults.push("The email address has no name, no @ or no domain.".to_owned());
    }
    check(CheckKind::CustomerInfo, "R2.2", faults, CheckOutcome::Fail, "Customer data is complete.")
}

fn looks_like_email(email: &str) -> bool {
    email.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    })
}

/// Lines of which something is wanted; of others nothing is ordered any more.
fn wanted(order: &Order) -> impl Iterator<Item = &OrderLine> {
    order.lines.iter().filter(|line| line.quantities.open() > Decimal::ZERO)
}

fn requirement_clarity(order: &Order, facts: &CheckFacts<'_>) -> Check {
    let mut faults = Vec::new();
    for line in wanted(order) {
        if line.product_id.is_none() {
            faults.push(format!("Line {} names only the category {:?}.", line.line_number, line.description));
        } else if facts.rules.wants_specification(line) {
            let category = line.category.as_deref().unwrap_or_default();
            faults.push(format!("Line {} needs a specification, as all of {category:?} do.", line.line_number));
        }
    }
    if faults.is_empty() {
        // What was assumed when it was taken in, somebody has to find right.
        let assumed = facts.intake_faults.iter().filter(|fault| fault.code.needs_decision());
        let assumed = assumed.map(|fault| fault.message.clone()).collect();
        return check(CheckKind::RequirementClarity, "R2.3", assumed, CheckOutcome::NeedsHuman, "Every line is clear.");
    }
    check(CheckKind::RequirementClarity, "R2.3", faults, CheckOutcome::Fail, "Every line is clear.")
}

fn legality(order: &Order, facts: &CheckFacts<'_>) -> Check {
    let mut faults = Vec::new();
    let day = facts.now.date_naive();
    for line in wanted(order) {
        let what = (line.sku.as_deref(), line.category.as_deref());
        for restriction in &facts.rules.restrictions {
            if restriction.forbids(what, facts.customer, &order.region, day) {
                let whom = match (&restriction.customer_group, &restriction.region) {
                    (Some(group), Some(region)) => format!("to {group} in {region}"),
                    (Some(group), None) => format!("to {group}"),
                    (None, Some(region)) => format!("in {region}"),
                    (None, None) => "to anybody".to_owned(),
                };
                let licence = restriction.licence.as_ref();
                let without = licence.map_or_else(String::new, |code| format!(" without the licence {code}"));
                let number = line.line_number;
                faults.push(format!("Line {number} may not be sold {whom}{without}: {}.", restriction.reason));
            }
        }
    }
    check(CheckKind::Legality, "R2.4", faults, CheckOutcome::Fail, "No restriction applies.")
}

fn finance_limit(order: &Order, facts: &CheckFacts<'_>) -> Check {
    let total = order.total();
    let mut faults: Vec<String> = facts
        .customer
        .credit_limit
        .filter(|limit| total > *limit)
        .map(|limit| format!("The amount {total} exceeds the customer's limit of {limit} {}.", order.currency.code()))
        .into_iter()
        .collect();
    if let Some(exchange) = &facts.rules.review.exchange {
        let mut unknown: Vec<&str> = std::iter::once(&(order.currency, total))
            .chain(facts.others)
            .filter(|(currency, amount)| exchange.convert(*amount, *currency).is_none())
            .map(|(currency, _)| currency.code())
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            faults.push(format!(
                "There is no exchange rate from {} to {}: the approvals of the topmost amounts are needed.",
                unknown.join(", "),
                exchange.base.code()
            ));
        }
    }
    check(CheckKind::FinanceLimit, "R2.5", faults, CheckOutcome::NeedsHuman, "Within the customer's limit.")
}

fn duplicate_suspect(facts: &CheckFacts<'_>) -> Check {
    let faults = if facts.lookalikes.is_empty() {
        Vec::new()
    } else {
        vec![format!("The customer placed the same lines recently: {}.", facts.lookalikes.join(", "))]
    };
    check(CheckKind::DuplicateSuspect, "R1.3", faults, CheckOutcome::NeedsHuman, "No recent order with the same lines.")
}

/// The clause that asks for a check.
pub(super) fn clause_of(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::CustomerInfo => "R2.2",
        CheckKind::RequirementClarity => "R2.3",
        CheckKind::Legality => "R2.4",
        CheckKind::FinanceLimit => "R2.5",
        CheckKind::DuplicateSuspect => "R1.3",
    }
}
