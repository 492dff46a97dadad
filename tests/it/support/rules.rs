//! Other rules than those of the demo group, and other times than now.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use ordergraph::app::due::{DUTIES, perform_all};
use ordergraph::app::{App, Clock, SystemClock};
use ordergraph::domain::rules::RuleSet;
use ordergraph::feed::{Feed, FeedSettings};
use ordergraph::store::reference;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::World;

/// A clock that is ahead.
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

impl World {
    /// Puts rules in force that differ from those in force before.
    pub async fn rules(&self, change: impl FnOnce(&mut RuleSet)) {
        let mut rules = reference::active_rules(&self.db).await.expect("rules");
        change(&mut rules);
        rules.version += 1;
        let body = serde_json::to_string(&rules).expect("JSON").replace('\'', "''");
        let sql = format!(
            "INSERT INTO rule_set (version, active, effective_from, body) \
             VALUES ({}, TRUE, '2026-01-01 00:00:00+00:00', '{body}')",
            rules.version
        );
        assert_eq!(self.tamper(&sql).await, 1);
    }

    /// Lets the clock do what is due when so much time has passed. Says how much of a duty was done.
    pub async fn clock_does(&self, duty: &str, ahead: Duration) -> usize {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let store = self.app.store();
        let feed = Feed::start(store, FeedSettings::default(), &tasks, &stop).await.expect("a feed");
        let app = App::new(store.clone(), feed, Arc::new(Ahead(ahead)));
        let place = DUTIES.iter().position(|one| one.name == duty).expect(duty);
        let done = perform_all(&app, &DUTIES[place..=place]).await;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        done.first().map_or(0, |(_, count)| *count)
    }
}
