//! One statement that reads several tables: each a named set of rows, found from the sets before it,
//! and all of them answered as one result. So a tree costs one round trip and is of one snapshot.

use std::borrow::Cow;
use std::fmt::Write as _;

use sea_orm::sea_query::{Condition, PostgresQueryBuilder, QueryBuilder as _, SqlWriterValues, SqliteQueryBuilder};
use sea_orm::{DbBackend, Statement, Value};

use super::levels::Column;
use super::slots::{Absent, Kind, Row, Slots};
use crate::store::error::Result;

/// A set whose rows are answered.
struct Output {
    tag: i64,
    set: Cow<'static, str>,
    columns: &'static [Column],
    absent: Absent,
    /// Expressions that are whole numbers, behind the columns.
    extra: &'static [&'static str],
}

/// A statement that is being written.
pub struct Builder {
    sql: SqlWriterValues,
    is_postgres: bool,
    has_sets: bool,
    outputs: Vec<Output>,
}

/// Where the values lie in the result.
#[derive(Debug)]
pub struct Layout {
    /// Where the columns of each kind begin; the tag is in the first.
    begin: [usize; Kind::ALL.len()],
    /// What the rows of each number do without.
    absent: Vec<(i64, Absent)>,
}

impl Layout {
    /// The number of the set that a row is from, and its values.
    pub fn values<'r>(&self, row: Row<'r>) -> Result<(i64, Slots<'r>)> {
        let tag = Slots::new(row, [0; Kind::ALL.len()], Absent::default()).take()?;
        let absent = self.absent.iter().find(|(of, _)| *of == tag).map(|(_, absent)| *absent);
        Ok((tag, Slots::new(row, self.begin, absent.unwrap_or_default())))
    }
}

impl Builder {
    /// An empty statement.
    pub fn new(is_postgres: bool) -> Self {
        let sql = if is_postgres { SqlWriterValues::new("$", true) } else { SqlWriterValues::new("?", false) };
        Self { sql, is_postgres, has_sets: false, outputs: Vec::new() }
    }

    /// A set of rows that is used by others but not answered.
    pub fn set(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.push(if self.has_sets { ", " } else { "WITH " });
        self.has_sets = true;
        self.push(name);
        self.push(" AS (");
        fill(self);
        self.push(")");
    }

    /// Answers a set under a number.
    pub fn answer(
        &mut self,
        tag: i64,
        set: impl Into<Cow<'static, str>>,
        columns: &'static [Column],
        absent: Absent,
        extra: &'static [&'static str],
    ) {
        self.outputs.push(Output { tag, set: set.into(), columns, absent, extra });
    }

    /// Appends SQL.
    pub fn push(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = self.sql.write_str(text);
    }

    /// Appends the names of a table's columns, as far as they are asked for.
    pub fn names(&mut self, columns: &'static [Column], absent: Absent) {
        let mut separator = "";
        for column in absent.present(columns) {
            self.push(separator);
            self.push(column.name);
            separator = ", ";
        }
    }

    /// Appends a value of the caller's.
    pub fn value(&mut self, value: impl Into<Value>) {
        use sea_orm::sea_query::SqlWriter as _;
        if self.is_postgres {
            self.sql.push_param(value.into(), &PostgresQueryBuilder);
        } else {
            self.sql.push_param(value.into(), &SqliteQueryBuilder);
        }
    }

    /// Appends a condition.
    pub fn condition(&mut self, condition: &Condition) {
        if condition.is_empty() {
            return self.push("1 = 1");
        }
        if self.is_postgres {
            PostgresQueryBuilder.prepare_condition_where(condition, &mut self.sql);
        } else {
            SqliteQueryBuilder.prepare_condition_where(condition, &mut self.sql);
        }
    }

    /// Appends the condition that a column is among what a query finds. PostgreSQL takes an array for a
    /// few values whatever it holds, and looks each of them up in the index.
    pub fn among(&mut self, column: &str, query: &str) {
        self.push(column);
        self.push(if self.is_postgres { " = ANY (ARRAY(" } else { " IN (" });
        self.push(query);
        self.push(if self.is_postgres { "))" } else { ")" });
    }

    /// The statement, and where the values lie in its result.
    pub fn finish(mut self) -> (Statement, Layout) {
        let widths = Kind::ALL.map(|kind| self.outputs.iter().map(|output| output.width(kind)).max().unwrap_or(0));
        let mut begin = [0; Kind::ALL.len()];
        let mut next = 1;
        for (begin, width) in begin.iter_mut().zip(widths) {
            *begin = next;
            next += width;
        }
        let outputs = std::mem::take(&mut self.outputs);
        for (index, output) in outputs.iter().enumerate() {
            // The first names the types for all.
            let is_typed = self.is_postgres && index == 0;
            self.push(if index == 0 { " SELECT " } else { " UNION ALL SELECT " });
            self.push(&output.tag.to_string());
            if is_typed {
                self.push("::int8");
            }
            for (kind, width) in Kind::ALL.into_iter().zip(widths) {
                self.columns(output, kind, width, is_typed);
            }
            self.push(" FROM ");
            self.push(&output.set);
        }
        let absent = outputs.iter().map(|output| (output.tag, output.absent)).collect();
        let layout = Layout { begin, absent };
        let backend = if self.is_postgres { DbBackend::Postgres } else { DbBackend::Sqlite };
        let (sql, values) = self.sql.into_parts();
        (Statement::from_sql_and_values(backend, sql, values.0), layout)
    }

    fn columns(&mut self, output: &Output, kind: Kind, width: usize, is_typed: bool) {
        for column in output.present(kind) {
            self.push(", ");
            self.push(column.name);
            if self.is_postgres {
                self.push(column.cast);
            }
        }
        if kind == Kind::Number {
            for expression in output.extra {
                self.push(", ");
                self.push(expression);
            }
        }
        for _ in output.width(kind)..width {
            self.push(", NULL");
            if is_typed {
                self.push("::");
                self.push(kind.postgres());
            }
        }
    }
}

impl Output {
    fn present(&self, kind: Kind) -> impl Iterator<Item = &'static Column> {
        self.absent.present(self.columns).filter(move |column| column.kind == kind)
    }

    fn width(&self, kind: Kind) -> usize {
        let extra = if kind == Kind::Number { self.extra.len() } else { 0 };
        self.present(kind).count() + extra
    }
}
