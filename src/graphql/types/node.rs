//! What can be fetched again by its global id.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use async_graphql::{Context, ID, Interface, Result};
use uuid::Uuid;

use super::access::AccessRestriction;
use super::access_key::AccessKey;
use super::allocation::Allocation;
use super::change::OrderChange;
use super::channel::{ChannelDelivery, SalesChannel};
use super::delivery::Delivery;
use super::event::Event;
use super::import::ImportBatch;
use super::inventory::{ReplenishmentRequest, StockItem, StockMovement, StockTransfer, Stocktake};
use super::order::Order;
use super::progress::Milestone;
use super::reference::{Customer, Product, Unit};
use super::ticket::Ticket;
use crate::app::{Failure, Session, read};
use crate::domain::ids::{
    AccessKeyId, AccessRestrictionId, AllocationId, ChannelDeliveryId, CustomerId, DeliveryId, ImportBatchId,
    MilestoneId, OrderChangeId, OrderId, ProductId, ReplenishmentRequestId, SalesChannelId, StockItemId,
    StockMovementId, StockTransferId, StocktakeId, TicketId, UnitId,
};
use crate::graphql::context::{Answer, session};
use crate::graphql::ids::{self, EventId, GlobalId};
use crate::graphql::write::{Selected, Write, Written};

/// Something with a global id, which can be fetched again by `node` (Relay).
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque global id."))]
pub enum Node {
    /// A key of a partner's system, or a tracking link.
    AccessKey(AccessKey),
    /// Access that was taken away.
    AccessRestriction(AccessRestriction),
    /// A unit's share of an order.
    Allocation(Allocation),
    /// Something a channel delivered.
    ChannelDelivery(ChannelDelivery),
    /// A customer.
    Customer(Customer),
    /// A delivery.
    Delivery(Delivery),
    /// Something that happened.
    Event(Event),
    /// Orders handed in as a file.
    ImportBatch(ImportBatch),
    /// A step of a unit's work.
    Milestone(Milestone),
    /// An order.
    Order(Order),
    /// A change of an order that is negotiated.
    OrderChange(OrderChange),
    /// A product or service.
    Product(Product),
    /// A request to procure.
    ReplenishmentRequest(ReplenishmentRequest),
    /// A channel that orders come over.
    SalesChannel(SalesChannel),
    /// A product in a warehouse.
    StockItem(StockItem),
    /// A change of stock.
    StockMovement(StockMovement),
    /// Goods on their way from one warehouse to another.
    StockTransfer(StockTransfer),
    /// A count of what lies in a warehouse.
    Stocktake(Stocktake),
    /// An after-sales ticket.
    Ticket(Ticket),
    /// An organizational unit.
    Unit(Unit),
}

/// What the ids stand for, in their order; null for what does not exist for the caller. One
/// statement per type, however many ids.
pub async fn nodes(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let session = session(ctx)?;
    found(session, ids).await.answer(ctx)
}

async fn found(session: &Session, ids: &[ID]) -> Result<Vec<Option<Node>>, Failure> {
    let wanted = ids.iter().map(ids::split).collect::<Result<Vec<_>, Failure>>()?;
    let mut known: HashMap<Uuid, Node> = HashMap::new();
    macro_rules! fetch {
        ($($id:ty => $read:expr, $node:ident;)+) => { $(
            let some = of_type::<$id>(&wanted);
            if !some.is_empty() {
                for one in $read(session, &some).await? {
                    known.insert(one.id.0, Node::$node(one.into()));
                }
            }
        )+ };
    }
    fetch! {
        OrderId => read::order::by_ids, Order;
        AllocationId => read::allocation::by_ids, Allocation;
        DeliveryId => read::delivery::by_ids, Delivery;
        OrderChangeId => read::change::by_ids, OrderChange;
        TicketId => read::ticket::by_ids, Ticket;
        AccessRestrictionId => read::access::by_ids, AccessRestriction;
        ImportBatchId => read::import::by_ids, ImportBatch;
        CustomerId => read::reference::visible_customers, Customer;
        ProductId => read::reference::products_by_ids, Product;
        SalesChannelId => read::channel::by_ids, SalesChannel;
        ChannelDeliveryId => read::channel::deliveries_by_ids, ChannelDelivery;
        UnitId => read::reference::visible_units, Unit;
        StockItemId => read::inventory::by_ids, StockItem;
        StockMovementId => read::inventory::movements_by_ids, StockMovement;
        ReplenishmentRequestId => read::inventory::requests_by_ids, ReplenishmentRequest;
        StockTransferId => read::inventory::transfers_by_ids, StockTransfer;
        StocktakeId => read::inventory::stocktakes_by_ids, Stocktake;
    }
    let keys = of_type::<AccessKeyId>(&wanted);
    if !keys.is_empty() {
        for one in read::access_key::by_ids(session, &keys).await? {
            known.insert(one.key.id.0, Node::AccessKey(one.into()));
        }
    }
    let events: Vec<i64> = of_type::<EventId>(&wanted).iter().map(|id| id.0).collect();
    if !events.is_empty() {
        for event in read::event::by_ids(session, &events).await? {
            known.insert(EventId(event.id).into(), Node::Event(event.into()));
        }
    }
    let milestones = of_type::<MilestoneId>(&wanted);
    if !milestones.is_empty() {
        for allocation in read::allocation::of_milestones(session, &milestones).await? {
            let allocation = std::sync::Arc::new(allocation);
            for id in &milestones {
                if let Some(milestone) = Milestone::of(allocation.clone(), *id) {
                    known.insert(id.0, Node::Milestone(milestone));
                }
            }
        }
    }
    // The type is looked at again: the id of a ticket with an order's UUID is nobody's.
    Ok(wanted.into_iter().map(|(kind, id)| known.get(&id).filter(|node| node.kind() == kind).cloned()).collect())
}

fn of_type<T: GlobalId + Eq + Hash>(wanted: &[(String, Uuid)]) -> Vec<T> {
    let distinct: HashSet<T> = wanted.iter().filter(|(kind, _)| kind == T::TYPE).map(|(_, id)| T::from(*id)).collect();
    distinct.into_iter().collect()
}

impl Write for Node {
    fn write(&self, at: &Selected<'_>, text: &mut String) -> Written {
        match self {
            Self::AccessKey(one) => one.write(at, text),
            Self::AccessRestriction(one) => one.write(at, text),
            Self::Allocation(one) => one.write(at, text),
            Self::ChannelDelivery(one) => one.write(at, text),
            Self::Customer(one) => one.write(at, text),
            Self::Delivery(one) => one.write(at, text),
            Self::Event(one) => one.write(at, text),
            Self::ImportBatch(one) => one.write(at, text),
            Self::Milestone(one) => one.write(at, text),
            Self::Order(one) => one.write(at, text),
            Self::OrderChange(one) => one.write(at, text),
            Self::Product(one) => one.write(at, text),
            Self::ReplenishmentRequest(one) => one.write(at, text),
            Self::SalesChannel(one) => one.write(at, text),
            Self::StockItem(one) => one.write(at, text),
            Self::StockMovement(one) => one.write(at, text),
            Self::StockTransfer(one) => one.write(at, text),
            Self::Stocktake(one) => one.write(at, text),
            Self::Ticket(one) => one.write(at, text),
            Self::Unit(one) => one.write(at, text),
        }
    }
}

impl Node {
    const fn kind(&self) -> &'static str {
        match self {
            Self::AccessKey(_) => AccessKeyId::TYPE,
            Self::AccessRestriction(_) => AccessRestrictionId::TYPE,
            Self::Allocation(_) => AllocationId::TYPE,
            Self::ChannelDelivery(_) => ChannelDeliveryId::TYPE,
            Self::Customer(_) => CustomerId::TYPE,
            Self::Delivery(_) => DeliveryId::TYPE,
            Self::Event(_) => EventId::TYPE,
            Self::ImportBatch(_) => ImportBatchId::TYPE,
            Self::Milestone(_) => MilestoneId::TYPE,
            Self::Order(_) => OrderId::TYPE,
            Self::OrderChange(_) => OrderChangeId::TYPE,
            Self::Product(_) => ProductId::TYPE,
            Self::ReplenishmentRequest(_) => ReplenishmentRequestId::TYPE,
            Self::SalesChannel(_) => SalesChannelId::TYPE,
            Self::StockItem(_) => StockItemId::TYPE,
            Self::StockMovement(_) => StockMovementId::TYPE,
            Self::StockTransfer(_) => StockTransferId::TYPE,
            Self::Stocktake(_) => StocktakeId::TYPE,
            Self::Ticket(_) => TicketId::TYPE,
            Self::Unit(_) => UnitId::TYPE,
        }
    }
}
