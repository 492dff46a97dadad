//! What stands in the place of parts that were not read.

use std::sync::LazyLock;

use entity::{delivery, orders};
use serde_json::{Value, json};

use super::wanted::{DeliveryParts, OrderParts};
use crate::domain::reference::{Address, Contact};

static CONTACT: LazyLock<Value> = LazyLock::new(|| json!(Contact::default()));
static ADDRESS: LazyLock<Value> = LazyLock::new(|| json!(Address::default()));

/// Fills in what an order was read without.
pub fn order(row: &mut orders::Model, parts: OrderParts) {
    if !parts.contact {
        row.contact = CONTACT.clone();
    }
    if !parts.address {
        row.delivery_address = ADDRESS.clone();
    }
    if !parts.stops {
        row.holds = json!([]);
    }
}

/// Fills in what a delivery was read without.
pub fn delivery(row: &mut delivery::Model, parts: DeliveryParts) {
    if !parts.options {
        row.options = json!([]);
    }
    if !parts.confirmations {
        row.confirmations = json!([]);
    }
}
