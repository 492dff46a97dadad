//! A subscription over `graphql-transport-ws`.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Actor;

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One operation on a socket of its own. Dropping it cuts the connection without a farewell.
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Subscription {
    pub async fn begin(actor: &Actor, document: &str, variables: Value) -> Self {
        let mut request = format!("ws://{}/graphql", actor.world.address).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
        let (socket, _) = connect_async(request).await.expect("a socket");
        let mut subscription = Self { socket };
        let payload =
            actor.token.as_ref().map_or(json!({}), |token| json!({ "authorization": format!("Bearer {token}") }));
        subscription.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(subscription.message().await["type"], "connection_ack");
        subscription
            .send(json!({
                "id": "1",
                "type": "subscribe",
                "payload": { "query": document, "variables": variables }
            }))
            .await;
        subscription
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("sent");
    }

    /// The next message of the protocol, pings aside.
    async fn message(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("a message in time")
                .expect("an open socket")
                .expect("a frame");
            let Message::Text(text) = frame else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["type"] == "ping" {
                self.send(json!({ "type": "pong" })).await;
            } else {
                return message;
            }
        }
    }

    /// The next answer, whether data or errors.
    pub async fn answer(&mut self) -> Value {
        let message = self.message().await;
        assert!(message["type"] == "next" || message["type"] == "error", "{message}");
        message["payload"].clone()
    }

    /// The data of the next answer.
    pub async fn next(&mut self) -> Value {
        let answer = self.answer().await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    /// What comes until a message of which this holds, itself included.
    pub async fn until(&mut self, last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().await;
            let ends = last(&message);
            messages.push(message);
            if ends {
                return messages;
            }
        }
    }

    /// The code the server closes the socket with.
    pub async fn closed(&mut self) -> u16 {
        let begun = std::time::Instant::now();
        loop {
            let frame = tokio::time::timeout(PATIENCE.saturating_sub(begun.elapsed()), self.socket.next());
            match frame.await.expect("a farewell in time").expect("a farewell").expect("a frame") {
                Message::Close(Some(farewell)) => return farewell.code.into(),
                Message::Text(text) if text.contains("\"ping\"") => self.send(json!({ "type": "pong" })).await,
                _ => {}
            }
        }
    }

    /// Nothing comes for a while.
    pub async fn is_quiet(&mut self) {
        let pause = tokio::time::timeout(Duration::from_millis(600), self.message()).await;
        assert!(pause.is_err(), "unexpected: {pause:?}");
    }
}
