//! The rules of the order process: values in, decisions or refusals out. No IO, no clock, no
//! randomness. One file per capability; `order` is the order's life.

pub mod access;
pub mod access_key;
pub mod actor;
pub mod allocation;
pub mod amendment;
pub mod change;
pub mod channel;
pub mod codes;
pub mod delivery;
pub mod document;
pub mod event;
pub mod ids;
pub mod import;
pub mod inspection;
pub mod intake;
pub mod invariants;
pub mod inventory;
pub mod materials;
pub mod mining;
pub mod money;
pub mod order;
pub mod permission;
pub mod progress;
pub mod reference;
pub mod refusal;
pub mod review;
pub mod rules;
pub mod ticket;
pub mod transition;
