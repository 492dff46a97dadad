//! One order all the way, watched by its customer and by the supervising department (R1 to R10).

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::chronicle::{Chronicle, EVENTS, PROGRESS, collect, discreet, kinds, positions};
use crate::support::story::{Share, line, of, order_id, own_submission};
use crate::support::{Actor, Subscription, World, on_both_databases};

pub struct Tale {
    pub world: Arc<World>,
    pub customer: Actor,
    pub order: String,
    pub seen: Chronicle,
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
            let chosen: Vec<&Value> = candidates.iter().filter(|one| one["chosen"] == true).collect();
            assert_eq!(chosen.len(), 1);
            assert_eq!(chosen[0]["unitCode"], one["unit"]["code"]);
            let codes: Vec<&str> = candidates.iter().filter_map(|one| one["unitCode"].as_str()).collect();
            assert_eq!(codes, ["AUR-N", "AUR-S", "AUR-V"], "every executing unit was considered");
            for verdict in candidates.iter().flat_map(|one| one["verdicts"].as_array().expect("verdicts")) {
                assert_ne!(verdict["reason"], "", "every rule says why");
            }
        }
        let rules: Vec<(&Value, &Value)> =
            allocations.iter().map(|one| (&one["kind"], &one["decision"]["decidedByRule"])).collect();
        assert_eq!(
            json!(rules),
            json!([["GOODS", "HOME_REGION"], ["MADE_TO_ORDER", "CAPABILITY"], ["SERVICE", "CAPABILITY"]])
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
        assert_eq!(requests["replenishmentRequests"], json!({ "totalCount": 1, "nodes": [wanted] }));

        let picking = world.open_milestones(goods).await[0].0.clone();
        let operator = world.operator("AUR-N");
        operator.does("startMilestone", json!({ "milestoneId": picking })).await;
        self.seen.saw(&["MILESTONE_STARTED"]);
        let input = json!({ "milestoneId": picking });
        operator.refused_for("completeMilestone", input.clone(), &[("STOCK_MISSING", "R4.3")]).await;

        let item = world.stock("PANEL-9", "AUR-N-WH").await;
        let receipt = json!({ "stockItemId": item["id"], "quantity": "50" });
        let payload = world.actor(Role::Warehouse).does("receiveStock", receipt).await;
        assert_eq!(payload["filledAllocations"], json!([{ "id": goods.id }]));
        assert_eq!(payload["stockItem"]["onHand"], "110");
        assert_eq!(payload["stockItem"]["reserved"], "70");
        self.seen.saw(&["ORDER_RESERVED", "-ALLOCATION_BACKORDER_FILLED"]);
        let requests = supervisor.data(asked, json!({})).await;
        let arrived = json!({ "quantity": "50", "received": "50", "reason": "SHORTAGE", "status": "RECEIVED" });
        assert_eq!(requests["replenishmentRequests"]["nodes"], json!([arrived]));
        operator.does("completeMilestone", input).await;
        self.seen.saw(&["MILESTONE_COMPLETED"]);
    }

    /// Both watchers have seen each event once and in order. Gives their messages.
    async fn watched(&self, customer: &mut Subscription, supervisor: &mut Subscription) -> (Vec<Value>, Vec<Value>) {
        let own = collect(customer, self.seen.public().len()).await;
        let all = collect(supervisor, self.seen.staff().len()).await;
        assert_eq!(kinds(&own, "orderProgress"), self.seen.public());
        assert_eq!(kinds(&all, "orderEvents"), self.seen.staff());
        let boss = self.world.actor(Role::Supervisor);
        for list in
            [positions(&self.customer, &own, "orderProgress").await, positions(&boss, &all, "orderEvents").await]
        {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{list:?}");
        }
        discreet(&own);
        customer.is_quiet().await;
        supervisor.is_quiet().await;
        (own, all)
    }
}

on_both_databases!(a_mixed_order_goes_all_the_way_before_watching_eyes, |world| async move {
    let customer = world.customer("C-1001");
    let mut supervisor = world.actor(Role::Supervisor).subscribe(EVENTS, json!({})).await;
    // Until the server has begun to follow, nothing is submitted that could be missed.
    supervisor.is_quiet().await;
    let lines = [line("PANEL-9", "70"), line("BENCH-X", "2"), line("INSTALL", "4")];
    let order = order_id(&customer.does("submitOrder", own_submission(&lines)).await);
    let snapshot = json!({ "id": order });
    let mut progress = customer.subscribe(PROGRESS, snapshot.clone()).await;
    let first = progress.next().await;
    assert_eq!(first["orderProgress"]["event"], Value::Null);
    assert_eq!(first["orderProgress"]["order"]["status"], "SUBMITTED");
    let mut tale = Tale { world: world.clone(), customer, order, seen: Chronicle::default() };
    // On PostgreSQL the submission may get its position after the snapshot was taken.
    let submitted = supervisor.next().await;
    assert_eq!(submitted["orderEvents"]["event"]["kind"], "ORDER_SUBMITTED");
    let boss = world.actor(Role::Supervisor);
    let known = positions(&tale.customer, &[first], "orderProgress").await
        >= positions(&boss, &[submitted], "orderEvents").await;
    if !known {
        let again = progress.next().await;
        assert_eq!(again["orderProgress"]["event"]["kind"], "ORDER_SUBMITTED");
    }

    world.actor(Role::Reviewer).does("startReview", of(&tale.order)).await;
    tale.seen.saw(&["ORDER_REVIEW_STARTED", "-REVIEW_OPENED"]);
    world.actor(Role::Reviewer).does("approveOrder", of(&tale.order)).await;
    tale.seen.saw(&["ORDER_APPROVED", "-REVIEW_DECIDED"]);
    let shares = world.allocate(&tale.order).await;
    tale.seen.saw(&["ORDER_ALLOCATED", "-ALLOCATION_ASSIGNED", "-ALLOCATION_ASSIGNED", "-ALLOCATION_ASSIGNED"]);
    let split: Vec<(&str, &str)> = shares.iter().map(|one| (one.kind.as_str(), one.unit.as_str())).collect();
    assert_eq!(split, [("GOODS", "AUR-N"), ("MADE_TO_ORDER", "AUR-S"), ("SERVICE", "AUR-V")]);
    tale.allocation_decisions().await;
    for share in &shares {
        world.operator(&share.unit).does("acceptAllocation", share.input()).await;
        tale.seen.saw(&["ORDER_STARTED", "-ALLOCATION_ACCEPTED"]);
    }
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "60".into()));
    assert_eq!(world.counts("SCREW-8", "AUR-S-WH").await, ("1000".into(), "32".into()));
    tale.shortage(&shares[0]).await;
    let (own, all) = tale.watched(&mut progress, &mut supervisor).await;

    // Both are cut off, miss the rest of the order's life, and come back with their last cursor.
    drop((progress, supervisor));
    tale.seen.0.clear();
    tale.milestones(&shares).await;
    assert_eq!(world.counts("SCREW-8", "AUR-S-WH").await, ("968".into(), "0".into()), "used up in production");
    tale.inspections(&shares).await;
    let deliveries = tale.deliveries(&shares).await;
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("40".into(), "0".into()), "issued with the dispatch");
    let cursor = |messages: &[Value], field: &str| messages.last().expect("messages")[field]["cursor"].clone();
    let after = json!({ "after": cursor(&all, "orderEvents") });
    let mut supervisor = world.actor(Role::Supervisor).subscribe(EVENTS, after).await;
    let after = json!({ "id": tale.order, "after": cursor(&own, "orderProgress") });
    let mut progress = tale.customer.subscribe(PROGRESS, after).await;
    tale.confirmations(&deliveries).await;
    tale.ticket().await;
    tale.watched(&mut progress, &mut supervisor).await;

    let stage = world.order(&tale.order, "stage fulfillmentStatus allocationStatus").await;
    assert_eq!(stage, json!({ "stage": "COMPLETED", "fulfillmentStatus": "FULL", "allocationStatus": "FULL" }));
    // What is left of a completed order's life is after-sales.
    world
        .actor(Role::Sales)
        .refused_for(
            "cancelOrder",
            json!({ "orderId": tale.order, "reason": "Too late." }),
            &[("ILLEGAL_TRANSITION", "R4.3")],
        )
        .await;
});
