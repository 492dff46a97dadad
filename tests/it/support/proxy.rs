//! A TCP proxy that does to a connection what networks do: cuts it, stalls it, refuses it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lossy::Lossy;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything arrives.
    Forward,
    /// Nothing arrives until it forwards again; nobody is told.
    Stall,
    /// New connections are closed at once.
    Refuse,
}

/// What the proxy did, so that a test can tell that its fault has happened.
#[derive(Debug, Default)]
pub struct Counts {
    pub connections: AtomicU64,
    pub refused: AtomicU64,
    pub cut: AtomicU64,
    pub stalled: AtomicU64,
    pub dropped: AtomicU64,
    pub doubled: AtomicU64,
    pub swapped: AtomicU64,
}

/// Ends with its value.
pub struct Proxy {
    pub address: SocketAddr,
    pub counts: Arc<Counts>,
    upstream: Arc<Mutex<SocketAddr>>,
    mode: watch::Sender<Mode>,
    /// Changes when every open connection is to be cut.
    cuts: watch::Sender<u64>,
    stop: CancellationToken,
}

impl Proxy {
    /// A proxy before this address.
    pub async fn before(upstream: SocketAddr) -> Self {
        Self::start(upstream, None).await
    }

    /// A proxy before a NATS server that loses, doubles and reorders what the server delivers.
    pub async fn lossy(upstream: SocketAddr, lossy: Lossy) -> Self {
        Self::start(upstream, Some(lossy)).await
    }

    async fn start(upstream: SocketAddr, mut lossy: Option<Lossy>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (mode, modes) = watch::channel(Mode::Forward);
        let (cuts, cut) = watch::channel(0);
        let (stop, counts) = (CancellationToken::new(), Arc::new(Counts::default()));
        let upstream = Arc::new(Mutex::new(upstream));
        let proxy =
            Self { address, counts: counts.clone(), upstream: upstream.clone(), mode, cuts, stop: stop.clone() };
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((client, _)) = accepted else { continue };
                if *modes.borrow() == Mode::Refuse {
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                    reset(&client);
                    continue;
                }
                counts.connections.fetch_add(1, Ordering::Relaxed);
                let link = Link {
                    modes: modes.clone(),
                    cut: cut.clone(),
                    counts: counts.clone(),
                    stop: stop.clone(),
                    lossy: lossy.as_mut().map(Lossy::fork),
                };
                let upstream = *upstream.lock().expect("not poisoned");
                tokio::spawn(link.run(client, upstream));
            }
        });
        proxy
    }

    /// From now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// New connections go there.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.upstream.lock().expect("not poisoned") = upstream;
    }

    /// Cuts every open connection, without a farewell.
    pub fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }

    /// A URL that leads through this proxy instead of to its own host.
    pub fn through(&self, url: &str) -> String {
        replace_host(url, self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The address that a URL names.
pub fn host_of(url: &str) -> SocketAddr {
    let rest = url.split_once("://").expect("a URL").1;
    let authority = rest.split(['/', '?']).next().expect("an authority");
    authority.rsplit('@').next().expect("a host").parse().expect("an address and a port")
}

pub(super) fn replace_host(url: &str, address: SocketAddr) -> String {
    url.replacen(&host_of(url).to_string(), &address.to_string(), 1)
}

/// The end of a connection is a reset: neither side is told that nothing more comes.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

struct Link {
    modes: watch::Receiver<Mode>,
    cut: watch::Receiver<u64>,
    counts: Arc<Counts>,
    stop: CancellationToken,
    lossy: Option<Lossy>,
}

impl Link {
    async fn run(mut self, client: TcpStream, upstream: SocketAddr) {
        self.cut.mark_unchanged();
        let Ok(server) = TcpStream::connect(upstream).await else {
            reset(&client);
            return;
        };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            reset(stream);
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (modes, counts) = (self.modes, self.counts);
        tokio::select! {
            () = self.stop.cancelled() => {}
            _ = self.cut.changed() => {
                counts.cut.fetch_add(1, Ordering::Relaxed);
            }
            () = pump(from_client, to_server, modes.clone(), &counts, None) => {}
            () = pump(from_server, to_client, modes.clone(), &counts, self.lossy) => {}
        }
    }
}

/// Forwards one direction until it ends.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut modes: watch::Receiver<Mode>,
    counts: &Counts,
    mut lossy: Option<Lossy>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let held = lossy.as_ref().is_some_and(Lossy::holds);
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            // What was to be overtaken by the next message is not held back for ever.
            () = tokio::time::sleep(Duration::from_millis(50)), if held => Ok(usize::MAX),
        };
        let mut released = Vec::new();
        let bytes = match (read, lossy.as_mut()) {
            (Ok(0) | Err(_), _) => return,
            (Ok(usize::MAX), Some(lossy)) => {
                lossy.release(&mut released);
                &released
            }
            (Ok(read), Some(lossy)) => {
                lossy.pass(&buffer[..read], &mut released, counts);
                &released
            }
            (Ok(read), None) => &buffer[..read],
        };
        if *modes.borrow() == Mode::Stall {
            counts.stalled.fetch_add(1, Ordering::Relaxed);
            if modes.wait_for(|mode| *mode != Mode::Stall).await.is_err() {
                return;
            }
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
