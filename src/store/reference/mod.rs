//! Customers, products, organizational units, staff, rules.

mod put;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use entity::{component, customer, org_unit, product, rule_set, staff};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::actor::{Actor, Role, Scope};
use crate::domain::ids::{CustomerId, ProductId, UnitId};
use crate::domain::reference::{Component, Contact, Customer, Product, ProductKind, Unit};
use crate::domain::rules::RuleSet;
use crate::store::error::{Result, StoreError};
use crate::store::page::{Keyset, Page, page};
use crate::store::row::{among, code, currency, from_json, from_price};
use crate::store::{Store, materials};

pub use put::{ReferenceData, put_all};

pub(super) fn customer(row: customer::Model) -> Result<Customer> {
    Ok(Customer {
        id: row.id.into(),
        number: row.number,
        contact: Contact {
            company_name: row.company_name,
            contact_name: row.contact_name,
            email: row.email,
            phone: row.phone,
        },
        group: row.customer_group,
        region: row.region,
        currency: currency(&row.currency)?,
        credit_limit: row.credit_limit.map(from_price),
        licences: row.licences.map(from_json).transpose()?.unwrap_or_default(),
    })
}

fn unit(row: org_unit::Model) -> Result<Unit> {
    Ok(Unit {
        id: row.id.into(),
        parent_id: row.parent_id.map(Into::into),
        code: row.code,
        name: row.name,
        kind: code(&row.kind)?,
        capabilities: from_json(row.capabilities)?,
        regions: from_json(row.regions)?,
    })
}

/// The customer with this number.
pub async fn customer_by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<Customer>> {
    customer::Entity::find().filter(customer::Column::Number.eq(number)).one(db).await?.map(customer).transpose()
}

/// The customer with this id.
pub async fn customer_by_id(db: &impl ConnectionTrait, id: CustomerId) -> Result<Customer> {
    let row = customer::Entity::find_by_id(id.0).one(db).await?.ok_or(StoreError::NotFound)?;
    customer(row)
}

/// Customers by id; whoever sees an order may see whose it is.
pub async fn customers_by_ids(store: &Store, ids: &[CustomerId]) -> Result<Vec<Customer>> {
    let rows = customer::Entity::find()
        .filter(among(customer::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(customer).collect()
}

fn customer_scope(actor: &Actor) -> Condition {
    match &actor.scope {
        Scope::All | Scope::Units(_) => Condition::all(),
        Scope::Customer(id) => Condition::all().add(customer::Column::Id.eq(id.0)),
        Scope::Account(_) | Scope::Order(_) | Scope::Nothing => Condition::all().add(Expr::cust("1 = 0")),
    }
}

/// A page of the customers that exist for the actor, by number; text looks in number and company.
pub async fn customers(store: &Store, actor: &Actor, text: Option<&str>, keyset: Keyset) -> Result<Page<Customer>> {
    let query = customer::Entity::find().filter(customer_scope(actor)).filter(customer_text(text));
    page(query, customer::Column::Number, customer::Column::Id, false, keyset, store.reader(), |row| {
        (row.number.clone(), row.id)
    })
    .await?
    .map(customer)
}

fn customer_text(text: Option<&str>) -> Condition {
    match text {
        None => Condition::all(),
        Some(text) => Condition::any()
            .add(customer::Column::Number.contains(text))
            .add(customer::Column::CompanyName.contains(text)),
    }
}

/// How many customers there are for the actor.
pub async fn count_customers(store: &Store, actor: &Actor, text: Option<&str>) -> Result<u64> {
    let query = customer::Entity::find().filter(customer_scope(actor)).filter(customer_text(text));
    Ok(query.count(store.reader()).await?)
}

/// Customers by id, as far as they exist for the actor.
pub async fn visible_customers(store: &Store, actor: &Actor, ids: &[CustomerId]) -> Result<Vec<Customer>> {
    let rows = customer::Entity::find()
        .filter(customer_scope(actor))
        .filter(among(customer::Column::Id, ids.iter().map(|id| id.0)))
        .all(store.reader())
        .await?;
    rows.into_iter().map(customer).collect()
}

/// Products with their components.
async fn with_components(db: &impl ConnectionTrait, rows: Vec<product::Model>) -> Result<Vec<Product>> {
    let made: Vec<Uuid> =
        rows.iter().filter(|row| row.kind == ProductKind::MadeToOrder.code()).map(|row| row.id).collect();
    let (mut components, mut named) = (Vec::new(), Vec::new());
    if !made.is_empty() {
        components = component::Entity::find().filter(among(component::Column::ProductId, made)).all(db).await?;
        let ids: Vec<Uuid> = components.iter().map(|part| part.component_id).collect();
        named = product::Entity::find().filter(among(product::Column::Id, ids)).all(db).await?;
    }
    products_of(rows, components, &named)
}

/// Products from their rows, those of their components, and those of the products that these name.
pub(super) fn products_of(
    rows: Vec<product::Model>,
    components: Vec<component::Model>,
    named: &[product::Model],
) -> Result<Vec<Product>> {
    let skus: HashMap<Uuid, &String> = named.iter().map(|row| (row.id, &row.sku)).collect();
    let mut parts: HashMap<Uuid, Vec<component::Model>> = HashMap::new();
    for part in components {
        parts.entry(part.product_id).or_default().push(part);
    }
    parts.values_mut().for_each(|parts| parts.sort_by_key(|part| (part.id, part.effective_from)));
    rows.into_iter()
        .map(|row| {
            let components = parts
                .remove(&row.id)
                .unwrap_or_default()
                .into_iter()
                .map(|part| {
                    let sku = skus.get(&part.component_id).copied().cloned().ok_or(StoreError::NotFound)?;
                    Ok(materials::part(part, sku))
                })
                .collect::<Result<_>>()?;
            product(row, components)
        })
        .collect()
}

pub(super) fn product(row: product::Model, components: Vec<Component>) -> Result<Product> {
    Ok(Product {
        id: row.id.into(),
        sku: row.sku,
        name: row.name,
        kind: code(&row.kind)?,
        category: row.category,
        unit_of_measure: row.unit_of_measure,
        list_price: from_price(row.list_price),
        currency: currency(&row.currency)?,
        components,
    })
}

/// Products by SKU.
pub async fn products_by_sku(db: &impl ConnectionTrait, skus: &[String]) -> Result<BTreeMap<String, Product>> {
    let rows = product::Entity::find().filter(among(product::Column::Sku, skus.to_vec())).all(db).await?;
    Ok(with_components(db, rows).await?.into_iter().map(|product| (product.sku.clone(), product)).collect())
}

/// The ids of products by SKU.
pub async fn ids_by_sku(db: &impl ConnectionTrait, skus: &[String]) -> Result<BTreeMap<String, ProductId>> {
    let rows: Vec<(String, Uuid)> = product::Entity::find()
        .filter(among(product::Column::Sku, skus.to_vec()))
        .select_only()
        .columns([product::Column::Sku, product::Column::Id])
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(sku, id)| (sku, id.into())).collect())
}

/// Products by id.
pub async fn products_by_ids(db: &impl ConnectionTrait, ids: &[ProductId]) -> Result<Vec<Product>> {
    let rows = product::Entity::find().filter(among(product::Column::Id, ids.iter().map(|id| id.0))).all(db).await?;
    with_components(db, rows).await
}

/// A page of products, by SKU.
pub async fn products(
    store: &Store,
    category: Option<&str>,
    kind: Option<ProductKind>,
    keyset: Keyset,
) -> Result<Page<Product>> {
    let rows = page(
        product::Entity::find().filter(product_condition(category, kind)),
        product::Column::Sku,
        product::Column::Id,
        false,
        keyset,
        store.reader(),
        |row| (row.sku.clone(), row.id),
    )
    .await?;
    let models: Vec<_> = rows.items.iter().map(|(_, row)| row.clone()).collect();
    let mut products: HashMap<Uuid, Product> =
        with_components(store.reader(), models).await?.into_iter().map(|one| (one.id.0, one)).collect();
    rows.map(|row| products.remove(&row.id).ok_or(StoreError::NotFound))
}

fn product_condition(category: Option<&str>, kind: Option<ProductKind>) -> Condition {
    Condition::all()
        .add_option(category.map(|category| product::Column::Category.eq(category)))
        .add_option(kind.map(|kind| product::Column::Kind.eq(kind.code())))
}

/// How many products there are.
pub async fn count_products(store: &Store, category: Option<&str>, kind: Option<ProductKind>) -> Result<u64> {
    Ok(product::Entity::find().filter(product_condition(category, kind)).count(store.reader()).await?)
}

/// Every unit of the group.
pub async fn all_units(db: &impl ConnectionTrait) -> Result<Vec<Unit>> {
    org_unit::Entity::find().order_by_asc(org_unit::Column::Code).all(db).await?.into_iter().map(unit).collect()
}

/// Is a unit another one or below it?
pub fn is_below(units: &[Unit], id: UnitId, above: UnitId) -> bool {
    let mut next = Some(id);
    // A tree is never deeper than it has nodes; a cycle in bad data must not hang us.
    for _ in 0..=units.len() {
        match next {
            Some(id) if id == above => return true,
            Some(id) => next = units.iter().find(|unit| unit.id == id).and_then(|unit| unit.parent_id),
            None => return false,
        }
    }
    false
}

/// A person who acts for the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Identity.
    pub id: Uuid,
    /// The subject of their token.
    pub subject: String,
    /// Name.
    pub name: String,
    /// Where they work.
    pub unit_id: UnitId,
    /// The roles they hold there and below.
    pub roles: Vec<Role>,
}

/// People by subject.
pub async fn people(db: &impl ConnectionTrait, subjects: &[String]) -> Result<Vec<Person>> {
    let rows = staff::Entity::find().filter(among(staff::Column::Subject, subjects.to_vec())).all(db).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Person {
                id: row.id,
                subject: row.subject,
                name: row.name,
                unit_id: row.unit_id.into(),
                roles: from_json(row.roles)?,
            })
        })
        .collect()
}

/// The rules in force.
pub async fn active_rules(db: &impl ConnectionTrait) -> Result<RuleSet> {
    let row = rule_set::Entity::find()
        .filter(rule_set::Column::Active.eq(true))
        .order_by_desc(rule_set::Column::Version)
        .one(db)
        .await?
        .ok_or_else(|| StoreError::Corrupt("no rule set is active".to_owned()))?;
    from_json(row.body)
}

/// Versions of the rules that were read so far. None is ever changed or removed, so that none grows old.
#[derive(Default)]
pub struct RuleBook(RwLock<BTreeMap<i32, Arc<RuleSet>>>);

impl RuleBook {
    /// A version of the rules, read at the first time.
    pub(crate) async fn get(&self, db: &impl ConnectionTrait, version: i32) -> Result<Arc<RuleSet>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&version).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = Arc::new(rules(db, version).await?);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(version, read.clone());
        Ok(read)
    }

    /// Every version of the rules, oldest first; orders may be under way under any of them.
    pub(crate) async fn every(&self, db: &impl ConnectionTrait) -> Result<Vec<Arc<RuleSet>>> {
        let versions = rule_set::Entity::find().select_only().column(rule_set::Column::Version);
        let versions: Vec<i32> = versions.order_by_asc(rule_set::Column::Version).into_tuple().all(db).await?;
        let mut every = Vec::with_capacity(versions.len());
        for version in versions {
            every.push(self.get(db, version).await?);
        }
        Ok(every)
    }
}

/// A version of the rules.
pub async fn rules(db: &impl ConnectionTrait, version: i32) -> Result<RuleSet> {
    let row = rule_set::Entity::find_by_id(version).one(db).await?.ok_or(StoreError::NotFound)?;
    from_json(row.body)
}
