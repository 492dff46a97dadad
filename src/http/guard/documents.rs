//! Documents that were checked before: clients send few of them, over and over, and to parse one takes
//! longer than to answer it.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{CheckedDocument, Limits, Refusal, check};

/// Bytes of text of all that are kept; parsed, they take some twenty times as much.
const MOST_BYTES: u64 = 256 * 1024;
/// Longer ones are not kept.
const LONGEST_BYTES: usize = 16 * 1024;
/// What they are like on average.
const USUAL_BYTES: u64 = 1024;

/// The documents that are kept, under limits that stay the same.
pub struct Documents {
    limits: Limits,
    introspection: bool,
    kept: Cache<Arc<str>, Arc<CheckedDocument>, Bytes>,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Arc<str>, Arc<CheckedDocument>> for Bytes {
    fn weight(&self, text: &Arc<str>, _: &Arc<CheckedDocument>) -> u64 {
        text.len() as u64
    }
}

impl Documents {
    /// None yet.
    pub fn new(limits: Limits, introspection: bool) -> Self {
        let usual = usize::try_from(MOST_BYTES / USUAL_BYTES).unwrap_or(usize::MAX);
        Self { limits, introspection, kept: Cache::with_weighter(usual, MOST_BYTES, Bytes) }
    }

    /// The document with this text; see [`check`].
    ///
    /// # Errors
    /// See [`check`]. Refusals are not kept.
    pub fn check(&self, text: &str) -> Result<Arc<CheckedDocument>, Box<Refusal>> {
        if let Some(known) = self.kept.get(text) {
            return Ok(known);
        }
        let checked = Arc::new(check(text, &self.limits, self.introspection)?);
        if text.len() <= LONGEST_BYTES {
            self.kept.insert(text.into(), checked.clone());
        }
        Ok(checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_often_is_checked_once() {
        let documents = Documents::new(Limits::default(), true);
        let first = documents.check("{ viewer { subject } }").expect("a document");
        let again = documents.check("{ viewer { subject } }").expect("a document");
        assert!(Arc::ptr_eq(&first, &again));
        assert!(documents.check("{ viewer {").is_err());
        assert!(documents.check("{ viewer {").is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let documents = Documents::new(Limits::default(), true);
        let padding = " ".repeat(1_000);
        for number in 0..2_000 {
            documents.check(&format!("{{ f{number} }}{padding}")).expect("a document");
        }
        assert!(documents.kept.weight() <= MOST_BYTES);
        let long = format!("{{ f }}{}", " ".repeat(LONGEST_BYTES));
        let first = documents.check(&long).expect("a document");
        assert!(!Arc::ptr_eq(&first, &documents.check(&long).expect("a document")));
    }
}
