//! A client for sockets.

use futures::SinkExt;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use super::*;

pub(super) const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

pub(super) type Headers<'list> = &'list [(&'static str, &'list str)];

pub(super) struct Client<S = MaybeTlsStream<TcpStream>>(pub(super) WebSocketStream<S>);

/// The status and headers of the answer that refuses a socket.
pub(super) type Refusal = tungstenite::http::Response<Option<Vec<u8>>>;

fn request(address: std::net::SocketAddr, headers: Headers<'_>) -> tungstenite::handshake::client::Request {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

fn outcome<S>(outcome: Result<(WebSocketStream<S>, Refusal), Error>) -> Result<Client<S>, Box<Refusal>> {
    match outcome {
        Ok((socket, _)) => Ok(Client(socket)),
        Err(Error::Http(response)) => Err(response),
        Err(other) => panic!("{other}"),
    }
}

impl Client {
    pub(super) async fn connect(server: &Running, headers: Headers<'_>) -> Result<Self, Box<Refusal>> {
        outcome(connect_async(request(server.address, headers)).await)
    }

    pub(super) async fn open(server: &Running) -> Self {
        Self::connect(server, &[PROTOCOL]).await.unwrap()
    }

    pub(super) async fn ready(server: &Running) -> Self {
        let mut client = Self::open(server).await;
        client.introduce(None).await;
        client
    }
}

impl Client<DuplexStream> {
    /// A client within the process.
    pub(super) async fn inside(server: &Running) -> Self {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        server.door.enter(theirs);
        Self::over(server, ours).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(super) async fn over(server: &Running, stream: S) -> Self {
        outcome(client_async(request(server.address, &[PROTOCOL]), stream).await).unwrap()
    }

    /// Says who it is and waits for the acknowledgement.
    pub(super) async fn introduce(&mut self, token: Option<&str>) {
        let payload = token.map(|token| json!({"authorization": format!("Bearer {token}")}));
        self.send(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(self.next().await, json!({"type": "connection_ack"}));
    }

    pub(super) async fn send(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(super) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn frame(&mut self) -> Message {
        // On a clock that is held, the wait for a ping is no time.
        tokio::time::timeout(Duration::from_secs(60), self.0.next()).await.unwrap().unwrap().unwrap()
    }

    pub(super) async fn next(&mut self) -> Json {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for the close frame: the texts that came before it, and its code and reason.
    pub(super) async fn until_closed(&mut self) -> (Vec<Json>, (u16, String)) {
        let mut texts = Vec::new();
        loop {
            match self.frame().await {
                Message::Text(text) => texts.push(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => {
                    let frame = frame.unwrap();
                    assert!(frame.reason.len() <= 123);
                    return (texts, (frame.code.into(), frame.reason.to_string()));
                }
                _ => {}
            }
        }
    }

    /// Waits for the close frame; its code and reason.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        self.until_closed().await.1
    }

    /// Waits for the end of the connection, however it comes.
    pub(super) async fn ended(mut self) {
        while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_secs(60), self.0.next()).await {}
    }
}
