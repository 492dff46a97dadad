//! Access taken away and given back.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, id, payload};
use crate::app::access::{RestoreAccess, RevokeAccess};
use crate::domain::access::Revocation;
use crate::domain::actor::Role;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::types::access::{AccessRestriction, restriction};

/// Whose access is taken away, and why.
#[derive(InputObject)]
pub struct RevokeAccessInput {
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why, for the group's own people.
    reason: String,
    /// The role that shall no longer count; leave it out to take all access away.
    role: Option<Role>,
    /// The stable subject of the person's or system's token, exactly as the token says it.
    subject: String,
}

payload! {
    /// What no longer counts.
    RevokeAccessPayload {
        /// The restriction, in force from now on.
        restriction: AccessRestriction,
    }
}

/// The access to give back, and why.
#[derive(InputObject)]
pub struct RestoreAccessInput {
    /// The `version` of the restriction you have seen; when it has changed since, the call fails with
    /// the code VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why, for the group's own people.
    reason: String,
    /// The restriction that shall end.
    restriction_id: ID,
}

payload! {
    /// What counts again.
    RestoreAccessPayload {
        /// The restriction, lifted.
        restriction: AccessRestriction,
    }
}

/// Access taken away and given back.
#[derive(Default)]
pub struct AccessMutation;

#[Object]
impl AccessMutation {
    /// Takes a role, or all access, away from a person or system at once, whatever their token still
    /// says (R13.1). Within a second it is in effect on every node. Nobody takes away the own access.
    /// For administrators of the head unit.
    #[graphql(directive = access::apply(roles("revokeAccess"), limit("revokeAccess")))]
    async fn revoke_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose access is taken away, and why.")] input: RevokeAccessInput,
    ) -> Result<RevokeAccessPayload> {
        let command = RevokeAccess {
            revocation: Revocation {
                subject: clean(ctx, "subject", input.subject)?,
                role: input.role,
                reason: clean(ctx, "reason", input.reason)?,
            },
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RevokeAccessPayload {
                restriction: restriction(ctx, answer.restriction_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RevokeAccessPayload::refused(errors)),
        }
    }

    /// Gives back access that was taken away (R13.1): what the bearer's token says counts again.
    /// Nobody gives back the own access. For administrators of the head unit.
    #[graphql(directive = access::apply(roles("restoreAccess"), limit("restoreAccess")))]
    async fn restore_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The access to give back, and why.")] input: RestoreAccessInput,
    ) -> Result<RestoreAccessPayload> {
        let command = RestoreAccess {
            restriction_id: id(ctx, &input.restriction_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RestoreAccessPayload {
                restriction: restriction(ctx, answer.restriction_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RestoreAccessPayload::refused(errors)),
        }
    }
}
