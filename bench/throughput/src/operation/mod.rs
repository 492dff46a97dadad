//! What is measured: four reads and a detail page, four writes.

pub mod reads;
pub mod writes;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::load::Expected;

/// An identity as clients see it.
pub fn global_id(kind: &str, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{}", id.replace('-', "")))
}

/// The body of a request.
pub fn body(query: &str, variables: &Json) -> String {
    format!("{{\"query\":{},\"variables\":{variables}}}", Json::from(query))
}

/// No errors, and these texts so often.
pub fn expected(counts: &[(&str, usize)]) -> Expected {
    Expected {
        counts: counts.iter().map(|(text, count)| (format!("\"{text}\":"), *count)).collect(),
        absent: vec!["\"errors\":".to_owned()],
    }
}

/// Do two answers have the same fields and the same number of entries everywhere? Says where they
/// do not. Values may be written differently.
pub fn difference(ours: &Json, theirs: &Json, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Json::Object(one), Json::Object(other)) => {
            one.keys().chain(other.keys()).find_map(|key| match (one.get(key), other.get(key)) {
                (Some(one), Some(other)) => difference(one, other, &format!("{path}.{key}")),
                _ => Some(format!("{path}.{key} is in one of them only")),
            })
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(index, (one, other))| difference(one, other, &format!("{path}.{index}"))),
        (Json::Array(one), Json::Array(other)) => Some(format!("{path} has {} and {} entries", one.len(), other.len())),
        (one, other) if one.is_null() == other.is_null() && one.is_object() == other.is_object() => None,
        (one, other) => Some(format!("{path} is {one} and {other}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_compared_by_their_shape() {
        let one = json!({"a": [{"b": "1.00"}], "c": null});
        assert_eq!(difference(&one, &json!({"a": [{"b": 10_000}], "c": null}), ""), None);
        assert!(difference(&one, &json!({"a": [], "c": null}), "").is_some());
        assert!(difference(&one, &json!({"a": [{"b": null}], "c": null}), "").is_some());
        assert!(difference(&one, &json!({"a": [{"b": "1"}]}), "").is_some());
    }
}
