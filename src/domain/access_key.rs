//! Access keys: what a partner's system (R1.5) or whoever follows one order (R5.3) shows instead of a
//! signed token. Only a digest of the key is kept.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use super::actor::{Act, Actor, Scope};
use super::codes::codes;
use super::event::{EventKind, Happening};
use super::ids::{AccessKeyId, OrderId};
use super::intake::{LONG_TEXT, SHORT_TEXT, text};
use super::order::role_blockers;
use super::permission::Action;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::transition::{Lifecycle, Transition, birth, step};

codes! {
    /// What an access key opens.
    AccessKeyKind {
        /// The orders of one channel account, for a partner's or shop's system.
        Partner = "PARTNER",
        /// One order, for whoever was given its tracking link.
        Tracking = "TRACKING",
    }
}

impl AccessKeyKind {
    /// Days a key may be valid at most.
    pub const fn longest_days(self) -> i64 {
        match self {
            Self::Partner => 731,
            Self::Tracking => 366,
        }
    }

    /// Days a key is valid when nobody says how long.
    pub const fn usual_days(self) -> i64 {
        match self {
            Self::Partner => 365,
            Self::Tracking => 90,
        }
    }
}

codes! {
    /// Where an access key stands.
    AccessKeyStatus {
        /// It opens what it is for until it expires.
        Active = "ACTIVE",
        /// It was withdrawn and opens nothing.
        Revoked = "REVOKED",
    }
}

use AccessKeyStatus::*;

impl Lifecycle for AccessKeyStatus {
    const NOUN: &'static str = "access key";
    const TRANSITIONS: &'static [Transition<Self>] = &[
        birth(Action::CreatePartnerKey, Active, "R1.5"),
        birth(Action::CreateTrackingLink, Active, "R5.3"),
        step(Active, Action::RevokeAccessKey, Revoked, "R13.1"),
    ];
}

/// An access key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessKey {
    /// Identity.
    pub id: AccessKeyId,
    /// Counts the changes.
    pub version: i64,
    /// What it opens.
    pub kind: AccessKeyKind,
    /// What people call it.
    pub label: Option<String>,
    /// The channel account of a partner's key.
    pub account: Option<String>,
    /// The order of a tracking link.
    pub order_id: Option<OrderId>,
    /// SHA-256 of the key, in hexadecimal. No part of what is told of it.
    #[serde(skip)]
    pub digest: String,
    /// The end of the key, to tell keys apart.
    pub hint: String,
    /// Where it stands.
    pub status: AccessKeyStatus,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// The moment from which it opens nothing.
    pub expires_at: DateTime<Utc>,
    /// Who withdrew it.
    pub revoked_by: Option<String>,
    /// When.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why.
    pub revoke_reason: Option<String>,
}

/// What is asked for when a key is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// What it shall open.
    pub opens: Opens,
    /// What people call it.
    pub label: Option<String>,
    /// The moment from which it opens nothing; none for the usual time.
    pub expires_at: Option<DateTime<Utc>>,
    /// SHA-256 of the key, in hexadecimal.
    pub digest: String,
    /// The end of the key.
    pub hint: String,
}

/// What a key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opens {
    /// The orders of a sales channel.
    Account {
        /// The channel's code.
        code: String,
        /// Is there such a channel? A key for none would open nothing, and nobody would know why.
        exists: bool,
    },
    /// One order.
    Order(OrderId),
}

impl KeyRequest {
    const fn kind(&self) -> AccessKeyKind {
        match self.opens {
            Opens::Account { .. } => AccessKeyKind::Partner,
            Opens::Order(_) => AccessKeyKind::Tracking,
        }
    }

    const fn action(&self) -> Action {
        match self.opens {
            Opens::Account { .. } => Action::CreatePartnerKey,
            Opens::Order(_) => Action::CreateTrackingLink,
        }
    }
}

/// What stands between the actor and an action on a kind of key, whatever state it is in.
fn rights(action: Action, kind: AccessKeyKind, actor: &Actor) -> Refusals {
    let mut refusals = role_blockers(action, actor);
    if kind == AccessKeyKind::Partner {
        refusals.require(actor.scope == Scope::All && !actor.is_external(), || {
            Refusal::new(Code::RoleNotPermitted, "R13.1", "Partners' keys are a matter for the head unit.")
        });
    }
    refusals
}

/// Makes a key. That the order exists for the actor was found out before.
pub fn create(asked: KeyRequest, act: &Act<'_>) -> Result<AccessKey, Refusals> {
    let kind = asked.kind();
    let mut refusals = rights(asked.action(), kind, act.actor);
    text(&mut refusals, "label", asked.label.as_deref(), false, SHORT_TEXT);
    if let Opens::Account { code, exists } = &asked.opens {
        text(&mut refusals, "account", Some(code), true, SHORT_TEXT);
        refusals.require(*exists || code.trim().is_empty(), || {
            Refusal::new(Code::UnknownChannel, "R1.5", "No sales channel has this code.").at("account")
        });
    }
    let expires_at = asked.expires_at.unwrap_or_else(|| act.now + Duration::days(kind.usual_days()));
    refusals.require(expires_at > act.now, || {
        Refusal::new(Code::DateInPast, "R13.1", "The key would have expired already.").at("expiresAt")
    });
    refusals.require(expires_at <= act.now + Duration::days(kind.longest_days()), || {
        let message = format!("Such a key is valid for {} days at most.", kind.longest_days());
        Refusal::new(Code::DateTooFar, "R13.1", message).at("expiresAt")
    });
    refusals.into_result()?;
    let (account, order_id) = match asked.opens {
        Opens::Account { code, .. } => (Some(code), None),
        Opens::Order(order) => (None, Some(order)),
    };
    Ok(AccessKey {
        id: act.id(),
        version: 0,
        kind,
        label: asked.label,
        account,
        order_id,
        digest: asked.digest,
        hint: asked.hint,
        status: Active,
        created_by: act.actor.subject.clone(),
        created_at: act.now,
        expires_at,
        revoked_by: None,
        revoked_at: None,
        revoke_reason: None,
    })
}

impl AccessKey {
    /// The subject its bearer acts as.
    pub fn subject(id: AccessKeyId) -> String {
        format!("key:{id}")
    }

    /// What stands between the actor and an action on this key, apart from the input.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = rights(action, self.kind, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals
    }

    /// Withdraws the key.
    pub fn revoke(&mut self, reason: String, act: &Act<'_>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::RevokeAccessKey, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        self.status = Revoked;
        self.revoked_by = Some(act.actor.subject.clone());
        self.revoked_at = Some(act.now);
        self.revoke_reason = Some(reason.clone());
        Ok(EventKind::AccessKeyRevoked.because(reason))
    }
}
