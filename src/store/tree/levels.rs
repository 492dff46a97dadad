//! The tables that trees are read from, as levels of one result.

use std::sync::LazyLock;

use entity::{
    allocation, allocation_decision, allocation_line, backorder, component, customer, delivery, delivery_line, event,
    inspection, milestone, order_line, orders, org_unit, product, reservation, review_case, settlement_record, staff,
    ticket, tracking_event,
};

use super::slots::{Kind, Slot, Slots};
use crate::store::error::Result;

/// A column of a level.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Where its values lie in the result.
    pub kind: Kind,
    /// What PostgreSQL must do to put them there.
    pub cast: &'static str,
}

/// A table whose rows can be one level of a tree.
pub trait Level: Sized {
    /// Its name.
    const TABLE: &'static str;

    /// Its columns, in the order in which they are read.
    fn columns() -> &'static [Column];

    /// Reads a row.
    fn read(slots: &mut Slots<'_>) -> Result<Self>;
}

/// The column that a field of a row is kept in.
const fn column<M, T: Slot>(name: &'static str, _: fn(M) -> T) -> Column {
    Column { name, kind: T::KIND, cast: T::CAST }
}

macro_rules! levels {
    ($($table:ident { $($column:ident),+ $(,)? })+) => { $(
        impl Level for $table::Model {
            const TABLE: &'static str = stringify!($table);

            fn columns() -> &'static [Column] {
                static COLUMNS: LazyLock<Vec<Column>> =
                    LazyLock::new(|| vec![$(column(stringify!($column), |row: $table::Model| row.$column)),+]);
                &COLUMNS
            }

            fn read(slots: &mut Slots<'_>) -> Result<Self> {
                Ok(Self { $($column: slots.take()?),+ })
            }
        }
    )+ };
}

levels! {
    orders {
        id, version, number, channel, account, external_reference, digest, fingerprint, customer_id, contact, region,
        delivery_address, currency, priority, required_by, note, status, stage, search, submitted_by, submitted_at,
        completed_at, rule_set_version, cancellation, holds, unallocatable_since, allocation_retry_at,
    }
    order_line {
        id, order_id, line_number, product_id, sku, description, category, kind, unit_of_measure, specification,
        unit_price, discount_rate, total, ordered, cancelled, allocated, reserved, produced, passed, dispatched,
        delivered, confirmed, returned,
    }
    customer {
        id, number, company_name, contact_name, email, phone, customer_group, region, currency, credit_limit,
        licences,
    }
    product { id, sku, name, kind, category, unit_of_measure, list_price, currency }
    component { id, product_id, component_id, quantity, effective_from, effective_until }
    org_unit { id, parent_id, code, name, kind, capabilities, regions }
    staff { id, subject, name, unit_id, roles }
    review_case {
        id, version, order_id, status, reviewer, opened_at, checks, clarifications, decision, owner, waiting_since,
        assessment, approvals, awaited_level, remind_at, due_at,
    }
    allocation {
        id, version, order_id, unit_id, warehouse_id, kind, status, decision_id, assigned_at, accepted_by,
        decline_reason, accept_by, escalation_level,
    }
    allocation_line {
        id, allocation_id, order_line_id, product_id, sku, quantity, reserved, produced, passed, planned, dispatched,
        confirmed,
    }
    allocation_decision {
        id, order_id, mode, reason, decided_by_rule, rule_set_version, decided_by, decided_at, candidates, outcome,
    }
    milestone {
        id, allocation_id, sequence, code, name, responsible, status, needs_stock, produces, planned_start, due_at,
        started_at, completed_at, block_cause, block_measure,
    }
    reservation { id, allocation_id, stock_item_id, product_id, line_id, quantity, consumed, status, expires_at }
    backorder {
        id, allocation_id, stock_item_id, product_id, line_id, priority, quantity, filled, status, created_at,
    }
    inspection { id, allocation_id, attempt, result, checklist, accepted, findings, inspector, inspected_at }
    delivery {
        id, version, number, order_id, allocation_id, method, status, options, cost, planned_arrival, carrier,
        tracking_number, appointment, planned_by, planned_at, dispatched_at, delivered_at, confirmation_status,
        confirmations,
    }
    delivery_line { id, delivery_id, allocation_line_id, order_line_id, quantity, confirmed }
    tracking_event {
        id, delivery_id, carrier, carrier_event_id, kind, occurred_at, location, recorded_by, recorded_at,
    }
    settlement_record {
        id, order_id, order_line_id, delivery_id, confirmation_id, quantity, amount, currency, settled_at,
    }
    ticket {
        id, version, number, order_id, order_line_id, customer_id, ticket_type, status, subject, description,
        occurred_at, team_id, opened_by, opened_at, first_contact_due, first_contact_at, contacts, resolution,
        resolved_at,
    }
    event {
        id, aggregate_kind, aggregate_id, sequence, kind, action, order_id, customer_id, account, unit_id, public,
        actor, request_id, occurred_at, note, changes, audience,
    }
}
