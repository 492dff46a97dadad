//! What becomes due with time: deadlines, reminders, automatic steps. Each is a duty, done by the clock
//! (`Role::System`) with the same commands, rules and events as anything a person does.
//!
//! The node that gives positions does them, so that they are done once; at a change of office two nodes
//! may be at it for a moment, which is harmless: whatever is due is found by its state, and a command
//! that comes second finds nothing to do.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::command::{Command, Guarded, perform};
use super::review::clock as review;
use super::{App, Failure, Session, allocation, change, channel, import, inventory};
use crate::domain::actor::Actor;

/// How often the clock looks for what is due.
const LOOK: Duration = Duration::from_secs(1);
/// Things a duty does at one look at most; those that have waited longest come first.
pub const AT_ONCE: u64 = 100;

/// Something the clock does when it is due.
pub struct Duty {
    /// What it is called in logs.
    pub name: &'static str,
    /// Finds what is due at the clock's now, at most [`AT_ONCE`], and does it. Returns how many were done.
    pub perform: for<'a> fn(&'a Session) -> BoxFuture<'a, Result<usize, Failure>>,
}

/// Everything the clock does.
pub const DUTIES: &[Duty] = &[
    Duty { name: "allocate what waits for a unit", perform: |session| Box::pin(allocation::allocate_waiting(session)) },
    Duty {
        name: "escalate what units have not answered",
        perform: |session| Box::pin(allocation::escalate_unanswered(session)),
    },
    Duty { name: "look at new orders", perform: |session| Box::pin(review::look_at_new_orders(session)) },
    Duty { name: "remind of questions", perform: |session| Box::pin(review::remind_of_questions(session)) },
    Duty { name: "let questions expire", perform: |session| Box::pin(review::let_questions_expire(session)) },
    Duty { name: "let reservations expire", perform: inventory::expire_reservations },
    Duty { name: "fill backorders", perform: inventory::fill_backorders },
    Duty { name: "offers expire", perform: |session| Box::pin(change::expire(session)) },
    Duty { name: "forgotten imports", perform: import::tidy },
    Duty { name: "deliveries of channels", perform: |session| Box::pin(channel::process_waiting(session)) },
];

/// Does what is due now, once, as the clock. Returns how much was done, by duty.
///
/// # Errors
/// None of its own: a duty that fails is logged and does not keep the others from being done.
pub async fn perform_all(app: &Arc<App>, duties: &[Duty]) -> Vec<(&'static str, usize)> {
    let session = Session::of(app, Actor::system(), "clock");
    let mut done = Vec::new();
    for duty in duties {
        match (duty.perform)(&session).await {
            Ok(0) => {}
            Ok(count) => done.push((duty.name, count)),
            Err(failure) => tracing::warn!(duty = duty.name, cause = ?failure, "what is due could not be done"),
        }
    }
    done
}

/// Performs a command on each thing that is due. One that is refused, or done by somebody else meanwhile,
/// does not keep the others from being done; it is logged and found again at the next look, if it is
/// still due. Returns how many were done.
///
/// # Errors
/// The database is away: there is no point in going on.
pub async fn each<C: Command>(session: &Session, commands: impl IntoIterator<Item = C>) -> Result<usize, Failure> {
    let mut done = 0;
    for command in commands {
        match perform(session, Guarded { command, idempotency_key: None }).await {
            Ok(_) => done += 1,
            Err(failure @ (Failure::Unavailable(_) | Failure::Timeout)) => return Err(failure),
            Err(Failure::NotFound | Failure::Contention) => {}
            Err(failure) => {
                tracing::warn!(action = C::ACTION.code(), cause = ?failure, "one thing that is due could not be done");
            }
        }
    }
    Ok(done)
}

/// Does what becomes due until told to stop, on whichever node gives positions.
pub async fn follow(app: Arc<App>, stop: CancellationToken) {
    let is_embedded = !app.store().is_postgres();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if !is_embedded && !app.feed().bus().leads() {
            continue;
        }
        // What is begun is finished: a command runs to its end whoever waits for it.
        for (duty, count) in perform_all(&app, DUTIES).await {
            tracing::debug!(duty, count, "done by the clock");
        }
    }
}
