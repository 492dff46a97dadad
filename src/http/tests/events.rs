use serde_json::{Value as Json, json};

use super::*;

/// An event: its name, its id and its data.
type Event = (String, Option<String>, String);

struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    async fn open(
        server: &Running,
        query: &str,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Self {
        let request = reqwest::Client::new()
            .post(server.url("/graphql"))
            .header("accept", "text/event-stream")
            .json(&json!({"query": query}));
        let response = change(request).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event; nothing when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(&format!("{name}:")))
                        .map(|value| value.trim_start().to_owned())
                };
                match field("event") {
                    Some(event) => {
                        return Some((event, field("id"), field("data").expect("a data line")));
                    }
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn all(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn data(event: &Event) -> Json {
    assert_eq!(event.0, "next");
    serde_json::from_str(&event.2).unwrap()
}

#[tokio::test]
async fn streams_and_resumes() {
    let server = Running::start().await;
    let events = Events::open(&server, "subscription { count(to: 3) }", |it| it).await.all().await;
    assert_eq!(events.len(), 4);
    assert_eq!(data(&events[0])["data"], json!({"count": 1}));
    assert_eq!(events[0].1.as_deref(), Some("1"));
    assert_eq!(events[3], ("complete".to_owned(), None, String::new()));

    let resumed =
        Events::open(&server, "subscription { count(to: 3) }", |request| request.header("last-event-id", "2"))
            .await
            .all()
            .await;
    assert_eq!(data(&resumed[0])["data"], json!({"count": 3}));

    // A fragment at the root is no reason to stay silent.
    let query = "subscription A($v: Boolean!) { ...F @include(if: $v) } fragment F on Subscription { n: count(to: 2) }";
    let text = reqwest::Client::new()
        .post(server.url("/graphql/stream"))
        .json(&json!({"query": query, "variables": {"v": true}}))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(text.contains(r#"data: {"data":{"n":2}}"#) && text.ends_with("event: complete\ndata:\n\n"), "{text}");

    let url = server.url("/graphql/stream?query=subscription{count(to:1)}");
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(text.contains("event: complete\n"), "{text}");
}

#[tokio::test]
async fn carries_queries_mutations_and_refusals() {
    let server = Running::start().await;
    for (query, expected) in [("{ hello }", json!({"hello": "world"})), ("mutation { touch }", json!({"touch": 0}))] {
        let events = Events::open(&server, query, |it| it).await.all().await;
        assert_eq!((events.len(), &data(&events[0])["data"]), (2, &expected));
    }
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: count(to: 1) b: count(to: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { closed }", "INTERNAL"),
        ("{ boom }", "INTERNAL"),
    ] {
        let events = Events::open(&server, query, |it| it).await.all().await;
        assert_eq!(events.len(), 2, "{query}");
        let body = data(&events[0]);
        assert_eq!(body["errors"][0]["extensions"]["code"], code, "{query}");
        assert!(!body.to_string().contains("secret"));
    }
    let response = reqwest::Client::new()
        .post(server.url("/graphql/stream"))
        .bearer_auth("nonsense")
        .json(&json!({"query": "subscription { count(to: 1) }"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn ends_when_the_token_runs_out() {
    let server = Running::start().await;
    let token = server.token(2);
    let started = std::time::Instant::now();
    let query = "subscription { count(to: 1000, milliseconds: 20) }";
    let events = Events::open(&server, query, |it| it.bearer_auth(token)).await.all().await;
    assert!((1_000..2_500).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    let [.., last, complete] = &events[..] else { panic!("{events:?}") };
    assert_eq!(data(last)["errors"][0]["extensions"]["reason"], "TOKEN_EXPIRED");
    assert_eq!(complete.0, "complete");
    server.until_no_streams().await;
}

#[tokio::test]
async fn stops_with_the_client_and_with_the_server() {
    let server = Running::start().await;
    let query = "subscription { count(to: 1000, milliseconds: 10) }";
    let mut left = Events::open(&server, query, |it| it).await;
    left.next().await.unwrap();
    drop(left);
    server.until_no_streams().await;

    let mut stopped = Events::open(&server, query, |it| it).await;
    stopped.next().await.unwrap();
    let collecting = tokio::spawn(stopped.all());
    assert!(server.stop().await, "everything ended");
    let events = collecting.await.unwrap();
    assert!(events.iter().all(|event| event.0 == "next"), "the client shall come again");
}
