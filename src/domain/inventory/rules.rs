//! What of stock operations a group may set for itself.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The rules of stock operations (R4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InventoryRules {
    /// Days after which stock that is set aside for a share nobody has begun to work on becomes free
    /// again; none for never.
    pub reservation_days: Option<i64>,
    /// By how much more than was ordered a request may be received, as a fraction: 0.1 is a tenth.
    pub over_receipt_rate: Decimal,
    /// How far a count may be off without a second person's approval.
    pub count_tolerance: CountTolerance,
    /// Stock beyond what is used in so many days, with the safety stock on top, is too much (R4.5).
    pub overstock_days: u32,
}

/// How far a count may be off. A variance is within it when it is small, in pieces or in proportion, and
/// worth little.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountTolerance {
    /// So many units of the product are small.
    pub quantity: Decimal,
    /// So large a fraction of the book quantity is small.
    pub rate: Decimal,
    /// So much is little, at list price in the product's currency.
    pub value: Decimal,
}

impl Default for InventoryRules {
    fn default() -> Self {
        Self {
            reservation_days: Some(14),
            over_receipt_rate: Decimal::new(1, 1),
            count_tolerance: CountTolerance::default(),
            overstock_days: 180,
        }
    }
}

impl Default for CountTolerance {
    fn default() -> Self {
        Self { quantity: Decimal::ONE, rate: Decimal::new(2, 2), value: Decimal::from(500) }
    }
}

impl CountTolerance {
    /// Is a variance so small that nobody else need look at it?
    pub fn covers(&self, variance: Decimal, book: Decimal, list_price: Decimal) -> bool {
        let size = variance.abs();
        (size <= self.quantity || size <= book * self.rate) && size * list_price <= self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variance_is_small_in_pieces_or_in_proportion_and_worth_little() {
        let tolerance = CountTolerance::default();
        let covers = |variance: i64, book: i64, price: i64| {
            tolerance.covers(Decimal::from(variance), Decimal::from(book), Decimal::from(price))
        };
        assert!(covers(0, 0, 9_999));
        assert!(covers(-1, 5, 500), "one piece");
        assert!(!covers(-1, 5, 501), "one dear piece");
        assert!(covers(2, 100, 10), "two of a hundred");
        assert!(!covers(3, 100, 10), "three of a hundred");
        assert!(!covers(20, 1_000, 26), "in proportion, but dear");
    }
}
