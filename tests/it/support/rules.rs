//! Other rules than those of the demo group, and what the clock does under them.

use chrono::Duration;
use ordergraph::app::due::DUTIES;
use ordergraph::domain::rules::RuleSet;
use ordergraph::store::reference;

use super::World;

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
        let place = DUTIES.iter().position(|one| one.name == duty).expect(duty);
        let done = self.done_later(ahead, &DUTIES[place..=place]).await;
        done.first().map_or(0, |(_, count)| *count)
    }
}
