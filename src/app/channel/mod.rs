//! Channels (R1): opened, changed and closed by administrators; what comes over them is kept ([`receive`]) and
//! processed ([`process`]).

mod process;
mod receive;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::domain::channel::{
    self as rules_of, ChannelFacts, ChannelSettings, NewChannel, SecretKey, SettingsFacts, SkuMapping,
};
use crate::domain::event::EventKind;
use crate::domain::ids::SalesChannelId;
use crate::domain::permission::Action;
use crate::domain::reference::Customer;
use crate::store::work::Tracked;
use crate::store::{Result, Work, channel, reference};

pub use process::{OnDelivery, ReplayChannelDelivery, process, process_waiting};
pub use receive::{Parcel, Receipt, receive};

/// How long a former secret counts when nobody says otherwise: platforms change over within hours.
const OVERLAP: Duration = Duration::hours(24);

/// The channel a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnChannel {
    /// The channel.
    pub channel_id: SalesChannelId,
}

/// What settings name, as far as it exists.
struct Named {
    customer: Option<Customer>,
    skus: std::collections::BTreeSet<String>,
}

impl Named {
    async fn gather(work: &Work, settings: &ChannelSettings) -> Result<Self> {
        let skus: Vec<String> = settings.sku_mappings.iter().map(|one: &SkuMapping| one.sku.clone()).collect();
        Ok(Self {
            customer: reference::customer_by_number(work.reference(), &settings.customer_number).await?,
            skus: channel::known_skus(work, &skus).await?,
        })
    }

    fn facts(&self) -> SettingsFacts<'_> {
        SettingsFacts { customer: self.customer.as_ref(), skus: &self.skus }
    }
}

/// Open a channel (R1.1).
#[derive(Clone, Debug, Serialize)]
pub struct CreateSalesChannel {
    /// What it shall be.
    pub channel: NewChannel,
}

impl Command for CreateSalesChannel {
    const ACTION: Action = Action::CreateSalesChannel;
    type Answer = OnChannel;

    async fn run(&self, work: &Work) -> Result<OnChannel> {
        let asked = self.channel.clone();
        let named = Named::gather(work, &asked.settings).await?;
        let units = reference::all_units(work.reference()).await?;
        let facts = ChannelFacts {
            code_taken: channel::code_taken(work, &asked.code).await?,
            unit_exists: units.iter().any(|unit| unit.id == asked.unit_id),
            settings: named.facts(),
        };
        let key = asked.secret.clone();
        let opened = rules_of::create(asked, &facts, &work.act())?;
        if let (Some(key), Some(secret)) = (&key, opened.secrets.first()) {
            channel::keep_key(work, opened.id, secret.id, key)?;
        }
        let opened = work.save(Tracked::new(opened), EventKind::SalesChannelCreated).await?;
        Ok(OnChannel { channel_id: opened.id })
    }
}

/// Change how a channel's orders are taken in from now on.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateSalesChannel {
    /// The channel.
    pub channel_id: SalesChannelId,
    /// Its name.
    pub name: String,
    /// How its orders are taken in.
    pub settings: ChannelSettings,
    /// The version of the channel the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for UpdateSalesChannel {
    const ACTION: Action = Action::UpdateSalesChannel;
    type Answer = OnChannel;

    async fn run(&self, work: &Work) -> Result<OnChannel> {
        let mut found = channel::visible(work, self.channel_id).await?;
        work.expect(&found, self.expected_version)?;
        let named = Named::gather(work, &self.settings).await?;
        let happening = found.update(self.name.clone(), self.settings.clone(), &named.facts(), work.actor())?;
        work.save(found, happening).await?;
        Ok(OnChannel { channel_id: self.channel_id })
    }
}

/// Give a channel another secret; the one before counts a while longer.
#[derive(Clone, Debug, Serialize)]
pub struct RotateChannelSecret {
    /// The channel.
    pub channel_id: SalesChannelId,
    /// The secret that the platform will sign with.
    pub secret: SecretKey,
    /// Until when the one before counts; a day from now where absent.
    pub former_ends_at: Option<DateTime<Utc>>,
    /// The version of the channel the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RotateChannelSecret {
    const ACTION: Action = Action::RotateChannelSecret;
    type Answer = OnChannel;

    async fn run(&self, work: &Work) -> Result<OnChannel> {
        let mut found = channel::visible(work, self.channel_id).await?;
        work.expect(&found, self.expected_version)?;
        let ends_at = self.former_ends_at.unwrap_or(work.now() + OVERLAP);
        let ended = found.rotate(&self.secret, ends_at, &work.act())?;
        if let Some(secret) = found.secrets.first() {
            channel::keep_key(work, found.id, secret.id, &self.secret)?;
        }
        channel::wipe_keys(work, &ended).await?;
        work.save(found, EventKind::SalesChannelSecretRotated).await?;
        Ok(OnChannel { channel_id: self.channel_id })
    }
}

/// Turn a channel's deliveries away from now on.
#[derive(Clone, Debug, Serialize)]
pub struct DeactivateSalesChannel {
    /// The channel.
    pub channel_id: SalesChannelId,
    /// Why.
    pub reason: String,
    /// The version of the channel the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for DeactivateSalesChannel {
    const ACTION: Action = Action::DeactivateSalesChannel;
    type Answer = OnChannel;

    async fn run(&self, work: &Work) -> Result<OnChannel> {
        let mut found = channel::visible(work, self.channel_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.deactivate(&self.reason, work.actor())?;
        work.save(found, happening).await?;
        Ok(OnChannel { channel_id: self.channel_id })
    }
}

/// Take a channel's deliveries again.
#[derive(Clone, Debug, Serialize)]
pub struct ActivateSalesChannel {
    /// The channel.
    pub channel_id: SalesChannelId,
    /// The version of the channel the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for ActivateSalesChannel {
    const ACTION: Action = Action::ActivateSalesChannel;
    type Answer = OnChannel;

    async fn run(&self, work: &Work) -> Result<OnChannel> {
        let mut found = channel::visible(work, self.channel_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.activate(work.actor())?;
        work.save(found, happening).await?;
        Ok(OnChannel { channel_id: self.channel_id })
    }
}

/// Headers by name.
type Headers = BTreeMap<String, String>;
