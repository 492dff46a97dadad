//! Conversions every table needs.

use std::str::FromStr;

use entity::{Price, Quantity};
use rust_decimal::Decimal;
use sea_orm::sea_query::Condition;
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
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

/// Inserts the parts that are new and updates those that changed; parts are never deleted.
pub async fn write_parts<E, A>(
    db: &impl ConnectionTrait,
    after: &[E::Model],
    before: &[E::Model],
    id: impl Fn(&E::Model) -> Uuid,
) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A> + PartialEq + Clone + Sync,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    let mut new = Vec::new();
    for model in after {
        match before.iter().find(|former| id(former) == id(model)) {
            Some(former) if former == model => {}
            Some(_) => {
                E::update(model.clone().into_active_model().reset_all()).exec(db).await?;
            }
            None => new.push(model.clone().into_active_model().reset_all()),
        }
    }
    if !new.is_empty() {
        E::insert_many(new).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The condition that a column is among values; never true for none.
pub fn among<C: sea_orm::ColumnTrait, V: Into<sea_orm::Value>>(
    column: C,
    values: impl IntoIterator<Item = V>,
) -> Condition {
    Condition::all().add(column.is_in(values))
}

/// Writes the root row of an aggregate: inserts a new one, else compare-and-set on the version.
/// Says whether the row was written.
macro_rules! write_root {
    ($db:expr, $table:ident, $row:expr, $before:expr) => {{
        use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
        let active = $row.clone().into_active_model().reset_all();
        match $before {
            None => {
                entity::$table::Entity::insert(active).exec_without_returning($db).await?;
                true
            }
            Some(before) => {
                let result = entity::$table::Entity::update_many()
                    .set(active)
                    .filter(entity::$table::Column::Id.eq($row.id))
                    .filter(entity::$table::Column::Version.eq(before.version))
                    .exec($db)
                    .await?;
                result.rows_affected == 1
            }
        }
    }};
}
pub(crate) use write_root;
