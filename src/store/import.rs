//! Orders handed in as files: the imports, their files, and what was wrong in them.

use chrono::{DateTime, Utc};
use entity::{import_batch, import_fault, import_piece, import_row};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Condition, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::Aggregate;
use super::error::{Result, StoreError};
use super::page::{Keyset, Page, page};
use super::row::{among, code, from_json, json, optional_code};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{ImportBatchId, OrderId, UnitId};
use crate::domain::import::{Fault, ImportBatch, ImportStatus, Row};

impl Aggregate for ImportBatch {
    const KIND: AggregateKind = AggregateKind::ImportBatch;
    type Rows = import_batch::Model;

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
        self.unit_id
    }
    fn account(&self) -> Option<String> {
        self.account.clone()
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(import_batch::Model {
            id: self.id.0,
            version: self.version,
            format: self.format.code().to_owned(),
            layout: self.layout.map(|layout| layout.code().to_owned()),
            file_name: self.file_name.clone(),
            size: self.size,
            digest: self.digest.clone(),
            settings: json(&self.settings)?,
            headers: json(&self.headers)?,
            status: self.status.code().to_owned(),
            dry_run: self.dry_run,
            error_policy: self.error_policy.code().to_owned(),
            counts: json(&self.counts)?,
            account: self.account.clone(),
            unit_id: self.unit_id.map(|id| id.0),
            roles: json(&self.roles)?,
            uploaded_by: self.uploaded_by.clone(),
            uploaded_at: self.uploaded_at,
            started_by: self.started_by.clone(),
            started_at: self.started_at,
            finished_at: self.finished_at,
            worker: self.worker,
            lease_until: self.lease_until,
            reason: self.reason.clone(),
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            format: code(&row.format)?,
            layout: optional_code(row.layout.as_ref())?,
            file_name: row.file_name,
            size: row.size,
            digest: row.digest,
            settings: from_json(row.settings)?,
            headers: from_json(row.headers)?,
            status: code(&row.status)?,
            dry_run: row.dry_run,
            error_policy: code(&row.error_policy)?,
            counts: from_json(row.counts)?,
            account: row.account,
            unit_id: row.unit_id.map(Into::into),
            roles: from_json(row.roles)?,
            uploaded_by: row.uploaded_by,
            uploaded_at: row.uploaded_at,
            started_by: row.started_by,
            started_at: row.started_at,
            finished_at: row.finished_at,
            worker: row.worker,
            lease_until: row.lease_until,
            reason: row.reason,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = import_batch::Entity::find()
            .filter(among(import_batch::Column::Id, ids.to_vec()))
            .order_by_asc(import_batch::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<import_batch::Entity>(row)
    }
}

/// An import within a command, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: ImportBatchId) -> Result<Tracked<ImportBatch>> {
    let exists = scope::imports(&work.actor().scope);
    work.visible_id::<import_batch::Entity>(import_batch::Column::Id, id.0, exists, import_batch::Column::Id).await?;
    work.find(id.0).await
}

/// An import within a command, if it exists for the caller; not locked.
pub async fn glimpse(work: &Work, id: ImportBatchId) -> Result<ImportBatch> {
    let found = import_batch::Entity::find_by_id(id.0)
        .filter(scope::imports(&work.actor().scope))
        .one(work.db().await?)
        .await?;
    ImportBatch::from_rows(found.ok_or(StoreError::NotFound)?)
}

/// A page of the imports that exist for the actor, newest first.
pub async fn list(
    store: &Store,
    actor: &Actor,
    statuses: Option<&[ImportStatus]>,
    keyset: Keyset,
) -> Result<Page<ImportBatch>> {
    let query = import_batch::Entity::find().filter(condition(actor, statuses));
    page(query, import_batch::Column::UploadedAt, import_batch::Column::Id, true, keyset, store.reader(), |row| {
        (row.uploaded_at.to_rfc3339(), row.id)
    })
    .await?
    .map(ImportBatch::from_rows)
}

fn condition(actor: &Actor, statuses: Option<&[ImportStatus]>) -> Condition {
    let wanted = statuses.map(|some| among(import_batch::Column::Status, some.iter().map(|one| one.code())));
    scope::imports(&actor.scope).add_option(wanted)
}

/// How many imports the filter leaves.
pub async fn count(store: &Store, actor: &Actor, statuses: Option<&[ImportStatus]>) -> Result<u64> {
    Ok(import_batch::Entity::find().filter(condition(actor, statuses)).count(store.reader()).await?)
}

/// Imports by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[ImportBatchId]) -> Result<Vec<ImportBatch>> {
    let rows = import_batch::Entity::find()
        .filter(among(import_batch::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::imports(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(ImportBatch::from_rows).collect()
}

/// Imports that run and that nobody is at work on, those that have waited longest first.
pub async fn free(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<ImportBatch>> {
    let rows = import_batch::Entity::find()
        .filter(import_batch::Column::Status.eq(ImportStatus::Running.code()))
        .filter(
            Condition::any()
                .add(import_batch::Column::LeaseUntil.is_null())
                .add(import_batch::Column::LeaseUntil.lt(now)),
        )
        .order_by_asc(import_batch::Column::UploadedAt)
        .limit(limit)
        .all(store.reader())
        .await?;
    rows.into_iter().map(ImportBatch::from_rows).collect()
}

/// Imports that nobody has started since a moment.
pub async fn forgotten(store: &Store, since: DateTime<Utc>, limit: u64) -> Result<Vec<ImportBatchId>> {
    let waiting = [ImportStatus::Uploaded.code(), ImportStatus::Checked.code()];
    let ids: Vec<Uuid> = import_batch::Entity::find()
        .filter(import_batch::Column::Status.is_in(waiting))
        .filter(import_batch::Column::UploadedAt.lt(since))
        .order_by_asc(import_batch::Column::UploadedAt)
        .limit(limit)
        .select_only()
        .column(import_batch::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Keeps a piece of a file that arrives.
pub async fn keep_piece(
    store: &Store,
    id: ImportBatchId,
    number: i64,
    bytes: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<()> {
    let piece =
        import_piece::ActiveModel { batch_id: Set(id.0), number: Set(number), bytes: Set(bytes), kept_at: Set(now) };
    import_piece::Entity::insert(piece).exec_without_returning(store.writer()).await?;
    Ok(())
}

/// A piece of a kept file.
pub async fn piece(store: &Store, id: ImportBatchId, number: i64) -> Result<Option<Vec<u8>>> {
    let found = import_piece::Entity::find_by_id((id.0, number)).one(store.reader()).await?;
    Ok(found.map(|piece| piece.bytes))
}

/// Throws a file away that did not arrive as a whole.
pub async fn drop_pieces(store: &Store, id: ImportBatchId) -> Result<()> {
    let of = import_piece::Column::BatchId.eq(id.0);
    import_piece::Entity::delete_many().filter(of).exec(store.writer()).await?;
    Ok(())
}

/// Throws away what arrived before a moment without becoming an import.
pub async fn drop_orphans(store: &Store, before: DateTime<Utc>) -> Result<u64> {
    let known = Query::select().column(import_batch::Column::Id).from(import_batch::Entity).take();
    let orphans: Vec<Uuid> = import_piece::Entity::find()
        .filter(import_piece::Column::KeptAt.lt(before))
        .filter(import_piece::Column::BatchId.not_in_subquery(known))
        .select_only()
        .column(import_piece::Column::BatchId)
        .distinct()
        .into_tuple()
        .all(store.reader())
        .await?;
    if orphans.is_empty() {
        return Ok(0);
    }
    let of = among(import_piece::Column::BatchId, orphans);
    Ok(import_piece::Entity::delete_many().filter(of).exec(store.writer()).await?.rows_affected)
}

/// Throws the file of an import away, within its last command.
pub async fn forget_file(work: &Work, id: ImportBatchId) -> Result<()> {
    let of = import_piece::Column::BatchId.eq(id.0);
    import_piece::Entity::delete_many().filter(of).exec(work.db().await?).await?;
    Ok(())
}

/// Forgets what was found wrong, before it is looked for anew.
pub async fn forget_faults(work: &Work, id: ImportBatchId) -> Result<()> {
    let db = work.db().await?;
    import_fault::Entity::delete_many().filter(import_fault::Column::BatchId.eq(id.0)).exec(db).await?;
    import_row::Entity::delete_many().filter(import_row::Column::BatchId.eq(id.0)).exec(db).await?;
    Ok(())
}

/// Keeps a bad order: its rows, and what is wrong with them.
pub fn keep_faults(work: &Work, id: ImportBatchId, rows: &[Row], faults: &[Fault]) -> Result<()> {
    work.write(|writes| {
        for row in rows {
            let kept = import_row::Model { batch_id: id.0, row_number: row.number, cells: json(&row.cells)? };
            writes.new_row::<import_row::Entity>(&kept)?;
        }
        for fault in faults {
            writes.new_row::<import_fault::Entity>(&import_fault::Model {
                id: work.id(),
                batch_id: id.0,
                row_number: fault.row,
                column_name: fault.column.clone(),
                code: fault.code.clone(),
                message: fault.message.clone(),
            })?;
        }
        Ok(())
    })
}

/// A fault with its place in the list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFault {
    /// Its identity.
    pub id: Uuid,
    /// The fault.
    pub fault: Fault,
}

fn fault(row: import_fault::Model) -> KeptFault {
    let fault = Fault { row: row.row_number, column: row.column_name, code: row.code, message: row.message };
    KeptFault { id: row.id, fault }
}

/// A page of what is wrong in the file of an import that was found visible before, by row.
pub async fn faults(store: &Store, id: ImportBatchId, keyset: Keyset) -> Result<Page<KeptFault>> {
    let query = import_fault::Entity::find().filter(import_fault::Column::BatchId.eq(id.0));
    page(query, import_fault::Column::RowNumber, import_fault::Column::Id, false, keyset, store.reader(), |row| {
        (row.row_number.to_string(), row.id)
    })
    .await?
    .map(|row| Ok(fault(row)))
}

/// Bad rows behind a row, with what is wrong with each.
pub async fn bad_rows(store: &Store, id: ImportBatchId, after: i64, limit: u64) -> Result<Vec<(Row, Vec<Fault>)>> {
    let rows = import_row::Entity::find()
        .filter(import_row::Column::BatchId.eq(id.0))
        .filter(import_row::Column::RowNumber.gt(after))
        .order_by_asc(import_row::Column::RowNumber)
        .limit(limit)
        .all(store.reader())
        .await?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let faults = import_fault::Entity::find()
        .filter(import_fault::Column::BatchId.eq(id.0))
        .filter(import_fault::Column::RowNumber.between(first.row_number, last.row_number))
        .order_by_asc(import_fault::Column::RowNumber)
        .order_by_asc(import_fault::Column::Id)
        .all(store.reader())
        .await?;
    let mut faults = faults.into_iter().map(|row| fault(row).fault).peekable();
    rows.into_iter()
        .map(|row| {
            let number = row.row_number;
            let mut own = Vec::new();
            while let Some(one) = faults.next_if(|fault| fault.row <= number) {
                own.push(one);
            }
            Ok((Row { number, cells: from_json(row.cells)? }, own))
        })
        .collect()
}
