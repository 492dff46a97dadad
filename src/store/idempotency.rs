//! Answers kept for retries: the same key and arguments get the same answer, with one effect.

use entity::idempotency_record as record;
use sea_orm::EntityTrait;

use super::error::Result;
use super::work::Work;
use crate::domain::permission::Action;

/// What was answered under a key.
pub struct Kept {
    /// The action it was for.
    pub action: String,
    /// Digest of the arguments.
    pub digest: String,
    /// The answer.
    pub answer: serde_json::Value,
}

/// The answer the caller got under this key from another request, if any.
pub async fn find(work: &Work, key: &str) -> Result<Option<Kept>> {
    let found =
        record::Entity::find_by_id((work.actor().subject.clone(), key.to_owned())).one(work.reference()).await?;
    Ok(found.map(|row| Kept { action: row.action, digest: row.digest, answer: row.answer }))
}

/// Keeps the answer in the same transaction as its effect. Whether another request was kept under the
/// key first shows when it is written: then nothing of this one counts.
pub fn keep(work: &Work, key: &str, action: Action, digest: &str, answer: serde_json::Value) -> Result<()> {
    let row = record::Model {
        subject: work.actor().subject.clone(),
        key: key.to_owned(),
        action: action.code().to_owned(),
        digest: digest.to_owned(),
        answer,
        created_at: work.now(),
    };
    work.write(|writes| writes.first::<record::Entity>(&row))
}
