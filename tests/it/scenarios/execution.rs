//! The later steps of an order's life: milestones, inspection, delivery, confirmation, after-sales.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::completion::Tale;
use crate::support::World;
use crate::support::story::{Share, tracking};

impl Tale {
    pub async fn milestones(&mut self, shares: &[Share]) {
        for share in shares {
            let codes = self.world.work(share).await;
            let expected: &[&str] = match share.kind.as_str() {
                "GOODS" => &["PACKING"],
                "MADE_TO_ORDER" => &["MATERIALS", "PRODUCTION", "QUALITY_CHECK", "PACKING"],
                _ => &["PREPARATION", "PERFORMANCE", "REPORT"],
            };
            assert_eq!(codes, expected);
            for code in expected {
                self.seen.saw(&["MILESTONE_STARTED"]);
                if matches!(*code, "PRODUCTION" | "PERFORMANCE") {
                    self.seen.saw(&["ORDER_PRODUCED"]);
                }
                self.seen.saw(&["MILESTONE_COMPLETED"]);
            }
        }
    }

    /// The first attempt fails and is mended; the second passes.
    pub async fn inspections(&mut self, shares: &[Share]) {
        let inspector = self.world.actor(Role::Inspector);
        let bench = &shares[1];
        let mut checklist = World::checklist(&bench.kind, true);
        checklist[0]["passed"] = json!(false);
        let mut report = json!({ "allocationId": bench.id, "checklist": checklist });
        inspector.refused_for("recordInspection", report.clone(), &[("REQUIRED", "R1.4")]).await;
        report["findings"] = json!("One leg is scratched.");
        let failed = inspector.does("recordInspection", report).await;
        assert_eq!(failed["allocation"]["status"], "RECTIFICATION");
        self.seen.saw(&["INSPECTION_RECORDED"]);
        let plan = json!({ "allocationId": bench.id });
        let logistics = self.world.actor(Role::Logistics);
        logistics.refused_for("planDelivery", plan, &[("NOTHING_TO_DELIVER", "R6.2")]).await;
        assert_eq!(self.world.work(bench).await, ["RECTIFICATION"]);
        self.seen.saw(&["MILESTONE_STARTED", "MILESTONE_COMPLETED"]);
        for share in shares {
            self.world.pass(share).await;
            self.seen.saw(&["ORDER_PASSED", "INSPECTION_RECORDED"]);
        }
        let attempts = self.world.order(&self.order, "allocations { inspections { attempt result } }").await;
        assert_eq!(
            attempts["allocations"][1]["inspections"],
            json!([{ "attempt": 1, "result": "FAILED" }, { "attempt": 2, "result": "PASSED" }])
        );
    }

    /// Each share is planned, booked, sent and brought; the goods are tracked on their way.
    pub async fn deliveries(&mut self, shares: &[Share]) -> Vec<String> {
        let logistics = self.world.actor(Role::Logistics);
        let mut deliveries = Vec::new();
        for share in shares {
            // The goods by freight: seventy are too many for a courier and would otherwise be fetched.
            let method = (share.kind == "GOODS").then_some("FREIGHT");
            let id = self.world.booked(share, method).await;
            self.seen.saw(&["-ALLOCATION_DELIVERY_PLANNED", "DELIVERY_PLANNED", "DELIVERY_BOOKED"]);
            deliveries.push(id);
        }
        let options = self
            .world
            .order(&self.order, "deliveries { method status options { method available inTime cost { amount } } }");
        let goods = options.await["deliveries"][0].clone();
        assert_eq!(goods["status"], "BOOKED");
        let ranked: Vec<Value> = goods["options"].as_array().expect("options").clone();
        let brief = |one: &Value| json!([one["method"], one["available"], one["cost"]["amount"]]);
        assert_eq!(
            json!(ranked.iter().map(brief).collect::<Vec<_>>()),
            json!([
                ["SELF_PICKUP", true, "0"],
                ["FREIGHT", true, "160"],
                ["ONLINE_SERVICE", false, "0"],
                ["ON_SITE_SERVICE", false, "120"],
                ["EXPRESS", false, "158"],
                ["DEDICATED_VEHICLE", false, "260"],
            ])
        );
        for (share, id) in shares.iter().zip(&deliveries) {
            if share.kind == "MADE_TO_ORDER" {
                // The best way to get two benches from afar is by courier.
                assert_eq!(share.unit, "AUR-S");
            }
            logistics.does("dispatchDelivery", json!({ "deliveryId": id })).await;
            self.seen.saw(&["ORDER_DISPATCHED", "-ALLOCATION_DISPATCHED", "DELIVERY_DISPATCHED"]);
            let moving = tracking(id, "on its way", "IN_TRANSIT");
            assert_eq!(logistics.does("recordTrackingEvent", moving.clone()).await["duplicate"], false);
            self.seen.saw(&["DELIVERY_TRACKED"]);
            let before = self.world.state().await;
            assert_eq!(logistics.does("recordTrackingEvent", moving).await["duplicate"], true);
            assert_eq!(before, self.world.state().await, "a report told twice changes nothing");
            logistics.does("recordTrackingEvent", tracking(id, "arrived", "DELIVERED")).await;
            self.seen.saw(&["ORDER_DELIVERED", "DELIVERY_ARRIVED"]);
            let late = logistics.does("recordTrackingEvent", tracking(id, "late", "PICKED_UP")).await;
            assert_eq!(late["delivery"]["status"], "DELIVERED", "late reports take nothing back");
            self.seen.saw(&["DELIVERY_TRACKED"]);
        }
        deliveries
    }

    /// The order completes with the very last confirmation, and is settled to the last fen.
    pub async fn confirmations(&mut self, deliveries: &[String]) {
        let document = "query($id: ID!) { node(id: $id) { ... on Delivery { lines { id } } } }";
        let found = self.customer.data(document, json!({ "id": deliveries[0] })).await;
        let line = found["node"]["lines"][0]["id"].clone();
        let receipt = json!({ "kind": "CUSTOMER_RECEIPT", "reference": "receipt 1" });
        let part = |quantity: &str| json!({ "deliveryId": deliveries[0], "evidence": receipt, "lines": [{ "lineId": line, "quantity": quantity }] });
        let payload = self.customer.does("confirmDelivery", part("30")).await;
        assert_eq!(payload["delivery"]["confirmationStatus"], "PARTIALLY_CONFIRMED");
        self.seen.saw(&["ORDER_CONFIRMED", "-ALLOCATION_CONFIRMED", "DELIVERY_CONFIRMED"]);
        self.customer.refused_for("confirmDelivery", part("41"), &[("QUANTITY_EXCEEDED", "R8.1")]).await;
        for (index, delivery) in deliveries.iter().enumerate() {
            assert_eq!(self.world.status(&self.order).await, "IN_PROGRESS");
            let input = json!({ "deliveryId": delivery, "evidence": receipt });
            let payload = self.customer.does("confirmDelivery", input).await;
            assert_eq!(payload["delivery"]["confirmationStatus"], "CONFIRMED");
            let last = index + 1 == deliveries.len();
            let kind = if last { "ORDER_COMPLETED" } else { "ORDER_CONFIRMED" };
            self.seen.saw(&[kind, "-ALLOCATION_CLOSED", "DELIVERY_CONFIRMED"]);
        }
        let order = self
            .world
            .order(
                &self.order,
                "status completedAt confirmationStatus settlementStatus total { amount } settlement { quantity amount { amount currencyCode } }",
            )
            .await;
        assert_eq!(order["status"], "COMPLETED");
        assert!(order["completedAt"].is_string());
        assert_eq!(order["confirmationStatus"], "FULL");
        assert_eq!(order["settlementStatus"], "FULL");
        assert_eq!(order["total"]["amount"], "24380");
        let record = |quantity: &str, amount: &str| json!({ "quantity": quantity, "amount": { "amount": amount, "currencyCode": "CNY" } });
        let expected = [record("30", "7800"), record("40", "10400"), record("2", "4900"), record("4", "1280")];
        assert_eq!(order["settlement"], json!(expected));
    }

    pub async fn ticket(&mut self) {
        let report = json!({
            "orderId": self.order, "type": "PRODUCT_QUALITY",
            "subject": "One panel flickers", "description": "It flickers when it is warm.",
        });
        let opened = self.customer.does("openTicket", report).await;
        assert_eq!(opened["ticket"]["status"], "NEW");
        let id = opened["ticket"]["id"].clone();
        let agent = self.world.actor(Role::ServiceAgent);
        let contact =
            json!({ "ticketId": id, "summary": "Fiona Feng says it is the driver.", "plan": "A new driver." });
        assert_eq!(agent.does("contactCustomer", contact).await["ticket"]["status"], "OPEN");
        let solution = json!({ "ticketId": id, "resolution": "The driver was replaced." });
        assert_eq!(agent.does("resolveTicket", solution).await["ticket"]["status"], "RESOLVED");
        self.seen.saw(&["TICKET_OPENED", "TICKET_CONTACTED", "TICKET_RESOLVED"]);
        let tickets =
            self.world.order(&self.order, "status tickets { team { code } firstContactOverdue resolution }").await;
        assert_eq!(tickets["status"], "COMPLETED", "a completed order never reopens");
        let expected = json!([{ "team": { "code": "AUR-QT" }, "firstContactOverdue": false, "resolution": "The driver was replaced." }]);
        assert_eq!(tickets["tickets"], expected);
    }
}
