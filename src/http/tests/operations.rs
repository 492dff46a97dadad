use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value as Json, json};

use super::http::{NEW, ask, code};
use super::*;

#[tokio::test]
async fn masks_failures_and_survives_panics() {
    let server = Running::start().await;
    let (status, body) = ask(&server, NEW, json!({"query": "{ hello fail missing }"})).await;
    assert_eq!(status, 200);
    assert_eq!(body["data"]["hello"], "world");
    assert!(!body.to_string().contains("hunter2"));
    let codes: Vec<_> = body["errors"].as_array().unwrap().iter().map(|error| &error["extensions"]["code"]).collect();
    assert!(codes.contains(&&json!("INTERNAL")) && codes.contains(&&json!("NOT_FOUND")));

    let (_, body) = ask(&server, NEW, json!({"query": "{ fails(count: 100) { it } }"})).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 20);

    let (_, body) = ask(&server, NEW, json!({"query": "{ echo(text: \"a\", number: 11) }"})).await;
    assert_eq!(code(&body), "BAD_USER_INPUT");

    for accept in ["application/json", NEW] {
        let (status, body) = ask(&server, accept, json!({"query": "{ boom }"})).await;
        assert_eq!((status.as_u16(), code(&body)), (500, "INTERNAL"));
        assert!(body["extensions"]["requestId"].is_string());
    }
    assert_eq!(server.post(json!({"query": "{ hello }"})).await.status(), 200);
}

#[tokio::test]
async fn a_handler_that_panics_is_answered() {
    let server = Running::start().await;
    let response = reqwest::get(server.url("/broken")).await.unwrap();
    assert_eq!(response.status(), 500);
    let body: Json = response.json().await.unwrap();
    assert_eq!(code(&body), "INTERNAL");
    assert!(body["extensions"]["requestId"].is_string());
}

#[tokio::test]
async fn refuses_bad_tokens_before_execution() {
    let server = Running::start().await;
    let other_key = DemoKey::load_or_create(tempfile::tempdir().unwrap().path()).unwrap();
    let forged = other_key
        .issue(&DemoToken {
            subject: "eve".to_owned(),
            roles: Vec::new(),
            unit: None,
            customer: None,
            channel: None,
            lifetime: Duration::from_secs(60),
        })
        .unwrap();
    for (value, reason) in [
        (format!("Bearer {forged}"), "TOKEN_SIGNATURE"),
        ("Bearer nonsense".to_owned(), "TOKEN_MALFORMED"),
        ("Bearer ".to_owned(), "TOKEN_MISSING"),
        ("Basic YTpi".to_owned(), "TOKEN_MALFORMED"),
    ] {
        let response = reqwest::Client::new()
            .post(server.url("/graphql"))
            .header("authorization", value)
            .json(&json!({"query": "mutation { touch }"}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        let body: Json = response.json().await.unwrap();
        assert_eq!(code(&body), "UNAUTHENTICATED");
        assert_eq!(body["errors"][0]["extensions"]["reason"], reason);
        assert!(body.get("data").is_none());
    }
    assert_eq!(server.traces.touched.load(Ordering::SeqCst), 0);
    let body: Json = server.post(json!({"query": "{ who }"})).await.json().await.unwrap();
    assert!(body["data"]["who"].as_str().unwrap().starts_with("nobody en "));
}

#[tokio::test]
async fn an_operation_outlives_a_client_that_hangs_up() {
    let server = Running::start().await;
    let request = reqwest::Client::new()
        .post(server.url("/graphql"))
        .json(&json!({"query": "mutation { touch }"}))
        .timeout(Duration::from_millis(50))
        .send();
    assert!(request.await.unwrap_err().is_timeout());
    assert_eq!(server.traces.touched.load(Ordering::SeqCst), 0);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(server.traces.touched.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn bounds_time_and_number_of_operations() {
    let server = Running::with(|settings| {
        settings.operation_seconds = 1;
        settings.operations = 1;
    })
    .await;
    let slow = server.post(json!({"query": "{ nap(milliseconds: 1500) }"}));
    let second = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.post(json!({"query": "{ hello }"})).await
    };
    let (slow, second) = tokio::join!(slow, second);
    assert_eq!(slow.status(), 503);
    assert_eq!(code(&slow.json().await.unwrap()), "TIMEOUT");
    assert_eq!(second.status(), 503);
    assert!(second.headers().contains_key(RETRY_AFTER));
    assert_eq!(code(&second.json().await.unwrap()), "UNAVAILABLE");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(server.post(json!({"query": "{ hello }"})).await.status(), 200);
}

#[tokio::test]
async fn introspection_and_page_can_be_off() {
    let server = Running::with(|settings| {
        settings.introspection = Some(false);
        settings.graphiql = Some(false);
    })
    .await;
    let (status, body) = ask(&server, NEW, json!({"query": "{ __schema { types { name } } }"})).await;
    assert_eq!((status.as_u16(), code(&body)), (400, "INTROSPECTION_DISABLED"));
    let (status, _) = ask(&server, NEW, json!({"query": "{ __typename }"})).await;
    assert_eq!(status, 200);
    for path in ["/", "/assets/graphiql/start.js", "/schema.graphql"] {
        assert_eq!(reqwest::get(server.url(path)).await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn serves_the_page_and_its_parts() {
    let server = Running::start().await;
    let response = reqwest::get(server.url("/")).await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';"));
    let tag = response.headers()["etag"].clone();
    let page = response.text().await.unwrap();
    assert!(!page.contains("<script>"), "no inline script");
    let again = reqwest::Client::new().get(server.url("/")).header("if-none-match", tag).send();
    assert_eq!(again.await.unwrap().status(), 304);

    let script = reqwest::Client::new()
        .get(server.url("/assets/graphiql/start.js"))
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(script.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(script.headers()["content-encoding"], "gzip");
    for path in ["/assets/../Cargo.toml", "/assets/%2e%2e/Cargo.toml", "/assets/nothing.js", "/x"] {
        assert_eq!(reqwest::get(server.url(path)).await.unwrap().status(), 404, "{path}");
    }
    let text = reqwest::get(server.url("/schema.graphql")).await.unwrap().text().await.unwrap();
    assert!(text.contains("type Query"));
    assert_eq!(reqwest::get(server.url("/other")).await.unwrap().text().await.unwrap(), "other");
}
