//! A subscriber that reads when it likes.

use std::net::SocketAddr;

use futures::SinkExt;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::watcher::{Incident, next_of};

/// A socket whose own side of the connection holds little.
pub struct Narrow {
    socket: WebSocketStream<TcpStream>,
}

impl Narrow {
    pub async fn connect(node: SocketAddr, token: &str) -> Self {
        let tcp = TcpSocket::new_v4().expect("a socket");
        tcp.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let tcp = tcp.connect(node).await.expect("connected");
        let mut request = format!("ws://{node}/graphql").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
        let (socket, _) = tokio_tungstenite::client_async(request, tcp).await.expect("a socket");
        let mut narrow = Self { socket };
        let payload = json!({ "authorization": format!("Bearer {token}") });
        narrow.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(narrow.next().await.expect("an answer")["type"], "connection_ack");
        narrow
    }

    pub async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("sent");
    }

    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({ "query": document, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// The next message of the protocol.
    pub async fn next(&mut self) -> Result<Value, Incident> {
        next_of(&mut self.socket).await
    }
}
