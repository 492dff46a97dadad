//! Access keys, and when they were used.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{access_key as key, access_key_use as used};
use sea_orm::sea_query::{Condition, Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::aggregate::Aggregate;
use super::error::Result;
use super::page::{Keyset, Page, page};
use super::row::{among, code};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::access_key::{AccessKey, AccessKeyKind, AccessKeyStatus};
use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{AccessKeyId, OrderId, UnitId};

impl Aggregate for AccessKey {
    const KIND: AggregateKind = AggregateKind::AccessKey;
    type Rows = key::Model;

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        self.order_id
    }
    fn unit_id(&self) -> Option<UnitId> {
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(key::Model {
            id: self.id.0,
            version: self.version,
            kind: self.kind.code().to_owned(),
            label: self.label.clone(),
            account: self.account.clone(),
            order_id: self.order_id.map(|id| id.0),
            digest: self.digest.clone(),
            hint: self.hint.clone(),
            status: self.status.code().to_owned(),
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_by: self.revoked_by.clone(),
            revoked_at: self.revoked_at,
            revoke_reason: self.revoke_reason.clone(),
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            kind: code(&row.kind)?,
            label: row.label,
            account: row.account,
            order_id: row.order_id.map(Into::into),
            digest: row.digest,
            hint: row.hint,
            status: code(&row.status)?,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_by: row.revoked_by,
            revoked_at: row.revoked_at,
            revoke_reason: row.revoke_reason,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = key::Entity::find().filter(among(key::Column::Id, ids.to_vec())).order_by_asc(key::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<key::Entity>(row)
    }
}

/// A key within a command, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: AccessKeyId) -> Result<Tracked<AccessKey>> {
    let scope = scope::access_keys(&work.actor().scope);
    work.visible_id::<key::Entity>(key::Column::Id, id.0, scope, key::Column::Id).await?;
    work.find(id.0).await
}

/// The active key with this digest.
pub async fn by_digest(store: &Store, digest: &str) -> Result<Option<AccessKey>> {
    let row = key::Entity::find()
        .filter(key::Column::Digest.eq(digest))
        .filter(key::Column::Status.eq(AccessKeyStatus::Active.code()))
        .one(store.reader())
        .await?;
    row.map(AccessKey::from_rows).transpose()
}

/// Ids of the keys that were withdrawn.
pub(super) async fn revoked(store: &Store) -> Result<Vec<AccessKeyId>> {
    let ids: Vec<Uuid> = key::Entity::find()
        .filter(is_revoked())
        .select_only()
        .column(key::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// How many keys were withdrawn: changes whenever one is, since none comes back.
pub(super) async fn count_revoked(store: &Store) -> Result<u64> {
    Ok(key::Entity::find().filter(is_revoked()).count(store.reader()).await?)
}

/// Told in the very words of the partial index.
fn is_revoked() -> Expr {
    Expr::cust("status = 'REVOKED'")
}

/// Notes that a key was used.
pub async fn note_use(store: &Store, id: AccessKeyId, at: DateTime<Utc>) -> Result<()> {
    let row = used::ActiveModel { key_id: Set(id.0), last_used_at: Set(at) };
    used::Entity::insert(row)
        .on_conflict(OnConflict::column(used::Column::KeyId).update_column(used::Column::LastUsedAt).to_owned())
        .exec_without_returning(store.writer())
        .await?;
    Ok(())
}

/// What a list of keys is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct KeyFilter {
    /// Of this kind.
    pub kind: Option<AccessKeyKind>,
    /// Of this channel account.
    pub account: Option<String>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// Where it stands.
    pub status: Option<AccessKeyStatus>,
}

fn condition(actor: &Actor, filter: &KeyFilter) -> Condition {
    let mut all = Condition::all().add(scope::access_keys(&actor.scope));
    if let Some(kind) = filter.kind {
        all = all.add(key::Column::Kind.eq(kind.code()));
    }
    if let Some(account) = &filter.account {
        all = all.add(key::Column::Account.eq(account.as_str()));
    }
    if let Some(order) = filter.order {
        all = all.add(key::Column::OrderId.eq(order.0));
    }
    if let Some(status) = filter.status {
        all = all.add(key::Column::Status.eq(status.code()));
    }
    all
}

/// A key, and when it was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKey {
    /// The key.
    pub key: AccessKey,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A page of the keys that exist for the actor, newest first.
pub async fn list(store: &Store, actor: &Actor, filter: &KeyFilter, keyset: Keyset) -> Result<Page<UsedKey>> {
    let query = key::Entity::find().filter(condition(actor, filter));
    let page = page(query, key::Column::CreatedAt, key::Column::Id, true, keyset, store.reader(), |row| {
        (row.created_at.to_rfc3339(), row.id)
    })
    .await?;
    let uses = uses(store, page.items.iter().map(|(_, row)| row.id)).await?;
    page.map(|row| with_use(row, &uses))
}

/// How many keys the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &KeyFilter) -> Result<u64> {
    Ok(key::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Keys by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[AccessKeyId]) -> Result<Vec<UsedKey>> {
    let rows = key::Entity::find()
        .filter(among(key::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::access_keys(&actor.scope))
        .all(store.reader())
        .await?;
    let uses = uses(store, rows.iter().map(|row| row.id)).await?;
    rows.into_iter().map(|row| with_use(row, &uses)).collect()
}

async fn uses(store: &Store, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, DateTime<Utc>>> {
    let rows = used::Entity::find().filter(among(used::Column::KeyId, ids)).all(store.reader()).await?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.last_used_at)).collect())
}

fn with_use(row: key::Model, uses: &HashMap<Uuid, DateTime<Utc>>) -> Result<UsedKey> {
    let last_used_at = uses.get(&row.id).copied();
    Ok(UsedKey { key: AccessKey::from_rows(row)?, last_used_at })
}
