//! Requests to replenish (R4.3, R4.4): proposed by the system at a breach, decided, ordered and received
//! by procurement.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::StockItem;
use crate::domain::actor::{Act, Actor};
use crate::domain::codes::codes;
use crate::domain::event::{EventKind, Happening};
use crate::domain::ids::{ReplenishmentRequestId, StockItemId, UnitId};
use crate::domain::intake::{LONG_TEXT, SHORT_TEXT, text};
use crate::domain::money;
use crate::domain::order::role_blockers;
use crate::domain::permission::Action;
use crate::domain::refusal::{Refusal, RefusalCode as Code, Refusals};
use crate::domain::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// Where a replenishment request stands.
    ReplenishmentStatus {
        /// Raised by the system; procurement is told.
        Proposed = "PROPOSED",
        /// Procurement will order it.
        Approved = "APPROVED",
        /// Ordered from a supplier.
        Ordered = "ORDERED",
        /// Some of it arrived.
        PartiallyReceived = "PARTIALLY_RECEIVED",
        /// All of it arrived.
        Received = "RECEIVED",
        /// Procurement does not order it.
        Rejected = "REJECTED",
        /// Given up before anything arrived.
        Cancelled = "CANCELLED",
        /// Given up after part of it arrived.
        ClosedShort = "CLOSED_SHORT",
    }
}

use ReplenishmentStatus::*;

impl Lifecycle for ReplenishmentStatus {
    const NOUN: &'static str = "replenishment request";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::AcceptAllocation, Proposed, "R4.4"),
        birth(Action::AdjustStock, Proposed, "R4.4"),
        birth(Action::SetReorderPolicy, Proposed, "R4.4"),
        birth(Action::DispatchTransfer, Proposed, "R4.4"),
        birth(Action::HoldStock, Proposed, "R4.4"),
        birth(Action::FinishStocktake, Proposed, "R4.4"),
        birth(Action::ApproveStocktake, Proposed, "R4.4"),
        birth(Action::ExpireReservations, Proposed, "R4.4"),
        birth(Action::OrderReplenishment, Proposed, "R4.3"),
        birth(Action::CancelReplenishment, Proposed, "R4.3"),
        birth(Action::CloseReplenishmentShort, Proposed, "R4.3"),
        step(Proposed, Action::ApproveReplenishment, Approved, "R4.3"),
        step(Proposed, Action::RejectReplenishment, Rejected, "R4.5"),
        step(Approved, Action::OrderReplenishment, Ordered, "R4.3"),
        step(Ordered, Action::OrderReplenishment, Ordered, "R4.3"),
        step(PartiallyReceived, Action::OrderReplenishment, PartiallyReceived, "R4.3"),
        step(Approved, Action::CancelReplenishment, Cancelled, "R4.5"),
        step(Ordered, Action::CancelReplenishment, Cancelled, "R4.5"),
        step(Proposed, Action::ReceiveStock, PartiallyReceived, "R4.3"),
        step(Proposed, Action::ReceiveStock, Received, "R4.3"),
        step(Approved, Action::ReceiveStock, PartiallyReceived, "R4.3"),
        step(Approved, Action::ReceiveStock, Received, "R4.3"),
        step(Ordered, Action::ReceiveStock, PartiallyReceived, "R4.3"),
        step(Ordered, Action::ReceiveStock, Received, "R4.3"),
        step(PartiallyReceived, Action::ReceiveStock, PartiallyReceived, "R4.3"),
        step(PartiallyReceived, Action::ReceiveStock, Received, "R4.3"),
        step(PartiallyReceived, Action::CloseReplenishmentShort, ClosedShort, "R4.3"),
    ];
}

impl ReplenishmentStatus {
    /// States in which something may still come of it; the closer to coming, the earlier.
    pub const OPEN: &'static [Self] = &[PartiallyReceived, Ordered, Approved, Proposed];
    /// States in which goods are known to be coming.
    pub const COMING: &'static [Self] = &[PartiallyReceived, Ordered, Approved];
}

codes! {
    /// Why replenishment was asked for.
    ReplenishmentReason {
        /// Orders wait for it (R4.3).
        Shortage = "SHORTAGE",
        /// The lower limit was reached (R4.4).
        BelowReorderPoint = "BELOW_REORDER_POINT",
    }
}

/// A request to procure more of a stock item; of one item at most one waits to be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplenishmentRequest {
    /// Identity.
    pub id: ReplenishmentRequestId,
    /// Counts the changes.
    pub version: i64,
    /// What to replenish.
    pub stock_item_id: StockItemId,
    /// Why.
    pub reason: ReplenishmentReason,
    /// How much is asked for.
    pub quantity: Decimal,
    /// How much has arrived.
    pub received: Decimal,
    /// Where it stands.
    pub status: ReplenishmentStatus,
    /// When it was raised.
    pub requested_at: DateTime<Utc>,
    /// Who approved or rejected it.
    pub decided_by: Option<String>,
    /// From whom it was ordered.
    pub supplier: Option<String>,
    /// The supplier's reference of the order.
    pub supplier_reference: Option<String>,
    /// When it is expected to arrive.
    pub expected_at: Option<DateTime<Utc>>,
    /// Why it was rejected, cancelled or closed short.
    pub ended_reason: Option<String>,
}

/// What was agreed with a supplier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The supplier.
    pub supplier: String,
    /// The supplier's reference of the order.
    pub supplier_reference: Option<String>,
    /// When it is expected to arrive.
    pub expected_at: Option<DateTime<Utc>>,
    /// How much was ordered; what was asked for when absent.
    pub quantity: Option<Decimal>,
}

/// When procurement is told, and how much it then orders (R4.4). In the product's unit of measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorderPolicy {
    /// The lower limit.
    pub reorder_point: Decimal,
    /// The lot; nothing for as much as is missing.
    pub reorder_quantity: Decimal,
    /// What should always be left.
    pub safety_stock: Decimal,
}

impl StockItem {
    /// What procurement should bring: what is waited for, and enough to be above the lower limit
    /// again, with the safety stock on top and at least the lot.
    pub fn wanted(&self, waiting: Decimal) -> Option<(ReplenishmentReason, Decimal)> {
        let below = self.available() < self.reorder_point;
        if waiting.is_zero() && !below {
            return None;
        }
        let refill = self.reorder_point + self.safety_stock - self.available();
        let refill = if below { refill.max(self.reorder_quantity) } else { Decimal::ZERO };
        let reason =
            if waiting.is_zero() { ReplenishmentReason::BelowReorderPoint } else { ReplenishmentReason::Shortage };
        Some((reason, waiting + refill))
    }

    /// Sets the lower limit, the lot and the safety stock.
    pub fn set_policy(&mut self, act: &Act<'_>, policy: ReorderPolicy) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::SetReorderPolicy, act.actor);
        for (path, quantity) in [
            ("reorderPoint", policy.reorder_point),
            ("reorderQuantity", policy.reorder_quantity),
            ("safetyStock", policy.safety_stock),
        ] {
            refusals.require(quantity.is_zero() || money::is_quantity(quantity), || {
                Refusal::new(Code::QuantityPrecision, "R4.4", "Not below zero, and at most three decimals.").at(path)
            });
        }
        refusals.into_result()?;
        self.reorder_point = policy.reorder_point;
        self.reorder_quantity = policy.reorder_quantity;
        self.safety_stock = policy.safety_stock;
        Ok(EventKind::StockPolicySet)
    }
}

/// By how much a receipt would exceed what a request may bring; none when it does not.
pub fn receipt_over(request: &ReplenishmentRequest, quantity: Decimal, rate: Decimal) -> Option<Refusal> {
    let most = (request.quantity * (Decimal::ONE + rate)).round_dp(money::QUANTITY_SCALE);
    let left = (most - request.received).max(Decimal::ZERO);
    (quantity > left).then(|| {
        let message = format!("The request takes {} more; book the rest in without naming it.", left.normalize());
        Refusal::new(Code::QuantityExceeded, "R4.3", message).at("quantity")
    })
}

impl ReplenishmentRequest {
    /// A new proposal.
    pub fn propose(act: &Act<'_>, item: &StockItem, reason: ReplenishmentReason, quantity: Decimal) -> Self {
        Self {
            id: act.id(),
            version: 0,
            stock_item_id: item.id,
            reason,
            quantity,
            received: Decimal::ZERO,
            status: Proposed,
            requested_at: act.now,
            decided_by: None,
            supplier: None,
            supplier_reference: None,
            expected_at: None,
            ended_reason: None,
        }
    }

    /// What is still to come.
    pub fn outstanding(&self) -> Decimal {
        if ReplenishmentStatus::OPEN.contains(&self.status) {
            (self.quantity - self.received).max(Decimal::ZERO)
        } else {
            Decimal::ZERO
        }
    }

    /// What stands between the actor and an action on this request, apart from the input.
    pub fn blockers(&self, action: Action, warehouse: UnitId, actor: &Actor) -> Refusals {
        let mut refusals = role_blockers(action, actor);
        refusals.require(actor.covers_unit(warehouse), || {
            Refusal::new(Code::RoleNotPermitted, "R4.3", "Only procurement of the warehouse and those above decide.")
        });
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals
    }

    /// Raises the quantity of a proposal so that it covers what is wanted now. Says whether anything changed.
    pub fn raise(&mut self, wanted: Decimal) -> bool {
        let more = wanted > self.quantity;
        if more {
            self.quantity = wanted;
        }
        more
    }

    /// Counts goods that arrived; all that was asked for closes the request.
    pub fn receive(&mut self, quantity: Decimal) -> EventKind {
        self.received += quantity;
        self.status = if self.received >= self.quantity { Received } else { PartiallyReceived };
        EventKind::ReplenishmentReceived
    }

    /// Procurement will order it.
    pub fn approve(&mut self, act: &Act<'_>, warehouse: UnitId) -> Result<EventKind, Refusals> {
        self.blockers(Action::ApproveReplenishment, warehouse, act.actor).into_result()?;
        self.status = Approved;
        self.decided_by = Some(act.actor.subject.clone());
        Ok(EventKind::ReplenishmentApproved)
    }

    /// It was ordered, or the supplier named another day.
    pub fn order(&mut self, act: &Act<'_>, warehouse: UnitId, purchase: Purchase) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::OrderReplenishment, warehouse, act.actor);
        text(&mut refusals, "supplier", Some(&purchase.supplier), true, SHORT_TEXT);
        text(&mut refusals, "supplierReference", purchase.supplier_reference.as_deref(), false, SHORT_TEXT);
        refusals.require(purchase.expected_at.is_none_or(|at| at >= act.now), || {
            Refusal::new(Code::DateInPast, "R4.3", "Goods are expected in the future.").at("expectedAt")
        });
        if let Some(quantity) = purchase.quantity {
            refusals.require(quantity > self.received && money::is_quantity(quantity), || {
                let message = format!("More than the {} that arrived, at most three decimals.", self.received);
                Refusal::new(Code::QuantityPrecision, "R4.3", message).at("quantity")
            });
        }
        refusals.into_result()?;
        if self.status == Approved {
            self.status = Ordered;
        }
        self.quantity = purchase.quantity.unwrap_or(self.quantity);
        self.supplier = Some(purchase.supplier);
        self.supplier_reference = purchase.supplier_reference;
        self.expected_at = purchase.expected_at;
        Ok(EventKind::ReplenishmentOrdered)
    }

    /// It is rejected, cancelled or closed short, with a reason.
    pub fn end(
        &mut self,
        act: &Act<'_>,
        warehouse: UnitId,
        action: Action,
        reason: String,
    ) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(action, warehouse, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        let (status, kind) = match action {
            Action::RejectReplenishment => (Rejected, EventKind::ReplenishmentRejected),
            Action::CancelReplenishment => (Cancelled, EventKind::ReplenishmentCancelled),
            _ => (ClosedShort, EventKind::ReplenishmentClosedShort),
        };
        self.status = status;
        if action == Action::RejectReplenishment {
            self.decided_by = Some(act.actor.subject.clone());
        }
        self.ended_reason = Some(reason.clone());
        Ok(kind.because(reason))
    }
}
