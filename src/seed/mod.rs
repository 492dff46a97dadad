//! Data to begin with: the demo group to play with, and catalogues to import.

pub mod catalogue;
mod channels;
mod group;
mod imports;
mod play;
pub mod rules;
mod stock;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Duration, NaiveTime, TimeZone, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::app::{App, Clock, Failure, Session};
use crate::domain::actor::{Actor, Role, Scope};
use crate::feed::{Feed, FeedSettings};
use crate::store::{Store, inventory, reference};

pub use group::{DemoPerson, PEOPLE, person_for};

/// A clock that goes only when it is told to.
#[derive(Debug)]
struct SteppedClock(AtomicI64);

impl SteppedClock {
    fn at(start: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(start.timestamp_micros()))
    }

    fn set(&self, to: DateTime<Utc>) {
        self.0.store(to.timestamp_micros(), Ordering::Relaxed);
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0.load(Ordering::Relaxed)).single().unwrap_or_default()
    }
}

/// Identities that are the same for every run on the same day.
fn counted_ids(clock: Arc<SteppedClock>) -> Arc<dyn Fn() -> Uuid + Send + Sync> {
    let counter = AtomicU64::new(0);
    Arc::new(move || {
        let count = counter.fetch_add(1, Ordering::Relaxed);
        // SplitMix64: neighbours look unrelated, so that order numbers do, too.
        let mut mixed = count.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let mut bytes = [0_u8; 10];
        // The count first: identities made in the same millisecond are still in order.
        bytes[..2].copy_from_slice(&u16::try_from(count & 0x0FFF).unwrap_or(0).to_be_bytes());
        bytes[2..].copy_from_slice(&mixed.to_be_bytes());
        let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    })
}

/// Seeds the demo group once: a database that has a customer is left as it is. Says whether
/// anything was seeded.
pub async fn demo(store: &Store, now: DateTime<Utc>) -> Result<bool, Failure> {
    seed(store, now, true).await
}

/// Seeds the demo group's units, people, customers, products, rules and opening stock, but no
/// order: a quiet company to begin with. Says whether anything was seeded.
pub async fn reference_only(store: &Store, now: DateTime<Utc>) -> Result<bool, Failure> {
    seed(store, now, false).await
}

async fn seed(store: &Store, now: DateTime<Utc>, orders: bool) -> Result<bool, Failure> {
    let everyone = Actor { subject: "seed".into(), roles: vec![Role::Admin], scope: Scope::All };
    if reference::count_customers(store, &everyone, None).await? > 0 {
        return Ok(false);
    }
    let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let clock = Arc::new(SteppedClock::at(today - Duration::days(21)));
    let ids = counted_ids(clock.clone());
    let data = group::reference_data(&*ids);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let feed = Feed::start(store, FeedSettings::default(), &tasks, &stop).await?;
    let app = App::with_ids(store.clone(), feed, clock.clone(), ids);
    catalogue::put(&app, &data.reference, &data.stock).await?;
    if orders {
        play::orders(&app, &clock, today - Duration::days(20)).await?;
        stock::operations(&app, &clock).await?;
        channels::open(&app).await?;
        imports::taken(&app).await?;
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(true)
}

/// A session of a person of the demo group.
async fn session(app: &Arc<App>, person: &DemoPerson) -> Result<Session, Failure> {
    Session::open(app, &person.identity(), "seed").await
}

pub use inventory::OpeningStock;
pub(crate) use inventory::open_stock;
