//! The life of a write, the same for every command: authorize, begin, load in scope, gather facts,
//! decide, save, commit, wake.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{App, Failure, Session};
use crate::domain::permission::{Action, permitted};
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::store::work::Occasion;
pub use crate::store::work::Saved;
use crate::store::{Result as StoreResult, StoreError, Work, idempotency};

/// Something that changes the world, with all it needs to know.
pub trait Command: Clone + Serialize + Send + Sync + 'static {
    /// What is done.
    const ACTION: Action;
    /// What is answered: identities, from which the newest state is read.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Loads, gathers facts, decides and saves, within one transaction.
    fn run(&self, work: &Work) -> impl Future<Output = StoreResult<Self::Answer>> + Send;

    /// What this node does once it is durable, before the caller is answered. Nothing, for most.
    fn committed(&self, _app: &App) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A command with what protects it from being done twice or on an outdated view.
#[derive(Clone, Debug)]
pub struct Guarded<C> {
    /// What to do.
    pub command: C,
    /// The same key and arguments get the same answer, with one effect.
    pub idempotency_key: Option<String>,
}

/// An answer, and whether it was given before.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered<A> {
    /// The answer.
    pub answer: A,
    /// Was it given before under the same key?
    pub replayed: bool,
    /// What was saved on the way, as it is now: who shows it need not read it.
    pub saved: Vec<Saved>,
}

/// The caller waits this long for a write, all its attempts together.
const DEADLINE: Duration = Duration::from_secs(20);
/// How often a write is tried when others change the same things.
const ATTEMPTS: u32 = 8;
/// Characters an idempotency key may have.
const LONGEST_KEY: usize = 200;

/// Performs a command. It runs in a task of its own, so that a caller who hangs up neither stops
/// it halfway nor leaves a connection inside a transaction.
pub async fn perform<C: Command>(session: &Session, guarded: Guarded<C>) -> Result<Answered<C::Answer>, Failure> {
    authorize::<C>(session)?;
    let session = session.clone();
    let task = tokio::spawn(async move { attempts(&session, guarded).await });
    // At the deadline the caller is answered, but the task runs on to its end: a transaction that
    // is dropped while it begins leaves its connection inside it.
    match tokio::time::timeout(DEADLINE, task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(Failure::Internal(error.to_string())),
        Err(_) => Err(Failure::Timeout),
    }
}

/// The same for work that nobody waits for, such as the import of a file: it takes as long as it takes.
pub(super) async fn perform_patiently<C: Command>(
    session: &Session,
    guarded: Guarded<C>,
) -> Result<Answered<C::Answer>, Failure> {
    authorize::<C>(session)?;
    let session = session.clone();
    let task = tokio::spawn(async move { attempts(&session, guarded).await });
    task.await.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
}

fn authorize<C: Command>(session: &Session) -> Result<(), Failure> {
    let (roles, _) = permitted(C::ACTION);
    if session.actor.is_any(roles) {
        return Ok(());
    }
    let names: Vec<&str> = roles.iter().map(|role| role.code()).collect();
    let field = C::ACTION.field_name();
    Err(Failure::Forbidden(format!("{field} takes one of the roles {}.", names.join(", "))))
}

async fn attempts<C: Command>(session: &Session, guarded: Guarded<C>) -> Result<Answered<C::Answer>, Failure> {
    let digest = digest(&guarded.command)?;
    let begun = Instant::now();
    for attempt in 1..=ATTEMPTS {
        match attempt_once(session, &guarded, &digest, attempt).await {
            // Whatever a request under a key came to at first may be due to its having been made before: that is
            // looked up only now, since most are made once.
            Err(StoreError::Conflict | StoreError::Corrupt(_) | StoreError::Database(_))
                if attempt == 1 && guarded.idempotency_key.is_some() => {}
            Err(StoreError::Conflict) if attempt < ATTEMPTS && begun.elapsed() < DEADLINE => {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 3)).await;
            }
            outcome => return outcome.map_err(Failure::from),
        }
    }
    Err(Failure::Contention)
}

async fn attempt_once<C: Command>(
    session: &Session,
    guarded: &Guarded<C>,
    digest: &str,
    attempt: u32,
) -> StoreResult<Answered<C::Answer>> {
    let app = &session.app;
    let occasion = Occasion {
        actor: (*session.actor).clone(),
        action: C::ACTION,
        request_id: session.request_id.to_string(),
        now: app.clock.now(),
    };
    let work = Work::begin(app.store(), occasion, app.new_id.clone()).await?;
    match within(&work, guarded, digest, attempt > 1).await {
        Ok(mut answered) => {
            if app.feed.conduct().publish_before_commit {
                app.feed.tell_early(work.events());
            }
            let committed = work.commit().await?;
            if committed.has_events {
                app.feed.wake();
                guarded.command.committed(app).await;
            }
            answered.saved = committed.saved;
            Ok(answered)
        }
        Err(error) => {
            work.rollback().await?;
            Err(error)
        }
    }
}

/// At the first attempt, it is taken for granted that the key is new. Keeping the answer under it shows
/// whether it is, together with everything else that is written.
async fn within<C: Command>(
    work: &Work,
    guarded: &Guarded<C>,
    digest: &str,
    is_repeated: bool,
) -> StoreResult<Answered<C::Answer>> {
    let Some(key) = &guarded.idempotency_key else {
        return Ok(Answered { answer: guarded.command.run(work).await?, replayed: false, saved: Vec::new() });
    };
    let mut refusals = Refusals::default();
    crate::domain::intake::text(&mut refusals, "idempotencyKey", Some(key), true, LONGEST_KEY);
    refusals.into_result()?;
    if is_repeated && let Some(answered) = replay::<C>(work, key, digest).await? {
        return Ok(answered);
    }
    let answer = match guarded.command.run(work).await {
        Ok(answer) => answer,
        // The same request may have been at work when this one looked, and be done by the time this one
        // had its locks: then it is refused for what it has itself brought about.
        Err(error @ (StoreError::Refused(_) | StoreError::NotFound | StoreError::VersionMismatch { .. })) => {
            return replay::<C>(work, key, digest).await?.ok_or(error);
        }
        Err(error) => return Err(error),
    };
    idempotency::keep(work, key, C::ACTION, digest, serde_json::to_value(&answer)?)?;
    Ok(Answered { answer, replayed: false, saved: Vec::new() })
}

/// What the same request was answered before, if it was made before.
async fn replay<C: Command>(work: &Work, key: &str, digest: &str) -> StoreResult<Option<Answered<C::Answer>>> {
    let Some(kept) = idempotency::find(work, key).await? else {
        return Ok(None);
    };
    if kept.action != C::ACTION.code() || kept.digest != digest {
        let message = "This key was used with other arguments; use a new key for a new request.";
        let refusal = Refusal::new(RefusalCode::IdempotencyKeyReused, "R1.3", message).at("idempotencyKey");
        return Err(StoreError::Refused(refusal.into()));
    }
    Ok(Some(Answered { answer: serde_json::from_value(kept.answer)?, replayed: true, saved: Vec::new() }))
}

/// SHA-256 of the arguments, in hexadecimal.
pub fn digest<T: Serialize>(value: &T) -> Result<String, Failure> {
    let bytes = serde_json::to_vec(value).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(format!("{:x}", Sha256::digest(bytes)))
}
