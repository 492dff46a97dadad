//! Which properties of the domain the fields of the schema are made of.
//!
//! A field that is not named here is made of everything: whoever adds one to a type is right at once, and
//! quick once it is named.

use std::collections::BTreeSet;

use crate::app::read::tree::Properties;

/// A field, and what it is made of.
type Field = (&'static str, &'static [&'static str]);

/// Of an order. Amounts and states of fulfilment are made of the lines besides.
pub const ORDER: &[Field] = &[
    ("account", &["account"]),
    ("allocationStatus", &[]),
    ("allocations", &[]),
    ("amountDue", &["currency"]),
    ("cancellation", &["cancellation"]),
    ("changes", &[]),
    ("channel", &["channel"]),
    ("channelOrder", &["account", "currency"]),
    ("clarifications", &[]),
    ("completedAt", &["completed_at"]),
    ("confirmationStatus", &[]),
    ("contact", &["contact"]),
    ("currencyCode", &["currency"]),
    ("customer", &["customer_id"]),
    ("deliveries", &[]),
    ("deliveryAddress", &["delivery_address"]),
    ("externalReference", &["external_reference"]),
    ("fulfillmentStatus", &[]),
    ("holds", &["holds"]),
    ("id", &[]),
    ("lines", &["currency"]),
    ("note", &["note"]),
    ("number", &["number"]),
    ("overdue", &["status", "required_by"]),
    ("priority", &["priority"]),
    ("region", &["region"]),
    ("requiredBy", &["required_by"]),
    ("review", &[]),
    ("ruleSetVersion", &["rule_set_version"]),
    ("settlement", &[]),
    ("settlementStatus", &[]),
    ("stage", &["stage"]),
    ("status", &["status"]),
    ("submittedAt", &["submitted_at"]),
    ("submittedBy", &["submitted_by"]),
    ("subtotal", &["currency"]),
    ("tickets", &[]),
    ("timeline", &[]),
    ("total", &["currency"]),
    ("version", &["version"]),
];

/// What fields of an order are made of, of its lines. For others no lines are needed.
pub const ORDER_OF_LINES: &[Field] = &[
    ("allocationStatus", &["ordered", "cancelled", "allocated"]),
    ("amountDue", &["ordered", "cancelled", "total"]),
    ("confirmationStatus", &["ordered", "cancelled", "confirmed"]),
    ("fulfillmentStatus", &["ordered", "cancelled", "dispatched"]),
    ("lines", &[]),
    ("settlementStatus", &["ordered", "cancelled", "confirmed"]),
    ("subtotal", &["ordered", "cancelled", "unit_price", "discount_rate"]),
    ("total", &["total"]),
];

/// Of an order's line.
pub const ORDER_LINE: &[Field] = &[
    ("amountDue", &["ordered", "cancelled", "total"]),
    ("category", &["category"]),
    ("description", &["description"]),
    ("discountRate", &["discount_rate"]),
    ("id", &[]),
    ("kind", &["kind"]),
    ("lineNumber", &[]),
    ("product", &["product_id"]),
    ("quantities", &[]),
    ("sku", &["sku"]),
    ("specification", &["specification"]),
    ("total", &["total"]),
    ("unitOfMeasure", &["unit_of_measure"]),
    ("unitPrice", &["unit_price"]),
];

/// Of the quantities of an order's line. What is open is found out in any case.
pub const LINE_QUANTITIES: &[Field] = &[
    ("allocated", &["allocated"]),
    ("cancelled", &["cancelled"]),
    ("confirmed", &["confirmed"]),
    ("delivered", &["delivered"]),
    ("dispatched", &["dispatched"]),
    ("open", &["ordered", "cancelled"]),
    ("ordered", &["ordered"]),
    ("passed", &["passed"]),
    ("produced", &["produced"]),
    ("reserved", &["reserved"]),
    ("returned", &["returned"]),
];

/// Of an allocation, apart from its parts.
pub const ALLOCATION: &[Field] = &[
    ("acceptBy", &["accept_by"]),
    ("acceptedBy", &["accepted_by"]),
    ("assignedAt", &["assigned_at"]),
    ("backorders", &[]),
    ("decision", &["decision_id"]),
    ("declineReason", &["decline_reason"]),
    ("escalationLevel", &["escalation_level"]),
    ("id", &[]),
    ("inspections", &[]),
    ("kind", &["kind"]),
    ("lines", &[]),
    ("milestones", &[]),
    ("order", &[]),
    ("reservations", &[]),
    ("status", &["status"]),
    ("unit", &["unit_id"]),
    ("version", &["version"]),
    ("warehouse", &["warehouse_id"]),
];

/// Of a delivery.
pub const DELIVERY: &[Field] = &[
    ("allocation", &["allocation_id"]),
    ("appointment", &["appointment"]),
    ("carrier", &["carrier"]),
    ("confirmationStatus", &["confirmation_status"]),
    ("confirmations", &["confirmations"]),
    ("cost", &["cost"]),
    ("deliveredAt", &["delivered_at"]),
    ("dispatchedAt", &["dispatched_at"]),
    ("id", &[]),
    ("lines", &[]),
    ("method", &["method"]),
    ("number", &["number"]),
    ("options", &["options"]),
    ("order", &[]),
    ("plannedArrival", &["planned_arrival"]),
    ("plannedAt", &["planned_at"]),
    ("plannedBy", &["planned_by"]),
    ("status", &["status"]),
    ("trackingEvents", &[]),
    ("trackingNumber", &["tracking_number"]),
    ("version", &["version"]),
];

/// Of a product.
pub const PRODUCT: &[Field] = &[
    ("category", &["category"]),
    ("components", &["kind"]),
    ("id", &[]),
    ("kind", &["kind"]),
    ("listPrice", &["list_price", "currency"]),
    ("name", &["name"]),
    ("sku", &["sku"]),
    ("unitOfMeasure", &["unit_of_measure"]),
];

/// What these fields are made of.
pub fn of<'f>(known: &[Field], fields: impl Iterator<Item = &'f str>) -> Properties {
    let mut properties = BTreeSet::new();
    for field in fields.filter(|field| *field != "__typename") {
        let Some((_, made_of)) = known.iter().find(|(name, _)| *name == field) else {
            return Properties::All;
        };
        properties.extend(made_of.iter().copied());
    }
    Properties::Of(properties)
}

/// What both are made of.
pub fn both(one: Properties, other: Properties) -> Properties {
    match (one, other) {
        (Properties::Of(mut one), Properties::Of(other)) => {
            one.extend(other);
            Properties::Of(one)
        }
        _ => Properties::All,
    }
}
