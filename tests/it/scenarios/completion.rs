//! One order all the way, watched by its customer and by the supervising department (R1 to R10).

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use ordergraph::seed::PEOPLE;
use serde_json::{Value, json};

use crate::support::story::{Share, line, of, order_id, own_submission, tracking};
use crate::support::{Actor, Subscription, World, on_both_databases};

/// Everything a customer could ask of an order, so that whatever leaks would show.
const PROGRESS: &str = "subscription($id: ID!, $after: String, $snapshot: Boolean! = true) {
  orderProgress(orderId: $id, after: $after, snapshot: $snapshot) {
    cursor
    event { kind sequence note actor { subject name } changes { field value } unit { code } aggregateKind }
    order {
      number status stage version submittedBy { subject name } total { amount currencyCode }
      holds { reason placedBy { subject name } }
      review { reviewer { subject name } decision { decidedBy { subject name } reason } }
      clarifications { question askedBy { subject name } answeredBy { subject name } }
      cancellation { reason requestedBy { subject name } }
      allocations { status acceptedBy { subject name } declineReason decision { reason decidedBy { subject name } }
        milestones { code status responsible { subject name } blockCause blockMeasure }
        inspections { attempt result findings inspector { subject name } checklist { item note } }
        reservations { quantity } backorders { quantity } availableActions { action } }
      deliveries { status cost { amount } plannedBy { subject name } options { method reason }
        trackingEvents { kind recordedBy { subject name } } confirmations { confirmedBy { subject name } } }
      tickets { status resolution openedBy { subject name } contacts { summary plan contactedBy { subject name } } }
      settlement { amount { amount } }
      timeline(first: 100) { nodes { kind note actor { subject name } changes { field } } }
    }
  }
}";

const EVENTS: &str = "subscription($after: String) { orderEvents(after: $after) {
  cursor event { kind sequence aggregateId actor { subject } } order { number status } } }";

/// What happened, in order; a minus marks what is for the group's own people only.
#[derive(Default)]
struct Chronicle(Vec<&'static str>);

impl Chronicle {
    fn saw(&mut self, kinds: &[&'static str]) {
        self.0.extend(kinds);
    }

    fn staff(&self) -> Vec<String> {
        let name = |kind: &&str| kind.trim_start_matches('-').to_owned();
        self.0.iter().map(name).collect()
    }

    fn public(&self) -> Vec<String> {
        let shown = self.0.iter().filter(|kind| !kind.starts_with('-'));
        shown.map(|kind| (*kind).to_owned()).collect()
    }
}

fn kinds(messages: &[Value], field: &str) -> Vec<String> {
    let kind = |one: &Value| {
        one[field]["event"]["kind"]
            .as_str()
            .unwrap_or("SNAPSHOT")
            .to_owned()
    };
    messages.iter().map(kind).collect()
}

/// Positions in the log, read from the cursors.
fn positions(messages: &[Value], field: &str) -> Vec<i64> {
    let position = |one: &Value| {
        let cursor = one[field]["cursor"].as_str().expect("a cursor");
        ordergraph::feed::Cursor::decode(cursor)
            .expect("a cursor of ours")
            .position
    };
    messages.iter().map(position).collect()
}

async fn collect(subscription: &mut Subscription, count: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(subscription.next().await);
    }
    messages
}

fn discreet(messages: &[Value]) {
    let text = serde_json::to_string(messages).expect("JSON");
    for person in PEOPLE.iter().filter(|person| !person.name.is_empty()) {
        for word in [person.subject, person.name]
            .into_iter()
            .filter(|word| *word != "system")
        {
            assert!(!text.contains(word), "a customer was told of {word}");
        }
    }
}

struct Tale {
    world: Arc<World>,
    customer: Actor,
    order: String,
    seen: Chronicle,
}

impl Tale {
    async fn allocation_decisions(&self) {
        let decisions = self
            .world
            .order(
                &self.order,
                "allocations { kind unit { code } decision { mode reason ruleSetVersion decidedByRule
                   decidedBy { subject } candidates { unitCode eligible chosen verdicts { rule passed score reason } } } }",
            )
            .await;
        let allocations = decisions["allocations"].as_array().expect("allocations");
        for one in allocations {
            let decision = &one["decision"];
            assert_eq!(decision["mode"], "AUTO");
            assert_eq!(decision["ruleSetVersion"], 1);
            assert_eq!(decision["decidedBy"]["subject"], "dan.dispatcher");
            let candidates = decision["candidates"].as_array().expect("candidates");
            let chosen: Vec<&Value> = candidates
                .iter()
                .filter(|one| one["chosen"] == true)
                .collect();
            assert_eq!(chosen.len(), 1);
            assert_eq!(chosen[0]["unitCode"], one["unit"]["code"]);
            let codes: Vec<&str> = candidates
                .iter()
                .filter_map(|one| one["unitCode"].as_str())
                .collect();
            assert_eq!(
                codes,
                ["AUR-N", "AUR-S", "AUR-V"],
                "every executing unit was considered"
            );
            for verdict in candidates
                .iter()
                .flat_map(|one| one["verdicts"].as_array().expect("verdicts"))
            {
                assert_ne!(verdict["reason"], "", "every rule says why");
            }
        }
        let rules: Vec<(&Value, &Value)> = allocations
            .iter()
            .map(|one| (&one["kind"], &one["decision"]["decidedByRule"]))
            .collect();
        assert_eq!(
            json!(rules),
            json!([
                ["GOODS", "HOME_REGION"],
                ["MADE_TO_ORDER", "CAPABILITY"],
                ["SERVICE", "CAPABILITY"]
            ])
        );
    }

    /// A shortage becomes a backorder and a request to procurement, and goods that arrive fill it.
    async fn shortage(&mut self, goods: &Share) {
        let world = &self.world;
        let document = "query($id: ID!) { node(id: $id) { ... on Allocation {
             reservations { quantity status } backorders { quantity filled status } } } }";
        let supervisor = world.actor(Role::Supervisor);
        let found = supervisor.data(document, json!({ "id": goods.id })).await;
        assert_eq!(
            found["node"],
            json!({
                "reservations": [{ "quantity": "60", "status": "ACTIVE" }],
                "backorders": [{ "quantity": "10", "filled": "0", "status": "WAITING" }],
            })
        );
        let asked = "{ replenishmentRequests(first: 9) { totalCount nodes { quantity received reason status } } }";
        let requests = supervisor.data(asked, json!({})).await;
        // Ten are waited for; thirty is the lower limit, and ten the safety stock on top.
        let wanted = json!({ "quantity": "50", "received": "0", "reason": "SHORTAGE", "status": "PROPOSED" });
        assert_eq!(
            requests["replenishmentRequests"],
            json!({ "totalCount": 1, "nodes": [wanted] })
        );

        let picking = world.open_milestones(goods).await[0].0.clone();
        let operator = world.operator("AUR-N");
        operator
            .does("startMilestone", json!({ "milestoneId": picking }))
            .await;
        self.seen.saw(&["MILESTONE_STARTED"]);
        let input = json!({ "milestoneId": picking });
        operator
            .refused_for(
                "completeMilestone",
                input.clone(),
                &[("STOCK_MISSING", "R4.3")],
            )
            .await;

        let item = world.stock("PANEL-9", "AUR-N-WH").await;
        let receipt = json!({ "stockItemId": item["id"], "quantity": "50" });
        let payload = world
            .actor(Role::Warehouse)
            .does("receiveStock", receipt)
            .await;
        assert_eq!(payload["filledAllocations"], json!([{ "id": goods.id }]));
        assert_eq!(payload["stockItem"]["onHand"], "110");
        assert_eq!(payload["stockItem"]["reserved"], "70");
        self.seen
            .saw(&["ORDER_RESERVED", "-ALLOCATION_BACKORDER_FILLED"]);
        let requests = supervisor.data(asked, json!({})).await;
        let arrived = json!({ "quantity": "50", "received": "50", "reason": "SHORTAGE", "status": "RECEIVED" });
        assert_eq!(requests["replenishmentRequests"]["nodes"], json!([arrived]));
        operator.does("completeMilestone", input).await;
        self.seen.saw(&["MILESTONE_COMPLETED"]);
    }

    async fn milestones(&mut self, shares: &[Share]) {
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
    async fn inspections(&mut self, shares: &[Share]) {
        let inspector = self.world.actor(Role::Inspector);
        let bench = &shares[1];
        let mut checklist = World::checklist(&bench.kind, true);
        checklist[0]["passed"] = json!(false);
        let mut report = json!({ "allocationId": bench.id, "checklist": checklist });
        inspector
            .refused_for("recordInspection", report.clone(), &[("REQUIRED", "R1.4")])
            .await;
        report["findings"] = json!("One leg is scratched.");
        let failed = inspector.does("recordInspection", report).await;
        assert_eq!(failed["allocation"]["status"], "RECTIFICATION");
        self.seen.saw(&["INSPECTION_RECORDED"]);
        let plan = json!({ "allocationId": bench.id });
        let logistics = self.world.actor(Role::Logistics);
        logistics
            .refused_for("planDelivery", plan, &[("NOTHING_TO_DELIVER", "R6.2")])
            .await;
        assert_eq!(self.world.work(bench).await, ["RECTIFICATION"]);
        self.seen.saw(&["MILESTONE_STARTED", "MILESTONE_COMPLETED"]);
        for share in shares {
            self.world.pass(share).await;
            self.seen.saw(&["ORDER_PASSED", "INSPECTION_RECORDED"]);
        }
        let attempts = self
            .world
            .order(
                &self.order,
                "allocations { inspections { attempt result } }",
            )
            .await;
        assert_eq!(
            attempts["allocations"][1]["inspections"],
            json!([{ "attempt": 1, "result": "FAILED" }, { "attempt": 2, "result": "PASSED" }])
        );
    }

    /// Each share is planned, booked, sent and brought; the goods are tracked on their way.
    async fn deliveries(&mut self, shares: &[Share]) -> Vec<String> {
        let logistics = self.world.actor(Role::Logistics);
        let mut deliveries = Vec::new();
        for share in shares {
            // The goods by freight: seventy are too many for a courier and would otherwise be fetched.
            let method = (share.kind == "GOODS").then_some("FREIGHT");
            let id = self.world.booked(share, method).await;
            self.seen.saw(&[
                "-ALLOCATION_DELIVERY_PLANNED",
                "DELIVERY_PLANNED",
                "DELIVERY_BOOKED",
            ]);
            deliveries.push(id);
        }
        let options = self.world.order(
            &self.order,
            "deliveries { method status options { method available inTime cost { amount } } }",
        );
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
            logistics
                .does("dispatchDelivery", json!({ "deliveryId": id }))
                .await;
            self.seen.saw(&[
                "ORDER_DISPATCHED",
                "-ALLOCATION_DISPATCHED",
                "DELIVERY_DISPATCHED",
            ]);
            let moving = tracking(id, "on its way", "IN_TRANSIT");
            assert_eq!(
                logistics.does("recordTrackingEvent", moving.clone()).await["duplicate"],
                false
            );
            self.seen.saw(&["DELIVERY_TRACKED"]);
            let before = self.world.state().await;
            assert_eq!(
                logistics.does("recordTrackingEvent", moving).await["duplicate"],
                true
            );
            assert_eq!(
                before,
                self.world.state().await,
                "a report told twice changes nothing"
            );
            logistics
                .does("recordTrackingEvent", tracking(id, "arrived", "DELIVERED"))
                .await;
            self.seen.saw(&["ORDER_DELIVERED", "DELIVERY_ARRIVED"]);
            let late = logistics
                .does("recordTrackingEvent", tracking(id, "late", "PICKED_UP"))
                .await;
            assert_eq!(
                late["delivery"]["status"], "DELIVERED",
                "late reports take nothing back"
            );
            self.seen.saw(&["DELIVERY_TRACKED"]);
        }
        deliveries
    }

    /// The order completes with the very last confirmation, and is settled to the last fen.
    async fn confirmations(&mut self, deliveries: &[String]) {
        let document = "query($id: ID!) { node(id: $id) { ... on Delivery { lines { id } } } }";
        let found = self
            .customer
            .data(document, json!({ "id": deliveries[0] }))
            .await;
        let line = found["node"]["lines"][0]["id"].clone();
        let receipt = json!({ "kind": "CUSTOMER_RECEIPT", "reference": "receipt 1" });
        let part = |quantity: &str| json!({ "deliveryId": deliveries[0], "evidence": receipt, "lines": [{ "lineId": line, "quantity": quantity }] });
        let payload = self.customer.does("confirmDelivery", part("30")).await;
        assert_eq!(
            payload["delivery"]["confirmationStatus"],
            "PARTIALLY_CONFIRMED"
        );
        self.seen.saw(&[
            "ORDER_CONFIRMED",
            "-ALLOCATION_CONFIRMED",
            "DELIVERY_CONFIRMED",
        ]);
        self.customer
            .refused_for(
                "confirmDelivery",
                part("41"),
                &[("QUANTITY_EXCEEDED", "R8.1")],
            )
            .await;
        for (index, delivery) in deliveries.iter().enumerate() {
            assert_eq!(self.world.status(&self.order).await, "IN_PROGRESS");
            let input = json!({ "deliveryId": delivery, "evidence": receipt });
            let payload = self.customer.does("confirmDelivery", input).await;
            assert_eq!(payload["delivery"]["confirmationStatus"], "CONFIRMED");
            let last = index + 1 == deliveries.len();
            let kind = if last {
                "ORDER_COMPLETED"
            } else {
                "ORDER_CONFIRMED"
            };
            self.seen
                .saw(&[kind, "-ALLOCATION_CLOSED", "DELIVERY_CONFIRMED"]);
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
        let expected = [
            record("30", "7800"),
            record("40", "10400"),
            record("2", "4900"),
            record("4", "1280"),
        ];
        assert_eq!(order["settlement"], json!(expected));
    }

    async fn ticket(&mut self) {
        let report = json!({
            "orderId": self.order, "category": "PRODUCT_QUALITY",
            "subject": "One panel flickers", "description": "It flickers when it is warm.",
        });
        let opened = self.customer.does("openTicket", report).await;
        assert_eq!(opened["ticket"]["status"], "NEW");
        let id = opened["ticket"]["id"].clone();
        let agent = self.world.actor(Role::ServiceAgent);
        let contact = json!({ "ticketId": id, "summary": "Fiona Feng says it is the driver.", "plan": "A new driver." });
        assert_eq!(
            agent.does("contactCustomer", contact).await["ticket"]["status"],
            "OPEN"
        );
        let solution = json!({ "ticketId": id, "resolution": "The driver was replaced." });
        assert_eq!(
            agent.does("resolveTicket", solution).await["ticket"]["status"],
            "RESOLVED"
        );
        self.seen
            .saw(&["TICKET_OPENED", "TICKET_CONTACTED", "TICKET_RESOLVED"]);
        let tickets = self
            .world
            .order(
                &self.order,
                "status tickets { team { code } firstContactOverdue resolution }",
            )
            .await;
        assert_eq!(
            tickets["status"], "COMPLETED",
            "a completed order never reopens"
        );
        let expected = json!([{ "team": { "code": "AUR-QT" }, "firstContactOverdue": false, "resolution": "The driver was replaced." }]);
        assert_eq!(tickets["tickets"], expected);
    }

    /// Both watchers have seen each event once and in order. Gives their messages.
    async fn watched(
        &self,
        customer: &mut Subscription,
        supervisor: &mut Subscription,
    ) -> (Vec<Value>, Vec<Value>) {
        let own = collect(customer, self.seen.public().len()).await;
        let all = collect(supervisor, self.seen.staff().len()).await;
        assert_eq!(kinds(&own, "orderProgress"), self.seen.public());
        assert_eq!(kinds(&all, "orderEvents"), self.seen.staff());
        for list in [
            positions(&own, "orderProgress"),
            positions(&all, "orderEvents"),
        ] {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
        discreet(&own);
        customer.is_quiet().await;
        supervisor.is_quiet().await;
        (own, all)
    }
}

on_both_databases!(
    a_mixed_order_goes_all_the_way_before_watching_eyes,
    |world| async move {
        let customer = world.customer("C-1001");
        let mut supervisor = world
            .actor(Role::Supervisor)
            .subscribe(EVENTS, json!({}))
            .await;
        // Until the server has begun to follow, nothing is submitted that could be missed.
        supervisor.is_quiet().await;
        let lines = [
            line("PANEL-9", "70"),
            line("BENCH-X", "2"),
            line("INSTALL", "4"),
        ];
        let order = order_id(&customer.does("submitOrder", own_submission(&lines)).await);
        let snapshot = json!({ "id": order });
        let mut progress = customer.subscribe(PROGRESS, snapshot.clone()).await;
        let first = progress.next().await;
        assert_eq!(first["orderProgress"]["event"], Value::Null);
        assert_eq!(first["orderProgress"]["order"]["status"], "SUBMITTED");
        let mut tale = Tale {
            world: world.clone(),
            customer,
            order,
            seen: Chronicle::default(),
        };
        // On PostgreSQL the submission may get its position after the snapshot was taken.
        let submitted = supervisor.next().await;
        assert_eq!(submitted["orderEvents"]["event"]["kind"], "ORDER_SUBMITTED");
        let known = positions(&[first], "orderProgress") >= positions(&[submitted], "orderEvents");
        if !known {
            let again = progress.next().await;
            assert_eq!(again["orderProgress"]["event"]["kind"], "ORDER_SUBMITTED");
        }

        world
            .actor(Role::Reviewer)
            .does("startReview", of(&tale.order))
            .await;
        tale.seen.saw(&["ORDER_REVIEW_STARTED", "-REVIEW_OPENED"]);
        world
            .actor(Role::Reviewer)
            .does("approveOrder", of(&tale.order))
            .await;
        tale.seen.saw(&["ORDER_APPROVED", "-REVIEW_DECIDED"]);
        let shares = world.allocate(&tale.order).await;
        tale.seen.saw(&[
            "ORDER_ALLOCATED",
            "-ALLOCATION_ASSIGNED",
            "-ALLOCATION_ASSIGNED",
            "-ALLOCATION_ASSIGNED",
        ]);
        let split: Vec<(&str, &str)> = shares
            .iter()
            .map(|one| (one.kind.as_str(), one.unit.as_str()))
            .collect();
        assert_eq!(
            split,
            [
                ("GOODS", "AUR-N"),
                ("MADE_TO_ORDER", "AUR-S"),
                ("SERVICE", "AUR-V")
            ]
        );
        tale.allocation_decisions().await;
        for share in &shares {
            world
                .operator(&share.unit)
                .does("acceptAllocation", share.input())
                .await;
            tale.seen.saw(&["ORDER_STARTED", "-ALLOCATION_ACCEPTED"]);
        }
        assert_eq!(
            world.counts("PANEL-9", "AUR-N-WH").await,
            ("60".into(), "60".into())
        );
        assert_eq!(
            world.counts("SCREW-8", "AUR-S-WH").await,
            ("1000".into(), "32".into())
        );
        tale.shortage(&shares[0]).await;
        let (own, all) = tale.watched(&mut progress, &mut supervisor).await;

        // Both are cut off, miss the rest of the order's life, and come back with their last cursor.
        drop((progress, supervisor));
        tale.seen.0.clear();
        tale.milestones(&shares).await;
        assert_eq!(
            world.counts("SCREW-8", "AUR-S-WH").await,
            ("968".into(), "0".into()),
            "used up in production"
        );
        tale.inspections(&shares).await;
        let deliveries = tale.deliveries(&shares).await;
        assert_eq!(
            world.counts("PANEL-9", "AUR-N-WH").await,
            ("40".into(), "0".into()),
            "issued with the dispatch"
        );
        let cursor = |messages: &[Value], field: &str| {
            messages.last().expect("messages")[field]["cursor"].clone()
        };
        let after = json!({ "after": cursor(&all, "orderEvents") });
        let mut supervisor = world.actor(Role::Supervisor).subscribe(EVENTS, after).await;
        let after = json!({ "id": tale.order, "after": cursor(&own, "orderProgress") });
        let mut progress = tale.customer.subscribe(PROGRESS, after).await;
        tale.confirmations(&deliveries).await;
        tale.ticket().await;
        tale.watched(&mut progress, &mut supervisor).await;

        let stage = world
            .order(&tale.order, "stage fulfillmentStatus allocationStatus")
            .await;
        assert_eq!(
            stage,
            json!({ "stage": "COMPLETED", "fulfillmentStatus": "FULL", "allocationStatus": "FULL" })
        );
        // What is left of a completed order's life is after-sales.
        world
            .actor(Role::Sales)
            .refused_for(
                "cancelOrder",
                json!({ "orderId": tale.order, "reason": "Too late." }),
                &[("ILLEGAL_TRANSITION", "R4.3")],
            )
            .await;
    }
);
