//! Who may do what: the one table behind authorization, `availableActions`, the schema's directive
//! and docs/permissions.md.

use super::actor::Role::{self, *};
use super::codes::codes;

codes! {
    /// Something a person, a partner's system or the clock can do.
    Action {
        /// Submit an order.
        SubmitOrder = "SUBMIT_ORDER",
        /// Take a submitted order into review.
        StartReview = "START_REVIEW",
        /// Ask whoever placed the order for what is unclear.
        RequestClarification = "REQUEST_CLARIFICATION",
        /// Answer a question about an order that was sent back for clarification.
        AnswerClarification = "ANSWER_CLARIFICATION",
        /// Approve an order under review.
        ApproveOrder = "APPROVE_ORDER",
        /// Reject an order under review.
        RejectOrder = "REJECT_ORDER",
        /// Allocate an approved order to executing units by the rules.
        AllocateOrder = "ALLOCATE_ORDER",
        /// Move an allocation to another unit by hand.
        ReassignAllocation = "REASSIGN_ALLOCATION",
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
        /// Take a role, or all access, away from somebody at once.
        RevokeAccess = "REVOKE_ACCESS",
        /// Give back access that was taken away.
        RestoreAccess = "RESTORE_ACCESS",
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
const TICKET_READERS: &[Role] = &[Customer, Partner, Sales, ServiceAgent, Supervisor, Admin, System];
const OWN_SCOPE: &str = "what lies in the caller's scope";
const HEAD_UNIT: &str = "in the head unit";

/// Every root field of Query and Subscription and who may ask for it.
pub const READS: &[Permission] = &[
    Permission { field: "accessRestrictions", roles: &[Supervisor, Admin], limit: HEAD_UNIT },
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
    Permission { field: "billOfMaterials", roles: STAFF, limit: "" },
    Permission {
        field: "customers",
        roles: &[Customer, Sales, Reviewer, FinanceApprover, ServiceAgent, Supervisor, Admin, System],
        limit: "a customer sees itself",
    },
    Permission { field: "deliveries", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "eventCursor", roles: ORDER_READERS, limit: "" },
    Permission { field: "events", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "materialAvailability", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "node", roles: EVERYONE, limit: OWN_SCOPE },
    Permission { field: "nodes", roles: EVERYONE, limit: OWN_SCOPE },
    Permission { field: "order", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderChanges", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderEvents", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orderProgress", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "orders", roles: ORDER_READERS, limit: OWN_SCOPE },
    Permission { field: "products", roles: EVERYONE, limit: "" },
    Permission { field: "replenishmentRequests", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "serviceConfig", roles: EVERYONE, limit: "" },
    Permission { field: "shortageOptions", roles: &[Sales, Dispatcher, Supervisor, Admin, System], limit: OWN_SCOPE },
    Permission { field: "stockAlerts", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stockItems", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "stockLevels", roles: STOCK_READERS, limit: OWN_SCOPE },
    Permission { field: "ticketUpdates", roles: TICKET_READERS, limit: OWN_SCOPE },
    Permission { field: "tickets", roles: TICKET_READERS, limit: OWN_SCOPE },
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
        Action::StartReview => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::RequestClarification => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::AnswerClarification => (&[Customer, Partner, Sales], OWN_SCOPE),
        Action::ApproveOrder => (&[Reviewer, FinanceApprover], "amount band; not the one who submitted it"),
        Action::RejectOrder => (&[Reviewer, FinanceApprover], "not the one who submitted it"),
        Action::AllocateOrder => (&[Dispatcher, System], OWN_SCOPE),
        Action::ReassignAllocation => (&[Dispatcher], OWN_SCOPE),
        Action::AcceptAllocation | Action::DeclineAllocation => (&[Operator], "of the executing unit"),
        Action::ReceiveStock => (&[Warehouse, Procurement], "of the warehouse or above"),
        Action::AdjustStock => (&[Warehouse], "of the warehouse or above"),
        Action::SetBillOfMaterials => (&[Procurement, Admin], ""),
        Action::StartMilestone | Action::CompleteMilestone | Action::BlockMilestone => {
            (&[Operator], "the one named responsible")
        }
        Action::RecordInspection => (&[Inspector], "not one who produced it"),
        Action::PlanDelivery | Action::BookDelivery | Action::DispatchDelivery => (&[Logistics], OWN_SCOPE),
        Action::RecordTrackingEvent => (&[Logistics, System], OWN_SCOPE),
        Action::ConfirmDelivery => {
            (&[Customer, Partner, Logistics], "a customer its own; staff with the customer's evidence")
        }
        Action::PlaceHold | Action::ReleaseHold => (&[Reviewer, FinanceApprover, Dispatcher, Admin], OWN_SCOPE),
        Action::CancelOrder => (&[Customer, Partner, Sales, Admin], OWN_SCOPE),
        Action::AnswerCancellation => (&[Dispatcher, Operator], "an operator whose unit has a share"),
        Action::ProposeOrderChange => (&[Sales, Dispatcher], OWN_SCOPE),
        Action::WithdrawOrderChange => (&[Sales, Dispatcher, System], "the clock: what nobody answered in time"),
        Action::AcceptOrderChange | Action::DeclineOrderChange => (&[Customer, Partner, Sales], OWN_SCOPE),
        Action::ReviewOrderChange => (
            &[Reviewer, FinanceApprover],
            "amount band; neither the one who proposed it nor the one who submitted the order",
        ),
        Action::OpenTicket => (&[Customer, Partner, Sales, ServiceAgent], OWN_SCOPE),
        Action::ContactCustomer | Action::ResolveTicket => (&[ServiceAgent], "of the ticket's team or above"),
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
