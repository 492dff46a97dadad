use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

#[tokio::test]
async fn half_open_and_idle_connections_end() {
    let server = Running::with(|settings| settings.header_seconds = 1).await;
    for text in ["", "GET /livez HTTP/1.1\r\nhost:", "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(3), reading).await.expect("closed").unwrap();
    }
}

#[tokio::test]
async fn connections_are_bounded_and_given_back() {
    let server = Running::with(|settings| settings.connections = 2).await;
    let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let idle = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let refused = reqwest::get(server.url("/livez")).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(idle);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(reqwest::get(server.url("/livez")).await.unwrap().status(), 200);
    drop(socket);
}

/// Thousands that come back at once find room to wait, before the server has taken any of them.
#[tokio::test]
async fn many_may_wait_to_be_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let key = DemoKey::load_or_create(folder.path()).unwrap();
    let edge = Edge::new(super::puppet::Puppet::default(), Authenticator::from_demo_key(&key).unwrap());
    let server = edge.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let waiting = futures::future::join_all((0..1_000).map(|_| TcpStream::connect(address)));
    let waiting = tokio::time::timeout(Duration::from_millis(900), waiting).await.expect("nobody tries again");
    assert!(waiting.iter().all(Result::is_ok));
}

#[tokio::test]
async fn stops_although_a_request_hangs() {
    let server = Running::with(|settings| settings.drain_seconds = 1).await;
    let hanging = server.post(json!({"query": "{ nap(milliseconds: 20000) }"}));
    let url = server.url("/livez");
    let stop = server.stop.clone();
    tokio::select! {
        _ = hanging => panic!("answered"),
        () = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
        } => {}
    }
    stop.cancel();
    assert!(!server.stop().await, "the nap did not end");
}
