//! Aggregates as documents, and their history as merge patches (RFC 7386): an aggregate's state is
//! the fold of its events, which `verify` proves, and every event says which fields it changed.

use serde_json::{Map, Value};

/// The aggregate as a document. Lists of parts with an `id` become objects keyed by that id, so
/// that a patch names only the parts that changed. Absent values are left out.
pub fn document<T: serde::Serialize>(aggregate: &T) -> Result<Value, serde_json::Error> {
    Ok(keyed(serde_json::to_value(aggregate)?))
}

fn keyed(value: Value) -> Value {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item.get("id").is_some()) => Value::Object(
            items.into_iter().filter_map(|item| Some((item.get("id")?.as_str()?.to_owned(), keyed(item)))).collect(),
        ),
        // An empty list of parts and no list at all are the same document.
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => Value::Array(items.into_iter().map(keyed).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, field)| (name, keyed(field)))
                .filter(|(_, field)| !field.is_null())
                .collect(),
        ),
        scalar => scalar,
    }
}

/// The patch that leads from one document to another.
pub fn difference(before: &Value, after: &Value) -> Value {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                patch.insert(name.clone(), Value::Null);
            }
            for (name, field) in new {
                match old.get(name) {
                    Some(former) if former == field => {}
                    Some(former) => {
                        patch.insert(name.clone(), difference(former, field));
                    }
                    None => {
                        patch.insert(name.clone(), field.clone());
                    }
                }
            }
            Value::Object(patch)
        }
        _ => after.clone(),
    }
}

/// Applies a patch to a document.
pub fn fold(state: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *state = patch.clone();
        return;
    };
    if !state.is_object() {
        *state = Value::Object(Map::new());
    }
    if let Value::Object(fields) = state {
        for (name, change) in changes {
            if change.is_null() {
                fields.remove(name);
            } else {
                fold(fields.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_names_only_what_changed() {
        let before = keyed(json!({"version": 1, "note": "x", "lines": [{"id": "a", "n": "1"}, {"id": "b", "n": "2"}]}));
        let after = keyed(json!({"version": 2, "note": null, "lines": [{"id": "a", "n": "1"}, {"id": "b", "n": "3"}]}));
        let patch = difference(&before, &after);
        assert_eq!(patch, json!({"version": 2, "note": null, "lines": {"b": {"n": "3"}}}));
        let mut folded = before;
        fold(&mut folded, &patch);
        assert_eq!(folded, after);
    }
}
