//! Keys of partners' systems, and tracking links.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, answered, clean, clean_optional, id, payload};
use crate::app::Answered;
use crate::app::access_key::{CreatePartnerKey, CreateTrackingLink, RevokeAccessKey, Secret};
use crate::graphql::access::{access, limit, roles};
use crate::graphql::context::Answer;
use crate::graphql::scalars::DateTime;
use crate::graphql::types::access_key::{AccessKey, access_key};

/// What a partner's key opens, and for how long.
#[derive(InputObject)]
pub struct CreatePartnerKeyInput {
    /// The channel account whose orders it opens.
    account: String,
    /// The moment from which it opens nothing, at most 731 days ahead; 365 days when left out.
    expires_at: Option<DateTime>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer, without the `secret`.
    idempotency_key: Option<String>,
    /// What people call it.
    label: Option<String>,
}

payload! {
    /// The new key.
    CreatePartnerKeyPayload {
        /// The key.
        access_key: AccessKey,
        /// What the partner's system shows as its bearer token. It is told this once and kept nowhere;
        /// null when the same request was answered before: then revoke the key and make another.
        secret: String,
    }
}

/// Which order a tracking link opens, and for how long.
#[derive(InputObject)]
pub struct CreateTrackingLinkInput {
    /// The moment from which it opens nothing, at most 366 days ahead; 90 days when left out.
    expires_at: Option<DateTime>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer, without the `secret`.
    idempotency_key: Option<String>,
    /// What people call it.
    label: Option<String>,
    /// The order.
    order_id: ID,
}

payload! {
    /// The new tracking link.
    CreateTrackingLinkPayload {
        /// The key behind the link.
        access_key: AccessKey,
        /// What the link must carry: whoever shows it as bearer token sees this order as its customer
        /// does. It is told this once and kept nowhere; null when the same request was answered before.
        secret: String,
    }
}

/// The key that shall open nothing any more, and why.
#[derive(InputObject)]
pub struct RevokeAccessKeyInput {
    /// The key.
    access_key_id: ID,
    /// The `version` of the key you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why, for the group's own people.
    reason: String,
}

payload! {
    /// What opens nothing any more.
    RevokeAccessKeyPayload {
        /// The key, withdrawn.
        access_key: AccessKey,
    }
}

/// Keys of partners' systems, and tracking links.
#[derive(Default)]
pub struct AccessKeyMutation;

#[Object]
impl AccessKeyMutation {
    /// Makes a key with which a partner's or shop's system submits and follows the orders of its own
    /// channel account (R1.5). For administrators of the head unit.
    #[graphql(directive = access::apply(roles("createPartnerKey"), limit("createPartnerKey")))]
    async fn create_partner_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it opens, and for how long.")] input: CreatePartnerKeyInput,
    ) -> Result<CreatePartnerKeyPayload> {
        let secret = Secret::random().answer(ctx)?;
        let command = CreatePartnerKey {
            account: clean(ctx, "account", input.account)?,
            label: clean_optional(ctx, "label", input.label)?,
            expires_at: input.expires_at.map(|moment| moment.0),
            secret: secret.clone(),
        };
        match answered(ctx, command, input.idempotency_key).await? {
            Ok(Answered { answer, replayed, .. }) => Ok(CreatePartnerKeyPayload {
                access_key: access_key(ctx, answer.key_id).await?,
                secret: (!replayed).then(|| secret.reveal()),
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CreatePartnerKeyPayload::refused(errors)),
        }
    }

    /// Makes a link with which anybody who has it follows one order, as its customer sees it, answers
    /// questions about it and decides on proposed changes, without any other account (R5.3).
    #[graphql(directive = access::apply(roles("createTrackingLink"), limit("createTrackingLink")))]
    async fn create_tracking_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order it opens, and for how long.")] input: CreateTrackingLinkInput,
    ) -> Result<CreateTrackingLinkPayload> {
        let secret = Secret::random().answer(ctx)?;
        let command = CreateTrackingLink {
            order_id: id(ctx, &input.order_id)?,
            label: clean_optional(ctx, "label", input.label)?,
            expires_at: input.expires_at.map(|moment| moment.0),
            secret: secret.clone(),
        };
        match answered(ctx, command, input.idempotency_key).await? {
            Ok(Answered { answer, replayed, .. }) => Ok(CreateTrackingLinkPayload {
                access_key: access_key(ctx, answer.key_id).await?,
                secret: (!replayed).then(|| secret.reveal()),
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(CreateTrackingLinkPayload::refused(errors)),
        }
    }

    /// Withdraws a partner's key or a tracking link (R13.1): within a second it opens nothing on any
    /// node, and the streams its bearer has open are closed.
    #[graphql(directive = access::apply(roles("revokeAccessKey"), limit("revokeAccessKey")))]
    async fn revoke_access_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key, and why.")] input: RevokeAccessKeyInput,
    ) -> Result<RevokeAccessKeyPayload> {
        let command = RevokeAccessKey {
            key_id: id(ctx, &input.access_key_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(RevokeAccessKeyPayload {
                access_key: access_key(ctx, answer.key_id).await?,
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(RevokeAccessKeyPayload::refused(errors)),
        }
    }
}
