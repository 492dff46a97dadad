//! Restrictions of access.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::access::AccessRestriction;
use crate::domain::ids::AccessRestrictionId;
use crate::store::access;

pub use crate::store::access::RestrictionFilter;

/// A page of restrictions.
pub async fn list(
    session: &Session,
    filter: &RestrictionFilter,
    keyset: Keyset,
) -> Result<Page<AccessRestriction>, Failure> {
    session.may_read("accessRestrictions")?;
    Ok(access::list(session.app.store(), &session.actor, filter, keyset).await?)
}

/// How many restrictions the filter leaves.
pub async fn count(session: &Session, filter: &RestrictionFilter) -> Result<u64, Failure> {
    session.may_read("accessRestrictions")?;
    Ok(access::count(session.app.store(), &session.actor, filter).await?)
}

/// Restrictions by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[AccessRestrictionId]) -> Result<Vec<AccessRestriction>, Failure> {
    if !readable(session, "accessRestrictions") {
        return Ok(Vec::new());
    }
    Ok(access::by_ids(session.app.store(), &session.actor, ids).await?)
}
