//! Conversions every table needs.

use std::str::FromStr;

use entity::{Price, Quantity};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Condition, Expr, SelectStatement};
use sea_orm::{EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::{Result, StoreError};
use crate::domain::codes::UnknownCode;
use crate::domain::money::{Currency, PRICE_SCALE, QUANTITY_SCALE};

/// A quantity as it is stored.
pub fn quantity(value: Decimal) -> Result<Quantity> {
    scaled(value, QUANTITY_SCALE).map(Quantity)
}

/// A stored quantity as a decimal.
pub fn from_quantity(value: Quantity) -> Decimal {
    Decimal::new(value.0, QUANTITY_SCALE).normalize()
}

/// A price as it is stored.
pub fn price(value: Decimal) -> Result<Price> {
    scaled(value, PRICE_SCALE).map(Price)
}

/// A stored price as a decimal.
pub fn from_price(value: Price) -> Decimal {
    Decimal::new(value.0, PRICE_SCALE).normalize()
}

fn scaled(value: Decimal, scale: u32) -> Result<i64> {
    let value = value.normalize();
    if value.scale() > scale {
        return Err(StoreError::Corrupt(format!("{value} has more than {scale} decimals")));
    }
    let mut fixed = value;
    fixed.rescale(scale);
    i64::try_from(fixed.mantissa()).map_err(|_| StoreError::Corrupt(format!("{value} is out of range")))
}

/// Reads a code.
pub fn code<T: FromStr<Err = UnknownCode>>(text: &str) -> Result<T> {
    Ok(text.parse()?)
}

/// Reads an optional code.
pub fn optional_code<T: FromStr<Err = UnknownCode>>(text: Option<&String>) -> Result<Option<T>> {
    Ok(text.map(|text| text.parse()).transpose()?)
}

/// Reads a currency.
pub fn currency(code: &str) -> Result<Currency> {
    Currency::from_code(code).ok_or_else(|| StoreError::Corrupt(format!("{code:?} is no currency")))
}

/// A value as stored JSON.
pub fn json<T: Serialize>(value: &T) -> Result<serde_json::Value> {
    Ok(serde_json::to_value(value)?)
}

/// Reads stored JSON.
pub fn from_json<T: DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

/// The same where nothing may stand for what was not read. No column holds nothing otherwise: what the
/// server writes there is an object or a list.
pub fn from_json_or_blank<T: DeserializeOwned + Default>(value: serde_json::Value) -> Result<T> {
    if value.is_null() { Ok(T::default()) } else { from_json(value) }
}

/// Selects every column of a table under names of its own, so that several tables fit in one row.
pub fn select_as<E: EntityTrait>(select: &mut SelectStatement, prefix: &str) {
    for column in E::Column::iter() {
        select.expr_as(Expr::col((E::default(), column)), format!("{prefix}{}", column.as_str()));
    }
}

/// What stands under those names, unless an outer join left it empty.
pub fn selected<M: FromQueryResult>(row: &QueryResult, prefix: &str) -> Result<Option<M>> {
    let id: Option<Uuid> = row.try_get(prefix, "id")?;
    Ok(id.map(|_| M::from_query_result(row, prefix)).transpose()?)
}

/// The condition that a column is among values; never true for none.
pub fn among<C: sea_orm::ColumnTrait, V: Into<sea_orm::Value>>(
    column: C,
    values: impl IntoIterator<Item = V>,
) -> Condition {
    Condition::all().add(column.is_in(values))
}

/// The condition that a column is among many texts. They are one value, so that the statement is the same for any
/// number of them, and PostgreSQL looks each up in an index, also in a table it has no statistics of.
pub fn among_texts<C: sea_orm::ColumnTrait>(db: &impl sea_orm::ConnectionTrait, column: C, texts: &[&str]) -> Expr {
    let condition = if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        "$1 = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS json))))"
    } else {
        "? IN (SELECT value FROM json_each(?))"
    };
    Expr::cust_with_exprs(condition, [column.into_expr(), Expr::val(serde_json::json!(texts).to_string())])
}

/// The condition that a column is among what a query finds. PostgreSQL finds that first and then looks
/// each of it up, whatever the statistics said when it planned.
pub fn among_found<C: sea_orm::ColumnTrait>(
    db: &impl sea_orm::ConnectionTrait,
    column: C,
    query: SelectStatement,
) -> Expr {
    if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        let found = Expr::SubQuery(None, Box::new(query.into()));
        Expr::cust_with_exprs("$1 = ANY (ARRAY $2)", [column.into_expr(), found])
    } else {
        column.in_subquery(query)
    }
}
