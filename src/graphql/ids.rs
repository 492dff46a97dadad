//! Global ids: opaque to clients, unique over all types, and bound to their type, so that an
//! order's id cannot be passed where a ticket's is expected.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::app::Failure;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{
    AccessKeyId, AccessRestrictionId, AllocationDecisionId, AllocationId, AllocationLineId, BackorderId,
    ChangeOptionId, ChannelDeliveryId, ChannelOrderId, ChannelSecretId, ClarificationId, ConfirmationId, CustomerId,
    DeliveryId, DeliveryLineId, HoldId, ImportBatchId, InspectionId, MilestoneId, OrderChangeId, OrderId, OrderLineId,
    ProductId, ReplenishmentRequestId, ReservationId, ReviewCaseId, SalesChannelId, SettlementRecordId, StockItemId,
    StockMovementId, StockTransferId, StocktakeId, StocktakeLineId, TicketId, TrackingEventId, UnitId,
};

/// An identity that clients see.
pub trait GlobalId: Copy + From<Uuid> + Into<Uuid> {
    /// The name of the GraphQL type it identifies.
    const TYPE: &'static str;
}

/// An event's identity: a number in the database, padded to the form of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(pub i64);

impl From<Uuid> for EventId {
    fn from(id: Uuid) -> Self {
        // Numbers begin at 1: what is no number of an event is nobody's.
        Self(i64::try_from(id.as_u128()).unwrap_or(0))
    }
}

impl From<EventId> for Uuid {
    fn from(id: EventId) -> Self {
        Self::from_u128(u128::from(id.0.unsigned_abs()))
    }
}

macro_rules! global_ids {
    ($($id:ident => $name:literal),+ $(,)?) => {
        $( impl GlobalId for $id { const TYPE: &'static str = $name; } )+
    };
}

global_ids! {
    AccessKeyId => "AccessKey",
    AccessRestrictionId => "AccessRestriction",
    AllocationDecisionId => "AllocationDecision",
    AllocationId => "Allocation",
    AllocationLineId => "AllocationLine",
    BackorderId => "Backorder",
    ChangeOptionId => "OrderChangeOption",
    ChannelDeliveryId => "ChannelDelivery",
    ChannelOrderId => "ChannelOrder",
    ChannelSecretId => "ChannelSecret",
    ClarificationId => "Clarification",
    ConfirmationId => "DeliveryConfirmation",
    CustomerId => "Customer",
    DeliveryId => "Delivery",
    DeliveryLineId => "DeliveryLine",
    EventId => "Event",
    HoldId => "Hold",
    ImportBatchId => "ImportBatch",
    InspectionId => "Inspection",
    MilestoneId => "Milestone",
    OrderChangeId => "OrderChange",
    OrderId => "Order",
    OrderLineId => "OrderLine",
    ProductId => "Product",
    ReplenishmentRequestId => "ReplenishmentRequest",
    ReservationId => "Reservation",
    ReviewCaseId => "ReviewCase",
    SalesChannelId => "SalesChannel",
    SettlementRecordId => "SettlementRecord",
    StockItemId => "StockItem",
    StockMovementId => "StockMovement",
    StockTransferId => "StockTransfer",
    StocktakeId => "Stocktake",
    StocktakeLineId => "StocktakeLine",
    TicketId => "Ticket",
    TrackingEventId => "TrackingEvent",
    UnitId => "Unit",
}

/// The id as clients see it.
pub fn encode<T: GlobalId>(id: T) -> ID {
    tagged(T::TYPE, id.into())
}

/// The id of an aggregate that an event names by its kind.
pub fn of_aggregate(kind: AggregateKind, id: Uuid) -> ID {
    tagged(
        match kind {
            AggregateKind::Order => OrderId::TYPE,
            AggregateKind::ReviewCase => ReviewCaseId::TYPE,
            AggregateKind::Allocation => AllocationId::TYPE,
            AggregateKind::StockItem => StockItemId::TYPE,
            AggregateKind::ReplenishmentRequest => ReplenishmentRequestId::TYPE,
            AggregateKind::StockTransfer => StockTransferId::TYPE,
            AggregateKind::Stocktake => StocktakeId::TYPE,
            AggregateKind::Delivery => DeliveryId::TYPE,
            AggregateKind::Ticket => TicketId::TYPE,
            AggregateKind::OrderChange => OrderChangeId::TYPE,
            AggregateKind::BillOfMaterials => ProductId::TYPE,
            AggregateKind::ImportBatch => ImportBatchId::TYPE,
            AggregateKind::AccessKey => AccessKeyId::TYPE,
            AggregateKind::AccessRestriction => AccessRestrictionId::TYPE,
            AggregateKind::SalesChannel => SalesChannelId::TYPE,
            AggregateKind::ChannelOrder => ChannelOrderId::TYPE,
        },
        id,
    )
}

/// The id of something known by a name instead of a UUID, such as a person.
pub fn named(kind: &str, name: impl std::fmt::Display) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{kind}:{name}")))
}

fn tagged(kind: &str, id: Uuid) -> ID {
    named(kind, id.simple())
}

/// The type and the identity behind an id.
pub fn split(id: &ID) -> Result<(String, Uuid), Failure> {
    let bad = || Failure::BadInput("This is none of this service's ids.".to_owned());
    let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let (kind, uuid) = text.split_once(':').ok_or_else(bad)?;
    let uuid = Uuid::try_parse(uuid).map_err(|_| bad())?;
    // One spelling only: an id is compared as text by every client's cache.
    if tagged(kind, uuid) != *id {
        return Err(bad());
    }
    Ok((kind.to_owned(), uuid))
}

/// The identity behind an id of the type that is expected.
pub fn parse<T: GlobalId>(id: &ID) -> Result<T, Failure> {
    let (kind, uuid) = split(id)?;
    if kind == T::TYPE {
        return Ok(uuid.into());
    }
    Err(Failure::BadInput(format!("The id of a {} is expected here, not of another type.", T::TYPE)))
}

/// The identities behind a list of ids.
pub fn parse_all<T: GlobalId>(ids: Option<Vec<ID>>) -> Result<Option<Vec<T>>, Failure> {
    ids.map(|ids| ids.iter().map(parse).collect()).transpose()
}

/// The identity behind an id that may be absent.
pub fn parse_optional<T: GlobalId>(id: Option<&ID>) -> Result<Option<T>, Failure> {
    id.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_bound_to_its_type() {
        let id = OrderId(Uuid::from_u128(7));
        let text = encode(id);
        assert_eq!(parse::<OrderId>(&text).ok(), Some(id));
        assert!(matches!(parse::<TicketId>(&text), Err(Failure::BadInput(_))));
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let hyphenated = named("Order", Uuid::from_u128(7).hyphenated());
        for id in [ID::from(""), ID::from("1"), ID::from("%%%"), named("Order", "x"), hyphenated] {
            assert!(parse::<OrderId>(&id).is_err(), "{}", id.as_str());
        }
    }
}
