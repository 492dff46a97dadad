//! Allocation by hand, declining, holds, and work that only the right people do (R3, R5).

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of};

on_both_databases!(a_unit_that_declines_is_left_out, |world| async move {
    let (order, shares) = world.allocated(&[line("LAMP-1", "5")]).await;
    assert_eq!(shares[0].unit, "AUR-N");
    let decline = json!({ "allocationId": shares[0].id, "reason": "Stocktaking." });
    // Only the unit itself answers: the south does not even see it.
    assert_eq!(world.operator("AUR-S").fails("declineAllocation", decline.clone()).await, "NOT_FOUND");
    world.operator("AUR-N").does("declineAllocation", decline.clone()).await;
    let found = world
        .order(
            &order,
            "status allocationStatus lines { quantities { allocated } } allocations { status declineReason }",
        )
        .await;
    assert_eq!(
        found,
        json!({
            "status": "APPROVED", "allocationStatus": "NONE", "lines": [{ "quantities": { "allocated": "0" } }],
            "allocations": [{ "status": "DECLINED", "declineReason": "Stocktaking." }],
        })
    );
    let again = world.allocate(&order).await;
    assert_eq!(again[0].unit, "AUR-S");
    let decisions = world
        .order(&order, "allocations { decision { candidates { unitCode eligible verdicts { rule passed } } } }")
        .await;
    let north = &decisions["allocations"][1]["decision"]["candidates"][0];
    assert_eq!(north["unitCode"], "AUR-N");
    assert_eq!(north["eligible"], false);
    let verdicts = north["verdicts"].as_array().expect("verdicts");
    assert!(verdicts.contains(&json!({ "rule": "NOT_EXCLUDED", "passed": false })));
    // Once the south declines as well, nobody is left.
    let decline = json!({ "allocationId": again[0].id, "reason": "Full." });
    world.operator("AUR-S").does("declineAllocation", decline).await;
    world.actor(Role::Dispatcher).refused_for("allocateOrder", of(&order), &[("NO_CAPABLE_UNIT", "R3.1")]).await;
});

on_both_databases!(a_share_is_moved_by_hand_with_a_reason, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "5")]).await;
    assert_eq!(world.counts("LAMP-1", "AUR-N-WH").await, ("400".into(), "5".into()));
    let dispatcher = world.actor(Role::Dispatcher);
    let units = dispatcher.data("{ units { id code } }", json!({})).await;
    let unit = |code: &str| {
        let units = units["units"].as_array().expect("units");
        units.iter().find(|one| one["code"] == code).expect("the unit")["id"].clone()
    };
    let to = |code: &str, reason: &str| json!({ "allocationId": shares[0].id, "unitId": unit(code), "reason": reason });
    dispatcher.refused_for("reassignAllocation", to("AUR-S", ""), &[("REQUIRED", "R1.4")]).await;
    dispatcher.refused_for("reassignAllocation", to("AUR-N", "Why not."), &[("UNIT_EXCLUDED", "R3.3")]).await;
    dispatcher.refused_for("reassignAllocation", to("AUR-V", "Try."), &[("NO_CAPABLE_UNIT", "R3.1")]).await;
    dispatcher.refused_for("reassignAllocation", to("AUR-CS", "Try."), &[("UNKNOWN_UNIT", "R3.3")]).await;
    let payload = dispatcher.does("reassignAllocation", to("AUR-S", "A special customer.")).await;
    assert_eq!(payload["allocation"]["status"], "ASSIGNED");
    assert_eq!(payload["allocation"]["unit"]["code"], "AUR-S");
    assert_eq!(world.counts("LAMP-1", "AUR-N-WH").await, ("400".into(), "0".into()), "released once");
    let found = world
        .order(&order, "allocations { status unit { code } decision { mode reason decidedBy { subject } } reservations { status } }")
        .await;
    assert_eq!(found["allocations"][0]["status"], "SUPERSEDED");
    assert_eq!(found["allocations"][0]["reservations"], json!([{ "status": "RELEASED" }]));
    assert_eq!(
        found["allocations"][1]["decision"],
        json!({ "mode": "MANUAL", "reason": "A special customer.", "decidedBy": { "subject": "dan.dispatcher" } })
    );
    // What was the north's is no longer its business.
    let gone = world
        .operator("AUR-N")
        .query("query($id: ID!) { order(by: { id: $id }) { number } }", json!({ "id": order }))
        .await;
    assert_eq!(gone.data()["order"], Value::Null);
    dispatcher.refused_for("reassignAllocation", to("AUR-S", "Again."), &[("ILLEGAL_TRANSITION", "R3.3")]).await;
});

on_both_databases!(a_hold_stops_the_order_until_every_hold_is_released, |world| async move {
    let order = world.approved(&[line("LAMP-1", "5")]).await;
    let dispatcher = world.actor(Role::Dispatcher);
    let hold = |reason: &str| json!({ "orderId": order, "reason": reason });
    dispatcher.does("placeHold", hold("The permit is missing.")).await;
    let payload = dispatcher.does("placeHold", hold("The address is being checked.")).await;
    let holds: Vec<Value> = payload["order"]["holds"].as_array().expect("holds").clone();
    let release = |index: usize| json!({ "orderId": order, "holdId": holds[index]["id"] });
    let twice = [("ORDER_ON_HOLD", "R5.4"), ("ORDER_ON_HOLD", "R5.4")];
    dispatcher.refused_for("allocateOrder", of(&order), &twice).await;
    dispatcher.does("releaseHold", release(0)).await;
    dispatcher.refused_for("releaseHold", release(0), &[("UNKNOWN_HOLD", "R5.4")]).await;
    dispatcher.refused_for("allocateOrder", of(&order), &twice[..1]).await;
    dispatcher.does("releaseHold", release(1)).await;
    assert_eq!(world.status(&order).await, "APPROVED", "the order is where it was");
    let shares = world.allocate(&order).await;

    // A hold stops every step forward, and lets what is under way be finished.
    let operator = world.operator("AUR-N");
    let placed = dispatcher.does("placeHold", hold("The customer asked us to wait.")).await;
    operator.refused_for("acceptAllocation", shares[0].input(), &twice[..1]).await;
    let release = json!({ "orderId": order, "holdId": placed["order"]["holds"][0]["id"] });
    dispatcher.does("releaseHold", release).await;
    operator.does("acceptAllocation", shares[0].input()).await;
    let milestone = json!({ "milestoneId": world.open_milestones(&shares[0]).await[0].0 });
    dispatcher.does("placeHold", hold("Again.")).await;
    operator.refused_for("startMilestone", milestone, &twice[..1]).await;
});

on_both_databases!(milestones_are_for_those_who_are_responsible, |world| async move {
    let (_, shares) = world.allocated(&[line("BENCH-X", "1")]).await;
    let operator = world.operator("AUR-S");
    let for_somebody = |subject: &str| json!({ "allocationId": shares[0].id, "responsible": subject });
    operator.refused_for("acceptAllocation", for_somebody("sam.sales"), &[("NOT_RESPONSIBLE", "R5.1")]).await;
    operator.does("acceptAllocation", for_somebody("oscar.operator")).await;
    let milestones = world.open_milestones(&shares[0]).await;
    let at = |index: usize| json!({ "milestoneId": milestones[index].0 });
    // Another operator of the same unit, who is not named.
    let mut other = operator.identity.clone();
    other.subject = "orla.operator".to_owned();
    world.bearer(other).refused_for("startMilestone", at(0), &[("NOT_RESPONSIBLE", "R5.2")]).await;
    operator.refused_for("startMilestone", at(1), &[("MILESTONE_ORDER", "R5.1")]).await;
    operator
        .refused_for("completeMilestone", at(0), &[("ILLEGAL_TRANSITION", "R5.2"), ("ILLEGAL_TRANSITION", "R5.2")])
        .await;
    operator.does("startMilestone", at(0)).await;
    let mut block = at(0);
    block["cause"] = json!("The saw is broken.");
    block["measure"] = json!(" ");
    operator.refused_for("blockMilestone", block.clone(), &[("REQUIRED", "R1.4")]).await;
    block["measure"] = json!("A new blade comes tomorrow.");
    operator.does("blockMilestone", block).await;
    operator.refused_for("completeMilestone", at(0), &[("ILLEGAL_TRANSITION", "R5.2")]).await;
    operator.does("startMilestone", at(0)).await;
    operator.does("completeMilestone", at(0)).await;
    // Nothing is inspected before everything is done, and never by whoever did it.
    let inspect =
        json!({ "allocationId": shares[0].id, "checklist": crate::support::World::checklist("MADE_TO_ORDER", true) });
    // With nothing ready, nothing can pass, and what does not pass takes findings.
    let early = [("ILLEGAL_TRANSITION", "R6.2"), ("NOTHING_TO_INSPECT", "R6.1"), ("REQUIRED", "R1.4")];
    world.actor(Role::Inspector).refused_for("recordInspection", inspect.clone(), &early).await;
    world.work(&shares[0]).await;
    let mut both = operator.identity.clone();
    both.roles.push("INSPECTOR".to_owned());
    world.bearer(both).refused_for("recordInspection", inspect.clone(), &[("SEPARATION_OF_DUTIES", "R6.1")]).await;
    let mut partial = inspect;
    partial["checklist"] = json!([{ "item": "QUALITY", "passed": true }, { "item": "SMELL", "passed": true }]);
    let wrong = world.actor(Role::Inspector).refused("recordInspection", partial).await;
    let codes: Vec<&str> = wrong.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["CHECKLIST_INCOMPLETE", "CHECKLIST_INCOMPLETE", "UNKNOWN_CHECKLIST_ITEM"]);
});
