//! Transfers between warehouses: what is dispatched is on its way until it is received, and the difference
//! is kept.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{MovementKind, StockItem, StockMovement};
use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ProductId, StockItemId, StockTransferId, UnitId};
use crate::domain::intake::{LONG_TEXT, check_quantity, public_number, text};
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// Where a transfer stands.
    TransferStatus {
        /// Wanted; nothing has left.
        Requested = "REQUESTED",
        /// All of it has left.
        Dispatched = "DISPATCHED",
        /// Some of it arrived.
        PartiallyReceived = "PARTIALLY_RECEIVED",
        /// All of it arrived.
        Received = "RECEIVED",
        /// Given up: what did not arrive is lost.
        ClosedShort = "CLOSED_SHORT",
        /// Given up before anything left.
        Cancelled = "CANCELLED",
    }
}

use TransferStatus::*;

impl Lifecycle for TransferStatus {
    const NOUN: &'static str = "transfer";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::RequestTransfer, Requested, "R4.3"),
        step(Requested, Action::DispatchTransfer, Dispatched, "R4.3"),
        step(Requested, Action::CancelTransfer, Cancelled, "R4.3"),
        step(Dispatched, Action::ReceiveTransfer, PartiallyReceived, "R4.3"),
        step(Dispatched, Action::ReceiveTransfer, Received, "R4.3"),
        step(Dispatched, Action::CloseTransferShort, ClosedShort, "R4.1"),
        step(PartiallyReceived, Action::ReceiveTransfer, PartiallyReceived, "R4.3"),
        step(PartiallyReceived, Action::ReceiveTransfer, Received, "R4.3"),
        step(PartiallyReceived, Action::CloseTransferShort, ClosedShort, "R4.1"),
    ];
}

impl TransferStatus {
    /// States in which goods are on their way.
    pub const COMING: &'static [Self] = &[Dispatched, PartiallyReceived];
}

/// Goods on their way from one warehouse to another. Counts are in the product's unit of measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockTransfer {
    /// Identity.
    pub id: StockTransferId,
    /// Counts the changes.
    pub version: i64,
    /// The number people use.
    pub number: String,
    /// What is transferred.
    pub product_id: ProductId,
    /// Its SKU.
    pub sku: String,
    /// Where it comes from.
    pub from_item_id: StockItemId,
    /// The warehouse it comes from.
    pub from_warehouse_id: UnitId,
    /// Where it goes.
    pub to_item_id: StockItemId,
    /// The warehouse it goes to.
    pub to_warehouse_id: UnitId,
    /// How much.
    pub quantity: Decimal,
    /// How much of it arrived.
    pub received: Decimal,
    /// Where it stands.
    pub status: TransferStatus,
    /// Why it is wanted.
    pub reason: Option<String>,
    /// When it is expected to arrive.
    pub expected_at: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Who sent it.
    pub dispatched_by: Option<String>,
    /// When.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// Why it was cancelled or closed short.
    pub ended_reason: Option<String>,
}

/// Asks for goods of one warehouse in another.
pub fn request(
    act: &Act<'_>,
    from: &StockItem,
    to: &StockItem,
    quantity: Decimal,
    reason: Option<String>,
    expected_at: Option<DateTime<Utc>>,
) -> Result<StockTransfer, Refusals> {
    let mut refusals = role_blockers(Action::RequestTransfer, act.actor);
    check_quantity(&mut refusals, "quantity", quantity);
    text(&mut refusals, "reason", reason.as_deref(), false, LONG_TEXT);
    refusals.require(expected_at.is_none_or(|at| at >= act.now), || {
        Refusal::new(Code::DateInPast, "R4.3", "Goods are expected in the future.").at("expectedAt")
    });
    refusals.require(from.warehouse_id != to.warehouse_id, || {
        Refusal::new(Code::Repeated, "R4.3", "A transfer goes from one warehouse to another.").at("toWarehouseId")
    });
    refusals.into_result()?;
    let id: StockTransferId = act.id();
    Ok(StockTransfer {
        id,
        version: 0,
        number: public_number(id.0),
        product_id: from.product_id,
        sku: from.sku.clone(),
        from_item_id: from.id,
        from_warehouse_id: from.warehouse_id,
        to_item_id: to.id,
        to_warehouse_id: to.warehouse_id,
        quantity,
        received: Decimal::ZERO,
        status: Requested,
        reason,
        expected_at,
        requested_by: act.actor.subject.clone(),
        requested_at: act.now,
        dispatched_by: None,
        dispatched_at: None,
        ended_reason: None,
    })
}

impl StockTransfer {
    /// What is on its way.
    pub fn in_transit(&self) -> Decimal {
        if TransferStatus::COMING.contains(&self.status) { self.quantity - self.received } else { Decimal::ZERO }
    }

    /// What left and never arrived; known when the transfer has ended.
    pub fn lost(&self) -> Decimal {
        if self.status == ClosedShort { self.quantity - self.received } else { Decimal::ZERO }
    }

    /// What stands between the actor and an action on this transfer, apart from the input and the stock.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        let (from, to) = (actor.covers_unit(self.from_warehouse_id), actor.covers_unit(self.to_warehouse_id));
        let (fits, whose) = match action {
            Action::DispatchTransfer => (from, "the warehouse it leaves"),
            Action::ReceiveTransfer | Action::CloseTransferShort => (to, "the warehouse it goes to"),
            _ => (from || to, "its two warehouses"),
        };
        refusals.require(fits, || {
            Refusal::new(Code::RoleNotPermitted, "R4.1", format!("Only people of {whose} and those above do this."))
        });
        refusals
    }

    /// It leaves. What is reserved or put aside stays.
    pub fn dispatch(
        &mut self,
        act: &Act<'_>,
        from: &mut StockItem,
        journal: &mut Vec<StockMovement>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::DispatchTransfer, act.actor);
        refusals.require(self.quantity <= from.available(), || {
            let message = format!("Only {} of {} are available.", from.available().normalize(), self.quantity);
            Refusal::new(Code::StockMissing, "R4.2", message)
        });
        refusals.into_result()?;
        self.status = Dispatched;
        self.dispatched_by = Some(act.actor.subject.clone());
        self.dispatched_at = Some(act.now);
        self.move_stock(act, from, MovementKind::TransferOut, -self.quantity, journal);
        Ok(EventKind::TransferDispatched)
    }

    /// Some of it arrives, or all. No more can arrive than left: what else turns up is a correction.
    pub fn receive(
        &mut self,
        act: &Act<'_>,
        quantity: Decimal,
        to: &mut StockItem,
        journal: &mut Vec<StockMovement>,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::ReceiveTransfer, act.actor);
        check_quantity(&mut refusals, "quantity", quantity);
        let left = self.quantity - self.received;
        refusals.require(quantity <= left, || {
            let message = format!("Only {} of it are still on their way.", left.normalize());
            Refusal::new(Code::QuantityExceeded, "R4.1", message).at("quantity")
        });
        refusals.into_result()?;
        self.received += quantity;
        self.status = if self.received == self.quantity { Received } else { PartiallyReceived };
        self.move_stock(act, to, MovementKind::TransferIn, quantity, journal);
        Ok(EventKind::TransferReceived)
    }

    /// It is cancelled or closed short, with a reason.
    pub fn end(&mut self, act: &Act<'_>, action: Action, reason: String) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(action, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        let (status, kind) = match action {
            Action::CancelTransfer => (Cancelled, EventKind::TransferCancelled),
            _ => (ClosedShort, EventKind::TransferClosedShort),
        };
        self.status = status;
        self.ended_reason = Some(reason.clone());
        Ok(kind.because(reason))
    }

    fn move_stock(
        &self,
        act: &Act<'_>,
        item: &mut StockItem,
        kind: MovementKind,
        change: Decimal,
        journal: &mut Vec<StockMovement>,
    ) {
        let mut movement = item.movement(act, kind, change, Decimal::ZERO, None);
        movement.transfer_id = Some(self.id);
        item.apply(movement, journal);
    }
}
