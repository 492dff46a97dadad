//! What happens in time, on a clock that is held and jumps to whatever comes next.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::client::Client;
use super::puppet::Puppet;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_only_listens_lives_as_long_as_it_answers() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::inside(&server).await;
    client.introduce(None).await;
    client.subscribe("a", "subscription { a }").await;
    let start = Instant::now();
    for round in 1..=12 {
        puppet.set_cursor(&format!("c{round}"));
        let ping = client.next().await;
        assert_eq!(ping, json!({"type": "ping", "payload": {"cursor": format!("c{round}")}}));
        assert_eq!(start.elapsed().as_secs(), 25 * round);
        client.send(json!({"type": "pong"})).await;
    }
    assert!(puppet.is_open(0));
    // From here on it is silent.
    assert_eq!(client.closed().await, (4408, "Pong timeout".to_owned()));
    assert_eq!(start.elapsed().as_secs(), 12 * 25 + 35);
    assert!(!puppet.is_open(0));
}

#[tokio::test(start_paused = true)]
async fn those_who_do_not_introduce_themselves_are_gone_after_three_seconds() {
    let server = Running::start().await;
    let start = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(Client::inside(&server).await);
    }
    assert_eq!(server.counters.open(Transport::Socket), 1_000);
    for client in &mut clients {
        assert_eq!(client.closed().await.0, 4408);
    }
    assert_eq!(start.elapsed().as_secs(), 3);
    drop(clients);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(server.counters.open(Transport::Socket), 0);
    assert_eq!(server.counters.sockets_closed()[&4408], 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_ping_tells_the_cursor_only_after_all_before_it() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::inside(&server).await;
    client.introduce(None).await;
    client.subscribe("a", "subscription { a }").await;
    client.subscribe("b", "subscription { b }").await;
    puppet.until_opened(2).await;
    assert_eq!(client.next().await, json!({"type": "ping"}), "there is no cursor yet");
    client.send(json!({"type": "pong"})).await;

    puppet.set_cursor("new");
    puppet.send(1, Message::CatchingUp(true));
    assert_eq!(client.next().await, json!({"type": "ping"}), "one reads its past");
    client.send(json!({"type": "pong"})).await;

    puppet.send(1, Message::CatchingUp(false));
    puppet.next_before_cursor(0, json!(1));
    puppet.next_before_cursor(1, json!(2));
    assert_eq!(client.next().await["payload"]["data"], 1);
    assert_eq!(client.next().await["payload"]["data"], 2);
    assert_eq!(client.next().await, json!({"type": "ping", "payload": {"cursor": "new"}}));
    client.send(json!({"type": "pong"})).await;

    // With more than one round takes the cursor might not hold.
    for n in 0..100 {
        puppet.next_before_cursor(0, json!(n));
    }
    let mut before = 0;
    loop {
        let message = client.next().await;
        if message["type"] == "ping" {
            assert!(message.get("payload").is_none() || before == 100, "{message} after {before}");
            break;
        }
        before += 1;
    }
}

/// A request whose answer goes on, on a connection within the process.
struct Raw(DuplexStream, String);

impl Raw {
    async fn open(server: &Running, accept: &str, token: Option<&str>) -> Self {
        let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
        server.door.enter(theirs);
        let body = json!({"query": "subscription { a }"}).to_string();
        let authorization = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\naccept: {accept}\r\n{authorization}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        ours.write_all(request.as_bytes()).await.unwrap();
        let mut raw = Self(ours, String::new());
        raw.until("\r\n\r\n").await;
        raw
    }

    /// Reads on until the text has come; what came before it. Nothing when the answer ends first.
    async fn until(&mut self, text: &str) -> Option<String> {
        loop {
            if let Some((before, after)) = self.1.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.1 = after;
                return Some(before);
            }
            if self.1.contains("\r\n0\r\n\r\n") {
                return None;
            }
            let mut bytes = [0; 1024];
            let read = self.0.read(&mut bytes).await.unwrap();
            if read == 0 {
                return None;
            }
            self.1.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_event_stream_is_kept_open_and_its_place_moves_on() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut stream = Raw::open(&server, "text/event-stream", None).await;
    puppet.until_opened(1).await;
    puppet.set_cursor("c1");
    let start = Instant::now();
    stream.until(":\n\n").await.unwrap();
    for seconds in [12, 24] {
        stream.until(":\n\n").await.unwrap();
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    assert!(!stream.until("id: c1\n\n").await.unwrap().contains("event:"), "nobody is told");
    assert_eq!(start.elapsed().as_secs(), 25);

    // Whoever reads its past, or has just had a result, has its own cursor.
    puppet.send(0, Message::CatchingUp(true));
    tokio::time::sleep(Duration::from_secs(60)).await;
    puppet.next(0, json!({"n": 1}));
    let before = stream.until("data: {\"data\":{\"n\":1}}\n\n").await.unwrap();
    assert!(!before.contains("id:") && before.contains(":\n\n"), "{before}");
    puppet.send(0, Message::CatchingUp(false));
    let start = Instant::now();
    stream.until("id: c1\n\n").await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_multipart_response_has_heartbeats_and_ends_with_the_token() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let accept = "multipart/mixed;subscriptionSpec=\"1.0\", application/json";
    let mut stream = Raw::open(&server, accept, Some(&server.token(30))).await;
    puppet.until_opened(1).await;
    let start = Instant::now();
    stream.until("{}\r\n--graphql").await.unwrap();
    for seconds in [12, 24] {
        stream.until("{}\r\n--graphql").await.unwrap();
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    let mut last = String::new();
    while !last.contains("payload") {
        last = stream.until("\r\n--graphql").await.unwrap();
    }
    assert!(last.contains(r#"{"payload":null,"errors":[{"#) && last.contains("TOKEN_EXPIRED"), "{last}");
    assert!((29..=30).contains(&start.elapsed().as_secs()));
    assert!(!puppet.is_open(0));
    stream.until("--\r\n").await.expect("the closing line");
    assert_eq!(stream.until("\r\n--graphql").await, None, "nothing follows");
}

#[tokio::test(start_paused = true)]
async fn sockets_end_spread_over_the_time_to_drain() {
    let server = Running::with(|settings| settings.drain_spread_milliseconds = 10_000).await;
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        let mut client = Client::inside(&server).await;
        client.introduce(None).await;
        clients.push(client);
    }
    let start = Instant::now();
    server.stop.cancel();
    let closings = clients.into_iter().map(|mut client| async move {
        assert_eq!(client.closed().await, (1012, "Service restart".to_owned()));
        start.elapsed().as_secs()
    });
    let seconds = futures::future::join_all(closings).await;
    for second in 0..10 {
        let count = seconds.iter().filter(|closed| **closed == second).count();
        assert!((1..=250).contains(&count), "{count} within second {second}");
    }
    assert!(seconds.iter().all(|second| *second < 10));
    assert!(server.ended.await.unwrap(), "everything ended");
}
