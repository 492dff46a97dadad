//! One socket: performs what the [`Protocol`] machine wants on a real connection.
//!
//! Written as a future by hand, since there may be ten thousand of them: what it is made of is
//! what it costs while nothing happens.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::Introduction;
use super::frame::{Decoder, Incoming, Violation};
use super::operations::Operations;
use super::outbox::Outbox;
use crate::http::auth::{Identity, TokenError};
use crate::http::backend::Backend;
use crate::http::caller::Language;
use crate::http::counters::Open;
use crate::http::edge::EdgeState;
use crate::http::places::Place;
use crate::http::protocol::{Protocol, close};
use crate::http::server::ConnectionPermit;

/// Rounds before the thread goes to others.
const ROUNDS: usize = 4;

const READ_BYTES: usize = 2 * 1024;

/// How long a client that was sent a close frame may take to answer it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a close frame may wait for a client that has not read what came before it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Who the client is, or why its token is refused.
pub(super) type Verdict = Result<Option<Arc<Identity>>, TokenError>;

/// What a request that becomes a socket brings along.
pub(super) struct Entrance {
    pub(super) introduction: Introduction,
    pub(super) speaks_protocol: bool,
    pub(super) open: Open,
    pub(super) permit: Option<ConnectionPermit>,
}

/// One socket, from its first message to its end.
pub(super) struct Session<B: Backend> {
    pub(super) edge: Arc<EdgeState<B>>,
    connection: TokioIo<Upgraded>,
    decoder: Decoder,
    pub(super) outbox: Outbox,
    /// When the client must have taken what is being written.
    write_deadline: Option<Instant>,
    pub(super) protocol: Protocol,
    pub(super) operations: Operations,
    pub(super) language: Language,
    /// The token of the request, until the first message has come.
    pub(super) token: Option<Box<Result<Option<String>, TokenError>>>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) authentication: Option<BoxFuture<'static, Verdict>>,
    pub(super) ping: Option<Box<Ping>>,
    pub(super) stage: Stage,
    /// Whether the end of the socket was counted.
    counted: bool,
    timer: Pin<Box<Sleep>>,
    stopped: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    pub(super) place: Option<Place>,
    _open: Open,
    _permit: Option<ConnectionPermit>,
}

/// A ping that waits until all that its cursor covers was sent.
pub(super) struct Ping {
    pub(super) cursor: Option<String>,
    pub(super) reauth: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Our close frame is on its way.
    Closing,
    /// The answer to the client's close frame is on its way; nothing follows.
    Leaving,
    /// Our close frame is written; the client's is awaited until then.
    Farewell(Instant),
}

/// The connection is broken or over.
struct Over;

impl<B: Backend> Session<B> {
    pub(super) fn new(edge: Arc<EdgeState<B>>, upgraded: Upgraded, entrance: Entrance) -> Self {
        let now = now();
        let mut protocol = Protocol::new(Arc::clone(&edge.socket_settings), now);
        if !entrance.speaks_protocol {
            protocol.close(close::SUBPROTOCOL, "Subprotocol not acceptable");
        }
        Self {
            connection: TokioIo::new(upgraded),
            decoder: Decoder::default(),
            outbox: Outbox::default(),
            write_deadline: None,
            protocol,
            operations: Operations::default(),
            language: entrance.introduction.language,
            token: Some(Box::new(entrance.introduction.token)),
            identity: None,
            authentication: None,
            ping: None,
            stage: Stage::Open,
            counted: false,
            timer: Box::pin(sleep_until(now.into())),
            stopped: Some(Box::pin(edge.stopping.clone().cancelled_owned())),
            place: None,
            edge,
            _open: entrance.open,
            _permit: entrance.permit,
        }
    }

    /// Does what can be done without waiting; tells whether there may be more.
    fn turn(&mut self, context: &mut Context<'_>) -> Result<bool, Over> {
        let now = now();
        self.notice(context, now);
        let mut more = false;
        if self.flush(context, now)? {
            more |= self.read(context, now)?;
            self.perform();
            if self.stage == Stage::Open {
                more |= self.deliver(context);
            }
            self.flush(context, now)?;
        } else {
            self.perform();
        }
        Ok(more | self.set_timer(context, now))
    }

    /// Looks at all that may happen besides messages.
    fn notice(&mut self, context: &mut Context<'_>, now: Instant) {
        if let Some(stopped) = &mut self.stopped
            && stopped.as_mut().poll(context).is_ready()
        {
            self.stopped = None;
            self.protocol.restart(now + self.edge.share_of_drain());
        }
        if let Some(authentication) = &mut self.authentication
            && let Poll::Ready(verdict) = authentication.as_mut().poll(context)
        {
            self.authentication = None;
            self.judge(verdict, now);
        }
        if self.protocol.deadline().is_some_and(|deadline| deadline <= now) {
            self.protocol.timer(now);
        }
    }

    /// Writes what there is; tells whether all of it went.
    fn flush(&mut self, context: &mut Context<'_>, now: Instant) -> Result<bool, Over> {
        if !self.outbox.is_empty() {
            match self.outbox.poll_flush(&mut self.connection, context) {
                Poll::Ready(Ok(())) => self.write_deadline = None,
                Poll::Ready(Err(_)) => return Err(Over),
                Poll::Pending => {
                    let closes = self.protocol.is_closed() || self.stage != Stage::Open;
                    let patience = match closes {
                        true => LAST_WORDS,
                        false => Duration::from_millis(self.edge.settings.socket.write_milliseconds),
                    };
                    let deadline = self.write_deadline.unwrap_or(now + patience);
                    self.write_deadline = Some(if closes { deadline.min(now + patience) } else { deadline });
                    if deadline <= now {
                        return Err(Over);
                    }
                    return Ok(false);
                }
            }
        }
        match self.stage {
            Stage::Open => Ok(true),
            Stage::Leaving => Err(Over),
            Stage::Closing => {
                self.stage = Stage::Farewell(now + FAREWELL);
                Ok(true)
            }
            Stage::Farewell(deadline) if deadline <= now => Err(Over),
            Stage::Farewell(_) => Ok(true),
        }
    }

    /// Reads once and hands on what came; tells whether there may be more.
    fn read(&mut self, context: &mut Context<'_>, now: Instant) -> Result<bool, Over> {
        let mut bytes = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.connection).poll_read(context, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Err(_)) => return Err(Over),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Err(Over),
            Poll::Ready(Ok(())) => {}
        }
        self.decoder.push(buffer.filled());
        while let ControlFlow::Continue(incoming) = self.decode() {
            match (incoming, self.stage) {
                (Incoming::Close(_), Stage::Farewell(_)) => return Err(Over),
                (_, Stage::Farewell(_) | Stage::Closing | Stage::Leaving) => {}
                (Incoming::Close(code), Stage::Open) => {
                    self.leave(code);
                    break;
                }
                (Incoming::Text(text), Stage::Open) => self.protocol.text(&text, now),
                (Incoming::Binary, Stage::Open) => self.protocol.binary(),
                (Incoming::Ping(payload), Stage::Open) => self.outbox.pong(&payload),
                (Incoming::Pong, Stage::Open) => {}
            }
        }
        Ok(true)
    }

    fn decode(&mut self) -> ControlFlow<(), Incoming> {
        match self.decoder.next(self.protocol.message_bytes()) {
            Ok(Some(incoming)) => return ControlFlow::Continue(incoming),
            Ok(None) => {}
            Err(violation) => {
                // What follows can't be told apart any more; it is thrown away.
                self.decoder = Decoder::default();
                match violation {
                    Violation::TooLarge => self.protocol.too_large(),
                    Violation::Malformed(reason) => self.protocol.close(close::PROTOCOL, reason),
                    Violation::NotUtf8 => self.protocol.close(close::NOT_UTF8, "A text is not UTF-8"),
                }
            }
        }
        ControlFlow::Break(())
    }

    /// The client ends the connection.
    fn leave(&mut self, code: u16) {
        self.let_go(code);
        self.outbox.close(if code == close::NO_CODE { close::NORMAL } else { code }, "");
        self.stage = Stage::Leaving;
    }

    /// Gives back everything that is not needed to say farewell.
    pub(super) fn let_go(&mut self, code: u16) {
        self.edge.counters.add_closed(code);
        self.counted = true;
        self.operations.clear();
        self.authentication = None;
        self.ping = None;
        self.place = None;
        self.stopped = None;
    }

    /// Sees to it that this is looked at again in time; tells whether it is time already.
    fn set_timer(&mut self, context: &mut Context<'_>, now: Instant) -> bool {
        let own = match self.stage {
            Stage::Open => self.protocol.deadline(),
            Stage::Closing | Stage::Leaving => None,
            Stage::Farewell(deadline) => Some(deadline),
        };
        let Some(deadline) = [own, self.write_deadline].into_iter().flatten().min() else { return false };
        if deadline <= now {
            return true;
        }
        if self.timer.deadline() != deadline.into() {
            self.timer.as_mut().reset(deadline.into());
        }
        self.timer.as_mut().poll(context).is_ready()
    }
}

impl<B: Backend> Future for Session<B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            match self.turn(context) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(Over) => return Poll::Ready(()),
            }
        }
        // Otherwise a flood on one socket would keep its thread from all others.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Backend> Drop for Session<B> {
    fn drop(&mut self) {
        if !self.counted {
            self.edge.counters.add_closed(close::ABNORMAL);
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
