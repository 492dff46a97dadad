//! What the caller can do with a thing right now, and what stands in the way: the same functions
//! the commands decide by, so that an action is allowed if and only if it would succeed. Actions
//! that none of the caller's roles ever permits are left out.

use chrono::{DateTime, Utc};

use crate::domain::access::AccessRestriction;
use crate::domain::access_key::AccessKey;
use crate::domain::actor::Actor;
use crate::domain::allocation::Allocation;
use crate::domain::change::OrderChange;
use crate::domain::channel::SalesChannel;
use crate::domain::delivery::{self, Delivery};
use crate::domain::ids::UnitId;
use crate::domain::import::ImportBatch;
use crate::domain::inventory::{ReplenishmentRequest, StockItem, StockTransfer, Stocktake};
use crate::domain::order::Order;
use crate::domain::permission::{Action, permitted};
use crate::domain::progress::Milestone;
use crate::domain::refusal::{Refusal, Refusals};
use crate::domain::review::ReviewCase;
use crate::domain::rules::RuleSet;
use crate::domain::ticket::{self, Ticket};

/// An action and what stands in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailableAction {
    /// The action.
    pub action: Action,
    /// Why it is refused; nothing when it is allowed.
    pub blockers: Vec<Refusal>,
}

/// Actions on an order.
const ORDER: &[Action] = &[
    Action::StartReview,
    Action::TakeReview,
    Action::ReturnReview,
    Action::ReassignReview,
    Action::RequestClarification,
    Action::AnswerClarification,
    Action::AmendOrder,
    Action::ApproveOrder,
    Action::RejectOrder,
    Action::AllocateOrder,
    Action::AllocateManually,
    Action::PlaceHold,
    Action::ReleaseHold,
    Action::CancelOrder,
    Action::AnswerCancellation,
    Action::OpenTicket,
];

/// Actions on an allocation.
const ALLOCATION: &[Action] = &[
    Action::AcceptAllocation,
    Action::DeclineAllocation,
    Action::ReassignAllocation,
    Action::SplitAllocation,
    Action::MergeAllocations,
    Action::EscalateAllocation,
    Action::RecordInspection,
    Action::PlanDelivery,
];

/// Actions on a change of an order.
const CHANGE: &[Action] =
    &[Action::AcceptOrderChange, Action::DeclineOrderChange, Action::WithdrawOrderChange, Action::ReviewOrderChange];

/// Actions on a milestone.
const MILESTONE: &[Action] = &[Action::StartMilestone, Action::CompleteMilestone, Action::BlockMilestone];

/// Actions on a delivery.
const DELIVERY: &[Action] =
    &[Action::BookDelivery, Action::DispatchDelivery, Action::RecordTrackingEvent, Action::ConfirmDelivery];

/// Actions on a ticket.
const TICKET: &[Action] = &[Action::ContactCustomer, Action::ResolveTicket];

/// Actions on an import.
const IMPORT: &[Action] = &[Action::ImportOrders, Action::CancelImport];
/// Actions on a stock item.
const STOCK_ITEM: &[Action] = &[
    Action::ReceiveStock,
    Action::AdjustStock,
    Action::HoldStock,
    Action::ReleaseHeldStock,
    Action::ScrapHeldStock,
    Action::SetReorderPolicy,
    Action::FillBackorders,
];

/// Actions on a replenishment request.
const REPLENISHMENT: &[Action] = &[
    Action::ApproveReplenishment,
    Action::RejectReplenishment,
    Action::OrderReplenishment,
    Action::CancelReplenishment,
    Action::CloseReplenishmentShort,
    Action::ReceiveStock,
];

/// Actions on a transfer.
const TRANSFER: &[Action] =
    &[Action::DispatchTransfer, Action::ReceiveTransfer, Action::CloseTransferShort, Action::CancelTransfer];

/// Actions on a stocktake.
const STOCKTAKE: &[Action] =
    &[Action::RecordCount, Action::FinishStocktake, Action::ApproveStocktake, Action::RejectStocktake];

/// Actions on a restriction of access.
const RESTRICTION: &[Action] = &[Action::RestoreAccess];

/// Actions on a channel.
const CHANNEL: &[Action] = &[
    Action::UpdateSalesChannel,
    Action::RotateChannelSecret,
    Action::DeactivateSalesChannel,
    Action::ActivateSalesChannel,
];

fn offered(actor: &Actor, actions: &[Action], blockers: impl Fn(Action) -> Refusals) -> Vec<AvailableAction> {
    actions
        .iter()
        .copied()
        .filter(|action| actor.is_any(permitted(*action).0))
        .map(|action| AvailableAction { action, blockers: blockers(action).0 })
        .collect()
}

/// Does the answer about an order take its review and rules into account for this actor?
pub fn needs_review(actor: &Actor) -> bool {
    actor.is_any(permitted(Action::ApproveOrder).0)
}

/// What the actor can do with an order. The review and its rules are needed where `needs_review`
/// says so and a review was opened.
pub fn of_order(actor: &Actor, order: &Order, review: Option<(&ReviewCase, &RuleSet)>) -> Vec<AvailableAction> {
    offered(actor, ORDER, |action| match (action, review) {
        (Action::ApproveOrder, Some((review, rules))) => review.approval_blockers(order, actor, rules),
        (Action::TakeReview | Action::ReturnReview | Action::ReassignReview, Some((review, _))) => {
            review.queue_blockers(action, order, actor)
        }
        // An answer can always be a refusal to cancel, which is what remains possible.
        (Action::AnswerCancellation, _) => order.answer_blockers(actor, false),
        (Action::OpenTicket, _) => ticket::open_blockers(order, actor),
        _ => order.blockers(action, actor),
    })
}

/// What the actor can do with a change of an order.
pub fn of_change(actor: &Actor, change: &OrderChange, order: &Order, now: DateTime<Utc>) -> Vec<AvailableAction> {
    offered(actor, CHANGE, |action| change.blockers(action, order, actor, now))
}

/// What the actor can do with an allocation.
pub fn of_allocation(actor: &Actor, allocation: &Allocation, order: &Order) -> Vec<AvailableAction> {
    offered(actor, ALLOCATION, |action| match action {
        Action::RecordInspection => allocation.inspection_blockers(order, actor),
        Action::PlanDelivery => delivery::plan_blockers(allocation, order, actor),
        _ => allocation.blockers(action, order, actor),
    })
}

/// What the actor can do with a milestone.
pub fn of_milestone(
    actor: &Actor,
    milestone: &Milestone,
    allocation: &Allocation,
    order: &Order,
) -> Vec<AvailableAction> {
    offered(actor, MILESTONE, |action| allocation.milestone_blockers(action, milestone, order, actor))
}

/// What the actor can do with a delivery.
pub fn of_delivery(actor: &Actor, delivery: &Delivery, order: &Order) -> Vec<AvailableAction> {
    offered(actor, DELIVERY, |action| delivery.blockers(action, order, actor))
}

/// What the actor can do with a ticket.
pub fn of_ticket(actor: &Actor, ticket: &Ticket) -> Vec<AvailableAction> {
    offered(actor, TICKET, |action| ticket.blockers(action, actor))
}

/// What the actor can do with an import.
pub fn of_import(actor: &Actor, batch: &ImportBatch) -> Vec<AvailableAction> {
    offered(actor, IMPORT, |action| batch.blockers(action, actor))
}

/// What the actor can do with a restriction of access.
pub fn of_restriction(actor: &Actor, restriction: &AccessRestriction) -> Vec<AvailableAction> {
    offered(actor, RESTRICTION, |action| restriction.blockers(action, actor))
}

/// What the actor can do with an access key.
pub fn of_access_key(actor: &Actor, key: &AccessKey) -> Vec<AvailableAction> {
    offered(actor, &[Action::RevokeAccessKey], |action| key.blockers(action, actor))
}

/// What the actor can do with a stock item.
pub fn of_stock_item(actor: &Actor, item: &StockItem) -> Vec<AvailableAction> {
    offered(actor, STOCK_ITEM, |action| item.blockers(action, actor))
}

/// What the actor can do with a replenishment request of a warehouse.
pub fn of_request(actor: &Actor, request: &ReplenishmentRequest, warehouse: UnitId) -> Vec<AvailableAction> {
    offered(actor, REPLENISHMENT, |action| request.blockers(action, warehouse, actor))
}

/// What the actor can do with a transfer. Whether there is enough stock shows when it is dispatched.
pub fn of_transfer(actor: &Actor, transfer: &StockTransfer) -> Vec<AvailableAction> {
    offered(actor, TRANSFER, |action| transfer.blockers(action, actor))
}

/// What the actor can do with a stocktake. Whether what is reserved was found shows when it is approved.
pub fn of_stocktake(actor: &Actor, stocktake: &Stocktake) -> Vec<AvailableAction> {
    offered(actor, STOCKTAKE, |action| stocktake.blockers(action, actor))
}

/// What the actor can do with a channel.
pub fn of_channel(actor: &Actor, channel: &SalesChannel) -> Vec<AvailableAction> {
    offered(actor, CHANNEL, |action| channel.blockers(action, actor))
}
