//! Steps of an order's life that many tests need, taken as the demo group's people take them.

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::actor::text;
use super::{Actor, World};

/// A line that names a product.
pub fn line(sku: &str, quantity: &str) -> Value {
    json!({ "sku": sku, "quantity": quantity })
}

/// A submission by the group's own sales staff for a wholesale customer in the north.
pub fn submission(lines: &[Value]) -> Value {
    json!({
        "channel": "OFFLINE_SALES",
        "customerNumber": "C-2001",
        "currencyCode": "CNY",
        "requiredWithinDays": 20,
        "deliveryAddress": { "street": "1 Lantern Road", "city": "Hangzhou", "countryCode": "CN" },
        "lines": lines,
    })
}

/// A submission by a customer for itself.
pub fn own_submission(lines: &[Value]) -> Value {
    let mut input = submission(lines);
    input["channel"] = json!("E_COMMERCE");
    input["customerNumber"] = Value::Null;
    input
}

/// An order by id.
pub fn of(order: &str) -> Value {
    json!({ "orderId": order })
}

/// A unit's share of an order.
#[derive(Clone, Debug)]
pub struct Share {
    pub id: String,
    pub kind: String,
    pub unit: String,
}

impl Share {
    pub fn input(&self) -> Value {
        json!({ "allocationId": self.id })
    }
}

/// An order's id out of a payload.
pub fn order_id(payload: &Value) -> String {
    text(&payload["order"]["id"])
}

impl World {
    /// Sales staff of the demo group submits.
    pub async fn submitted(self: &Arc<Self>, lines: &[Value]) -> String {
        order_id(&self.actor(Role::Sales).does("submitOrder", submission(lines)).await)
    }

    pub async fn under_review(self: &Arc<Self>, lines: &[Value]) -> String {
        let order = self.submitted(lines).await;
        self.actor(Role::Reviewer).does("startReview", of(&order)).await;
        order
    }

    pub async fn approved(self: &Arc<Self>, lines: &[Value]) -> String {
        let order = self.under_review(lines).await;
        self.approve(&order).await;
        order
    }

    /// Approves what a finance approver can approve; a suspected duplicate is waived.
    pub async fn approve(self: &Arc<Self>, order: &str) {
        let waiver = json!({ "check": "DUPLICATE_SUSPECT", "reason": "The same test again." });
        let input = json!({ "orderId": order, "waivers": [waiver] });
        self.actor(Role::FinanceApprover).does("approveOrder", input).await;
    }

    pub async fn allocated(self: &Arc<Self>, lines: &[Value]) -> (String, Vec<Share>) {
        let order = self.approved(lines).await;
        let shares = self.allocate(&order).await;
        (order, shares)
    }

    pub async fn allocate(self: &Arc<Self>, order: &str) -> Vec<Share> {
        let payload = self.actor(Role::Dispatcher).does("allocateOrder", of(order)).await;
        let allocations = payload["allocations"].as_array().expect("allocations");
        allocations
            .iter()
            .map(|one| Share { id: text(&one["id"]), kind: text(&one["kind"]), unit: text(&one["unit"]["code"]) })
            .collect()
    }

    pub async fn accepted(self: &Arc<Self>, lines: &[Value]) -> (String, Vec<Share>) {
        let (order, shares) = self.allocated(lines).await;
        for share in &shares {
            self.operator(&share.unit).does("acceptAllocation", share.input()).await;
        }
        (order, shares)
    }

    /// The operator of an executing unit of the demo group.
    pub fn operator(self: &Arc<Self>, unit: &str) -> Actor {
        self.person(match unit {
            "AUR-N" => "olga.operator",
            "AUR-S" => "oscar.operator",
            "AUR-V" => "otto.operator",
            other => panic!("{other} executes nothing"),
        })
    }

    /// Ids and codes of a share's milestones that are not finished.
    pub async fn open_milestones(self: &Arc<Self>, share: &Share) -> Vec<(String, String)> {
        let document = "query($id: ID!) { node(id: $id) { ... on Allocation { milestones { id code status } } } }";
        let found = self.actor(Role::Supervisor).data(document, json!({ "id": share.id })).await;
        let milestones = found["node"]["milestones"].as_array().expect("milestones");
        milestones
            .iter()
            .filter(|one| one["status"] != "COMPLETED")
            .map(|one| (text(&one["id"]), text(&one["code"])))
            .collect()
    }

    /// Starts and completes every milestone of a share that is not finished. Says their codes.
    pub async fn work(self: &Arc<Self>, share: &Share) -> Vec<String> {
        let operator = self.operator(&share.unit);
        let mut codes = Vec::new();
        for (id, code) in self.open_milestones(share).await {
            let input = json!({ "milestoneId": id });
            operator.does("startMilestone", input.clone()).await;
            operator.does("completeMilestone", input).await;
            codes.push(code);
        }
        codes
    }

    /// Every item of the kind's checklist with the same answer.
    pub fn checklist(kind: &str, passed: bool) -> Value {
        let items: &[&str] = match kind {
            "SERVICE" => &["CONTRACT_FULFILLED", "REPORT_READY"],
            _ => &["QUALITY", "PACKAGING", "DOCUMENTS"],
        };
        let answer = |item: &&str| json!({ "item": item, "passed": passed });
        Value::Array(items.iter().map(answer).collect())
    }

    pub async fn pass(self: &Arc<Self>, share: &Share) {
        let input = json!({ "allocationId": share.id, "checklist": Self::checklist(&share.kind, true) });
        let payload = self.actor(Role::Inspector).does("recordInspection", input).await;
        assert_eq!(payload["allocation"]["status"], "CLEARED");
    }

    /// Plans and books everything that passed. Gives the delivery's id.
    pub async fn booked(self: &Arc<Self>, share: &Share, method: Option<&str>) -> String {
        let logistics = self.actor(Role::Logistics);
        let planned = logistics.does("planDelivery", json!({ "allocationId": share.id, "method": method })).await;
        let id = text(&planned["delivery"]["id"]);
        let appointment = (chrono::Utc::now() + chrono::Duration::hours(5)).to_rfc3339();
        let booking = json!({
            "deliveryId": id, "carrier": "Swift Parcel", "trackingNumber": "SP-1", "appointment": appointment,
        });
        logistics.does("bookDelivery", booking).await;
        id
    }

    /// Brings a booked delivery to the customer.
    pub async fn arrive(self: &Arc<Self>, delivery: &str) {
        let logistics = self.actor(Role::Logistics);
        logistics.does("dispatchDelivery", json!({ "deliveryId": delivery })).await;
        logistics.does("recordTrackingEvent", tracking(delivery, "arrived", "DELIVERED")).await;
    }

    /// A stock item by SKU and warehouse: its id and its counts.
    pub async fn stock(self: &Arc<Self>, sku: &str, warehouse: &str) -> Value {
        let document = "query($skus: [String!]) { stockItems(first: 10, filter: { skus: $skus }) { nodes { \
             id version onHand reserved available warehouse { code } } } }";
        let found = self.actor(Role::Supervisor).data(document, json!({ "skus": [sku] })).await;
        let items = found["stockItems"]["nodes"].as_array().expect("items");
        items.iter().find(|item| item["warehouse"]["code"] == warehouse).expect("a stock item").clone()
    }

    /// What is on hand and what of it is reserved.
    pub async fn counts(self: &Arc<Self>, sku: &str, warehouse: &str) -> (String, String) {
        let item = self.stock(sku, warehouse).await;
        (text(&item["onHand"]), text(&item["reserved"]))
    }

    /// An order as the supervisor sees it.
    pub async fn order(self: &Arc<Self>, id: &str, selection: &str) -> Value {
        let document = format!("query($id: ID!) {{ order(by: {{ id: $id }}) {{ {selection} }} }}");
        let found = self.actor(Role::Supervisor).data(&document, json!({ "id": id })).await;
        found["order"].clone()
    }

    pub async fn status(self: &Arc<Self>, id: &str) -> String {
        text(&self.order(id, "status").await["status"])
    }
}

/// A carrier's report, now.
pub fn tracking(delivery: &str, event: &str, kind: &str) -> Value {
    json!({
        "deliveryId": delivery,
        "carrier": "Swift Parcel",
        "carrierEventId": format!("{delivery} {event}"),
        "kind": kind,
        "occurredAt": chrono::Utc::now().to_rfc3339(),
        "location": "Hangzhou",
    })
}
