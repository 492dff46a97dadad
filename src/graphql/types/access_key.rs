//! Keys of partners' systems, and tracking links.

use async_graphql::{Context, ID, Object, Result};

use super::actions::{self, AvailableAction};
use super::order::Order;
use super::reference::{Person, perhaps, person};
use super::wrapper;
use crate::app::read;
use crate::app::read::access_key::UsedKey;
use crate::domain::access_key::{AccessKeyKind, AccessKeyStatus};
use crate::domain::ids::AccessKeyId;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, is_external, loaders, session};
use crate::graphql::ids;
use crate::graphql::scalars::DateTime;

wrapper! {
    /// A key.
    AccessKey(UsedKey)
}
connection!(AccessKeyConnection, AccessKeyEdge, AccessKey, "access keys");

/// What a partner's system (R1.5), or whoever follows one order by its tracking link (R5.3), shows
/// instead of a signed token. The key itself was shown once, when it was made; only a digest is kept.
#[macros::written]
#[Object]
impl AccessKey {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.key.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.key.version)
    }

    /// What it opens.
    async fn kind(&self) -> AccessKeyKind {
        self.0.key.kind
    }

    /// What people call it.
    async fn label(&self) -> Option<&String> {
        self.0.key.label.as_ref()
    }

    /// The channel account a partner's key opens; null for tracking links.
    async fn account(&self) -> Option<&String> {
        self.0.key.account.as_ref()
    }

    /// The order a tracking link opens; null for partners' keys.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match self.0.key.order_id {
            Some(order) => Ok(loaders(ctx)?.get(order).await.answer(ctx)?.map(Into::into)),
            None => Ok(None),
        }
    }

    /// The last four characters of the key, to tell keys apart.
    async fn hint(&self) -> &str {
        &self.0.key.hint
    }

    /// Where it stands. A key may have expired while it is ACTIVE; see `expiresAt`.
    async fn status(&self) -> AccessKeyStatus {
        self.0.key.status
    }

    /// Who made it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, &self.0.key.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.key.created_at.into()
    }

    /// The moment from which it opens nothing.
    async fn expires_at(&self) -> DateTime {
        self.0.key.expires_at.into()
    }

    /// When it was used last, to the minute; null when it never was.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(Into::into)
    }

    /// Who withdrew it; null while it is active.
    async fn revoked_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.key.revoked_by.as_ref()).await
    }

    /// When it was withdrawn; null while it is active.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.key.revoked_at.map(Into::into)
    }

    /// Why it was withdrawn; null while it is active, and for people outside the group.
    async fn revoke_reason<'c>(&'c self, ctx: &Context<'c>) -> Result<Option<&'c String>> {
        Ok(if is_external(ctx)? { None } else { self.0.key.revoke_reason.as_ref() })
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_access_key(actor, &self.0.key)))
    }
}

/// A key by id, if it exists for the caller.
pub async fn access_key(ctx: &Context<'_>, id: AccessKeyId) -> Result<Option<AccessKey>> {
    let found = read::access_key::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(AccessKey::from))
}
