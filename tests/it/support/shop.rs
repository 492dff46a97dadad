//! A shop that delivers webhooks over a channel of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::World;
use super::actor::text;

/// A channel, and what signs its deliveries.
pub struct Shop {
    world: Arc<World>,
    pub id: String,
    pub code: String,
    pub secret: String,
    is_shopify: bool,
}

/// What the tests ask of a delivery.
const DELIVERY: &str =
    "id topic deliveryNumber outcome remark reference attempts processedBy { subject } order { id number status }";

/// A published body.
pub fn body(name: &str) -> String {
    let path = format!("{}/fixtures/webhooks/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a published body")
}

/// A published body with some of its fields changed.
pub fn changed(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(&body(name)).expect("JSON");
    change(&mut body);
    body.to_string()
}

/// How a shop's orders are taken in, unless a test says otherwise.
pub fn settings() -> Value {
    json!({ "customerNumber": "C-1001", "currencyCode": "USD", "region": "NORTH", "leadTimeDays": 5 })
}

/// What opens a channel.
pub fn channel(kind: &str, code: &str, unit: &str) -> Value {
    json!({
        "code": code, "name": format!("Shop {code}"), "kind": kind, "channel": "E_COMMERCE", "unitId": unit,
        "secret": "test_secret_key", "settings": settings(),
    })
}

/// A header's name by the platform's words.
fn header(is_shopify: bool, name: &str) -> String {
    format!("{}{name}", if is_shopify { "X-Shopify-" } else { "X-WC-Webhook-" })
}

/// The signature of a body.
pub fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, body.as_bytes()))
}

impl World {
    /// The id of a unit of the demo group.
    pub async fn unit(self: &Arc<Self>, code: &str) -> String {
        let units = self.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
        let units = units["units"].as_array().expect("units").clone();
        text(&units.iter().find(|unit| unit["code"] == code).expect("the unit")["id"])
    }

    /// A shop on a platform, with changes to its settings.
    pub async fn shop(self: &Arc<Self>, kind: &str, code: &str, change: Value) -> Shop {
        let mut input = channel(kind, code, &self.unit("AUR").await);
        for (name, value) in change.as_object().expect("settings") {
            input["settings"][name] = value.clone();
        }
        let payload = self.actor(Role::Admin).does("createSalesChannel", input).await;
        Shop {
            world: self.clone(),
            id: text(&payload["channel"]["id"]),
            code: code.to_owned(),
            secret: "test_secret_key".to_owned(),
            is_shopify: kind == "SHOPIFY",
        }
    }
}

impl Shop {
    /// Posts something as it is, and gives the status.
    pub async fn post(&self, headers: &[(&str, &str)], body: &str) -> u16 {
        let url = format!("http://{}/intake/{}", self.world.address, self.code);
        let mut request = self.world.http.post(url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").status().as_u16()
    }

    /// Delivers a signed body, and gives the status.
    pub async fn deliver(&self, topic: &str, number: &str, body: &str) -> u16 {
        let signed = signature(&self.secret, body);
        let named = |name: &str| header(self.is_shopify, name);
        let (signature, count) =
            if self.is_shopify { ("Hmac-Sha256", "Webhook-Id") } else { ("Signature", "Delivery-ID") };
        let (topic_name, signature_name, count_name) = (named("Topic"), named(signature), named(count));
        let headers = [
            ("content-type", "application/json"),
            (topic_name.as_str(), topic),
            (signature_name.as_str(), signed.as_str()),
            (count_name.as_str(), number),
        ];
        self.post(&headers, body).await
    }

    /// The deliveries with this number, once they are processed; the newest first.
    pub async fn deliveries(&self, number: &str) -> Vec<Value> {
        let begun = Instant::now();
        let document = format!(
            "query($id: ID!) {{ channelDeliveries(first: 100, filter: {{ channelId: $id }}) {{ nodes {{ {DELIVERY} }} }} }}"
        );
        loop {
            let data = self.world.actor(Role::Admin).data(&document, json!({ "id": self.id })).await;
            let nodes = data["channelDeliveries"]["nodes"].as_array().expect("deliveries").clone();
            let found: Vec<Value> = nodes.into_iter().filter(|one| one["deliveryNumber"] == number).collect();
            if found.iter().all(|one| one["outcome"] != "RECEIVED") {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "not processed: {found:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The only delivery with this number, once it is processed.
    pub async fn processed(&self, number: &str) -> Value {
        let mut found = self.deliveries(number).await;
        assert_eq!(found.len(), 1, "{number}: {found:?}");
        found.remove(0)
    }

    /// Delivers something that is kept, and waits for what comes of it.
    pub async fn outcome(&self, topic: &str, number: &str, body: &str) -> Value {
        assert_eq!(self.deliver(topic, number, body).await, 200);
        self.processed(number).await
    }

    /// Delivers an order that is taken in, and gives its id.
    pub async fn order(&self, topic: &str, number: &str, body: &str) -> String {
        let delivery = self.outcome(topic, number, body).await;
        assert_eq!(delivery["outcome"], "TAKEN_IN", "{delivery}");
        text(&delivery["order"]["id"])
    }
}
