//! Lists as Relay connections: keyset cursors, bounded pages, totals only when asked for.

use std::sync::Arc;

use async_graphql::SimpleObject;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::app::Failure;
use crate::app::read::{Keyset, Page};

/// Entries on a page when the client names no number.
pub const DEFAULT_PAGE: i32 = 20;
/// Entries a page may have.
pub const LARGEST_PAGE: i32 = 100;

/// Where a page lies in its list, by the Relay specification of connections.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct PageInfo {
    /// Are there entries after this page?
    pub has_next_page: bool,
    /// Are there entries before this page?
    pub has_previous_page: bool,
    /// The cursor of the first entry on the page; null on an empty page.
    pub start_cursor: Option<String>,
    /// The cursor of the last entry on the page; null on an empty page.
    pub end_cursor: Option<String>,
}

/// The four arguments every list takes.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// So many entries from the start or after a cursor.
    pub first: Option<i32>,
    /// Only entries after this cursor.
    pub after: Option<String>,
    /// So many entries up to the end or before a cursor.
    pub last: Option<i32>,
    /// Only entries before this cursor.
    pub before: Option<String>,
}

impl Paging {
    /// The arguments, checked.
    pub fn keyset(self) -> Result<Keyset, Failure> {
        let bad = |message: String| Err(Failure::BadInput(message));
        if self.first.is_some() && self.last.is_some() {
            return bad("Give first or last, not both.".to_owned());
        }
        let backwards = self.last.is_some();
        let size = self.first.or(self.last).unwrap_or(DEFAULT_PAGE);
        if !(1..=LARGEST_PAGE).contains(&size) {
            let name = if backwards { "last" } else { "first" };
            return bad(format!("{name} is a number from 1 to {LARGEST_PAGE}."));
        }
        Ok(Keyset {
            limit: u64::from(size.unsigned_abs()),
            backwards,
            after: self.after.as_deref().map(read_cursor).transpose()?,
            before: self.before.as_deref().map(read_cursor).transpose()?,
        })
    }
}

/// What a page of a list costs: its entries times what is asked of each.
pub fn page_cost(first: Option<i32>, last: Option<i32>, child: usize) -> usize {
    let size = first.or(last).unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    child.saturating_mul(usize::try_from(size).unwrap_or(1)).saturating_add(1)
}

/// The cursor of an entry.
pub fn write_cursor((value, id): &(String, Uuid)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}|{value}", id.simple()))
}

/// What a cursor is made of.
pub fn read_cursor(text: &str) -> Result<(String, Uuid), Failure> {
    let bad = || Failure::BadInput("The cursor was not given out for this list.".to_owned());
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let (id, value) = text.split_once('|').ok_or_else(bad)?;
    if value.contains('\0') {
        return Err(bad());
    }
    let id = Uuid::try_parse(id).map_err(|_| bad())?;
    Ok((value.to_owned(), id))
}

/// Counts a whole list, once somebody asks.
pub type Total = Arc<dyn Fn() -> BoxFuture<'static, Result<u64, Failure>> + Send + Sync>;

/// A page with cursors, and the way to count the list it is of.
pub struct Slice<T> {
    /// Entries with what their cursors are made of.
    pub entries: Vec<((String, Uuid), T)>,
    /// Where the page lies.
    pub info: PageInfo,
    /// Counts the list.
    pub total: Total,
}

impl<T> Slice<T> {
    /// A page of domain values as a page of GraphQL values.
    pub fn new<D>(page: Page<D>, convert: impl Fn(D) -> T, total: Total) -> Self {
        let entries: Vec<_> = page.items.into_iter().map(|(key, value)| (key, convert(value))).collect();
        let info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: entries.first().map(|(key, _)| write_cursor(key)),
            end_cursor: entries.last().map(|(key, _)| write_cursor(key)),
        };
        Self { entries, info, total }
    }
}

/// Declares the connection and edge types of a list.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $what:literal) => {
        #[doc = concat!("A page of ", $what, ".")]
        pub struct $connection(pub $crate::graphql::connection::Slice<$node>);

        #[doc = concat!("A page of ", $what, ".")]
        #[macros::written]
        #[async_graphql::Object]
        impl $connection {
            /// The entries with their cursors, in the order of the list.
            async fn edges(&self) -> Vec<$edge> {
                let entries = self.0.entries.iter();
                let cursor = $crate::graphql::connection::write_cursor;
                entries.map(|(key, node)| $edge { cursor: cursor(key), node: node.clone() }).collect()
            }

            /// The entries without their cursors.
            async fn nodes(&self) -> Vec<$node> {
                self.0.entries.iter().map(|(_, node)| node.clone()).collect()
            }

            /// Where the page lies in the list.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                self.0.info.clone()
            }

            /// How many entries the whole list has for the caller. Counted only when asked for.
            async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i32> {
                use $crate::graphql::context::Answer;
                let total = (self.0.total)().await.answer(ctx)?;
                Ok($crate::graphql::context::int(total))
            }
        }

        #[doc = concat!("An entry on a page of ", $what, ".")]
        #[derive(async_graphql::SimpleObject, macros::Written)]
        pub struct $edge {
            /// Points at the entry; pass it as `after` or `before`.
            pub cursor: String,
            /// The entry.
            pub node: $node,
        }
    };
}
pub(crate) use connection;

#[cfg(test)]
mod tests {
    use super::*;

    fn first(first: i32) -> Paging {
        Paging { first: Some(first), ..Paging::default() }
    }

    #[test]
    fn pages_are_bounded() {
        assert!(first(1).keyset().is_ok());
        assert!(first(100).keyset().is_ok());
        assert!(first(0).keyset().is_err());
        assert!(first(101).keyset().is_err());
        let both = Paging { last: Some(1), ..first(1) };
        assert!(both.keyset().is_err());
        assert_eq!(Paging::default().keyset().ok().map(|one| one.limit), Some(20));
    }

    #[test]
    fn a_cursor_survives_the_journey() {
        let key = ("2026-03-31|a".to_owned(), Uuid::from_u128(7));
        assert_eq!(read_cursor(&write_cursor(&key)).ok(), Some(key));
        assert!(read_cursor("nonsense").is_err());
    }
}
