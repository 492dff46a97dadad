//! The service's limits, readable by every client.

use async_graphql::SimpleObject;

use crate::domain::intake;
use crate::graphql::connection::{DEFAULT_PAGE, LARGEST_PAGE};
use crate::graphql::context::int;

/// Limits on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes a document may have.
    pub document_bytes: usize,
    /// How deep selections may be nested.
    pub depth: usize,
    /// What an operation may cost.
    pub complexity: usize,
    /// How deep a document may be nested while it is read.
    pub recursion: usize,
    /// Directives a field may carry.
    pub directives: usize,
    /// Ids that `nodes` takes.
    pub node_ids: usize,
}

/// The limits in force.
pub const LIMITS: Limits =
    Limits { document_bytes: 65_536, depth: 15, complexity: 20_000, recursion: 32, directives: 10, node_ids: 100 };

/// What the service accepts and how much of it, so that clients need not find out by failing.
#[derive(Clone, Copy, Debug, SimpleObject, macros::Written)]
pub struct ServiceConfig {
    /// Entries on a page when neither `first` nor `last` is given.
    pub default_page_size: i32,
    /// The largest `first` and `last`.
    pub max_page_size: i32,
    /// How many ids `nodes` takes.
    pub max_node_ids: i32,
    /// Bytes a document may have.
    pub max_document_bytes: i32,
    /// How deep selections may be nested.
    pub max_depth: i32,
    /// What an operation may cost: each field counts one, a list as often as its page has entries.
    pub max_complexity: i32,
    /// Directives a field may carry.
    pub max_directives: i32,
    /// Lines an order may have (R1.4).
    pub max_order_lines: i32,
    /// Characters a short text may have, such as a name or a ticket's subject.
    pub max_short_text: i32,
    /// Characters a long text may have, such as a reason or a description.
    pub max_long_text: i32,
}

impl ServiceConfig {
    /// The limits in force.
    pub fn current() -> Self {
        Self {
            default_page_size: DEFAULT_PAGE,
            max_page_size: LARGEST_PAGE,
            max_node_ids: int(LIMITS.node_ids),
            max_document_bytes: int(LIMITS.document_bytes),
            max_depth: int(LIMITS.depth),
            max_complexity: int(LIMITS.complexity),
            max_directives: int(LIMITS.directives),
            max_order_lines: int(intake::MOST_LINES),
            max_short_text: int(intake::SHORT_TEXT),
            max_long_text: int(intake::LONG_TEXT),
        }
    }
}
