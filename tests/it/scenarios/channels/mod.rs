//! Channels (R1.1–R1.3): what platforms deliver is kept before it is acknowledged, and no order is lost or taken twice.

mod administration;
mod any_order;
mod changes;
mod intake;
mod keeping;
mod reconciliation;

use serde_json::{Value, json};

/// The codes and places of what was wrong with an order, in their order.
fn faults(order: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let faults = order["channelOrder"]["faults"].as_array().expect("faults");
    faults.iter().map(|one| (text(&one["code"]), text(&one["path"]))).collect()
}

fn at(code: &str, path: &str) -> (String, String) {
    (code.to_owned(), path.to_owned())
}

fn dollars(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "USD" })
}
