//! One thing a person, a partner's system or the clock can do: one command. What they can look at
//! is under `read`. Files are named after the capabilities of the domain.

pub mod access;
pub mod access_key;
pub mod allocation;
pub mod amendment;
pub mod change;
pub mod channel;
pub mod command;
pub mod delivery;
mod directory;
pub mod due;
pub mod failure;
pub mod import;
pub mod inspection;
pub mod intake;
pub mod inventory;
pub mod materials;
pub mod mining;
pub mod order;
pub mod progress;
pub mod read;
pub mod review;
pub mod session;
pub mod ticket;

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

use self::directory::Directory;
use self::import::Imports;
use crate::feed::Feed;
use crate::store::Store;

pub use access::Access;
pub use command::{Answered, Command, Guarded, Saved, perform};
pub use failure::Failure;
use session::Scopes;
pub use session::{Identity, Session};

/// Tells the time. Injected, so that tests and simulations have their own.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole microseconds: what every database keeps.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// The application: what all requests share.
pub struct App {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    pub(crate) feed: Feed,
    pub(crate) access: Arc<Access>,
    pub(crate) directory: Directory,
    pub(crate) imports: Imports,
    scopes: Scopes,
    key_uses: access_key::Uses,
}

impl App {
    /// An application on a store, with the feed that follows its log.
    pub fn new(store: Store, feed: Feed, clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::with_ids(store, feed, clock, Arc::new(Uuid::now_v7))
    }

    /// The same with identities of one's own making, for data that must not differ between runs.
    pub fn with_ids(
        store: Store,
        feed: Feed,
        clock: Arc<dyn Clock>,
        new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    ) -> Arc<Self> {
        let access = Arc::new(Access::new(store.clone()));
        let (directory, scopes) = (Directory::default(), Scopes::default());
        let key_uses = access_key::Uses::default();
        Arc::new(Self { store, clock, new_id, feed, access, directory, imports: Imports::new(), scopes, key_uses })
    }

    /// The feed of events.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Whose roles do not count.
    pub fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// The store, for start-up and maintenance.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
