//! A delivery is kept before it is acknowledged, once, whatever happens; and nothing unsigned gets in.

use std::time::{Duration, Instant};

use futures::future::join_all;
use ordergraph::app::due::{DUTIES, perform_all};
use ordergraph::domain::actor::Role;
use ordergraph::domain::ids::ChannelDeliveryId;
use ordergraph::store::channel::{Incoming, keep};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::shop::{body, changed, signature};
use crate::support::{Kind, on_both_databases};

const SHOPIFY: &str = "shopify/orders_create_1073459980_new_customer.json";
const WOO: &str = "woocommerce/order_created_727_processing.json";

on_both_databases!(only_what_is_signed_is_kept, |world| async move {
    let shop = world.shop("SHOPIFY", "signed", json!({})).await;
    let before = world.state().await;
    let sent = body(SHOPIFY);
    let right = signature(&shop.secret, &sent);
    let wrong = signature("another_secret_key", &sent);
    for headers in [
        vec![],
        vec![("x-shopify-hmac-sha256", "")],
        vec![("x-shopify-hmac-sha256", "not base64!")],
        vec![("x-shopify-hmac-sha256", wrong.as_str())],
        vec![("x-shopify-hmac-sha256", &right[..20])],
        vec![("x-wc-webhook-signature", right.as_str())],
    ] {
        assert_eq!(shop.post(&headers, &sent).await, 401, "{headers:?}");
    }
    let signed = [("x-shopify-hmac-sha256", right.as_str())];
    assert_eq!(shop.post(&signed, &format!("{sent} ")).await, 401);
    // A ping is WooCommerce's, and nothing of it is kept.
    assert_eq!(shop.post(&[], "webhook_id=142").await, 401);
    let woo = world.shop("WOOCOMMERCE", "pinged", json!({})).await;
    assert_eq!(woo.post(&[("content-type", "application/x-www-form-urlencoded")], "webhook_id=142").await, 200);
    assert_eq!(woo.post(&[], &body("woocommerce/ping.txt")).await, 200);
    assert_eq!(woo.post(&[], "webhook_id=142&x=1").await, 401);
    assert_eq!(world.number("SELECT COUNT(*) FROM channel_delivery").await, 0);
    let mut after = world.state().await;
    // The second channel itself.
    for (name, count) in [("sales_channel", 1), ("sales_channel versions", 1), ("event", 1)] {
        *after.get_mut(name).expect("a count") -= count;
    }
    assert_eq!(before, after);
    // Without the X that newer deliveries leave out, and without any number: known by what it says.
    let plain = [("shopify-hmac-sha256", right.as_str()), ("shopify-topic", "orders/create")];
    assert_eq!(shop.post(&plain, &sent).await, 200);
    assert_eq!(shop.post(&plain, &sent).await, 200);
    assert_eq!(world.number("SELECT COUNT(*) FROM channel_delivery").await, 1);
});

on_both_databases!(channels_that_are_not_there_take_nothing, |world| async move {
    let mut shop = world.shop("SHOPIFY", "closing", json!({})).await;
    let sent = body(SHOPIFY);
    let admin = world.actor(Role::Admin);
    admin.does("deactivateSalesChannel", json!({ "channelId": shop.id, "reason": "Moved." })).await;
    assert_eq!(shop.deliver("orders/create", "w-1", &sent).await, 404);
    admin.does("activateSalesChannel", json!({ "channelId": shop.id })).await;
    assert_eq!(shop.deliver("orders/create", "w-1", &sent).await, 200);
    let url = |code: &str| format!("http://{}/intake/{code}", world.address);
    assert_eq!(world.http.get(url("closing")).send().await.expect("an answer").status(), 405);
    let large = "x".repeat(2 * 1024 * 1024 + 1);
    assert_eq!(world.http.post(url("closing")).body(large).send().await.expect("an answer").status(), 413);
    shop.code = "nobody".to_owned();
    assert_eq!(shop.deliver("orders/create", "w-1", &sent).await, 404);
});

on_both_databases!(a_delivery_is_kept_once_and_an_order_taken_once, |world| async move {
    let shop = world.shop("SHOPIFY", "again", json!({})).await;
    let sent = body(SHOPIFY);
    // The platform sends again what it thinks was not heard, and its change at the same time.
    let newer = changed(SHOPIFY, |order| {
        order["updated_at"] = json!("2026-01-01T00:00:00Z");
        order["note"] = json!("Gift.");
    });
    let repeated = (0..6).map(|_| shop.deliver("orders/create", "w-1", &sent));
    let changes = (0..2).map(|_| shop.deliver("orders/updated", "w-2", &newer));
    let (repeated, changes) = futures::join!(join_all(repeated), join_all(changes));
    assert!(repeated.iter().chain(&changes).all(|status| *status == 200), "{repeated:?} {changes:?}");
    let (first, second) = (shop.processed("w-1").await, shop.processed("w-2").await);
    assert_eq!(first["order"]["id"], second["order"]["id"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 1);
    let note = world.order(&text(&first["order"]["id"]), "note").await;
    assert_eq!(note["note"], "Gift.");
});

on_both_databases!(two_orders_of_one_second_are_two, |world| async move {
    // WooCommerce numbers its deliveries by webhook and second.
    let shop = world.shop("WOOCOMMERCE", "seconds", json!({})).await;
    let other = changed(WOO, |order| order["id"] = json!(728));
    assert_eq!(shop.deliver("order.created", "same", &body(WOO)).await, 200);
    assert_eq!(shop.deliver("order.created", "same", &other).await, 200);
    assert_eq!(shop.deliver("order.created", "same", &other).await, 200);
    let found = shop.deliveries("same").await;
    assert!(found.iter().all(|one| one["outcome"] == "TAKEN_IN"), "{found:?}");
    assert_eq!((found.len(), world.number("SELECT COUNT(*) FROM orders").await), (2, 2));
});

on_both_databases!(a_slow_database_is_not_waited_for, |world| async move {
    let shop = world.shop("SHOPIFY", "slow", json!({})).await;
    let sent = body(SHOPIFY);
    let held = world.db.begin().await.expect("a transaction");
    let lock = match world.kind {
        Kind::Postgres => "LOCK TABLE channel_delivery IN ACCESS EXCLUSIVE MODE",
        Kind::Sqlite => "UPDATE sales_channel SET version = version",
    };
    held.execute_unprepared(lock).await.expect("a lock");
    let begun = Instant::now();
    assert_eq!(shop.deliver("orders/create", "w-1", &sent).await, 503);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    held.rollback().await.expect("let go");
    // Whether the first was kept after all or not: sent again, it makes one order.
    assert_eq!(shop.deliver("orders/create", "w-1", &sent).await, 200);
    let delivery = shop.processed("w-1").await;
    assert_eq!(delivery["outcome"], "TAKEN_IN");
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 1);
});

on_both_databases!(what_a_crash_left_over_is_processed_by_the_clock, |world| async move {
    let shop = world.shop("SHOPIFY", "crashed", json!({})).await;
    let channels = world.app.store();
    let channel = ordergraph::store::channel::by_code(channels, "crashed").await.expect("a read").expect("the channel");
    let left_over = |number: &str, minutes: i64, body: &str| Incoming {
        id: ChannelDeliveryId(uuid::Uuid::now_v7()),
        channel_id: channel.id,
        recognized_by: number.to_owned(),
        delivery_number: Some(number.to_owned()),
        topic: "orders/create".to_owned(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        received_at: chrono::Utc::now() - chrono::Duration::minutes(minutes),
    };
    assert!(keep(channels, left_over("w-1", 1, &body(SHOPIFY))).await.expect("kept"));
    assert!(!keep(channels, left_over("w-1", 1, &body(SHOPIFY))).await.expect("known"));
    // What was kept a moment ago is in somebody's hands.
    let fresh = changed(SHOPIFY, |order| order["id"] = json!(5));
    assert!(keep(channels, left_over("w-2", 0, &fresh)).await.expect("kept"));
    let health = "{ salesChannels(first: 5) { nodes { health { waiting lagSeconds } } } }";
    let data = world.actor(Role::Admin).data(health, json!({})).await;
    let health = &data["salesChannels"]["nodes"][0]["health"];
    assert_eq!(health["waiting"], 2);
    assert!(health["lagSeconds"].as_i64().expect("a number") >= 60, "{health}");
    let done = perform_all(&world.app, DUTIES).await;
    assert_eq!(done, [("deliveries of channels", 1)]);
    assert_eq!(perform_all(&world.app, DUTIES).await, []);
    let waiting = world.number("SELECT COUNT(*) FROM channel_delivery WHERE outcome = 'RECEIVED'").await;
    assert_eq!((waiting, world.number("SELECT COUNT(*) FROM orders").await), (1, 1));
    assert!(world.number("SELECT COUNT(*) FROM channel_delivery WHERE outcome = 'TAKEN_IN'").await == 1);
    world.tamper("UPDATE channel_delivery SET due_at = received_at WHERE outcome = 'RECEIVED'").await;
    assert_eq!(perform_all(&world.app, DUTIES).await, [("deliveries of channels", 1)]);
    assert_eq!(shop.processed("w-2").await["processedBy"]["subject"], "channel.crashed");
});

on_both_databases!(what_could_not_be_read_is_kept_and_can_be_processed_again, |world| async move {
    let shop = world.shop("SHOPIFY", "replayed", json!({})).await;
    let admin = world.actor(Role::Admin);
    for (number, sent) in [("w-1", "[]"), ("w-2", "{ no JSON"), ("w-3", "{\"line_items\": []}")] {
        let delivery = shop.outcome("orders/create", number, sent).await;
        assert_eq!((&delivery["outcome"], &delivery["order"]), (&json!("FAILED"), &Value::Null), "{sent}");
        let again = admin.does("replayChannelDelivery", json!({ "deliveryId": delivery["id"] })).await;
        assert_eq!((&again["delivery"]["outcome"], &again["order"]), (&json!("FAILED"), &Value::Null));
    }
    // Taken in with a line that names no product of ours, then mapped and processed again: the line is the
    // channel's word still, since what was told is the same. The order is not taken in twice.
    let delivery = shop.outcome("orders/create", "w-4", &body(SHOPIFY)).await;
    let again = admin.does("replayChannelDelivery", json!({ "deliveryId": delivery["id"] })).await;
    assert_eq!(again["delivery"]["outcome"], "UNCHANGED");
    assert_eq!(again["order"]["id"], delivery["order"]["id"]);
    assert_eq!(again["delivery"]["processedBy"]["subject"], "ada.admin");
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 1);
    let failed = json!({ "id": shop.id });
    let document = "query($id: ID!) { channelDeliveries(first: 10, filter: { channelId: $id, outcomes: [FAILED] }) { totalCount nodes { body headers { name value } } } }";
    let data = admin.data(document, failed).await;
    assert_eq!(data["channelDeliveries"]["totalCount"], 3);
    let newest = &data["channelDeliveries"]["nodes"][0];
    assert_eq!(newest["body"], "{\"line_items\": []}");
    let names: Vec<String> =
        newest["headers"].as_array().expect("headers").iter().map(|one| text(&one["name"])).collect();
    assert_eq!(names, ["content-type", "x-shopify-topic", "x-shopify-webhook-id"]);
});
