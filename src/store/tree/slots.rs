//! Rows of several tables in one result: each value lies in the next free column of its kind.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{Price, Quantity};
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{self, Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

use super::levels::Column;
use crate::store::error::{Result, StoreError};

/// What a column of the result can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identity.
    Uuid,
    /// Text, codes and JSON.
    Text,
    /// Whole numbers and truth values.
    Number,
    /// A moment.
    Moment,
    /// A day.
    Day,
}

impl Kind {
    /// All, in the order in which their columns stand in the result.
    pub const ALL: [Self; 5] = [Self::Uuid, Self::Text, Self::Number, Self::Moment, Self::Day];

    /// The type of such a column on PostgreSQL.
    pub const fn postgres(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Number => "int8",
            Self::Moment => "timestamptz",
            Self::Day => "date",
        }
    }
}

/// Something that a slot can hold. What was not asked for is what its type begins with.
pub trait Slot: Default {
    /// Where it lies.
    const KIND: Kind;
    /// What PostgreSQL must do to put it there.
    const CAST: &'static str = "";

    /// Takes it out.
    fn take(row: Row<'_>, index: usize) -> Result<Self>;
}

/// A row of either database.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// Of PostgreSQL.
    Postgres(&'r PgRow),
    /// Of SQLite.
    Sqlite(&'r SqliteRow),
}

impl<'r> Row<'r> {
    /// A value by its column. Its type is not checked: the statement has said what it is.
    fn get<T>(self, index: usize) -> Result<T>
    where
        T: Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let got: sqlx::Result<T> = match self {
            Self::Postgres(row) => row.try_get_unchecked(index),
            Self::Sqlite(row) => row.try_get_unchecked(index),
        };
        got.map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// The columns of a table that nobody asked for, one bit for each: they have no slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Absent(u64);

impl Absent {
    /// Those of which this holds.
    pub fn those(columns: &[Column], is_absent: impl Fn(&str) -> bool) -> Self {
        let absent = columns.iter().enumerate().filter(|(_, column)| is_absent(column.name));
        Self(absent.fold(0, |bits, (index, _)| bits | 1 << index))
    }

    /// The columns that are left.
    pub fn present(self, columns: &'static [Column]) -> impl Iterator<Item = &'static Column> {
        columns.iter().enumerate().filter(move |(index, _)| self.0 >> index & 1 == 0).map(|(_, column)| column)
    }

    /// Is it the next one? The one behind it is the next from then on.
    const fn is_next(&mut self) -> bool {
        let is_absent = self.0 & 1 == 1;
        self.0 >>= 1;
        is_absent
    }
}

/// The values of a row, one by one in the order in which its table names them.
pub struct Slots<'r> {
    row: Row<'r>,
    /// The next column of each kind.
    next: [usize; Kind::ALL.len()],
    absent: Absent,
}

impl<'r> Slots<'r> {
    /// The values of a row whose columns of each kind begin there.
    pub const fn new(row: Row<'r>, begin: [usize; Kind::ALL.len()], absent: Absent) -> Self {
        Self { row, next: begin, absent }
    }

    /// The next value.
    pub fn take<T: Slot>(&mut self) -> Result<T> {
        if self.absent.is_next() {
            return Ok(T::default());
        }
        let next = &mut self.next[T::KIND as usize];
        let index = *next;
        *next += 1;
        T::take(self.row, index)
    }
}

macro_rules! slots {
    ($($type:ty, $kind:ident $(, $cast:literal)? => |$row:ident, $index:ident| $value:expr;)+) => { $(
        impl Slot for $type {
            const KIND: Kind = Kind::$kind;
            $(const CAST: &'static str = $cast;)?

            fn take($row: Row<'_>, $index: usize) -> Result<Self> {
                $value
            }
        }
    )+ };
}

slots! {
    Uuid, Uuid => |row, index| row.get(index);
    Option<Uuid>, Uuid => |row, index| row.get(index);
    String, Text => |row, index| row.get(index);
    Option<String>, Text => |row, index| row.get(index);
    serde_json::Value, Text, "::text" => |row, index| Ok(serde_json::from_str(row.get(index)?)?);
    Option<serde_json::Value>, Text, "::text" => |row, index| {
        let text: Option<&str> = row.get(index)?;
        Ok(text.map(serde_json::from_str).transpose()?)
    };
    i64, Number => |row, index| row.get(index);
    i32, Number, "::int8" => |row, index| {
        let number: i64 = row.get(index)?;
        i32::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is out of range")))
    };
    Option<i32>, Number, "::int8" => |row, index| {
        let number: Option<i64> = row.get(index)?;
        let narrow = |number: i64| i32::try_from(number);
        number.map(narrow).transpose().map_err(|error| StoreError::Corrupt(error.to_string()))
    };
    bool, Number, "::int4::int8" => |row, index| Ok(row.get::<i64>(index)? != 0);
    Quantity, Number => |row, index| row.get(index).map(Self);
    Price, Number => |row, index| row.get(index).map(Self);
    Option<Price>, Number => |row, index| Ok(row.get::<Option<i64>>(index)?.map(Price));
    Option<i64>, Number => |row, index| row.get(index);
    DateTime<Utc>, Moment => |row, index| row.get(index);
    Option<DateTime<Utc>>, Moment => |row, index| row.get(index);
    NaiveDate, Day => |row, index| row.get(index);
    Option<NaiveDate>, Day => |row, index| row.get(index);
}
