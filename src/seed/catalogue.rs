//! Catalogues: units, customers, products and opening stock, put in as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{OpeningStock, open_stock};
use crate::app::{App, Failure};
use crate::domain::ids::{CustomerId, ProductId, UnitId};
use crate::domain::materials::ComponentWish;
use crate::domain::money::Currency;
use crate::domain::reference::{Capability, Contact, Customer, Licence, Product, ProductKind, Unit, UnitKind};
use crate::domain::rules::{Exchange, ExchangeRate};
use crate::store::reference::{self, ReferenceData};

/// What a catalogue changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows of reference data that were new.
    pub reference: usize,
    /// Stock items that were opened.
    pub stock: usize,
}

/// Puts reference data and opening stock in; what is known already stays as it is.
pub async fn put(app: &Arc<App>, data: &ReferenceData, stock: &[OpeningStock]) -> Result<Imported, Failure> {
    let reference = reference::put_all(app.store(), data, app.clock.now()).await?;
    let stock = open_stock(app.store(), stock, app.clock.now(), app.new_id.clone()).await?;
    app.feed.wake();
    Ok(Imported { reference, stock })
}

/// A catalogue file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalogue {
    /// The group's own currency, in which approval bands are stated; the first customer's where absent.
    base_currency: Option<String>,
    /// What other currencies are worth in it.
    #[serde(default)]
    exchange_rates: Vec<RateRow>,
    units: Vec<UnitRow>,
    customers: Vec<CustomerRow>,
    products: Vec<ProductRow>,
    stock: Vec<StockRow>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RateRow {
    currency_code: String,
    rate: Decimal,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UnitRow {
    code: String,
    name: String,
    kind: UnitKind,
    parent: Option<String>,
    #[serde(default)]
    capabilities: Vec<Capability>,
    #[serde(default)]
    regions: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerRow {
    number: String,
    company_name: String,
    contact_name: String,
    email: Option<String>,
    phone: Option<String>,
    group: String,
    region: String,
    currency_code: String,
    credit_limit: Option<Decimal>,
    #[serde(default)]
    licences: Vec<LicenceRow>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LicenceRow {
    code: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProductRow {
    sku: String,
    name: String,
    kind: ProductKind,
    category: String,
    unit_of_measure: String,
    list_price: Decimal,
    currency_code: String,
    #[serde(default)]
    components: Vec<ComponentRow>,
    #[serde(default)]
    substitutes: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ComponentRow {
    sku: String,
    quantity: Decimal,
    effective_from: Option<NaiveDate>,
    effective_until: Option<NaiveDate>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StockRow {
    sku: String,
    warehouse: String,
    on_hand: Decimal,
    safety_stock: Decimal,
    reorder_point: Decimal,
    #[serde(default)]
    reorder_quantity: Decimal,
}

impl Catalogue {
    /// Puts the catalogue in. A database without rules gets version 1 of them.
    pub async fn put(self, app: &Arc<App>) -> Result<Imported, Failure> {
        let known = reference::all_units(app.store().reader()).await?;
        let (data, stock) = self.resolve(app, &known)?;
        put(app, &data, &stock).await
    }

    fn resolve(self, app: &App, known: &[Unit]) -> Result<(ReferenceData, Vec<OpeningStock>), Failure> {
        let bad = |what: String| Failure::BadInput(what);
        let currency =
            |code: &str| Currency::from_code(code).ok_or_else(|| bad(format!("{code:?} is no ISO 4217 code")));
        let mut units: Vec<Unit> = Vec::new();
        for row in self.units {
            let parent_id =
                match &row.parent {
                    None => None,
                    Some(parent) => {
                        Some(units.iter().find(|unit| unit.code == *parent).map(|unit| unit.id).ok_or_else(|| {
                            bad(format!("unit {}: its parent {parent} must come before it", row.code))
                        })?)
                    }
                };
            // A new unit may stand below one that is here already, under its former identity.
            let former = known.iter().find(|unit| unit.code == row.code);
            units.push(Unit {
                id: former.map_or_else(|| UnitId((app.new_id)()), |unit| unit.id),
                parent_id,
                code: row.code,
                name: row.name,
                kind: row.kind,
                capabilities: row.capabilities,
                regions: row.regions,
            });
        }
        let team = units
            .iter()
            .find(|unit| unit.kind == UnitKind::ServiceTeam)
            .map(|unit| unit.code.clone())
            .ok_or_else(|| bad("a catalogue names at least one SERVICE_TEAM".to_owned()))?;
        let rates = self
            .exchange_rates
            .into_iter()
            .map(|row| {
                if row.rate <= Decimal::ZERO {
                    return Err(bad(format!("the rate of {} must be above zero", row.currency_code)));
                }
                Ok(ExchangeRate { currency: currency(&row.currency_code)?, rate: row.rate })
            })
            .collect::<Result<_, Failure>>()?;
        let base = self.base_currency.as_ref().or(self.customers.first().map(|customer| &customer.currency_code));
        let base = base.map(|code| currency(code)).transpose()?;
        let customers = self
            .customers
            .into_iter()
            .map(|row| {
                Ok(Customer {
                    id: CustomerId((app.new_id)()),
                    currency: currency(&row.currency_code)?,
                    number: row.number,
                    contact: Contact {
                        company_name: row.company_name,
                        contact_name: row.contact_name,
                        email: row.email,
                        phone: row.phone,
                    },
                    group: row.group,
                    region: row.region,
                    credit_limit: row.credit_limit,
                    licences: row
                        .licences
                        .into_iter()
                        .map(|one| Licence { code: one.code, valid_from: one.valid_from, valid_to: one.valid_to })
                        .collect(),
                })
            })
            .collect::<Result<_, Failure>>()?;
        let (mut products, mut bills, mut substitutes) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for row in self.products {
            if !row.components.is_empty() {
                bills.insert(row.sku.clone(), row.components.into_iter().map(wish).collect());
            }
            if !row.substitutes.is_empty() {
                substitutes.insert(row.sku.clone(), row.substitutes);
            }
            products.push(Product {
                id: ProductId((app.new_id)()),
                currency: currency(&row.currency_code)?,
                sku: row.sku,
                name: row.name,
                kind: row.kind,
                category: row.category,
                unit_of_measure: row.unit_of_measure,
                list_price: row.list_price,
                components: Vec::new(),
            });
        }
        let stock = self
            .stock
            .into_iter()
            .map(|row| OpeningStock {
                sku: row.sku,
                warehouse: row.warehouse,
                on_hand: row.on_hand,
                safety_stock: row.safety_stock,
                reorder_point: row.reorder_point,
                reorder_quantity: row.reorder_quantity,
            })
            .collect();
        let mut rules = super::rules::first(|_| team.clone(), Vec::new());
        rules.review.exchange = base.map(|base| Exchange { base, rates });
        let people = Vec::new();
        let data = ReferenceData { units, people, customers, products, bills, substitutes, rules: Some(rules) };
        Ok((data, stock))
    }
}

fn wish(row: ComponentRow) -> ComponentWish {
    let ComponentRow { sku, quantity, effective_from, effective_until } = row;
    ComponentWish { sku, quantity, effective_from, effective_until }
}
