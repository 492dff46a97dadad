//! Somebody who speaks to the server.

use std::sync::Arc;

use ordergraph::app::Identity;
use serde_json::{Value, json};

use super::{Subscription, World};

/// Somebody with or without a token.
#[derive(Clone)]
pub struct Actor {
    pub world: Arc<World>,
    pub token: Option<String>,
    pub identity: Identity,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub body: Value,
}

/// A reason why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    pub code: String,
    pub clause: String,
    pub path: String,
}

/// What is asked of a mutation's payload.
fn selection(field: &str) -> &'static str {
    match field {
        "submitOrder" => "duplicate order { id version status number lines { id lineNumber sku } }",
        "allocateOrder" | "allocateManually" | "splitAllocation" | "mergeAllocations" | "reassignAllocation" => {
            if ["allocateOrder", "allocateManually", "splitAllocation"].contains(&field) {
                "order { id version status } allocations { id status kind unit { code } }"
            } else {
                "order { id version status } allocation { id status kind unit { code } }"
            }
        }
        "acceptAllocation" | "declineAllocation" | "escalateAllocation" | "recordInspection" => {
            "allocation { id version status kind milestones { id code status sequence responsible { subject } } }"
        }
        "receiveStock" => "stockItem { id version onHand reserved available } filledAllocations { id }",
        "releaseHeldStock" | "expireReservations" | "fillBackorders" => {
            "stockItem { id version onHand reserved qualityHold available } filledAllocations { id }"
        }
        "holdStock" | "scrapHeldStock" | "setReorderPolicy" => {
            "stockItem { id version onHand reserved qualityHold available }"
        }
        "requestTransfer" | "dispatchTransfer" | "closeTransferShort" | "cancelTransfer" => {
            "transfer { id version number status quantity received inTransit lost }"
        }
        "receiveTransfer" => "transfer { id version status quantity received inTransit lost } filledAllocations { id }",
        "openStocktake" | "recordCount" | "rejectStocktake" => {
            "stocktake { id version status lines { sku counted book variance withinTolerance stockItemId } }"
        }
        "finishStocktake" | "approveStocktake" => {
            "stocktake { id version status lines { sku counted book variance withinTolerance stockItemId } } \
             filledAllocations { id }"
        }
        "approveReplenishment"
        | "rejectReplenishment"
        | "orderReplenishment"
        | "cancelReplenishment"
        | "closeReplenishmentShort" => {
            "replenishmentRequest { id version status quantity received outstanding expectedAt }"
        }
        "adjustStock" => "stockItem { id version onHand reserved available }",
        "startMilestone" | "completeMilestone" | "blockMilestone" => "milestone { id status allocation { id status } }",
        "planDelivery" | "bookDelivery" => "delivery { id version status method number }",
        "dispatchDelivery" => "delivery { id status } order { id status stage }",
        "recordTrackingEvent" => "duplicate delivery { id status } order { id status }",
        "confirmDelivery" => "delivery { id confirmationStatus } order { id status }",
        "importOrders" | "cancelImport" => "importBatch { id version status }",
        "openTicket" | "contactCustomer" | "resolveTicket" => "ticket { id number status version }",
        "proposeOrderChange"
        | "acceptOrderChange"
        | "declineOrderChange"
        | "withdrawOrderChange"
        | "reviewOrderChange" => "order { id version status } orderChange { id version status options { id kind } }",
        "setBillOfMaterials" => "billOfMaterials { version leafTotals { sku quantity } }",
        "createPartnerKey" | "createTrackingLink" => "accessKey { id version hint } secret",
        "revokeAccessKey" => "accessKey { id version status }",
        "createSalesChannel"
        | "updateSalesChannel"
        | "rotateChannelSecret"
        | "deactivateSalesChannel"
        | "activateSalesChannel" => "channel { id version code name status secrets { fingerprint endsAt } }",
        "replayChannelDelivery" => "delivery { id outcome remark processedBy { subject } } order { id }",
        "revokeAccess" | "restoreAccess" => "restriction { id version status subject role reason liftReason }",
        _ => "order { id version status stage holds { id } }",
    }
}

/// The mutation of this name, asking for what is done and why not.
pub fn document(field: &str) -> String {
    let input = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    format!(
        "mutation($input: {input}!) {{ {field}(input: $input) {{ {} userErrors {{ code clause path message }} }} }}",
        selection(field)
    )
}

impl Answer {
    /// The data of an answer without errors.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.body["errors"].is_null(), "errors: {}", self.text);
        &self.body["data"]
    }

    /// The codes of the errors.
    pub fn codes(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| text(&error["extensions"]["code"])).collect()
    }

    /// The code of the only error; empty when there was none.
    #[track_caller]
    pub fn code(&self) -> String {
        let codes = self.codes();
        assert!(codes.len() <= 1, "several errors: {}", self.text);
        codes.into_iter().next().unwrap_or_default()
    }

    /// The answer without what differs from request to request.
    pub fn timeless(&self) -> String {
        let mut body = self.body.clone();
        for error in body["errors"].as_array_mut().into_iter().flatten() {
            if let Some(extensions) = error["extensions"].as_object_mut() {
                extensions.remove("requestId");
            }
        }
        if let Some(extensions) = body["extensions"].as_object_mut() {
            extensions.remove("requestId");
        }
        format!("{} {body}", self.status)
    }
}

/// A JSON string as text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn refusals(payload: &Value) -> Vec<Refused> {
    let path = |error: &Value| {
        let parts = error["path"].as_array().cloned().unwrap_or_default();
        parts.iter().map(text).collect::<Vec<_>>().join(".")
    };
    let errors = payload["userErrors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| Refused { code: text(&error["code"]), clause: text(&error["clause"]), path: path(error) })
        .collect()
}

impl Actor {
    pub fn new(world: Arc<World>, token: Option<String>, identity: Identity) -> Self {
        Self { world, token, identity }
    }

    /// The same person with another token.
    pub fn with_token(&self, token: String) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// Posts a body as it is.
    pub async fn post(&self, body: String) -> Answer {
        let mut request = self
            .world
            .http
            .post(format!("http://{}/graphql", self.world.address))
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, text, body }
    }

    /// Asks something.
    pub async fn query(&self, document: &str, variables: Value) -> Answer {
        self.post(json!({ "query": document, "variables": variables }).to_string()).await
    }

    /// Asks for something that is answered without errors.
    pub async fn data(&self, document: &str, variables: Value) -> Value {
        self.query(document, variables).await.data().clone()
    }

    /// Performs a mutation, whatever comes of it.
    pub async fn act(&self, field: &str, input: Value) -> Answer {
        self.query(&document(field), json!({ "input": input })).await
    }

    /// Performs a mutation that succeeds, and gives its payload.
    pub async fn does(&self, field: &str, input: Value) -> Value {
        let answer = self.act(field, input.clone()).await;
        let payload = answer.data()[field].clone();
        assert_eq!(payload["userErrors"], json!([]), "{} cannot {field} {input}", self.identity.subject);
        payload
    }

    /// Performs a mutation that the rules refuse, and gives the reasons. Nothing has changed.
    pub async fn refused(&self, field: &str, input: Value) -> Vec<Refused> {
        let before = self.world.state().await;
        let answer = self.act(field, input).await;
        let payload = answer.data()[field].clone();
        let found = refusals(&payload);
        assert!(!found.is_empty(), "{field} was done: {payload}");
        for (name, value) in payload.as_object().expect("a payload") {
            assert!(name == "userErrors" || value.is_null(), "{name}: {payload}");
        }
        assert_eq!(before, self.world.state().await, "{field} left a trace");
        found
    }

    /// Performs a mutation that the rules refuse for these codes and clauses, in this order.
    pub async fn refused_for(&self, field: &str, input: Value, expected: &[(&str, &str)]) {
        let found = self.refused(field, input).await;
        let found: Vec<(&str, &str)> = found.iter().map(|one| (one.code.as_str(), one.clause.as_str())).collect();
        assert_eq!(found, expected, "{field} by {}", self.identity.subject);
    }

    /// Performs a mutation that fails as a whole, and gives the code. Nothing has changed.
    pub async fn fails(&self, field: &str, input: Value) -> String {
        let before = self.world.state().await;
        let code = self.act(field, input).await.code();
        assert_eq!(before, self.world.state().await, "{field} left a trace");
        code
    }

    /// Subscribes over a socket of its own.
    pub async fn subscribe(&self, document: &str, variables: Value) -> Subscription {
        Subscription::begin(self, document, variables).await
    }
}
