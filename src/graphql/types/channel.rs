//! Channels, and what they delivered.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::actions::{self, AvailableAction};
use super::order::{Order, order};
use super::reference::{Person, Unit, perhaps, unit};
use super::wrapper;
use crate::app::read;
use crate::domain::channel as domain;
use crate::domain::channel::delivery::{ChannelDelivery as Delivery, DeliveryOutcome, Header};
use crate::domain::channel::{ChannelKind, CustomerPolicy, SalesChannelStatus};
use crate::domain::ids::{ChannelDeliveryId, SalesChannelId};
use crate::domain::intake::Channel;
use crate::graphql::connection::connection;
use crate::graphql::context::{Answer, int, session};
use crate::graphql::ids;
use crate::graphql::scalars::{CurrencyCode, DateTime};

wrapper! {
    /// A channel.
    SalesChannel(domain::SalesChannel)
}
connection!(SalesChannelConnection, SalesChannelEdge, SalesChannel, "sales channels");

/// A shop, platform or partner that orders come over (R1.1), and how its orders are taken in.
#[macros::written]
#[Object]
impl SalesChannel {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// Counts the changes; pass it as `expectedVersion` to act only on what you have seen.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Stable code: what its orders carry as their `account`, and a part of the address of its webhooks.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What stands at its other end.
    async fn kind(&self) -> ChannelKind {
        self.0.kind
    }

    /// The kind of intake its orders count as.
    async fn channel(&self) -> Channel {
        self.0.channel
    }

    /// The unit that looks after it.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        unit(ctx, self.0.unit_id).await
    }

    /// Whether orders are taken over it.
    async fn status(&self) -> SalesChannelStatus {
        self.0.status
    }

    /// Where the platform sends its webhooks, below the address of this server; null for kinds without.
    async fn webhook_path(&self) -> Option<String> {
        self.0.kind.has_webhooks().then(|| format!("/intake/{}", self.0.code))
    }

    /// Its secrets, newest first. The keys themselves cannot be read by anybody.
    async fn secrets(&self) -> Vec<ChannelSecret> {
        self.0.secrets.iter().map(Into::into).collect()
    }

    /// How its orders are taken in.
    async fn settings(&self) -> ChannelSettings {
        (&self.0.settings).into()
    }

    /// Since when it exists.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// How it does.
    async fn health(&self, ctx: &Context<'_>) -> Result<ChannelHealth> {
        let session = session(ctx)?;
        let found = read::channel::health(session, self.0.id).await.answer(ctx)?;
        let now = session.app.clock.now();
        Ok(ChannelHealth {
            last_received_at: found.last_received_at.map(Into::into),
            failed: int(found.failed),
            needing_attention: int(found.needing_attention),
            waiting: int(found.waiting),
            lag_seconds: found.waiting_since.map_or(0, |since| int((now - since).num_seconds().max(0))),
        })
    }

    /// What the caller can do with it right now, and what stands in the way.
    async fn available_actions(&self, ctx: &Context<'_>) -> Result<Vec<AvailableAction>> {
        let actor = &session(ctx)?.actor;
        Ok(actions::all(read::actions::of_channel(actor, &self.0)))
    }
}

/// A channel by id, if it exists for the caller.
pub async fn channel(ctx: &Context<'_>, id: SalesChannelId) -> Result<Option<SalesChannel>> {
    let found = read::channel::by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(SalesChannel::from))
}

/// A secret that a channel signs with, as far as anybody may know it.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ChannelSecret {
    /// The first digits of the SHA-256 of the key, in hexadecimal, to compare with what the platform holds.
    pub fingerprint: String,
    /// Since when it counts.
    pub added_at: DateTime,
    /// Until when it counts; null for the one that took the place of the others.
    pub ends_at: Option<DateTime>,
}

impl From<&domain::ChannelSecret> for ChannelSecret {
    fn from(secret: &domain::ChannelSecret) -> Self {
        Self {
            fingerprint: secret.fingerprint.clone(),
            added_at: secret.added_at.into(),
            ends_at: secret.ends_at.map(Into::into),
        }
    }
}

/// How a channel's orders are taken in.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ChannelSettings {
    /// Whose its orders are.
    pub customer_policy: CustomerPolicy,
    /// Number of the customer that stands for everybody, also for buyers who cannot be told apart.
    pub customer_number: String,
    /// The customer group of buyers who become customers (R2.4).
    pub customer_group: String,
    /// Region code of its orders; null for the customer's.
    pub region: Option<String>,
    /// The currency where an order tells none.
    pub currency_code: CurrencyCode,
    /// An order is expected so many days after it is taken in: platforms tell no date.
    pub lead_time_days: i32,
    /// Minutes east of Greenwich of moments that are told without an offset.
    pub utc_offset_minutes: i32,
    /// Products that the channel calls otherwise than the group.
    pub sku_mappings: Vec<SkuMapping>,
}

impl From<&domain::ChannelSettings> for ChannelSettings {
    fn from(settings: &domain::ChannelSettings) -> Self {
        let mapping =
            |one: &domain::SkuMapping| SkuMapping { external_sku: one.external_sku.clone(), sku: one.sku.clone() };
        Self {
            customer_policy: settings.customer_policy,
            customer_number: settings.customer_number.clone(),
            customer_group: settings.customer_group.clone(),
            region: settings.region.clone(),
            currency_code: settings.currency.into(),
            lead_time_days: settings.lead_time_days,
            utc_offset_minutes: settings.utc_offset_minutes,
            sku_mappings: settings.sku_mappings.iter().map(mapping).collect(),
        }
    }
}

/// A product that a channel calls otherwise.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct SkuMapping {
    /// The channel's word for it.
    pub external_sku: String,
    /// The group's SKU.
    pub sku: String,
}

/// How a channel does.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ChannelHealth {
    /// When something came over it last.
    pub last_received_at: Option<DateTime>,
    /// Deliveries that could not be processed; each can be processed again.
    pub failed: i32,
    /// Deliveries about orders that somebody must look at.
    pub needing_attention: i32,
    /// Deliveries that are kept and wait to be processed.
    pub waiting: i32,
    /// For how many seconds the one has waited that has waited longest.
    pub lag_seconds: i32,
}

wrapper! {
    /// A delivery.
    ChannelDelivery(Delivery)
}
connection!(ChannelDeliveryConnection, ChannelDeliveryEdge, ChannelDelivery, "deliveries of channels");

/// Something that a channel delivered (R1.3): kept before it was acknowledged, then processed.
#[macros::written]
#[Object]
impl ChannelDelivery {
    /// Opaque global id.
    pub async fn id(&self) -> ID {
        ids::encode(self.0.id)
    }

    /// The channel it came over.
    async fn channel(&self, ctx: &Context<'_>) -> Result<Option<SalesChannel>> {
        channel(ctx, self.0.channel_id).await
    }

    /// The channel's own number for it.
    async fn delivery_number(&self) -> Option<&String> {
        self.0.delivery_number.as_ref()
    }

    /// What it is about, in the channel's words, such as `orders/create`. Not signed by the platform: what
    /// became of the order is told by the body alone.
    async fn topic(&self) -> &str {
        &self.0.topic
    }

    /// Headers it came with, apart from what could let somebody in.
    async fn headers(&self) -> Vec<DeliveryHeader> {
        self.0.headers.iter().map(Into::into).collect()
    }

    /// The body, as it came; null once an operator has removed it. It may be large: so many fit in one request as
    /// its cost allows.
    #[graphql(complexity = 500)]
    async fn body(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        read::channel::body(session(ctx)?, self.0.id).await.answer(ctx)
    }

    /// When it was kept.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }

    /// What came of it.
    async fn outcome(&self) -> DeliveryOutcome {
        self.0.outcome
    }

    /// The same in words: the order's number, what was changed, why it was not processed.
    async fn remark(&self) -> Option<&String> {
        self.0.remark.as_ref()
    }

    /// The channel's number of the order it is about.
    async fn reference(&self) -> Option<&String> {
        self.0.reference.as_ref()
    }

    /// The order it is about.
    #[graphql(complexity = "child_complexity + 1")]
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        match self.0.order_id {
            Some(id) => order(ctx, id).await,
            None => Ok(None),
        }
    }

    /// How often it was tried in vain.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it was processed last; null while it waits.
    async fn processed_at(&self) -> Option<DateTime> {
        self.0.processed_at.map(Into::into)
    }

    /// Who had it processed last: the channel itself, or an administrator.
    async fn processed_by(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        perhaps(ctx, self.0.processed_by.as_ref()).await
    }
}

/// A delivery by id, if it exists for the caller.
pub async fn delivery(ctx: &Context<'_>, id: ChannelDeliveryId) -> Result<Option<ChannelDelivery>> {
    let found = read::channel::deliveries_by_ids(session(ctx)?, &[id]).await.answer(ctx)?;
    Ok(found.into_iter().next().map(ChannelDelivery::from))
}

/// A header of a delivery.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct DeliveryHeader {
    /// Its name, in small letters.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl From<&Header> for DeliveryHeader {
    fn from(header: &Header) -> Self {
        Self { name: header.name.clone(), value: header.value.clone() }
    }
}
