//! The operations of one socket, each served in its turn.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::stream::BoxStream;
use futures::task::AtomicWaker;

use crate::http::backend::Message;
use crate::http::protocol::Key;
use crate::http::stream::poll_message;

/// Streams of messages. One that has something waits in a line, and goes to its end after one
/// message; one that has nothing is not looked at.
#[derive(Default)]
pub(super) struct Operations {
    entries: Vec<Entry>,
    line: Arc<Line>,
}

struct Entry {
    key: Key,
    stream: BoxStream<'static, Message>,
    place: Arc<Place>,
    catching_up: bool,
}

/// Those that may have something.
#[derive(Default)]
struct Line {
    keys: Mutex<VecDeque<Key>>,
    socket: AtomicWaker,
}

/// What wakes one operation.
struct Place {
    key: Key,
    in_line: AtomicBool,
    line: Arc<Line>,
}

impl Place {
    fn queue(&self) -> bool {
        let joins = !self.in_line.swap(true, Ordering::AcqRel);
        if joins {
            self.line.keys.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.key);
        }
        joins
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queue() {
            self.line.socket.wake();
        }
    }
}

impl Operations {
    pub(super) fn start(&mut self, key: Key, stream: BoxStream<'static, Message>) {
        let place = Arc::new(Place { key, in_line: AtomicBool::new(false), line: Arc::clone(&self.line) });
        place.queue();
        self.entries.reserve_exact(1);
        self.entries.push(Entry { key, stream, place, catching_up: false });
    }

    pub(super) fn stop(&mut self, key: Key) {
        if let Some(index) = self.position(key) {
            self.entries.swap_remove(index);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether an operation reads its past.
    pub(super) fn is_catching_up(&self) -> bool {
        self.entries.iter().any(|entry| entry.catching_up)
    }

    /// The next message of whoever is first in the line; without a message that operation is
    /// over and gone. Pending when none has anything.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<(Key, Option<Message>)> {
        self.line.socket.register(context.waker());
        // A stream may wake itself and still have nothing.
        for _ in 0..=self.entries.len() {
            let Some(key) = self.first() else { return Poll::Pending };
            let Some(index) = self.position(key) else { continue };
            let entry = &mut self.entries[index];
            entry.place.in_line.store(false, Ordering::Release);
            let waker = Waker::from(Arc::clone(&entry.place));
            match poll_message(&mut entry.stream, &mut Context::from_waker(&waker)) {
                Poll::Pending => {}
                Poll::Ready(Some(Message::CatchingUp(catching_up))) => {
                    entry.catching_up = catching_up;
                    entry.place.queue();
                }
                Poll::Ready(Some(message)) => {
                    entry.place.queue();
                    return Poll::Ready((key, Some(message)));
                }
                Poll::Ready(None) => {
                    self.entries.swap_remove(index);
                    return Poll::Ready((key, None));
                }
            }
        }
        if !self.keys_in_line() {
            return Poll::Pending;
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn position(&self, key: Key) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }

    fn first(&self) -> Option<Key> {
        self.line.keys.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn keys_in_line(&self) -> bool {
        !self.line.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::stream::{iter, pending, poll_fn};
    use futures::task::noop_waker_ref;

    use super::*;
    use crate::http::backend::Bytes;

    fn next() -> Message {
        Message::Next { body: Bytes::new(), cursor: None }
    }

    /// The keys of those that were served, in order; `!` where one ended.
    fn served(operations: &mut Operations) -> Vec<String> {
        let mut context = Context::from_waker(noop_waker_ref());
        let mut keys = Vec::new();
        while let Poll::Ready((key, message)) = operations.poll_next(&mut context) {
            keys.push(format!("{key}{}", if message.is_some() { "" } else { "!" }));
        }
        keys
    }

    #[test]
    fn each_has_one_message_and_then_waits() {
        let mut operations = Operations::default();
        assert_eq!(served(&mut operations), [""; 0]);
        operations.start(1, iter([next(), next(), next()]).boxed());
        operations.start(2, pending().boxed());
        operations.start(3, iter([next()]).boxed());
        operations.start(4, iter([next()]).boxed());
        operations.stop(4);
        assert_eq!(served(&mut operations), ["1", "3", "1", "3!", "1", "1!"]);
        assert_eq!(operations.entries.len(), 1, "those that ended are gone");
    }

    #[test]
    fn a_stream_that_wakes_itself_does_not_hold_up_the_thread() {
        let mut operations = Operations::default();
        let restless = poll_fn(|context: &mut Context<'_>| {
            context.waker().wake_by_ref();
            Poll::<Option<Message>>::Pending
        });
        operations.start(1, restless.boxed());
        assert_eq!(served(&mut operations), [""; 0]);
    }

    #[test]
    fn knows_who_reads_the_past() {
        let mut operations = Operations::default();
        let (sender, receiver) = futures::channel::mpsc::unbounded();
        operations.start(1, receiver.boxed());
        sender.unbounded_send(Message::CatchingUp(true)).unwrap();
        assert_eq!(served(&mut operations), [""; 0]);
        assert!(operations.is_catching_up());
        sender.unbounded_send(next()).unwrap();
        sender.unbounded_send(Message::CatchingUp(false)).unwrap();
        assert_eq!(served(&mut operations), ["1"]);
        assert!(!operations.is_catching_up());
    }

    #[test]
    fn a_stream_that_panics_fails_alone() {
        let mut operations = Operations::default();
        let bad = poll_fn(|_: &mut Context<'_>| -> Poll<Option<Message>> {
            assert!(std::hint::black_box(false), "boom");
            Poll::Pending
        });
        operations.start(1, bad.boxed());
        operations.start(2, iter([next()]).boxed());
        let mut context = Context::from_waker(noop_waker_ref());
        let Poll::Ready((1, Some(Message::Error(errors)))) = operations.poll_next(&mut context) else {
            panic!("an error is told");
        };
        assert_eq!(errors.len(), 1);
        operations.stop(1);
        assert_eq!(served(&mut operations), ["2", "2!"]);
    }
}
