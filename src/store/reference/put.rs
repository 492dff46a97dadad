//! Putting reference data in, as a whole.

use std::collections::BTreeMap;

use crate::domain::materials::{self as rules_of, ComponentWish};
use crate::domain::reference::{Customer, Product, Unit};
use crate::domain::refusal::{Refusal, RefusalCode, Refusals};
use crate::domain::rules::RuleSet;
use crate::store::error::{Result, StoreError};
use crate::store::row::{json, price};
use crate::store::{Store, materials};
use chrono::{DateTime, Utc};
use entity::{component, customer, org_unit, product, rule_set, staff, substitute};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use uuid::Uuid;

use super::{Person, ids_by_sku};

/// Reference data to be put in as a whole; what is known by its code already stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ReferenceData {
    /// Units, those above before those below.
    pub units: Vec<Unit>,
    /// People.
    pub people: Vec<Person>,
    /// Customers.
    pub customers: Vec<Customer>,
    /// Products.
    pub products: Vec<Product>,
    /// What products are made of, by the SKUs of these or of those that are known.
    pub bills: BTreeMap<String, Vec<ComponentWish>>,
    /// What may be delivered instead of a product, best first, by SKU.
    pub substitutes: BTreeMap<String, Vec<String>>,
    /// Rules that take effect when there are none.
    pub rules: Option<RuleSet>,
}

/// Puts reference data in, in one transaction; says how many rows were new.
pub async fn put_all(store: &Store, data: &ReferenceData, now: DateTime<Utc>) -> Result<usize> {
    let tx = store.begin().await?;
    let new = put(&tx, data, now).await?;
    tx.commit().await?;
    Ok(new)
}

async fn put(db: &impl ConnectionTrait, data: &ReferenceData, now: DateTime<Utc>) -> Result<usize> {
    use sea_orm::sea_query::OnConflict;
    let mut new = 0;
    macro_rules! insert {
        ($table:ident, $key:ident, $rows:expr) => {{
            let rows: Vec<$table::Model> = $rows;
            // SQLite binds at most some thousand values a statement.
            for chunk in rows.chunks(500) {
                let active: Vec<_> = chunk.iter().map(|row| row.clone().into_active_model().reset_all()).collect();
                let inserted = $table::Entity::insert_many(active)
                    .on_conflict(OnConflict::column($table::Column::$key).do_nothing().to_owned())
                    .exec_without_returning(db)
                    .await;
                match inserted {
                    Ok(count) => new += usize::try_from(count).unwrap_or(usize::MAX),
                    Err(sea_orm::DbErr::RecordNotInserted) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }};
    }
    insert!(org_unit, Code, data.units.iter().map(unit_row).collect::<Result<_>>()?);
    insert!(staff, Subject, data.people.iter().map(person_row).collect::<Result<_>>()?);
    insert!(customer, Number, data.customers.iter().map(customer_row).collect::<Result<_>>()?);
    // Licences come and go: those that are named count for customers that were known before, too.
    for one in data.customers.iter().filter(|one| !one.licences.is_empty()) {
        customer::Entity::update_many()
            .col_expr(customer::Column::Licences, Expr::value(json(&one.licences)?))
            .filter(customer::Column::Number.eq(&one.number))
            .exec(db)
            .await?;
    }
    insert!(product, Sku, data.products.iter().map(product_row).collect::<Result<_>>()?);
    insert!(component, Id, bills(db, &data.bills).await?);
    insert!(substitute, Id, substitutes(db, &data.substitutes).await?);
    if let Some(rules) = &data.rules
        && rule_set::Entity::find().count(db).await? == 0
    {
        let row = rule_set::Model { version: rules.version, active: true, effective_from: now, body: json(rules)? };
        rule_set::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
        new += 1;
    }
    Ok(new)
}

/// The components of products that have none yet; refused as a whole where they make no sense.
async fn bills(
    db: &impl ConnectionTrait,
    bills: &BTreeMap<String, Vec<ComponentWish>>,
) -> Result<Vec<component::Model>> {
    if bills.is_empty() {
        return Ok(Vec::new());
    }
    let named = bills.values().flatten().map(|wish| &wish.sku).chain(bills.keys()).cloned();
    let known = ids_by_sku(db, &named.collect::<Vec<_>>()).await?;
    let mut whole = materials::whole(db).await?;
    let set = materials::set_before(db).await?;
    let (mut refusals, mut rows, mut made) = (Refusals::default(), Vec::new(), Vec::new());
    for (sku, wishes) in bills {
        let Some(product) = known.get(sku).copied() else {
            refusals.push(Refusal::new(RefusalCode::UnknownSku, "R4.6", format!("{sku} is no product.")).at(sku));
            continue;
        };
        let mut own = Refusals::default();
        let components = rules_of::components(wishes, &known, &mut own);
        refusals.0.extend(own.0.into_iter().map(|refusal| {
            let message = format!("{sku}: {}", refusal.message);
            Refusal { message, ..refusal }
        }));
        if whole.components(product).is_empty() && !set.contains(&product) {
            rows.extend(components.iter().map(|one| materials::row(product, one)).collect::<Result<Vec<_>>>()?);
            whole.replace(product, components);
            made.push(product);
        }
    }
    rules_of::check_structure(&whole, made, &mut refusals);
    refusals.into_result()?;
    Ok(rows)
}

/// What may stand in for products that nothing stands in for yet.
async fn substitutes(
    db: &impl ConnectionTrait,
    substitutes: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<substitute::Model>> {
    if substitutes.is_empty() {
        return Ok(Vec::new());
    }
    let named = substitutes.values().flatten().chain(substitutes.keys()).cloned();
    let known = ids_by_sku(db, &named.collect::<Vec<_>>()).await?;
    let find = |sku: &String| {
        let unknown = || Refusal::new(RefusalCode::UnknownSku, "R4.3", format!("{sku} is no product.")).at(sku);
        known.get(sku).copied().ok_or_else(|| StoreError::Refused(unknown().into()))
    };
    let mut rows = Vec::new();
    for (sku, instead) in substitutes {
        let product = find(sku)?.0;
        for (rank, other) in (1..).zip(instead) {
            let other = find(other)?.0;
            let id = Uuid::from_u128(product.as_u128() ^ other.as_u128().rotate_left(64));
            rows.push(substitute::Model { id, product_id: product, substitute_id: other, rank });
        }
    }
    Ok(rows)
}

fn unit_row(unit: &Unit) -> Result<org_unit::Model> {
    Ok(org_unit::Model {
        id: unit.id.0,
        parent_id: unit.parent_id.map(|id| id.0),
        code: unit.code.clone(),
        name: unit.name.clone(),
        kind: unit.kind.code().to_owned(),
        capabilities: json(&unit.capabilities)?,
        regions: json(&unit.regions)?,
    })
}

fn person_row(person: &Person) -> Result<staff::Model> {
    Ok(staff::Model {
        id: person.id,
        subject: person.subject.clone(),
        name: person.name.clone(),
        unit_id: person.unit_id.0,
        roles: json(&person.roles)?,
    })
}

fn customer_row(customer: &Customer) -> Result<customer::Model> {
    Ok(customer::Model {
        id: customer.id.0,
        number: customer.number.clone(),
        company_name: customer.contact.company_name.clone(),
        contact_name: customer.contact.contact_name.clone(),
        email: customer.contact.email.clone(),
        phone: customer.contact.phone.clone(),
        customer_group: customer.group.clone(),
        region: customer.region.clone(),
        currency: customer.currency.code().to_owned(),
        credit_limit: customer.credit_limit.map(price).transpose()?,
        licences: Some(json(&customer.licences)?),
    })
}

fn product_row(product: &Product) -> Result<product::Model> {
    Ok(product::Model {
        id: product.id.0,
        sku: product.sku.clone(),
        name: product.name.clone(),
        kind: product.kind.code().to_owned(),
        category: product.category.clone(),
        unit_of_measure: product.unit_of_measure.clone(),
        list_price: price(product.list_price)?,
        currency: product.currency.code().to_owned(),
    })
}
