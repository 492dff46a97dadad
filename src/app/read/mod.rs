//! What can be looked at: one function per thing, always within the caller's scope. Files are named
//! after the capabilities of the domain.

pub mod access;
pub mod access_key;
pub mod actions;
pub mod allocation;
pub mod change;
pub mod channel;
pub mod delivery;
pub mod event;
pub mod import;
pub mod inventory;
pub mod materials;
pub mod order;
pub mod reference;
pub mod review;
pub mod subscription;
pub mod ticket;
pub mod tree;

pub use crate::store::page::{Keyset, Page};

use super::Session;

/// May the caller read what this root field lists? What is reached by an id or over an order obeys
/// the same table, but is then not there instead of being refused.
fn readable(session: &Session, field: &str) -> bool {
    session.may_read(field).is_ok()
}
