//! What comes over a channel is verified and kept, and only then acknowledged: whatever happens afterwards, it
//! is not lost. Nothing is parsed before its signature was found right.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Headers;
use crate::app::{App, Failure};
use crate::domain::channel::delivery::Header;
use crate::domain::channel::{ChannelKind, SalesChannel, SalesChannelStatus, SecretKey};
use crate::domain::ids::{ChannelDeliveryId, ChannelSecretId};
use crate::store::channel::{self, Incoming};

/// What came from outside.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The channel's code, out of the address.
    pub channel: String,
    /// The headers, names in small letters.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What was done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is kept under this identity and waits to be processed.
    Kept(ChannelDeliveryId),
    /// It was kept before.
    Known,
    /// It only asked whether somebody is there.
    Ping,
    /// No channel that takes deliveries has this code.
    NoChannel,
    /// The signature is missing or wrong.
    NotSigned,
}

/// Characters of a header's value that are kept.
const LONGEST_VALUE: usize = 500;
/// Headers kept, apart from those of the platforms.
const KEPT: [&str; 3] = ["content-type", "user-agent", "x-request-id"];

/// Verifies what came and keeps it.
///
/// # Errors
/// It is not known to be kept: the platform has to send it again.
pub async fn receive(app: &Arc<App>, parcel: Parcel) -> Result<Receipt, Failure> {
    let found = channel::by_code(app.store(), &parcel.channel).await?;
    let Some(found) = found.filter(|one| one.kind.has_webhooks() && one.status == SalesChannelStatus::Active) else {
        return Ok(Receipt::NoChannel);
    };
    if found.kind == ChannelKind::Woocommerce && is_ping(&parcel) {
        return Ok(Receipt::Ping);
    }
    let now = app.clock.now();
    let secrets: Vec<ChannelSecretId> =
        found.secrets.iter().filter(|secret| secret.counts_at(now)).map(|secret| secret.id).collect();
    let keys = channel::keys(app.store(), &secrets).await?;
    let words = Words::of(found.kind);
    let signature = words.value(&parcel.headers, words.signature).and_then(|text| STANDARD.decode(text).ok());
    if !signature.is_some_and(|signature| is_signed(&keys, &parcel.body, &signature)) {
        tracing::warn!(channel = found.code, "a delivery was not signed with a secret of its channel");
        return Ok(Receipt::NotSigned);
    }
    let incoming = incoming(app, &found, &words, parcel);
    let id = incoming.id;
    Ok(if channel::keep(app.store(), incoming).await? { Receipt::Kept(id) } else { Receipt::Known })
}

/// Is it signed with one of the keys? Compared in a time that does not depend on where they differ.
fn is_signed(keys: &[SecretKey], body: &[u8], signature: &[u8]) -> bool {
    keys.iter().any(|key| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.0.as_bytes());
        hmac::verify(&key, body, signature).is_ok()
    })
}

/// When a webhook is set up, WooCommerce sends its number as a form, without a signature, and wants 200. There
/// is nothing in it to be kept.
fn is_ping(parcel: &Parcel) -> bool {
    let number = parcel.body.strip_prefix(b"webhook_id=");
    number.is_some_and(|number| !number.is_empty() && number.len() < 20 && number.iter().all(u8::is_ascii_digit))
}

/// The names of a platform's headers.
struct Words {
    /// What all of them begin with; newer deliveries leave the first two letters out.
    prefix: &'static str,
    signature: &'static str,
    topic: &'static str,
    /// What a delivery is known by, the first that is there.
    numbers: &'static [&'static str],
}

impl Words {
    fn of(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Woocommerce => {
                Self { prefix: "x-wc-webhook-", signature: "signature", topic: "topic", numbers: &["delivery-id"] }
            }
            _ => Self {
                prefix: "x-shopify-",
                signature: "hmac-sha256",
                topic: "topic",
                numbers: &["webhook-id", "event-id"],
            },
        }
    }

    fn value<'a>(&self, headers: &'a Headers, name: &str) -> Option<&'a str> {
        let long = format!("{}{name}", self.prefix);
        let found = headers.get(&long).or_else(|| headers.get(long.trim_start_matches("x-")));
        found.map(String::as_str).filter(|value| !value.is_empty())
    }

    fn keeps(&self, name: &str) -> bool {
        let is_platforms = name.starts_with(self.prefix) || name.starts_with(self.prefix.trim_start_matches("x-"));
        KEPT.contains(&name) || (is_platforms && !name.ends_with(self.signature))
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).take(LONGEST_VALUE).collect()
}

fn incoming(app: &App, found: &SalesChannel, words: &Words, parcel: Parcel) -> Incoming {
    let number = words.numbers.iter().find_map(|name| words.value(&parcel.headers, name)).map(short);
    let topic = words.value(&parcel.headers, words.topic).map(short).unwrap_or_default();
    let digest = format!("{:.32x}", Sha256::digest(&parcel.body));
    let recognized_by = match (found.kind, &number) {
        // Shopify's number is the same on every retry and of this delivery alone.
        (ChannelKind::Shopify, Some(number)) => number.clone(),
        // WooCommerce's is made of the webhook's number and the second: two orders of the same second have the same.
        (_, Some(number)) => format!("{number} {digest}"),
        (_, None) => format!("{topic} {digest}"),
    };
    let headers = parcel.headers.iter().filter(|(name, _)| words.keeps(name));
    Incoming {
        id: (app.new_id)().into(),
        channel_id: found.id,
        recognized_by,
        delivery_number: number,
        topic,
        headers: headers.map(|(name, value)| Header { name: name.clone(), value: short(value) }).collect(),
        body: parcel.body,
        received_at: app.clock.now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Published vectors, and those computed for the published bodies.
    #[test]
    fn signatures_agree_with_published_ones() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/webhooks/");
        let read = |name: &str| std::fs::read(format!("{folder}{name}")).unwrap();
        let vectors: Value = serde_json::from_slice(&read("hmac_vectors.json")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let check = |secret: &str, body: &[u8], signature: &str| {
            let keys = [SecretKey("another".to_owned()), SecretKey(secret.to_owned())];
            let signature = STANDARD.decode(signature).unwrap();
            assert!(is_signed(&keys, body, &signature));
            assert!(!is_signed(&keys[..1], body, &signature));
            assert!(!is_signed(&keys, &[body, b" "].concat(), &signature));
            assert!(!is_signed(&keys, body, &signature[1..]));
        };
        let published = vectors["published"].as_array().unwrap();
        assert_eq!(published.len(), 2);
        for one in published {
            check(&text(&one["secret"]), text(&one["body"]).as_bytes(), &text(&one["base64"]));
        }
        let own = &vectors["computed_here_over_the_exact_file_bytes"];
        let mut checked = 0;
        for (name, signature) in own["base64"].as_object().unwrap() {
            if std::path::Path::new(&format!("{folder}{name}")).exists() {
                check(&text(&own["secret"]), &read(name), &text(signature));
                checked += 1;
            }
        }
        assert!(checked >= 7, "{checked} bodies");
    }

    #[test]
    fn only_a_ping_is_a_ping() {
        let parcel =
            |body: &str| Parcel { channel: String::new(), headers: Headers::new(), body: body.as_bytes().to_vec() };
        assert!(is_ping(&parcel("webhook_id=142")));
        for body in ["webhook_id=", "webhook_id=1&x=2", "{}", "", "webhook_id=99999999999999999999"] {
            assert!(!is_ping(&parcel(body)), "{body}");
        }
    }
}
