//! Amendments (R1.4, R2.6): what is changed of an order is reviewed again, and until a unit has a share of it.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of, order_id, own_submission};

const REVIEWED: &str = "status version note priority requiredBy contact { companyName phone } deliveryAddress { city }
  total { amount } lines { specification quantities { ordered } total { amount } }
  review { status decision { approved } owner { subject }
    approvals { level valid approvedBy { subject } invalidation { reason by { subject } } } }";

on_both_databases!(an_amendment_after_approval_takes_the_approval_back, |world| async move {
    let customer = world.customer("C-1001");
    let payload = customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await;
    let (order, line_id) = (order_id(&payload), payload["order"]["lines"][0]["id"].clone());
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    world.approve(&order).await;

    // What no review looks at leaves the approval alone.
    let amended = json!({ "orderId": order, "note": "Ring twice.", "priority": "URGENT" });
    customer.does("amendOrder", amended.clone()).await;
    let found = world.order(&order, REVIEWED).await;
    assert_eq!(
        (&found["status"], &found["note"], &found["priority"]),
        (&json!("APPROVED"), &json!("Ring twice."), &json!("URGENT"))
    );
    assert_eq!(found["review"]["decision"], json!({ "approved": true }));
    // The same again changes nothing, and leaves no trace.
    let before = world.state().await;
    customer.does("amendOrder", amended).await;
    assert_eq!(before, world.state().await);

    let lines = json!([{ "lineId": line_id, "quantity": "3", "specification": "black" }]);
    customer.does("amendOrder", json!({ "orderId": order, "lines": lines })).await;
    let found = world.order(&order, REVIEWED).await;
    assert_eq!(found["status"], "UNDER_REVIEW");
    assert_eq!(found["total"]["amount"], "567");
    let line_now = json!({ "specification": "black", "quantities": { "ordered": "3" }, "total": { "amount": "567" } });
    assert_eq!(found["lines"], json!([line_now]));
    let former = json!({
        "level": 1, "valid": false, "approvedBy": { "subject": "fiona.finance" },
        "invalidation": {
            "reason": "The order was changed by whoever placed it.", "by": { "subject": "customer.c-1001" },
        },
    });
    assert_eq!(found["review"], json!({ "status": "OPEN", "decision": null, "owner": null, "approvals": [former] }));
    world.actor(Role::Dispatcher).refused_for("allocateOrder", of(&order), &[("ILLEGAL_TRANSITION", "R3.1")]).await;

    // The same person may approve what the order is now.
    world.approve(&order).await;
    let found = world.order(&order, REVIEWED).await;
    let valid: Vec<&Value> =
        found["review"]["approvals"].as_array().expect("approvals").iter().map(|one| &one["valid"]).collect();
    assert_eq!((&found["status"], valid), (&json!("APPROVED"), vec![&json!(false), &json!(true)]));

    // Once a unit has a share, it is too late.
    world.allocate(&order).await;
    let late = json!({ "orderId": order, "note": "Ring once." });
    customer.refused_for("amendOrder", late, &[("ALREADY_ALLOCATED", "R3.1")]).await;
});

on_both_databases!(what_is_wrong_with_an_amendment_is_said_at_once, |world| async move {
    let sales = world.actor(Role::Sales);
    let order = world.submitted(&[line("LAMP-1", "2")]).await;
    let other = world.submitted(&[line("CABLE-5", "2")]).await;
    let line_of = |order: String| {
        let world = world.clone();
        async move { world.order(&order, "lines { id }").await["lines"][0]["id"].clone() }
    };
    let (own, foreign) = (line_of(order.clone()).await, line_of(other).await);
    let input = json!({
        "orderId": order,
        "deliveryAddress": { "street": " ", "city": "Hangzhou", "countryCode": "China" },
        "requiredBy": "2020-01-01",
        "note": " ",
        "lines": [
            { "lineId": own, "quantity": "0" },
            { "lineId": own, "quantity": "1.2345" },
            { "lineId": foreign, "specification": " " },
        ],
    });
    let found = sales.refused("amendOrder", input).await;
    let found: Vec<(&str, &str)> = found.iter().map(|one| (one.code.as_str(), one.path.as_str())).collect();
    assert_eq!(
        found,
        [
            ("REQUIRED", "deliveryAddress.street"),
            ("MALFORMED", "deliveryAddress.countryCode"),
            ("REQUIRED", "note"),
            ("DATE_IN_PAST", "requiredBy"),
            ("QUANTITY_NOT_POSITIVE", "lines.0.quantity"),
            ("REPEATED", "lines.1.lineId"),
            ("QUANTITY_PRECISION", "lines.1.quantity"),
            ("UNKNOWN_LINE", "lines.2.lineId"),
            ("REQUIRED", "lines.2.specification"),
        ]
    );
    sales.refused_for("amendOrder", of(&order), &[("TOO_FEW", "R1.4")]).await;
    // A stranger's order does not exist.
    let note = json!({ "orderId": order, "note": "Mine?" });
    assert_eq!(world.customer("C-1002").fails("amendOrder", note).await, "NOT_FOUND");
    let stale = json!({ "orderId": order, "note": "Seen before.", "expectedVersion": 7 });
    assert_eq!(sales.fails("amendOrder", stale).await, "VERSION_CONFLICT");

    // Before a review began there is nothing to take back.
    let contact = json!({ "companyName": "Granite Labs", "contactName": "Gao Min", "phone": "+86 10 1" });
    let address = json!({ "street": "2 Lantern Road", "city": "Ningbo", "countryCode": "CN" });
    let all = json!({ "orderId": order, "contact": contact, "deliveryAddress": address });
    sales.does("amendOrder", all).await;
    let found = world.order(&order, REVIEWED).await;
    assert_eq!(
        (&found["status"], &found["review"], &found["contact"]["phone"], &found["deliveryAddress"]["city"]),
        (&json!("SUBMITTED"), &Value::Null, &json!("+86 10 1"), &json!("Ningbo"))
    );
    // Under review, the checks are run again on what it is now.
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let nobody = json!({ "companyName": " ", "contactName": "Gao Min", "phone": "+86 10 1" });
    sales.does("amendOrder", json!({ "orderId": order, "contact": nobody })).await;
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_FAILED", "R2.2")]).await;
});
