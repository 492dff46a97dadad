//! Identities: one type per aggregate or part, so that an order's id cannot be passed as a ticket's.

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => { $(
        $(#[$doc])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self { Self(id) }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
    )+ };
}

ids! {
    /// An order.
    OrderId,
    /// A line of an order.
    OrderLineId,
    /// A hold on an order.
    HoldId,
    /// A change of an order that is negotiated.
    OrderChangeId,
    /// An alternative of such a change.
    ChangeOptionId,
    /// The review of an order.
    ReviewCaseId,
    /// One question and its answer within a review.
    ClarificationId,
    /// An executing unit's share of an order.
    AllocationId,
    /// A line of an allocation.
    AllocationLineId,
    /// Why an allocation went where it went.
    AllocationDecisionId,
    /// A milestone of an allocation.
    MilestoneId,
    /// One attempt at inspecting an allocation.
    InspectionId,
    /// A product in a warehouse.
    StockItemId,
    /// One change of a stock item.
    StockMovementId,
    /// Stock set aside for an allocation line.
    ReservationId,
    /// Quantity an allocation line still waits for.
    BackorderId,
    /// A request to procure more of a stock item.
    ReplenishmentRequestId,
    /// Goods on their way from one warehouse to another.
    StockTransferId,
    /// A count of what lies in a warehouse.
    StocktakeId,
    /// What was counted of a stock item.
    StocktakeLineId,
    /// A delivery.
    DeliveryId,
    /// A line of a delivery.
    DeliveryLineId,
    /// A carrier's report on a delivery.
    TrackingEventId,
    /// One confirmation by a customer.
    ConfirmationId,
    /// What a confirmed quantity is worth.
    SettlementRecordId,
    /// An after-sales ticket.
    TicketId,
    /// A customer company or person.
    CustomerId,
    /// A product or service that can be ordered.
    ProductId,
    /// An organizational unit.
    UnitId,
    /// Orders handed in as a file.
    ImportBatchId,
    /// A key of a partner's system, or a tracking link.
    AccessKeyId,
    /// Access that somebody lost.
    AccessRestrictionId,
    /// A channel that orders come over.
    SalesChannelId,
    /// A secret that a channel signs with.
    ChannelSecretId,
    /// Something that a channel delivered.
    ChannelDeliveryId,
    /// An order as its channel tells of it.
    ChannelOrderId,
}
