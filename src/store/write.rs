//! What a unit of work has to write, gathered until it must be there: on PostgreSQL everything goes in
//! one statement, on SQLite, which has no round trips, in one per table.

use std::collections::HashSet;

use sea_orm::sea_query::{
    CommonTableExpression, DeleteStatement, Expr, ExprTrait, InsertStatement, OnConflict, Query, WithClause,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IdenStatic, Iterable, ModelTrait, PrimaryKeyToColumn,
    Value,
};
use uuid::Uuid;

use super::bulk;
use super::error::{Result, StoreError};
use crate::domain::event::AggregateKind;

/// Values of one statement at most: both databases number parameters, PostgreSQL with 16 bits.
const MOST_VALUES: usize = 16_000;

/// What happens to a row that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It must be the version before, or nothing of the work counts.
    Version,
    /// It is replaced: whoever writes holds the lock of the aggregate it belongs to.
    Replaced,
    /// The work was done by somebody else, and is not done again.
    Done,
    /// It cannot be: rows like these are written once, under a new identity.
    Never,
}

/// Rows of one table.
struct Rows {
    table: String,
    known: Known,
    /// Without its values.
    insert: InsertStatement,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
    values: usize,
}

impl Rows {
    fn of<E: EntityTrait>(known: Known) -> Self {
        let mut insert = Query::insert();
        insert.into_table(E::default()).columns(E::Column::iter());
        let keys = || E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
        let others = E::Column::iter().filter(|column| keys().all(|key| key.as_str() != column.as_str()));
        let mut conflict = OnConflict::columns(keys());
        match known {
            Known::Version => {
                let former = Expr::col((E::default(), "version")).eq(Expr::cust(r#""excluded"."version" - 1"#));
                insert.on_conflict(conflict.update_columns(others).action_and_where(former).to_owned());
            }
            Known::Replaced => {
                insert.on_conflict(conflict.update_columns(others).to_owned());
            }
            Known::Done => {
                insert.on_conflict(conflict.do_nothing().to_owned());
            }
            Known::Never => {}
        }
        let columns = E::Column::iter().map(|column| column.as_str()).collect();
        Self { table: E::default().table_name().to_owned(), known, insert, columns, rows: Vec::new(), values: 0 }
    }

    /// Rows that must be written, or somebody else was first.
    fn expected(&self) -> u64 {
        if matches!(self.known, Known::Version | Known::Done) { self.rows.len() as u64 } else { 0 }
    }

    /// The statement that writes them.
    fn statement(self, backend: DbBackend) -> Result<InsertStatement> {
        let Self { table, mut insert, columns, rows, .. } = self;
        let malformed = |error: sea_orm::sea_query::error::Error| StoreError::Corrupt(error.to_string());
        if backend == DbBackend::Postgres
            && let Some(select) = bulk::select(&table, &columns, &rows)
        {
            insert.select_from(select).map_err(malformed)?;
            return Ok(insert);
        }
        for row in rows {
            insert.values(row.into_iter().map(Expr::val)).map_err(malformed)?;
        }
        Ok(insert)
    }
}

/// What waits to be written.
#[derive(Default)]
pub struct Writes {
    /// In the order in which the tables came up.
    tables: Vec<Rows>,
    /// Parts that are deleted, before anything is written.
    gone: Vec<DeleteStatement>,
    roots: HashSet<(AggregateKind, Uuid)>,
}

impl Writes {
    /// The root row of an aggregate: a new one, or instead of the version before.
    pub fn root<E: EntityTrait>(&mut self, row: &E::Model) -> Result<()>
    where
        E::Model: ModelTrait<Entity = E>,
    {
        self.add::<E>(Known::Version, row)
    }

    /// The parts of an aggregate that are new or not what they were; those that are no longer among them are
    /// deleted.
    pub fn parts<E: EntityTrait>(
        &mut self,
        after: &[E::Model],
        before: &[E::Model],
        id: impl Fn(&E::Model) -> Uuid,
    ) -> Result<()>
    where
        E::Model: ModelTrait<Entity = E> + PartialEq,
    {
        for row in after {
            if before.iter().find(|former| id(former) == id(row)) != Some(row) {
                self.add::<E>(Known::Replaced, row)?;
            }
        }
        let gone: Vec<Uuid> =
            before.iter().map(&id).filter(|former| after.iter().all(|row| id(row) != *former)).collect();
        if !gone.is_empty() {
            let mut delete = Query::delete();
            delete.from_table(E::default()).and_where(Expr::col((E::default(), "id")).is_in(gone));
            self.gone.push(delete);
        }
        Ok(())
    }

    /// A row that is written once.
    pub fn new_row<E: EntityTrait>(&mut self, row: &E::Model) -> Result<()>
    where
        E::Model: ModelTrait<Entity = E>,
    {
        self.add::<E>(Known::Never, row)
    }

    /// A row that somebody else may be the first to write: then nothing of the work counts.
    pub fn first<E: EntityTrait>(&mut self, row: &E::Model) -> Result<()>
    where
        E::Model: ModelTrait<Entity = E>,
    {
        self.add::<E>(Known::Done, row)
    }

    fn add<E: EntityTrait>(&mut self, known: Known, row: &E::Model) -> Result<()>
    where
        E::Model: ModelTrait<Entity = E>,
    {
        let values: Vec<Value> = E::Column::iter().map(|column| row.get(column)).collect();
        let name = E::default();
        let fits = |one: &&mut Rows| one.table == name.table_name() && one.values + values.len() <= MOST_VALUES;
        if self.tables.iter_mut().rfind(fits).is_none() {
            self.tables.push(Rows::of::<E>(known));
        }
        let Some(rows) = self.tables.iter_mut().rfind(fits) else { return Ok(()) };
        rows.values += values.len();
        rows.rows.push(values);
        Ok(())
    }

    /// Says that an aggregate is among these: one statement cannot write a row twice.
    pub fn mark(&mut self, kind: AggregateKind, id: Uuid) {
        self.roots.insert((kind, id));
    }

    /// Is the aggregate among these?
    pub fn holds(&self, kind: AggregateKind, id: Uuid) -> bool {
        self.roots.contains(&(kind, id))
    }

    /// Writes everything, and with it what else is given, which is PostgreSQL's.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed an aggregate first.
    pub async fn send(self, tx: &DatabaseTransaction, along: Vec<CommonTableExpression>) -> Result<()> {
        for delete in &self.gone {
            tx.execute(delete).await?;
        }
        if tx.get_database_backend() != DbBackend::Postgres {
            for rows in self.tables {
                let expected = rows.expected();
                let written = tx.execute(&rows.statement(DbBackend::Sqlite)?).await?.rows_affected();
                if expected > 0 && written != expected {
                    return Err(StoreError::Conflict);
                }
            }
            return Ok(());
        }
        let mut batch = Vec::new();
        let mut values = 0;
        for rows in self.tables {
            if values + rows.values > 2 * MOST_VALUES {
                together(tx, std::mem::take(&mut batch), Vec::new()).await?;
                values = 0;
            }
            values += rows.values;
            batch.push(rows);
        }
        together(tx, batch, along).await
    }
}

/// One statement of several that write. They see none of each other's rows, and need not: no row is
/// among them twice.
async fn together(tx: &DatabaseTransaction, mut batch: Vec<Rows>, along: Vec<CommonTableExpression>) -> Result<()> {
    if batch.len() == 1
        && along.is_empty()
        && let Some(only) = batch.pop()
    {
        let expected = only.expected();
        let written = tx.execute(&only.statement(DbBackend::Postgres)?).await?.rows_affected();
        return if expected > 0 && written != expected { Err(StoreError::Conflict) } else { Ok(()) };
    }
    if batch.is_empty() && along.is_empty() {
        return Ok(());
    }
    let mut all = WithClause::new();
    let (mut expected, mut counts) = (0, String::from("0"));
    for (number, rows) in batch.into_iter().enumerate() {
        let awaited = rows.expected();
        let mut insert = rows.statement(DbBackend::Postgres)?;
        if awaited > 0 {
            expected += awaited;
            counts.push_str(&format!(r#" + (SELECT COUNT(*) FROM "rows_{number}")"#));
            insert.returning(Query::returning().expr(Expr::cust("1")));
        }
        all.cte(CommonTableExpression::new().query(insert).table_name(format!("rows_{number}")).to_owned());
    }
    for one in along {
        all.cte(one);
    }
    let count = Query::select().expr_as(Expr::cust(format!("CAST({counts} AS BIGINT)")), "written").take();
    let written = tx.query_one(&count.with(all)).await?;
    let written: i64 = written.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    if u64::try_from(written) == Ok(expected) { Ok(()) } else { Err(StoreError::Conflict) }
}
