//! Tokens that were verified before: a client sends the same one with every request, and to verify it
//! takes longer than much of what is asked for.

use std::sync::Arc;

use chrono::Utc;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::VerificationKey;
use super::token::Identity;

/// So many are kept.
const MOST: usize = 4_096;

/// The identities of verified tokens, by a digest: the tokens themselves are not kept.
pub struct Verified(Cache<[u8; 32], Entry>);

#[derive(Clone)]
struct Entry {
    identity: Identity,
    /// What it was verified with. It counts no longer when the issuer has withdrawn that.
    key: Arc<VerificationKey>,
}

impl Default for Verified {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Verified {
    /// Whom a token stands for, if this key has verified it and it has not expired since.
    pub fn get(&self, token: &str, key: &Arc<VerificationKey>, leeway_seconds: u64) -> Option<Identity> {
        let entry = self.0.get(&digest(token))?;
        let leeway = i64::try_from(leeway_seconds).unwrap_or_default();
        let is_current = entry.identity.expires_at.timestamp() >= Utc::now().timestamp() - leeway;
        (is_current && Arc::ptr_eq(&entry.key, key)).then_some(entry.identity)
    }

    /// Keeps what a key has just verified.
    pub fn add(&self, token: &str, key: Arc<VerificationKey>, identity: Identity) {
        self.0.insert(digest(token), Entry { identity, key });
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
