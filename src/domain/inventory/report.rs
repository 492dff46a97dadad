//! What the movements of a time say of a stock item: how fast it turns over, how long it lasts, how old it
//! is, and how much of it is too much (R4.5).

use rust_decimal::Decimal;

use super::StockItem;
use crate::domain::codes::codes;
use crate::domain::money::QUANTITY_SCALE;

codes! {
    /// Why a figure is not known.
    UnknownReason {
        /// Nothing lay there at the beginning and the end of the time.
        NoStock = "NO_STOCK",
        /// Nothing was issued in the time.
        NoIssues = "NO_ISSUES",
    }
}

/// A figure that cannot be told.
pub type Unknown = UnknownReason;

/// What came and went in a time. In the product's unit of measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// On hand at the beginning.
    pub opening: Decimal,
    /// On hand at the end.
    pub closing: Decimal,
    /// Issued to customers and production in between.
    pub issued: Decimal,
}

/// How much of what lies there has lain for how long: the newest of what came in is what is left, since
/// the oldest goes out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ageing {
    /// Up to 30 days.
    pub up_to_30_days: Decimal,
    /// More than 30 and up to 90 days.
    pub up_to_90_days: Decimal,
    /// More than 90 and up to 180 days.
    pub up_to_180_days: Decimal,
    /// More than 180 days.
    pub over_180_days: Decimal,
}

/// A stock item's figures over a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockFigures {
    /// The item as it is now.
    pub item: StockItem,
    /// What came and went.
    pub flow: Flow,
    /// How old what was left is.
    pub ageing: Ageing,
    /// Length of the time in days; a part of a day counts in proportion.
    pub days: Decimal,
    /// For how many days' issues stock may lie.
    pub overstock_days: u32,
}

impl StockFigures {
    /// The mean of what lay there at the beginning and at the end.
    pub fn average(&self) -> Decimal {
        (self.flow.opening + self.flow.closing) / Decimal::TWO
    }

    /// How often the average stock was issued in the time.
    pub fn turnover(&self) -> Result<Decimal, Unknown> {
        let turnover = self.flow.issued.checked_div(self.average()).ok_or(UnknownReason::NoStock)?;
        Ok(turnover.round_dp(QUANTITY_SCALE))
    }

    /// For how many days what lay there at the end lasts, if issues go on as in the time.
    pub fn days_of_supply(&self) -> Result<Decimal, Unknown> {
        let lasts = (self.flow.closing * self.days).checked_div(self.flow.issued).ok_or(UnknownReason::NoIssues)?;
        Ok(lasts.round_dp(QUANTITY_SCALE))
    }

    /// What lay there at the end beyond the safety stock and what is issued in the days stock may lie.
    /// Where nothing was issued, all beyond the safety stock.
    pub fn overstock(&self) -> Decimal {
        let used = (self.flow.issued * Decimal::from(self.overstock_days)).checked_div(self.days).unwrap_or_default();
        let enough = self.item.safety_stock + used;
        (self.flow.closing - enough).max(Decimal::ZERO).round_dp(QUANTITY_SCALE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn figures(opening: i64, closing: i64, issued: i64, days: i64) -> StockFigures {
        let id = Uuid::from_u128(1);
        let mut item = StockItem::empty(id.into(), id.into(), "X".to_owned(), id.into());
        item.safety_stock = Decimal::from(10);
        let flow =
            Flow { opening: Decimal::from(opening), closing: Decimal::from(closing), issued: Decimal::from(issued) };
        StockFigures { item, flow, ageing: Ageing::default(), days: Decimal::from(days), overstock_days: 180 }
    }

    #[test]
    fn figures_follow_their_formulas() {
        let one = figures(100, 200, 300, 90);
        assert_eq!(one.average(), Decimal::from(150));
        assert_eq!(one.turnover(), Ok(Decimal::TWO));
        assert_eq!(one.days_of_supply(), Ok(Decimal::from(60)));
        assert_eq!(one.overstock(), Decimal::ZERO, "600 are used in 180 days");
        assert_eq!(figures(0, 100, 40, 180).overstock(), Decimal::from(50));
    }

    #[test]
    fn what_cannot_be_divided_is_not_known() {
        assert_eq!(figures(0, 0, 5, 90).turnover(), Err(UnknownReason::NoStock));
        assert_eq!(figures(5, 5, 0, 90).days_of_supply(), Err(UnknownReason::NoIssues));
        assert_eq!(figures(5, 50, 0, 90).overstock(), Decimal::from(40), "all beyond the safety stock");
        assert_eq!(figures(5, 50, 0, 0).overstock(), Decimal::from(40));
    }
}
