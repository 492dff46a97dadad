//! The five checks of a review.

use crate::domain::codes::codes;
use crate::domain::order::Order;
use crate::domain::reference::Customer;
use crate::domain::rules::RuleSet;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

codes! {
    /// What a review looks at.
    CheckKind {
        /// Company, contact person and contact details are there (R2.2).
        CustomerInfo = "CUSTOMER_INFO",
        /// Every line names a product (R2.3).
        RequirementClarity = "REQUIREMENT_CLARITY",
        /// Nothing is sold to a group it may not be sold to (R2.4). Can never be waived.
        Legality = "LEGALITY",
        /// The amount agrees with the customer's limit (R2.5).
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
}

/// Runs the five checks.
pub fn run_checks(order: &Order, facts: &CheckFacts<'_>) -> Vec<Check> {
    vec![
        customer_info(order),
        requirement_clarity(order),
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

fn customer_info(order: &Order) -> Check {
    let (contact, address) = (&order.contact, &order.delivery_address);
    let mut faults = Vec::new();
    // Only channels and imports can leave these blank.
    if [&address.street, &address.city, &address.country_code].into_iter().any(|part| part.trim().is_empty()) {
        faults.push("The delivery address is incomplete.".to_owned());
    }
    if contact.company_name.trim().is_empty() {
        faults.push("The company name is missing.".to_owned());
    }
    if contact.contact_name.trim().is_empty() {
        faults.push("The contact person is missing.".to_owned());
    }
    let email = contact.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
    let phone = contact.phone.as_deref().map(str::trim).filter(|phone| !phone.is_empty());
    if email.is_none() && phone.is_none() {
        faults.push("Neither an email address nor a telephone number is given.".to_owned());
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

fn requirement_clarity(order: &Order) -> Check {
    let faults = order
        .lines
        .iter()
        .filter(|line| line.product_id.is_none() && line.quantities.open() > Decimal::ZERO)
        .map(|line| format!("Line {} names only the category {:?}.", line.line_number, line.description))
        .collect();
    check(CheckKind::RequirementClarity, "R2.3", faults, CheckOutcome::Fail, "Every line names a product.")
}

fn legality(order: &Order, facts: &CheckFacts<'_>) -> Check {
    let mut faults = Vec::new();
    for line in order.lines.iter().filter(|line| line.quantities.open() > Decimal::ZERO) {
        for restriction in &facts.rules.restrictions {
            let speaks_of_it = (restriction.sku.is_some() && restriction.sku == line.sku)
                || (restriction.category.is_some() && restriction.category == line.category);
            if speaks_of_it && restriction.customer_group == facts.customer.group {
                faults.push(format!(
                    "Line {} may not be sold to {}: {}.",
                    line.line_number, facts.customer.group, restriction.reason
                ));
            }
        }
    }
    check(CheckKind::Legality, "R2.4", faults, CheckOutcome::Fail, "No restriction applies.")
}

fn finance_limit(order: &Order, facts: &CheckFacts<'_>) -> Check {
    let total = order.total();
    let faults = facts
        .customer
        .credit_limit
        .filter(|limit| total > *limit)
        .map(|limit| format!("The amount {total} exceeds the customer's limit of {limit} {}.", order.currency.code()))
        .into_iter()
        .collect();
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
