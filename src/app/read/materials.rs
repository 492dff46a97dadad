//! What products are made of, and whether it will be there.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::app::{Failure, Session};
use crate::domain::ids::{ProductId, UnitId};
use crate::domain::materials::{self as rules_of, Explosion, Material, Part};
use crate::domain::money::is_quantity;
use crate::domain::reference::{Product, ProductKind, UnitKind};
use crate::domain::refusal::Refusals;
use crate::store::{materials, reference};

/// Everything that goes into a quantity of a product.
#[derive(Clone, Debug)]
pub struct Exploded {
    /// The product.
    pub product: Product,
    /// The quantity.
    pub quantity: Decimal,
    /// The day on which it is made.
    pub day: NaiveDate,
    /// How often its bill of materials was set.
    pub version: i64,
    /// What goes into it.
    pub explosion: Explosion,
}

/// Everything that goes into a quantity of a product on a day, or today.
pub async fn exploded(
    session: &Session,
    sku: &str,
    quantity: Decimal,
    day: Option<NaiveDate>,
) -> Result<Option<Exploded>, Failure> {
    session.may_read("billOfMaterials")?;
    check_quantity(quantity)?;
    let store = session.app.store();
    let Some(product) = product(session, sku).await? else { return Ok(None) };
    let structure = materials::structure(store.reader(), &[product.id]).await?;
    let day = day.unwrap_or_else(|| session.app.clock.now().date_naive());
    let explosion = rules_of::explode(product.id, quantity, day, &structure).map_err(refused)?;
    let version = materials::version(store, product.id).await?;
    Ok(Some(Exploded { product, quantity, day, version, explosion }))
}

/// What a quantity of a product needs by a day.
#[derive(Clone, Debug)]
pub struct Availability {
    /// The product.
    pub product: Product,
    /// The quantity.
    pub quantity: Decimal,
    /// The day.
    pub day: NaiveDate,
    /// What is needed, what goes into others after them.
    pub materials: Vec<Material>,
}

/// What a quantity of a product needs by a day, and whether it is there: in the warehouses at or below a
/// unit, or in all that exist for the caller.
pub async fn availability(
    session: &Session,
    sku: &str,
    quantity: Decimal,
    day: NaiveDate,
    unit: Option<UnitId>,
) -> Result<Option<Availability>, Failure> {
    session.may_read("materialAvailability")?;
    check_quantity(quantity)?;
    let today = session.app.clock.now().date_naive();
    if day < today {
        return Err(Failure::BadInput("The date lies in the past.".to_owned()));
    }
    let store = session.app.store();
    let Some(product) = product(session, sku).await? else { return Ok(None) };
    let warehouses = match unit {
        None => None,
        Some(unit) if !session.actor.covers_unit(unit) => return Ok(None),
        Some(unit) => Some(warehouses(session, unit).await?),
    };
    let structure = materials::structure(store.reader(), &[product.id]).await?;
    let (made, bought) = structure.parts_by_making(day);
    let mut products: Vec<ProductId> = made.into_keys().chain(bought.into_keys()).collect();
    products.push(product.id);
    let supplies = materials::supplies(store, &session.actor, &products, warehouses.as_deref()).await?;
    let wanted = Part { product_id: product.id, sku: product.sku.clone(), quantity };
    let made_to_order = product.kind == ProductKind::MadeToOrder;
    let materials =
        rules_of::availability(&wanted, made_to_order, day, today, &structure, &supplies).map_err(refused)?;
    Ok(Some(Availability { product, quantity, day, materials }))
}

async fn product(session: &Session, sku: &str) -> Result<Option<Product>, Failure> {
    let mut found = reference::products_by_sku(session.app.store().reader(), &[sku.to_owned()]).await?;
    Ok(found.remove(sku))
}

async fn warehouses(session: &Session, unit: UnitId) -> Result<Vec<UnitId>, Failure> {
    let units = reference::all_units(session.app.store().reader()).await?;
    let below = units.iter().filter(|one| one.kind == UnitKind::Warehouse);
    Ok(below.filter(|one| reference::is_below(&units, one.id, unit)).map(|one| one.id).collect())
}

fn check_quantity(quantity: Decimal) -> Result<(), Failure> {
    if is_quantity(quantity) {
        return Ok(());
    }
    Err(Failure::BadInput("A quantity is above zero and has at most three decimals.".to_owned()))
}

fn refused(refusal: crate::domain::refusal::Refusal) -> Failure {
    Failure::Refused(Refusals::from(refusal))
}
