//! What the movements of a time say of a stock item.

use async_graphql::{Object, SimpleObject};

use super::StockItem;
use crate::domain::inventory as domain;
use crate::domain::inventory::UnknownReason;
use crate::graphql::connection::connection;
use crate::graphql::scalars::Decimal;
use crate::graphql::types::wrapper;

wrapper! {
    /// Figures.
    InventoryFigures(domain::StockFigures)
}
connection!(InventoryFiguresConnection, InventoryFiguresEdge, InventoryFigures, "stock items' figures");

/// A stock item's figures over a time (R4.5). Quantities are in the product's unit of measure and have at most
/// three decimals.
#[macros::written]
#[Object]
impl InventoryFigures {
    /// The stock item as it is now.
    async fn stock_item(&self) -> StockItem {
        self.0.item.clone().into()
    }

    /// On hand at the beginning: the sum of all movements before `from`.
    async fn opening(&self) -> Decimal {
        self.0.flow.opening.into()
    }

    /// On hand at the end: the sum of all movements before `to`.
    async fn closing(&self) -> Decimal {
        self.0.flow.closing.into()
    }

    /// Issued to customers and production from `from` until before `to`.
    async fn issued(&self) -> Decimal {
        self.0.flow.issued.into()
    }

    /// Half of what lay there at both ends: (opening + closing) / 2.
    async fn average(&self) -> Decimal {
        self.0.average().round_dp(3).into()
    }

    /// Issued / average: how often the average stock was issued in the time. Null where `turnoverUnknown` says why.
    async fn turnover(&self) -> Option<Decimal> {
        self.0.turnover().ok().map(Into::into)
    }

    /// Why there is no turnover; null where there is.
    async fn turnover_unknown(&self) -> Option<UnknownReason> {
        self.0.turnover().err()
    }

    /// Closing × days of the time / issued: for how many days what lay there at the end lasts, if issues go on as
    /// in the time. Null where `daysOfSupplyUnknown` says why.
    async fn days_of_supply(&self) -> Option<Decimal> {
        self.0.days_of_supply().ok().map(Into::into)
    }

    /// Why there are no days of supply; null where there are.
    async fn days_of_supply_unknown(&self) -> Option<UnknownReason> {
        self.0.days_of_supply().err()
    }

    /// Closing − safety stock − issued × `overstockDays` of the rules / days of the time, at least 0: what lay there
    /// at the end beyond what is used in that many days. Where nothing was issued, all beyond the safety stock.
    async fn overstock(&self) -> Decimal {
        self.0.overstock().into()
    }

    /// How long what lay there at the end had lain.
    async fn ageing(&self) -> StockAgeing {
        let ageing = self.0.ageing;
        StockAgeing {
            up_to_30_days: ageing.up_to_30_days.into(),
            up_to_90_days: ageing.up_to_90_days.into(),
            up_to_180_days: ageing.up_to_180_days.into(),
            over_180_days: ageing.over_180_days.into(),
        }
    }
}

/// How long what lay there at the end had lain, first in, first out: what is left is of the newest movements
/// that brought goods (receipts, transfers in and corrections upwards), which count by their own day. The
/// four sum to `closing`.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct StockAgeing {
    /// Up to 30 days.
    #[graphql(name = "upTo30Days")]
    pub up_to_30_days: Decimal,
    /// More than 30 and up to 90 days.
    #[graphql(name = "upTo90Days")]
    pub up_to_90_days: Decimal,
    /// More than 90 and up to 180 days.
    #[graphql(name = "upTo180Days")]
    pub up_to_180_days: Decimal,
    /// More than 180 days.
    #[graphql(name = "over180Days")]
    pub over_180_days: Decimal,
}
