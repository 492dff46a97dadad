//! The queue of those who wait, and when their turn will come.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::Backorder;
use crate::domain::codes::codes;
use crate::domain::ids::{AllocationId, OrderId};

codes! {
    /// What brings goods.
    SupplyKind {
        /// A replenishment request that was approved or ordered.
        Replenishment = "REPLENISHMENT",
        /// A transfer from another warehouse that has left.
        Transfer = "TRANSFER",
    }
}

/// Goods that are known to be coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coming {
    /// What brings them.
    pub kind: SupplyKind,
    /// Its identity.
    pub id: Uuid,
    /// How much is still to come.
    pub quantity: Decimal,
    /// When; none where nobody has said.
    pub expected_at: Option<DateTime<Utc>>,
}

/// A backorder and its place among all that wait for the same stock item, most urgent and oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The backorder.
    pub backorder: Backorder,
    /// Whose it is.
    pub allocation_id: AllocationId,
    /// The order it is for.
    pub order_id: OrderId,
    /// 1 for the one whose turn is next.
    pub position: i64,
    /// How much those before it wait for.
    pub ahead: Decimal,
    /// What will cover it; none when nothing that is known to be coming does.
    pub supply: Option<Supply>,
}

/// What will cover a backorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// The delivery with which the last of it comes.
    pub coming: Coming,
    /// When that is; none where nobody has said.
    pub expected_at: Option<DateTime<Utc>>,
}

/// What will cover a quantity behind those ahead of it: goods are given to the queue in the order in which
/// they come, those without a day last.
pub fn expected(ahead: Decimal, missing: Decimal, coming: &[Coming]) -> Option<Supply> {
    let mut by_day: Vec<Coming> = coming.to_vec();
    by_day.sort_by_key(|one| (one.expected_at.is_none(), one.expected_at, one.id));
    let mut so_far = Decimal::ZERO;
    for coming in by_day {
        so_far += coming.quantity;
        if so_far >= ahead + missing {
            return Some(Supply { coming, expected_at: coming.expected_at });
        }
    }
    None
}

impl Place {
    /// When it is expected and why, in words.
    pub fn explanation(&self) -> String {
        let queue = format!("Number {} of those who wait, {} before it.", self.position, self.ahead.normalize());
        let supply = match &self.supply {
            None => "No supply known that covers it.".to_owned(),
            Some(Supply { coming, expected_at }) => {
                let what = match coming.kind {
                    SupplyKind::Replenishment => "a replenishment request",
                    SupplyKind::Transfer => "a transfer",
                };
                match expected_at {
                    Some(day) => format!("The last of it comes with {what} expected on {}.", day.date_naive()),
                    None => format!("The last of it comes with {what} for which no day is named."),
                }
            }
        };
        format!("{queue} {supply}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn day(day: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).single().expect("a day")
    }

    fn coming(id: u128, quantity: i64, expected_at: Option<DateTime<Utc>>) -> Coming {
        let quantity = Decimal::from(quantity);
        Coming { kind: SupplyKind::Transfer, id: Uuid::from_u128(id), quantity, expected_at }
    }

    #[test]
    fn those_ahead_are_served_first_and_what_has_no_day_comes_last() {
        let all = [coming(1, 5, None), coming(2, 10, Some(day(9))), coming(3, 4, Some(day(7)))];
        let expected = |ahead: i64, missing: i64| {
            expected(Decimal::from(ahead), Decimal::from(missing), &all).map(|one| one.expected_at)
        };
        assert_eq!(expected(0, 4), Some(Some(day(7))));
        assert_eq!(expected(0, 5), Some(Some(day(9))));
        assert_eq!(expected(4, 10), Some(Some(day(9))));
        assert_eq!(expected(4, 11), Some(None), "it comes, but nobody has said when");
        assert_eq!(expected(14, 6), None, "no supply known");
    }
}
