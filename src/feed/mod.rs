//! The feed: positions after commit, a tail every node follows, and cursors to resume from.

pub mod bus;
pub mod conduct;
pub mod cursor;
pub mod relay;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::{Result, Store, event};

pub use bus::{Bus, BusError, Hint, Hints};
pub use conduct::Conduct;
pub use cursor::{Cursor, CursorError};

/// How long a missed hint can delay an event at most.
const POLL: Duration = Duration::from_millis(200);

/// Follows the log's tip. Subscriptions wait on it and read the log themselves: a lost, doubled or
/// reordered hint costs nothing but a look.
#[derive(Clone)]
pub struct Feed {
    epoch: Arc<str>,
    tip: watch::Receiver<i64>,
    hint: Arc<Notify>,
}

/// What an operator may set about the feed.
#[derive(Clone, Debug, Default)]
pub struct FeedSettings {
    /// Address of a NATS server.
    pub nats_url: String,
}

impl Feed {
    /// The same with a conduct of the tests' choice.
    #[doc(hidden)]
    pub async fn start_as(
        store: &Store,
        _settings: FeedSettings,
        _conduct: Conduct,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self> {
        Self::start(store, tasks, stop).await
    }

    /// Starts following; on PostgreSQL also stands for election as the relay.
    pub async fn start(store: &Store, tasks: &TaskTracker, stop: &CancellationToken) -> Result<Self> {
        let epoch: Arc<str> = event::epoch(store).await?.into();
        let (sender, tip) = watch::channel(event::tip(store).await?);
        let hint = Arc::new(Notify::new());
        if store.is_postgres() {
            tasks.spawn(relay::run(store.clone(), hint.clone(), stop.clone()));
            tasks.spawn(relay::listen(store.clone(), hint.clone(), stop.clone()));
        }
        tasks.spawn(follow(store.clone(), sender, hint.clone(), stop.clone()));
        Ok(Self { epoch, tip, hint })
    }

    /// Something was committed on this node: look now.
    pub fn wake(&self) {
        self.hint.notify_waiters();
        self.hint.notify_one();
    }

    /// The log's epoch.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The newest position this node knows of.
    pub fn tip(&self) -> i64 {
        *self.tip.borrow()
    }

    /// A receiver that is told of every new tip.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.tip.clone()
    }
}

async fn follow(store: Store, tip: watch::Sender<i64>, hint: Arc<Notify>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = hint.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
        match event::tip(&store).await {
            Ok(newest) => {
                tip.send_if_modified(|known| {
                    let moved = newest > *known;
                    *known = (*known).max(newest);
                    moved
                });
            }
            Err(error) => tracing::warn!(%error, "the log's tip could not be read"),
        }
    }
}
