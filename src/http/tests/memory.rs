//! What a socket costs while nothing happens. The clients are bare connections in blocking mode,
//! which cost this process nothing but a descriptor.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::*;

const SOCKETS: usize = 2_000;
const FURTHER: usize = 9;

/// Yields nothing, so that the memory of the edge alone is seen.
#[derive(Clone)]
struct Silence;

impl Backend for Silence {
    async fn execute(&self, _: Request) -> Response {
        Response::default()
    }

    fn subscribe(&self, _: Request) -> BoxStream<'static, Message> {
        futures::stream::pending().boxed()
    }

    fn newest_cursor(&self, _: &Caller) -> Option<String> {
        None
    }
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: usize = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kilobytes * 1024
}

fn send(client: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    client.write_all(&frame).unwrap();
}

fn subscribe(client: &mut TcpStream, id: usize) {
    send(client, &format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"subscription{{quiet}}"}}}}"#));
}

fn open(address: std::net::SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    let request = "GET /graphql HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    send(&mut client, r#"{"type":"connection_init"}"#);
    client.read_exact(&mut [0; 27]).unwrap();
    client
}

/// The answer to a ping proves that all that was sent before has arrived.
fn settle(clients: &mut [TcpStream]) {
    for client in clients {
        send(client, r#"{"type":"ping"}"#);
        client.read_exact(&mut [0; 17]).unwrap();
    }
}

fn main_of_the_process() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = DemoKey::load_or_create(folder.path()).unwrap();
    let edge = Edge::new(Silence, Authenticator::from_demo_key(&key).unwrap());
    let counters = edge.counters();
    let server = runtime.block_on(edge.bind("127.0.0.1:0")).unwrap();
    let address = server.local_addr().unwrap();
    runtime.spawn(server.run(CancellationToken::new()));

    let wave = |further: bool| {
        let start = resident_bytes();
        let mut clients: Vec<TcpStream> = (0..SOCKETS).map(|_| open(address)).collect();
        clients.iter_mut().for_each(|client| subscribe(client, 0));
        settle(&mut clients);
        let first = resident_bytes();
        if further {
            for client in &mut clients {
                (1..=FURTHER).for_each(|id| subscribe(client, id));
            }
            settle(&mut clients);
        }
        let last = resident_bytes();
        assert_eq!(counters.open(Transport::Socket), SOCKETS as u64);
        drop(clients);
        while counters.open(Transport::Socket) > 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        (first.saturating_sub(start) / SOCKETS, last.saturating_sub(first) / (SOCKETS * FURTHER), last)
    };
    // What is allocated once and never again is not the sockets'.
    drop((0..50).map(|_| open(address)).collect::<Vec<_>>());
    let (socket, _, _) = wave(false);
    let (_, further, _) = wave(true);
    let (_, _, before) = wave(false);
    let (_, _, after) = wave(false);
    println!("bytes per socket {socket}, per further subscription {further}, {before} before {after}");
}

#[test]
fn an_idle_socket_costs_little() {
    if std::env::var_os("ORDERGRAPH_MEASURE").is_some() {
        return main_of_the_process();
    }
    // Other tests of this process would be measured, too.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "http::tests::memory::an_idle_socket_costs_little", "--nocapture"])
        .env("ORDERGRAPH_MEASURE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains("bytes per socket")).unwrap_or_else(|| panic!("{text}"));
    println!("{line}");
    let numbers: Vec<usize> = line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    let [socket, further, before, after] = numbers[..] else { panic!("{line}") };
    assert!(socket <= 4 * 1024, "{line}");
    assert!(further <= 1024, "{line}");
    assert!(after <= before / 10 * 11, "what is closed is given back: {line}");
}
