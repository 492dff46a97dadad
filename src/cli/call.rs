//! Calls of the API over HTTP.

use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

/// How often a call is tried when the server has too much to do.
const ATTEMPTS: u32 = 6;
/// The first pause between two tries; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);
/// A server may take this long to answer; its own limit for an operation is 30 seconds.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// Where a caller's operations go: to a server, with a token.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// Shared by all callers, so that connections are.
    pub(super) client: reqwest::Client,
    /// Address of the API.
    pub(super) url: reqwest::Url,
    /// The caller's token.
    pub(super) token: String,
}

/// Why a call brought no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Fault {
    /// The code of the first error; `UNREACHABLE` when nobody answered.
    pub(super) code: String,
    /// What is wrong, in words.
    pub(super) message: String,
}

/// The code of a fault when nobody answered.
pub(super) const UNREACHABLE: &str = "UNREACHABLE";

impl Fault {
    /// May the same call succeed a moment later?
    fn passes(&self) -> bool {
        matches!(self.code.as_str(), "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "TIMEOUT" | UNREACHABLE)
    }
}

/// A reason in `userErrors` why nothing was done.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UserError {
    /// The stable code.
    pub(super) code: String,
    /// What is wrong, in words.
    pub(super) message: String,
    /// Where in the input.
    pub(super) path: Option<Vec<String>>,
}

/// A client for a server; `direct` when no proxy can stand before it.
pub(super) fn client(direct: bool) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder().timeout(LONGEST_CALL).redirect(reqwest::redirect::Policy::none());
    if direct {
        builder = builder.no_proxy();
    }
    builder.build().context("no HTTP client could be made")
}

/// The address of the API on a server; its path may be left out.
pub(super) fn api_url(text: &str) -> anyhow::Result<reqwest::Url> {
    let mut url: reqwest::Url = text.parse().with_context(|| format!("{text} is no address"))?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host(),
        "{text} is no address of a server: it begins with http:// or https://"
    );
    if url.path() == "/" {
        url.set_path("/graphql");
    }
    Ok(url)
}

impl Endpoint {
    /// Performs an operation; again, after a pause, while the server has too much to do. Whatever is
    /// sent this way must have one effect however often it arrives.
    pub(super) async fn call(&self, document: &str, variables: &Value) -> Result<Value, Fault> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(document, variables).await {
                Err(fault) if fault.passes() => tokio::time::sleep(pause).await,
                outcome => return outcome,
            }
            pause *= 2;
        }
        self.once(document, variables).await
    }

    async fn once(&self, document: &str, variables: &Value) -> Result<Value, Fault> {
        let request = self
            .client
            .post(self.url.clone())
            .bearer_auth(&self.token)
            .json(&json!({"query": document, "variables": variables}));
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(unreachable)?;
        match serde_json::from_slice(&body) {
            Ok(answer) => data(answer),
            Err(_) if status == reqwest::StatusCode::SERVICE_UNAVAILABLE => {
                Err(fault("UNAVAILABLE", "The server is busy."))
            }
            Err(_) => Err(Fault {
                code: UNREACHABLE.to_owned(),
                message: format!("{} answers {status} without GraphQL", self.url),
            }),
        }
    }
}

fn fault(code: &str, message: &str) -> Fault {
    Fault { code: code.to_owned(), message: message.to_owned() }
}

fn unreachable(error: reqwest::Error) -> Fault {
    // The causes say more than the error: "connection refused" rather than "sending failed".
    fault(UNREACHABLE, &format!("{:#}", anyhow::Error::from(error.without_url())))
}

/// The data of an answer without errors, or the first error.
fn data(mut answer: Value) -> Result<Value, Fault> {
    if let Some(first) = answer.pointer("/errors/0") {
        let text = |pointer: &str| first.pointer(pointer).and_then(Value::as_str);
        return Err(fault(text("/extensions/code").unwrap_or("INTERNAL"), text("/message").unwrap_or("no message")));
    }
    match answer.get_mut("data").map(Value::take) {
        Some(data) if data.is_object() => Ok(data),
        _ => Err(fault(UNREACHABLE, "the answer has no data")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_the_path() {
        let url = |text| api_url(text).map(|url| url.to_string());
        assert_eq!(url("http://127.0.0.1:8080").ok().as_deref(), Some("http://127.0.0.1:8080/graphql"));
        assert_eq!(
            url("https://orders.example/api/graphql").ok().as_deref(),
            Some("https://orders.example/api/graphql")
        );
        assert!(url("orders.example").is_err());
        assert!(url("file:///etc/passwd").is_err());
    }

    #[test]
    fn an_error_comes_before_data() {
        let answer = json!({
            "data": {"order": null},
            "errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}],
        });
        assert_eq!(data(answer), Err(fault("FORBIDDEN", "no")));
        assert_eq!(data(json!({"data": {"a": 1}})).ok(), Some(json!({"a": 1})));
        assert!(data(json!({})).is_err());
    }
}
