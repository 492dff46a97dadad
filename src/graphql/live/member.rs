//! One subscriber's place: a group and a position. What it takes comes from the group's ring; what is
//! not there any more it reads from the log, at its own pace.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{FutureExt, Stream, ready};
use tokio::task::JoinHandle;

use super::execution::Frame;
use super::group::{End, Group, Taken};
use super::shelf::Page;
use super::stats::Stats;
use crate::app::Failure;
use crate::app::read::subscription::piece;
use crate::graphql::context;
use crate::http::{Farewell, Message, error};

/// Events that are read and executed at a time for whoever is behind.
const PAGE: usize = 64;
/// How long a subscriber waits for its turn to read the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// A subscriber's place in its group.
pub struct Member {
    pub(super) group: Arc<Group>,
    pub(super) slot: usize,
    /// Everything up to here was handed out.
    pub(super) next: i64,
    /// Whether it has ever been up to date: then being far behind is its own slowness.
    was_live: bool,
    /// Results of its own.
    pub(super) own: VecDeque<Frame>,
    /// Where it is once it has taken its own.
    after_own: Option<i64>,
    reading: Option<JoinHandle<Result<Arc<Page>, Broken>>>,
    /// Whether the connection was told that there may be more than it gets.
    is_catching_up: bool,
}

/// Why the log was not read.
pub enum Broken {
    /// It is too much, or too many others read.
    Slow,
    /// It is not within reach.
    Failed(Failure),
}

impl Drop for Member {
    fn drop(&mut self) {
        self.group.hub.clone().leave(&self.group, self.slot);
    }
}

/// A subscription once it is open.
pub struct Messages(pub(super) Option<Member>);

impl Stream for Messages {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let Some(member) = &mut self.0 else { return Poll::Ready(None) };
        let message = ready!(member.poll(cx));
        match &message {
            Message::Next { .. } => Stats::count(&member.group.hub.stats().deliveries),
            Message::Error(_) | Message::Close(_) => self.0 = None,
            Message::CatchingUp(_) => {}
        }
        Poll::Ready(Some(message))
    }
}

impl Member {
    /// A place that was taken in a group, by somebody who has seen everything up to a position.
    pub(super) fn new(group: Arc<Group>, slot: usize, next: i64) -> Self {
        Self {
            group,
            slot,
            next,
            was_live: false,
            own: VecDeque::new(),
            after_own: None,
            reading: None,
            is_catching_up: true,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Message> {
        loop {
            if let Some(frame) = self.own.pop_front() {
                self.next = self.next.max(frame.position);
                return Poll::Ready(frame.into());
            }
            if let Some(upto) = self.after_own.take() {
                self.next = self.next.max(upto);
            }
            if let Some(reading) = &mut self.reading {
                let read = ready!(reading.poll_unpin(cx));
                self.reading = None;
                match read {
                    Ok(Ok(page)) => {
                        let ahead = page.frames.iter().filter(|frame| frame.position > self.next);
                        self.own = ahead.cloned().collect();
                        self.after_own = Some(page.upto);
                    }
                    Ok(Err(Broken::Slow)) => {
                        Stats::count(&self.group.hub.stats().slow_consumers);
                        return Poll::Ready(Message::Close(Farewell::SlowConsumer));
                    }
                    Ok(Err(Broken::Failed(failure))) => return Poll::Ready(self.failed(&failure)),
                    Err(panic) => return Poll::Ready(self.failed(&Failure::Internal(panic.to_string()))),
                }
                continue;
            }
            match self.group.take(self.slot, self.next, cx.waker()) {
                Taken::Frame(frame) => {
                    self.next = frame.position;
                    self.was_live = true;
                    return Poll::Ready(frame.into());
                }
                Taken::Nothing => {
                    self.was_live = true;
                    if std::mem::take(&mut self.is_catching_up) {
                        return Poll::Ready(Message::CatchingUp(false));
                    }
                    return Poll::Pending;
                }
                Taken::Behind if self.group.hub.feed().conduct().skip_when_lagging => {
                    self.next = self.group.floor();
                }
                Taken::Behind => {
                    let read = read(self.group.clone(), self.next, self.was_live);
                    // In a task of its own: a socket that closes must not take a connection along.
                    self.reading = Some(tokio::spawn(read));
                    if !std::mem::replace(&mut self.is_catching_up, true) {
                        return Poll::Ready(Message::CatchingUp(true));
                    }
                }
                Taken::Ended(end) => return Poll::Ready(ended(end)),
            }
        }
    }

    fn failed(&self, failure: &Failure) -> Message {
        let request_id = &*self.group.session.request_id;
        if let Failure::Internal(cause) = failure {
            tracing::error!(request_id, cause, "a subscription could not go on");
            return Message::Error(vec![error::internal(request_id)]);
        }
        Message::Error(vec![error::coded(context::code(failure), failure.to_string())])
    }
}

fn ended(end: End) -> Message {
    let coded = |code, message: &str| Message::Error(vec![error::coded(code, message)]);
    match end {
        End::Resync => {
            coded(error::code::RESYNC, "The log began anew; read the state again and subscribe without a cursor.")
        }
        End::RolesChanged => {
            coded(error::code::FORBIDDEN, "Your roles have changed; subscribe again to what they permit.")
        }
        End::AccessRevoked => Message::Close(Farewell::AccessRevoked),
    }
}

/// Reads a piece of the log for whoever is behind. Those who come back together to the same place are
/// served by one execution.
async fn read(group: Arc<Group>, next: i64, was_live: bool) -> Result<Arc<Page>, Broken> {
    let hub = &group.hub;
    let feed = hub.feed();
    if was_live && feed.tip() - next > feed.settings().slow_events {
        return Err(Broken::Slow);
    }
    let _turn = tokio::time::timeout(PATIENCE, group.turn.lock()).await.map_err(|_| Broken::Slow)?;
    // What a conflated result stands for depends on where one comes from.
    if let Some(page) = group.shelf.find(next, group.interest.conflates) {
        return Ok(page);
    }
    let _permit = tokio::time::timeout(PATIENCE, hub.may_catch_up()).await.map_err(|_| Broken::Slow)?;
    let floor = group.floor();
    if next >= floor {
        return Ok(Arc::new(Page { after: next, upto: next, frames: Vec::new() }));
    }
    Stats::count(&hub.stats().catch_ups);
    let found = read_log(&group, next, floor).await?;
    let frames = group.execute(group.updates(found.events)).await;
    let page = Arc::new(Page { after: next, upto: found.reached, frames });
    hub.keeper().keep(&group.shelf, &page);
    Ok(page)
}

/// The same, waiting for a database that is away.
async fn read_log(group: &Group, next: i64, floor: i64) -> Result<crate::app::read::subscription::Piece, Broken> {
    let mut pause = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        match piece(group.hub.feed(), &group.session.actor, &group.interest, next, floor, PAGE).await {
            Ok(piece) => return Ok(piece),
            Err(Failure::Internal(cause)) => return Err(Broken::Failed(Failure::Internal(cause))),
            Err(failure) if waited > Duration::from_secs(30) => return Err(Broken::Failed(failure)),
            Err(_) => tokio::time::sleep(pause).await,
        }
        waited += pause;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
