//! The log as process mining sees it (R11.2): which activity, when, by whom, on which objects, and what it
//! changed of them. The words are those of OCEL 2.0, the standard for object-centric event logs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::event::{AggregateKind, Event};
use super::ids::OrderId;

/// What an event happened to, or was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectType {
    /// One of the things that have a history of their own.
    Aggregate(AggregateKind),
    /// A customer.
    Customer,
    /// An organizational unit.
    Unit,
    /// A person or system that acts.
    Actor,
}

impl ObjectType {
    /// Every type.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::Customer, Self::Unit, Self::Actor];
        AggregateKind::ALL.iter().copied().map(Self::Aggregate).chain(others)
    }

    /// Its name, such as `ReviewCase`; letters only, so that it names a table as well.
    pub fn name(self) -> String {
        match self {
            Self::Aggregate(kind) => {
                let capitalized = |word: &str| {
                    let (first, rest) = word.split_at(word.len().min(1));
                    format!("{first}{}", rest.to_lowercase())
                };
                kind.code().split('_').map(capitalized).collect()
            }
            Self::Customer => "Customer".to_owned(),
            Self::Unit => "Unit".to_owned(),
            Self::Actor => "Actor".to_owned(),
        }
    }

    /// The attributes whose changes are told, under their names in the log. Nothing that names or describes
    /// a person is among them.
    pub const fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Aggregate(AggregateKind::Order) => {
                &["status", "number", "channel", "region", "currency", "priority", "required_by", "rule_set_version"]
            }
            Self::Aggregate(AggregateKind::Allocation) => &["status", "kind"],
            Self::Aggregate(AggregateKind::StockItem) => &["sku", "on_hand", "reserved"],
            Self::Aggregate(AggregateKind::Delivery) => &["status", "number", "method", "carrier"],
            Self::Aggregate(AggregateKind::Ticket) => &["status", "number", "ticket_type"],
            Self::Aggregate(_) => &["status"],
            Self::Customer | Self::Unit | Self::Actor => &[],
        }
    }
}

/// An object an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub object_type: ObjectType,
    /// Unique over all types.
    pub id: String,
}

impl Object {
    fn new(object_type: ObjectType, id: impl std::fmt::Display) -> Self {
        // An id says its type, since a subject might read like another object's id.
        Self { object_type, id: format!("{}:{id}", object_type.name()) }
    }

    fn order(id: OrderId) -> Self {
        Self::new(ObjectType::Aggregate(AggregateKind::Order), id)
    }
}

/// An event as process mining sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Its place in the log.
    pub position: i64,
    /// Unique.
    pub id: String,
    /// What happened: the kind of the event.
    pub activity: &'static str,
    /// When.
    pub time: DateTime<Utc>,
    /// What was done that made it happen.
    pub action: &'static str,
    /// Who did it.
    pub actor: String,
    /// What it was about, and as what; the one it happened to comes first.
    pub objects: Vec<(Object, &'static str)>,
    /// What it changed of the first object: attribute and new value.
    pub changes: Vec<(&'static str, String)>,
    /// Which objects belong to which others.
    pub links: Vec<(Object, Object, &'static str)>,
}

/// The event as process mining sees it; nothing for one that has no place in the log yet.
pub fn occurrence(event: &Event) -> Option<Occurrence> {
    let position = event.position?;
    let subject = Object::new(ObjectType::Aggregate(event.aggregate_kind), event.aggregate_id);
    let order = event.order_id.map(Object::order).filter(|order| *order != subject);
    let owner = order.clone().unwrap_or_else(|| subject.clone());
    let customer = event.customer_id.map(|id| Object::new(ObjectType::Customer, id));
    let unit = event.unit_id.map(|id| Object::new(ObjectType::Unit, id));
    let mut links = Vec::new();
    links.extend(order.clone().map(|order| (subject.clone(), order, "belongs to")));
    links.extend(customer.clone().map(|customer| (owner, customer, "placed by")));
    links.extend(unit.clone().map(|unit| (subject.clone(), unit, "held by")));
    let changes = changes(event, subject.object_type);
    let mut objects = vec![(subject, "subject")];
    objects.extend(order.map(|order| (order, "order")));
    objects.extend(customer.map(|customer| (customer, "customer")));
    objects.extend(unit.map(|unit| (unit, "unit")));
    objects.push((Object::new(ObjectType::Actor, &event.actor), "performed by"));
    Some(Occurrence {
        position,
        id: format!("event:{position}"),
        activity: event.kind.code(),
        time: event.occurred_at,
        action: event.action.code(),
        actor: event.actor.clone(),
        objects,
        changes,
        links,
    })
}

fn changes(event: &Event, object_type: ObjectType) -> Vec<(&'static str, String)> {
    let told = |name: &&'static str| {
        let value = match event.changes.get(*name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((*name, value))
    };
    object_type.attributes().iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn types_have_names_of_their_own_that_name_tables() {
        let names: Vec<String> = ObjectType::all().map(ObjectType::name).collect();
        assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_alphabetic())), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.contains(&"ReviewCase".to_owned()) && names.contains(&"Order".to_owned()));
    }

    #[test]
    fn an_event_tells_what_it_happened_to_and_what_that_belongs_to() {
        let mut event = super::super::event::tests_event();
        event.changes =
            serde_json::json!({ "status": "ACCEPTED", "kind": null, "lines": { "1": { "reserved": "2" } } });
        let told = occurrence(&event).unwrap();
        assert_eq!((told.id.as_str(), told.activity), ("event:3", "ALLOCATION_ACCEPTED"));
        assert_eq!(told.changes, [("status", "ACCEPTED".to_owned())]);
        let roles: Vec<&str> = told.objects.iter().map(|(_, role)| *role).collect();
        assert_eq!(roles, ["subject", "order", "customer", "unit", "performed by"]);
        let links: Vec<(String, &str)> = told
            .links
            .iter()
            .map(|(from, to, how)| (format!("{:?}>{:?}", from.object_type, to.object_type), *how))
            .collect();
        let aggregate = "Aggregate(Allocation)";
        assert_eq!(
            links,
            [
                (format!("{aggregate}>Aggregate(Order)"), "belongs to"),
                ("Aggregate(Order)>Customer".to_owned(), "placed by"),
                (format!("{aggregate}>Unit"), "held by"),
            ]
        );
        event.position = None;
        assert_eq!(occurrence(&event), None);
    }
}
