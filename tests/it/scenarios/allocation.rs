//! Allocation (R3): by rules that explain themselves, tried out before they are in force, and by hand.

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use ordergraph::domain::allocation::{AllocationRule, AllocationRules, Criterion, UnitTerms};
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::story::{line, of, order_id, submission};
use crate::support::{World, on_both_databases};

/// Everything a decision says, apart from who decided and when.
const DECISION: &str = "kind decidedByRule abstentions { rule name reason } parts { unitCode lineNumber quantity }
    unallocated { lineNumber quantity } candidates { unitCode eligible chosen verdicts { rule name passed score reason }
    facts { capabilities regions openAllocations openQuantity allocationsToday available { sku quantity } } }";

/// Who does what when nobody calls, as the log of the clock names it.
const ALLOCATES: &str = "allocate what waits for a unit";
const ESCALATES: &str = "escalate what units have not answered";

/// Puts rules in force that differ in how orders are allocated.
async fn allocate_by(world: &World, change: impl FnOnce(&mut AllocationRules)) {
    world.rules(|rules| change(rules.allocation.as_mut().expect("rules of allocation"))).await;
}

/// Lets the clock do what will be due in so many hours. Says what it did.
async fn in_hours(world: &World, hours: i64) -> Vec<(&'static str, usize)> {
    let mut done = Vec::new();
    for duty in [ALLOCATES, ESCALATES] {
        match world.clock_does(duty, chrono::Duration::hours(hours)).await {
            0 => {}
            count => done.push((duty, count)),
        }
    }
    done
}

async fn urgent(world: &Arc<World>, lines: &[Value]) -> String {
    let mut input = submission(lines);
    input["priority"] = json!("URGENT");
    let order = order_id(&world.actor(Role::Sales).does("submitOrder", input).await);
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    world.approve(&order).await;
    order
}

pub(super) async fn unit(world: &Arc<World>, code: &str) -> Value {
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
    let units = units["units"].as_array().expect("units");
    units.iter().find(|one| one["code"] == code).expect("the unit")["id"].clone()
}

async fn simulated(world: &Arc<World>, of: Value, rules: Value) -> Value {
    let document = format!(
        "query($of: AllocationSubject!, $rules: AllocationRuleSet) {{
           simulateAllocation(of: $of, ruleSet: $rules) {{ ruleSetVersion decisions {{ {DECISION} }} }} }}"
    );
    let found = world.actor(Role::Dispatcher).data(&document, json!({ "of": of, "rules": rules })).await;
    found["simulateAllocation"].clone()
}

fn parts(decision: &Value) -> Vec<(String, i64, String)> {
    let parts = decision["parts"].as_array().expect("parts");
    let part =
        |one: &Value| (text(&one["unitCode"]), one["lineNumber"].as_i64().expect("a number"), text(&one["quantity"]));
    parts.iter().map(part).collect()
}

/// Lines of live shares, by unit: quantity and what is reserved of it.
pub(super) async fn held(world: &Arc<World>, order: &str) -> Vec<(String, String, String)> {
    let found = world.order(order, "allocations { status unit { code } lines { quantity reserved } }").await;
    let mut held = Vec::new();
    for share in found["allocations"].as_array().expect("allocations") {
        if !["SUPERSEDED", "DECLINED", "CANCELLED"].contains(&share["status"].as_str().expect("a status")) {
            for line in share["lines"].as_array().expect("lines") {
                held.push((text(&share["unit"]["code"]), text(&line["quantity"]), text(&line["reserved"])));
            }
        }
    }
    held.sort();
    held
}

pub(super) fn row(unit: &str, quantity: &str, reserved: &str) -> (String, String, String) {
    (unit.to_owned(), quantity.to_owned(), reserved.to_owned())
}

on_both_databases!(a_simulation_changes_nothing_and_is_what_comes_true, |world| async move {
    // Nine hundred cables lie in the north and seven hundred in the south; urgent ones may come from both.
    let lines = [line("CABLE-5", "1200"), line("LAMP-1", "3"), line("BENCH-X", "2"), line("INSTALL", "4")];
    let order = urgent(&world, &lines).await;
    let before = world.state().await;
    let foreseen = simulated(&world, json!({ "orderId": order }), Value::Null).await;
    assert_eq!(before, world.state().await, "a simulation leaves no trace");
    assert_eq!(foreseen["ruleSetVersion"], 1);
    let goods = &foreseen["decisions"][0];
    let expected = [("AUR-N", 1, "900"), ("AUR-N", 2, "3"), ("AUR-S", 1, "300")];
    assert_eq!(parts(goods), expected.map(|(unit, line, quantity)| (unit.to_owned(), line, quantity.to_owned())));
    assert_eq!((&goods["decidedByRule"], &goods["unallocated"]), (&json!("HOME_REGION"), &json!([])));
    let north = &goods["candidates"][0];
    assert_eq!(
        north["facts"]["available"],
        json!([{ "sku": "CABLE-5", "quantity": "900" }, { "sku": "LAMP-1", "quantity": "400" }])
    );
    let known = north["verdicts"].as_array().expect("verdicts").iter().map(|one| one["rule"].clone());
    assert_eq!(
        known.collect::<Vec<_>>(),
        ["CAPABILITY", "REGION_SERVED", "UNIT_CAPACITY", "NOT_EXCLUDED", "HOME_REGION"]
    );

    let shares = world.allocate(&order).await;
    let units: Vec<&str> = shares.iter().map(|share| share.unit.as_str()).collect();
    assert_eq!(units, ["AUR-N", "AUR-S", "AUR-S", "AUR-V"]);
    let found = world.order(&order, &format!("allocations {{ kind decision {{ id {DECISION} }} }}")).await;
    let shares_of = found["allocations"].as_array().expect("allocations");
    // Both shares of goods tell the same decision.
    assert_eq!(shares_of[0]["decision"]["id"], shares_of[1]["decision"]["id"]);
    let mut made: Vec<Value> = [0, 2, 3].map(|index: usize| shares_of[index]["decision"].clone()).to_vec();
    for decision in &mut made {
        decision.as_object_mut().expect("a decision").remove("id");
    }
    assert_eq!(json!(made), foreseen["decisions"]);
    for share in &shares {
        world.operator(&share.unit).does("acceptAllocation", share.input()).await;
    }
    assert_eq!(world.counts("CABLE-5", "AUR-N-WH").await, ("900".into(), "900".into()));
    assert_eq!(world.counts("CABLE-5", "AUR-S-WH").await, ("700".into(), "300".into()));
});

on_both_databases!(rules_are_tried_out_on_what_nobody_ordered, |world| async move {
    let draft = json!({ "draft": {
        "region": "NORTH", "channel": "E_COMMERCE", "customerGroup": "RETAIL",
        "lines": [{ "sku": "LAMP-1", "quantity": "10" }],
    } });
    let by = |rules: Value| json!({ "draft": rules });
    let decided = simulated(&world, draft.clone(), Value::Null).await;
    assert_eq!(
        (&decided["ruleSetVersion"], &decided["decisions"][0]["decidedByRule"]),
        (&json!(1), &json!("HOME_REGION"))
    );
    // Cheaper comes first; a rule for wholesalers does not apply and says so.
    let rules = json!({
        "filters": [{ "rule": "ONLY_UNITS", "units": ["AUR-N"], "name": "wholesale from the north",
                      "when": { "customerGroups": ["WHOLESALE"] } }],
        "rankers": [{ "rule": "LEAD_TIME" }, { "rule": "COST" }],
        "units": [{ "unit": "AUR-N", "cost": "12.5" }, { "unit": "AUR-S", "cost": "9", "leadDays": 2 }],
    });
    let decided = simulated(&world, draft.clone(), by(rules)).await;
    let decision = &decided["decisions"][0];
    assert_eq!(decided["ruleSetVersion"], Value::Null);
    assert_eq!(parts(decision), [("AUR-S".to_owned(), 1, "10".to_owned())]);
    assert_eq!(decision["decidedByRule"], "COST");
    assert_eq!(
        decision["abstentions"],
        json!([
            { "rule": "ONLY_UNITS", "name": "wholesale from the north", "reason": "applies to none of the lines." },
            { "rule": "LEAD_TIME", "name": null, "reason": "AUR-N has no known lead time." },
        ])
    );
    let document = "query($of: AllocationSubject!, $rules: AllocationRuleSet) {
        simulateAllocation(of: $of, ruleSet: $rules) { ruleSetVersion } }";
    let dispatcher = world.actor(Role::Dispatcher);
    let wrong =
        by(json!({ "filters": [{ "rule": "LOAD" }], "rankers": [{ "rule": "PREFERRED_UNIT", "units": ["XY"] }] }));
    let answer = dispatcher.query(document, json!({ "of": draft, "rules": wrong })).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert_eq!(answer.body["errors"][0]["message"], "LOAD does not belong among the filters. There is no unit XY.");
    let unknown = json!({ "of": draft, "rules": { "version": 77 } });
    assert_eq!(dispatcher.query(document, unknown).await.code(), "NOT_FOUND");
});

on_both_databases!(what_no_unit_takes_is_looked_after, |world| async move {
    allocate_by(&world, |rules| {
        rules.automatic.approved = true;
        rules.units = ["AUR-N", "AUR-S"]
            .map(|unit| UnitTerms {
                unit: unit.to_owned(),
                open_allocations: Some(i64::from(unit == "AUR-S")),
                ..UnitTerms::default()
            })
            .to_vec();
    })
    .await;
    let dispatcher = world.actor(Role::Dispatcher);
    let mut alerts = dispatcher
        .subscribe("subscription { allocationAlerts { event { kind } order { id } allocation { id } } }", json!({}))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    // The south takes one share: the goods come first, and nobody is left for the benches.
    let order = world.approved(&[line("LAMP-1", "5"), line("BENCH-X", "1")]).await;
    assert_eq!(in_hours(&world, 0).await, [(ALLOCATES, 1)]);
    assert_eq!(held(&world, &order).await, [row("AUR-S", "5", "0")]);
    let alert = alerts.next().await;
    assert_eq!(
        alert["allocationAlerts"],
        json!({ "event": { "kind": "ORDER_PARTLY_ALLOCATED" }, "order": { "id": order }, "allocation": null })
    );
    let other = world.approved(&[line("LAMP-2", "1")]).await;
    assert_eq!(in_hours(&world, 0).await, [(ALLOCATES, 1)]);
    assert_eq!(alerts.next().await["allocationAlerts"]["event"]["kind"], "ORDER_UNALLOCATABLE");
    let document = "{ unallocatableOrders(first: 10) { totalCount nodes { order { id } open { lineNumber sku quantity }
        decisions { kind unallocated { lineNumber quantity }
                    candidates { unitCode eligible verdicts { rule passed reason } } } } } }";
    let queue = dispatcher.data(document, json!({})).await["unallocatableOrders"].clone();
    assert_eq!(queue["totalCount"], 2);
    assert_eq!(queue["nodes"][0]["order"]["id"], order);
    assert_eq!(queue["nodes"][0]["open"], json!([{ "lineNumber": 2, "sku": "BENCH-X", "quantity": "1" }]));
    let decisions = queue["nodes"][0]["decisions"].as_array().expect("decisions");
    assert_eq!(decisions.len(), 1, "what was allocated needs no explanation");
    let south = &decisions[0]["candidates"][1];
    assert!(south["verdicts"].as_array().expect("verdicts").contains(
        &json!({ "rule": "UNIT_CAPACITY", "passed": false, "reason": "has 1 open allocations of at most 1." })
    ));
    // It is not tried again at every look, but after an hour; in vain, and the queue remembers since when.
    assert_eq!(in_hours(&world, 0).await, []);
    assert_eq!(in_hours(&world, 2).await, [(ALLOCATES, 2)]);
    assert_eq!(in_hours(&world, 2).await, []);
    // A person is told at once.
    dispatcher.refused_for("allocateOrder", of(&order), &[("NO_CAPABLE_UNIT", "R3.1")]).await;
    let lines = world.order(&order, "lines { id }").await["lines"].clone();
    let share = |line: usize, unit: &Value, quantity: &str| json!({ "lineId": lines[line]["id"], "unitId": unit, "quantity": quantity });
    let (north, south, services) =
        (unit(&world, "AUR-N").await, unit(&world, "AUR-S").await, unit(&world, "AUR-V").await);
    let by_hand = |shares: Value| json!({ "orderId": order, "reason": "A special customer.", "shares": shares });
    let refused = dispatcher
        .refused(
            "allocateManually",
            by_hand(json!([share(1, &services, "0.5"), share(0, &north, "1"), share(1, &south, "0.6")])),
        )
        .await;
    let told: Vec<(&str, &str)> = refused.iter().map(|one| (one.code.as_str(), one.path.as_str())).collect();
    assert_eq!(
        told,
        [
            ("NO_CAPABLE_UNIT", "shares.0.unitId"),
            ("QUANTITY_EXCEEDED", "shares.1.quantity"),
            ("QUANTITY_EXCEEDED", "shares.2.quantity")
        ]
    );
    // A full unit may be overruled.
    let payload = dispatcher.does("allocateManually", by_hand(json!([share(1, &south, "1")]))).await;
    assert_eq!(payload["allocations"][0]["unit"]["code"], "AUR-S");
    let decision =
        world.order(&order, "allocations { kind decision { mode reason parts { unitCode quantity } } }").await;
    assert_eq!(
        decision["allocations"][1]["decision"],
        json!({ "mode": "MANUAL", "reason": "A special customer.", "parts": [{ "unitCode": "AUR-S", "quantity": "1" }] })
    );
    world.actor(Role::Sales).does("cancelOrder", json!({ "orderId": other, "reason": "No longer wanted." })).await;
    let queue = dispatcher.data("{ unallocatableOrders(first: 10) { totalCount } }", json!({})).await;
    assert_eq!(queue["unallocatableOrders"]["totalCount"], 0, "allocated or cancelled, it has left the queue");
});

on_both_databases!(a_unit_that_does_not_answer_is_passed_over, |world| async move {
    allocate_by(&world, |rules| rules.automatic.declined = true).await;
    let order = urgent(&world, &[line("LAMP-1", "5")]).await;
    let share = world.allocate(&order).await.remove(0);
    assert_eq!(share.unit, "AUR-N");
    let document = "query($id: ID!) { node(id: $id) { ... on Allocation {
        status assignedAt acceptBy escalationLevel declineReason } } }";
    let dispatcher = world.actor(Role::Dispatcher);
    let state = |id: String| {
        let dispatcher = dispatcher.clone();
        async move { dispatcher.data(document, json!({ "id": id })).await["node"].clone() }
    };
    let hours = |state: &Value| {
        let moment = |name: &str| state[name].as_str().expect("a moment").parse::<chrono::DateTime<chrono::Utc>>();
        (moment("acceptBy").expect("a moment") - moment("assignedAt").expect("a moment")).num_hours()
    };
    assert_eq!(hours(&state(share.id.clone()).await), 4);
    assert_eq!(in_hours(&world, 3).await, []);
    world.actor(Role::System).refused_for("escalateAllocation", share.input(), &[("NOT_DUE", "R3.1")]).await;
    // First somebody is told; the unit may still answer.
    assert_eq!(in_hours(&world, 5).await, [(ESCALATES, 1)]);
    assert_eq!(in_hours(&world, 5).await, []);
    let escalated = state(share.id.clone()).await;
    assert_eq!((&escalated["status"], &escalated["escalationLevel"]), (&json!("ASSIGNED"), &json!(1)));
    assert_eq!(hours(&escalated), 24);
    let queue = "query($yes: Boolean!) { allocations(first: 9, filter: { escalated: $yes }) { nodes { id } } }";
    let escalations = dispatcher.data(queue, json!({ "yes": true })).await;
    assert_eq!(escalations["allocations"]["nodes"], json!([{ "id": share.id }]));
    assert_eq!(dispatcher.data(queue, json!({ "yes": false })).await["allocations"]["nodes"], json!([]));
    // Then it counts as declined, and another unit gets it.
    assert_eq!(in_hours(&world, 25).await, [(ESCALATES, 1)]);
    let declined = state(share.id.clone()).await;
    assert_eq!((&declined["status"], &declined["declineReason"]), (&json!("DECLINED"), &json!("no answer")));
    assert_eq!(declined["acceptBy"], Value::Null);
    assert_eq!(in_hours(&world, 0).await, [(ALLOCATES, 1)]);
    assert_eq!(held(&world, &order).await, [row("AUR-S", "5", "0")]);
    // Whoever answers in time is left alone.
    let shares = world.order(&order, "allocations { id status }").await;
    let next = json!({ "allocationId": shares["allocations"][1]["id"] });
    world.operator("AUR-S").does("acceptAllocation", next).await;
    assert_eq!(in_hours(&world, 48).await, []);
    // An order that is not urgent waits as long as it takes, and what is on hold does not grow late.
    world.allocated(&[line("LAMP-1", "7")]).await;
    let held_up = urgent(&world, &[line("LAMP-1", "6")]).await;
    world.allocate(&held_up).await;
    dispatcher.does("placeHold", json!({ "orderId": held_up, "reason": "Wait." })).await;
    assert_eq!(in_hours(&world, 48).await, []);
});

on_both_databases!(other_rules_are_tried_on_the_past, |world| async move {
    world.allocated(&[line("PANEL-9", "50")]).await;
    let (second, shares) = world.accepted(&[line("PANEL-9", "20"), line("INSTALL", "1")]).await;
    // By hand: not for rules to judge.
    let moved =
        json!({ "allocationId": shares[0].id, "unitId": unit(&world, "AUR-S").await, "reason": "A special customer." });
    world.actor(Role::Dispatcher).does("reassignAllocation", moved).await;
    let replay = |rules: Value, after: Value, limit: i64| {
        let supervisor = world.actor(Role::Supervisor);
        let document =
            "query($rules: AllocationRuleSet, $from: DateTime!, $to: DateTime!, $after: String, $limit: Int!) {
            replayAllocations(ruleSet: $rules, from: $from, to: $to, after: $after, limit: $limit) {
              decisions skipped orders movedOrders cursor
              moves { fromUnitCode toUnitCode orders quantity }
              sample { order { id } moves { fromUnitCode toUnitCode quantity } } } }";
        let hour = chrono::Duration::hours(1);
        let (from, to) = (chrono::Utc::now() - hour, chrono::Utc::now() + hour);
        let variables =
            json!({ "rules": rules, "from": from.to_rfc3339(), "to": to.to_rfc3339(), "after": after, "limit": limit });
        async move { supervisor.data(document, variables).await["replayAllocations"].clone() }
    };
    let before = world.state().await;
    let same = replay(Value::Null, Value::Null, 100).await;
    assert_eq!(
        same,
        json!({ "decisions": 3, "skipped": 0, "orders": 2, "movedOrders": 0, "cursor": null, "moves": [], "sample": [] })
    );
    // What was in stock decides, as it was then: of sixty none was reserved at either time. That goods came
    // in since does not count.
    let item = world.stock("PANEL-9", "AUR-S-WH").await["id"].clone();
    let stocked = json!({ "draft": { "rankers": [{ "rule": "STOCK" }] } });
    world.person("wendy.warehouse").does("receiveStock", json!({ "stockItemId": item, "quantity": "900" })).await;
    let by_stock = replay(stocked, Value::Null, 100).await;
    assert_eq!(by_stock["movedOrders"], 0, "24 in the south are less than 50, and as many as 20: the code decides");
    let south = json!({ "draft": { "rankers": [{ "rule": "PREFERRED_UNIT", "units": ["AUR-S"] }] } });
    let found = replay(south.clone(), Value::Null, 100).await;
    assert_eq!((&found["orders"], &found["movedOrders"]), (&json!(2), &json!(2)));
    assert_eq!(
        found["moves"],
        json!([{ "fromUnitCode": "AUR-N", "toUnitCode": "AUR-S", "orders": 2, "quantity": "70" }])
    );
    assert_eq!(
        found["sample"][1],
        json!({ "order": { "id": second }, "moves": [{ "fromUnitCode": "AUR-N", "toUnitCode": "AUR-S", "quantity": "20" }] })
    );
    // Piece by piece, the same comes out.
    let (mut after, mut pieces, mut moved) = (Value::Null, 0, 0);
    loop {
        let piece = replay(south.clone(), after, 1).await;
        pieces += piece["decisions"].as_i64().expect("a number");
        moved += piece["movedOrders"].as_i64().expect("a number");
        after = piece["cursor"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!((pieces, moved), (3, 2));
    let nobody = json!({ "draft": { "filters": [{ "rule": "NOT_UNITS", "units": ["AUR-V"] }] } });
    let found = replay(nobody, Value::Null, 100).await;
    assert_eq!(found["moves"], json!([{ "fromUnitCode": "AUR-V", "toUnitCode": null, "orders": 1, "quantity": "1" }]));
    let mut after = world.state().await;
    after.insert("stock_item versions".to_owned(), before["stock_item versions"]);
    after.insert("event".to_owned(), before["event"]);
    after.insert("stock_movement".to_owned(), before["stock_movement"]);
    assert_eq!(before, after, "apart from the goods that came in, nothing changed");
});

on_both_databases!(a_declined_share_is_given_on_by_itself_where_the_rules_say_so, |world| async move {
    allocate_by(&world, |rules| {
        rules.automatic.declined = true;
        rules.rankers.insert(
            0,
            Criterion { units: vec!["AUR-S".to_owned()], ..Criterion::always(AllocationRule::PreferredUnit) },
        );
    })
    .await;
    let order = world.approved(&[line("LAMP-1", "5")]).await;
    assert_eq!(in_hours(&world, 0).await, [], "approved orders are for people to allocate by these rules");
    let shares = world.allocate(&order).await;
    assert_eq!(shares[0].unit, "AUR-S");
    let decline = json!({ "allocationId": shares[0].id, "reason": "Full." });
    world.operator("AUR-S").does("declineAllocation", decline).await;
    assert_eq!(in_hours(&world, 0).await, [(ALLOCATES, 1)]);
    assert_eq!(held(&world, &order).await, [row("AUR-N", "5", "0")]);
    let found = world.order(&order, "allocations { decision { decidedBy { subject } mode } }").await;
    assert_eq!(found["allocations"][1]["decision"], json!({ "decidedBy": { "subject": "system" }, "mode": "AUTO" }));
});
