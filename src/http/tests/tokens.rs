//! Tokens that end while a socket lives, and those that follow them.

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::client::Client;
use super::puppet::Puppet;
use super::*;

fn authorization(kind: &str, token: &str) -> Json {
    json!({"type": kind, "payload": {"authorization": format!("Bearer {token}")}})
}

#[tokio::test(start_paused = true)]
async fn another_token_of_the_same_caller_lets_the_socket_live_on() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    puppet.set_cursor("c");
    let mut client = Client::inside(&server).await;
    client.introduce(Some(&server.token(60))).await;
    client.subscribe("a", "subscription { a }").await;
    let start = Instant::now();
    assert_eq!(client.next().await, json!({"type": "ping", "payload": {"cursor": "c"}}));
    client.send(json!({"type": "pong"})).await;
    let asked = client.next().await;
    assert_eq!(asked, json!({"type": "ping", "payload": {"cursor": "c", "reauth": true}}));
    assert!((29..=30).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    client.send(authorization("ping", &server.token(100))).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    client.send(authorization("pong", &server.token(130))).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    let renewed = Instant::now();
    let mut reauths = 0;
    let code = loop {
        match client.0.next().await.unwrap().unwrap() {
            tokio_tungstenite::tungstenite::Message::Text(text) => {
                let message: Json = serde_json::from_str(&text).unwrap();
                assert_eq!(message["type"], "ping");
                reauths += u32::from(message["payload"]["reauth"] == true);
                client.send(json!({"type": "pong"})).await;
            }
            tokio_tungstenite::tungstenite::Message::Close(frame) => break frame.unwrap(),
            _ => {}
        }
    };
    assert_eq!((u16::from(code.code), code.reason.as_str()), (4403, "Token expired"));
    assert!((129..=130).contains(&renewed.elapsed().as_secs()), "{:?}", renewed.elapsed());
    assert!(reauths >= 1);
    assert!(!puppet.is_open(0));
}

#[tokio::test(start_paused = true)]
async fn another_caller_or_a_bad_token_ends_the_socket() {
    let (_, server) = Puppet::serve(|_| {}).await;
    let ada = server.token(60);
    for (first, then, reason) in [
        (Some(&ada), authorization("ping", &server.token_of("bob", 60)), "The token is for another caller"),
        (None, authorization("ping", &ada), "The token is for another caller"),
        (Some(&ada), authorization("ping", "x.y.z"), "TOKEN_MALFORMED"),
        (Some(&ada), authorization("pong", "x.y.z"), "TOKEN_MALFORMED"),
        (Some(&ada), json!({"type": "ping", "payload": {"authorization": 7}}), "TOKEN_MALFORMED"),
    ] {
        let mut client = Client::inside(&server).await;
        client.introduce(first.map(String::as_str)).await;
        client.send(then).await;
        assert_eq!(client.closed().await, (4403, reason.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_after_the_end_of_the_token() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::inside(&server).await;
    client.introduce(Some(&server.token(20))).await;
    client.subscribe("a", "subscription { a }").await;
    puppet.until_opened(1).await;
    let start = Instant::now();
    let (stop, feeder) = (CancellationToken::new(), puppet.clone());
    let stopped = stop.clone();
    let feeding = tokio::spawn(async move {
        while !stopped.is_cancelled() {
            feeder.next(0, json!({"second": start.elapsed().as_secs()}));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut last = 0;
    let mut reauth = false;
    loop {
        match client.0.next().await.unwrap().unwrap() {
            tokio_tungstenite::tungstenite::Message::Text(text) => {
                let message: Json = serde_json::from_str(&text).unwrap();
                if message["type"] == "ping" {
                    // Less than the notice is left from the beginning.
                    reauth |= message["payload"]["reauth"] == true;
                    client.send(json!({"type": "pong"})).await;
                } else {
                    last = message["payload"]["data"]["second"].as_u64().unwrap();
                }
            }
            tokio_tungstenite::tungstenite::Message::Close(frame) => {
                assert_eq!(u16::from(frame.unwrap().code), 4403);
                break;
            }
            _ => {}
        }
    }
    let elapsed = start.elapsed().as_millis();
    assert!((19_000..20_500).contains(&elapsed), "{elapsed}");
    assert!((18..=20).contains(&last) && reauth);
    assert!(!puppet.is_open(0));
    stop.cancel();
    feeding.await.unwrap();
}

/// The keys that would tell who the client is can't be had; meanwhile the client gets what it
/// subscribed to, and is answered.
#[tokio::test]
async fn delivery_goes_on_while_a_token_is_being_checked() {
    use super::super::auth::{JwksSettings, TokenPolicy};

    // Takes connections and answers nothing.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", deaf.local_addr().unwrap());
    let policy = TokenPolicy { issuer: "i".to_owned(), audience: "a".to_owned(), leeway_seconds: 0 };
    let settings: JwksSettings = serde_json::from_value(json!({"url": url})).unwrap();
    let authenticator = Authenticator::from_jwks(settings, policy).unwrap();
    let puppet = Puppet::default();
    let server = Edge::new(puppet.clone(), authenticator).bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let server = Running {
        address: server.local_addr().unwrap(),
        door: server.door(),
        traces: Arc::default(),
        counters: Arc::default(),
        key: DemoKey::load_or_create(folder.path()).unwrap(),
        ended: tokio::spawn(server.run(stop.clone())),
        stop,
        _folder: folder,
    };
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { a }").await;
    puppet.until_opened(1).await;
    client.send(authorization("ping", &server.token(60))).await;
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    for n in 0..3 {
        puppet.next(0, json!({"n": n}));
        assert_eq!(client.next().await["payload"]["data"]["n"], n);
    }
}
