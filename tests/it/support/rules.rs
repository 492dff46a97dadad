//! Other rules than the demo group's, and a clock that is ahead.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use ordergraph::app::due::{DUTIES, perform_all};
use ordergraph::app::{App, Clock, SystemClock};
use ordergraph::domain::allocation::AllocationRules;
use ordergraph::domain::rules::RuleSet;

use super::{Kind, World};

/// A clock that is ahead of the machine's.
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

impl World {
    /// Puts a new version of the rules in force, which differs from the first in how orders are allocated.
    pub async fn allocate_by(&self, change: impl FnOnce(&mut AllocationRules)) {
        let mut rules: RuleSet = ordergraph::seed::rules::first(|_| "AUR-CS".to_owned(), Vec::new());
        rules.version = 2;
        let mut allocation = rules.allocation().into_owned();
        change(&mut allocation);
        rules.allocation = Some(allocation);
        let body = serde_json::to_string(&rules).expect("JSON").replace('\'', "''");
        let body = match self.kind {
            Kind::Sqlite => format!("'{body}'"),
            Kind::Postgres => format!("CAST('{body}' AS jsonb)"),
        };
        let rows = self
            .tamper(&format!(
                "INSERT INTO rule_set (version, active, effective_from, body) \
                 SELECT 2, active, effective_from, {body} FROM rule_set WHERE version = 1"
            ))
            .await;
        assert_eq!(rows, 1);
    }

    /// Lets the clock do what will be due in so many hours. Says what it did.
    pub async fn in_hours(self: &Arc<Self>, hours: i64) -> Vec<(&'static str, usize)> {
        let clock = Arc::new(Ahead(Duration::hours(hours)));
        let app = App::new(self.app.store().clone(), self.app.feed().clone(), clock);
        perform_all(&app, DUTIES).await
    }
}
