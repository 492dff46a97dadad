//! Procurement: brings what is asked for, so that no order waits for ever.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

use super::crew::Crew;
use super::order::read;
use crate::cli::call::{Fault, UserError};
use crate::domain::actor::Role;

const REQUESTS: &str = "query($after: String) {
  replenishmentRequests(first: 100, after: $after, filter: {statuses: [PROPOSED, PARTIALLY_RECEIVED]}) {
    nodes { id quantity received stockItem { id sku } }
    pageInfo { hasNextPage endCursor }
  }
}";

const RECEIVE: &str = "mutation($input: ReceiveStockInput!) {
  receiveStock(input: $input) { stockItem { id } userErrors { code message path } }
}";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Request>,
    page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    id: String,
    quantity: Decimal,
    received: Decimal,
    stock_item: Option<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    id: String,
    sku: String,
}

/// What procurement brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    pub(super) requests: u64,
    pub(super) quantity: Decimal,
}

/// Receives the open quantity of every open request. One after the other: a receipt changes every
/// order that waits for the item, and orders wait for several.
pub(super) async fn replenish(crew: &Crew) -> Result<Received, Fault> {
    let mut received = Received::default();
    for request in open_requests(crew).await? {
        let open = request.quantity - request.received;
        let Some(item) = request.stock_item.filter(|_| open > Decimal::ZERO) else {
            continue;
        };
        let input = json!({
            "stockItemId": item.id,
            "quantity": open.to_string(),
            // A request may be raised after a receipt; what came before tells one from the other.
            "idempotencyKey": format!("simulate:receive:{}:{}", request.id, request.received.normalize()),
        });
        let data = crew.call(Role::Procurement, RECEIVE, &json!({"input": input})).await?;
        let errors: Vec<UserError> = read(&data, "/receiveStock/userErrors")?;
        if let Some(error) = errors.into_iter().next() {
            return Err(Fault { code: error.code, message: format!("{}: {}", item.sku, error.message) });
        }
        received.requests += 1;
        received.quantity += open;
    }
    Ok(received)
}

async fn open_requests(crew: &Crew) -> Result<Vec<Request>, Fault> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let data = crew.call(Role::Procurement, REQUESTS, &json!({"after": after})).await?;
        let page: Page = read(&data, "/replenishmentRequests")?;
        all.extend(page.nodes);
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(all);
        }
    }
}
