//! What intake must know, in one statement.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::{customer, idempotency_record, orders, product, rule_set};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::error::{Result, StoreError};
use super::reference;
use super::row::{among, among_texts, select_as, selected};
use super::work::Work;
use crate::domain::ids::{CustomerId, OrderId};
use crate::domain::intake::Channel;
use crate::domain::reference::{Customer, Product};

/// What a submission names.
pub struct Named<'a> {
    /// The channel it came on.
    pub channel: Channel,
    /// The account it comes over.
    pub account: Option<&'a str>,
    /// The submitter's own number for it.
    pub reference: Option<&'a str>,
    /// The customer; both ways must lead to the same one, and neither to none.
    pub customer: (Option<CustomerId>, Option<&'a str>),
    /// Products.
    pub skus: Vec<String>,
}

/// What there is of what was named.
pub struct Facts {
    /// The order under this reference on this channel and account, with the digest it was submitted by.
    pub former: Option<(OrderId, String)>,
    /// The customer.
    pub customer: Option<Customer>,
    /// The products, by SKU, without their components.
    pub products: BTreeMap<String, Product>,
    /// The rule set in force.
    pub rule_set_version: i32,
}

/// The account of an order as the index of references has it: none is a text of its own.
fn account_column() -> SimpleExpr {
    Expr::cust("COALESCE(orders.account, '')")
}

/// Gathers it.
pub async fn facts(work: &Work, named: &Named<'_>) -> Result<Facts> {
    let newest = Query::select()
        .expr(Expr::col((rule_set::Entity, rule_set::Column::Version)).max())
        .from(rule_set::Entity)
        .and_where(rule_set::Column::Active.eq(true))
        .take();
    let mut select = Query::select();
    select
        .expr_as(Expr::col((rule_set::Entity, rule_set::Column::Version)), "rule_set_version")
        .from(rule_set::Entity)
        .and_where(rule_set::Column::Version.in_subquery(newest));
    // Whatever is not there leaves its columns empty.
    if let Some(reference) = named.reference {
        let is = Condition::all()
            .add(orders::Column::Channel.eq(named.channel.code()))
            .add(orders::Column::ExternalReference.eq(reference))
            .add(account_column().eq(named.account.unwrap_or_default()));
        select
            .expr_as(Expr::col((orders::Entity, orders::Column::Id)), "former_id")
            .expr_as(Expr::col((orders::Entity, orders::Column::Digest)), "former_digest")
            .left_join(orders::Entity, is);
    }
    let (id, number) = named.customer;
    if id.is_some() || number.is_some() {
        let is = Condition::all()
            .add_option(id.map(|id| customer::Column::Id.eq(id.0)))
            .add_option(number.map(|number| customer::Column::Number.eq(number)));
        select_as::<customer::Entity>(&mut select, "customer_");
        select.left_join(customer::Entity, is);
    }
    if !named.skus.is_empty() {
        select_as::<product::Entity>(&mut select, "product_");
        select.left_join(product::Entity, among(product::Column::Sku, named.skus.clone()));
    }
    // A row for each product.
    let rows = work.reference().query_all(&select).await?;
    let first = rows.first().ok_or_else(|| StoreError::Corrupt("no rule set is active".to_owned()))?;
    let former: Option<Uuid> = if named.reference.is_some() { first.try_get("former_", "id")? } else { None };
    let former = former.map(|id| Ok::<_, StoreError>((OrderId(id), first.try_get("former_", "digest")?)));
    let mut facts = Facts {
        former: former.transpose()?,
        customer: None,
        products: BTreeMap::new(),
        rule_set_version: first.try_get("", "rule_set_version")?,
    };
    if id.is_some() || number.is_some() {
        facts.customer = selected::<customer::Model>(first, "customer_")?.map(reference::customer).transpose()?;
    }
    if !named.skus.is_empty() {
        for row in &rows {
            if let Some(product) = selected::<product::Model>(row, "product_")? {
                facts.products.insert(product.sku.clone(), reference::product(product, Vec::new())?);
            }
        }
    }
    Ok(facts)
}

/// What the submissions of a file name, some of them at a time.
#[derive(Default)]
pub struct ManyNamed {
    /// Channels and the submitters' own numbers.
    pub references: Vec<(Channel, String)>,
    /// The submitters' own keys.
    pub keys: BTreeSet<String>,
    /// Customers by number.
    pub customers: BTreeSet<String>,
    /// Products by SKU.
    pub skus: BTreeSet<String>,
    /// The accounts that references count within, by channel; none for those of the group itself.
    pub accounts: HashMap<Channel, String>,
}

/// What there is of it.
pub struct ManyFacts {
    /// Orders by channel and reference, with the digests they were submitted by.
    pub former: HashMap<(Channel, String), (OrderId, String)>,
    /// Digests of what was asked for under keys.
    pub keys: HashMap<String, String>,
    /// Customers by number.
    pub customers: HashMap<String, Customer>,
    /// Products by SKU, without their components.
    pub products: BTreeMap<String, Product>,
    /// The rule set in force.
    pub rule_set_version: i32,
}

/// Gathers it, with one statement for each table.
pub async fn many_facts(work: &Work, named: &ManyNamed) -> Result<ManyFacts> {
    let db = work.db().await?;
    let version: Option<Option<i32>> = rule_set::Entity::find()
        .filter(rule_set::Column::Active.eq(true))
        .select_only()
        .expr(Expr::col((rule_set::Entity, rule_set::Column::Version)).max())
        .into_tuple()
        .one(db)
        .await?;
    let mut facts = ManyFacts {
        former: HashMap::new(),
        keys: HashMap::new(),
        customers: HashMap::new(),
        products: BTreeMap::new(),
        rule_set_version: version.flatten().ok_or_else(|| StoreError::Corrupt("no rule set is active".to_owned()))?,
    };
    for channel in Channel::ALL {
        let references: Vec<&str> =
            named.references.iter().filter(|(of, _)| of == channel).map(|(_, one)| one.as_str()).collect();
        if references.is_empty() {
            continue;
        }
        let found: Vec<(Uuid, String, String)> = orders::Entity::find()
            .filter(orders::Column::Channel.eq(channel.code()))
            .filter(among_texts(db, orders::Column::ExternalReference, &references))
            .filter(account_column().eq(named.accounts.get(channel).map(String::as_str).unwrap_or_default()))
            .select_only()
            .columns([orders::Column::Id, orders::Column::ExternalReference, orders::Column::Digest])
            .into_tuple()
            .all(db)
            .await?;
        for (id, reference, digest) in found {
            facts.former.insert((*channel, reference), (id.into(), digest));
        }
    }
    if !named.keys.is_empty() {
        let keys: Vec<&str> = named.keys.iter().map(String::as_str).collect();
        let found: Vec<(String, String)> = idempotency_record::Entity::find()
            .filter(idempotency_record::Column::Subject.eq(work.actor().subject.as_str()))
            .filter(among_texts(db, idempotency_record::Column::Key, &keys))
            .select_only()
            .columns([idempotency_record::Column::Key, idempotency_record::Column::Digest])
            .into_tuple()
            .all(db)
            .await?;
        facts.keys.extend(found);
    }
    if !named.customers.is_empty() {
        let of = among(customer::Column::Number, named.customers.iter().map(String::as_str));
        for row in customer::Entity::find().filter(of).all(db).await? {
            facts.customers.insert(row.number.clone(), reference::customer(row)?);
        }
    }
    if !named.skus.is_empty() {
        let of = among(product::Column::Sku, named.skus.iter().map(String::as_str));
        for row in product::Entity::find().filter(of).all(db).await? {
            facts.products.insert(row.sku.clone(), reference::product(row, Vec::new())?);
        }
    }
    Ok(facts)
}
