//! Prices and discounts of lines whose amounts others have computed.

use rust_decimal::Decimal;

use crate::domain::money::{self, Currency};

/// A price and a discount that come to what the channel says a line costs.
pub(super) struct Terms {
    /// The price of one unit.
    pub(super) unit_price: Decimal,
    /// The discount as a fraction.
    pub(super) discount_rate: Decimal,
    /// Do they come to it to the cent?
    pub(super) is_exact: bool,
}

impl Terms {
    /// The price as it was told with the discount as a rate; where no rate of four decimals comes to the
    /// same amount, the price after the discount.
    pub(super) fn of(quantity: Decimal, price: Decimal, discount: Decimal, currency: Currency) -> Self {
        let gross = quantity * price;
        let discount = discount.clamp(Decimal::ZERO, gross);
        let wanted = money::round_to_minor(gross - discount, currency);
        let unit_price = price.round_dp(money::PRICE_SCALE).normalize();
        let comes_to = |price: Decimal, rate: Decimal| {
            money::round_to_minor(money::extended_price(quantity, price, rate), currency)
        };
        let rate = if gross.is_zero() { Decimal::ZERO } else { discount / gross };
        let discount_rate = rate.round_dp(money::PRICE_SCALE).normalize();
        let after = ((gross - discount) / quantity).round_dp(money::PRICE_SCALE).normalize();
        if comes_to(unit_price, discount_rate) == wanted {
            Self { unit_price, discount_rate, is_exact: true }
        } else if comes_to(after, Decimal::ZERO) == wanted {
            Self { unit_price: after, discount_rate: Decimal::ZERO, is_exact: true }
        } else {
            Self { unit_price, discount_rate, is_exact: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn lines_come_to_what_the_channel_says() {
        let usd = Currency::from_code("USD").unwrap();
        for (quantity, price, discount, expected, exact) in [
            ("1", "199.00", "0", ("199", "0"), true),
            ("1", "199.00", "3.34", ("199", "0.0168"), true),
            // No rate of four decimals comes to 19999.99.
            ("1", "20000.00", "0.01", ("19999.99", "0"), true),
            ("3", "3.33333333333", "0", ("3.3333", "0"), true),
            ("1", "5.00", "5.00", ("5", "1"), true),
            ("1", "5.00", "9.00", ("5", "1"), true),
            ("0.003", "0", "0", ("0", "0"), true),
            // Neither: a third of a cent on each of many.
            ("70000", "1.00", "0.01", ("1", "0"), false),
        ] {
            let terms = Terms::of(number(quantity), number(price), number(discount), usd);
            let found = (terms.unit_price.to_string(), terms.discount_rate.to_string());
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{quantity} × {price} − {discount}");
            assert_eq!(terms.is_exact, exact, "{quantity} × {price} − {discount}");
        }
    }
}
