//! Transfers between warehouses (R4.3).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Waiters, ask_for_those_who_wait, ask_to_replenish};
use crate::app::command::Command;
use crate::domain::event::EventKind;
use crate::domain::ids::{AllocationId, StockItemId, StockTransferId, UnitId};
use crate::domain::inventory::{StockItem, request_transfer};
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, StoreError, Work, inventory};

/// The transfer a command acted on, and the backorders it filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnTransfer {
    /// The transfer.
    pub transfer_id: StockTransferId,
    /// Allocations that got what they waited for, or part of it.
    pub filled_allocation_ids: Vec<AllocationId>,
}

impl OnTransfer {
    fn only(transfer_id: StockTransferId) -> Self {
        Self { transfer_id, filled_allocation_ids: Vec::new() }
    }
}

/// Ask for goods of one warehouse in another. Nothing is reserved by it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestTransfer {
    /// The stock item the goods are taken from.
    pub from_stock_item_id: StockItemId,
    /// The warehouse they go to.
    pub to_warehouse_id: UnitId,
    /// How much.
    pub quantity: Decimal,
    /// Why it is wanted.
    pub reason: Option<String>,
    /// When it is expected to arrive.
    pub expected_at: Option<DateTime<Utc>>,
}

impl Command for RequestTransfer {
    const ACTION: Action = Action::RequestTransfer;
    type Answer = OnTransfer;

    async fn run(&self, work: &Work) -> Result<OnTransfer> {
        let warehouse = inventory::visible_warehouse(work, self.to_warehouse_id).await?;
        let from = inventory::visible(work, self.from_stock_item_id).await?;
        let to = inventory::item_in(work, from.id, warehouse).await?;
        let to = match to {
            Some(id) => inventory::peek(work, id).await?,
            None => {
                let wanted = [(from.product_id, from.sku.clone())];
                let opened = inventory::lock_stock(work, warehouse, &wanted).await?;
                opened.into_iter().next().map(|one| (*one).clone()).ok_or(StoreError::NotFound)?
            }
        };
        let transfer = request_transfer(&work.act(), &from, &to, self.quantity, self.reason.clone(), self.expected_at)?;
        let transfer = work.save(Tracked::new(transfer), EventKind::TransferRequested).await?;
        Ok(OnTransfer::only(transfer.id))
    }
}

/// Send a transfer on its way.
#[derive(Clone, Debug, Serialize)]
pub struct DispatchTransfer {
    /// The transfer.
    pub transfer_id: StockTransferId,
    /// The version of the transfer the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for DispatchTransfer {
    const ACTION: Action = Action::DispatchTransfer;
    type Answer = OnTransfer;

    async fn run(&self, work: &Work) -> Result<OnTransfer> {
        let mut transfer = inventory::visible_transfer(work, self.transfer_id).await?;
        work.expect(&transfer, self.expected_version)?;
        let mut from: Tracked<StockItem> = work.find(transfer.from_item_id.0).await?;
        let mut journal = Vec::new();
        let happening = transfer.dispatch(&work.act(), &mut from, &mut journal)?;
        work.save(transfer, happening).await?;
        let from = work.save(from, EventKind::StockTransferredOut).await?;
        inventory::keep_movements(work, &journal)?;
        ask_for_those_who_wait(work, &from).await?;
        Ok(OnTransfer::only(self.transfer_id))
    }
}

/// Book in what arrived of a transfer; it fills what waits, by priority and then by age.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiveTransfer {
    /// The transfer.
    pub transfer_id: StockTransferId,
    /// How much arrived.
    pub quantity: Decimal,
    /// The version of the transfer the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ReceiveTransfer {
    const ACTION: Action = Action::ReceiveTransfer;
    type Answer = OnTransfer;

    async fn run(&self, work: &Work) -> Result<OnTransfer> {
        let target = inventory::target_of(work, self.transfer_id).await?;
        let mut waiters = Waiters::lock(work, &[target], []).await?;
        let mut transfer = inventory::visible_transfer(work, self.transfer_id).await?;
        work.expect(&transfer, self.expected_version)?;
        let mut to: Tracked<StockItem> = work.find(target.0).await?;
        let mut journal = Vec::new();
        let happening = transfer.receive(&work.act(), self.quantity, &mut to, &mut journal)?;
        let left = waiters.fill(work, &mut to, &mut journal).await?;
        work.save(transfer, happening).await?;
        let to = work.save(to, EventKind::StockTransferredIn).await?;
        let filled_allocation_ids = waiters.save(work).await?;
        inventory::keep_movements(work, &journal)?;
        ask_to_replenish(work, &to, left).await?;
        Ok(OnTransfer { transfer_id: self.transfer_id, filled_allocation_ids })
    }
}

macro_rules! ending {
    ($($(#[$doc:meta])+ $command:ident;)+) => { $(
        $(#[$doc])+
        #[derive(Clone, Debug, Serialize)]
        pub struct $command {
            /// The transfer.
            pub transfer_id: StockTransferId,
            /// Why.
            pub reason: String,
            /// The version of the transfer the caller has seen.
            pub expected_version: Option<i64>,
        }

        impl Command for $command {
            const ACTION: Action = Action::$command;
            type Answer = OnTransfer;

            async fn run(&self, work: &Work) -> Result<OnTransfer> {
                let mut transfer = inventory::visible_transfer(work, self.transfer_id).await?;
                work.expect(&transfer, self.expected_version)?;
                let happening = transfer.end(&work.act(), Self::ACTION, self.reason.clone())?;
                work.save(transfer, happening).await?;
                Ok(OnTransfer::only(self.transfer_id))
            }
        }
    )+ };
}

ending! {
    /// Give up what did not arrive of a transfer; the difference is kept.
    CloseTransferShort;
    /// Give up a transfer before anything left.
    CancelTransfer;
}
