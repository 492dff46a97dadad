//! Events of the log.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use serde_json::Value;

use super::order::{Order, order};
use super::reference::{Person, Unit, person, unit};
use super::wrapper;
use crate::app::read::event as read;
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::permission::Action;
use crate::graphql::connection::connection;
use crate::graphql::context::{int, is_external, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// An event.
    Event(read::Event)
}
connection!(EventConnection, EventEdge, Event, "events");

/// Something that happened to an order or what belongs to it; never changed (R13.2).
#[macros::written]
#[Object]
impl Event {
    /// Opaque global id; the same event has the same id wherever it is met.
    pub async fn id(&self) -> ID {
        ids::encode(ids::EventId(self.0.id))
    }

    /// Its place in the feed: pass it as `after` to go on behind it. Null for the moment between its
    /// commit and its being given a place.
    async fn cursor(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let session = session(ctx)?;
        let position = self.0.position;
        Ok(position.map(|position| read::at(session, position)))
    }

    /// What kind of thing it happened to.
    async fn aggregate_kind(&self) -> AggregateKind {
        self.0.aggregate_kind
    }

    /// Opaque global id of the thing it happened to; `node` knows it unless it is a review.
    async fn aggregate_id(&self) -> ID {
        ids::of_aggregate(self.0.aggregate_kind, self.0.aggregate_id)
    }

    /// The thing's version after it: 1, 2, 3, … without gaps.
    async fn sequence(&self) -> i32 {
        int(self.0.sequence)
    }

    /// What happened.
    async fn kind(&self) -> EventKind {
        self.0.kind
    }

    /// What was done.
    async fn action(&self) -> Action {
        self.0.action
    }

    /// The order it belongs to, as that order is now; null where there is none or none the caller may see.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match self.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The unit it concerns.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        match self.0.unit_id {
            Some(id) => unit(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Who did it. People outside the group see themselves only, else null.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.actor).await
    }

    /// When it happened.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// A reason or remark. Null for people outside the group.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<&String>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        Ok(self.0.note.as_ref())
    }

    /// Which fields changed, and to what: the audit trail. Null for people outside the group.
    async fn changes(&self, ctx: &Context<'_>) -> Result<Option<Vec<EventChange>>> {
        if is_external(ctx)? {
            return Ok(None);
        }
        let mut changes = Vec::new();
        flatten(String::new(), &self.0.changes, &mut changes);
        Ok(Some(changes))
    }
}

/// A field that an event changed.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject, macros::Written)]
pub struct EventChange {
    /// The field as it is stored, such as `status` or `lines.<id>.confirmed`.
    pub field: String,
    /// Its new value as text; null where the field or part was removed.
    pub value: Option<String>,
}

fn flatten(path: String, value: &Value, changes: &mut Vec<EventChange>) {
    let text = match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(path, field, changes);
            }
            return;
        }
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    changes.push(EventChange { field: path, value: text });
}

/// A piece of the feed of events, oldest first, and where to go on.
#[derive(SimpleObject, macros::Written)]
pub struct EventFeed {
    /// The events, as far as they exist for the caller.
    pub events: Vec<Event>,
    /// Pass it as `after` to go on; also when there were no events.
    pub cursor: String,
    /// Are there more already?
    pub has_more: bool,
}

impl From<read::Batch> for EventFeed {
    fn from(batch: read::Batch) -> Self {
        Self {
            events: batch.events.into_iter().map(Into::into).collect(),
            cursor: batch.cursor,
            has_more: batch.has_more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_told_field_by_field() {
        let mut changes = Vec::new();
        let patch = json!({"lines": {"a": {"confirmed": "3"}}, "note": null, "version": 2});
        flatten(String::new(), &patch, &mut changes);
        let told: Vec<_> = changes.iter().map(|one| (one.field.as_str(), one.value.as_deref())).collect();
        assert_eq!(told, [("lines.a.confirmed", Some("3")), ("note", None), ("version", Some("2"))]);
    }
}
