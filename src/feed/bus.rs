//! The bus: how nodes tell each other to look at the log again. Hints, never truth: whatever is
//! lost, doubled, reordered or made up costs latency or a needless look, since every node reads the
//! log itself and looks by itself from time to time.

mod nats;
mod notify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A node says at most once in this time that events wait, however many it commits.
const PACE: Duration = Duration::from_millis(5);
/// A lost connection is tried again at once, then after twice as long each time, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The bus as one node sees it.
#[derive(Clone)]
pub struct Bus {
    shared: Arc<Shared>,
}

struct Shared {
    log: watch::Sender<Heard>,
    waiting: watch::Sender<Heard>,
    carrier: Carrier,
    /// The newest position that other nodes are to be told of.
    untold_log: watch::Sender<i64>,
    /// Changes when other nodes are to be told that events wait.
    untold_waiting: watch::Sender<()>,
    leads: AtomicBool,
    is_connected: AtomicBool,
    connections: AtomicU64,
}

/// What carries hints from node to node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Nothing,
    Notify,
    Nats,
}

/// The bus cannot be used at all, however long one waits.
#[derive(Debug, thiserror::Error)]
#[error("the address of the NATS server is not right: {0}")]
pub struct BusError(String);

/// Why to look at the log again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The log reaches up to this position: who is there already need not look.
    UpTo(i64),
    /// Something happened, or what did was not heard: look, whatever you know.
    Look,
}

/// All that was heard so far. Hints that come faster than they are taken become one.
#[derive(Clone, Copy, Default)]
struct Heard {
    position: i64,
    looks: u64,
}

/// Hints as they come.
pub struct Hints {
    heard: watch::Receiver<Heard>,
    looks: u64,
}

impl Hints {
    /// The next hint; never comes when there is nobody left who could give one. Nothing is lost when
    /// the future is dropped.
    pub async fn next(&mut self) -> Hint {
        if self.heard.changed().await.is_err() {
            return std::future::pending().await;
        }
        let heard = *self.heard.borrow_and_update();
        if std::mem::replace(&mut self.looks, heard.looks) == heard.looks {
            Hint::UpTo(heard.position)
        } else {
            Hint::Look
        }
    }
}

impl Bus {
    fn new(carrier: Carrier) -> Self {
        let shared = Shared {
            log: watch::Sender::default(),
            waiting: watch::Sender::default(),
            carrier,
            untold_log: watch::Sender::default(),
            untold_waiting: watch::Sender::default(),
            leads: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Nobody else to tell: one process.
    pub fn local() -> Self {
        Self::new(Carrier::Nothing)
    }

    /// By LISTEN and NOTIFY of the PostgreSQL server at this address, over one connection of its own
    /// that is made, and made again, in the background.
    pub fn notify(url: &str, tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        let bus = Self::new(Carrier::Notify);
        tasks.spawn(notify::run(bus.shared.clone(), url.to_owned(), stop.clone()));
        bus
    }

    /// By the NATS server at this address, for the nodes of one epoch. The connection is made, and
    /// made again, in the background: a server that is away costs latency only.
    ///
    /// # Errors
    /// The address is none.
    pub async fn nats(url: &str, epoch: &str, tasks: &TaskTracker, stop: &CancellationToken) -> Result<Self, BusError> {
        let bus = Self::new(Carrier::Nats);
        let client = nats::connect(&bus.shared, url).await?;
        tasks.spawn(nats::run(bus.shared.clone(), client, epoch.to_owned(), stop.clone()));
        Ok(bus)
    }

    /// Does the relay tell of new positions within its own transaction, by `pg_notify` on
    /// [`CHANNEL_LOG`]? Then [`Self::publish_log`] tells this process only.
    pub fn notifies_in_transaction(&self) -> bool {
        self.shared.carrier == Carrier::Notify
    }

    /// The log reaches up to this position. For whoever gives positions, after the commit.
    pub fn publish_log(&self, position: i64) {
        self.shared.hear_log(position);
        if self.shared.carrier == Carrier::Nats {
            self.shared.untold_log.send_if_modified(|told| {
                let newer = position > *told;
                *told = (*told).max(position);
                newer
            });
        }
    }

    /// Committed events wait for their positions. For whoever wrote them, after the commit; returns
    /// at once.
    pub fn publish_waiting(&self) {
        self.shared.hear_waiting();
        if self.shared.carrier != Carrier::Nothing && !self.shared.leads.load(Ordering::Relaxed) {
            self.shared.untold_waiting.send_replace(());
        }
    }

    /// Whether this node is the relay: then nobody else needs to hear of its own commits.
    pub fn lead(&self, leads: bool) {
        self.shared.leads.store(leads, Ordering::Relaxed);
    }

    /// Is this node the relay?
    pub fn leads(&self) -> bool {
        self.shared.leads.load(Ordering::Relaxed)
    }

    /// Hints that the log has grown, and one for every new connection, since what was said without
    /// one was not heard.
    pub fn log(&self) -> Hints {
        let heard = self.shared.log.subscribe();
        let looks = heard.borrow().looks;
        Hints { heard, looks }
    }

    /// Hints that events wait for their positions, and one for every new connection.
    pub fn waiting(&self) -> Hints {
        let heard = self.shared.waiting.subscribe();
        let looks = heard.borrow().looks;
        Hints { heard, looks }
    }

    /// Are there other nodes to hear of, and is the connection to them up?
    pub fn is_connected(&self) -> bool {
        self.shared.is_connected.load(Ordering::Relaxed)
    }

    /// How often the connection to the other nodes was made again since the start.
    pub fn reconnects(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed).saturating_sub(1)
    }
}

/// PostgreSQL's channel on which the relay says how far the log reaches.
pub const CHANNEL_LOG: &str = "ordergraph_log";
/// PostgreSQL's channel on which a node says that events wait.
pub const CHANNEL_WAITING: &str = "ordergraph_waiting";

impl Shared {
    fn hear_log(&self, position: i64) {
        self.log.send_modify(|heard| heard.position = heard.position.max(position));
    }

    fn hear_waiting(&self) {
        self.waiting.send_modify(|heard| heard.looks = heard.looks.wrapping_add(1));
    }

    /// A position as other nodes write it. What is none is a reason to look.
    fn hear_position(&self, text: &str) {
        match text.parse() {
            Ok(position) => self.hear_log(position),
            Err(_) => self.look(),
        }
    }

    fn look(&self) {
        self.log.send_modify(|heard| heard.looks = heard.looks.wrapping_add(1));
    }

    /// From now on hints are heard; whatever was said before may not have been.
    fn connected(&self) {
        self.is_connected.store(true, Ordering::Relaxed);
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.look();
        self.hear_waiting();
    }

    /// Hints get lost from now on. Says whether they were heard until now.
    fn disconnected(&self) -> bool {
        self.is_connected.swap(false, Ordering::Relaxed)
    }
}

/// How long to wait before the connection is tried again after so many failures in a row. Nodes that
/// lost the same server do not come back all at once.
fn pause(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let longest = LONGEST_PAUSE.min(Duration::from_millis(50).saturating_mul(1 << doublings.min(10)));
    let part = getrandom::u32().map_or(1, |random| random % 8 + 1);
    longest.saturating_mul(part) / 8
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn hints_that_are_not_taken_become_one() {
        let bus = Bus::local();
        let (mut log, mut waiting) = (bus.log(), bus.waiting());
        assert_eq!(log.next().now_or_never(), None);
        bus.publish_log(5);
        bus.publish_log(4);
        assert_eq!(log.next().now_or_never(), Some(Hint::UpTo(5)));
        assert_eq!(log.next().now_or_never(), None);
        bus.publish_log(5);
        assert_eq!(log.next().now_or_never(), Some(Hint::UpTo(5)), "a doubled hint is the consumer's to judge");
        bus.publish_waiting();
        bus.publish_waiting();
        assert_eq!(waiting.next().now_or_never(), Some(Hint::Look));
        assert_eq!(waiting.next().now_or_never(), None);
        assert_eq!(log.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_connection_is_a_reason_to_look() {
        let bus = Bus::local();
        let (mut log, mut waiting) = (bus.log(), bus.waiting());
        bus.publish_log(9);
        bus.shared.connected();
        assert_eq!(log.next().now_or_never(), Some(Hint::Look));
        assert_eq!(waiting.next().now_or_never(), Some(Hint::Look));
        assert_eq!(bus.reconnects(), 0, "the first connection is none that was made again");
        bus.shared.connected();
        assert_eq!(bus.reconnects(), 1);
        bus.shared.hear_position("no number");
        assert_eq!(log.next().now_or_never(), Some(Hint::Look));
        bus.shared.hear_position("12");
        assert_eq!(log.next().now_or_never(), Some(Hint::UpTo(12)));
    }

    #[tokio::test]
    async fn the_relay_tells_nobody_of_its_own_commits() {
        let bus = Bus::new(Carrier::Notify);
        let mut untold = bus.shared.untold_waiting.subscribe();
        let mut waiting = bus.waiting();
        bus.lead(true);
        bus.publish_waiting();
        assert_eq!(waiting.next().now_or_never(), Some(Hint::Look));
        assert!(untold.changed().now_or_never().is_none());
        bus.lead(false);
        bus.publish_waiting();
        assert!(untold.changed().now_or_never().is_some());
    }

    #[tokio::test]
    async fn hints_of_a_bus_that_is_gone_never_come() {
        let mut log = {
            let bus = Bus::local();
            bus.publish_log(1);
            bus.log()
        };
        assert_eq!(log.next().now_or_never(), None);
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(0), Duration::ZERO);
        for failures in 1..100 {
            let pause = pause(failures);
            assert!(pause >= Duration::from_millis(6) && pause <= LONGEST_PAUSE, "{failures}: {pause:?}");
        }
    }
}
