//! The queue of reviews (R2.1, R13.1): what waits, since when, and who is at it.

use std::sync::Arc;

use chrono::Utc;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::story::{line, of};
use crate::support::{Actor, World, on_both_databases};

const QUEUE: &str = "query($filter: ReviewQueueFilter, $sort: ReviewQueueOrder, $first: Int, $after: String, $last: Int, $before: String) {
  reviewQueue(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { order { id } owner { subject } waitingSince waitingMinutes awaitedLevel openChecks { kind outcome } review { status } } } }";

/// The orders of a page, in its order.
async fn queue(actor: &Actor, variables: Value) -> (Vec<String>, Value) {
    let found = actor.data(QUEUE, variables).await["reviewQueue"].clone();
    let nodes = found["nodes"].as_array().expect("nodes");
    let ids = nodes.iter().map(|node| node["order"]["id"].as_str().unwrap_or_default().to_owned()).collect();
    (ids, found)
}

async fn narrowed(actor: &Actor, filter: Value) -> Vec<String> {
    let (ids, found) = queue(actor, json!({ "filter": filter })).await;
    assert_eq!(found["totalCount"], ids.len());
    ids
}

/// Five orders: two nobody has looked at, one with each reviewer, one that waits for an answer.
async fn five(world: &Arc<World>) -> Vec<String> {
    let mut orders = Vec::new();
    for quantity in 1..=5 {
        orders.push(world.submitted(&[line("LAMP-1", &quantity.to_string())]).await);
    }
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    rita.does("startReview", of(&orders[1])).await;
    fiona.does("startReview", of(&orders[2])).await;
    rita.does("startReview", of(&orders[3])).await;
    rita.does("requestClarification", json!({ "orderId": orders[3], "question": "Why four?" })).await;
    orders
}

on_both_databases!(the_queue_tells_what_waits, |world| async move {
    let orders = five(&world).await;
    let pick = |which: &[usize]| which.iter().map(|index| orders[*index].clone()).collect::<Vec<_>>();
    let (rita, supervisor) = (world.actor(Role::Reviewer), world.actor(Role::Supervisor));
    // What has waited longest comes first; what was begun waits since then.
    let (ids, found) = queue(&rita, json!({})).await;
    assert_eq!(ids, pick(&[0, 4, 1, 2, 3]));
    let entry = |index: usize| found["nodes"][index].clone();
    assert_eq!(
        (&entry(0)["owner"], &entry(0)["review"], &entry(0)["openChecks"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    assert_eq!(entry(2)["owner"]["subject"], "rita.reviewer");
    assert_eq!((&entry(2)["awaitedLevel"], &entry(2)["waitingMinutes"]), (&json!(1), &json!(0)));

    // Pages in both directions.
    let page = json!({ "first": 2 });
    let (first, found) = queue(&supervisor, page).await;
    assert_eq!((first, &found["pageInfo"]["hasNextPage"]), (pick(&[0, 4]), &json!(true)));
    let (second, found) = queue(&supervisor, json!({ "first": 2, "after": found["pageInfo"]["endCursor"] })).await;
    assert_eq!((second, &found["pageInfo"]["hasPreviousPage"]), (pick(&[1, 2]), &json!(true)));
    let (before, _) = queue(&supervisor, json!({ "last": 1, "before": found["pageInfo"]["startCursor"] })).await;
    assert_eq!(before, pick(&[4]));
    let (last, found) = queue(&supervisor, json!({ "last": 2 })).await;
    assert_eq!(
        (last, &found["pageInfo"]["hasNextPage"], &found["totalCount"]),
        (pick(&[2, 3]), &json!(false), &json!(5))
    );
    let foreign = supervisor.query(QUEUE, json!({ "after": "bm9uZQ" })).await;
    assert_eq!(foreign.code(), "BAD_USER_INPUT");

    // Urgent ones first, when asked for.
    let urgent = json!({ "orderId": orders[2], "priority": "URGENT" });
    world.actor(Role::Sales).does("amendOrder", urgent).await;
    let (ids, found) = queue(&rita, json!({ "sort": "PRIORITY", "first": 2 })).await;
    assert_eq!(ids, pick(&[2, 0]));
    let (ids, _) = queue(&rita, json!({ "sort": "PRIORITY", "after": found["pageInfo"]["endCursor"] })).await;
    assert_eq!(ids, pick(&[4, 1, 3]));

    assert_eq!(narrowed(&rita, json!({ "mine": true })).await, pick(&[1, 3]));
    assert_eq!(narrowed(&rita, json!({ "mine": false })).await, pick(&[0, 4, 2]));
    assert_eq!(narrowed(&rita, json!({ "taken": false })).await, pick(&[0, 4]));
    assert_eq!(narrowed(&rita, json!({ "owner": "fiona.finance" })).await, pick(&[2]));
    assert_eq!(narrowed(&rita, json!({ "statuses": ["CLARIFICATION_REQUESTED"] })).await, pick(&[3]));
    assert_eq!(narrowed(&rita, json!({ "amountFrom": "378", "amountTo": "756" })).await, pick(&[1, 2, 3]));
    assert_eq!(narrowed(&rita, json!({ "awaitedLevel": 2 })).await, Vec::<String>::new());
    assert_eq!(narrowed(&rita, json!({ "waitingBefore": "2026-01-01T00:00:00Z" })).await, Vec::<String>::new());
    let now = Utc::now().to_rfc3339();
    assert_eq!(narrowed(&rita, json!({ "waitingBefore": now, "taken": true })).await, pick(&[1, 2, 3]));

    // What is decided, or gone, has left.
    rita.does("approveOrder", of(&orders[1])).await;
    rita.does("rejectOrder", json!({ "orderId": orders[2], "reason": "No." })).await;
    world.actor(Role::Sales).does("cancelOrder", json!({ "orderId": orders[0], "reason": "No." })).await;
    assert_eq!(narrowed(&rita, json!({})).await, pick(&[4, 3]));
});

on_both_databases!(a_review_is_one_persons_at_a_time, |world| async move {
    let order = world.under_review(&[line("LAMP-1", "1")]).await;
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    let owner =
        || async { world.order(&order, "review { owner { subject } }").await["review"]["owner"]["subject"].clone() };
    assert_eq!(owner().await, "rita.reviewer");
    rita.refused_for("takeReview", of(&order), &[("REVIEW_TAKEN", "R13.1")]).await;
    fiona.refused_for("takeReview", of(&order), &[("REVIEW_TAKEN", "R13.1")]).await;
    fiona.refused_for("returnReview", of(&order), &[("NOT_RESPONSIBLE", "R13.1")]).await;
    rita.does("returnReview", of(&order)).await;
    assert_eq!(owner().await, Value::Null);
    fiona.does("takeReview", of(&order)).await;
    assert_eq!(owner().await, "fiona.finance");

    let pass = |to: &str, reason: &str| json!({ "orderId": order, "to": to, "reason": reason });
    rita.refused_for("reassignReview", pass("fiona.finance", " "), &[("REQUIRED", "R1.4"), ("REVIEW_TAKEN", "R13.1")])
        .await;
    rita.refused_for("reassignReview", pass("nobody", "Away."), &[("UNKNOWN_PERSON", "R13.1")]).await;
    let submitter = [("ROLE_NOT_PERMITTED", "R13.1"), ("SEPARATION_OF_DUTIES", "R2.1")];
    rita.refused_for("reassignReview", pass("sam.sales", "Away."), &submitter).await;
    rita.does("reassignReview", pass("rita.reviewer", "Fiona is on leave.")).await;
    assert_eq!(owner().await, "rita.reviewer");
    let told = world.order(&order, "timeline(last: 1) { nodes { kind note } }").await;
    assert_eq!(told["timeline"]["nodes"], json!([{ "kind": "REVIEW_REASSIGNED", "note": "Fiona is on leave." }]));
    // What the server says can be done is what can be done.
    let offered = "query($id: ID!) { order(by: { id: $id }) { availableActions { action allowed } } }";
    let found = rita.data(offered, json!({ "id": order })).await;
    let allowed: Vec<&str> = found["order"]["availableActions"]
        .as_array()
        .expect("actions")
        .iter()
        .filter(|one| one["allowed"] == true)
        .filter_map(|one| one["action"].as_str())
        .collect();
    assert_eq!(
        allowed,
        ["RETURN_REVIEW", "REASSIGN_REVIEW", "REQUEST_CLARIFICATION", "APPROVE_ORDER", "REJECT_ORDER", "PLACE_HOLD"]
    );
    // Of two who take it at once, one has it.
    rita.does("returnReview", of(&order)).await;
    let (one, other) = tokio::join!(rita.act("takeReview", of(&order)), fiona.act("takeReview", of(&order)));
    let taken = [one, other].iter().filter(|answer| answer.data()["takeReview"]["userErrors"] == json!([])).count();
    assert_eq!(taken, 1);
});

on_both_databases!(the_queue_is_followed_live, |world| async move {
    let document = "subscription { reviewUpdates { cursor event { kind } order { id status }
        entry { owner { subject } awaitedLevel openChecks { kind } } } }";
    let (rita, supervisor) = (world.actor(Role::Reviewer), world.actor(Role::Supervisor));
    let mut stream = supervisor.subscribe(document, json!({})).await;
    let order = world.submitted(&[line("LAMP-1", "1")]).await;
    rita.does("startReview", of(&order)).await;
    rita.does("returnReview", of(&order)).await;
    rita.does("takeReview", of(&order)).await;
    rita.does("approveOrder", of(&order)).await;
    let mut told = Vec::new();
    let mut last = Value::Null;
    while told.len() < 5 {
        last = stream.next().await["reviewUpdates"].clone();
        assert_eq!(last["order"]["id"], json!(order));
        told.push(last["event"]["kind"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(told, ["ORDER_SUBMITTED", "ORDER_REVIEW_STARTED", "REVIEW_RETURNED", "REVIEW_TAKEN", "ORDER_APPROVED"]);
    assert_eq!((&last["order"]["status"], &last["entry"]), (&json!("APPROVED"), &Value::Null));
});
