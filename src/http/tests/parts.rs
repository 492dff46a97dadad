//! Subscriptions in parts of one response, and what ends those responses and event streams.

use serde_json::{Value as Json, json};

use super::puppet::Puppet;
use super::*;

const PARTS: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0, application/json";

async fn ask(server: &Running, accept: &str, query: &str) -> reqwest::Response {
    reqwest::Client::new()
        .post(server.url("/graphql"))
        .header("accept", accept)
        .json(&json!({"query": query}))
        .send()
        .await
        .unwrap()
}

/// The parts of a response that has ended, and whether it was closed.
fn parts(text: &str) -> (Vec<Json>, bool) {
    let (text, closed) = match text.strip_suffix("\r\n--graphql--\r\n") {
        Some(text) => (text, true),
        None => (text.strip_suffix("\r\n--graphql").unwrap(), false),
    };
    let parts = text
        .split("\r\n--graphql")
        .filter(|part| !part.is_empty())
        .map(|part| {
            let body = part.strip_prefix("\r\nContent-Type: application/json\r\n\r\n").unwrap();
            serde_json::from_str(body).unwrap()
        })
        .filter(|part| *part != json!({}))
        .collect();
    (parts, closed)
}

#[tokio::test]
async fn results_come_in_parts() {
    let server = Running::start().await;
    for accept in [PARTS, "multipart/mixed;subscriptionSpec=\"1.0\", application/json"] {
        let response = ask(&server, accept, "subscription { count(to: 2) }").await;
        let content_type = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(content_type, "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0");
        let (parts, closed) = parts(&response.text().await.unwrap());
        let part = |n: i32| {
            let cursor = n.to_string();
            json!({"payload": {"data": {"count": n}, "extensions": {"cursor": cursor}}})
        };
        assert_eq!((parts, closed), (vec![part(1), part(2)], true));
    }
    for (query, code) in
        [("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"), ("subscription { closed }", "INTERNAL")]
    {
        let (parts, closed) = parts(&ask(&server, PARTS, query).await.text().await.unwrap());
        assert_eq!((parts.len(), closed), (1, true), "{query}");
        assert_eq!(parts[0]["payload"]["errors"][0]["extensions"]["code"], code);
    }
    server.until_no_streams().await;
    assert_eq!(server.counters.messages(Transport::Multipart), 4);
}

#[tokio::test]
async fn what_is_no_subscription_is_answered_in_one_piece() {
    let server = Running::start().await;
    for (query, pointer, expected) in [
        ("{ hello }", "/data/hello", "world"),
        ("{", "/errors/0/extensions/code", "GRAPHQL_PARSE_FAILED"),
        ("subscription { a b }", "/errors/0/extensions/code", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let response = ask(&server, PARTS, query).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        let body: Json = response.json().await.unwrap();
        assert_eq!(body.pointer(pointer).unwrap(), expected, "{query}");
    }
    // Who takes nothing else gets even that in parts.
    let (parts, closed) =
        parts(&ask(&server, "multipart/mixed;subscriptionSpec=1.0", "{ hello }").await.text().await.unwrap());
    assert_eq!((&parts[0]["payload"]["data"], closed), (&json!({"hello": "world"}), true));
}

/// What a backend says when it ends a connection, and what the two kinds of responses make of it.
#[tokio::test]
async fn the_backend_ends_a_response() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let revoked = Message::Close(super::super::Farewell::AccessRevoked);
    let slow = Message::Close(super::super::Farewell::SlowConsumer);
    let mut texts = Vec::new();
    for (index, (accept, farewell)) in
        [("text/event-stream", &revoked), ("text/event-stream", &slow), (PARTS, &revoked), (PARTS, &slow)]
            .into_iter()
            .enumerate()
    {
        let response = ask(&server, accept, "subscription { a }").await;
        puppet.until_opened(index + 1).await;
        puppet.next(index, json!(1));
        puppet.send(index, farewell.clone());
        puppet.next(index, json!(2));
        texts.push(response.text().await.unwrap());
        assert!(!puppet.is_open(index));
    }
    assert!(texts.iter().all(|text| text.contains(r#"{"data":1}"#) && !text.contains(r#"{"data":2}"#)), "{texts:?}");
    assert!(texts[0].contains(r#""code":"FORBIDDEN""#) && texts[0].ends_with("event: complete\ndata:\n\n"));
    assert!(!texts[1].contains("complete") && !texts[1].contains("error"), "the client shall come again");
    let (revoked, closed) = parts(&texts[2]);
    assert_eq!((&revoked[1]["payload"], closed), (&Json::Null, true));
    assert_eq!(revoked[1]["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let (slow, closed) = parts(&texts[3]);
    assert_eq!((slow.len(), closed), (1, false), "an end that the client takes for a broken connection");
}
