//! What happened: the kinds of events in the log, and who may learn of them.

pub mod chain;
mod record;

use super::codes::codes;

#[cfg(test)]
pub use record::tests::event as tests_event;
pub use record::{Event, EventFilter};

codes! {
    /// What kind of thing an event happened to; each thing has its own gapless sequence of events.
    AggregateKind {
        /// An order with its lines and holds.
        Order = "ORDER",
        /// The review of an order.
        ReviewCase = "REVIEW_CASE",
        /// A change of an order that is negotiated with the customer.
        OrderChange = "ORDER_CHANGE",
        /// An executing unit's share of an order, with milestones, reservations and inspections.
        Allocation = "ALLOCATION",
        /// A product in a warehouse.
        StockItem = "STOCK_ITEM",
        /// A request to procure more of a stock item.
        ReplenishmentRequest = "REPLENISHMENT_REQUEST",
        /// Goods on their way from one warehouse to another.
        StockTransfer = "STOCK_TRANSFER",
        /// A count of what lies in a warehouse.
        Stocktake = "STOCKTAKE",
        /// A delivery.
        Delivery = "DELIVERY",
        /// An after-sales ticket.
        Ticket = "TICKET",
        /// What a product is made of.
        BillOfMaterials = "BILL_OF_MATERIALS",
        /// Orders handed in as a file.
        ImportBatch = "IMPORT_BATCH",
        /// A key of a partner's system, or a tracking link.
        AccessKey = "ACCESS_KEY",
        /// Access that was taken away from somebody.
        AccessRestriction = "ACCESS_RESTRICTION",
        /// A channel that orders come over.
        SalesChannel = "SALES_CHANNEL",
        /// An order as its channel tells of it.
        ChannelOrder = "CHANNEL_ORDER",
    }
}

codes! {
    /// What happened.
    EventKind {
        /// The order was taken in.
        OrderSubmitted = "ORDER_SUBMITTED",
        /// An order of the past was taken over.
        OrderRecorded = "ORDER_RECORDED",
        /// The review of the order began.
        OrderReviewStarted = "ORDER_REVIEW_STARTED",
        /// A question went back to whoever placed the order.
        OrderClarificationRequested = "ORDER_CLARIFICATION_REQUESTED",
        /// The question was answered.
        OrderClarificationAnswered = "ORDER_CLARIFICATION_ANSWERED",
        /// Whoever placed the order was reminded of the question.
        OrderClarificationReminded = "ORDER_CLARIFICATION_REMINDED",
        /// Nobody answered the question in time.
        OrderExpired = "ORDER_EXPIRED",
        /// The order was changed by whoever placed it.
        OrderAmended = "ORDER_AMENDED",
        /// The order was approved at one level; others follow.
        OrderApprovalGiven = "ORDER_APPROVAL_GIVEN",
        /// The order passed its review.
        OrderApproved = "ORDER_APPROVED",
        /// The order was rejected.
        OrderRejected = "ORDER_REJECTED",
        /// Quantities were allocated to executing units.
        OrderAllocated = "ORDER_ALLOCATED",
        /// Some quantities were allocated to executing units; for others no unit was found yet.
        OrderPartlyAllocated = "ORDER_PARTLY_ALLOCATED",
        /// No unit can take what is to be allocated; somebody must look after it.
        OrderUnallocatable = "ORDER_UNALLOCATABLE",
        /// Quantities came back from a unit and are to be allocated again.
        OrderDeallocated = "ORDER_DEALLOCATED",
        /// A unit accepted its share; stock was reserved where it is needed.
        OrderStarted = "ORDER_STARTED",
        /// Stock that was missing came in and is reserved now.
        OrderReserved = "ORDER_RESERVED",
        /// Stock that was reserved was taken back; the order waits for it again.
        OrderUnreserved = "ORDER_UNRESERVED",
        /// Quantities were produced or performed.
        OrderProduced = "ORDER_PRODUCED",
        /// Quantities passed inspection.
        OrderPassed = "ORDER_PASSED",
        /// Quantities left for the customer.
        OrderDispatched = "ORDER_DISPATCHED",
        /// Quantities reached the customer.
        OrderDelivered = "ORDER_DELIVERED",
        /// The customer confirmed quantities; others are still open.
        OrderConfirmed = "ORDER_CONFIRMED",
        /// Every open quantity is confirmed.
        OrderCompleted = "ORDER_COMPLETED",
        /// The order was put on hold.
        OrderHeld = "ORDER_HELD",
        /// A hold was released.
        OrderHoldReleased = "ORDER_HOLD_RELEASED",
        /// Cancellation was requested while a unit is at work.
        OrderCancellationRequested = "ORDER_CANCELLATION_REQUESTED",
        /// The requested cancellation was refused; work goes on.
        OrderCancellationRefused = "ORDER_CANCELLATION_REFUSED",
        /// The order was cancelled.
        OrderCancelled = "ORDER_CANCELLED",
        /// The order was changed as agreed with the customer.
        OrderChanged = "ORDER_CHANGED",
        /// An offer of alternatives was put together.
        OrderChangeProposed = "ORDER_CHANGE_PROPOSED",
        /// Alternatives were offered to the customer.
        OrderChangeOffered = "ORDER_CHANGE_OFFERED",
        /// The customer chose an alternative.
        OrderChangeAccepted = "ORDER_CHANGE_ACCEPTED",
        /// The chosen alternative was applied.
        OrderChangeApplied = "ORDER_CHANGE_APPLIED",
        /// The alternatives were declined.
        OrderChangeDeclined = "ORDER_CHANGE_DECLINED",
        /// Nobody answered in time.
        OrderChangeExpired = "ORDER_CHANGE_EXPIRED",
        /// The offer was taken back.
        OrderChangeWithdrawn = "ORDER_CHANGE_WITHDRAWN",
        /// A review case was opened and its checks were run.
        ReviewOpened = "REVIEW_OPENED",
        /// A question was put to whoever placed the order.
        ReviewQuestionAsked = "REVIEW_QUESTION_ASKED",
        /// The question was answered and the checks were run again.
        ReviewQuestionAnswered = "REVIEW_QUESTION_ANSWERED",
        /// Whoever placed the order was reminded of the question.
        ReviewReminded = "REVIEW_REMINDED",
        /// Nobody answered the question in time.
        ReviewExpired = "REVIEW_EXPIRED",
        /// Somebody took the review out of the queue.
        ReviewTaken = "REVIEW_TAKEN",
        /// The review was put back into the queue.
        ReviewReturned = "REVIEW_RETURNED",
        /// The review was given to somebody.
        ReviewReassigned = "REVIEW_REASSIGNED",
        /// An approval was given at one level; others follow.
        ReviewApprovalGiven = "REVIEW_APPROVAL_GIVEN",
        /// What was reviewed has changed: the checks were run again, and former approvals hold no more.
        ReviewReopened = "REVIEW_REOPENED",
        /// The review was decided.
        ReviewDecided = "REVIEW_DECIDED",
        /// A share of an order was assigned to a unit.
        AllocationAssigned = "ALLOCATION_ASSIGNED",
        /// The unit accepted its share.
        AllocationAccepted = "ALLOCATION_ACCEPTED",
        /// The unit declined its share.
        AllocationDeclined = "ALLOCATION_DECLINED",
        /// The unit did not answer in time; those who look after allocation are told.
        AllocationEscalated = "ALLOCATION_ESCALATED",
        /// Another share of the same unit went into this one.
        AllocationMerged = "ALLOCATION_MERGED",
        /// The share was moved to another unit, split, or merged into another.
        AllocationSuperseded = "ALLOCATION_SUPERSEDED",
        /// The share was cancelled.
        AllocationCancelled = "ALLOCATION_CANCELLED",
        /// The share became smaller, or was split, as agreed with the customer.
        AllocationChanged = "ALLOCATION_CHANGED",
        /// Stock came in and filled what the share waited for.
        AllocationBackorderFilled = "ALLOCATION_BACKORDER_FILLED",
        /// What was reserved for the share was not worked on in time and became free.
        AllocationReservationExpired = "ALLOCATION_RESERVATION_EXPIRED",
        /// A count showed that what was reserved for the share is not there.
        AllocationReservationWithdrawn = "ALLOCATION_RESERVATION_WITHDRAWN",
        /// A milestone was begun or resumed.
        MilestoneStarted = "MILESTONE_STARTED",
        /// A milestone was finished.
        MilestoneCompleted = "MILESTONE_COMPLETED",
        /// A milestone cannot go on.
        MilestoneBlocked = "MILESTONE_BLOCKED",
        /// An inspection was recorded.
        InspectionRecorded = "INSPECTION_RECORDED",
        /// Passed quantities of the share were planned for delivery.
        AllocationDeliveryPlanned = "ALLOCATION_DELIVERY_PLANNED",
        /// Quantities of the share left for the customer.
        AllocationDispatched = "ALLOCATION_DISPATCHED",
        /// Quantities of the share were confirmed; others are open.
        AllocationConfirmed = "ALLOCATION_CONFIRMED",
        /// All of the share is confirmed.
        AllocationClosed = "ALLOCATION_CLOSED",
        /// A stock item came into being.
        StockOpened = "STOCK_OPENED",
        /// Stock was set aside for an order.
        StockReserved = "STOCK_RESERVED",
        /// Stock that was set aside became free again.
        StockReleased = "STOCK_RELEASED",
        /// Goods were received.
        StockReceived = "STOCK_RECEIVED",
        /// Goods left the warehouse or went into production.
        StockIssued = "STOCK_ISSUED",
        /// The count was corrected.
        StockAdjusted = "STOCK_ADJUSTED",
        /// Stock was put aside until its quality is known.
        StockHeld = "STOCK_HELD",
        /// Stock that was put aside was found good.
        StockHoldReleased = "STOCK_HOLD_RELEASED",
        /// Stock that was put aside was thrown away.
        StockScrapped = "STOCK_SCRAPPED",
        /// Stock left for another warehouse.
        StockTransferredOut = "STOCK_TRANSFERRED_OUT",
        /// Stock came from another warehouse.
        StockTransferredIn = "STOCK_TRANSFERRED_IN",
        /// The lower limit, the lot or the safety stock was set.
        StockPolicySet = "STOCK_POLICY_SET",
        /// Procurement was asked to replenish.
        ReplenishmentRequested = "REPLENISHMENT_REQUESTED",
        /// The quantity asked of procurement was raised.
        ReplenishmentRaised = "REPLENISHMENT_RAISED",
        /// Goods arrived for the request.
        ReplenishmentReceived = "REPLENISHMENT_RECEIVED",
        /// Procurement will order what was asked for.
        ReplenishmentApproved = "REPLENISHMENT_APPROVED",
        /// It was ordered from a supplier, or the supplier named another day.
        ReplenishmentOrdered = "REPLENISHMENT_ORDERED",
        /// Procurement does not order it.
        ReplenishmentRejected = "REPLENISHMENT_REJECTED",
        /// It was given up before anything arrived.
        ReplenishmentCancelled = "REPLENISHMENT_CANCELLED",
        /// It was given up after part of it arrived.
        ReplenishmentClosedShort = "REPLENISHMENT_CLOSED_SHORT",
        /// Goods of one warehouse were asked for in another.
        TransferRequested = "TRANSFER_REQUESTED",
        /// The goods left.
        TransferDispatched = "TRANSFER_DISPATCHED",
        /// The goods arrived, or some of them.
        TransferReceived = "TRANSFER_RECEIVED",
        /// What did not arrive was given up.
        TransferClosedShort = "TRANSFER_CLOSED_SHORT",
        /// The transfer was given up before anything left.
        TransferCancelled = "TRANSFER_CANCELLED",
        /// A count began.
        StocktakeOpened = "STOCKTAKE_OPENED",
        /// An item was counted.
        StocktakeItemCounted = "STOCKTAKE_ITEM_COUNTED",
        /// All is counted; the variances wait for approval.
        StocktakeFinished = "STOCKTAKE_FINISHED",
        /// The variances were booked.
        StocktakeApproved = "STOCKTAKE_APPROVED",
        /// The count was rejected; nothing was booked.
        StocktakeRejected = "STOCKTAKE_REJECTED",
        /// A delivery was planned.
        DeliveryPlanned = "DELIVERY_PLANNED",
        /// The delivery was booked, announced or scheduled.
        DeliveryBooked = "DELIVERY_BOOKED",
        /// The delivery left.
        DeliveryDispatched = "DELIVERY_DISPATCHED",
        /// The carrier reported progress.
        DeliveryTracked = "DELIVERY_TRACKED",
        /// An attempt to deliver failed.
        DeliveryAttemptFailed = "DELIVERY_ATTEMPT_FAILED",
        /// The delivery arrived.
        DeliveryArrived = "DELIVERY_ARRIVED",
        /// The customer confirmed the delivery or part of it.
        DeliveryConfirmed = "DELIVERY_CONFIRMED",
        /// The delivery was cancelled.
        DeliveryCancelled = "DELIVERY_CANCELLED",
        /// A ticket was opened.
        TicketOpened = "TICKET_OPENED",
        /// The customer was contacted about the ticket.
        TicketContacted = "TICKET_CONTACTED",
        /// The ticket was resolved.
        TicketResolved = "TICKET_RESOLVED",
        /// It was set what a product is made of.
        BillOfMaterialsSet = "BILL_OF_MATERIALS_SET",
        /// A file with orders arrived.
        ImportUploaded = "IMPORT_UPLOADED",
        /// The file is to be checked, or its orders taken.
        ImportStarted = "IMPORT_STARTED",
        /// Some of it was done.
        ImportProgressed = "IMPORT_PROGRESSED",
        /// It was taken up where it had been cut off.
        ImportResumed = "IMPORT_RESUMED",
        /// Every order was looked at.
        ImportFinished = "IMPORT_FINISHED",
        /// The file as a whole could not be read.
        ImportFailed = "IMPORT_FAILED",
        /// It was stopped.
        ImportCancelled = "IMPORT_CANCELLED",
        /// A channel was opened.
        SalesChannelCreated = "SALES_CHANNEL_CREATED",
        /// How a channel's orders are taken in was changed.
        SalesChannelUpdated = "SALES_CHANNEL_UPDATED",
        /// A channel got another secret to sign with.
        SalesChannelSecretRotated = "SALES_CHANNEL_SECRET_ROTATED",
        /// A channel's deliveries are turned away from now on.
        SalesChannelDeactivated = "SALES_CHANNEL_DEACTIVATED",
        /// A channel's deliveries are taken again.
        SalesChannelActivated = "SALES_CHANNEL_ACTIVATED",
        /// An order came over a channel, with what was missing or wrong.
        ChannelOrderReceived = "CHANNEL_ORDER_RECEIVED",
        /// A channel told something of an order later.
        ChannelOrderUpdated = "CHANNEL_ORDER_UPDATED",
        /// Access was taken away from somebody.
        AccessRevoked = "ACCESS_REVOKED",
        /// Access was given back.
        AccessRestored = "ACCESS_RESTORED",
        /// A key was made.
        AccessKeyCreated = "ACCESS_KEY_CREATED",
        /// A key was withdrawn.
        AccessKeyRevoked = "ACCESS_KEY_REVOKED",
    }
}

impl EventKind {
    /// May people outside the group learn of it, where the order is theirs?
    pub const fn is_public(self) -> bool {
        !matches!(
            self,
            Self::OrderDeallocated
                | Self::OrderUnallocatable
                | Self::AllocationEscalated
                | Self::AllocationMerged
                | Self::OrderApprovalGiven
                | Self::ReviewOpened
                | Self::ReviewQuestionAsked
                | Self::ReviewQuestionAnswered
                | Self::ReviewReminded
                | Self::ReviewExpired
                | Self::ReviewTaken
                | Self::ReviewReturned
                | Self::ReviewReassigned
                | Self::ReviewApprovalGiven
                | Self::ReviewReopened
                | Self::ReviewDecided
                | Self::AllocationAssigned
                | Self::AllocationAccepted
                | Self::AllocationDeclined
                | Self::AllocationSuperseded
                | Self::AllocationCancelled
                | Self::AllocationChanged
                | Self::OrderChangeProposed
                | Self::AllocationBackorderFilled
                | Self::AllocationDeliveryPlanned
                | Self::AllocationDispatched
                | Self::AllocationConfirmed
                | Self::AllocationClosed
                | Self::StockOpened
                | Self::StockReserved
                | Self::StockReleased
                | Self::StockReceived
                | Self::StockIssued
                | Self::StockAdjusted
                | Self::ReplenishmentRequested
                | Self::ReplenishmentRaised
                | Self::ReplenishmentReceived
                | Self::BillOfMaterialsSet
                | Self::SalesChannelCreated
                | Self::SalesChannelUpdated
                | Self::SalesChannelSecretRotated
                | Self::SalesChannelDeactivated
                | Self::SalesChannelActivated
                | Self::ChannelOrderReceived
                | Self::ChannelOrderUpdated
                | Self::OrderUnreserved
                | Self::AllocationReservationExpired
                | Self::AllocationReservationWithdrawn
                | Self::StockHeld
                | Self::StockHoldReleased
                | Self::StockScrapped
                | Self::StockTransferredOut
                | Self::StockTransferredIn
                | Self::StockPolicySet
                | Self::ReplenishmentApproved
                | Self::ReplenishmentOrdered
                | Self::ReplenishmentRejected
                | Self::ReplenishmentCancelled
                | Self::ReplenishmentClosedShort
                | Self::TransferRequested
                | Self::TransferDispatched
                | Self::TransferReceived
                | Self::TransferClosedShort
                | Self::TransferCancelled
                | Self::StocktakeOpened
                | Self::StocktakeItemCounted
                | Self::StocktakeFinished
                | Self::StocktakeApproved
                | Self::StocktakeRejected
                | Self::AccessRevoked
                | Self::AccessRestored
                | Self::AccessKeyCreated
                | Self::AccessKeyRevoked
        )
    }
}

/// What a decision made happen to one aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What happened.
    pub kind: EventKind,
    /// A reason or remark for the group's own people.
    pub note: Option<String>,
}

impl From<EventKind> for Happening {
    fn from(kind: EventKind) -> Self {
        Self { kind, note: None }
    }
}

impl EventKind {
    /// The happening with a remark.
    pub fn because(self, note: impl Into<String>) -> Happening {
        Happening { kind: self, note: Some(note.into()) }
    }
}
