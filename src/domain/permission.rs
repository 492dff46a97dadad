//! Who may do what: the one table behind authorization, `availableActions`, the schema's directive
//! and docs/permissions.md.

use super::actor::Role::{self, *};
use super::codes::codes;

codes! {
    /// Something a person, a partner's system or the clock can do.
    Action {
        /// Submit an order.
        SubmitOrder = "SUBMIT_ORDER",
        /// Hand in orders as a file: check them, or take them.
        ImportOrders = "IMPORT_ORDERS",
        /// Stop an import.
        CancelImport = "CANCEL_IMPORT",
        /// Take a submitted order into review.
        StartReview = "START_REVIEW",
        /// Look at a submitted order by the rules alone: approve what needs nobody, put the rest into the queue.
        ReviewAutomatically = "REVIEW_AUTOMATICALLY",
        /// Take a review that nobody is at work on.
        TakeReview = "TAKE_REVIEW",
        /// Put the own review back into the queue.
        ReturnReview = "RETURN_REVIEW",
        /// Give a review to somebody.
        ReassignReview = "REASSIGN_REVIEW",
        /// Ask whoever placed the order for what is unclear.
        RequestClarification = "REQUEST_CLARIFICATION",
        /// Answer a question about an order that was sent back for clarification.
        AnswerClarification = "ANSWER_CLARIFICATION",
        /// Remind whoever placed the order of a question.
        RemindClarification = "REMIND_CLARIFICATION",
        /// Let an order expire whose question nobody answered in time.
        ExpireClarification = "EXPIRE_CLARIFICATION",
        /// Change an order before a unit is at work on it.
        AmendOrder = "AMEND_ORDER",
        /// Approve an order under review.
        ApproveOrder = "APPROVE_ORDER",
        /// Reject an order under review.
        RejectOrder = "REJECT_ORDER",
        /// Allocate an approved order to executing units by the rules.
        AllocateOrder = "ALLOCATE_ORDER",
        /// Give quantities of an order to units by hand.
        AllocateManually = "ALLOCATE_MANUALLY",
        /// Move an allocation to another unit by hand.
        ReassignAllocation = "REASSIGN_ALLOCATION",
        /// Take parts out of an allocation by hand, for another unit or as a share of their own.
        SplitAllocation = "SPLIT_ALLOCATION",
        /// Make one allocation of two of the same unit by hand.
        MergeAllocations = "MERGE_ALLOCATIONS",
        /// Escalate an allocation whose unit has not answered in time.
        EscalateAllocation = "ESCALATE_ALLOCATION",
        /// Accept an allocation; reserves the stock it needs.
        AcceptAllocation = "ACCEPT_ALLOCATION",
        /// Decline an allocation; the unit is excluded from it.
        DeclineAllocation = "DECLINE_ALLOCATION",
        /// Book goods into a warehouse; fills backorders first.
        ReceiveStock = "RECEIVE_STOCK",
        /// Correct a stock count.
        AdjustStock = "ADJUST_STOCK",
        /// Set what a product is made of.
        SetBillOfMaterials = "SET_BILL_OF_MATERIALS",
        /// Put stock aside until its quality is known.
        HoldStock = "HOLD_STOCK",
        /// Give stock free that was put aside.
        ReleaseHeldStock = "RELEASE_HELD_STOCK",
        /// Throw away stock that was put aside.
        ScrapHeldStock = "SCRAP_HELD_STOCK",
        /// Set the lower limit, the lot and the safety stock of a stock item.
        SetReorderPolicy = "SET_REORDER_POLICY",
        /// Decide that a replenishment request is ordered.
        ApproveReplenishment = "APPROVE_REPLENISHMENT",
        /// Decide that a replenishment request is not ordered.
        RejectReplenishment = "REJECT_REPLENISHMENT",
        /// Record that a request was ordered from a supplier, or that the supplier named another day.
        OrderReplenishment = "ORDER_REPLENISHMENT",
        /// Give up a replenishment request before anything arrived.
        CancelReplenishment = "CANCEL_REPLENISHMENT",
        /// Give up what is missing of a replenishment request.
        CloseReplenishmentShort = "CLOSE_REPLENISHMENT_SHORT",
        /// Ask for goods of one warehouse in another.
        RequestTransfer = "REQUEST_TRANSFER",
        /// Send a transfer on its way.
        DispatchTransfer = "DISPATCH_TRANSFER",
        /// Book in what arrived of a transfer; fills backorders first.
        ReceiveTransfer = "RECEIVE_TRANSFER",
        /// Give up what did not arrive of a transfer.
        CloseTransferShort = "CLOSE_TRANSFER_SHORT",
        /// Give up a transfer before anything left.
        CancelTransfer = "CANCEL_TRANSFER",
        /// Begin to count stock.
        OpenStocktake = "OPEN_STOCKTAKE",
        /// Record what was counted of a stock item.
        RecordCount = "RECORD_COUNT",
        /// Say that all is counted; small variances are booked at once.
        FinishStocktake = "FINISH_STOCKTAKE",
        /// Book the variances of a stocktake.
        ApproveStocktake = "APPROVE_STOCKTAKE",
        /// Reject a stocktake; nothing is booked.
        RejectStocktake = "REJECT_STOCKTAKE",
        /// Free what is reserved at a stock item for shares nobody began to work on in time.
        ExpireReservations = "EXPIRE_RESERVATIONS",
        /// Give what is free of a stock item to those who wait for it.
        FillBackorders = "FILL_BACKORDERS",
        /// Begin or resume a milestone.
        StartMilestone = "START_MILESTONE",
        /// Finish a milestone.
        CompleteMilestone = "COMPLETE_MILESTONE",
        /// Report that a milestone cannot go on, with cause and measure.
        BlockMilestone = "BLOCK_MILESTONE",
        /// Record an inspection before delivery.
        RecordInspection = "RECORD_INSPECTION",
        /// Choose how what passed inspection is delivered.
        PlanDelivery = "PLAN_DELIVERY",
        /// Book the planned delivery with the carrier, or announce pickup or appointment.
        BookDelivery = "BOOK_DELIVERY",
        /// Hand the delivery over to the carrier, or begin the service.
        DispatchDelivery = "DISPATCH_DELIVERY",
        /// Record what the carrier reports.
        RecordTrackingEvent = "RECORD_TRACKING_EVENT",
        /// Confirm receipt of a delivery, with evidence.
        ConfirmDelivery = "CONFIRM_DELIVERY",
        /// Stop an order until the hold is released.
        PlaceHold = "PLACE_HOLD",
        /// Release a hold.
        ReleaseHold = "RELEASE_HOLD",
        /// Cancel an order, or ask for it once a unit is at work.
        CancelOrder = "CANCEL_ORDER",
        /// Grant or refuse a requested cancellation.
        AnswerCancellation = "ANSWER_CANCELLATION",
        /// Offer the customer alternatives, as on a shortage.
        ProposeOrderChange = "PROPOSE_ORDER_CHANGE",
        /// Take an offer back before it is applied.
        WithdrawOrderChange = "WITHDRAW_ORDER_CHANGE",
        /// Choose one of the alternatives; the order changes at once, or when it was reviewed.
        AcceptOrderChange = "ACCEPT_ORDER_CHANGE",
        /// Decline all alternatives.
        DeclineOrderChange = "DECLINE_ORDER_CHANGE",
        /// Approve or decline what the customer chose, where it must be reviewed.
        ReviewOrderChange = "REVIEW_ORDER_CHANGE",
        /// Report a problem after delivery.
        OpenTicket = "OPEN_TICKET",
        /// Record a contact with the customer about a ticket.
        ContactCustomer = "CONTACT_CUSTOMER",
        /// Record a ticket's solution.
        ResolveTicket = "RESOLVE_TICKET",
        /// Open a channel that orders come over.
        CreateSalesChannel = "CREATE_SALES_CHANNEL",
        /// Change how a channel's orders are taken in.
        UpdateSalesChannel = "UPDATE_SALES_CHANNEL",
        /// Give a channel another secret to sign with.
        RotateChannelSecret = "ROTATE_CHANNEL_SECRET",
        /// Turn a channel's deliveries away from now on.
        DeactivateSalesChannel = "DEACTIVATE_SALES_CHANNEL",
        /// Take a channel's deliveries again.
        ActivateSalesChannel = "ACTIVATE_SALES_CHANNEL",
        /// Process something that a channel delivered, for the first time or again.
        ReplayChannelDelivery = "REPLAY_CHANNEL_DELIVERY",
        /// Take a role, or all access, away from somebody at once.
        RevokeAccess = "REVOKE_ACCESS",
        /// Give back access that was taken away.
        RestoreAccess = "RESTORE_ACCESS",
        /// Make a key for a partner's system.
        CreatePartnerKey = "CREATE_PARTNER_KEY",
        /// Make a link with which anybody can follow one order.
        CreateTrackingLink = "CREATE_TRACKING_LINK",
        /// Withdraw a partner's key or a tracking link.
        RevokeAccessKey = "REVOKE_ACCESS_KEY",
    }
}

impl Action {
    /// The name of the mutation: `SUBMIT_ORDER` is `submitOrder`.
    pub fn field_name(self) -> String {
        let mut name = String::new();
        for (position, word) in self.code().split('_').enumerate() {
            let lower = word.to_lowercase();
            match lower.chars().next() {
                Some(first) if position > 0 => {
                    name.extend(first.to_uppercase());
                    name.push_str(&lower[first.len_utf8()..]);
                }
                _ => name.push_str(&lower),
            }
        }
        name
    }
}

/// A row of the permission table.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    /// The root field of the schema.
    pub field: &'static str,
    /// Who may call it.
    pub roles: &'static [Role],
    /// What limits it beyond the role, for the documentation.
    pub limit: &'static str,
}

const EVERYONE: &[Role] = Role::ALL;
const STAFF: &[Role] = &[
    Sales,
    Reviewer,
    FinanceApprover,
    Dispatcher,
    Warehouse,
    Procurement,
    Operator,
    Inspector,
    Logistics,
    ServiceAgent,
    Trainer,
    Supervisor,
    Admin,
    System,
];
const ORDER_READERS: &[Role] = &[
    Customer,
    Partner,
    LinkHolder,
    Sales,
    Reviewer,
    FinanceApprover,
    Dispatcher,
    Warehouse,
    Procurement,
    Operator,
    Inspector,
    Logistics,
    ServiceAgent,
    Supervisor,
    Admin,
    System,
];
const STOCK_READERS: &[Role] =
    &[Sales, Dispatcher, Warehouse, Procurement, Operator, Inspector, Logistics, Supervisor, Admin, System];
const ALLOCATION_WATCHERS: &[Role] = &[Dispatcher, Supervisor, Admin, System];
const REVIEW_READERS: &[Role] = &[Reviewer, FinanceApprover, Supervisor, Admin, System];
const COUNT_READERS: &[Role] = &[FinanceApprover, Warehouse, Procurement, Inspector, Supervisor, Admin, System];
const TICKET_READERS: &[Role] = &[Customer, Partner, Sales, ServiceAgent, Supervisor, Admin, System];
const IMPORT_READERS: &[Role] = &[Partner, Sales, Supervisor, Admin];
const LINK_MAKERS: &[Role] = &[Customer, Partner, Sales, Logistics, ServiceAgent];
const OWN_SCOPE: &str = "what lies in the caller's scope";
const HEAD_UNIT: &str = "in the head unit";

/// Every root field of Query and Subscription and who may ask for it.
pub const READS: &[Permission] = &[
    Permission {
        field: "accessKeys",
        roles: &[Customer, Partner, Sales, Logistics, ServiceAgent, Supervisor, Admin],
        limit: "tracking links of orders in the caller's scope; partners' keys in the head unit, and the own ones",
    },
    Permission { field: "accessRestrictions", roles: &[Supervisor, Admin], limit: HEAD_UNIT },
    Permission { field: "allocationAlerts", roles: ALLOCATION_WATCHERS, limit: OWN_SCOPE },
    Permission {
        field: "allocations",
        roles: &[
            Sales,
            Reviewer,
            FinanceApprover,
            Dispatcher,
            Warehouse,
            Procurement,
            Operator,
            Inspector,
            Logistics,
            ServiceAgent,
            Supervisor,
            Admin,
            System,
        ],
        limit: OWN_SCOPE,
    },
    Permission { field: "backorders", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "billOfMaterials", roles: STAFF, limit: "" },
    Permission { field: "channelDeliveries", roles: &[Supervisor, Admin], limit: OWN_SCOPE },
    Permission {
        field: "customers",
        roles: &[Customer, Sales, Reviewer, FinanceApprover, ServiceAgent, Supervisor, Admin, System],
        limit: "a customer sees itself",
    },
    Permission { field: "deliveries", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "eventCursor", roles: ORDER_READERS, limit: "" },
    Permission { field: "events", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "importBatch", roles: IMPORT_READERS, limit: OWN_SCOPE },
    Permission { field: "importBatches", roles: IMPORT_READERS, limit: OWN_SCOPE },
    Permission { field: "importProgress", roles: IMPORT_READERS, limit: OWN_SCOPE },
    Permission { field: "inventoryReport", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "materialAvailability", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "node", roles: EVERYONE, limit: OWN_SCOPE },
    Permission { field: "nodes", roles: EVERYONE, limit: OWN_SCOPE },
    Permission { field: "order", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderChanges", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderEvents", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderProgress", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orders", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "productStock", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "products", roles: EVERYONE, limit: "" },
    Permission { field: "reconcileChannel", roles: &[Supervisor, Admin], limit: OWN_SCOPE },
    Permission { field: "replayAllocations", roles: ALLOCATION_WATCHERS, limit: OWN_SCOPE },
    Permission { field: "replenishmentRequests", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "reviewQueue", roles: REVIEW_READERS, limit: OWN_SCOPE },
    Permission { field: "reviewUpdates", roles: REVIEW_READERS, limit: OWN_SCOPE },
    Permission { field: "salesChannels", roles: &[Supervisor, Admin], limit: OWN_SCOPE },
    Permission { field: "serviceConfig", roles: EVERYONE, limit: "" },
    Permission { field: "shortageOptions", roles: &[Sales, Dispatcher, Supervisor, Admin, System], limit: OWN_SCOPE },
    Permission { field: "simulateAllocation", roles: ALLOCATION_WATCHERS, limit: OWN_SCOPE },
    Permission { field: "stockAlerts", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stockItems", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stockLevels", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stockTransfers", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stocktakes", roles: COUNT_READERS, limit: OWN_SCOPE },
    Permission { field: "ticketUpdates", roles: TICKET_READERS, limit: OWN_SCOPE },
    Permission { field: "tickets", roles: TICKET_READERS, limit: OWN_SCOPE },
    Permission { field: "unallocatableOrders", roles: ALLOCATION_WATCHERS, limit: OWN_SCOPE },
    Permission { field: "units", roles: STAFF, limit: OWN_SCOPE },
    Permission { field: "viewer", roles: EVERYONE, limit: "" },
];

/// Who may read a root field of Query or Subscription.
pub fn readers(field: &str) -> &'static [Role] {
    READS.iter().find(|row| row.field == field).map_or(&[], |row| row.roles)
}

/// Who may perform an action, and what limits it beyond the role.
pub const fn permitted(action: Action) -> (&'static [Role], &'static str) {
    match action {
        Action::SubmitOrder => (&[Customer, Partner, Sales], "a customer for itself; a partner over its own account"),
        Action::ImportOrders => {
            (&[Partner, Sales, Admin], "a partner over its own account; orders of the past: ADMIN in the head unit")
        }
        Action::CancelImport => (&[Partner, Sales, Admin, System], OWN_SCOPE),
        Action::StartReview => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::RequestClarification => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::ReviewAutomatically => (&[System], "as the rule set says, when it is due"),
        Action::TakeReview => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::ReturnReview => (&[Reviewer, FinanceApprover], "the one at work on it"),
        Action::ReassignReview => (&[Reviewer, FinanceApprover], "never to the one who submitted it"),
        Action::RemindClarification | Action::ExpireClarification => (&[System], "when it is due"),
        Action::AmendOrder => (&[Customer, Partner, Sales], OWN_SCOPE),
        Action::AnswerClarification => (&[Customer, Partner, LinkHolder, Sales], OWN_SCOPE),
        Action::ApproveOrder => {
            (&[Reviewer, FinanceApprover], "amount band and level; neither who submitted it nor who approved it before")
        }
        Action::RejectOrder => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::AllocateOrder => (&[Dispatcher, System], OWN_SCOPE),
        Action::AllocateManually | Action::ReassignAllocation | Action::SplitAllocation | Action::MergeAllocations => {
            (&[Dispatcher], OWN_SCOPE)
        }
        Action::EscalateAllocation => (&[System], "once a deadline has passed"),
        Action::AcceptAllocation | Action::DeclineAllocation => (&[Operator], "of the executing unit"),
        Action::ReceiveStock => (&[Warehouse, Procurement], "of the warehouse or above"),
        Action::AdjustStock => (&[Warehouse], "of the warehouse or above"),
        Action::SetBillOfMaterials => (&[Procurement, Admin], ""),
        Action::HoldStock => (&[Warehouse, Inspector], "of the warehouse or above; not what is reserved"),
        Action::ReleaseHeldStock | Action::ScrapHeldStock => (&[Inspector], "of the warehouse or above"),
        Action::SetReorderPolicy
        | Action::ApproveReplenishment
        | Action::RejectReplenishment
        | Action::OrderReplenishment
        | Action::CancelReplenishment
        | Action::CloseReplenishmentShort => (&[Procurement], "of the warehouse or above"),
        Action::RequestTransfer => (&[Dispatcher, Warehouse, Procurement], "between warehouses in the caller's scope"),
        Action::DispatchTransfer => (&[Warehouse], "of the warehouse it leaves, or above"),
        Action::ReceiveTransfer => (&[Warehouse], "of the warehouse it goes to, or above"),
        Action::CloseTransferShort => (&[Warehouse, Procurement], "of the warehouse it goes to, or above"),
        Action::CancelTransfer => (&[Dispatcher, Warehouse, Procurement], "of one of its warehouses, or above"),
        Action::OpenStocktake | Action::RecordCount | Action::FinishStocktake => {
            (&[Warehouse], "of the warehouse or above")
        }
        Action::ApproveStocktake => (&[FinanceApprover, Admin], "not one who opened or counted it"),
        Action::RejectStocktake => (&[FinanceApprover, Admin], OWN_SCOPE),
        Action::ExpireReservations => (&[System], "what is due"),
        Action::FillBackorders => (&[Warehouse, Procurement, System], "of the warehouse or above"),
        Action::StartMilestone | Action::CompleteMilestone | Action::BlockMilestone => {
            (&[Operator], "the one named responsible")
        }
        Action::RecordInspection => (&[Inspector], "not one who produced it"),
        Action::PlanDelivery | Action::BookDelivery | Action::DispatchDelivery => (&[Logistics], OWN_SCOPE),
        Action::RecordTrackingEvent => (&[Logistics, System], OWN_SCOPE),
        Action::ConfirmDelivery => {
            (&[Customer, Partner, Logistics], "a customer its own; staff with the customer's evidence")
        }
        Action::PlaceHold => (&[Reviewer, FinanceApprover, Dispatcher, Admin, System], OWN_SCOPE),
        Action::ReleaseHold => (&[Reviewer, FinanceApprover, Dispatcher, Admin], OWN_SCOPE),
        Action::CancelOrder => (&[Customer, Partner, Sales, Admin], OWN_SCOPE),
        Action::AnswerCancellation => (&[Dispatcher, Operator], "an operator whose unit has a share"),
        Action::ProposeOrderChange => (&[Sales, Dispatcher], OWN_SCOPE),
        Action::WithdrawOrderChange => (&[Sales, Dispatcher, System], "the clock: what nobody answered in time"),
        Action::AcceptOrderChange | Action::DeclineOrderChange => (&[Customer, Partner, LinkHolder, Sales], OWN_SCOPE),
        Action::ReviewOrderChange => (
            &[Reviewer, FinanceApprover],
            "amount band; neither who proposed or accepted it nor who submitted the order",
        ),
        Action::OpenTicket => (&[Customer, Partner, Sales, ServiceAgent], OWN_SCOPE),
        Action::ContactCustomer | Action::ResolveTicket => (&[ServiceAgent], "of the ticket's team or above"),
        Action::CreatePartnerKey => (&[Admin], HEAD_UNIT),
        Action::CreateTrackingLink => (LINK_MAKERS, OWN_SCOPE),
        Action::RevokeAccessKey => {
            (&[Customer, Partner, Sales, Logistics, ServiceAgent, Admin], "partners' keys in the head unit only")
        }
        Action::CreateSalesChannel
        | Action::UpdateSalesChannel
        | Action::RotateChannelSecret
        | Action::DeactivateSalesChannel
        | Action::ActivateSalesChannel => (&[Admin], "of the unit that looks after the channel or above"),
        Action::ReplayChannelDelivery => (&[Admin, System], "of the unit that looks after the channel or above"),
        Action::RevokeAccess | Action::RestoreAccess => (&[Admin], "in the head unit; never the own access"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_called_by_its_mutation() {
        assert_eq!(Action::SubmitOrder.field_name(), "submitOrder");
        assert_eq!(Action::RecordTrackingEvent.field_name(), "recordTrackingEvent");
    }

    #[test]
    fn the_table_of_reads_is_sorted_and_grants_each_field_to_somebody() {
        assert!(READS.windows(2).all(|pair| pair[0].field < pair[1].field));
        assert!(READS.iter().all(|row| !row.roles.is_empty()));
    }
}
