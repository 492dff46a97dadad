//! One client: a WebSocket that speaks graphql-transport-ws, with next to no memory of its own.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};

use crate::frame;
use crate::tally::Tally;

const PATIENCE: Duration = Duration::from_secs(30);
const TYPE: &[u8] = b"\"type\":\"";
/// The type of a message is near its beginning; the rest may be long.
const HEAD: usize = 128;
/// Connections from one source address: closed ones keep their port for a minute.
const PER_ADDRESS: u32 = 2_000;

thread_local! {
    /// All sockets of a thread read into the same buffer; what is left of a frame is kept apart.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 128 * 1024]);
}

/// A connected client.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose end has not come yet.
    held: Vec<u8>,
    /// The number among all subscribers of its first subscription, and how many it has.
    members: (usize, usize),
}

/// What a round of reading led to.
enum Step {
    Goes,
    Answer(Vec<u8>),
    Ends(u16),
}

impl Socket {
    /// Connects, introduces itself and waits until it is acknowledged.
    pub async fn open(server: SocketAddr, path: &str, token: &str) -> anyhow::Result<Self> {
        tokio::time::timeout(PATIENCE, Self::connect(server, path, token)).await.context("no acknowledgement came")?
    }

    async fn connect(server: SocketAddr, path: &str, token: &str) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((source(), 0)))?;
        let stream = socket.connect(server).await.context("connect")?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream, held: Vec::new(), members: (0, 0) };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: b3JkZXJncmFwaC1iZW5jaA==\r\n\
             sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        client.stream.write_all(request.as_bytes()).await?;
        let end = loop {
            if let Some(at) = frame::find(&client.held, b"\r\n\r\n") {
                break at + 4;
            }
            client.read_more().await?;
        };
        if !client.held.starts_with(b"HTTP/1.1 101") {
            bail!("the socket was refused: {}", String::from_utf8_lossy(&client.held));
        }
        client.held.drain(..end);
        let introduction = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
        client.send(&introduction).await?;
        loop {
            while let Some((first, length)) = frame::first(&client.held) {
                if first.opcode == frame::CLOSE {
                    bail!("closed: {}", String::from_utf8_lossy(first.payload));
                }
                let acknowledged = kind(first.payload) == Some(b"connection_ack");
                client.held.drain(..length);
                if acknowledged {
                    return Ok(client);
                }
            }
            client.read_more().await?;
        }
    }

    /// Begins subscriptions, numbered from `first` among all subscribers.
    pub async fn subscribe(&mut self, first: usize, payloads: Vec<Json>) -> anyhow::Result<()> {
        self.members = (first, payloads.len());
        let mut bytes = Vec::new();
        for (member, payload) in payloads.into_iter().enumerate() {
            let message = json!({"id": id(first + member), "type": "subscribe", "payload": payload});
            bytes.extend_from_slice(&frame::masked(frame::TEXT, message.to_string().as_bytes()));
        }
        self.stream.write_all(&bytes).await?;
        Ok(())
    }

    /// Counts what comes until the server ends it; returns the code.
    pub async fn follow(mut self, tally: &Tally) -> u16 {
        let mut held = std::mem::take(&mut self.held);
        held.shrink_to_fit();
        self.held = held;
        loop {
            match self.step(tally).await {
                Step::Goes => {}
                Step::Ends(code) => return code,
                Step::Answer(bytes) => {
                    if self.stream.write_all(&bytes).await.is_err() {
                        return 1006;
                    }
                }
            }
        }
    }

    async fn step(&mut self, tally: &Tally) -> Step {
        poll_fn(|context| {
            BUFFER.with_borrow_mut(|buffer| {
                // A whole round for one socket at most, so that all get their turn.
                let held = self.held.len();
                if buffer.len() < held + 4_096 {
                    buffer.resize(held + 65_536, 0);
                }
                buffer[..held].copy_from_slice(&self.held);
                let mut room = ReadBuf::new(&mut buffer[held..]);
                let outcome = ready!(Pin::new(&mut self.stream).poll_read(context, &mut room));
                let count = room.filled().len();
                if outcome.is_err() || count == 0 {
                    return Poll::Ready(Step::Ends(1006));
                }
                let (step, used) = self.frames(&buffer[..held + count], tally);
                self.held.clear();
                self.held.extend_from_slice(&buffer[used..held + count]);
                if self.held.is_empty() {
                    self.held = Vec::new();
                }
                Poll::Ready(step)
            })
        })
        .await
    }

    fn frames(&self, bytes: &[u8], tally: &Tally) -> (Step, usize) {
        let (mut used, mut answer) = (0, Vec::new());
        while let Some((frame, length)) = frame::first(&bytes[used..]) {
            match frame.opcode {
                frame::TEXT => match kind(frame.payload) {
                    Some(b"next") => tally.next(self.member(frame.payload), frame.payload),
                    Some(b"ping") => answer.extend(frame::masked(frame::TEXT, br#"{"type":"pong"}"#)),
                    Some(b"pong") => {}
                    _ => tally.unreadable(frame.payload),
                },
                frame::PING => answer.extend(frame::masked(frame::PONG, frame.payload)),
                frame::CLOSE => {
                    let code = frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    return (Step::Ends(code), bytes.len());
                }
                _ => {}
            }
            used += length;
        }
        (if answer.is_empty() { Step::Goes } else { Step::Answer(answer) }, used)
    }

    /// The subscriber a message is for.
    fn member(&self, message: &[u8]) -> usize {
        match self.members {
            // The peers that send the same bytes to all have no ids of their own.
            (only, 1) => only,
            _ => frame::quoted(&message[..message.len().min(HEAD)], b"\"id\":\"")
                .and_then(|id| std::str::from_utf8(id.get(..8)?).ok())
                .and_then(|number| usize::from_str_radix(number, 16).ok())
                .unwrap_or(usize::MAX),
        }
    }

    async fn send(&mut self, message: &Json) -> anyhow::Result<()> {
        self.stream.write_all(&frame::masked(frame::TEXT, message.to_string().as_bytes())).await?;
        Ok(())
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        use tokio::io::AsyncReadExt;
        if self.stream.read_buf(&mut self.held).await? == 0 {
            bail!("the server hung up");
        }
        Ok(())
    }
}

fn kind(message: &[u8]) -> Option<&[u8]> {
    frame::quoted(&message[..message.len().min(HEAD)], TYPE)
}

/// An id as long as clients' UUIDs, that tells the number of the subscriber.
fn id(member: usize) -> String {
    format!("{member:08x}-0000-4000-8000-000000000000")
}

fn source() -> Ipv4Addr {
    static OPENED: AtomicU32 = AtomicU32::new(0);
    let address = OPENED.fetch_add(1, Ordering::Relaxed) / PER_ADDRESS % 60_000;
    let [high, low] = [address / 250 + 1, address % 250 + 1].map(|part| u8::try_from(part).unwrap_or(1));
    Ipv4Addr::new(127, 0, high, low)
}
