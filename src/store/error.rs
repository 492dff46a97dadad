//! What can go wrong between the program and its database.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};

use crate::domain::codes::UnknownCode;
use crate::domain::refusal::Refusals;

/// A failure of a read or a write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or not for this caller.
    #[error("not found")]
    NotFound,
    /// Somebody else changed it first; trying again may help.
    #[error("changed by somebody else")]
    Conflict,
    /// No connection became free in time: more is asked of the database than it can do now.
    #[error("no connection became free in time")]
    Busy,
    /// The database is away, or ended the connection: the same may succeed in a moment.
    #[error("the database is out of reach: {0}")]
    Away(String),
    /// The caller expected another version.
    #[error("version {found}, not {expected}")]
    VersionMismatch {
        /// The version the caller named.
        expected: i64,
        /// The version that is there.
        found: i64,
    },
    /// The rules refuse it.
    #[error("refused")]
    Refused(Refusals),
    /// A cursor is none of ours, or was given out for another list.
    #[error("bad cursor")]
    BadCursor,
    /// A row says something that makes no sense.
    #[error("corrupt row: {0}")]
    Corrupt(String),
    /// The database failed.
    #[error(transparent)]
    Database(DbErr),
}

/// The result of a read or a write.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
        match error {
            _ if taken || is_retryable(&error) => Self::Conflict,
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::Busy,
            other if is_away(&other) => Self::Away(other.to_string()),
            other => Self::Database(other),
        }
    }
}

impl From<Refusals> for StoreError {
    fn from(refusals: Refusals) -> Self {
        Self::Refused(refusals)
    }
}

impl From<UnknownCode> for StoreError {
    fn from(error: UnknownCode) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// The connection broke, or the server ends it, starts, or has none to spare.
fn is_away(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match &**error {
            Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
            Error::Database(error) => {
                error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08") || code == "53300")
            }
            _ => false,
        },
        _ => false,
    }
}

/// Serialization failures, deadlocks and lock time-outs: the transaction did nothing.
fn is_retryable(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    let Some(database) = error.as_database_error() else {
        return false;
    };
    let code = database.code();
    matches!(code.as_deref(), Some("40001" | "40P01" | "55P03" | "5" | "517"))
}
