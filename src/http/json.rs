//! JSON text, put together from pieces.

use async_graphql::Value;

/// Appends a JSON string.
pub fn string(value: &str, text: &mut String) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if value.bytes().all(is_plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        // A string always has a JSON text.
        text.push_str(&serde_json::Value::from(value).to_string());
    }
}

/// Appends what the executor answered. It never makes binary values: where one stands, the backend has
/// written the JSON text itself.
pub fn value(value: &Value, text: &mut String) {
    match value {
        Value::Binary(written) => text.push_str(&String::from_utf8_lossy(written)),
        Value::Object(fields) => {
            let mut separator = '{';
            for (name, field) in fields {
                text.push(separator);
                string(name, text);
                text.push(':');
                self::value(field, text);
                separator = ',';
            }
            text.push_str(if separator == '{' { "{}" } else { "}" });
        }
        Value::List(entries) => {
            text.push('[');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                self::value(entry, text);
            }
            text.push(']');
        }
        Value::String(value) => string(value, text),
        Value::Enum(name) => string(name, text),
        Value::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::Null => text.push_str("null"),
    }
}
