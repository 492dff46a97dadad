//! What the edge counts, for whoever shows it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What carries live results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket, which carries many operations.
    Socket,
    /// An event stream of one operation.
    EventStream,
    /// A response in parts, of one operation.
    Multipart,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 3] = [Self::Socket, Self::EventStream, Self::Multipart];

    /// The word for labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "websocket",
            Self::EventStream => "sse",
            Self::Multipart => "multipart",
        }
    }
}

/// Counts since the server started. Reading them costs the edge nothing.
#[derive(Debug, Default)]
pub struct Counters {
    open: [AtomicU64; 3],
    messages: [AtomicU64; 3],
    closed: Mutex<BTreeMap<u16, u64>>,
}

impl Counters {
    /// Sockets or streams that are open now.
    pub fn open(&self, transport: Transport) -> u64 {
        self.open[transport as usize].load(Ordering::Relaxed)
    }

    /// Results that were handed to the connections.
    pub fn messages(&self, transport: Transport) -> u64 {
        self.messages[transport as usize].load(Ordering::Relaxed)
    }

    /// Sockets that ended, by the code of the close frame of whoever ended them; 1005 when the
    /// client's had none, 1006 when there was none.
    pub fn sockets_closed(&self) -> BTreeMap<u16, u64> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_messages(&self, transport: Transport, count: u64) {
        if count > 0 {
            self.messages[transport as usize].fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn add_closed(&self, code: u16) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Counts one more as open for as long as the answer lives; nothing if `most` are open.
    pub(crate) fn enter(self: &Arc<Self>, transport: Transport, most: u64) -> Option<Open> {
        self.open[transport as usize]
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < most).then_some(open + 1))
            .ok()?;
        Some(Open { counters: Arc::clone(self), transport })
    }
}

/// One that is open.
#[derive(Debug)]
pub(crate) struct Open {
    counters: Arc<Counters>,
    transport: Transport,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counters.open[self.transport as usize].fetch_sub(1, Ordering::Relaxed);
    }
}
