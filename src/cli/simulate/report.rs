//! What came of a run, read back through the API and compared with what was handed in.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::crew::Crew;
use super::facts::Key;
use super::order::read;
use super::stock::PageInfo;
use crate::cli::call::Fault;
use crate::domain::intake::Channel;
use crate::domain::order::OrderStatus;
use crate::domain::permission::Action;

const ORDERS: &str = "query($after: String) {
  orders(first: 100, after: $after) {
    totalCount
    nodes { channel externalReference status subtotal { amount } }
    pageInfo { hasNextPage endCursor }
  }
}";

const ACTIONS: &str = "query($reference: String!, $channel: Channel!) {
  order(by: {externalReference: {channel: $channel, reference: $reference}}) {
    number availableActions { action allowed }
    allocations { status availableActions { action allowed } }
    deliveries { status availableActions { action allowed } }
  }
}";

/// Orders without an end whose actions are told one by one.
const MOST_TOLD: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    total_count: u64,
    nodes: Vec<Row>,
    page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    channel: Channel,
    external_reference: Option<String>,
    status: OrderStatus,
    subtotal: Amount,
}

#[derive(Debug, Deserialize)]
struct Amount {
    amount: Decimal,
}

/// The orders of a run as the database has them.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Orders in the database, of this run or not.
    pub(super) all_orders: u64,
    /// Orders of this run.
    pub(super) orders: u64,
    /// How many stand where.
    pub(super) by_status: BTreeMap<OrderStatus, u64>,
    /// What they come to.
    pub(super) subtotal: Decimal,
    /// Orders whose amount is not what the file says.
    pub(super) wrong_amounts: Vec<String>,
    /// Orders that are not completed.
    pub(super) unfinished: Vec<Key>,
}

/// Reads every order back.
pub(super) async fn findings(crew: &Crew, expected: &BTreeMap<Key, Decimal>) -> Result<Findings, Fault> {
    let mut findings = Findings::default();
    let mut after: Option<String> = None;
    loop {
        let data = crew.look(ORDERS, &json!({"after": after})).await?;
        let page: Page = read(&data, "/orders")?;
        findings.all_orders = page.total_count;
        for row in page.nodes {
            let key = (row.channel, row.external_reference.unwrap_or_default());
            let Some(amount) = expected.get(&key) else {
                continue;
            };
            findings.orders += 1;
            findings.subtotal += row.subtotal.amount;
            *findings.by_status.entry(row.status).or_default() += 1;
            if row.subtotal.amount != *amount {
                findings.wrong_amounts.push(format!("{}: {} instead of {amount}", key.1, row.subtotal.amount));
            }
            if row.status != OrderStatus::Completed {
                findings.unfinished.push(key);
            }
        }
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(findings);
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acted {
    number: Option<String>,
    status: Option<String>,
    available_actions: Option<Vec<Offer>>,
    #[serde(default)]
    allocations: Vec<Acted>,
    #[serde(default)]
    deliveries: Vec<Acted>,
}

#[derive(Debug, Deserialize)]
struct Offer {
    action: Action,
    allowed: bool,
}

impl Acted {
    fn told(&self) -> String {
        let allowed = self.available_actions.iter().flatten();
        let allowed: Vec<&str> = allowed.filter(|offer| offer.allowed).map(|offer| offer.action.code()).collect();
        let name = self.number.as_ref().or(self.status.as_ref());
        let name = name.map_or("", String::as_str);
        format!("{name} [{}]", allowed.join(" "))
    }
}

/// What staff could do with orders that are not completed.
pub(super) async fn unfinished_actions(crew: &Crew, keys: &[Key]) -> Result<Vec<String>, Fault> {
    let mut told = Vec::new();
    for (channel, reference) in keys.iter().take(MOST_TOLD) {
        let variables = json!({"channel": channel, "reference": reference});
        let data = crew.look(ACTIONS, &variables).await?;
        let order: Acted = read(&data, "/order")?;
        let parts = std::iter::once(&order).chain(&order.allocations).chain(&order.deliveries);
        let parts: Vec<String> = parts.map(Acted::told).collect();
        told.push(format!("{reference}: {}", parts.join(", ")));
    }
    if keys.len() > MOST_TOLD {
        told.push(format!("and {} more", keys.len() - MOST_TOLD));
    }
    Ok(told)
}
