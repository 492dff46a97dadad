//! Restrictions of access.

use entity::access_restriction as restriction;
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::Aggregate;
use super::error::Result;
use super::page::{Keyset, Page, page};
use super::row::{among, code, optional_code};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, access_key, scope};
use crate::domain::access::{AccessRestriction, AccessRestrictionStatus};
use crate::domain::access_key::AccessKey;
use crate::domain::actor::{Actor, Role};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{AccessRestrictionId, OrderId, UnitId};

impl Aggregate for AccessRestriction {
    const KIND: AggregateKind = AggregateKind::AccessRestriction;
    type Rows = restriction::Model;

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
        None
    }
    fn unit_id(&self) -> Option<UnitId> {
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(restriction::Model {
            id: self.id.0,
            version: self.version,
            subject: self.subject.clone(),
            role: self.role.map(|role| role.code().to_owned()),
            status: self.status.code().to_owned(),
            reason: self.reason.clone(),
            restricted_by: self.restricted_by.clone(),
            restricted_at: self.restricted_at,
            lifted_by: self.lifted_by.clone(),
            lifted_at: self.lifted_at,
            lift_reason: self.lift_reason.clone(),
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            subject: row.subject,
            role: optional_code(row.role.as_ref())?,
            status: code(&row.status)?,
            reason: row.reason,
            restricted_by: row.restricted_by,
            restricted_at: row.restricted_at,
            lifted_by: row.lifted_by,
            lifted_at: row.lifted_at,
            lift_reason: row.lift_reason,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = restriction::Entity::find()
            .filter(among(restriction::Column::Id, ids.to_vec()))
            .order_by_asc(restriction::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<restriction::Entity>(row)
    }
}

/// A restriction within a command, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: AccessRestrictionId) -> Result<Tracked<AccessRestriction>> {
    work.visible_id::<restriction::Entity>(
        restriction::Column::Id,
        id.0,
        scope::restrictions(&work.actor().scope),
        restriction::Column::Id,
    )
    .await?;
    work.find(id.0).await
}

fn in_force() -> Condition {
    Condition::all().add(restriction::Column::Status.eq(AccessRestrictionStatus::InForce.code()))
}

/// Is this very access taken away already? Who asks at the same moment fails when it is saved.
pub async fn is_in_force(work: &Work, subject: &str, role: Option<Role>) -> Result<bool> {
    let of_role = match role {
        Some(role) => restriction::Column::Role.eq(role.code()),
        None => restriction::Column::Role.is_null(),
    };
    let found = restriction::Entity::find()
        .filter(in_force())
        .filter(restriction::Column::Subject.eq(subject))
        .filter(of_role)
        .count(work.db().await?)
        .await?;
    Ok(found > 0)
}

/// A number that is another after every change of any restriction and every withdrawal of a key: rows are
/// never deleted and each change raises one version, or the number of withdrawn keys, by one.
pub async fn stamp(store: &Store) -> Result<i64> {
    let sum: Option<i64> = restriction::Entity::find()
        .select_only()
        .expr(Expr::cust("CAST(COALESCE(SUM(version), 0) AS BIGINT)"))
        .into_tuple()
        .one(store.reader())
        .await?;
    let revoked = i64::try_from(access_key::count_revoked(store).await?).unwrap_or(i64::MAX);
    Ok(sum.unwrap_or_default().saturating_add(revoked))
}

/// Whose access is restricted now, in a fixed order: the subject and the role, none for all of them. The
/// bearers of withdrawn keys are among them.
pub async fn restricted(store: &Store) -> Result<Vec<(String, Option<Role>)>> {
    let rows: Vec<(String, Option<String>)> = restriction::Entity::find()
        .filter(in_force())
        .order_by_asc(restriction::Column::Id)
        .select_only()
        .columns([restriction::Column::Subject, restriction::Column::Role])
        .into_tuple()
        .all(store.reader())
        .await?;
    let known = rows.into_iter().filter_map(|(subject, role)| match role {
        None => Some((subject, None)),
        // A newer node may know a role that this one does not: nobody holds it here.
        Some(code) => code.parse().ok().map(|role| (subject, Some(role))),
    });
    let bearers = access_key::revoked(store).await?.into_iter().map(|id| (AccessKey::subject(id), None));
    Ok(known.chain(bearers).collect())
}

/// What a list of restrictions is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct RestrictionFilter {
    /// Of this subject.
    pub subject: Option<String>,
    /// In force, or lifted.
    pub in_force: Option<bool>,
}

fn condition(actor: &Actor, filter: &RestrictionFilter) -> Condition {
    let mut all = Condition::all().add(scope::restrictions(&actor.scope));
    if let Some(subject) = &filter.subject {
        all = all.add(restriction::Column::Subject.eq(subject.as_str()));
    }
    match filter.in_force {
        Some(true) => all.add(in_force()),
        Some(false) => all.add(in_force().not()),
        None => all,
    }
}

/// A page of the restrictions that exist for the actor, newest first.
pub async fn list(
    store: &Store,
    actor: &Actor,
    filter: &RestrictionFilter,
    keyset: Keyset,
) -> Result<Page<AccessRestriction>> {
    let query = restriction::Entity::find().filter(condition(actor, filter));
    page(query, restriction::Column::RestrictedAt, restriction::Column::Id, true, keyset, store.reader(), |row| {
        (row.restricted_at.to_rfc3339(), row.id)
    })
    .await?
    .map(AccessRestriction::from_rows)
}

/// How many restrictions the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &RestrictionFilter) -> Result<u64> {
    Ok(restriction::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Restrictions by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[AccessRestrictionId]) -> Result<Vec<AccessRestriction>> {
    let rows = restriction::Entity::find()
        .filter(among(restriction::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::restrictions(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(AccessRestriction::from_rows).collect()
}
