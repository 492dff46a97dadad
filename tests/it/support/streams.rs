//! Readers of answers that come bit by bit: event streams, and responses in parts.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

/// An answer as it comes.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    response: reqwest::Response,
    text: String,
}

/// What is asked, and how.
pub struct Ask<'a> {
    pub token: &'a str,
    pub path: &'a str,
    pub accept: &'a str,
    pub last_event_id: Option<&'a str>,
    pub document: &'a str,
    pub variables: Value,
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl Event {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Answer {
    pub async fn of(node: SocketAddr, ask: Ask<'_>) -> Self {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let mut request = client
            .post(format!("http://{node}{}", ask.path))
            .bearer_auth(ask.token)
            .header("accept", ask.accept)
            .header("content-type", "application/json")
            .body(json!({ "query": ask.document, "variables": ask.variables }).to_string());
        if let Some(id) = ask.last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("an answer");
        let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = header.unwrap_or_default().to_owned();
        Self { status: response.status().as_u16(), content_type, response, text: String::new() }
    }

    /// Text up to and without a separator; nothing when the answer has ended or nothing came in time.
    async fn until(&mut self, separator: &str, patience: Duration) -> Option<String> {
        let reading = async {
            loop {
                if let Some((piece, rest)) = self.text.split_once(separator) {
                    let (piece, rest) = (piece.to_owned(), rest.to_owned());
                    self.text = rest;
                    return Some(piece);
                }
                let chunk = self.response.chunk().await.ok()??;
                self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
            }
        };
        tokio::time::timeout(patience, reading).await.ok()?
    }

    /// The next event that has a name; comments and mere ids aside.
    pub async fn event(&mut self, patience: Duration) -> Option<Event> {
        loop {
            let block = self.until("\n\n", patience).await?;
            let mut event = Event::default();
            for line in block.lines() {
                match line.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value))) {
                    Some(("event", name)) => event.name = name.to_owned(),
                    Some(("id", id)) => event.id = Some(id.to_owned()),
                    Some(("data", data)) => event.data.push_str(data),
                    Some(("", _)) => {}
                    _ => panic!("no line of an event stream: {line:?}"),
                }
            }
            if !event.name.is_empty() {
                return Some(event);
            }
        }
    }

    /// The body of the next part; nothing when no more follows or nothing came in time.
    pub async fn part(&mut self, patience: Duration) -> Option<Value> {
        let boundary = self.content_type.split("boundary=").nth(1).expect("a boundary");
        let boundary = format!("\r\n--{}", boundary.split(';').next().expect("a boundary").trim_matches('"'));
        loop {
            let piece = self.until(&boundary, patience).await?;
            // Before the first boundary there is nothing.
            if let Some((head, body)) = piece.split_once("\r\n\r\n") {
                assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head:?}");
                return Some(serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body:?}")));
            }
        }
    }
}
