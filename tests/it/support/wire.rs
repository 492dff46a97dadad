//! Listens to what a server says to PostgreSQL, on the wire: the only place where nothing is left out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::proxy::{host_of, replace_host};

/// What every node asks for now and then, whatever is asked of it: the log, whose access was taken away, and imports to
/// carry on.
const BACKGROUND: &[&str] = &["\"event_log\"", "\"access_restriction\"", "\"meta\"", "\"import_batch\""];

/// A proxy that writes down every statement. Ends with its value.
pub struct Wire {
    address: SocketAddr,
    upstream: Arc<Mutex<Option<SocketAddr>>>,
    heard: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
}

impl Wire {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let upstream: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let (heard, stop) = (Arc::default(), CancellationToken::new());
        let wire = Self { address, upstream: upstream.clone(), heard: Arc::clone(&heard), stop: stop.clone() };
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((client, _)) = accepted else { continue };
                let upstream = upstream.lock().expect("not poisoned").expect("set before anybody connects");
                tokio::spawn(listen(client, upstream, heard.clone()));
            }
        });
        wire
    }

    /// A URL that leads through here instead of to its own host.
    pub fn before(&self, url: &str) -> String {
        *self.upstream.lock().expect("not poisoned") = Some(host_of(url));
        replace_host(url, self.address)
    }

    /// What the server's pool sent while something was done, the background aside.
    pub async fn during<T>(&self, what: impl Future<Output = T>) -> (T, Vec<String>) {
        self.heard.lock().expect("not poisoned").clear();
        let done = what.await;
        let heard = std::mem::take(&mut *self.heard.lock().expect("not poisoned"));
        let own = |sql: &String| !BACKGROUND.iter().any(|table| sql.contains(table));
        (done, heard.into_iter().filter(own).collect())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(client: TcpStream, upstream: SocketAddr, heard: Arc<Mutex<Vec<String>>>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let says = async {
        let (mut session, mut buffer) = (Session::default(), vec![0; 64 * 1024]);
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            heard.lock().expect("not poisoned").extend(session.hear(&buffer[..read]));
            if to_server.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = says => {}
        _ = copy(&mut from_server, &mut to_client) => {}
    }
}

/// One connection's side of the protocol, as far as it tells which statements are executed.
#[derive(Default)]
struct Session {
    bytes: Vec<u8>,
    /// Before it, messages have no kind.
    has_started: bool,
    /// The relay and the listener have sessions of their own.
    is_pooled: bool,
    statements: HashMap<Vec<u8>, String>,
    bound: Vec<u8>,
}

impl Session {
    /// The statements that are executed by what was said so far.
    fn hear(&mut self, said: &[u8]) -> Vec<String> {
        self.bytes.extend_from_slice(said);
        let mut executed = Vec::new();
        loop {
            let head = usize::from(self.has_started);
            let Some(length) = self.bytes.get(head..head + 4) else { break };
            let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
            let whole = head + usize::try_from(length).expect("a length");
            if self.bytes.len() < whole {
                break;
            }
            let message: Vec<u8> = self.bytes.drain(..whole).collect();
            if !self.has_started {
                // What is shorter only asks for encryption.
                self.has_started = message.len() > 8;
                const POOL: &[u8] = b"application_name\0ordergraph\0";
                self.is_pooled = message.windows(POOL.len()).any(|part| part == POOL);
                continue;
            }
            executed.extend(self.message(message[0], &message[5..]));
        }
        if self.is_pooled { executed } else { Vec::new() }
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Option<String> {
        let mut texts = body.split(|byte| *byte == 0);
        let mut next = || texts.next().unwrap_or_default().to_vec();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match kind {
            b'Q' => Some(text(next())),
            b'P' => {
                let (name, sql) = (next(), text(next()));
                self.statements.insert(name, sql);
                None
            }
            b'B' => {
                next();
                self.bound = next();
                None
            }
            b'E' => self.statements.get(&self.bound).cloned(),
            _ => None,
        }
    }
}
