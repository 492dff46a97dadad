//! Tokens as the demo key signs them (src/http/auth/demo.rs of the server).

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

/// Seconds a token lives: longer than any run.
const LIFETIME: u64 = 4 * 3_600;

/// The demo key of a data folder.
#[derive(Clone)]
pub struct Signer(Vec<u8>);

impl Signer {
    /// Reads the key the server made.
    pub fn read(data_dir: &Path) -> anyhow::Result<Self> {
        let file = data_dir.join("demo.key");
        Ok(Self(std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?))
    }

    /// A token for somebody of a role in the demo group's head unit.
    pub fn token(&self, role: &str, subject: &str) -> anyhow::Result<String> {
        self.token_for(role, subject, "unit", "AUR")
    }

    /// A token for somebody who acts for a `unit`, a `customer` or a `channel`, named by its code.
    pub fn token_for(&self, role: &str, subject: &str, party: &str, code: &str) -> anyhow::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mut claims = json!({
            "iss": "ordergraph-demo", "aud": "ordergraph", "sub": subject, "iat": now, "nbf": now,
            "exp": now + LIFETIME, "roles": [role],
        });
        claims[party] = code.into();
        let encoded = |part: String| URL_SAFE_NO_PAD.encode(part);
        let signed =
            format!("{}.{}", encoded(json!({"alg": "HS256", "typ": "JWT"}).to_string()), encoded(claims.to_string()));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)?;
        mac.update(signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }
}
