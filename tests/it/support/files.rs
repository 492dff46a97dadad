//! Files of orders, handed in and followed to their end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Actor;
use super::actor::text;

/// An answer to a file that is sent or fetched.
#[derive(Debug)]
pub struct Transfer {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub kind: String,
}

impl Transfer {
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("UTF-8")
    }
}

/// What is asked of an import.
const IMPORT: &str = "id version status dryRun errorPolicy layout reason faultsUrl \
    counts { rows orders handled taken duplicates refused faults } \
    faults(first: 100) { totalCount nodes { row column code message } }";

impl Actor {
    /// Sends a file.
    pub async fn upload(&self, query: &str, bytes: impl Into<Vec<u8>>) -> Transfer {
        let address = format!("http://{}/imports?{query}", self.world.address);
        self.transfer(self.world.http.post(address).body(bytes.into())).await
    }

    /// Fetches a file.
    pub async fn fetch(&self, path: &str) -> Transfer {
        self.transfer(self.world.http.get(format!("http://{}{path}", self.world.address))).await
    }

    async fn transfer(&self, mut request: reqwest::RequestBuilder) -> Transfer {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
        let (status, kind) = (response.status().as_u16(), kind.unwrap_or_default());
        Transfer { status, bytes: response.bytes().await.expect("bytes").to_vec(), kind }
    }

    /// Sends a file that is taken in, and gives its import's id.
    pub async fn uploaded(&self, query: &str, bytes: impl Into<Vec<u8>>) -> String {
        let sent = self.upload(query, bytes).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        text(&sent.body()["id"])
    }

    /// The import as it is now.
    pub async fn import(&self, id: &str) -> Value {
        let document = format!("query($id: ID!) {{ importBatch(id: $id) {{ {IMPORT} }} }}");
        self.data(&document, json!({ "id": id })).await["importBatch"].clone()
    }

    /// The import when it no longer runs.
    pub async fn import_at_rest(&self, id: &str) -> Value {
        let begun = Instant::now();
        loop {
            let import = self.import(id).await;
            if import["status"] != "RUNNING" {
                return import;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not end: {import}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends a file, takes its orders, and gives the import when it is over.
    pub async fn imported(&self, query: &str, bytes: impl Into<Vec<u8>>, policy: &str) -> Value {
        let id = self.uploaded(query, bytes).await;
        self.does("importOrders", json!({ "importBatchId": id, "errorPolicy": policy })).await;
        self.import_at_rest(&id).await
    }
}

/// Rows, orders, handled, taken, duplicates, refused, faults.
pub fn counts(import: &Value) -> [i64; 7] {
    ["rows", "orders", "handled", "taken", "duplicates", "refused", "faults"]
        .map(|name| import["counts"][name].as_i64().expect(name))
}

/// Row, column and code of each fault.
pub fn faults(import: &Value) -> Vec<(i64, String, String)> {
    let nodes = import["faults"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes
        .iter()
        .map(|fault| (fault["row"].as_i64().expect("a row"), text(&fault["column"]), text(&fault["code"])))
        .collect()
}
