//! How results get to a socket.

use std::io;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::client::Client;
use super::puppet::Puppet;
use super::*;

/// A stream that counts how often it is written to.
struct Counting(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn one_event_for_fifty_subscriptions_is_one_write() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let (ours, theirs) = tokio::io::duplex(256 * 1024);
    let writes = Arc::new(AtomicUsize::new(0));
    server.door.enter(Counting(theirs, Arc::clone(&writes)));
    let mut client = Client::over(&server, ours).await;
    client.introduce(None).await;
    for id in 0..50 {
        client.subscribe(&id.to_string(), "subscription { a }").await;
    }
    puppet.until_opened(50).await;
    let before = writes.load(Ordering::SeqCst);
    let event = "e".repeat(300);
    (0..50).for_each(|index| puppet.next(index, json!(event)));
    for _ in 0..50 {
        assert_eq!(client.next().await["payload"]["data"], event);
    }
    assert_eq!(writes.load(Ordering::SeqCst) - before, 1);
    assert_eq!(server.counters.messages(Transport::Socket), 50);
}

#[tokio::test]
async fn large_results_arrive_whole_and_in_order() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { a }").await;
    puppet.until_opened(1).await;
    let sizes = [10, 70_000, 20, 17_000, 1_000_000, 0];
    sizes.into_iter().for_each(|size| puppet.next(0, json!("x".repeat(size))));
    for size in sizes {
        assert_eq!(client.next().await["payload"]["data"].as_str().map(str::len), Some(size));
    }
}

/// A client that does not read is neither a queue nor a burden: no more is made for it than fits
/// into one round, then it is cut, and its subscriptions are gone.
#[tokio::test]
async fn a_stuck_client_is_bounded_and_cut() {
    let (puppet, server) = Puppet::serve(|settings| settings.socket.write_milliseconds = 500).await;
    let (ours, theirs) = tokio::io::duplex(8 * 1024);
    server.door.enter(theirs);
    let mut stuck = Client::over(&server, ours).await;
    stuck.introduce(None).await;
    stuck.subscribe("a", "subscription { a }").await;
    let mut other = Client::ready(&server).await;
    other.subscribe("b", "subscription { b }").await;
    puppet.until_opened(2).await;
    for _ in 0..5_000 {
        puppet.next(0, json!("x".repeat(4_000)));
    }
    puppet.next(1, json!("fine"));
    assert_eq!(other.next().await["payload"]["data"], "fine");
    let taken = puppet.taken();
    assert!(taken <= 1 + 64, "{taken}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(puppet.is_open(0) && puppet.taken() <= taken + 64);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!puppet.is_open(0), "cut");
    assert_eq!(server.counters.sockets_closed()[&1006], 1);
    assert!(puppet.is_open(1));
}

/// One of a thousand events a second does not make the other wait.
#[tokio::test]
async fn a_chatty_subscription_does_not_delay_a_quiet_one() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("chatty", "subscription { a }").await;
    client.subscribe("quiet", "subscription { b }").await;
    puppet.until_opened(2).await;
    let start = std::time::Instant::now();
    let feeding = tokio::spawn(async move {
        for round in 0..100 {
            (0..10).for_each(|_| puppet.next(0, json!("chat")));
            if round % 5 == 0 {
                let now = u64::try_from(start.elapsed().as_micros()).unwrap();
                puppet.next(1, json!(now));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut delays = Vec::new();
    while delays.len() < 20 {
        let message = client.next().await;
        if message["id"] == "quiet" {
            let sent = message["payload"]["data"].as_u64().unwrap();
            delays.push(start.elapsed().as_micros() - u128::from(sent));
        }
    }
    feeding.await.unwrap();
    delays.sort_unstable();
    assert!(delays[18] < 50_000, "{delays:?}");
}

#[tokio::test]
async fn the_backend_ends_a_socket() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    for (index, (farewell, code, reason)) in [
        (super::super::Farewell::SlowConsumer, 1013, "SLOW_CONSUMER"),
        (super::super::Farewell::AccessRevoked, 4403, "Access revoked"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Client::ready(&server).await;
        client.subscribe("a", "subscription { a }").await;
        client.subscribe("b", "subscription { b }").await;
        puppet.until_opened(2 * index + 2).await;
        puppet.next(2 * index, json!(1));
        assert_eq!(client.next().await["payload"]["data"], 1);
        puppet.send(2 * index, Message::Close(farewell));
        puppet.next(2 * index, json!("late"));
        assert_eq!(client.until_closed().await, (vec![], (code, reason.to_owned())));
        assert!(!puppet.is_open(2 * index) && !puppet.is_open(2 * index + 1));
    }
}

#[tokio::test]
async fn an_operation_that_fails_is_over_and_the_others_go_on() {
    let (puppet, server) = Puppet::serve(|_| {}).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { a }").await;
    client.subscribe("b", "subscription { b }").await;
    puppet.until_opened(2).await;
    let refusal = super::super::error::coded("CURSOR_EXPIRED", "Too old.");
    puppet.send(0, Message::Error(vec![refusal]));
    let failed = client.next().await;
    assert_eq!((failed["id"].as_str(), failed["type"].as_str()), (Some("a"), Some("error")));
    assert_eq!(failed["payload"][0]["extensions"]["code"], "CURSOR_EXPIRED");
    puppet.next(1, json!(1));
    assert_eq!(client.next().await["id"], "b");
    assert!(!puppet.is_open(0) && puppet.is_open(1));
}
