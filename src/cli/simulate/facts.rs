//! A folder of real orders: what goes in, and the figures that must come out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use tokio::io::BufReader;

use crate::cli::import::line::{LineForm, OrderForm, next_line};
use crate::cli::import::read_catalogue;
use crate::domain::intake::Channel;
use crate::domain::money::PRICE_SCALE;
use crate::seed::catalogue::Catalogue;

/// What a folder holds.
pub(super) struct Folder {
    pub(super) catalogue: Catalogue,
    /// Code of the unit without a parent.
    pub(super) head: String,
    pub(super) facts: Facts,
    pub(super) orders_file: PathBuf,
    pub(super) orders: Vec<OrderForm>,
}

/// The published figures.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) orders: u64,
    pub(super) published_subtotal_sum: Decimal,
}

#[derive(Deserialize)]
struct Units {
    units: Vec<Unit>,
}

#[derive(Deserialize)]
struct Unit {
    code: String,
    parent: Option<String>,
}

/// Which order it is: the pair that is unique.
pub(super) type Key = (Channel, String);

impl Folder {
    /// Reads a folder, with at most so many of its orders.
    pub(super) async fn read(folder: &Path, limit: usize) -> anyhow::Result<Self> {
        let catalogue_file = folder.join("catalogue.json");
        let units: Units = read_json(&catalogue_file)?;
        let head = units.units.into_iter().find(|unit| unit.parent.is_none());
        let orders_file = folder.join("orders.jsonl");
        Ok(Self {
            catalogue: read_catalogue(&catalogue_file)?,
            head: head.map(|unit| unit.code).context("the catalogue has no unit without a parent")?,
            facts: read_json(&folder.join("facts.json"))?,
            orders: read_orders(&orders_file, limit).await?,
            orders_file,
        })
    }

    /// What each order comes to by its file: the exact sum of its lines at price precision.
    pub(super) fn subtotals(&self) -> anyhow::Result<BTreeMap<Key, Decimal>> {
        let mut subtotals = BTreeMap::new();
        for order in &self.orders {
            let sum = order
                .lines
                .iter()
                .map(extended)
                .sum::<anyhow::Result<Decimal>>()
                .with_context(|| format!("{} has no amounts", order.external_reference))?;
            let key = (order.channel, order.external_reference.clone());
            let sum = sum.round_dp_with_strategy(PRICE_SCALE, RoundingStrategy::MidpointAwayFromZero);
            if subtotals.insert(key, sum).is_some() {
                bail!("{} is in the file twice", order.external_reference);
            }
        }
        Ok(subtotals)
    }
}

fn extended(line: &LineForm) -> anyhow::Result<Decimal> {
    let decimal = |text: &str| -> anyhow::Result<Decimal> {
        Decimal::from_str_exact(text).with_context(|| format!("{text:?} is no decimal"))
    };
    let price = decimal(line.unit_price.as_deref().context("a price is missing")?)?;
    let discount = decimal(line.discount_rate.as_deref().unwrap_or("0"))?;
    Ok(price * decimal(&line.quantity)? * (Decimal::ONE - discount))
}

fn read_json<T: for<'de> Deserialize<'de>>(file: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not understood", file.display()))
}

async fn read_orders(file: &Path, limit: usize) -> anyhow::Result<Vec<OrderForm>> {
    let unreadable = || format!("{} cannot be read", file.display());
    let mut reader = BufReader::new(tokio::fs::File::open(file).await.with_context(unreadable)?);
    let mut orders = Vec::new();
    let mut number = 0;
    while orders.len() < limit {
        number += 1;
        let Some(line) = next_line(&mut reader, number).await.with_context(unreadable)? else {
            break;
        };
        if !line.is_blank() {
            let order = line.order().map_err(anyhow::Error::msg);
            orders.push(order.with_context(|| format!("{} line {number}", file.display()))?);
        }
    }
    Ok(orders)
}
