use std::collections::HashMap;
use std::time::Instant;

use futures::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::client::{Client, PROTOCOL};
use super::*;

#[tokio::test]
async fn runs_several_operations() {
    let server = Running::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { count(to: 2) }").await;
    let next = |id: &str, count: i32| {
        json!({"id": id, "type": "next",
            "payload": {"data": {"count": count}, "extensions": {"cursor": count.to_string()}}})
    };
    assert_eq!(client.next().await, next("a", 1));
    assert_eq!(client.next().await, next("a", 2));
    assert_eq!(client.next().await, json!({"id": "a", "type": "complete"}));

    client.subscribe("b", "{ hello }").await;
    let answer = client.next().await;
    assert_eq!(answer["payload"]["data"], json!({"hello": "world"}));
    assert_eq!(client.next().await, json!({"id": "b", "type": "complete"}));

    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation { touch }", "METHOD_NOT_ALLOWED"),
        ("subscription { closed }", "INTERNAL"),
        ("{ boom }", "INTERNAL"),
    ] {
        client.subscribe("c", query).await;
        let answer = client.next().await;
        assert_eq!(answer["type"], "error", "{query}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(!answer.to_string().contains("secret"));
    }
    assert_eq!(server.traces.touched.load(Ordering::SeqCst), 0);

    client.subscribe("d", "subscription { boom }").await;
    assert_eq!(client.next().await["payload"]["data"], json!({"boom": 1}));
    let failed = client.next().await;
    assert_eq!(failed["type"], "error", "nothing follows");
    assert_eq!(failed["payload"][0]["extensions"]["code"], "INTERNAL");

    client.subscribe("e", "subscription { broken }").await;
    assert_eq!(client.next().await["payload"]["data"], json!({"broken": 1}));
    let failed = client.next().await;
    assert_eq!(failed["type"], "next");
    assert_eq!(failed["payload"]["errors"][0]["extensions"]["code"], "INTERNAL");
}

#[tokio::test]
async fn an_id_can_be_used_again_at_once() {
    let server = Running::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { count(to: 1000, milliseconds: 5) }").await;
    client.next().await;
    client.send(json!({"type": "complete", "id": "a"})).await;
    client.subscribe("a", "subscription { count(to: 3, milliseconds: 100) }").await;
    let mut second = Vec::new();
    loop {
        let message = client.next().await;
        if message["type"] == "complete" {
            break;
        }
        second.push(message["payload"]["data"]["count"].as_i64().unwrap());
    }
    // What the first one had sent before the server read its end may come before.
    assert!(second.ends_with(&[1, 2, 3]), "{second:?}");
    server.until_no_streams().await;
}

#[tokio::test]
async fn closes_with_the_right_codes() {
    let server = Running::with(|settings| {
        settings.socket.init_milliseconds = 300;
        settings.socket.ping_milliseconds = 200;
        settings.socket.pong_milliseconds = 200;
    })
    .await;
    assert_eq!(Client::open(&server).await.closed().await.0, 4408);

    let mut mute = Client::ready(&server).await;
    let started = Instant::now();
    assert_eq!(mute.closed().await.0, 4408);
    assert!((350..900).contains(&started.elapsed().as_millis()));

    let mut early = Client::open(&server).await;
    early.subscribe("a", "{ hello }").await;
    assert_eq!(early.closed().await.0, 4401);

    let mut twice = Client::ready(&server).await;
    twice.send(json!({"type": "connection_init"})).await;
    assert_eq!(twice.closed().await.0, 4429);

    let mut nonsense = Client::ready(&server).await;
    nonsense.0.send(Message::text("nonsense")).await.unwrap();
    assert_eq!(nonsense.closed().await.0, 4400);

    let mut large = Client::ready(&server).await;
    large.send(json!({"type": "ping", "payload": {"x": "x".repeat(70_000)}})).await;
    assert_eq!(large.closed().await.0, 4400);

    let mut duplicate = Client::ready(&server).await;
    duplicate.subscribe("a", "subscription { count(to: 9, milliseconds: 1000) }").await;
    duplicate.subscribe("a", "subscription { count(to: 9, milliseconds: 1000) }").await;
    assert_eq!(duplicate.closed().await.0, 4409);
    server.until_no_streams().await;

    // A client of the old protocol is told in its own terms, so that it can read why.
    for offer in ["graphql-ws", "graphql-ws, other"] {
        let mut other = Client::connect(&server, &[("sec-websocket-protocol", offer)]).await.unwrap();
        assert_eq!(other.closed().await, (4406, "Subprotocol not acceptable".to_owned()));
    }
    assert_eq!(Client::connect(&server, &[]).await.unwrap().closed().await.0, 4406);

    let mut binary = Client::ready(&server).await;
    binary.0.send(Message::Binary(Bytes::from_static(b"{}"))).await.unwrap();
    assert_eq!(binary.closed().await.0, 4400);

    let mut early = Client::open(&server).await;
    let payload = json!({"x": "x".repeat(5 * 1024)});
    early.send(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(early.closed().await, (4400, "Message too large".to_owned()));

    let mut duplicate = Client::ready(&server).await;
    let long = "错".repeat(42);
    duplicate.subscribe(&long, "subscription { count(to: 9, milliseconds: 1000) }").await;
    duplicate.subscribe(&long, "subscription { count(to: 9, milliseconds: 1000) }").await;
    let (code, reason) = duplicate.closed().await;
    assert_eq!(code, 4409);
    assert!(reason.starts_with("Subscriber for 错") && reason.ends_with('错'), "{reason}");

    let mut leaving = Client::ready(&server).await;
    leaving.0.close(None).await.unwrap();
    leaving.ended().await;
    let closed = server.counters.sockets_closed();
    assert_eq!((closed[&4400], closed[&4406], closed[&4409], closed[&1005]), (4, 3, 2, 1), "{closed:?}");
}

/// What is no WebSocket ends the client that sent it, and costs nobody else anything.
#[tokio::test]
async fn garbage_ends_that_client_alone() {
    let server = Running::start().await;
    let mut other = Client::ready(&server).await;
    other.subscribe("a", "subscription { count(to: 1000, milliseconds: 5) }").await;
    for (bytes, code) in [
        (&b"\xC1\x80\0\0\0\0"[..], 1002),
        (b"\x81\x01a", 1002),
        (b"\x88\x81\0\0\0\0a", 1002),
        (b"\x81\x81\0\0\0\0\xFF", 1007),
        (b"\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 4400),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ] {
        let mut socket = Client::ready(&server).await.0;
        let tokio_tungstenite::MaybeTlsStream::Plain(stream) = socket.get_mut() else { panic!("TLS") };
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer[0], 0x88, "{bytes:?}");
        assert_eq!(u16::from_be_bytes([answer[2], answer[3]]), code, "{bytes:?}");
    }
    for _ in 0..20 {
        assert_eq!(other.next().await["type"], "next");
    }
}

#[tokio::test]
async fn judges_tokens_and_origins() {
    let server = Running::start().await;
    let refused = Client::connect(&server, &[PROTOCOL, ("origin", "https://evil.example")]).await;
    assert_eq!(refused.err().unwrap().status(), 403);
    let own = format!("http://{}", server.address);
    assert!(Client::connect(&server, &[PROTOCOL, ("origin", &own)]).await.is_ok());

    let good = format!("Bearer {}", server.token(60));
    for (header, payload, expected) in [
        (None, None, Ok("nobody")),
        (Some(good.as_str()), None, Ok("ada")),
        (None, Some(json!({"authorization": good})), Ok("ada")),
        (Some("Bearer nonsense"), Some(json!({"Authorization": good})), Ok("ada")),
        (Some("Bearer nonsense"), None, Err("TOKEN_MALFORMED")),
        (Some(good.as_str()), Some(json!({"authorization": "Bearer x.y.z"})), Err("TOKEN_MALFORMED")),
        (None, Some(json!({"authorization": 7})), Err("TOKEN_MALFORMED")),
    ] {
        let mut headers = vec![PROTOCOL];
        headers.extend(header.map(|value| ("authorization", value)));
        let mut client = Client::connect(&server, &headers).await.unwrap();
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        match expected {
            Ok(subject) => {
                assert_eq!(client.next().await["type"], "connection_ack");
                client.subscribe("a", "{ who }").await;
                let answer = client.next().await;
                let who = answer["payload"]["data"]["who"].as_str().unwrap().to_owned();
                assert!(who.starts_with(&format!("{subject} en ")), "{who}");
            }
            Err(reason) => assert_eq!(client.closed().await, (4403, reason.to_owned())),
        }
    }
}

#[tokio::test]
async fn closes_when_the_token_runs_out() {
    let server = Running::start().await;
    let mut client = Client::open(&server).await;
    let token = server.token(2);
    let expires_at = chrono::Utc::now().timestamp() + 2;
    let payload = json!({"authorization": format!("Bearer {token}")});
    client.send(json!({"type": "connection_init", "payload": payload})).await;
    client.next().await;
    client.subscribe("a", "subscription { count(to: 1000, milliseconds: 10) }").await;
    assert_eq!(client.closed().await, (4403, "Token expired".to_owned()));
    let late = chrono::Utc::now().timestamp_millis() - expires_at * 1_000;
    assert!((-1_000..500).contains(&late), "{late} ms late");
    server.until_no_streams().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_subscription_is_not_starved() {
    let server = Running::start().await;
    let mut client = Client::ready(&server).await;
    for id in ["loud-1", "loud-2"] {
        client.subscribe(id, "subscription { text(bytes: 10) }").await;
    }
    client.subscribe("quiet", "subscription { count(to: 10, milliseconds: 5) }").await;
    let mut counts: HashMap<String, usize> = HashMap::new();
    let started = Instant::now();
    loop {
        let message = client.next().await;
        let id = message["id"].as_str().unwrap().to_owned();
        if !counts.contains_key(&id) {
            // Only what comes while all run is compared.
            counts.retain(|_, count| {
                *count = 0;
                true
            });
        }
        *counts.entry(id).or_default() += 1;
        if message["type"] == "complete" {
            break;
        }
    }
    assert_eq!(counts["quiet"], 11);
    assert!(started.elapsed() < Duration::from_secs(8));
    let (one, two) = (counts["loud-1"], counts["loud-2"]);
    assert!(one > 50 && one.abs_diff(two) <= 4, "{one} and {two}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let server = Running::with(|settings| settings.socket.write_milliseconds = 300).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("live", "subscription { count(to: 1000000, milliseconds: 10) }").await;
    client.next().await;
    client.subscribe("flood", "subscription { text(bytes: 60000) }").await;
    server.until_no_streams().await;
}
