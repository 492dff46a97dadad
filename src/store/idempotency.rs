//! Answers kept for retries: the same key and arguments get the same answer, with one effect.

use entity::idempotency_record as record;
use sea_orm::ActiveValue::Set;
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

/// The answer the caller got under this key, if any.
pub async fn find(work: &Work, key: &str) -> Result<Option<Kept>> {
    let found = record::Entity::find_by_id((work.actor().subject.clone(), key.to_owned())).one(work.db()).await?;
    Ok(found.map(|row| Kept { action: row.action, digest: row.digest, answer: row.answer }))
}

/// Keeps the answer in the same transaction as its effect.
pub async fn keep(work: &Work, key: &str, action: Action, digest: &str, answer: serde_json::Value) -> Result<()> {
    record::Entity::insert(record::ActiveModel {
        subject: Set(work.actor().subject.clone()),
        key: Set(key.to_owned()),
        action: Set(action.code().to_owned()),
        digest: Set(digest.to_owned()),
        answer: Set(answer),
        created_at: Set(work.now()),
    })
    .exec_without_returning(work.db())
    .await?;
    Ok(())
}
