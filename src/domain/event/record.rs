//! An event as it stands in the log, whom it exists for, and what looks for it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{AggregateKind, EventKind};
use crate::domain::actor::{Actor, Scope};
use crate::domain::ids::{CustomerId, OrderId, TicketId, UnitId};
use crate::domain::permission::Action;

/// Something that happened; never changed afterwards (R13.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Identity within this database.
    pub id: i64,
    /// Its place among all events; none until it was given one, shortly after the commit.
    pub position: Option<i64>,
    /// What it happened to.
    pub aggregate_kind: AggregateKind,
    /// Which one.
    pub aggregate_id: Uuid,
    /// The aggregate's version after it.
    pub sequence: i64,
    /// What happened.
    pub kind: EventKind,
    /// What was done.
    pub action: Action,
    /// The order it belongs to.
    pub order_id: Option<OrderId>,
    /// The customer of that order.
    pub customer_id: Option<CustomerId>,
    /// The channel account that order came over.
    pub account: Option<String>,
    /// The unit it concerns.
    pub unit_id: Option<UnitId>,
    /// Units with a share in the order before or after it: a unit that loses its share learns of
    /// that, and of nothing later.
    pub audience: Vec<UnitId>,
    /// May people outside the group learn of it?
    pub public: bool,
    /// Who did it.
    pub actor: String,
    /// The request it came with.
    pub request_id: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// A reason or remark, for the group's own people.
    pub note: Option<String>,
    /// Which fields changed, and to what (RFC 7386).
    pub changes: Value,
}

impl Event {
    /// Does it exist for the actor? Only what the event itself says decides, so that whoever
    /// follows live and whoever reads later see the same.
    pub fn exists_for(&self, actor: &Actor) -> bool {
        let in_scope = match &actor.scope {
            Scope::All => true,
            Scope::Customer(id) => self.customer_id == Some(*id),
            Scope::Account(account) => self.account.as_ref() == Some(account),
            Scope::Units(units) => self.units().any(|unit| units.contains(&unit)),
            Scope::Order(id) => self.order_id == Some(*id),
            Scope::Nothing => false,
        };
        in_scope && (self.public || !actor.is_external())
    }

    /// Every unit it concerns; the same one may come twice.
    pub fn units(&self) -> impl Iterator<Item = UnitId> {
        self.unit_id.into_iter().chain(self.audience.iter().copied())
    }
}

/// What of the log is looked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this order.
    pub order: Option<OrderId>,
    /// One of these kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// Of one of these kinds of aggregates.
    pub aggregates: Option<Vec<AggregateKind>>,
    /// Of one of these aggregates.
    pub ids: Option<Vec<Uuid>>,
    /// Of this ticket.
    pub ticket: Option<TicketId>,
    /// Concerning one of these units.
    pub units: Option<Vec<UnitId>>,
}

impl EventFilter {
    /// Is this an event that is looked for?
    pub fn matches(&self, event: &Event) -> bool {
        fn holds<T>(wanted: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
            wanted.is_none_or(test)
        }
        holds(self.order.as_ref(), |order| event.order_id == Some(*order))
            && holds(self.kinds.as_ref(), |kinds| kinds.contains(&event.kind))
            && holds(self.aggregates.as_ref(), |kinds| kinds.contains(&event.aggregate_kind))
            && holds(self.ids.as_ref(), |ids| ids.contains(&event.aggregate_id))
            && holds(self.ticket.as_ref(), |ticket| event.aggregate_id == ticket.0)
            && holds(self.units.as_ref(), |units| event.unit_id.is_some_and(|unit| units.contains(&unit)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::actor::Role;

    pub fn event() -> Event {
        Event {
            id: 7,
            position: Some(3),
            aggregate_kind: AggregateKind::Allocation,
            aggregate_id: Uuid::from_u128(1),
            sequence: 2,
            kind: EventKind::AllocationAccepted,
            action: Action::AcceptAllocation,
            order_id: Some(OrderId(Uuid::from_u128(2))),
            customer_id: Some(CustomerId(Uuid::from_u128(3))),
            account: Some("shop".to_owned()),
            unit_id: Some(UnitId(Uuid::from_u128(4))),
            audience: vec![UnitId(Uuid::from_u128(4)), UnitId(Uuid::from_u128(5))],
            public: false,
            actor: "somebody".to_owned(),
            request_id: "r".to_owned(),
            occurred_at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
            note: None,
            changes: serde_json::json!({"status": "ACCEPTED"}),
        }
    }

    fn actor(role: Role, scope: Scope) -> Actor {
        Actor { subject: "s".to_owned(), roles: vec![role], scope }
    }

    #[test]
    fn an_event_exists_for_those_it_concerns() {
        let unit = |id| Scope::Units(vec![UnitId(Uuid::from_u128(id))]);
        let customer = |id| Scope::Customer(CustomerId(Uuid::from_u128(id)));
        let shop = |name: &str| Scope::Account(name.to_owned());
        for (role, scope, when_private, when_public) in [
            (Role::Supervisor, Scope::All, true, true),
            (Role::Operator, unit(4), true, true),
            (Role::Operator, unit(5), true, true),
            (Role::Operator, unit(6), false, false),
            (Role::Customer, customer(3), false, true),
            (Role::Customer, customer(4), false, false),
            (Role::Partner, shop("shop"), false, true),
            (Role::Partner, shop("other"), false, false),
            (Role::Supervisor, Scope::Nothing, false, false),
        ] {
            let actor = actor(role, scope);
            let (mut public, private) = (event(), event());
            public.public = true;
            assert_eq!(
                (private.exists_for(&actor), public.exists_for(&actor)),
                (when_private, when_public),
                "{actor:?}"
            );
        }
    }

    #[test]
    fn a_filter_holds_when_all_of_it_does() {
        let found = event();
        assert!(EventFilter::default().matches(&found));
        let narrow = EventFilter {
            order: found.order_id,
            kinds: Some(vec![EventKind::AllocationAccepted]),
            units: Some(vec![UnitId(Uuid::from_u128(4))]),
            ..EventFilter::default()
        };
        assert!(narrow.matches(&found));
        assert!(!EventFilter { kinds: Some(vec![]), ..narrow.clone() }.matches(&found));
        // A unit that only has another share of the order is not the one it concerns.
        assert!(!EventFilter { units: Some(vec![UnitId(Uuid::from_u128(5))]), ..narrow }.matches(&found));
    }
}
