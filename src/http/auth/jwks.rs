//! Keys that an identity provider publishes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::token::TokenError;
use super::{KeyError, VerificationKey};

const MAXIMUM_SET_BYTES: usize = 256 * 1024;
const RETRY_WHILE_EMPTY: Duration = Duration::from_secs(2);

/// Where keys are published and how often we look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwksSettings {
    /// The address of the key set; https, or http on the loopback interface.
    pub url: String,
    /// Seconds between two fetches that an unknown key caused; one fetch serves all who wait.
    #[serde(default = "default_unknown_key_seconds")]
    pub unknown_key_seconds: u64,
    /// Seconds after which keys are fetched again in the background. The old ones are used until
    /// a fetch succeeds.
    #[serde(default = "default_refresh_seconds")]
    pub refresh_seconds: u64,
    /// Seconds one fetch may take.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u64,
}

fn default_unknown_key_seconds() -> u64 {
    30
}

fn default_refresh_seconds() -> u64 {
    600
}

fn default_timeout_seconds() -> u64 {
    5
}

impl JwksSettings {
    /// The usual intervals for a key set at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            unknown_key_seconds: default_unknown_key_seconds(),
            refresh_seconds: default_refresh_seconds(),
            timeout_seconds: default_timeout_seconds(),
        }
    }
}

#[derive(Default)]
struct KeySet {
    by_id: HashMap<String, Arc<VerificationKey>>,
    all: Vec<Arc<VerificationKey>>,
    fetched_at: Option<Instant>,
}

impl KeySet {
    fn find(&self, key_id: Option<&str>) -> Option<Arc<VerificationKey>> {
        match (key_id, self.all.as_slice()) {
            (Some(key_id), _) => self.by_id.get(key_id).cloned(),
            // Without a name there must be no choice.
            (None, [only]) => Some(Arc::clone(only)),
            (None, _) => None,
        }
    }
}

pub(super) struct KeySetCache {
    settings: JwksSettings,
    client: reqwest::Client,
    keys: RwLock<Arc<KeySet>>,
    /// The instant of the last attempt; whoever holds the lock is the one that fetches.
    last_attempt: Mutex<Option<Instant>>,
}

impl KeySetCache {
    pub(super) fn new(settings: JwksSettings) -> Result<Self, KeyError> {
        let refused = || KeyError::KeySetUrl(settings.url.clone());
        let url = reqwest::Url::parse(&settings.url).map_err(|_| refused())?;
        let loopback = match url.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
            None => return Err(refused()),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(refused());
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(settings.timeout_seconds))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(KeyError::Client)?;
        Ok(Self { settings, client, keys: RwLock::default(), last_attempt: Mutex::default() })
    }

    /// The key of that name. Fetches the set when the key is unknown and the last fetch is long
    /// enough ago; refreshes an old set in the background.
    pub(super) async fn key(self: &Arc<Self>, key_id: Option<&str>) -> Result<Arc<VerificationKey>, TokenError> {
        let known = self.current();
        if let Some(key) = known.find(key_id) {
            let refresh = Duration::from_secs(self.settings.refresh_seconds);
            if known.fetched_at.is_some_and(|at| at.elapsed() >= refresh) && self.last_attempt.try_lock().is_ok() {
                let cache = Arc::clone(self);
                tokio::spawn(async move { cache.fetch_unless_recent().await });
            }
            return Ok(key);
        }
        // A task of its own: a caller that goes away must not waste the one fetch allowed.
        let cache = Arc::clone(self);
        let _ = tokio::spawn(async move { cache.fetch_unless_recent().await }).await;
        let keys = self.current();
        match keys.find(key_id) {
            Some(key) => Ok(key),
            None if keys.fetched_at.is_none() => Err(TokenError::KeysUnavailable),
            None => Err(TokenError::KeyUnknown),
        }
    }

    fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn fetch_unless_recent(&self) {
        let mut last_attempt = self.last_attempt.lock().await;
        let pause = if self.current().fetched_at.is_some() {
            Duration::from_secs(self.settings.unknown_key_seconds)
        } else {
            RETRY_WHILE_EMPTY.min(Duration::from_secs(self.settings.unknown_key_seconds))
        };
        if last_attempt.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        match self.fetch().await {
            Ok(keys) => {
                tracing::info!(keys = keys.all.len(), "fetched the key set");
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Err(reason) => {
                tracing::warn!(url = %self.settings.url, %reason, "the key set could not be fetched");
            }
        }
        *last_attempt = Some(Instant::now());
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let text = |failure: reqwest::Error| failure.without_url().to_string();
        let mut response = self.client.get(&self.settings.url).send().await.map_err(text)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(text)? {
            if body.len() + chunk.len() > MAXIMUM_SET_BYTES {
                return Err("the answer is too large".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        read_set(&body)
    }
}

fn read_set(body: &[u8]) -> Result<KeySet, String> {
    #[derive(Deserialize)]
    struct PublishedSet {
        keys: Vec<serde_json::Value>,
    }
    let published: PublishedSet = serde_json::from_slice(body).map_err(|failure| failure.to_string())?;
    let mut set = KeySet { fetched_at: Some(Instant::now()), ..KeySet::default() };
    for entry in published.keys {
        // Sets hold keys for other purposes too; what we can't use is not an error.
        let Ok(jwk) = serde_json::from_value::<Jwk>(entry) else {
            continue;
        };
        let Some(key) = usable(&jwk).map(Arc::new) else {
            continue;
        };
        if let Some(key_id) = jwk.common.key_id {
            set.by_id.entry(key_id).or_insert_with(|| Arc::clone(&key));
        }
        set.all.push(key);
    }
    if set.all.is_empty() {
        return Err("the set has no key we can use".to_owned());
    }
    Ok(set)
}

/// The key with its algorithm. The kind of key decides; symmetric keys are never taken from a
/// published set.
fn usable(jwk: &Jwk) -> Option<VerificationKey> {
    if matches!(&jwk.common.public_key_use, Some(purpose) if *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|stated| stated != name) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(VerificationKey { algorithm, key })
}
