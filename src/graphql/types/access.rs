//! Access that was taken away.

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::reference::{Person, perhaps, person};
use super::wrapper;
use crate::app::read;
use crate::domain::access as domain;
use crate::domain::access::AccessRestrictionStatus;
use crate::domain::actor::Role;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// A restriction.
    AccessRestriction(domain::AccessRestriction)
}
connection!(AccessRestrictionConnection, AccessRestrictionEdge, AccessRestriction, "restrictions of access");

/// Access that was taken away from a person or system, and perhaps given back (R13.1, R13.2). While
/// it is in force, the role it names does not count, whatever the bearer's token says.
#[macros::written]
#[Object]
impl AccessRestriction {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The stable subject of the tokens it applies to.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Who that is.
    async fn person(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.subject).await
    }

    /// The role that does not count; null when it is all of them.
    async fn role(&self) -> Option<Role> {
        self.0.role
    }

    /// Where it stands.
    async fn status(&self) -> AccessRestrictionStatus {
        self.0.status
    }

    /// Why access was taken away.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who took it away.
    async fn restricted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.restricted_by).await
    }

    /// When it was taken away.
    async fn restricted_at(&self) -> DateTime {
        self.0.restricted_at.into()
    }

    /// Who gave it back; null while it is in force.
    async fn lifted_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.lifted_by.as_ref()).await
    }

    /// When it was given back; null while it is in force.
    async fn lifted_at(&self) -> Option<DateTime> {
        self.0.lifted_at.map(Into::into)
    }

    /// Why it was given back; null while it is in force.
    async fn lift_reason(&self) -> Option<&String> {
        self.0.lift_reason.as_ref()
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_restriction(actor, &self.0)))
    }
}

/// A restriction by id, if it exists for the caller.
pub async fn restriction(
    ctx: &Context<'_>,
    id: crate::domain::ids::AccessRestrictionId,
) -> Result<Option<AccessRestriction>> {
    let found = read::access::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(AccessRestriction::from))
}
