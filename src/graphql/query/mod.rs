//! The root fields of Query, one file per capability.

pub mod access;
pub mod access_key;
pub mod allocation;
pub mod change;
pub mod channel;
pub mod delivery;
pub mod event;
pub mod import;
pub mod inventory;
pub mod materials;
pub mod node;
pub mod order;
pub mod reference;
pub mod review;
pub mod ticket;

use async_graphql::MergedObject;

/// Everything that can be looked at. What lies outside the caller's scope does not exist; a root
/// field the caller's roles may not ask for is refused as FORBIDDEN.
#[derive(MergedObject, Default)]
pub struct Query(
    access::AccessQuery,
    access_key::AccessKeyQuery,
    allocation::AllocationQuery,
    change::ChangeQuery,
    channel::ChannelQuery,
    allocation::SimulationQuery,
    delivery::DeliveryQuery,
    event::EventQuery,
    import::ImportQuery,
    inventory::InventoryQuery,
    materials::MaterialsQuery,
    inventory::StockOperationsQuery,
    inventory::InventoryReportQuery,
    node::NodeQuery,
    order::OrderQuery,
    reference::ReferenceQuery,
    review::ReviewQuery,
    ticket::TicketQuery,
);
