//! Orders handed in as files.

use super::{Keyset, Page, readable};
use crate::app::{Failure, Session};
use crate::domain::ids::ImportBatchId;
use crate::domain::import::{Fault, ImportBatch, ImportStatus, Row};
use crate::store::import;

pub use crate::store::import::KeptFault;

/// Bad rows read at a time.
const ROWS: u64 = 500;

/// A page of imports, newest first.
pub async fn list(
    session: &Session,
    statuses: Option<&[ImportStatus]>,
    keyset: Keyset,
) -> Result<Page<ImportBatch>, Failure> {
    session.may_read("importBatches")?;
    Ok(import::list(session.app.store(), &session.actor, statuses, keyset).await?)
}

/// How many imports the filter leaves.
pub async fn count(session: &Session, statuses: Option<&[ImportStatus]>) -> Result<u64, Failure> {
    session.may_read("importBatches")?;
    Ok(import::count(session.app.store(), &session.actor, statuses).await?)
}

/// Imports by id, as far as they exist for the caller.
pub async fn by_ids(session: &Session, ids: &[ImportBatchId]) -> Result<Vec<ImportBatch>, Failure> {
    if !readable(session, "importBatch") {
        return Ok(Vec::new());
    }
    Ok(import::by_ids(session.app.store(), &session.actor, ids).await?)
}

/// A page of what is wrong in the file of an import that the caller has seen.
pub async fn faults(session: &Session, id: ImportBatchId, keyset: Keyset) -> Result<Page<KeptFault>, Failure> {
    Ok(import::faults(session.app.store(), id, keyset).await?)
}

/// Bad rows of an import that the caller has seen, behind a row: some at a time, nothing at the end.
pub async fn bad_rows(session: &Session, id: ImportBatchId, after: i64) -> Result<Vec<(Row, Vec<Fault>)>, Failure> {
    Ok(import::bad_rows(session.app.store(), id, after, ROWS).await?)
}
