//! Who the caller is: tokens in, identities out.

mod demo;
mod jwks;
mod token;
mod verified;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};

use self::verified::Verified;

pub use demo::{DEMO_AUDIENCE, DEMO_ISSUER, DemoKey, DemoToken};
pub use jwks::JwksSettings;
pub(crate) use token::bearer;
pub use token::{Identity, TokenError, TokenPolicy};

/// Why an [`Authenticator`] could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The issuer or the audience is empty, or the leeway is larger than ten seconds.
    #[error("the token policy is not usable: {0}")]
    Policy(&'static str),
    /// An HS256 secret is shorter than 32 bytes.
    #[error("the secret is {0} bytes long; HS256 needs at least 32")]
    SecretTooShort(usize),
    /// The text is not the PEM form of an RSA, P-256 or Ed25519 public key.
    #[error("the public key is not an RSA, P-256 or Ed25519 key in PEM form")]
    PublicKey,
    /// The key set's URL can't be used.
    #[error("the key set URL {0:?} is not https and not on the loopback interface")]
    KeySetUrl(String),
    /// The HTTP client for the key set could not be made.
    #[error("the key set client could not be made")]
    Client(#[source] reqwest::Error),
    /// The demo key could not be read or written.
    #[error("the demo key {path} could not be used: {source}")]
    DemoKeyFile {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The demo key's file does not hold 32 bytes.
    #[error("the demo key {0} does not hold 32 bytes")]
    DemoKeyLength(std::path::PathBuf),
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// Verifies tokens. Cheap to clone; clones share what they keep of keys and of verified tokens.
#[derive(Clone)]
pub struct Authenticator {
    policy: Arc<TokenPolicy>,
    keys: Keys,
    verified: Arc<Verified>,
}

#[derive(Clone)]
enum Keys {
    One(Arc<VerificationKey>),
    Set(Arc<jwks::KeySetCache>),
}

/// A key together with the only algorithm it may be used with, so that a token never chooses.
pub(crate) struct VerificationKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

impl Authenticator {
    /// Verifies HS256 tokens signed with a shared secret.
    ///
    /// # Errors
    /// When the policy is not usable or the secret is shorter than 32 bytes.
    pub fn from_secret(secret: &[u8], policy: TokenPolicy) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::SecretTooShort(secret.len()));
        }
        Self::with_key(Algorithm::HS256, DecodingKey::from_secret(secret), policy)
    }

    /// Verifies tokens signed with the private half of this public key: RS256 for an RSA key,
    /// ES256 for a P-256 key, `EdDSA` for an Ed25519 key.
    ///
    /// # Errors
    /// When the policy is not usable or the text is not such a key in PEM form.
    pub fn from_public_key_pem(pem: &str, policy: TokenPolicy) -> Result<Self, KeyError> {
        let bytes = pem.as_bytes();
        if let Ok(key) = DecodingKey::from_ed_pem(bytes) {
            return Self::with_key(Algorithm::EdDSA, key, policy);
        }
        if let Ok(key) = DecodingKey::from_ec_pem(bytes) {
            // An uncompressed point on P-256 is 65 bytes long; other curves have other algorithms.
            return match key.try_get_as_bytes() {
                Ok(point) if point.len() == 65 => Self::with_key(Algorithm::ES256, key, policy),
                _ => Err(KeyError::PublicKey),
            };
        }
        match DecodingKey::from_rsa_pem(bytes) {
            Ok(key) => Self::with_key(Algorithm::RS256, key, policy),
            Err(_) => Err(KeyError::PublicKey),
        }
    }

    /// Verifies tokens signed with a key of a published key set (JWKS).
    ///
    /// The set is fetched when it is first needed, see [`JwksSettings`].
    ///
    /// # Errors
    /// When the policy or the URL is not usable.
    pub fn from_jwks(settings: JwksSettings, policy: TokenPolicy) -> Result<Self, KeyError> {
        policy.check()?;
        install_crypto_provider();
        Ok(Self::with_keys(Keys::Set(Arc::new(jwks::KeySetCache::new(settings)?)), policy))
    }

    /// Verifies the tokens that `key` issues.
    ///
    /// # Errors
    /// Never in practice; the type is that of the other constructors.
    pub fn from_demo_key(key: &DemoKey) -> Result<Self, KeyError> {
        Self::from_secret(
            key.secret(),
            TokenPolicy { issuer: DEMO_ISSUER.to_owned(), audience: DEMO_AUDIENCE.to_owned(), leeway_seconds: 0 },
        )
    }

    fn with_key(algorithm: Algorithm, key: DecodingKey, policy: TokenPolicy) -> Result<Self, KeyError> {
        policy.check()?;
        install_crypto_provider();
        Ok(Self::with_keys(Keys::One(Arc::new(VerificationKey { algorithm, key })), policy))
    }

    fn with_keys(keys: Keys, policy: TokenPolicy) -> Self {
        Self { policy: Arc::new(policy), keys, verified: Arc::default() }
    }

    /// The identity a token stands for.
    ///
    /// # Errors
    /// Why the token is refused. Nothing in the token is believed before its signature is checked.
    pub async fn authenticate(&self, token: &str) -> Result<Identity, TokenError> {
        let leeway = self.policy.leeway_seconds;
        if let Keys::One(key) = &self.keys
            && let Some(identity) = self.verified.get(token, key, leeway)
        {
            return Ok(identity);
        }
        let header = token::read_header(token)?;
        let key = match &self.keys {
            Keys::One(key) => Arc::clone(key),
            Keys::Set(cache) => cache.key(header.kid.as_deref()).await?,
        };
        if let Some(identity) = self.verified.get(token, &key, leeway) {
            return Ok(identity);
        }
        let identity = token::verify(token, &header, &key, &self.policy)?;
        self.verified.add(token, key, identity.clone());
        Ok(identity)
    }
}

/// Names the one backend tokens are signed and verified with. Without it the library chooses by
/// the features of the whole build and panics at first use when two are present.
pub fn install_crypto_provider() {
    // An error means that a provider is installed already.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

#[cfg(test)]
mod tests;
