//! A client of several nodes that takes no single node's word for an end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::actor::document;

/// Somebody with a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub token: String,
}

/// How long something may be retried.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    pub fn new(token: String) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(4)).build().expect("a client");
        Self { http, token }
    }

    /// Would the same be answered the next time?
    fn is_final(answer: &Result<Value, String>) -> bool {
        let code = answer.as_ref().ok().and_then(|answer| answer["errors"][0]["extensions"]["code"].as_str());
        code.is_some_and(|code| !["TIMEOUT", "UNAVAILABLE", "INTERNAL", "RESOURCE_EXHAUSTED"].contains(&code))
    }

    /// Asks one node once. An error is what kept it from answering.
    pub async fn ask(&self, node: SocketAddr, document: &str, variables: &Value) -> Result<Value, String> {
        let response = self
            .http
            .post(format!("http://{node}/graphql"))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(json!({ "query": document, "variables": variables }).to_string())
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response.text().await.map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|_| format!("{status}: {text}"))
    }

    /// Performs a mutation once, whatever happens to nodes meanwhile: repeats it under one key, at
    /// one node after the other, until it is answered.
    pub async fn does(&self, nodes: &[SocketAddr], field: &str, mut input: Value) -> Value {
        input["idempotencyKey"] = json!(uuid::Uuid::now_v7().to_string());
        let (document, variables) = (document(field), json!({ "input": input }));
        let begun = Instant::now();
        for node in nodes.iter().cycle() {
            match self.ask(*node, &document, &variables).await {
                Ok(answer) if answer["errors"].is_null() => {
                    let payload = answer["data"][field].clone();
                    assert_eq!(payload["userErrors"], json!([]), "{field} {input}");
                    return payload;
                }
                other => assert!(
                    begun.elapsed() < PATIENCE && !Self::is_final(&other),
                    "{field} {input} does not succeed: {other:?}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("there is at least one node")
    }

    /// Asks until a node answers without errors.
    pub async fn data(&self, nodes: &[SocketAddr], document: &str, variables: Value) -> Value {
        let begun = Instant::now();
        for node in nodes.iter().cycle() {
            match self.ask(*node, document, &variables).await {
                Ok(answer) if answer["errors"].is_null() => return answer["data"].clone(),
                other => assert!(
                    begun.elapsed() < PATIENCE && !Self::is_final(&other),
                    "{document} is not answered: {other:?}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("there is at least one node")
    }

    /// The newest cursor for this client.
    pub async fn cursor(&self, nodes: &[SocketAddr]) -> String {
        let data = self.data(nodes, "{ eventCursor }", json!({})).await;
        data["eventCursor"].as_str().expect("a cursor").to_owned()
    }
}
