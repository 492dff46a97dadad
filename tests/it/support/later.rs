//! The same application at a later time: what becomes due is done without waiting for it.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use ordergraph::app::due::{Duty, perform_all};
use ordergraph::app::{App, Clock, SystemClock};
use ordergraph::feed::{Feed, FeedSettings};
use ordergraph::store::{Store, StoreOptions};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::World;

/// The machine's clock, so much later.
struct Later(Duration);

impl Clock for Later {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

impl World {
    /// Does what is due so much later, as the clock of another node on the same database. Says how much was
    /// done, by duty.
    pub async fn done_later(&self, later: Duration, duties: &[Duty]) -> Vec<(&'static str, usize)> {
        let options = StoreOptions { url: self.url().to_owned(), connections: 2 };
        let store = Store::connect(&options).await.expect("a store");
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let feed = Feed::start(&store, FeedSettings::default(), &tasks, &stop).await.expect("a feed");
        let app = App::new(store.clone(), feed, Arc::new(Later(later)));
        let done = perform_all(&app, duties).await;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        store.close().await.expect("closed");
        done
    }
}
