//! Stock whose quality is in doubt: put aside, found good, or thrown away.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{OnStock, Waiters, ask_to_replenish};
use crate::app::command::Command;
use crate::domain::ids::StockItemId;
use crate::domain::inventory::HeldStock;
use crate::domain::permission::Action;
use crate::store::{Result, Work, inventory};

macro_rules! on_held_stock {
    ($($(#[$doc:meta])+ $command:ident => $what:ident;)+) => { $(
        $(#[$doc])+
        #[derive(Clone, Debug, Serialize)]
        pub struct $command {
            /// The stock item.
            pub stock_item_id: StockItemId,
            /// How much of it.
            pub quantity: Decimal,
            /// Why.
            pub reason: String,
            /// The version of the stock item the caller has seen.
            pub expected_version: Option<i64>,
        }

        impl Command for $command {
            const ACTION: Action = HeldStock::$what.action();
            type Answer = OnStock;

            async fn run(&self, work: &Work) -> Result<OnStock> {
                handle(work, HeldStock::$what, self.stock_item_id, self.quantity, &self.reason, self.expected_version)
                    .await
            }
        }
    )+ };
}

on_held_stock! {
    /// Put stock aside until its quality is known; it is not available meanwhile (R6.1).
    HoldStock => Hold;
    /// Give stock free that was put aside; it fills what waits.
    ReleaseHeldStock => Release;
    /// Throw away stock that was put aside.
    ScrapHeldStock => Scrap;
}

async fn handle(
    work: &Work,
    what: HeldStock,
    id: StockItemId,
    quantity: Decimal,
    reason: &str,
    expected_version: Option<i64>,
) -> Result<OnStock> {
    let mut waiters = Waiters::lock(work, &[id], []).await?;
    let mut item = inventory::visible(work, id).await?;
    work.expect(&item, expected_version)?;
    let mut journal = Vec::new();
    let happening = item.handle_held(&work.act(), what, quantity, reason.to_owned(), &mut journal)?;
    let left = waiters.fill(work, &mut item, &mut journal).await?;
    let item = work.save(item, happening).await?;
    let filled_allocation_ids = waiters.save(work).await?;
    inventory::keep_movements(work, &journal)?;
    ask_to_replenish(work, &item, left).await?;
    Ok(OnStock { stock_item_id: item.id, filled_allocation_ids })
}
