//! Keyset pages: a page costs the same wherever it lies, and stays put while rows come and go.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ColumnType, ConnectionTrait, EntityTrait, FromQueryResult, Select, Value};
use uuid::Uuid;

use super::error::{Result, StoreError};

/// Where a page begins and how long it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keyset {
    /// Rows on the page.
    pub limit: u64,
    /// The last rows before the end, instead of the first after the start.
    pub backwards: bool,
    /// Only rows after this one: its sort value and id.
    pub after: Option<(String, Uuid)>,
    /// Only rows before this one.
    pub before: Option<(String, Uuid)>,
}

/// A page of rows, each with the cursor that points at it.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Cursor (sort value and id) and row.
    pub items: Vec<((String, Uuid), T)>,
    /// Are there rows after the last?
    pub has_next: bool,
    /// Are there rows before the first?
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// The page of rows that stand in the order of the list, of which there is one more than wanted when
    /// there are more.
    pub fn cut(mut rows: Vec<T>, keyset: &Keyset, key: impl Fn(&T) -> (String, Uuid)) -> Self {
        let limit = usize::try_from(keyset.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        if more {
            if keyset.backwards {
                rows.remove(0);
            } else {
                rows.truncate(limit);
            }
        }
        let (has_next, has_previous) =
            if keyset.backwards { (keyset.before.is_some(), more) } else { (more, keyset.after.is_some()) };
        Self { items: rows.into_iter().map(|row| (key(&row), row)).collect(), has_next, has_previous }
    }

    /// The same page of something else.
    pub fn map<U>(self, mut convert: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        let items = self.items.into_iter().map(|(key, row)| Ok((key, convert(row)?))).collect::<Result<_>>()?;
        Ok(Page { items, has_next: self.has_next, has_previous: self.has_previous })
    }
}

/// The page of a query sorted by a column and, among equals, by id.
pub async fn page<E, M, C>(
    query: Select<E>,
    sort: E::Column,
    id: E::Column,
    descending: bool,
    keyset: Keyset,
    db: &C,
    key: impl Fn(&M) -> (String, Uuid),
) -> Result<Page<M>>
where
    E: EntityTrait<Model = M>,
    M: FromQueryResult + Sized + Send + Sync,
    C: ConnectionTrait,
{
    let mut cursor = query.cursor_by((sort, id));
    if let Some((value, row)) = keyset.after.clone() {
        cursor.after((typed(sort, &value)?, row));
    }
    if let Some((value, row)) = keyset.before.clone() {
        cursor.before((typed(sort, &value)?, row));
    }
    if descending {
        cursor.desc();
    }
    // One row more than asked for tells whether there are more.
    if keyset.backwards {
        cursor.last(keyset.limit + 1);
    } else {
        cursor.first(keyset.limit + 1);
    }
    Ok(Page::cut(cursor.all(db).await?, &keyset, key))
}

/// A cursor comes from the client: what does not parse is no cursor of ours.
pub(super) fn typed(column: impl ColumnTrait, value: &str) -> Result<Value> {
    let invalid = || StoreError::BadCursor;
    Ok(match column.def().get_column_type() {
        ColumnType::TimestampWithTimeZone => {
            DateTime::parse_from_rfc3339(value).map_err(|_| invalid())?.with_timezone(&Utc).into()
        }
        ColumnType::Date => value.parse::<NaiveDate>().map_err(|_| invalid())?.into(),
        ColumnType::Uuid => value.parse::<Uuid>().map_err(|_| invalid())?.into(),
        ColumnType::BigInteger => value.parse::<i64>().map_err(|_| invalid())?.into(),
        _ => value.into(),
    })
}
