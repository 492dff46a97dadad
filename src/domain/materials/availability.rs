//! Is there enough of everything by a day, and if not, when will there be?

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Netted, Part, Structure, net};
use crate::domain::codes::codes;
use crate::domain::ids::ProductId;
use crate::domain::refusal::Refusal;

codes! {
    /// Why nobody can say when a part will be there.
    LateReason {
        /// Nothing of it is on order or on its way.
        NothingIncoming = "NOTHING_INCOMING",
        /// Less is on order or on its way than is needed.
        TooLittleIncoming = "TOO_LITTLE_INCOMING",
        /// Enough is on order or on its way, but nobody has said when it comes.
        DateUnknown = "DATE_UNKNOWN",
    }
}

/// Something that is on order, or on its way from another warehouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// How much of it has not arrived.
    pub quantity: Decimal,
    /// The day it is expected; none when nobody has said.
    pub expected_on: Option<NaiveDate>,
}

/// What there is of a product, and what is on order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// What can be promised now: neither reserved nor held.
    pub available: Decimal,
    /// What is on order.
    pub incoming: Vec<Incoming>,
}

impl Supply {
    /// What comes in up to a day.
    pub fn incoming_by(&self, day: NaiveDate) -> Decimal {
        self.incoming.iter().filter(|one| one.expected_on.is_some_and(|on| on <= day)).map(|one| one.quantity).sum()
    }

    /// What there will be by a day.
    pub fn by(&self, day: NaiveDate) -> Decimal {
        self.available.max(Decimal::ZERO) + self.incoming_by(day)
    }
}

/// The first day on which a quantity is there, today at the earliest, or why nobody can say.
pub fn available_on(supply: &Supply, quantity: Decimal, today: NaiveDate) -> Result<NaiveDate, LateReason> {
    if supply.available >= quantity {
        return Ok(today);
    }
    let mut days: Vec<NaiveDate> = supply.incoming.iter().filter_map(|one| one.expected_on).collect();
    days.sort_unstable();
    if let Some(day) = days.into_iter().find(|day| supply.by(*day) >= quantity) {
        // What should have come by now is expected any day.
        return Ok(day.max(today));
    }
    let ordered: Decimal = supply.incoming.iter().map(|one| one.quantity).sum();
    Err(if ordered.is_zero() {
        LateReason::NothingIncoming
    } else if supply.available.max(Decimal::ZERO) + ordered < quantity {
        LateReason::TooLittleIncoming
    } else {
        LateReason::DateUnknown
    })
}

/// What is needed of a part, where it comes from, and when it is all there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// Needed, taken, made, missing.
    pub need: Netted,
    /// What can be promised now.
    pub available: Decimal,
    /// What comes in by the day that was asked about.
    pub incoming: Decimal,
    /// When what is not made is there, or why nobody can say.
    pub available_on: Result<NaiveDate, LateReason>,
}

/// What a quantity of a product needs by a day, on every level, when stock is used first. What is made to
/// order is made anew: of it, and of it alone, no stock is counted.
pub fn availability(
    product: &Part,
    is_made_to_order: bool,
    day: NaiveDate,
    today: NaiveDate,
    structure: &Structure,
    supplies: &BTreeMap<ProductId, Supply>,
) -> Result<Vec<Material>, Refusal> {
    let nothing = Supply::default();
    let of = |id: ProductId| {
        if is_made_to_order && id == product.product_id { &nothing } else { supplies.get(&id).unwrap_or(&nothing) }
    };
    let netted = net(std::slice::from_ref(product), day, structure, |id| of(id).by(day))?;
    let material = |need: Netted| {
        let supply = of(need.product_id);
        Material {
            available: supply.available.max(Decimal::ZERO),
            incoming: supply.incoming_by(day),
            available_on: available_on(supply, need.taken + need.short, today),
            need,
        }
    };
    Ok(netted.into_iter().map(material).collect())
}
