//! How a request can fail.

use crate::domain::refusal::Refusals;
use crate::store::StoreError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No valid token came with the request.
    #[error("Sign in: send a valid token.")]
    Unauthenticated,
    /// The caller's roles do not permit it.
    #[error("{0}")]
    Forbidden(String),
    /// It does not exist, or not for this caller.
    #[error("Nothing with this id exists for you.")]
    NotFound,
    /// The caller expected another version.
    #[error("It is at version {found} now, not at {expected}; read it again and decide anew.")]
    VersionMismatch {
        /// The version the caller named.
        expected: i64,
        /// The version that is there.
        found: i64,
    },
    /// Others changed the same things first, however often it was tried, or all connections are busy.
    #[error("Too much is going on at the same place; try again in a moment.")]
    Contention,
    /// The database is away. A write that was on its way may still have taken effect.
    #[error("The database is out of reach; try again in a moment, with the same idempotency key.")]
    Unavailable(String),
    /// An argument has a form that is not accepted.
    #[error("{0}")]
    BadInput(String),
    /// It took too long; nothing was changed unless an answer comes to a retry with the same key.
    #[error("It took too long; retry with the same idempotency key.")]
    Timeout,
    /// The rules refuse it.
    #[error("The rules refuse it.")]
    Refused(Refusals),
    /// A fault of ours; logged, never shown.
    #[error("Something went wrong on our side; it was logged under the request id.")]
    Internal(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict | StoreError::Busy => Self::Contention,
            StoreError::Away(cause) => Self::Unavailable(cause),
            StoreError::VersionMismatch { expected, found } => Self::VersionMismatch { expected, found },
            StoreError::Refused(refusals) => Self::Refused(refusals),
            StoreError::BadCursor => Self::BadInput("The cursor was not given out for this list.".to_owned()),
            StoreError::Corrupt(what) => Self::Internal(what),
            StoreError::Database(error) => Self::Internal(error.to_string()),
        }
    }
}
