//! The feed: positions after commit, a tail every node follows, a router from events to those they
//! concern, and cursors to resume from.
//!
//! The log is the truth. Hints between nodes only say "look again"; whoever follows registers first
//! and then reads what came before, so that nothing falls in between.

pub mod bus;
pub mod conduct;
pub mod cursor;
pub mod relay;
pub mod router;
pub mod tail;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::actor::Visibility;
use crate::domain::event::Event;
use crate::store::{Result, Store, StoreError, log};

pub use bus::{Bus, BusError, Hint, Hints};
pub use conduct::Conduct;
pub use cursor::{CursorError, Seal};
pub use router::{Listener, Topic};
use tail::Tail;

/// What an operator may set about the feed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedSettings {
    /// Address of a NATS server that carries hints between nodes; empty: PostgreSQL's NOTIFY does.
    pub nats_url: String,
    /// Subscribers of the same document, variables and visibility share one execution per event.
    pub sharing: bool,
    /// Events a cursor may lie behind the newest; one further back is refused with `CURSOR_EXPIRED`.
    pub resume_events: i64,
    /// Events a subscriber may fall behind while it is connected; then its socket is closed with 1013
    /// and it resumes by its cursor.
    pub slow_events: i64,
    /// Subscribers that read the log at the same time; others wait their turn.
    pub catch_ups: usize,
    /// Executions of subscriptions that run at the same time.
    pub executions: usize,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            nats_url: String::new(),
            sharing: true,
            resume_events: 100_000,
            slow_events: 10_000,
            catch_ups: 32,
            executions: 32,
        }
    }
}

/// What of the log is one: its name, and what its cursors are sealed with.
struct Epoch {
    name: String,
    seal: Seal,
}

/// The feed of one node. Cheap to clone.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    store: Store,
    epoch: RwLock<Arc<Epoch>>,
    tail: Arc<Tail>,
    bus: Bus,
    settings: FeedSettings,
    conduct: Conduct,
}

impl Feed {
    /// Starts following; on PostgreSQL also stands for election as the relay.
    pub async fn start(
        store: &Store,
        settings: FeedSettings,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self> {
        Self::start_as(store, settings, Conduct::default(), tasks, stop).await
    }

    /// The same with a conduct of the tests' choice.
    #[doc(hidden)]
    pub async fn start_as(
        store: &Store,
        settings: FeedSettings,
        conduct: Conduct,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self> {
        let epoch = Epoch::read(store).await?;
        let bus = if !store.is_postgres() {
            Bus::local()
        } else if settings.nats_url.is_empty() {
            Bus::notify(store.url(), tasks, stop)
        } else {
            let bus = Bus::nats(&settings.nats_url, &epoch.name, tasks, stop).await;
            bus.map_err(|error| StoreError::Corrupt(error.to_string()))?
        };
        let tail = Arc::new(Tail::new(log::bounds(store).await?, conduct));
        let feed = Self(Arc::new(Inner {
            store: store.clone(),
            epoch: RwLock::new(Arc::new(epoch)),
            tail,
            bus,
            settings,
            conduct,
        }));
        if store.is_postgres() {
            tasks.spawn(relay::run(store.clone(), feed.0.bus.clone(), feed.0.tail.clone(), conduct, stop.clone()));
        }
        tasks.spawn(tail::follow(feed.clone(), stop.clone()));
        Ok(feed)
    }

    /// Something was committed on this node: look now.
    pub fn wake(&self) {
        self.0.bus.publish_waiting();
    }

    /// The newest position this node knows of; every listener was told of everything up to it.
    pub fn tip(&self) -> i64 {
        self.0.tail.tip()
    }

    /// How old the newest event was when this node told of it, in milliseconds.
    pub fn lag_milliseconds(&self) -> i64 {
        self.0.tail.lag_milliseconds()
    }

    /// A receiver that is told of every new tip.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.0.tail.watch()
    }

    /// The store the log is in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What an operator has set.
    pub fn settings(&self) -> &FeedSettings {
        &self.0.settings
    }

    /// How it behaves; differs from the default in tests only.
    #[doc(hidden)]
    pub fn conduct(&self) -> Conduct {
        self.0.conduct
    }

    /// The bus to other nodes.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Tells a listener of every later event of these topics. Returns the position behind which that
    /// begins: everything up to it is to be read from the log.
    pub fn listen(&self, topics: &[Topic], listener: Arc<dyn Listener>) -> i64 {
        self.0.tail.listen(topics, listener)
    }

    /// Ends that.
    pub fn unlisten(&self, topics: &[Topic], listener: u64) {
        self.0.tail.unlisten(topics, listener);
    }

    /// Everything after a position and up to another, if this node still remembers all of it.
    pub fn recent(&self, after: i64, upto: i64) -> Option<Vec<Arc<Event>>> {
        self.0.tail.recent(after, upto)
    }

    /// The cursor of a position for those who see this part of the world.
    pub fn cursor(&self, position: i64, visibility: &Visibility) -> String {
        self.epoch().seal.seal(position, visibility)
    }

    /// The position to resume after. A client may know of an event of another node before this one
    /// does: what seems to lie ahead is looked up once.
    pub async fn resume(&self, cursor: &str, visibility: &Visibility) -> Result<Result<i64, CursorError>> {
        let position = match self.epoch().seal.open(cursor, visibility) {
            Ok(position) => position,
            Err(error) => return Ok(Err(error)),
        };
        let tip = self.tip();
        if position > tip && position > log::bounds(&self.0.store).await?.1 {
            return Ok(Err(CursorError::Ahead));
        }
        if tip - position > self.0.settings.resume_events || position + 1 < self.0.tail.oldest() {
            return Ok(Err(CursorError::Expired));
        }
        Ok(Ok(position))
    }

    fn epoch(&self) -> Arc<Epoch> {
        self.0.epoch.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Epoch {
    async fn read(store: &Store) -> Result<Self> {
        let name = log::epoch(store).await?;
        let seal = Seal::new(&log::cursor_key(store).await?, &name);
        let seal = seal.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Self { name, seal })
    }
}
