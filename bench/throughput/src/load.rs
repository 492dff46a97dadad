//! The load: kept connections over HTTP/1.1, in a closed loop or at a fixed rate. One thread, and as
//! little work per answer as its check allows, for it shares the cores with what is measured.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bench_common::histogram::Histogram;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an answer must be like.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// How often which text is in it.
    pub counts: Vec<(String, usize)>,
    /// What must not be in it, such as errors.
    pub absent: Vec<String>,
}

impl Expected {
    /// Says what is wrong with an answer.
    pub fn check(&self, body: &[u8]) -> Result<(), String> {
        let excerpt = || String::from_utf8_lossy(&body[..body.len().min(600)]).into_owned();
        if let Some(text) = self.absent.iter().find(|text| memmem::find(body, text.as_bytes()).is_some()) {
            return Err(format!("{text} in {}", excerpt()));
        }
        for (text, wanted) in &self.counts {
            let found = memmem::find_iter(body, text.as_bytes()).count();
            if found != *wanted {
                return Err(format!("{text} is there {found} times, not {wanted}: {}", excerpt()));
            }
        }
        Ok(())
    }
}

/// Makes the body of the request of a number; none when there are no more.
pub type Bodies<'a> = &'a dyn Fn(u64) -> Option<String>;

/// Whom requests are sent to.
#[derive(Clone)]
pub struct Target {
    /// Its address.
    pub address: SocketAddr,
    /// Further lines of the head of each request, each with its line end.
    pub headers: String,
    /// What answers must be like.
    pub expected: Expected,
}

/// What came of it.
#[derive(Clone, Default)]
pub struct Answers {
    /// How many right answers there were.
    pub count: u64,
    /// From the first request to the last answer, in seconds.
    pub seconds: f64,
    /// Times of the answers.
    pub latency: Histogram,
}

/// One kept connection.
struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    request: String,
}

impl Wire {
    async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 16), request: String::new() })
    }

    /// Sends a request and checks the answer.
    async fn exchange(&mut self, target: &Target, body: &str) -> anyhow::Result<()> {
        use std::fmt::Write as _;
        self.request.clear();
        write!(
            self.request,
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{}content-length: {}\r\n\r\n{body}",
            target.headers,
            body.len()
        )?;
        self.stream.write_all(self.request.as_bytes()).await?;
        self.buffer.clear();
        let body = tokio::time::timeout(PATIENCE, self.read()).await.context("no answer")??;
        target.expected.check(&self.buffer[body.0..body.1]).map_err(anyhow::Error::msg)
    }

    /// Reads an answer; where its body is in the buffer.
    async fn read(&mut self) -> anyhow::Result<(usize, usize)> {
        let head = loop {
            self.more().await?;
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            self.stream.readable().await?;
            let _ = tokio::time::timeout(Duration::from_millis(100), self.more()).await;
            bail!("answered {}", String::from_utf8_lossy(&self.buffer));
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if let Some(length) = length {
            while self.buffer.len() < head + length {
                self.more().await?;
            }
            return Ok((head, head + length));
        }
        // In chunks; their lengths between them do not disturb a search for names.
        while !self.buffer.ends_with(b"0\r\n\r\n") {
            self.more().await?;
        }
        Ok((head, self.buffer.len()))
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed");
        }
        Ok(())
    }
}

/// Every connection sends its next request when the last is answered, until the time is over or
/// there are no more.
pub async fn closed_loop(
    target: &Target,
    connections: usize,
    time: Duration,
    bodies: Bodies<'_>,
) -> anyhow::Result<Answers> {
    let mut wires = Vec::new();
    for _ in 0..connections {
        wires.push(Wire::open(target).await?);
    }
    let (next, latency) = (Cell::new(0), RefCell::new(Histogram::default()));
    let began = Instant::now();
    let run = |mut wire: Wire| {
        let (next, latency) = (&next, &latency);
        async move {
            while began.elapsed() < time {
                let number = next.replace(next.get() + 1);
                let Some(body) = bodies(number) else { break };
                let sent = Instant::now();
                wire.exchange(target, &body).await?;
                latency.borrow_mut().record(sent.elapsed());
            }
            anyhow::Ok(())
        }
    };
    futures::future::try_join_all(wires.into_iter().map(run)).await?;
    let latency = latency.into_inner();
    Ok(Answers { count: latency.total(), seconds: began.elapsed().as_secs_f64(), latency })
}

/// Requests begin at fixed moments, whether or not earlier ones are answered; times count from the
/// moment a request should have begun.
pub async fn open_loop(
    target: &Target,
    connections: usize,
    per_second: f64,
    time: Duration,
    bodies: Bodies<'_>,
) -> anyhow::Result<Answers> {
    let mut wires = Vec::new();
    for _ in 0..connections {
        wires.push(Wire::open(target).await?);
    }
    let count = (per_second * time.as_secs_f64()) as u64;
    let (send, due) = mpsc::unbounded_channel();
    // The runtime's clock ticks in milliseconds, a thread's does not.
    std::thread::spawn(move || {
        let began = Instant::now() + Duration::from_millis(20);
        for number in 0..count {
            let moment = began + Duration::from_secs_f64(number as f64 / per_second);
            std::thread::sleep(moment.saturating_duration_since(Instant::now()));
            if send.send((number, moment)).is_err() {
                break;
            }
        }
    });
    let (due, latency) = (Rc::new(Mutex::new(due)), RefCell::new(Histogram::default()));
    let began = Instant::now();
    let run = |mut wire: Wire| {
        let (due, latency) = (Rc::clone(&due), &latency);
        async move {
            loop {
                let next = due.lock().await.recv().await;
                let Some((number, moment)) = next else { return anyhow::Ok(()) };
                let Some(body) = bodies(number) else { return Ok(()) };
                wire.exchange(target, &body).await?;
                latency.borrow_mut().record(moment.elapsed());
            }
        }
    };
    futures::future::try_join_all(wires.into_iter().map(run)).await?;
    let latency = latency.into_inner();
    Ok(Answers { count: latency.total(), seconds: began.elapsed().as_secs_f64(), latency })
}
