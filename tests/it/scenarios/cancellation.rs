//! Cancellation (R4.3): at once while nobody works, by agreement afterwards, never once it left.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::story::{line, of, order_id, own_submission};

fn cancel(order: &str) -> Value {
    json!({ "orderId": order, "reason": "The project was called off." })
}

fn answer(order: &str, grant: bool) -> Value {
    json!({ "orderId": order, "grant": grant })
}

const QUANTITIES: &str = "status stage cancellation { reason requestedBy { subject } } allocations { status } \
     lines { quantities { ordered cancelled allocated reserved open } }";

on_both_databases!(before_anybody_works_it_is_cancelled_at_once, |world| async move {
    let customer = world.customer("C-1001");
    let lines = [line("LAMP-1", "3")];
    let order = order_id(&customer.does("submitOrder", own_submission(&lines)).await);
    customer.does("cancelOrder", cancel(&order)).await;
    let found = world.order(&order, QUANTITIES).await;
    assert_eq!(
        found,
        json!({
            "status": "CANCELLED", "stage": "ENDED", "allocations": [],
            "cancellation": { "reason": "The project was called off.", "requestedBy": { "subject": "customer.c-1001" } },
            "lines": [{ "quantities": { "ordered": "3", "cancelled": "3", "allocated": "0", "reserved": "0", "open": "0" } }],
        })
    );
    customer.refused_for("cancelOrder", cancel(&order), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    world.actor(Role::Reviewer).refused_for("startReview", of(&order), &[("ILLEGAL_TRANSITION", "R2.1")]).await;

    // Assigned, but not accepted: nothing was reserved, and the share ends with the order.
    let (order, shares) = world.allocated(&[line("LAMP-1", "4"), line("INSTALL", "2")]).await;
    world.actor(Role::Sales).does("cancelOrder", cancel(&order)).await;
    let found = world.order(&order, QUANTITIES).await;
    assert_eq!(found["status"], "CANCELLED");
    assert_eq!(found["allocations"], json!([{ "status": "CANCELLED" }, { "status": "CANCELLED" }]));
    // A unit whose share ended loses sight of the order.
    assert_eq!(world.operator("AUR-N").fails("acceptAllocation", shares[0].input()).await, "NOT_FOUND");
});

on_both_databases!(the_unit_at_work_grants_or_refuses, |world| async move {
    let (order, shares) = world.accepted(&[line("PANEL-9", "70")]).await;
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "60".into()));
    let sales = world.actor(Role::Sales);
    let operator = world.operator("AUR-N");
    operator.refused_for("answerCancellation", answer(&order, true), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    sales.does("cancelOrder", cancel(&order)).await;
    assert_eq!(world.status(&order).await, "CANCELLATION_PENDING");
    sales.refused_for("cancelOrder", cancel(&order), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    let milestone = json!({ "milestoneId": world.open_milestones(&shares[0]).await[0].0 });
    operator.refused_for("startMilestone", milestone.clone(), &[("ILLEGAL_TRANSITION", "R2.6")]).await;
    operator.does("answerCancellation", answer(&order, false)).await;
    let found = world.order(&order, QUANTITIES).await;
    assert_eq!((found["status"].as_str(), &found["cancellation"]), (Some("IN_PROGRESS"), &Value::Null));
    operator.does("startMilestone", milestone).await;

    sales.does("cancelOrder", cancel(&order)).await;
    // The south has no share in it.
    assert_eq!(world.operator("AUR-S").fails("answerCancellation", answer(&order, true)).await, "NOT_FOUND");
    operator.does("answerCancellation", answer(&order, true)).await;
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "0".into()), "released once");
    let found =
        world.order(&order, "status allocations { status reservations { status } backorders { status } }").await;
    assert_eq!(
        found,
        json!({ "status": "CANCELLED", "allocations": [{
            "status": "CANCELLED", "reservations": [{ "status": "RELEASED" }], "backorders": [{ "status": "CANCELLED" }],
        }] })
    );
    // What arrives later is for others.
    let item = world.stock("PANEL-9", "AUR-N-WH").await;
    let receipt = json!({ "stockItemId": item["id"], "quantity": "50" });
    let payload = world.actor(Role::Warehouse).does("receiveStock", receipt).await;
    assert_eq!(payload["filledAllocations"], json!([]));
    assert_eq!((&payload["stockItem"]["onHand"], &payload["stockItem"]["reserved"]), (&json!("110"), &json!("0")));
});

on_both_databases!(what_has_left_is_not_cancelled_any_more, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "2"), line("INSTALL", "1")]).await;
    for share in &shares {
        world.work(share).await;
        world.pass(share).await;
    }
    let goods = world.booked(&shares[0], Some("EXPRESS")).await;
    let service = world.booked(&shares[1], Some("ON_SITE_SERVICE")).await;
    let sales = world.actor(Role::Sales);
    let dispatcher = world.actor(Role::Dispatcher);
    sales.does("cancelOrder", cancel(&order)).await;
    let logistics = world.actor(Role::Logistics);
    let input = json!({ "deliveryId": goods });
    logistics.refused_for("dispatchDelivery", input.clone(), &[("ILLEGAL_TRANSITION", "R2.6")]).await;
    dispatcher.does("answerCancellation", answer(&order, false)).await;
    logistics.does("dispatchDelivery", input).await;
    sales.does("cancelOrder", cancel(&order)).await;
    let late = dispatcher.refused("answerCancellation", answer(&order, true)).await;
    assert_eq!((late[0].code.as_str(), late[0].path.as_str()), ("ALREADY_DISPATCHED", "grant"));
    // Physical facts are recorded all the same, also while the question is open.
    let arrived = crate::support::story::tracking(&goods, "arrived", "DELIVERED");
    logistics.does("recordTrackingEvent", arrived).await;
    dispatcher.does("answerCancellation", answer(&order, false)).await;
    let evidence = |kind: &str| json!({ "kind": kind, "reference": "slip 7" });
    let slip = json!({ "deliveryId": goods, "evidence": evidence("SIGNED_SLIP") });
    logistics.does("confirmDelivery", slip).await;
    assert_eq!(world.status(&order).await, "IN_PROGRESS");
    world.arrive(&service).await;
    let wrong = json!({ "deliveryId": service, "evidence": evidence("SIGNED_SLIP") });
    logistics.refused_for("confirmDelivery", wrong, &[("EVIDENCE_NOT_ACCEPTABLE", "R8.1")]).await;
    let rating = json!({ "deliveryId": service, "evidence": evidence("ONLINE_RATING") });
    logistics.refused_for("confirmDelivery", rating, &[("EVIDENCE_NOT_ACCEPTABLE", "R8.1")]).await;
    let report = json!({ "deliveryId": service, "evidence": evidence("SERVICE_REPORT_SIGNATURE") });
    logistics.does("confirmDelivery", report).await;
    assert_eq!(world.status(&order).await, "COMPLETED");
});

on_both_databases!(deliveries_that_were_booked_end_with_the_order, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "2")]).await;
    world.work(&shares[0]).await;
    world.pass(&shares[0]).await;
    let delivery = world.booked(&shares[0], Some("SELF_PICKUP")).await;
    world.actor(Role::Sales).does("cancelOrder", cancel(&order)).await;
    world.actor(Role::Dispatcher).does("answerCancellation", answer(&order, true)).await;
    let found = world.order(&order, "status deliveries { status } allocations { status lines { planned } }").await;
    assert_eq!(
        found,
        json!({ "status": "CANCELLED", "deliveries": [{ "status": "CANCELLED" }],
                "allocations": [{ "status": "CANCELLED", "lines": [{ "planned": "0" }] }] })
    );
    assert_eq!(world.counts("LAMP-1", "AUR-N-WH").await, ("400".into(), "0".into()));
    let arrived = crate::support::story::tracking(&delivery, "fetched", "DELIVERED");
    world.actor(Role::Logistics).refused_for("recordTrackingEvent", arrived, &[("ILLEGAL_TRANSITION", "R7.3")]).await;
});
