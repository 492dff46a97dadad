//! How much one client, one caller and all together may have.

use serde_json::json;

use super::client::{Client, PROTOCOL};
use super::puppet::Puppet;
use super::*;

#[tokio::test]
async fn a_caller_has_so_many_sockets() {
    let (_, server) = Puppet::serve(|settings| settings.socket.per_caller = 2).await;
    let ada = server.token(60);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::open(&server).await;
        client.introduce(Some(&ada)).await;
        clients.push(client);
    }
    let payload = json!({"authorization": format!("Bearer {ada}")});
    let mut third = Client::open(&server).await;
    third.send(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(third.closed().await, (1013, "Too many sockets".to_owned()));

    // Others are not concerned, nor those without a name.
    let mut bob = Client::open(&server).await;
    bob.introduce(Some(&server.token_of("bob", 60))).await;
    let mut nobody = Vec::new();
    for _ in 0..3 {
        nobody.push(Client::ready(&server).await);
    }

    drop(clients.pop());
    while server.counters.open(Transport::Socket) > 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut again = Client::open(&server).await;
    again.introduce(Some(&ada)).await;
}

#[tokio::test]
async fn a_caller_has_so_many_streams() {
    let (_, server) = Puppet::serve(|settings| settings.streams_per_caller = 1).await;
    let open = |accept: &'static str, subject: &'static str| {
        reqwest::Client::new()
            .post(server.url("/graphql"))
            .header("accept", accept)
            .bearer_auth(server.token_of(subject, 60))
            .json(&json!({"query": "subscription { a }"}))
            .send()
    };
    let first = open("text/event-stream", "ada").await.unwrap();
    assert_eq!(first.status(), 200);
    let second = open("multipart/mixed;subscriptionSpec=1.0", "ada").await.unwrap();
    assert_eq!((second.status().as_u16(), second.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert!(second.text().await.unwrap().contains(r#""code":"LIMIT""#));
    assert_eq!(open("text/event-stream", "bob").await.unwrap().status(), 200);
    assert_eq!(server.counters.open(Transport::Multipart), 0);
    drop(first);
    while server.counters.open(Transport::EventStream) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(open("multipart/mixed;subscriptionSpec=1.0", "ada").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_node_has_so_many_sockets_and_still_answers_requests() {
    let (_, server) = Puppet::serve(|settings| settings.socket.per_node = 1).await;
    let first = Client::ready(&server).await;
    let refused = Client::connect(&server, &[PROTOCOL]).await.err().unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(reqwest::get(server.url("/livez")).await.unwrap().status(), 200);
    first.ended().await;
}

#[tokio::test]
async fn a_socket_has_so_many_operations() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::ready(&server).await;
    for id in 0..101 {
        client.subscribe(&id.to_string(), "subscription { a }").await;
    }
    let refused = client.next().await;
    assert_eq!((refused["id"].as_str(), refused["type"].as_str()), (Some("100"), Some("error")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "LIMIT");
    client.send(json!({"type": "complete", "id": "7"})).await;
    client.subscribe("100", "subscription { a }").await;
    puppet.until_opened(101).await;
    assert!(!puppet.is_open(7) && puppet.is_open(100));
}
