//! What a review goes by: the part of a rule set that the group changes without changing the program.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::actor::Role;
use crate::domain::codes::codes;
use crate::domain::intake::Channel;
use crate::domain::money::{self, Currency};
use crate::domain::order::{Order, OrderLine};
use crate::domain::reference::Customer;
use crate::domain::rules::RuleSet;

codes! {
    /// Something that must be known of a customer before an order is approved (R2.2).
    CustomerField {
        /// The company's name.
        CompanyName = "COMPANY_NAME",
        /// Whom to ask for.
        ContactName = "CONTACT_NAME",
        /// An email address.
        Email = "EMAIL",
        /// A telephone number.
        Phone = "PHONE",
        /// An email address or a telephone number.
        EmailOrPhone = "EMAIL_OR_PHONE",
        /// The province or state of the delivery address.
        AddressRegion = "ADDRESS_REGION",
        /// The postal code of the delivery address.
        PostalCode = "POSTAL_CODE",
    }
}

/// What a review looks at beyond amounts and restrictions, and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewRules {
    /// What must be known of the customer, by channel (R2.2).
    pub customer_data: Vec<RequiredData>,
    /// Categories of which a line needs a specification even if it names a product (R2.3).
    pub specified_categories: Vec<String>,
    /// Days over which a customer's orders are added up for the approval bands (R2.5); 0 adds up none.
    pub rolling_days: i64,
    /// How amounts in other currencies compare; none compares every amount as it is.
    pub exchange: Option<Exchange>,
    /// Which orders the clock looks at by itself; none leaves all to people.
    pub automatic: Option<AutomaticReview>,
    /// Days a question may stay open before the order expires, unless whoever asks says otherwise (R2.3).
    pub clarification_days: i64,
    /// Hours before a question is due at which whoever placed the order is reminded.
    pub reminder_hours: i64,
}

impl Default for ReviewRules {
    fn default() -> Self {
        Self {
            customer_data: Vec::new(),
            specified_categories: Vec::new(),
            rolling_days: 0,
            exchange: None,
            automatic: None,
            clarification_days: 7,
            reminder_hours: 24,
        }
    }
}

/// What must be known of a customer whose order came on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredData {
    /// The channel.
    pub channel: Channel,
    /// What must be there.
    pub fields: Vec<CustomerField>,
}

/// What must be there where the rules say nothing of the channel.
const USUAL: &[CustomerField] = &[CustomerField::CompanyName, CustomerField::ContactName, CustomerField::EmailOrPhone];

impl ReviewRules {
    /// What must be known of a customer whose order came on this channel.
    pub fn required_data(&self, channel: Channel) -> &[CustomerField] {
        self.customer_data.iter().find(|row| row.channel == channel).map_or(USUAL, |row| &row.fields)
    }
}

/// Exchange rates, and the currency in which approval bands are stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The group's own currency.
    pub base: Currency,
    /// What other currencies are worth in it.
    pub rates: Vec<ExchangeRate>,
}

/// What a currency is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRate {
    /// The currency.
    pub currency: Currency,
    /// Units of the base currency for one unit of it.
    pub rate: Decimal,
}

impl Exchange {
    /// An amount in the base currency, rounded to its minor unit; none for a currency without a rate.
    pub fn convert(&self, amount: Decimal, currency: Currency) -> Option<Decimal> {
        if currency == self.base {
            return Some(amount);
        }
        let rate = self.rates.iter().find(|one| one.currency == currency)?.rate;
        Some(money::round_to_minor(amount.checked_mul(rate)?, self.base))
    }
}

/// Orders that the clock looks at by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticReview {
    /// Of these channels.
    pub channels: Vec<Channel>,
    /// So many minutes after their submission: as long as a person may be quicker, or the customer think better of it.
    pub after_minutes: i64,
}

/// Amounts up to a limit, and whose approvals they take. Amounts are in the base currency of the exchange
/// rates, or without these in the order's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalBand {
    /// The largest amount of a single order; none for the topmost band.
    pub up_to: Option<Decimal>,
    /// The largest amount of all the customer's orders within the rolling days; none for no limit.
    #[serde(default)]
    pub rolling_up_to: Option<Decimal>,
    /// Who may approve first.
    pub roles: Vec<Role>,
    /// Who must approve after that, one level after the other, each another person.
    #[serde(default)]
    pub further_levels: Vec<Vec<Role>>,
    /// An order that passes every check needs no person, if the clock looks at it.
    #[serde(default)]
    pub automatic: bool,
}

/// Something that may not be sold to a customer group or into a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// The SKU it speaks of; none when it speaks of a category.
    pub sku: Option<String>,
    /// The category it speaks of; none when it speaks of a SKU.
    pub category: Option<String>,
    /// The customer group; none for every group.
    pub customer_group: Option<String>,
    /// The region the order goes to; none for every region.
    #[serde(default)]
    pub region: Option<String>,
    /// The first day on which it holds; none for always.
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it holds; none for no end.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    /// The licence that lifts it for a customer who holds it; none when nothing does.
    #[serde(default)]
    pub licence: Option<String>,
    /// The law or policy behind it.
    pub reason: String,
}

impl Restriction {
    /// Does it keep a product from a customer on this day?
    pub fn forbids(
        &self,
        (sku, category): (Option<&str>, Option<&str>),
        customer: &Customer,
        region: &str,
        day: NaiveDate,
    ) -> bool {
        let speaks_of_it = (self.sku.is_some() && self.sku.as_deref() == sku)
            || (self.category.is_some() && self.category.as_deref() == category);
        let of_them = self.customer_group.as_ref().is_none_or(|group| *group == customer.group)
            && self.region.as_ref().is_none_or(|restricted| restricted == region);
        let in_force = self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to);
        let is_lifted = self.licence.as_ref().is_some_and(|code| customer.holds_licence(code, day));
        speaks_of_it && of_them && in_force && !is_lifted
    }
}

/// What an order is worth, and whose approvals that takes (R2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The currency of the amounts below: the group's own.
    pub currency: Currency,
    /// The order's amount; none in a currency without an exchange rate.
    pub amount: Option<Decimal>,
    /// The amount of all the customer's orders within the rolling days, this one included; none in a currency
    /// without an exchange rate.
    pub rolling_total: Option<Decimal>,
    /// Who may approve at each level, the first level first.
    pub levels: Vec<Vec<Role>>,
    /// May the clock approve it?
    pub automatic: bool,
}

impl RuleSet {
    /// Is the line's specification missing where its category asks for one (R2.3)?
    pub fn wants_specification(&self, line: &OrderLine) -> bool {
        let is_given = line.specification.as_ref().is_some_and(|text| !text.trim().is_empty());
        let category = line.category.as_ref();
        !is_given && category.is_some_and(|category| self.review.specified_categories.contains(category))
    }

    /// What an order is worth besides others of the customer, and whose approvals that takes: as many as the
    /// single amount or the rolling total asks for, whichever asks for more. What can't be compared takes the
    /// topmost band.
    pub fn assess(&self, order: &Order, others: &[(Currency, Decimal)]) -> Assessment {
        let exchange = self.review.exchange.as_ref();
        let currency = exchange.map_or(order.currency, |exchange| exchange.base);
        let convert = |amount: Decimal, from: Currency| match exchange {
            Some(exchange) => exchange.convert(amount, from),
            // Without rates nothing compares with what is in another currency.
            None => Some(if from == order.currency { amount } else { Decimal::ZERO }),
        };
        let amount = convert(order.total(), order.currency);
        let rolling_total = others
            .iter()
            .try_fold(amount.unwrap_or_default(), |sum, (from, other)| sum.checked_add(convert(*other, *from)?));
        let rolling_total = amount.and(rolling_total);
        let within = |value: Option<Decimal>, limit: Option<Decimal>| {
            limit.is_none_or(|limit| value.is_some_and(|value| value <= limit))
        };
        // Bands are sorted, so that the first that holds both is the higher of the two that are asked for.
        let fits = |band: &&ApprovalBand| within(amount, band.up_to) && within(rolling_total, band.rolling_up_to);
        let topmost = self.approval_bands.last();
        let comparable = amount.is_some() && rolling_total.is_some();
        let band = if comparable { self.approval_bands.iter().find(fits).or(topmost) } else { topmost };
        let levels = band
            .map_or_else(Vec::new, |band| std::iter::once(&band.roles).chain(&band.further_levels).cloned().collect());
        let automatic = comparable && band.is_some_and(|band| band.automatic);
        Assessment { currency, amount, rolling_total, levels, automatic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_of_older_versions_are_read() {
        let former = json!({
            "version": 1,
            "approval_bands": [{ "up_to": "50000", "roles": ["REVIEWER"] }, { "up_to": null, "roles": ["FINANCE_APPROVER"] }],
            "restrictions": [{ "sku": "LASER-4", "category": null, "customer_group": "RETAIL", "reason": "the law" }],
            "duplicate_window_days": 7, "rankers": [], "milestones": [], "checklists": [], "delivery_methods": [],
            "ticket_routes": [],
        });
        let rules: RuleSet = serde_json::from_value(former).unwrap();
        assert_eq!(rules.review, ReviewRules::default());
        let [first, last] = &rules.approval_bands[..] else { panic!("two bands") };
        assert_eq!((first.rolling_up_to, first.automatic, first.further_levels.len()), (None, false, 0));
        assert_eq!(last.roles, [Role::FinanceApprover]);
        assert_eq!(rules.restrictions[0].customer_group.as_deref(), Some("RETAIL"));
    }

    #[test]
    fn amounts_are_converted_to_the_minor_unit_or_not_at_all() {
        let currency = |code: &str| Currency::from_code(code).unwrap();
        let rate = ExchangeRate { currency: currency("EUR"), rate: Decimal::new(78_567, 4) };
        let exchange = Exchange { base: currency("CNY"), rates: vec![rate] };
        assert_eq!(exchange.convert(Decimal::new(1_005, 1), currency("EUR")), Some(Decimal::new(78_960, 2)));
        assert_eq!(exchange.convert(Decimal::ONE, currency("CNY")), Some(Decimal::ONE));
        assert_eq!(exchange.convert(Decimal::ONE, currency("USD")), None);
    }
}
