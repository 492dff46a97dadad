//! What stands in the place of properties that were not read, where empty is no value.

use entity::{allocation, delivery, orders, product};

use crate::domain::allocation::AllocationStatus;
use crate::domain::delivery::{ConfirmationStatus, DeliveryMethod, DeliveryStatus};
use crate::domain::intake::{Channel, Priority};
use crate::domain::order::{OrderStatus, Stage};
use crate::domain::reference::ProductKind;

/// What ISO 4217 writes where there is no currency.
const CURRENCY: &str = "XXX";

/// Fills in what an order was read without.
pub fn order(row: &mut orders::Model) {
    text(&mut row.channel, Channel::ALL[0].code());
    text(&mut row.priority, Priority::ALL[0].code());
    text(&mut row.status, OrderStatus::ALL[0].code());
    text(&mut row.stage, Stage::ALL[0].code());
    text(&mut row.currency, CURRENCY);
}

/// Fills in what an allocation was read without.
pub fn allocation(row: &mut allocation::Model) {
    text(&mut row.kind, ProductKind::ALL[0].code());
    text(&mut row.status, AllocationStatus::ALL[0].code());
}

/// Fills in what a delivery was read without.
pub fn delivery(row: &mut delivery::Model) {
    text(&mut row.method, DeliveryMethod::ALL[0].code());
    text(&mut row.status, DeliveryStatus::ALL[0].code());
    text(&mut row.confirmation_status, ConfirmationStatus::ALL[0].code());
}

/// Fills in what a product was read without.
pub fn product(row: &mut product::Model) {
    text(&mut row.kind, ProductKind::ALL[0].code());
    text(&mut row.currency, CURRENCY);
}

fn text(value: &mut String, blank: &str) {
    if value.is_empty() {
        value.push_str(blank);
    }
}
