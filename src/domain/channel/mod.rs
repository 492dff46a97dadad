//! Channels (R1.1–R1.3): the shops, platforms and partners that orders come over, as data. What they deliver is
//! in [`delivery`], what a platform's words mean in [`shopify`] and [`woocommerce`], an order as its channel
//! tells of it in [`order`].

pub mod delivery;
pub mod order;
pub mod reconcile;
pub mod settings;
pub mod shopify;
pub mod told;
pub mod woocommerce;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::actor::{Act, Actor, Role, Scope};
use super::codes::codes;
use super::event::{EventKind, Happening};
use super::ids::{ChannelSecretId, SalesChannelId, UnitId};
use super::intake::{Channel, SHORT_TEXT, text};
use super::order::role_blockers;
use super::permission::Action;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::transition::{Lifecycle, Transition, birth, step};

pub use settings::{ChannelSettings, CustomerPolicy, SettingsFacts, SkuMapping};

codes! {
    /// What stands at the other end of a channel; decides what its webhooks look like.
    ChannelKind {
        /// A shop on Shopify: signed webhooks about orders.
        Shopify = "SHOPIFY",
        /// A shop on WooCommerce: signed webhooks about orders.
        Woocommerce = "WOOCOMMERCE",
        /// A partner's own system, which calls the API.
        Partner = "PARTNER",
        /// A marketplace whose orders are fetched or imported.
        Marketplace = "MARKETPLACE",
    }
}

impl ChannelKind {
    /// Does it deliver webhooks?
    pub const fn has_webhooks(self) -> bool {
        matches!(self, Self::Shopify | Self::Woocommerce)
    }
}

codes! {
    /// Whether orders are taken over a channel.
    SalesChannelStatus {
        /// Orders come over it.
        Active = "ACTIVE",
        /// Its deliveries are turned away; orders that came over it go on.
        Inactive = "INACTIVE",
    }
}

use SalesChannelStatus::*;

impl Lifecycle for SalesChannelStatus {
    const NOUN: &'static str = "sales channel";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::CreateSalesChannel, Active, "R1.1"),
        step(Active, Action::UpdateSalesChannel, Active, "R1.1"),
        step(Inactive, Action::UpdateSalesChannel, Inactive, "R1.1"),
        step(Active, Action::RotateChannelSecret, Active, "R1.3"),
        step(Inactive, Action::RotateChannelSecret, Inactive, "R1.3"),
        step(Active, Action::DeactivateSalesChannel, Inactive, "R1.1"),
        step(Inactive, Action::ActivateSalesChannel, Active, "R1.1"),
    ];
}

/// A secret that a channel signs with, as far as anybody may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSecret {
    /// Identity; the key itself is kept under it, apart.
    pub id: ChannelSecretId,
    /// The first digits of the key's SHA-256, to compare with what the platform holds.
    pub fingerprint: String,
    /// Since when it counts.
    pub added_at: DateTime<Utc>,
    /// Until when it counts, once another took its place.
    pub ends_at: Option<DateTime<Utc>>,
}

/// A channel that orders come over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SalesChannel {
    /// Identity.
    pub id: SalesChannelId,
    /// Counts the changes.
    pub version: i64,
    /// Stable code: what its orders carry as their account.
    pub code: String,
    /// Name.
    pub name: String,
    /// What stands at its other end.
    pub kind: ChannelKind,
    /// The kind of intake its orders count as.
    pub channel: Channel,
    /// The unit that looks after it.
    pub unit_id: UnitId,
    /// Whether orders are taken over it.
    pub status: SalesChannelStatus,
    /// Its secrets, newest first: one, or two while the platform changes from one to the other.
    pub secrets: Vec<ChannelSecret>,
    /// How its orders are taken in.
    pub settings: ChannelSettings,
    /// Since when it exists.
    pub created_at: DateTime<Utc>,
}

/// A key that is never shown: not in logs, not in events, not in answers.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SecretKey(pub String);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl SecretKey {
    /// The first digits of its SHA-256.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        format!("{:.8x}", Sha256::digest(self.0.as_bytes()))
    }

    fn check(&self, refusals: &mut Refusals) {
        let length = self.0.chars().count();
        refusals.require((SHORTEST_KEY..=LONGEST_KEY).contains(&length), || {
            let message = format!("A secret has {SHORTEST_KEY} to {LONGEST_KEY} characters.");
            Refusal::new(Code::Malformed, "R1.3", message).at("secret")
        });
    }
}

const SHORTEST_KEY: usize = 12;
const LONGEST_KEY: usize = 255;
const LONGEST_CODE: usize = 40;
/// The longest two secrets may count at the same time.
pub const LONGEST_OVERLAP: Duration = Duration::days(30);

/// What a new channel shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewChannel {
    /// Stable code.
    pub code: String,
    /// Name.
    pub name: String,
    /// What stands at its other end.
    pub kind: ChannelKind,
    /// The kind of intake its orders count as.
    pub channel: Channel,
    /// The unit that looks after it.
    pub unit_id: UnitId,
    /// The secret that the platform signs with.
    pub secret: Option<SecretKey>,
    /// How its orders are taken in.
    pub settings: ChannelSettings,
}

/// What stands between the actor and an action on a channel of a unit, whatever state it is in.
fn rights(action: Action, unit: Option<UnitId>, actor: &Actor) -> Refusals {
    let mut refusals = role_blockers(action, actor);
    refusals.require(unit.is_none_or(|unit| actor.covers_unit(unit)), || {
        Refusal::new(Code::UnknownUnit, "R1.1", "No such unit; give one that you administer.").at("unitId")
    });
    refusals
}

/// What must be known besides the form.
pub struct ChannelFacts<'a> {
    /// Is there a channel under this code already?
    pub code_taken: bool,
    /// Does the unit exist?
    pub unit_exists: bool,
    /// What the settings name.
    pub settings: SettingsFacts<'a>,
}

fn check_name(name: &str, refusals: &mut Refusals) {
    text(refusals, "name", Some(name), true, SHORT_TEXT);
}

/// Opens a channel.
pub fn create(asked: NewChannel, facts: &ChannelFacts<'_>, act: &Act<'_>) -> Result<SalesChannel, Refusals> {
    let mut refusals = rights(Action::CreateSalesChannel, facts.unit_exists.then_some(asked.unit_id), act.actor);
    refusals.require(facts.unit_exists, || {
        Refusal::new(Code::UnknownUnit, "R1.1", "No such unit; give one that you administer.").at("unitId")
    });
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = (1..=LONGEST_CODE).contains(&asked.code.len())
        && asked.code.bytes().all(plain)
        && !asked.code.starts_with('-')
        && !asked.code.ends_with('-');
    refusals.require(well_formed, || {
        let message = format!("Up to {LONGEST_CODE} small letters, digits and hyphens: it is part of an address.");
        Refusal::new(Code::Malformed, "R1.1", message).at("code")
    });
    refusals.require(!facts.code_taken, || {
        Refusal::new(Code::CodeTaken, "R1.1", "Another channel has this code.").at("code")
    });
    check_name(&asked.name, &mut refusals);
    refusals.require(asked.channel != Channel::OfflineSales, || {
        let message =
            "Orders of a channel count as E_COMMERCE or PARTNER_REFERRAL; the group's own staff are no channel.";
        Refusal::new(Code::ChannelNotAllowed, "R1.1", message).at("channel")
    });
    match &asked.secret {
        Some(secret) => secret.check(&mut refusals),
        None => refusals.require(!asked.kind.has_webhooks(), || {
            Refusal::new(Code::Required, "R1.3", "Its webhooks are signed: give the secret.").at("secret")
        }),
    }
    asked.settings.check(&facts.settings, &mut refusals);
    refusals.into_result()?;
    let secrets = asked.secret.iter().map(|secret| ChannelSecret::new(secret, act)).collect();
    Ok(SalesChannel {
        id: act.id(),
        version: 0,
        code: asked.code,
        name: asked.name,
        kind: asked.kind,
        channel: asked.channel,
        unit_id: asked.unit_id,
        status: Active,
        secrets,
        settings: asked.settings,
        created_at: act.now,
    })
}

impl ChannelSecret {
    fn new(key: &SecretKey, act: &Act<'_>) -> Self {
        Self { id: act.id(), fingerprint: key.fingerprint(), added_at: act.now, ends_at: None }
    }

    /// Does it count at a moment?
    pub fn counts_at(&self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl SalesChannel {
    /// What stands between the actor and an action on this channel, apart from the input.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = rights(action, None, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals
    }

    /// Changes how its orders are taken in from now on.
    pub fn update(
        &mut self,
        name: String,
        settings: ChannelSettings,
        facts: &SettingsFacts<'_>,
        actor: &Actor,
    ) -> Result<EventKind, Refusals> {
        let mut refusals = self.blockers(Action::UpdateSalesChannel, actor);
        check_name(&name, &mut refusals);
        settings.check(facts, &mut refusals);
        refusals.into_result()?;
        self.name = name;
        self.settings = settings;
        Ok(EventKind::SalesChannelUpdated)
    }

    /// Adds a secret. The one before counts for a while, since the platform changes over when it likes; any
    /// older one does not count any more. Returns those that do not.
    pub fn rotate(
        &mut self,
        key: &SecretKey,
        former_ends_at: DateTime<Utc>,
        act: &Act<'_>,
    ) -> Result<Vec<ChannelSecretId>, Refusals> {
        let mut refusals = self.blockers(Action::RotateChannelSecret, act.actor);
        key.check(&mut refusals);
        refusals.require(former_ends_at >= act.now && former_ends_at <= act.now + LONGEST_OVERLAP, || {
            let message = format!("Between now and {} days ahead.", LONGEST_OVERLAP.num_days());
            Refusal::new(Code::Malformed, "R1.3", message).at("formerEndsAt")
        });
        let new = ChannelSecret::new(key, act);
        refusals.require(self.secrets.iter().all(|known| known.fingerprint != new.fingerprint), || {
            Refusal::new(Code::Repeated, "R1.3", "This is a secret the channel has already.").at("secret")
        });
        refusals.into_result()?;
        let former = self.secrets.first().cloned();
        let ended = self.secrets.iter().skip(1).map(|secret| secret.id).collect();
        self.secrets = vec![new];
        self.secrets.extend(former.map(|secret| ChannelSecret { ends_at: Some(former_ends_at), ..secret }));
        Ok(ended)
    }

    /// Turns its deliveries away from now on.
    pub fn deactivate(&mut self, reason: &str, actor: &Actor) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::DeactivateSalesChannel, actor);
        text(&mut refusals, "reason", Some(reason), true, super::intake::LONG_TEXT);
        refusals.into_result()?;
        self.status = Inactive;
        Ok(EventKind::SalesChannelDeactivated.because(reason))
    }

    /// Takes its deliveries again.
    pub fn activate(&mut self, actor: &Actor) -> Result<EventKind, Refusals> {
        self.blockers(Action::ActivateSalesChannel, actor).into_result()?;
        self.status = Active;
        Ok(EventKind::SalesChannelActivated)
    }

    /// Who acts when something comes over it: the channel itself, as a partner's system does, for its own
    /// orders only.
    pub fn actor(&self) -> Actor {
        channel_actor(&self.code)
    }
}

/// Who acts for the channel with this code.
pub fn channel_actor(code: &str) -> Actor {
    Actor {
        subject: format!("channel.{code}"),
        roles: vec![Role::Partner, Role::System],
        scope: Scope::Account(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use uuid::Uuid;

    fn admin() -> Actor {
        Actor { subject: "ada".to_owned(), roles: vec![Role::Admin], scope: Scope::All }
    }

    #[test]
    fn at_most_two_secrets_count_and_the_older_has_an_end() {
        let count = AtomicU64::new(0);
        let new_id = move || Uuid::from_u128(u128::from(count.fetch_add(1, Ordering::Relaxed)));
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let actor = admin();
        let at = |hours| Act { actor: &actor, now: start + Duration::hours(hours), new_id: &new_id };
        let key = |number: u8| SecretKey(format!("a secret key no. {number}"));
        let mut channel = SalesChannel {
            id: SalesChannelId(Uuid::nil()),
            version: 1,
            code: "shop".to_owned(),
            name: "Shop".to_owned(),
            kind: ChannelKind::Shopify,
            channel: Channel::ECommerce,
            unit_id: UnitId(Uuid::nil()),
            status: Active,
            secrets: vec![ChannelSecret::new(&key(1), &at(0))],
            settings: settings::tests::plain(),
            created_at: start,
        };
        let end = start + Duration::hours(2);
        assert_eq!(channel.rotate(&key(2), end, &at(1)).unwrap(), vec![]);
        let ends: Vec<_> = channel.secrets.iter().map(|one| one.ends_at).collect();
        assert_eq!(ends, [None, Some(end)]);
        assert!(channel.secrets.iter().all(|one| one.counts_at(end - Duration::seconds(1))));
        assert!(!channel.secrets[1].counts_at(end));
        // The same again, one that is too short, and an end in the past, all told at once.
        let refused = channel.rotate(&SecretKey("short".to_owned()), start, &at(1)).unwrap_err();
        assert_eq!(refused.0.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::Malformed, Code::Malformed]);
        assert_eq!(channel.rotate(&key(1), end, &at(1)).unwrap_err().0[0].code, Code::Repeated);
        let oldest = channel.secrets[1].id;
        assert_eq!(channel.rotate(&key(3), end, &at(1)).unwrap(), vec![oldest]);
        assert_eq!(channel.secrets.len(), 2);
    }

    #[test]
    fn a_key_is_never_written() {
        let key = SecretKey("do not show this".to_owned());
        assert_eq!(format!("{key:?}"), "(secret)");
        assert_eq!(key.fingerprint().len(), 8);
    }
}
