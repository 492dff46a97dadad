//! The key a server makes for itself, so that it can be tried without an identity provider.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{KeyError, install_crypto_provider};

/// The issuer of demo tokens.
pub const DEMO_ISSUER: &str = "ordergraph-demo";
/// The audience of demo tokens.
pub const DEMO_AUDIENCE: &str = "ordergraph";

const FILE_NAME: &str = "demo.key";
const KEY_BYTES: usize = 32;

/// A secret that signs demo tokens. It has no `Debug` form, so that it never gets into a log.
#[derive(Clone)]
pub struct DemoKey([u8; KEY_BYTES]);

/// What a demo token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoToken {
    /// Who the token is for.
    pub subject: String,
    /// The roles of the subject.
    pub roles: Vec<String>,
    /// The business unit the subject acts for.
    pub unit: Option<String>,
    /// The customer the subject acts for.
    pub customer: Option<String>,
    /// The sales channel the subject belongs to.
    pub channel: Option<String>,
    /// How long the token is valid from now on; fractions of a second are cut off.
    pub lifetime: Duration,
}

#[derive(Serialize)]
struct DemoClaims<'token> {
    iss: &'static str,
    aud: &'static str,
    sub: &'token str,
    iat: i64,
    nbf: i64,
    exp: i64,
    roles: &'token [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'token str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'token str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'token str>,
}

impl DemoKey {
    /// Reads `demo.key` from a folder, or makes it there (and the folder, if need be) with 32
    /// random bytes that only the file's owner may read.
    ///
    /// # Errors
    /// When the folder or the file can't be used, or the file does not hold 32 bytes.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(FILE_NAME);
        let failed = |source| KeyError::DemoKeyFile { path: path.clone(), source };
        match fs::read(&path) {
            Ok(_) => {}
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(data_dir).map_err(failed)?;
                create(data_dir, &path).map_err(failed)?;
            }
            Err(other) => return Err(failed(other)),
        }
        close_to_others(&path).map_err(failed)?;
        let bytes = fs::read(&path).map_err(failed)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::DemoKeyLength(path.clone()))
    }

    /// Signs a token (HS256) that an [`Authenticator`](super::Authenticator) made with this key
    /// accepts.
    ///
    /// # Errors
    /// When the backend refuses to sign.
    pub fn issue(&self, token: &DemoToken) -> Result<String, KeyError> {
        install_crypto_provider();
        let now = Utc::now().timestamp();
        let lifetime = i64::try_from(token.lifetime.as_secs()).unwrap_or(i64::MAX);
        let claims = DemoClaims {
            iss: DEMO_ISSUER,
            aud: DEMO_AUDIENCE,
            sub: &token.subject,
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
            roles: &token.roles,
            unit: token.unit.as_deref(),
            customer: token.customer.as_deref(),
            channel: token.channel.as_deref(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&self.0))
            .map_err(KeyError::Signing)
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.0
    }
}

/// Writes beside the target and links it into place: of two processes that start at once, one wins
/// and neither ever reads half a key.
fn create(data_dir: &Path, path: &Path) -> std::io::Result<()> {
    let mut secret = [0_u8; KEY_BYTES];
    getrandom::fill(&mut secret).map_err(std::io::Error::other)?;
    let draft = data_dir.join(format!("{FILE_NAME}.{}", uuid::Uuid::now_v7()));
    let written = write_draft(&draft, &secret).and_then(|()| match fs::hard_link(&draft, path) {
        Err(taken) if taken.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

fn write_draft(draft: &Path, secret: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(secret)?;
    file.sync_all()
}

#[cfg(unix)]
fn close_to_others(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        fs::set_permissions(path, permissions)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn close_to_others(_: &Path) -> std::io::Result<()> {
    Ok(())
}
