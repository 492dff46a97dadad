//! Money and quantities: exact decimals, rounded once, parts that sum to the whole.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Decimals a price may have: finer than the minor unit, since unit prices often are.
pub const PRICE_SCALE: u32 = 4;
/// Decimals a quantity may have.
pub const QUANTITY_SCALE: u32 = 3;
/// The largest quantity and the largest price accepted; keeps every product of the two exact.
pub const LARGEST: i64 = 1_000_000_000;

/// An ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency with this three-letter code, if ISO 4217 knows it.
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit: 2 for CNY, 0 for JPY.
    pub fn minor_unit(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom("unknown currency"))
    }
}

/// An amount in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount in major units.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

/// The amount rounded to the currency's minor unit, half away from zero, as invoices are.
pub fn round_to_minor(amount: Decimal, currency: Currency) -> Decimal {
    amount.round_dp_with_strategy(currency.minor_unit(), RoundingStrategy::MidpointAwayFromZero)
}

/// Quantity × unit price × (1 − discount), exact.
pub fn extended_price(quantity: Decimal, unit_price: Decimal, discount_rate: Decimal) -> Decimal {
    (quantity * unit_price * (Decimal::ONE - discount_rate)).normalize()
}

/// The share of `total` that falls to the step from `before` to `after` out of `whole`.
///
/// Shares are differences of rounded running totals, so that however a quantity is cut, the shares
/// of all its parts sum to `total` exactly.
pub fn running_share(total: Decimal, before: Decimal, after: Decimal, whole: Decimal, currency: Currency) -> Decimal {
    if whole.is_zero() {
        return Decimal::ZERO;
    }
    let upto = |quantity: Decimal| round_to_minor(total * quantity / whole, currency);
    upto(after) - upto(before)
}

/// Is this a quantity one can order: above zero, at most three decimals, not absurdly large?
pub fn is_quantity(quantity: Decimal) -> bool {
    quantity > Decimal::ZERO && quantity.normalize().scale() <= QUANTITY_SCALE && quantity <= Decimal::from(LARGEST)
}

/// Is this a price: not negative, at most four decimals, not absurdly large?
pub fn is_price(price: Decimal) -> bool {
    price >= Decimal::ZERO && price.normalize().scale() <= PRICE_SCALE && price <= Decimal::from(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd() -> Currency {
        Currency::from_code("USD").expect("known")
    }

    #[test]
    fn shares_of_a_cut_quantity_sum_to_the_whole() {
        let total = Decimal::new(10_00, 2);
        let whole = Decimal::from(3);
        let shares: Vec<_> = (0..3)
            .map(|step| running_share(total, Decimal::from(step), Decimal::from(step + 1), whole, usd()))
            .collect();
        assert_eq!(shares, [Decimal::new(3_33, 2), Decimal::new(3_34, 2), Decimal::new(3_33, 2)]);
        assert_eq!(shares.iter().sum::<Decimal>(), total);
    }

    #[test]
    fn yen_have_no_minor_unit() {
        let yen = Currency::from_code("JPY").expect("known");
        assert_eq!(round_to_minor(Decimal::new(15, 1), yen), Decimal::from(2));
    }
}
