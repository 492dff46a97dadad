//! Group 17: what a subscriber costs in memory, and that it is given back.

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use ordergraph::domain::actor::Role;
use serde_json::json;

use super::{Verdict, is_caught};
use crate::support::node::Site;
use crate::support::process::{Process, resident_bytes};
use crate::support::slow::Narrow;
use crate::support::stock::{Stock, Target};
use crate::support::watcher::{Socket, Watcher, connect, next, send};
use crate::support::{Kind, log, rows};

/// Half of the sockets that are open at most.
const SOCKETS: usize = 1_000;
/// Subscriptions on each of some of the sockets.
const FURTHER: usize = 10;
const SHARED_BY: usize = 400;
/// What a socket with one subscription may cost, and each further one on it, in bytes.
const PER_SOCKET: u64 = 6 * 1024;
const PER_SUBSCRIPTION: u64 = 1_536;

/// A server in a process of its own.
struct Server {
    process: u32,
    target: Target,
}

impl Server {
    fn resident(&self) -> u64 {
        resident_bytes(self.process)
    }

    /// Waits until the memory has found its level: what is not needed is given back within two seconds.
    async fn settled(&self) -> u64 {
        const STEADY: Duration = Duration::from_millis(2_500);
        let begun = Instant::now();
        let (mut level, mut since) = (self.resident(), Instant::now());
        while since.elapsed() < STEADY && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let now = self.resident();
            if now.abs_diff(level) > 128 * 1024 {
                (level, since) = (now, Instant::now());
            }
        }
        self.resident()
    }

    /// Sockets that have asked for so many subscriptions each; they begin before the memory has settled.
    async fn subscribers(&self, sockets: usize, each: usize) -> Vec<Socket> {
        let target = &self.target;
        stream::iter(0..sockets)
            .map(|_| async move {
                let mut socket = connect(target.address, &target.token).await.expect("a socket");
                for id in 0..each {
                    let payload = json!({ "query": target.silence });
                    let message = json!({ "id": id.to_string(), "type": "subscribe", "payload": payload });
                    send(&mut socket, message).await.expect("sent");
                }
                send(&mut socket, json!({ "type": "ping" })).await.expect("sent");
                while next(&mut socket).await.expect("an answer")["type"] != "pong" {}
                socket
            })
            .buffer_unordered(8)
            .collect()
            .await
    }
}

/// What so many more sockets cost when as many are there: the first fill what is left from the start.
async fn more(server: &Server, sockets: usize, each: usize) -> (u64, Vec<Socket>) {
    let mut all = server.subscribers(sockets, each).await;
    let before = server.settled().await;
    all.extend(server.subscribers(sockets, each).await);
    (server.settled().await.saturating_sub(before), all)
}

async fn costs(server: &Server) -> Verdict {
    // What the first subscribers cost once and for all.
    drop(server.subscribers(200, 1).await);
    let empty = server.settled().await;
    let (of_many, many) = more(server, SHARED_BY, 1 + FURTHER).await;
    drop(many);
    let (of_idle, idle) = more(server, SOCKETS, 1).await;
    drop(idle);
    // What was needed once may be kept for the next time, but the next time needs no more.
    let after = server.settled().await;
    drop(server.subscribers(2 * SOCKETS, 1).await);
    let leaked = server.settled().await.saturating_sub(after);
    let per_socket = of_idle / SOCKETS as u64;
    let per_subscription = of_many.saturating_sub(per_socket * SHARED_BY as u64) / (SHARED_BY * FURTHER) as u64;
    let found = format!(
        "{per_socket} bytes for a socket, {per_subscription} for a further subscription; {} KiB before, {} KiB after, \
         {} KiB more after as many again",
        empty / 1024,
        after / 1024,
        leaked / 1024
    );
    println!("{found}");
    if per_socket > PER_SOCKET || per_subscription > PER_SUBSCRIPTION || leaked > empty / 10 {
        return Err(found);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_per_sub() {
    let site = Site::new(Kind::Sqlite).await;
    let launch = site.launch().with("ORDERGRAPH_EDGE__SOCKET__PER_CALLER", 10_000);
    let process = Process::start(launch).await;
    let token = site.token(Role::Supervisor);
    let silence = "subscription { orderEvents { cursor event { id } } }".to_owned();
    let target = Target { address: process.address, token, silence };
    let server = Server { process: process.id(), target };
    // Whatever else the process does meanwhile counts as well, and the allocator gives back when it likes: one
    // measurement in three may be wrong.
    if let Err(first) = costs(&server).await {
        for _ in 0..2 {
            costs(&server).await.unwrap_or_else(|again| panic!("{first}\n{again}"));
        }
    }
    drop(process);
    site.end().await;
}

/// What a subscriber may hold that does not read while megabytes come for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_of_a_stuck_reader() {
    const READERS: u64 = 16;
    const EVENTS: usize = 2_100;
    const BYTES: usize = 4_096;
    let site = Site::new(Kind::Postgres).await;
    let launch = site.launch().with("ORDERGRAPH_EDGE__SOCKET__WRITE_MILLISECONDS", 120_000);
    let process = Process::start(launch).await;
    let nodes = [process.address];
    let order = log::uuid_of(&site.orders(&nodes, 1).await[0]);
    let watcher = Watcher::begin(site.watch(&nodes, None)).await;
    let mut told = 0;
    let mut tell = async || {
        rows::many(&site.db, order, EVENTS, BYTES).await;
        told += EVENTS;
        watcher.try_until(Duration::from_secs(90), |record| record.received.len() >= told).await
    };
    // What the node remembers of the log for everybody has its full size from here on.
    for _ in 0..3 {
        tell().await.unwrap_or_else(|found| panic!("{found}"));
    }
    let before = resident_bytes(process.id());
    let mut stuck = Vec::new();
    for reader in 0..READERS {
        let mut narrow = Narrow::connect(process.address, &site.token(Role::Supervisor)).await;
        // Documents of their own, so that nothing is shared.
        let document =
            format!("subscription {{ orderEvents {{ cursor e{reader}: event {{ id changes {{ field value }} }} }} }}");
        narrow.subscribe("1", &document, json!({})).await;
        stuck.push(narrow);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    tell().await.unwrap_or_else(|found| panic!("{found}"));
    // Until all is executed that is executed for those who do not read.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let each = resident_bytes(process.id()).saturating_sub(before) / READERS;
    println!("a stuck reader holds {} KiB of {} MiB", each / 1024, (EVENTS * BYTES) >> 20);
    assert!(each <= 1 << 20, "{each} bytes");
    drop((stuck, watcher, process));
    site.end().await;
}

const STOCK: &str = "ORDERGRAPH_TEST_SERVES_STOCK";

/// The stock server answers; in a process that was started for that it serves until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stock_server_serves() {
    let stock = Stock::start(None).await;
    let mut socket = connect(stock.target.address, &stock.target.token).await.expect("it serves");
    send(&mut socket, json!({ "type": "ping" })).await.expect("sent");
    assert_eq!(next(&mut socket).await.expect("an answer")["type"], "pong");
    if std::env::var(STOCK).is_ok() {
        println!("\nserves at {}", stock.target.address);
        std::future::pending::<()>().await;
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_per_sub_fails_with_the_stock_server() {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "feed::memory::the_stock_server_serves", "--nocapture"])
        .env(STOCK, "yes")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let output = child.stdout.take().expect("its output");
    let child = Killed(child);
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut tell = Some(tell);
        // To its end: whoever cannot say anything any more dies of it.
        for line in std::io::BufReader::new(output).lines().map_while(Result::ok) {
            let address = line.strip_prefix("serves at ").and_then(|address| address.parse::<SocketAddr>().ok());
            if let Some((tell, address)) = address.and_then(|address| Some((tell.take()?, address))) {
                let _ = tell.send(address);
            }
        }
    });
    let address = told.await.expect("it says where");
    let target =
        Target { address, token: "good".to_owned(), silence: "subscription { silence { number } }".to_owned() };
    is_caught("stock edge", costs(&Server { process: child.0.id(), target }).await);
}
