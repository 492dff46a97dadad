//! Access keys: made, withdrawn, and recognized when somebody shows one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::command::Command;
use super::{App, Failure, Identity};
use crate::domain::access_key::{AccessKey, AccessKeyKind, KeyRequest, Opens, create};
use crate::domain::actor::Role;
use crate::domain::event::EventKind;
use crate::domain::ids::{AccessKeyId, OrderId};
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, Work, access_key as keys, channel};

/// What every key begins with, so that a leaked one is recognized by those who look for such things.
pub const PREFIX: &str = "ogk_";
/// Characters of a key that tell it from others.
const HINT: usize = 4;
/// That a key was used is noted this often at most.
const NOTED: Duration = Duration::minutes(1);
/// Keys whose last use a node remembers; bounds the memory.
const MOST: usize = 10_000;

/// A key that was just made. It is shown once and kept nowhere.
#[derive(Clone)]
pub struct Secret {
    text: String,
}

impl Secret {
    /// 256 bits nobody can guess.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn random() -> Result<Self, Failure> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(Self { text: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)) })
    }

    /// The key as its bearer shows it.
    pub fn reveal(self) -> String {
        self.text
    }

    fn request(&self, opens: Opens, label: Option<String>, expires_at: Option<DateTime<Utc>>) -> KeyRequest {
        let hint = self.text.get(self.text.len() - HINT..).unwrap_or_default().to_owned();
        KeyRequest { opens, label, expires_at, digest: digest(&self.text), hint }
    }
}

fn digest(key: &str) -> String {
    format!("{:x}", Sha256::digest(key))
}

/// Whom a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Whom.
    pub identity: Identity,
    /// The moment from which it stands for nobody.
    pub expires_at: DateTime<Utc>,
}

/// When this node last noted the use of a key.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<AccessKeyId, DateTime<Utc>>>);

impl Uses {
    fn is_due(&self, id: AccessKeyId, now: DateTime<Utc>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(&id).is_some_and(|noted| now - *noted < NOTED) {
            return false;
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, now);
        true
    }
}

/// Whom a key stands for; nobody when it is unknown, withdrawn or expired.
///
/// # Errors
/// The database could not be asked.
pub async fn bearer(app: &Arc<App>, key: &str) -> Result<Option<Bearer>, Failure> {
    let now = app.clock.now();
    let Some(found) = keys::by_digest(app.store(), &digest(key)).await? else {
        return Ok(None);
    };
    if found.expires_at <= now {
        return Ok(None);
    }
    if app.key_uses.is_due(found.id, now) {
        let (store, id) = (app.store().clone(), found.id);
        // Nobody waits for it, and a bearer is served whether or not it can be noted.
        tokio::spawn(async move {
            if let Err(error) = keys::note_use(&store, id, now).await {
                tracing::warn!(%error, key = %id, "the use of an access key could not be noted");
            }
        });
    }
    Ok(Some(Bearer { identity: identity(&found), expires_at: found.expires_at }))
}

fn identity(key: &AccessKey) -> Identity {
    let role = match key.kind {
        AccessKeyKind::Partner => Role::Partner,
        AccessKeyKind::Tracking => Role::LinkHolder,
    };
    Identity {
        subject: AccessKey::subject(key.id),
        roles: vec![role.code().to_owned()],
        channel: key.account.clone(),
        order: key.order_id,
        ..Identity::default()
    }
}

/// The key a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnKey {
    /// The key.
    pub key_id: AccessKeyId,
}

async fn keep(work: &Work, asked: KeyRequest) -> Result<OnKey> {
    let key = create(asked, &work.act())?;
    let key = work.save(Tracked::new(key), EventKind::AccessKeyCreated).await?;
    Ok(OnKey { key_id: key.id })
}

/// Make a key for a partner's system (R1.5).
#[derive(Clone, Serialize)]
pub struct CreatePartnerKey {
    /// Code of the sales channel it opens.
    pub account: String,
    /// What people call it.
    pub label: Option<String>,
    /// The moment from which it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// The key itself: no part of what makes two requests the same.
    #[serde(skip)]
    pub secret: Secret,
}

impl Command for CreatePartnerKey {
    const ACTION: Action = Action::CreatePartnerKey;
    type Answer = OnKey;

    async fn run(&self, work: &Work) -> Result<OnKey> {
        let exists = channel::code_taken(work, &self.account).await?;
        let opens = Opens::Account { code: self.account.clone(), exists };
        keep(work, self.secret.request(opens, self.label.clone(), self.expires_at)).await
    }
}

/// Make a link with which anybody can follow one order (R5.3).
#[derive(Clone, Serialize)]
pub struct CreateTrackingLink {
    /// The order it opens.
    pub order_id: OrderId,
    /// What people call it.
    pub label: Option<String>,
    /// The moment from which it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// The key itself: no part of what makes two requests the same.
    #[serde(skip)]
    pub secret: Secret,
}

impl Command for CreateTrackingLink {
    const ACTION: Action = Action::CreateTrackingLink;
    type Answer = OnKey;

    async fn run(&self, work: &Work) -> Result<OnKey> {
        work.order(self.order_id).await?;
        let opens = Opens::Order(self.order_id);
        keep(work, self.secret.request(opens, self.label.clone(), self.expires_at)).await
    }
}

/// Withdraw a key: within a second it opens nothing, and what it has open is closed (R13.1).
#[derive(Clone, Debug, Serialize)]
pub struct RevokeAccessKey {
    /// The key.
    pub key_id: AccessKeyId,
    /// Why.
    pub reason: String,
    /// The version of the key the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RevokeAccessKey {
    const ACTION: Action = Action::RevokeAccessKey;
    type Answer = OnKey;

    async fn run(&self, work: &Work) -> Result<OnKey> {
        let mut key = keys::visible(work, self.key_id).await?;
        work.expect(&key, self.expected_version)?;
        let happening = key.revoke(self.reason.clone(), &work.act())?;
        work.save(key, happening).await?;
        Ok(OnKey { key_id: self.key_id })
    }

    async fn committed(&self, app: &App) {
        super::access::effective_here(app).await;
    }
}
