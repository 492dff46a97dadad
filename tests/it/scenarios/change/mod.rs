//! Changes of orders that are negotiated over a shortage (R4.3): offered with what they would do, applied
//! exactly so, and never to an order that has moved on.

mod answers;
mod any_order;

use std::sync::Arc;

use chrono::Utc;
use ordergraph::domain::actor::Role;
use ordergraph::domain::ids::ChangeOptionId;
use ordergraph::graphql::ids::encode;
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::story::{Share, line, of, order_id, own_submission};
use crate::support::{Actor, World, on_both_databases};

const PREVIEW: &str = "preview { lines { orderLineId sku quantityBefore quantityAfter amountBefore { amount } \
    amountAfter { amount } } parts { sku quantity waits expectedOn } requiredByBefore requiredByAfter \
    totalBefore { amount } totalAfter { amount } difference { amount } }";

const LINES: &str =
    "lines { id sku amountDue { amount } quantities { ordered cancelled open allocated reserved confirmed } }";

/// The ids of an order's lines, by SKU.
async fn line_of(world: &Arc<World>, order: &str, sku: &str) -> Value {
    let lines = world.order(order, "lines { id sku }").await;
    lines["lines"].as_array().expect("lines").iter().find(|one| one["sku"] == sku).expect("the line")["id"].clone()
}

/// Sales staff offers alternatives. Gives the change and the ids of its alternatives.
async fn offered(world: &Arc<World>, order: &str, options: Value) -> (String, Vec<String>) {
    let input = json!({ "orderId": order, "reason": "The panels are late.", "options": options });
    let payload = world.actor(Role::Sales).does("proposeOrderChange", input).await;
    let change = &payload["orderChange"];
    assert_eq!(change["status"], "AWAITING_CUSTOMER");
    let options = change["options"].as_array().expect("options").iter().map(|one| text(&one["id"])).collect();
    (text(&change["id"]), options)
}

fn choice(change: &str, option: &str) -> Value {
    json!({ "changeId": change, "optionId": option })
}

async fn change(actor: &Actor, id: &str, selection: &str) -> Value {
    let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on OrderChange {{ {selection} }} }} }}");
    actor.data(&document, json!({ "id": id })).await["node"].clone()
}

/// Seventy panels, of which sixty lie in the north, and two cables.
async fn short(world: &Arc<World>) -> (String, Share) {
    let (order, mut shares) = world.accepted(&[line("PANEL-9", "70"), line("CABLE-5", "2")]).await;
    assert_eq!(shares[0].unit, "AUR-N");
    (order, shares.remove(0))
}

/// What an order's lines come to, as the preview said: quantities and amounts of those that changed.
async fn is_as_said(world: &Arc<World>, order: &str, preview: &Value) {
    let found = world
        .order(order, "requiredBy amountDue { amount } lines { id sku amountDue { amount } quantities { open } }")
        .await;
    assert_eq!(found["amountDue"], preview["totalAfter"]);
    assert_eq!(found["requiredBy"], preview["requiredByAfter"]);
    for effect in preview["lines"].as_array().expect("lines") {
        let lines = found["lines"].as_array().expect("lines");
        let line = lines.iter().find(|one| one["id"] == effect["orderLineId"]).expect("the line");
        assert_eq!(line["quantities"]["open"], effect["quantityAfter"], "{effect}");
        assert_eq!(line["amountDue"], effect["amountAfter"], "{effect}");
    }
}

on_both_databases!(a_shortage_has_alternatives_each_with_its_price, |world| async move {
    let (order, _) = short(&world).await;
    let document = format!(
        "query($id: ID!) {{ shortageOptions(orderId: $id) {{ lines {{ orderLine {{ sku }} missing expectedOn lateReason }} \
         options {{ kind possible quantity date rank orderLine {{ sku }} substitute {{ sku unitPrice {{ amount }} }} \
         whyNot {{ code }} {PREVIEW} }} }} }}"
    );
    let dispatcher = world.actor(Role::Dispatcher);
    let found = dispatcher.data(&document, json!({ "id": order })).await["shortageOptions"].clone();
    assert_eq!(
        found["lines"],
        json!([{ "orderLine": { "sku": "PANEL-9" }, "missing": "10", "expectedOn": null, "lateReason": "NOTHING_INCOMING" }])
    );
    let brief = |one: &Value| {
        json!([
            one["kind"],
            one["possible"],
            one["quantity"],
            one["substitute"]["sku"],
            one["rank"],
            one["preview"]["totalAfter"]["amount"],
            one["preview"]["difference"]["amount"],
            one["whyNot"][0]["code"],
        ])
    };
    let rows: Vec<Value> = found["options"].as_array().expect("options").iter().map(brief).collect();
    assert_eq!(
        json!(rows),
        json!([
            ["LATER_DATE", false, null, null, null, null, null, "ORDER_CHANGE_NOT_POSSIBLE"],
            ["SPLIT_DELIVERY", true, null, null, null, "18279.8", "0", null],
            ["SUBSTITUTE", true, "10", "PANEL-8", 1, "18079.8", "-200", null],
            ["SUBSTITUTE", true, "10", "LAMP-2", 2, "19969.8", "1690", null],
            ["REDUCE_QUANTITY", true, "10", null, null, "15679.8", "-2600", null],
            ["CANCEL_LINE", true, null, null, null, "79.8", "-18200", null],
        ])
    );
    let parts = json!([
        { "sku": "PANEL-9", "quantity": "60", "waits": false, "expectedOn": null },
        { "sku": "CABLE-5", "quantity": "2", "waits": false, "expectedOn": null },
        { "sku": "PANEL-9", "quantity": "10", "waits": true, "expectedOn": null },
    ]);
    assert_eq!(found["options"][1]["preview"]["parts"], parts);
    // Nothing is missing of another order, and a customer is offered what staff decides to offer.
    let (quiet, _) = world.accepted(&[line("LAMP-1", "1")]).await;
    let none = dispatcher.data(&document, json!({ "id": quiet })).await["shortageOptions"].clone();
    assert_eq!(none, json!({ "lines": [], "options": [] }));
    assert_eq!(world.customer("C-2001").query(&document, json!({ "id": order })).await.code(), "FORBIDDEN");
});

on_both_databases!(less_is_delivered_and_paid_and_the_rest_goes_through, |world| async move {
    let (order, share) = short(&world).await;
    let panels = line_of(&world, &order, "PANEL-9").await;
    let (id, options) = offered(
        &world,
        &order,
        json!([
            { "kind": "SPLIT_DELIVERY" },
            { "kind": "REDUCE_QUANTITY", "lineId": panels, "quantity": "10" },
            { "kind": "CANCEL_LINE", "lineId": panels },
        ]),
    )
    .await;
    // The customer sees it without anybody's name, and another customer does not.
    let customer = world.customer("C-2001");
    let seen = change(
        &customer,
        &id,
        "status reason proposedBy { name } availableActions { action allowed } options { kind }",
    )
    .await;
    assert_eq!(
        seen,
        json!({
            "status": "AWAITING_CUSTOMER", "reason": "The panels are late.", "proposedBy": null,
            "availableActions": [{ "action": "ACCEPT_ORDER_CHANGE", "allowed": true }, { "action": "DECLINE_ORDER_CHANGE", "allowed": true }],
            "options": [{ "kind": "SPLIT_DELIVERY" }, { "kind": "REDUCE_QUANTITY" }, { "kind": "CANCEL_LINE" }],
        })
    );
    let stranger = world.customer("C-2002");
    assert_eq!(change(&stranger, &id, "status").await, Value::Null);
    assert_eq!(stranger.fails("acceptOrderChange", choice(&id, &options[1])).await, "NOT_FOUND");
    customer.refused_for("acceptOrderChange", choice(&id, &id_of_nothing()), &[("UNKNOWN_OPTION", "R4.3")]).await;
    let payload = customer.does("acceptOrderChange", choice(&id, &options[1])).await;
    assert_eq!(payload["orderChange"]["status"], "APPLIED");
    let chosen = change(&customer, &id, &format!("chosenOption {{ kind {PREVIEW} }} answeredBy {{ subject }}")).await;
    assert_eq!(chosen["chosenOption"]["kind"], "REDUCE_QUANTITY");
    assert_eq!(chosen["answeredBy"]["subject"], "customer.c-2001");
    is_as_said(&world, &order, &chosen["chosenOption"]["preview"]).await;
    let found = world.order(&order, "status amountDue { amount } total { amount } lines { sku quantities { ordered cancelled open allocated reserved } }").await;
    assert_eq!(
        found,
        json!({
            "status": "IN_PROGRESS", "amountDue": { "amount": "15679.8" }, "total": { "amount": "18279.8" },
            "lines": [
                { "sku": "PANEL-9", "quantities": { "ordered": "70", "cancelled": "10", "open": "60", "allocated": "60", "reserved": "60" } },
                { "sku": "CABLE-5", "quantities": { "ordered": "2", "cancelled": "0", "open": "2", "allocated": "2", "reserved": "2" } },
            ],
        })
    );
    customer.refused_for("acceptOrderChange", choice(&id, &options[1]), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    // Nothing is waited for any more: the order goes through, and settled amounts add up to what is due.
    world.work(&share).await;
    world.pass(&share).await;
    let delivery = world.booked(&share, Some("FREIGHT")).await;
    world.arrive(&delivery).await;
    let receipt = json!({ "deliveryId": delivery, "evidence": { "kind": "CUSTOMER_RECEIPT", "reference": "r" } });
    customer.does("confirmDelivery", receipt).await;
    let done = world.order(&order, "status settlement { quantity amount { amount } }").await;
    assert_eq!(
        done,
        json!({ "status": "COMPLETED", "settlement": [
        { "quantity": "60", "amount": { "amount": "15600" } }, { "quantity": "2", "amount": { "amount": "79.8" } },
    ] })
    );
});

fn id_of_nothing() -> String {
    encode(ChangeOptionId(uuid::Uuid::now_v7())).to_string()
}

on_both_databases!(what_becomes_free_goes_to_whoever_waits, |world| async move {
    let (first, _) = short(&world).await;
    let (_, waiting) = world.accepted(&[line("PANEL-9", "15")]).await;
    assert_eq!(waiting[0].unit, "AUR-N");
    let backorders =
        "query($id: ID!) { node(id: $id) { ... on Allocation { backorders { quantity filled status } } } }";
    let asked = || async {
        world.actor(Role::Supervisor).data(backorders, json!({ "id": waiting[0].id })).await["node"]["backorders"]
            .clone()
    };
    assert_eq!(asked().await, json!([{ "quantity": "15", "filled": "0", "status": "WAITING" }]));
    let panels = line_of(&world, &first, "PANEL-9").await;
    let (id, options) =
        offered(&world, &first, json!([{ "kind": "REDUCE_QUANTITY", "lineId": panels, "quantity": "22" }])).await;
    world.customer("C-2001").does("acceptOrderChange", choice(&id, &options[0])).await;
    // Ten were only waited for; of sixty that were reserved twelve became free.
    assert_eq!(asked().await, json!([{ "quantity": "15", "filled": "12", "status": "PARTIALLY_FILLED" }]));
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "60".into()));
    let (id, options) = offered(&world, &first, json!([{ "kind": "CANCEL_LINE", "lineId": panels }])).await;
    world.customer("C-2001").does("acceptOrderChange", choice(&id, &options[0])).await;
    assert_eq!(asked().await, json!([{ "quantity": "15", "filled": "15", "status": "FILLED" }]));
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "15".into()));
    let lines = world.order(&first, "allocations { status lines { sku: product { sku } quantity } }").await;
    assert_eq!(
        lines["allocations"],
        json!([{ "status": "ACCEPTED", "lines": [{ "sku": { "sku": "CABLE-5" }, "quantity": "2" }] }])
    );
});

on_both_databases!(what_is_there_goes_now_and_the_rest_later, |world| async move {
    let (order, share) = short(&world).await;
    let soon = (Utc::now() + chrono::Duration::days(9)).date_naive().to_string();
    let (id, options) = offered(&world, &order, json!([{ "kind": "SPLIT_DELIVERY", "date": soon }])).await;
    let customer = world.customer("C-2001");
    customer.does("acceptOrderChange", choice(&id, &options[0])).await;
    let seen = change(&customer, &id, &format!("chosenOption {{ date {PREVIEW} }}")).await;
    assert_eq!(
        seen["chosenOption"]["preview"]["parts"][2],
        json!({ "sku": "PANEL-9", "quantity": "10", "waits": true, "expectedOn": soon })
    );
    is_as_said(&world, &order, &seen["chosenOption"]["preview"]).await;
    let shares = world.order(&order, "allocations { id status unit { code } lines { quantity reserved product { sku } } backorders { quantity status } }").await;
    let mut shares = shares["allocations"].as_array().expect("shares").clone();
    shares.sort_by_key(|one| one["id"] != share.id);
    assert_eq!(shares[0]["lines"].as_array().map(Vec::len), Some(2));
    assert_eq!(shares[1]["lines"], json!([{ "quantity": "10", "reserved": "0", "product": { "sku": "PANEL-9" } }]));
    assert_eq!(shares[1]["backorders"], json!([{ "quantity": "10", "status": "WAITING" }]));
    let rest = Share { id: text(&shares[1]["id"]), kind: "GOODS".to_owned(), unit: "AUR-N".to_owned() };
    // What is there is no longer held up.
    let receipt = |delivery: &str| json!({ "deliveryId": delivery, "evidence": { "kind": "CUSTOMER_RECEIPT", "reference": "r" } });
    world.work(&share).await;
    world.pass(&share).await;
    let delivery = world.booked(&share, Some("FREIGHT")).await;
    world.arrive(&delivery).await;
    customer.does("confirmDelivery", receipt(&delivery)).await;
    assert_eq!(world.status(&order).await, "IN_PROGRESS");
    let operator = world.operator("AUR-N");
    let picking = world.open_milestones(&rest).await.remove(0).0;
    operator.does("startMilestone", json!({ "milestoneId": picking })).await;
    operator.refused_for("completeMilestone", json!({ "milestoneId": picking }), &[("STOCK_MISSING", "R4.3")]).await;
    let item = world.stock("PANEL-9", "AUR-N-WH").await["id"].clone();
    world.actor(Role::Procurement).does("receiveStock", json!({ "stockItemId": item, "quantity": "10" })).await;
    operator.does("completeMilestone", json!({ "milestoneId": picking })).await;
    world.work(&rest).await;
    world.pass(&rest).await;
    let delivery = world.booked(&rest, Some("FREIGHT")).await;
    world.arrive(&delivery).await;
    customer.does("confirmDelivery", receipt(&delivery)).await;
    let done = world.order(&order, "status amountDue { amount } settlement { amount { amount } }").await;
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(done["settlement"].as_array().map(Vec::len), Some(3));
});

on_both_databases!(the_rest_is_given_up_and_that_completes_the_order, |world| async move {
    let (order, share) = short(&world).await;
    let (id, options) = offered(&world, &order, json!([{ "kind": "SPLIT_DELIVERY" }])).await;
    let customer = world.customer("C-2001");
    customer.does("acceptOrderChange", choice(&id, &options[0])).await;
    world.work(&share).await;
    world.pass(&share).await;
    let delivery = world.booked(&share, Some("FREIGHT")).await;
    world.arrive(&delivery).await;
    customer
        .does(
            "confirmDelivery",
            json!({ "deliveryId": delivery, "evidence": { "kind": "CUSTOMER_RECEIPT", "reference": "r" } }),
        )
        .await;
    let panels = line_of(&world, &order, "PANEL-9").await;
    let (id, options) =
        offered(&world, &order, json!([{ "kind": "REDUCE_QUANTITY", "lineId": panels, "quantity": "10" }])).await;
    customer.does("acceptOrderChange", choice(&id, &options[0])).await;
    let done = world.order(&order, "status completedAt amountDue { amount } settlement { amount { amount } } allocations { status } timeline(first: 100) { nodes { kind } }").await;
    assert_eq!(done["status"], "COMPLETED");
    assert!(done["completedAt"].is_string());
    assert_eq!(done["amountDue"], json!({ "amount": "15679.8" }));
    assert_eq!(done["settlement"], json!([{ "amount": { "amount": "15600" } }, { "amount": { "amount": "79.8" } }]));
    let kinds = done["timeline"]["nodes"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|one| one["kind"] == "ORDER_COMPLETED")
        .count();
    assert_eq!(kinds, 1);
    let panels = json!([{ "kind": "CANCEL_LINE", "lineId": panels }]);
    let late = json!({ "orderId": order, "reason": "Too late.", "options": panels });
    let found = world.actor(Role::Sales).refused("proposeOrderChange", late).await;
    assert_eq!(found[0].code, "ILLEGAL_TRANSITION");
});

on_both_databases!(another_product_is_reviewed_before_it_is_delivered_instead, |world| async move {
    let (order, _) = short(&world).await;
    let panels = line_of(&world, &order, "PANEL-9").await;
    let instead = json!([{ "kind": "SUBSTITUTE", "lineId": panels, "quantity": "10", "substituteSku": "LAMP-2" }]);
    let (id, options) = offered(&world, &order, instead).await;
    let before = world.order(&order, LINES).await;
    let payload = world.customer("C-2001").does("acceptOrderChange", choice(&id, &options[0])).await;
    assert_eq!(payload["orderChange"]["status"], "ACCEPTED");
    assert_eq!(world.order(&order, LINES).await, before, "nothing changes before the review");
    let approve = json!({ "changeId": id, "approve": true, "reason": "The customer asked for it." });
    // A second offer waits until this one is through, and whoever takes part does not review.
    let other = json!({ "orderId": order, "reason": "More.", "options": [{ "kind": "SPLIT_DELIVERY" }] });
    world.actor(Role::Sales).refused_for("proposeOrderChange", other, &[("ORDER_CHANGE_OPEN", "R4.3")]).await;
    let decline = json!({ "changeId": id, "approve": false });
    world.actor(Role::Reviewer).refused_for("reviewOrderChange", decline, &[("REQUIRED", "R1.4")]).await;
    let payload = world.actor(Role::Reviewer).does("reviewOrderChange", approve.clone()).await;
    assert_eq!(payload["orderChange"]["status"], "APPLIED");
    let seen = change(
        &world.actor(Role::Sales),
        &id,
        &format!(
            "review {{ approved decidedBy {{ subject }} checks {{ kind outcome }} }} chosenOption {{ {PREVIEW} }}"
        ),
    )
    .await;
    assert_eq!(seen["review"]["approved"], true);
    assert_eq!(seen["review"]["checks"].as_array().map(Vec::len), Some(5));
    is_as_said(&world, &order, &seen["chosenOption"]["preview"]).await;
    assert_eq!(change(&world.customer("C-2001"), &id, "review { approved }").await["review"], Value::Null);
    let found = world
        .order(
            &order,
            "status allocationStatus amountDue { amount } lines { sku lineNumber quantities { open allocated } }",
        )
        .await;
    assert_eq!(
        found,
        json!({
            "status": "IN_PROGRESS", "allocationStatus": "PARTIAL", "amountDue": { "amount": "19969.8" },
            "lines": [
                { "sku": "PANEL-9", "lineNumber": 1, "quantities": { "open": "60", "allocated": "60" } },
                { "sku": "CABLE-5", "lineNumber": 2, "quantities": { "open": "2", "allocated": "2" } },
                { "sku": "LAMP-2", "lineNumber": 3, "quantities": { "open": "10", "allocated": "0" } },
            ],
        })
    );
    let shares = world.allocate(&order).await;
    world.operator(&shares[0].unit).does("acceptAllocation", shares[0].input()).await;
    assert_eq!(world.counts("LAMP-2", "AUR-N-WH").await, ("120".into(), "10".into()));
    world
        .actor(Role::FinanceApprover)
        .refused_for("reviewOrderChange", approve, &[("ILLEGAL_TRANSITION", "R2.6")])
        .await;
});

on_both_databases!(what_may_not_be_sold_does_not_stand_in_for_anything, |world| async move {
    let customer = world.customer("C-1001");
    let order = order_id(&customer.does("submitOrder", own_submission(&[line("PANEL-9", "70")])).await);
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    world.approve(&order).await;
    let share = world.allocate(&order).await.remove(0);
    world.operator(&share.unit).does("acceptAllocation", share.input()).await;
    let panels = line_of(&world, &order, "PANEL-9").await;
    let instead = json!([{ "kind": "SUBSTITUTE", "lineId": panels, "quantity": "1", "substituteSku": "LASER-4", "unitPrice": "260" }]);
    let (id, options) = offered(&world, &order, instead).await;
    customer.does("acceptOrderChange", choice(&id, &options[0])).await;
    let approve = json!({ "changeId": id, "approve": true, "reason": "Why not." });
    let found = world.actor(Role::FinanceApprover).refused("reviewOrderChange", approve).await;
    assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["CHECK_FAILED"]);
    let decline = json!({ "changeId": id, "approve": false, "reason": "Not sold to shops." });
    let payload = world.actor(Role::FinanceApprover).does("reviewOrderChange", decline).await;
    assert_eq!(payload["orderChange"]["status"], "DECLINED");
    assert_eq!(world.order(&order, "lines { sku }").await["lines"], json!([{ "sku": "PANEL-9" }]));
});

on_both_databases!(what_procurement_expects_is_what_can_be_offered, |world| async move {
    let (order, _) = short(&world).await;
    let asked = "{ replenishmentRequests(first: 9) { nodes { id stockItem { sku warehouse { code } } } } }";
    let requests = world.actor(Role::Supervisor).data(asked, json!({})).await;
    let requests = requests["replenishmentRequests"]["nodes"].as_array().expect("requests").clone();
    let request = requests.iter().find(|one| one["stockItem"]["sku"] == "PANEL-9").expect("a request")["id"].clone();
    let procurement = world.actor(Role::Procurement);
    procurement.does("approveReplenishment", json!({ "replenishmentRequestId": request })).await;
    let day = Utc::now() + chrono::Duration::days(33);
    let input = json!({ "replenishmentRequestId": request, "supplier": "Panel House", "expectedAt": day.to_rfc3339() });
    procurement.does("orderReplenishment", input).await;
    let day = day.date_naive().to_string();
    let document = format!(
        "query($id: ID!) {{ shortageOptions(orderId: $id) {{ lines {{ missing expectedOn lateReason }} options {{ kind possible date {PREVIEW} }} }} }}"
    );
    let found = world.actor(Role::Sales).data(&document, json!({ "id": order })).await["shortageOptions"].clone();
    assert_eq!(found["lines"], json!([{ "missing": "10", "expectedOn": day, "lateReason": null }]));
    let wait = &found["options"][0];
    assert_eq!((&wait["kind"], &wait["possible"], &wait["date"]), (&json!("LATER_DATE"), &json!(true), &json!(day)));
    assert_eq!(wait["preview"]["requiredByAfter"], json!(day));
    let (id, options) = offered(&world, &order, json!([{ "kind": "LATER_DATE", "date": day }])).await;
    world.customer("C-2001").does("acceptOrderChange", choice(&id, &options[0])).await;
    is_as_said(&world, &order, &wait["preview"]).await;
});
