//! How a server stops.

use std::time::Instant;

use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use super::client::{Client, PROTOCOL};
use super::*;

#[tokio::test]
async fn drains_in_order() {
    let server = Running::with(|settings| {
        settings.drain_notice_seconds = Some(1);
        settings.drain_spread_milliseconds = 500;
    })
    .await;
    let http = reqwest::Client::new();
    assert_eq!(http.get(server.url("/readyz")).send().await.unwrap().status(), 200);
    let mut socket = Client::ready(&server).await;
    let mut stream = http
        .post(server.url("/graphql/stream"))
        .json(&json!({"query": "subscription { count(to: 1000, milliseconds: 50) }"}))
        .send()
        .await
        .unwrap();
    let running = http.post(server.url("/graphql")).json(&json!({"query": "{ nap(milliseconds: 2000) }"})).send();
    let running = tokio::spawn(running);
    let abandoned = http
        .post(server.url("/graphql"))
        .json(&json!({"query": "mutation { touch }"}))
        .timeout(Duration::from_millis(50))
        .send();
    assert!(abandoned.await.is_err());

    let started = Instant::now();
    server.stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Whoever has not noticed yet is still served, by this connection and by new ones.
    assert_eq!(http.get(server.url("/readyz")).send().await.unwrap().status(), 503);
    for client in [&http, &reqwest::Client::new()] {
        let response = client.post(server.url("/graphql")).json(&json!({"query": "{ hello }"})).send().await.unwrap();
        assert_eq!(response.headers()["connection"], "close", "no further request comes this way");
        assert_eq!(response.json::<Json>().await.unwrap()["data"]["hello"], "world");
    }
    // But nothing begins that would have to end at once.
    let refused = Client::connect(&server, &[PROTOCOL]).await.err().unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    for accept in ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"] {
        let refused = http
            .post(server.url("/graphql"))
            .header("accept", accept)
            .json(&json!({"query": "subscription { count(to: 1) }"}))
            .send()
            .await
            .unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        assert_eq!(refused.json::<Json>().await.unwrap()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    }

    assert_eq!(socket.closed().await, (1012, "Service restart".to_owned()));
    let mut events = String::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        events.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(events.contains("event: next") && !events.contains("complete"), "the client shall come again");
    assert!(started.elapsed() < Duration::from_millis(1_000));

    assert_eq!(running.await.unwrap().unwrap().status(), 200);
    let traces = Arc::clone(&server.traces);
    let address = server.address;
    assert!(server.ended.await.unwrap(), "everything ended");
    assert!(started.elapsed() >= Duration::from_millis(1_500), "the request in flight was awaited");
    assert_eq!(traces.touched.load(Ordering::SeqCst), 1, "the operation ran to its end");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_server_without_streams_stops_at_once() {
    let server = Running::with(|settings| settings.drain_spread_milliseconds = 10_000).await;
    let started = Instant::now();
    assert!(server.stop().await);
    assert!(started.elapsed() < Duration::from_millis(500));
}
