use reqwest::StatusCode;
use reqwest::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use serde_json::{Value as Json, json};

use super::*;

pub(super) const NEW: &str = "application/graphql-response+json";

pub(super) async fn ask(server: &Running, accept: &str, body: Json) -> (StatusCode, Json) {
    let response =
        reqwest::Client::new().post(server.url("/graphql")).header(ACCEPT, accept).json(&body).send().await.unwrap();
    let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    assert_eq!(content_type, format!("{accept}; charset=utf-8"));
    (response.status(), response.json().await.unwrap())
}

pub(super) fn code(body: &Json) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn answers_queries() {
    let server = Running::start().await;
    let response = reqwest::Client::new()
        .post(server.url("/graphql"))
        .header("x-request-id", "trace-00000001")
        .header("accept-language", "zh-CN")
        .bearer_auth(server.token(60))
        .json(&json!({"query": "query($t: String!) { who echo(text: $t) }", "variables": {"t": "订单"}}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-request-id"], "trace-00000001");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let body: Json = response.json().await.unwrap();
    assert_eq!(
        body,
        json!({
            "data": {"who": "ada zh trace-00000001", "echo": "订单0"},
            "extensions": {"requestId": "trace-00000001"}
        })
    );

    let url = server.url("/graphql?query=query+A{hello}query+B{who}&operationName=A&extensions={}");
    let body: Json = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["hello"], "world");
}

#[tokio::test]
async fn maps_refusals_to_status_and_code() {
    let server = Running::start().await;
    for (query, old, new, expected) in [
        ("{", 200, 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query($t: String!) { echo(text: $t) }", 200, 400, "BAD_USER_INPUT"),
        ("{ echo(text: 1) }", 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", 200, 400, "OPERATION_RESOLUTION_FAILURE"),
        ("{ hello { ...F } } fragment F on Query { hello { ...F } }", 200, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { count(to: 1) }", 406, 406, "NOT_ACCEPTABLE"),
    ] {
        let (status, body) = ask(&server, "application/json", json!({"query": query})).await;
        assert_eq!((status.as_u16(), code(&body)), (old, expected), "{query}");
        let (status, body) = ask(&server, NEW, json!({"query": query})).await;
        assert_eq!((status.as_u16(), code(&body)), (new, expected), "{query}");
        assert!(body.get("data").is_none(), "{body}");
        assert!(body["extensions"]["requestId"].is_string());
    }
    let many_aliases: String = (0..51).map(|index| format!("a{index}: hello ")).collect();
    let deep_literal = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (query, expected) in [
        (format!("{{ {many_aliases} }}"), "DOCUMENT_TOO_MANY_ALIASES"),
        (format!("{{ echo(text: {deep_literal}) }}"), "DOCUMENT_TOO_DEEP"),
        (format!("{{ hello #{} \n}}", "x".repeat(70_000)), "DOCUMENT_TOO_LARGE"),
        ("{ hello ".repeat(2_001), "DOCUMENT_TOO_DEEP"),
        (format!("{{ {} }}", "hello ".repeat(5_000)), "DOCUMENT_TOO_MANY_TOKENS"),
    ] {
        let (status, body) = ask(&server, NEW, json!({"query": query})).await;
        assert_eq!((status.as_u16(), code(&body)), (400, expected));
    }
}

#[tokio::test]
async fn refuses_malformed_requests_in_both_forms() {
    let server = Running::start().await;
    for accept in ["application/json", NEW] {
        for (body, expected) in [
            ("", "BAD_USER_INPUT"),
            ("{", "BAD_USER_INPUT"),
            ("7", "BAD_USER_INPUT"),
            ("{}", "BAD_USER_INPUT"),
            (r#"{"query":7}"#, "BAD_USER_INPUT"),
            (r#"{"query":"{hello}","variables":"{}"}"#, "BAD_USER_INPUT"),
            (r#"{"query":"{hello}","operationName":7}"#, "BAD_USER_INPUT"),
            (r#"{"query":"{hello}","extensions":[]}"#, "BAD_USER_INPUT"),
            (r#"[{"query":"{hello}"}]"#, "BATCHING_NOT_SUPPORTED"),
            ("[]", "BATCHING_NOT_SUPPORTED"),
        ] {
            let response = reqwest::Client::new()
                .post(server.url("/graphql"))
                .header(ACCEPT, accept)
                .header(CONTENT_TYPE, "application/json; charset=UTF-8")
                .body(body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 400, "{body}");
            let answer: Json = response.json().await.unwrap();
            assert_eq!(code(&answer), expected, "{body}");
            assert!(answer.get("data").is_none());
        }
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""] {
        let response = reqwest::Client::new()
            .post(server.url("/graphql"))
            .header(CONTENT_TYPE, content_type)
            .body(r#"{"query":"{hello}"}"#)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 415, "{content_type}");
    }
    for query in ["", "query={", "query={hello}&variables=x", "query={hello}&query={hello}"] {
        let response = reqwest::Client::new()
            .get(server.url(&format!("/graphql?{query}")))
            .header(ACCEPT, NEW)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
    let response = reqwest::Client::new()
        .get(server.url("/graphql?query={hello}"))
        .header(ACCEPT, "text/html")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 406);
}

#[tokio::test]
async fn refuses_methods() {
    let server = Running::start().await;
    let client = reqwest::Client::new();
    let mutation = server.url("/graphql?query=query+A{hello}mutation+B{touch}&operationName=");
    let response = client.get(format!("{mutation}B")).send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[ALLOW], "POST");
    assert_eq!(client.get(format!("{mutation}A")).send().await.unwrap().status(), 200);
    let response = client.get(server.url("/graphql/stream?query=mutation{touch}")).send().await.unwrap();
    assert_eq!(response.status(), 405);
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE, reqwest::Method::OPTIONS] {
        let response = client.request(method, server.url("/graphql")).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[ALLOW], "GET, POST");
    }
    assert_eq!(server.traces.touched.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn bounds_bodies() {
    let server = Running::with(|settings| settings.body_seconds = 1).await;
    let text = "x".repeat(300 * 1024);
    let response = server.post(json!({"query": "{hello}", "variables": {"t": text}})).await;
    assert_eq!(response.status(), 413);
    assert_eq!(code(&response.json().await.unwrap()), "BODY_TOO_LARGE");
    let text = "x".repeat(200 * 1024);
    let response = server.post(json!({"query": "query($t: String!){echo(text: $t)}", "variables": {"t": text}})).await;
    assert_eq!(response.status(), 200);

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut slow = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n1\r\n{\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = slow.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 408"));

    let mut endless = tokio::net::TcpStream::connect(server.address).await.unwrap();
    endless.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    for _ in 0..9 {
        if endless.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let read = endless.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 413"));
}
