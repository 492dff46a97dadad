//! How a channel's orders are taken in: whose they are, what its words mean, what it does not say.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::codes::codes;
use crate::domain::intake::{FARTHEST_DAYS, SHORT_TEXT, text};
use crate::domain::money::Currency;
use crate::domain::reference::Customer;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};

codes! {
    /// Whose the orders of a channel are.
    CustomerPolicy {
        /// All of them are one customer's, which stands for everybody who orders there.
        Collective = "COLLECTIVE",
        /// Each buyer becomes a customer of its own at the first order, recognized by e-mail address, telephone
        /// or the platform's number. Never one of the group's other customers: anybody can type any address.
        PerBuyer = "PER_BUYER",
    }
}

/// What the channel calls one of the group's products.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuMapping {
    /// The channel's word for it.
    pub external_sku: String,
    /// The group's SKU.
    pub sku: String,
}

/// How a channel's orders are taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// Whose its orders are.
    pub customer_policy: CustomerPolicy,
    /// The customer that stands for everybody, also for buyers who cannot be told apart.
    pub customer_number: String,
    /// The customer group of buyers who become customers.
    pub customer_group: String,
    /// Region code of its orders; the customer's where absent.
    pub region: Option<String>,
    /// The currency where an order tells none.
    pub currency: Currency,
    /// Platforms tell no date by which an order is expected: so many days after it is taken in.
    pub lead_time_days: i32,
    /// Minutes east of Greenwich of moments that are told without an offset.
    pub utc_offset_minutes: i32,
    /// Products that the channel calls otherwise than the group.
    pub sku_mappings: Vec<SkuMapping>,
}

/// What must be known to check settings.
pub struct SettingsFacts<'a> {
    /// The customer that was named.
    pub customer: Option<&'a Customer>,
    /// Those of the SKUs named that exist.
    pub skus: &'a BTreeSet<String>,
}

/// Mappings a channel may have.
pub const MOST_MAPPINGS: usize = 2_000;

impl ChannelSettings {
    pub(super) fn check(&self, facts: &SettingsFacts<'_>, refusals: &mut Refusals) {
        refusals.require(facts.customer.is_some(), || {
            Refusal::new(Code::UnknownCustomer, "R1.4", "No customer has this number.").at("settings.customerNumber")
        });
        text(refusals, "settings.customerGroup", Some(&self.customer_group), true, SHORT_TEXT);
        text(refusals, "settings.region", self.region.as_deref(), false, 20);
        refusals.require((0..=FARTHEST_DAYS).contains(&i64::from(self.lead_time_days)), || {
            let message = format!("Between 0 and {FARTHEST_DAYS} days.");
            Refusal::new(Code::Malformed, "R1.4", message).at("settings.leadTimeDays")
        });
        refusals.require((-12 * 60..=14 * 60).contains(&self.utc_offset_minutes), || {
            let message = "Between −720 and 840 minutes.";
            Refusal::new(Code::Malformed, "R1.4", message).at("settings.utcOffsetMinutes")
        });
        refusals.require(self.sku_mappings.len() <= MOST_MAPPINGS, || {
            let message = format!("At most {MOST_MAPPINGS} mappings.");
            Refusal::new(Code::TooMany, "R1.4", message).at("settings.skuMappings")
        });
        let mut seen = BTreeSet::new();
        for (index, mapping) in self.sku_mappings.iter().take(MOST_MAPPINGS).enumerate() {
            let at = |field: &str| format!("settings.skuMappings.{index}.{field}");
            text(refusals, &at("externalSku"), Some(&mapping.external_sku), true, SHORT_TEXT);
            refusals.require(seen.insert(mapping.external_sku.as_str()), || {
                Refusal::new(Code::Repeated, "R1.4", "This word is mapped already.").at(at("externalSku"))
            });
            refusals.require(facts.skus.contains(&mapping.sku), || {
                Refusal::new(Code::UnknownSku, "R1.4", "No product has this SKU.").at(at("sku"))
            });
        }
    }

    /// The group's SKU for the channel's word.
    pub fn sku_of<'a>(&'a self, external: &'a str) -> &'a str {
        self.sku_mappings.iter().find(|one| one.external_sku == external).map_or(external, |one| &one.sku)
    }

    /// The channel's own offset from UTC.
    pub fn offset(&self) -> FixedOffset {
        FixedOffset::east_opt(self.utc_offset_minutes * 60)
            .or_else(|| FixedOffset::east_opt(0))
            .unwrap_or_else(|| unreachable!("no offset is an offset"))
    }

    /// The date by which an order is expected that is taken in now.
    pub fn required_by(&self, now: DateTime<Utc>) -> NaiveDate {
        let today = now.with_timezone(&self.offset()).date_naive();
        today.checked_add_days(Days::new(u64::from(self.lead_time_days.unsigned_abs()))).unwrap_or(today)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn plain() -> ChannelSettings {
        ChannelSettings {
            customer_policy: CustomerPolicy::Collective,
            customer_number: "C-1".to_owned(),
            customer_group: "RETAIL".to_owned(),
            region: None,
            currency: Currency::from_code("USD").unwrap(),
            lead_time_days: 3,
            utc_offset_minutes: 8 * 60,
            sku_mappings: vec![SkuMapping { external_sku: "their".to_owned(), sku: "OUR".to_owned() }],
        }
    }

    #[test]
    fn a_day_begins_where_the_channel_is() {
        let evening = DateTime::parse_from_rfc3339("2026-03-31T16:30:00Z").unwrap().with_timezone(&Utc);
        assert_eq!(plain().required_by(evening).to_string(), "2026-04-04");
        assert_eq!((plain().sku_of("their"), plain().sku_of("other")), ("OUR", "other"));
    }
}
