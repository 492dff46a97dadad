//! One file per table: row shapes, no rules.
//!
//! Counts and amounts are whole numbers of a fixed fraction, on both databases: sums and
//! comparisons are exact in SQL, and SQLite, which has no decimal type, keeps no floats.

use sea_orm::DeriveValueType;
use serde::Deserialize;

pub mod access_key;
pub mod access_key_use;
pub mod access_restriction;
pub mod allocation;
pub mod allocation_decision;
pub mod allocation_line;
pub mod backorder;
pub mod bill_of_materials;
pub mod channel_body;
pub mod channel_delivery;
pub mod channel_key;
pub mod channel_order;
pub mod component;
pub mod customer;
pub mod delivery;
pub mod delivery_line;
pub mod event;
pub mod event_log;
pub mod event_waiting;
pub mod idempotency_record;
pub mod import_batch;
pub mod import_fault;
pub mod import_piece;
pub mod import_row;
pub mod inspection;
pub mod meta;
pub mod milestone;
pub mod order_change;
pub mod order_line;
pub mod orders;
pub mod org_unit;
pub mod product;
pub mod replenishment_request;
pub mod reservation;
pub mod review_case;
pub mod rule_set;
pub mod sales_channel;
pub mod settlement_record;
pub mod staff;
pub mod stock_item;
pub mod stock_movement;
pub mod stock_transfer;
pub mod stocktake;
pub mod stocktake_line;
pub mod substitute;
pub mod ticket;
pub mod tracking_event;

/// A quantity in thousandths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DeriveValueType, Deserialize)]
pub struct Quantity(pub i64);

/// A price, amount or rate in ten-thousandths of the currency's major unit (of one, for rates).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DeriveValueType, Deserialize)]
pub struct Price(pub i64);
