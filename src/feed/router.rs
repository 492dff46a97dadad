//! From an event to those it concerns: by topic, so that an event costs nothing to anybody else.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::actor::Scope;
use crate::domain::event::{AggregateKind, Event, EventFilter};
use crate::domain::ids::{CustomerId, OrderId, UnitId};

/// What an event is about, from narrow to wide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One aggregate.
    Aggregate(Uuid),
    /// An order and what belongs to it.
    Order(OrderId),
    /// A customer's orders.
    Customer(CustomerId),
    /// Orders that came over a channel account.
    Account(String),
    /// A unit, or orders it has a share in.
    Unit(UnitId),
    /// A kind of aggregate.
    Kind(AggregateKind),
    /// Everything.
    Everything,
}

impl Topic {
    /// The narrowest topics under which everything comes that a filter looks for in a scope.
    pub fn of(filter: &EventFilter, scope: &Scope) -> Vec<Self> {
        if let Some(order) = filter.order {
            return vec![Self::Order(order)];
        }
        if let Some(ticket) = filter.ticket {
            return vec![Self::Aggregate(ticket.0)];
        }
        if let Some(ids) = &filter.ids {
            return ids.iter().map(|id| Self::Aggregate(*id)).collect();
        }
        match scope {
            Scope::Nothing => Vec::new(),
            Scope::Customer(id) => vec![Self::Customer(*id)],
            Scope::Account(account) => vec![Self::Account(account.clone())],
            Scope::Order(id) => vec![Self::Order(*id)],
            Scope::Units(units) => units.iter().map(|unit| Self::Unit(*unit)).collect(),
            Scope::All => match (&filter.units, &filter.aggregates) {
                (Some(units), _) => units.iter().map(|unit| Self::Unit(*unit)).collect(),
                (None, Some(kinds)) => kinds.iter().map(|kind| Self::Kind(*kind)).collect(),
                (None, None) => vec![Self::Everything],
            },
        }
    }

    /// Calls with every topic of an event; a unit may come twice.
    fn each(event: &Event, mut call: impl FnMut(&Self)) {
        call(&Self::Aggregate(event.aggregate_id));
        if let Some(order) = event.order_id {
            call(&Self::Order(order));
        }
        if let Some(customer) = event.customer_id {
            call(&Self::Customer(customer));
        }
        if let Some(account) = &event.account {
            call(&Self::Account(account.clone()));
        }
        for unit in event.units() {
            call(&Self::Unit(unit));
        }
        call(&Self::Kind(event.aggregate_kind));
        call(&Self::Everything);
    }
}

/// Who is told of events.
pub trait Listener: Send + Sync {
    /// Differs from listener to listener.
    fn id(&self) -> u64;
    /// Here is an event; the same one may come twice, a later one never before an earlier one. Must
    /// return at once.
    fn hear(&self, event: &Arc<Event>);
    /// The log does not continue: begin anew.
    fn resync(&self);
}

/// Who listens to what.
#[derive(Default)]
pub struct Router {
    topics: HashMap<Topic, Vec<Arc<dyn Listener>>>,
}

impl Router {
    /// Adds a listener to topics.
    pub fn add(&mut self, topics: &[Topic], listener: &Arc<dyn Listener>) {
        for topic in topics {
            self.topics.entry(topic.clone()).or_default().push(listener.clone());
        }
    }

    /// Removes a listener from topics.
    pub fn remove(&mut self, topics: &[Topic], listener: u64) {
        for topic in topics {
            if let Some(listeners) = self.topics.get_mut(topic) {
                listeners.retain(|one| one.id() != listener);
                if listeners.is_empty() {
                    self.topics.remove(topic);
                }
            }
        }
    }

    /// Tells those whom an event concerns.
    pub fn route(&self, event: &Arc<Event>) {
        Topic::each(event, |topic| {
            for listener in self.topics.get(topic).into_iter().flatten() {
                listener.hear(event);
            }
        });
    }

    /// Tells everybody.
    pub fn broadcast(&self, tell: impl Fn(&dyn Listener)) {
        for listener in self.topics.values().flatten() {
            tell(&**listener);
        }
    }
}
