//! The hash chain over all events: whoever changes, removes or inserts one breaks every link after
//! it (R13.2). `verify` follows it.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Event;

/// A link of the chain: SHA-256.
pub type Link = [u8; 32];

/// What the first link is chained to.
pub const ORIGIN: Link = [0; 32];

/// The link of an event at a position, behind the link before it.
///
/// What may name people (who, why, what changed) goes in as a digest of its own: the rest of the
/// chain can be checked also where that has to be removed.
pub fn link(previous: &Link, position: i64, event: &Event) -> Link {
    let mut text = Text::default();
    text.bytes(previous);
    text.bytes(&position.to_be_bytes());
    text.text(event.aggregate_kind.code());
    text.bytes(event.aggregate_id.as_bytes());
    text.bytes(&event.sequence.to_be_bytes());
    text.text(event.kind.code());
    text.text(event.action.code());
    text.id(event.order_id.map(|id| id.0));
    text.id(event.customer_id.map(|id| id.0));
    text.optional(event.account.as_deref());
    text.id(event.unit_id.map(|id| id.0));
    for unit in &event.audience {
        text.id(Some(unit.0));
    }
    text.bytes(&[u8::from(event.public)]);
    text.bytes(&event.occurred_at.timestamp_micros().to_be_bytes());
    text.bytes(&personal(event));
    text.digest()
}

fn personal(event: &Event) -> Link {
    let mut text = Text::default();
    text.text(&event.actor);
    text.text(&event.request_id);
    text.optional(event.note.as_deref());
    text.json(&event.changes);
    text.digest()
}

/// Writes values so that no two lists of values give the same bytes.
#[derive(Default)]
struct Text(Sha256);

impl Text {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.0.update([1]);
                self.text(text);
            }
            None => self.0.update([0]),
        }
    }

    fn id(&mut self, id: Option<Uuid>) {
        match id {
            Some(id) => self.bytes(id.as_bytes()),
            None => self.bytes(&[]),
        }
    }

    /// Databases keep the order of an object's fields as they like.
    fn json(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by_key(|(name, _)| name.as_str());
                self.bytes(b"{");
                for (name, field) in sorted {
                    self.text(name);
                    self.json(field);
                }
                self.bytes(b"}");
            }
            Value::Array(items) => {
                self.bytes(b"[");
                for item in items {
                    self.json(item);
                }
                self.bytes(b"]");
            }
            Value::String(text) => {
                self.bytes(b"\"");
                self.text(text);
            }
            scalar => self.text(&scalar.to_string()),
        }
    }

    fn digest(self) -> Link {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::record::tests::event;
    use super::*;

    #[test]
    fn every_part_counts() {
        let original = event();
        let link_of = |event: &Event| link(&ORIGIN, 1, event);
        let base = link_of(&original);
        assert_eq!(base, link_of(&original.clone()));
        assert_ne!(base, link(&ORIGIN, 2, &original));
        assert_ne!(base, link(&[1; 32], 1, &original));
        let changes: [fn(&mut Event); 8] = [
            |event| event.actor = "another".to_owned(),
            |event| event.note = Some(String::new()),
            |event| event.changes = json!({"status": "DECLINED"}),
            |event| event.sequence += 1,
            |event| event.public = true,
            |event| event.unit_id = None,
            |event| event.audience.truncate(1),
            |event| event.occurred_at += chrono::Duration::microseconds(1),
        ];
        for change in changes {
            let mut changed = original.clone();
            change(&mut changed);
            assert_ne!(base, link_of(&changed), "{changed:?}");
        }
    }

    #[test]
    fn the_order_of_fields_does_not_count() {
        let mut one = event();
        let mut other = event();
        one.changes = serde_json::from_str(r#"{"a": {"x": 1, "y": [true, null]}, "b": "2"}"#).unwrap();
        other.changes = serde_json::from_str(r#"{"b": "2", "a": {"y": [true, null], "x": 1}}"#).unwrap();
        assert_eq!(link(&ORIGIN, 1, &one), link(&ORIGIN, 1, &other));
    }
}
