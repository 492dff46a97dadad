//! Access taken away and given back (R13.1, R13.2), and what every node knows of it.
//!
//! A token says for hours which roles its bearer holds. What was taken away since is kept in memory
//! on every node, so that asking costs nothing, and is never older than a second when it counts.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::App;
use super::command::Command;
use crate::domain::access::{self as rules_of, Revocation};
use crate::domain::actor::Role;
use crate::domain::event::EventKind;
use crate::domain::ids::AccessRestrictionId;
use crate::domain::permission::Action;
use crate::store::work::Tracked;
use crate::store::{Result, Store, Work, access};

/// A node looks at least this often, whether or not the log told it of something new.
const LOOK: Duration = Duration::from_millis(250);
/// Between two looks, however much the log tells.
const PAUSE: Duration = Duration::from_millis(50);
/// Older knowledge is renewed before it is used: with it, what was taken away a second ago counts.
const STALE: Duration = Duration::from_millis(750);

/// Whose roles do not count on this node, kept in memory.
pub struct Access {
    store: Store,
    known: RwLock<Option<Known>>,
    /// One look at a time: an older answer must never replace a newer one.
    turn: Mutex<()>,
    changes: watch::Sender<u64>,
}

/// What a look at the database found.
struct Known {
    /// Nothing from before this moment is missing.
    as_of: Instant,
    stamp: i64,
    /// By subject: the roles that do not count; none stands for all of them.
    restricted: HashMap<String, Vec<Option<Role>>>,
}

impl Access {
    /// Knows nothing yet: until it has looked, nobody holds any role.
    pub(super) fn new(store: Store) -> Self {
        Self { store, known: RwLock::default(), turn: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Reads the restrictions in force. Called at start and whenever the log tells of a change. Says
    /// whether they are others than before.
    pub async fn reload(&self) -> Result<bool> {
        let _turn = self.turn.lock().await;
        self.read().await
    }

    /// The same, but reads them only when some changed since the last look.
    pub async fn look(&self) -> Result<bool> {
        let _turn = self.turn.lock().await;
        self.glance().await
    }

    /// Renews what is known unless it is fresh enough to be used.
    pub async fn ensure_current(&self) -> Result<()> {
        if self.age().is_some_and(|age| age <= STALE) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        // Somebody else may have looked while this one waited for its turn.
        if self.age().is_none_or(|age| age > STALE) {
            self.glance().await?;
        }
        Ok(())
    }

    /// How old the knowledge is: whatever was committed before that is known. None before the first look.
    pub fn age(&self) -> Option<Duration> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map(|known| known.as_of.elapsed())
    }

    /// The roles that count of those a token says.
    pub fn effective(&self, subject: &str, roles: &[Role]) -> Vec<Role> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.as_ref() else {
            return Vec::new();
        };
        let Some(restricted) = known.restricted.get(subject) else {
            return roles.to_vec();
        };
        let counts = |role: &Role| !restricted.iter().any(|one| one.is_none_or(|one| one == *role));
        roles.iter().copied().filter(counts).collect()
    }

    /// Changes whenever restrictions change: hubs look at their callers again. Take it before asking
    /// for somebody's roles, so that no change falls between the two.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Only within a turn.
    async fn glance(&self) -> Result<bool> {
        let as_of = Instant::now();
        let stamp = access::stamp(&self.store).await?;
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.as_mut().filter(|known| known.stamp == stamp) {
                known.as_of = as_of;
                return Ok(false);
            }
        }
        self.read().await
    }

    /// Only within a turn.
    async fn read(&self) -> Result<bool> {
        let as_of = Instant::now();
        // Before the rows: what changes between the two is found by the next look.
        let stamp = access::stamp(&self.store).await?;
        let mut restricted: HashMap<String, Vec<Option<Role>>> = HashMap::new();
        for (subject, role) in access::restricted(&self.store).await? {
            restricted.entry(subject).or_default().push(role);
        }
        let changed = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let changed = known.as_ref().is_none_or(|known| known.restricted != restricted);
            *known = Some(Known { as_of, stamp, restricted });
            changed
        };
        if changed {
            self.changes.send_modify(|count| *count += 1);
        }
        Ok(changed)
    }
}

/// Keeps a node's knowledge current: looks whenever the log has something new, and every quarter of
/// a second whatever the log says, since access must end also while nobody gives positions.
pub async fn follow(app: Arc<App>, stop: CancellationToken) {
    let mut tip = app.feed().watch();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = tip.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(error) = app.access().look().await {
            tracing::warn!(%error, "it could not be found out whose access was taken away");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The restriction a command acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnRestriction {
    /// The restriction.
    pub restriction_id: AccessRestrictionId,
}

/// On the node that did it, it takes effect before it is answered.
pub(super) async fn effective_here(app: &App) {
    if let Err(error) = app.access().reload().await {
        tracing::warn!(%error, "a change of access is committed but not in effect yet; the next look will find it");
    }
}

/// Take a role, or all access, away from somebody (R13.1).
#[derive(Clone, Debug, Serialize)]
pub struct RevokeAccess {
    /// From whom, what and why.
    pub revocation: Revocation,
}

impl Command for RevokeAccess {
    const ACTION: Action = Action::RevokeAccess;
    type Answer = OnRestriction;

    async fn run(&self, work: &Work) -> Result<OnRestriction> {
        let asked = self.revocation.clone();
        let in_force = access::is_in_force(work, &asked.subject, asked.role).await?;
        let restriction = rules_of::revoke(asked, in_force, &work.act())?;
        let happening = EventKind::AccessRevoked.because(restriction.reason.clone());
        let restriction = work.save(Tracked::new(restriction), happening).await?;
        Ok(OnRestriction { restriction_id: restriction.id })
    }

    async fn committed(&self, app: &App) {
        effective_here(app).await;
    }
}

/// Give back access that was taken away (R13.1).
#[derive(Clone, Debug, Serialize)]
pub struct RestoreAccess {
    /// The restriction.
    pub restriction_id: AccessRestrictionId,
    /// Why.
    pub reason: String,
    /// The version of the restriction the caller has seen.
    pub expected_version: Option<i64>,
}

impl Command for RestoreAccess {
    const ACTION: Action = Action::RestoreAccess;
    type Answer = OnRestriction;

    async fn run(&self, work: &Work) -> Result<OnRestriction> {
        let mut found = access::visible(work, self.restriction_id).await?;
        work.expect(&found, self.expected_version)?;
        let happening = found.lift(self.reason.clone(), &work.act())?;
        work.save(found, happening).await?;
        Ok(OnRestriction { restriction_id: self.restriction_id })
    }

    async fn committed(&self, app: &App) {
        effective_here(app).await;
    }
}
