//! Access keys.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::AccessKeyId;
use crate::store::access_key as keys;

pub use crate::store::access_key::{KeyFilter, UsedKey};

/// A page of keys.
pub async fn list(session: &Session, filter: &KeyFilter, keyset: Keyset) -> Result<Page<UsedKey>, Failure> {
    session.may_read("accessKeys")?;
    Ok(keys::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many keys the filter leaves.
pub async fn count(session: &Session, filter: &KeyFilter) -> Result<u64, Failure> {
    session.may_read("accessKeys")?;
    Ok(keys::count(session.app.store(), &session.actor, filter).await?)
}

/// Keys by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[AccessKeyId]) -> Result<Vec<UsedKey>, Failure> {
    if !readable(session, "accessKeys") {
        return Ok(Vec::new());
    }
    Ok(keys::by_ids(session.app.store(), &session.actor, ids).await?)
}
