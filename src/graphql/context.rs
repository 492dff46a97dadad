//! What a resolver gets besides its arguments: who asks, the request's loaders, and how failures
//! are told.

use std::sync::Arc;

use async_graphql::{Context, Error, ErrorExtensions, Request, Result};

use super::loaders::Loaders;
use crate::app::{Failure, Session};

/// Gives a request its caller and loaders. Without a session every field that is about data
/// answers UNAUTHENTICATED.
pub fn attach(request: Request, session: Option<Session>) -> Request {
    match session {
        Some(session) => {
            let loaders = Loaders::new(&session);
            request.data(session).data(loaders)
        }
        None => request,
    }
}

/// Who asks.
pub fn session<'c>(ctx: &Context<'c>) -> Result<&'c Session> {
    match ctx.data_opt::<Session>() {
        Some(session) => Ok(session),
        None => Err(failure(ctx, &Failure::Unauthenticated)),
    }
}

/// The request's loaders.
pub fn loaders<'c>(ctx: &Context<'c>) -> Result<&'c Loaders> {
    match ctx.data_opt::<Loaders>() {
        Some(loaders) => Ok(loaders),
        None => Err(failure(ctx, &Failure::Unauthenticated)),
    }
}

/// Does the caller stand outside the group? Then staff names and internal notes are not shown.
pub fn is_external(ctx: &Context<'_>) -> Result<bool> {
    Ok(session(ctx)?.actor.is_external())
}

/// The stable code of a failure, in `extensions.code`.
pub const fn code(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unauthenticated => "UNAUTHENTICATED",
        Failure::Forbidden(_) => "FORBIDDEN",
        Failure::NotFound => "NOT_FOUND",
        Failure::VersionMismatch { .. } => "VERSION_CONFLICT",
        Failure::Contention => "RESOURCE_EXHAUSTED",
        Failure::Unavailable(_) => "UNAVAILABLE",
        Failure::BadInput(_) | Failure::Refused(_) => "BAD_USER_INPUT",
        Failure::Timeout => "TIMEOUT",
        Failure::Internal(_) => "INTERNAL",
    }
}

/// A failure as a top-level error. What went wrong inside is logged here, once, and never shown.
pub fn failure(ctx: &Context<'_>, failure: &Failure) -> Error {
    if let Failure::Internal(cause) = failure {
        let request_id = ctx.data_opt::<Session>().map_or("", |session| &*session.request_id);
        tracing::error!(request_id, cause, "a request failed");
    }
    if let Failure::Unavailable(cause) = failure {
        tracing::debug!(cause, "the database is out of reach");
    }
    let message = match failure {
        // Commands turn refusals into userErrors; a read that refuses says why in one message.
        Failure::Refused(refusals) => {
            refusals.0.iter().map(|refusal| refusal.message.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    coded(message, code(failure)).extend_with(|_, extensions| {
        if let Failure::VersionMismatch { expected, found } = failure {
            extensions.set("expectedVersion", *expected);
            extensions.set("foundVersion", *found);
        }
    })
}

/// An error with a code.
pub fn coded(message: impl Into<String>, code: &str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// Turns what the application answered into what the executor understands.
pub trait Answer<T> {
    /// The value, or the failure as a top-level error.
    fn answer(self, ctx: &Context<'_>) -> Result<T>;
}

impl<T> Answer<T> for Result<T, Failure> {
    fn answer(self, ctx: &Context<'_>) -> Result<T> {
        self.map_err(|error| failure(ctx, &error))
    }
}

impl<T> Answer<T> for Result<T, Arc<Failure>> {
    fn answer(self, ctx: &Context<'_>) -> Result<T> {
        self.map_err(|error| failure(ctx, &error))
    }
}

/// A count as an `Int`, which ends at 2 147 483 647.
pub fn int(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}
