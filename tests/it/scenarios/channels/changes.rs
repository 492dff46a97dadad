//! What a channel tells of an order later: in any order, before and after its approval.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{at, faults};
use crate::support::shop::{Shop, changed};
use crate::support::story::of;
use crate::support::{World, on_both_databases};

const TWO_LINES: &str = "shopify/orders_create_1073459963_multi_line.json";

/// An order that can be approved: two products, a buyer, an address; told at a minute of an hour.
fn told(minute: u32, change: impl FnOnce(&mut Value)) -> String {
    changed(TWO_LINES, |order| {
        order["updated_at"] = json!(format!("2026-03-01T10:{minute:02}:00Z"));
        order["email"] = json!("jane@example.com");
        order["currency"] = json!("CNY");
        order["shipping_address"] = json!({
            "name": "Jane Smith", "address1": "1 Fake Street", "city": "Fakecity", "zip": "1", "country_code": "CN",
        });
        for (index, sku) in ["LAMP-1", "CABLE-5", "LAMP-2"].into_iter().enumerate() {
            order["line_items"][index]["sku"] = json!(sku);
        }
        change(order);
    })
}

async fn approved(world: &std::sync::Arc<World>, shop: &Shop) -> String {
    let order = shop.order("orders/create", "w-1", &told(0, |_| {})).await;
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    world.actor(Role::Reviewer).does("approveOrder", of(&order)).await;
    order
}

/// How much is ordered of what.
async fn quantities(world: &std::sync::Arc<World>, order: &str) -> Value {
    let found = world.order(order, "lines { sku quantities { ordered } }").await;
    let lines = found["lines"].as_array().expect("lines");
    lines.iter().map(|line| json!([line["sku"], line["quantities"]["ordered"]])).collect()
}

on_both_databases!(what_comes_late_does_not_undo_what_came_before, |world| async move {
    let shop = world.shop("SHOPIFY", "order-of-things", json!({})).await;
    // The change overtook the order itself.
    let newer = told(9, |order| order["line_items"][0]["current_quantity"] = json!(4));
    let order = shop.order("orders/updated", "w-2", &newer).await;
    let late = shop.outcome("orders/create", "w-1", &told(0, |_| {})).await;
    assert_eq!((&late["outcome"], &late["order"]["id"]), (&json!("STALE"), &json!(order)));
    assert_eq!(quantities(&world, &order).await, json!([["LAMP-1", "4"], ["CABLE-5", "1"], ["LAMP-2", "2"]]));
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 1);
});

on_both_databases!(before_its_approval_an_order_becomes_what_the_channel_says, |world| async move {
    let shop = world.shop("SHOPIFY", "amended", json!({})).await;
    let order = shop.order("orders/create", "w-1", &told(0, |_| {})).await;
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    let seen = world.order(&order, "version review { version }").await;
    // One more of the first, none of the second any more, a fourth, another address; nothing else.
    let delivery = shop
        .outcome(
            "orders/updated",
            "w-2",
            &told(1, |order| {
                let lines = order["line_items"].as_array_mut().expect("lines");
                lines[0]["current_quantity"] = json!(2);
                lines[1]["current_quantity"] = json!(0);
                let mut fourth = lines[2].clone();
                fourth["id"] = json!(42);
                fourth["sku"] = json!("PANEL-9");
                fourth["name"] = json!("Panel");
                lines.push(fourth);
                order["shipping_address"]["city"] = json!("Elsewhere");
            }),
        )
        .await;
    assert_eq!(delivery["outcome"], "AMENDED");
    assert_eq!(
        delivery["remark"],
        "line 1 (Desk lamp): quantity 1 → 2, amount 129.99 → 259.98; new line: 2 × LED panel 60×60; \
         line 2 (Power cable, 5 m) was taken out; the delivery address."
    );
    let expected = json!([["LAMP-1", "2"], ["CABLE-5", "0"], ["LAMP-2", "2"], ["PANEL-9", "2"]]);
    assert_eq!(quantities(&world, &order).await, expected);
    let found = world
        .order(&order, "status version total { amount } deliveryAddress { city } review { version } channelOrder { faults { code path } }")
        .await;
    assert_eq!((&found["status"], &found["deliveryAddress"]["city"]), (&json!("UNDER_REVIEW"), &json!("Elsewhere")));
    assert_eq!(found["total"]["amount"], "339.94");
    assert_eq!(faults(&found), [at("TOTAL_DIFFERS", "total")]);
    // What the reviewer has seen is no more: the checks are repeated, and a decision on the old one is refused.
    assert_eq!(found["review"]["version"], json!(2));
    let mut decision = of(&order);
    decision["expectedVersion"] = seen["version"].clone();
    assert_eq!(reviewer.fails("approveOrder", decision).await, "VERSION_CONFLICT");
    // The channel told no new total: somebody has to find that right.
    reviewer.refused_for("approveOrder", of(&order), &[("CHECK_NEEDS_DECISION", "R2.3")]).await;
    let waived =
        json!({ "orderId": order, "waivers": [{ "check": "REQUIREMENT_CLARITY", "reason": "Asked the shop." }] });
    reviewer.does("approveOrder", waived).await;
    // Of the line that was taken out nothing is given to anybody.
    let shares = world.allocate(&order).await;
    assert_eq!(shares.len(), 1);
});

on_both_databases!(what_was_clarified_stays_clarified, |world| async move {
    let shop = world.shop("SHOPIFY", "clear", json!({})).await;
    let order = shop.order("orders/create", "w-1", &told(0, |order| order["line_items"][0]["sku"] = Value::Null)).await;
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    reviewer.does("requestClarification", json!({ "orderId": order, "question": "Which?" })).await;
    let line = world.order(&order, "lines { id }").await["lines"][0]["id"].clone();
    let answer = json!({ "orderId": order, "answer": "This.", "lines": [{ "lineId": line, "sku": "LAMP-1" }] });
    world.actor(Role::Sales).does("answerClarification", answer).await;
    let delivery = shop
        .outcome(
            "orders/updated",
            "w-2",
            &told(1, |order| {
                order["line_items"][0]["sku"] = Value::Null;
                order["note"] = json!("Ring twice.");
            }),
        )
        .await;
    assert_eq!((&delivery["outcome"], &delivery["remark"]), (&json!("AMENDED"), &json!("the note.")));
    let found = world.order(&order, "note lines { sku unitPrice { amount } }").await;
    assert_eq!(found["note"], "Ring twice.");
    assert_eq!(found["lines"][0]["sku"], "LAMP-1");
});

on_both_databases!(after_its_approval_a_change_stops_the_order_until_somebody_looked, |world| async move {
    let shop = world.shop("SHOPIFY", "approved", json!({})).await;
    let order = approved(&world, &shop).await;
    let more = told(1, |order| order["line_items"][0]["current_quantity"] = json!(3));
    let delivery = shop.outcome("orders/updated", "w-2", &more).await;
    let reason = "The channel changed the order after its approval: \
                  line 1 (Desk lamp): quantity 1 → 3, amount 129.99 → 389.97.";
    assert_eq!((&delivery["outcome"], &delivery["remark"]), (&json!("NEEDS_ATTENTION"), &json!(reason)));
    let found = world
        .order(&order, "status holds { id reason placedBy { subject } } lines { quantities { ordered } } channelOrder { faults { code path } }")
        .await;
    assert_eq!((&found["status"], &found["lines"][0]["quantities"]["ordered"]), (&json!("APPROVED"), &json!("1")));
    assert_eq!(
        (&found["holds"][0]["reason"], &found["holds"][0]["placedBy"]["subject"]),
        (&json!(reason), &json!("channel.approved"))
    );
    assert!(faults(&found).contains(&at("CHANGED_AFTER_APPROVAL", "")));
    world.actor(Role::Dispatcher).refused_for("allocateOrder", of(&order), &[("ORDER_ON_HOLD", "R5.4")]).await;
    // Told again under another number, it stops nothing more.
    let again = told(2, |order| order["line_items"][0]["current_quantity"] = json!(3));
    assert_eq!(shop.outcome("orders/updated", "w-3", &again).await["outcome"], "UNCHANGED");
    // Back to what it was: nothing is different any more, and the hold is for people to release.
    let back = shop.outcome("orders/updated", "w-4", &told(3, |_| {})).await;
    assert_eq!(back["remark"], "It is again as it was taken over.");
    let now = world.order(&order, "holds { id } channelOrder { faults { code path } }").await;
    assert_eq!(now["holds"].as_array().map(Vec::len), Some(1));
    assert!(!faults(&now).contains(&at("CHANGED_AFTER_APPROVAL", "")));
    let release = json!({ "orderId": order, "holdId": found["holds"][0]["id"] });
    world.actor(Role::Dispatcher).does("releaseHold", release).await;
    world.allocate(&order).await;
});

on_both_databases!(a_cancellation_is_done_or_asked_for, |world| async move {
    let shop = world.shop("SHOPIFY", "cancelling", json!({})).await;
    let cancelled = |minute| {
        told(minute, |order| {
            order["cancelled_at"] = json!("2026-03-01T10:30:00Z");
            order["cancel_reason"] = json!("customer");
        })
    };
    let early = shop.order("orders/create", "w-0", &told(0, |order| order["id"] = json!(7))).await;
    let mut sent: Value = serde_json::from_str(&cancelled(1)).expect("JSON");
    sent["id"] = json!(7);
    let delivery = shop.outcome("orders/cancelled", "w-00", &sent.to_string()).await;
    assert_eq!((&delivery["outcome"], world.status(&early).await), (&json!("CANCELLED"), "CANCELLED".to_owned()));

    let order = approved(&world, &shop).await;
    let share = world.allocate(&order).await.remove(0);
    world.operator(&share.unit).does("acceptAllocation", share.input()).await;
    // Whatever the topic says, the body decides: here nothing is cancelled.
    let mislabelled = shop.outcome("orders/cancelled", "w-2", &told(1, |_| {})).await;
    assert_eq!(mislabelled["outcome"], "UNCHANGED");
    let delivery = shop.outcome("orders/cancelled", "w-3", &cancelled(2)).await;
    assert_eq!(delivery["outcome"], "CANCELLATION_REQUESTED");
    assert_eq!(world.status(&order).await, "CANCELLATION_PENDING");
    world.actor(Role::Dispatcher).does("answerCancellation", json!({ "orderId": order, "grant": false })).await;
    // What was refused is not asked for again each time the channel tells of the order.
    let again = shop.outcome("orders/updated", "w-4", &cancelled(3)).await;
    assert_eq!((&again["outcome"], world.status(&order).await), (&json!("UNCHANGED"), "IN_PROGRESS".to_owned()));
});

on_both_databases!(what_is_told_of_an_order_that_has_ended_is_seen, |world| async move {
    let shop = world.shop("SHOPIFY", "ended", json!({})).await;
    let order = shop.order("orders/create", "w-1", &told(0, |_| {})).await;
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    reviewer.does("rejectOrder", json!({ "orderId": order, "reason": "No." })).await;
    let cancelled = told(1, |order| order["cancelled_at"] = json!("2026-03-01T10:30:00Z"));
    let delivery = shop.outcome("orders/cancelled", "w-2", &cancelled).await;
    assert_eq!(delivery["outcome"], "NEEDS_ATTENTION");
    let found = world.order(&order, "status holds { id } channelOrder { cancelled faults { code path } }").await;
    assert_eq!((&found["status"], &found["holds"]), (&json!("REJECTED"), &json!([])));
    assert_eq!(found["channelOrder"]["cancelled"], true);
    assert!(faults(&found).contains(&at("CHANGED_AFTER_END", "")));
    let health = "{ salesChannels(first: 5) { nodes { health { needingAttention failed waiting } } } }";
    let data = world.actor(Role::Supervisor).data(health, json!({})).await;
    let expected = json!({ "needingAttention": 1, "failed": 0, "waiting": 0 });
    assert_eq!(data["salesChannels"]["nodes"][0]["health"], expected);
});
