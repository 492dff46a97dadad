//! Channels: opened, changed, closed; what came over them processed again.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{act, clean, clean_optional, id, payload};
use crate::app::channel::{
    ActivateSalesChannel, CreateSalesChannel, DeactivateSalesChannel, OnChannel, ReplayChannelDelivery,
    RotateChannelSecret, UpdateSalesChannel,
};
use crate::domain::channel::{ChannelKind, ChannelSettings, CustomerPolicy, NewChannel, SecretKey, SkuMapping};
use crate::domain::intake::Channel;
use crate::graphql::access::{access, limit, roles};
use crate::graphql::scalars::{CurrencyCode, DateTime};
use crate::graphql::types::channel::{ChannelDelivery, SalesChannel, channel, delivery};
use crate::graphql::types::order::{Order, order};

/// A product that a channel calls otherwise.
#[derive(InputObject)]
pub struct SkuMappingInput {
    /// The channel's word for it.
    external_sku: String,
    /// The group's SKU.
    sku: String,
}

/// How a channel's orders are taken in.
#[derive(InputObject)]
pub struct ChannelSettingsInput {
    /// The currency where an order tells none.
    currency_code: CurrencyCode,
    /// The customer group of buyers who become customers (R2.4).
    #[graphql(default_with = "String::from(\"RETAIL\")")]
    customer_group: String,
    /// Number of the customer that stands for everybody, also for buyers who cannot be told apart.
    customer_number: String,
    /// Whose its orders are.
    #[graphql(default_with = "CustomerPolicy::Collective")]
    customer_policy: CustomerPolicy,
    /// An order is expected so many days after it is taken in: platforms tell no date.
    #[graphql(default = 7)]
    lead_time_days: i32,
    /// Region code of its orders; the customer's when absent.
    region: Option<String>,
    /// Products that the channel calls otherwise than the group: at most 2000.
    #[graphql(default)]
    sku_mappings: Vec<SkuMappingInput>,
    /// Minutes east of Greenwich of moments that are told without an offset.
    #[graphql(default)]
    utc_offset_minutes: i32,
}

impl ChannelSettingsInput {
    fn read(self, ctx: &Context<'_>) -> Result<ChannelSettings> {
        let mapping = |(index, one): (usize, SkuMappingInput)| {
            let at = |field: &str| format!("settings.skuMappings.{index}.{field}");
            Ok(SkuMapping {
                external_sku: clean(ctx, &at("externalSku"), one.external_sku)?,
                sku: clean(ctx, &at("sku"), one.sku)?,
            })
        };
        Ok(ChannelSettings {
            customer_policy: self.customer_policy,
            customer_number: clean(ctx, "settings.customerNumber", self.customer_number)?,
            customer_group: clean(ctx, "settings.customerGroup", self.customer_group)?,
            region: clean_optional(ctx, "settings.region", self.region)?,
            currency: self.currency_code.0,
            lead_time_days: self.lead_time_days,
            utc_offset_minutes: self.utc_offset_minutes,
            sku_mappings: self.sku_mappings.into_iter().enumerate().map(mapping).collect::<Result<_>>()?,
        })
    }
}

/// What a new channel shall be.
#[derive(InputObject)]
pub struct CreateSalesChannelInput {
    /// The kind of intake its orders count as: `E_COMMERCE` or `PARTNER_REFERRAL`.
    channel: Channel,
    /// Stable code, at most 40 small letters, digits and hyphens: what its orders carry as their `account`.
    /// Never changes.
    code: String,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// What stands at its other end.
    kind: ChannelKind,
    /// Name.
    name: String,
    /// The secret that the platform signs its webhooks with, 12 to 255 characters; nobody can read it
    /// afterwards. Required for kinds with webhooks.
    secret: Option<String>,
    /// How its orders are taken in.
    settings: ChannelSettingsInput,
    /// The unit that looks after it.
    unit_id: ID,
}

payload! {
    /// The channel that was opened.
    CreateSalesChannelPayload {
        /// The channel.
        channel: SalesChannel,
    }
}

/// How a channel's orders are taken in from now on.
#[derive(InputObject)]
pub struct UpdateSalesChannelInput {
    /// The channel.
    channel_id: ID,
    /// The `version` of the channel you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Its name.
    name: String,
    /// How its orders are taken in, all of it.
    settings: ChannelSettingsInput,
}

payload! {
    /// The channel that was changed.
    UpdateSalesChannelPayload {
        /// The channel.
        channel: SalesChannel,
    }
}

/// A channel's next secret.
#[derive(InputObject)]
pub struct RotateChannelSecretInput {
    /// The channel.
    channel_id: ID,
    /// The `version` of the channel you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// Until when the former secret counts, at most 30 days ahead; a day from now when absent.
    former_ends_at: Option<DateTime>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// The secret that the platform will sign with, 12 to 255 characters; nobody can read it afterwards.
    secret: String,
}

payload! {
    /// The channel whose secret was changed.
    RotateChannelSecretPayload {
        /// The channel.
        channel: SalesChannel,
    }
}

/// A channel to close.
#[derive(InputObject)]
pub struct DeactivateSalesChannelInput {
    /// The channel.
    channel_id: ID,
    /// The `version` of the channel you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
    /// Why, for the group's own people.
    reason: String,
}

payload! {
    /// The channel that was closed.
    DeactivateSalesChannelPayload {
        /// The channel.
        channel: SalesChannel,
    }
}

/// A channel to open again.
#[derive(InputObject)]
pub struct ActivateSalesChannelInput {
    /// The channel.
    channel_id: ID,
    /// The `version` of the channel you have seen; when it has changed since, the call fails with the code
    /// VERSION_CONFLICT.
    expected_version: Option<i32>,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
}

payload! {
    /// The channel that was opened again.
    ActivateSalesChannelPayload {
        /// The channel.
        channel: SalesChannel,
    }
}

/// A delivery to process again.
#[derive(InputObject)]
pub struct ReplayChannelDeliveryInput {
    /// The delivery.
    delivery_id: ID,
    /// A key of your choice, for safe retries: the same key and arguments have one effect and get the
    /// same answer.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of a delivery.
    ReplayChannelDeliveryPayload {
        /// The delivery, with its outcome.
        delivery: ChannelDelivery,
        /// The order it is about.
        order: Order,
    }
}

/// Channels.
#[derive(Default)]
pub struct ChannelMutation;

async fn shown(ctx: &Context<'_>, answer: &OnChannel) -> Result<Option<SalesChannel>> {
    channel(ctx, answer.channel_id).await
}

#[Object]
impl ChannelMutation {
    /// Opens a channel that orders come over (R1.1): a shop on a platform, a partner, a marketplace. For
    /// administrators.
    #[graphql(directive = access::apply(roles("createSalesChannel"), limit("createSalesChannel")))]
    async fn create_sales_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it shall be.")] input: CreateSalesChannelInput,
    ) -> Result<CreateSalesChannelPayload> {
        let command = CreateSalesChannel {
            channel: NewChannel {
                code: clean(ctx, "code", input.code)?,
                name: clean(ctx, "name", input.name)?,
                kind: input.kind,
                channel: input.channel,
                unit_id: id(ctx, &input.unit_id)?,
                secret: clean_optional(ctx, "secret", input.secret)?.map(SecretKey),
                settings: input.settings.read(ctx)?,
            },
        };
        Ok(match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => CreateSalesChannelPayload { channel: shown(ctx, &answer).await?, user_errors: Vec::new() },
            Err(errors) => CreateSalesChannelPayload::refused(errors),
        })
    }

    /// Changes how a channel's orders are taken in from now on. For administrators.
    #[graphql(directive = access::apply(roles("updateSalesChannel"), limit("updateSalesChannel")))]
    async fn update_sales_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How they are taken in.")] input: UpdateSalesChannelInput,
    ) -> Result<UpdateSalesChannelPayload> {
        let command = UpdateSalesChannel {
            channel_id: id(ctx, &input.channel_id)?,
            name: clean(ctx, "name", input.name)?,
            settings: input.settings.read(ctx)?,
            expected_version: input.expected_version.map(i64::from),
        };
        Ok(match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => UpdateSalesChannelPayload { channel: shown(ctx, &answer).await?, user_errors: Vec::new() },
            Err(errors) => UpdateSalesChannelPayload::refused(errors),
        })
    }

    /// Gives a channel another secret (R1.3). Until the former one ends, both count, so that the platform can
    /// change over when it likes. For administrators.
    #[graphql(directive = access::apply(roles("rotateChannelSecret"), limit("rotateChannelSecret")))]
    async fn rotate_channel_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The next secret.")] input: RotateChannelSecretInput,
    ) -> Result<RotateChannelSecretPayload> {
        let command = RotateChannelSecret {
            channel_id: id(ctx, &input.channel_id)?,
            secret: SecretKey(clean(ctx, "secret", input.secret)?),
            former_ends_at: input.former_ends_at.map(|moment| moment.0),
            expected_version: input.expected_version.map(i64::from),
        };
        Ok(match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => RotateChannelSecretPayload { channel: shown(ctx, &answer).await?, user_errors: Vec::new() },
            Err(errors) => RotateChannelSecretPayload::refused(errors),
        })
    }

    /// Turns a channel's deliveries away from now on; orders that came over it go on. For administrators.
    #[graphql(directive = access::apply(roles("deactivateSalesChannel"), limit("deactivateSalesChannel")))]
    async fn deactivate_sales_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel, and why.")] input: DeactivateSalesChannelInput,
    ) -> Result<DeactivateSalesChannelPayload> {
        let command = DeactivateSalesChannel {
            channel_id: id(ctx, &input.channel_id)?,
            reason: clean(ctx, "reason", input.reason)?,
            expected_version: input.expected_version.map(i64::from),
        };
        Ok(match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => {
                DeactivateSalesChannelPayload { channel: shown(ctx, &answer).await?, user_errors: Vec::new() }
            }
            Err(errors) => DeactivateSalesChannelPayload::refused(errors),
        })
    }

    /// Takes a channel's deliveries again. For administrators.
    #[graphql(directive = access::apply(roles("activateSalesChannel"), limit("activateSalesChannel")))]
    async fn activate_sales_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: ActivateSalesChannelInput,
    ) -> Result<ActivateSalesChannelPayload> {
        let command = ActivateSalesChannel {
            channel_id: id(ctx, &input.channel_id)?,
            expected_version: input.expected_version.map(i64::from),
        };
        Ok(match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => ActivateSalesChannelPayload { channel: shown(ctx, &answer).await?, user_errors: Vec::new() },
            Err(errors) => ActivateSalesChannelPayload::refused(errors),
        })
    }

    /// Processes a kept delivery again, as after the cause of a failure was removed (R1.3). An order is taken in
    /// once, however often; what is as it was told before is UNCHANGED, which also takes a delivery that
    /// NEEDS_ATTENTION off the list. A mapping counts for what the channel tells from then on. For administrators.
    #[graphql(directive = access::apply(roles("replayChannelDelivery"), limit("replayChannelDelivery")))]
    async fn replay_channel_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery.")] input: ReplayChannelDeliveryInput,
    ) -> Result<ReplayChannelDeliveryPayload> {
        let command = ReplayChannelDelivery { delivery_id: id(ctx, &input.delivery_id)?, only_waiting: false };
        match act(ctx, command, input.idempotency_key).await? {
            Ok(answer) => Ok(ReplayChannelDeliveryPayload {
                delivery: delivery(ctx, answer.delivery_id).await?,
                order: match answer.order_id {
                    Some(id) => order(ctx, id).await?,
                    None => None,
                },
                user_errors: Vec::new(),
            }),
            Err(errors) => Ok(ReplayChannelDeliveryPayload::refused(errors)),
        }
    }
}
