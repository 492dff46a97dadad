//! Channels are opened, changed and closed by administrators; their secrets are nobody's to read.

use std::time::Duration;

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::shop::{body, changed, channel, settings};

const WOO: &str = "woocommerce/order_created_727_processing.json";

on_both_databases!(every_fault_of_a_channel_is_told_at_once, |world| async move {
    world.shop("SHOPIFY", "taken", json!({})).await;
    let admin = world.actor(Role::Admin);
    let mut input = channel("SHOPIFY", "taken", &world.unit("AUR").await);
    input["channel"] = json!("OFFLINE_SALES");
    input["name"] = json!(" ");
    input["secret"] = json!("short");
    let mapping = |external: &str, sku: &str| json!({ "externalSku": external, "sku": sku });
    input["settings"] = json!({
        "customerNumber": "C-9999", "currencyCode": "USD", "leadTimeDays": -1, "utcOffsetMinutes": 900,
        "customerGroup": "", "skuMappings": [mapping("A", "LAMP-1"), mapping("A", "LAMP-0")],
    });
    let mut found: Vec<(String, String)> =
        admin.refused("createSalesChannel", input).await.into_iter().map(|one| (one.code, one.path)).collect();
    found.sort();
    let expected = [
        ("CHANNEL_NOT_ALLOWED", "channel"),
        ("CODE_TAKEN", "code"),
        ("MALFORMED", "secret"),
        ("MALFORMED", "settings.leadTimeDays"),
        ("MALFORMED", "settings.utcOffsetMinutes"),
        ("REPEATED", "settings.skuMappings.1.externalSku"),
        ("REQUIRED", "name"),
        ("REQUIRED", "settings.customerGroup"),
        ("UNKNOWN_CUSTOMER", "settings.customerNumber"),
        ("UNKNOWN_SKU", "settings.skuMappings.1.sku"),
    ];
    let expected: Vec<(String, String)> = expected.map(|(code, path)| (code.to_owned(), path.to_owned())).into();
    assert_eq!(found, expected);
    let mut unsigned = channel("WOOCOMMERCE", "Not A Code", &world.unit("AUR").await);
    unsigned["secret"] = Value::Null;
    admin.refused_for("createSalesChannel", unsigned, &[("MALFORMED", "R1.1"), ("REQUIRED", "R1.3")]).await;
});

on_both_databases!(a_channel_belongs_to_a_unit, |world| async move {
    let north = Identity {
        subject: "nora.north".to_owned(),
        roles: vec!["ADMIN".to_owned()],
        unit: Some("AUR-N".to_owned()),
        ..Identity::default()
    };
    let north = world.bearer(north);
    let foreign = channel("SHOPIFY", "south", &world.unit("AUR-S").await);
    north.refused_for("createSalesChannel", foreign, &[("UNKNOWN_UNIT", "R1.1")]).await;
    let own = channel("SHOPIFY", "north", &world.unit("AUR-N").await);
    north.does("createSalesChannel", own).await;
    let shop = world.shop("SHOPIFY", "head", json!({})).await;
    let delivery = shop.outcome("orders/create", "w-1", "{}").await;
    let document = "{ salesChannels(first: 5) { totalCount nodes { code unit { code } webhookPath } } channelDeliveries(first: 5) { totalCount } }";
    let seen = north.data(document, json!({})).await;
    assert_eq!(
        seen,
        json!({
            "salesChannels": { "totalCount": 1, "nodes": [{ "code": "north", "unit": { "code": "AUR-N" }, "webhookPath": "/intake/north" }] },
            "channelDeliveries": { "totalCount": 0 },
        })
    );
    for (field, input) in [
        ("deactivateSalesChannel", json!({ "channelId": shop.id, "reason": "Mine." })),
        ("rotateChannelSecret", json!({ "channelId": shop.id, "secret": "a secret of mine" })),
        ("replayChannelDelivery", json!({ "deliveryId": delivery["id"] })),
    ] {
        assert_eq!(north.fails(field, input).await, "NOT_FOUND", "{field}");
    }
});

on_both_databases!(secrets_change_without_a_gap_and_are_never_shown, |world| async move {
    let mut shop = world.shop("WOOCOMMERCE", "rotating", json!({})).await;
    let admin = world.actor(Role::Admin);
    let old = shop.secret.clone();
    let sent = |id: u32| changed(WOO, |order| order["id"] = json!(id));
    let end = chrono::Utc::now() + chrono::Duration::seconds(6);
    let soon = end.to_rfc3339();
    let rotation = json!({ "channelId": shop.id, "secret": "the second secret", "formerEndsAt": soon });
    let payload = admin.does("rotateChannelSecret", rotation.clone()).await;
    let prints: Vec<&str> = payload["channel"]["secrets"]
        .as_array()
        .expect("two")
        .iter()
        .filter_map(|one| one["fingerprint"].as_str())
        .collect();
    // SHA-256 of the keys.
    assert_eq!(prints, ["9bcb56a8", "caff0816"]);
    shop.order("order.created", "d-1", &sent(1)).await;
    shop.secret = "the second secret".to_owned();
    shop.order("order.created", "d-2", &sent(2)).await;
    admin.refused_for("rotateChannelSecret", rotation, &[("REPEATED", "R1.3")]).await;
    let left = (end - chrono::Utc::now()).to_std().unwrap_or_default();
    tokio::time::sleep(left + Duration::from_millis(200)).await;
    shop.secret.clone_from(&old);
    assert_eq!(shop.deliver("order.created", "d-3", &sent(3)).await, 401);
    // A third: the second goes on for a day, the first is wiped.
    admin.does("rotateChannelSecret", json!({ "channelId": shop.id, "secret": "the third secret" })).await;
    shop.secret = "the second secret".to_owned();
    assert_eq!(shop.deliver("order.created", "d-4", &sent(4)).await, 200);
    assert_eq!(world.number("SELECT COUNT(*) FROM channel_key WHERE key = ''").await, 1);
    let held = world.number(&format!("SELECT COUNT(*) FROM channel_key WHERE key = '{old}'")).await;
    assert_eq!(held, 0);
    for secret in [old.as_str(), "the second secret", "the third secret"] {
        for (table, column) in [("event", "changes"), ("sales_channel", "secrets"), ("idempotency_record", "answer")] {
            let count = format!("SELECT COUNT(*) FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{secret}%'");
            assert_eq!(world.number(&count).await, 0, "{secret} in {table}");
        }
    }
    let events = "{ events(first: 20, filter: { aggregateKinds: [SALES_CHANNEL] }) { events { kind } } }";
    let data = world.actor(Role::Supervisor).data(events, json!({})).await;
    let kinds: Vec<&str> =
        data["events"]["events"].as_array().expect("events").iter().filter_map(|one| one["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "SALES_CHANNEL_SECRET_ROTATED").count(), 2, "{kinds:?}");
});

on_both_databases!(settings_count_from_the_next_order_on, |world| async move {
    let shop = world.shop("WOOCOMMERCE", "settled", json!({})).await;
    let first = shop.order("order.created", "d-1", &body(WOO)).await;
    let mut later = settings();
    later["skuMappings"] = json!([{ "externalSku": "Bar3", "sku": "LAMP-2" }]);
    later["region"] = json!("SOUTH");
    later["leadTimeDays"] = json!(0);
    let update = json!({ "channelId": shop.id, "name": "Renamed", "settings": later, "expectedVersion": 1 });
    let admin = world.actor(Role::Admin);
    let payload = admin.does("updateSalesChannel", update.clone()).await;
    assert_eq!((&payload["channel"]["name"], &payload["channel"]["version"]), (&json!("Renamed"), &json!(2)));
    assert_eq!(admin.fails("updateSalesChannel", update).await, "VERSION_CONFLICT");
    let second = shop.order("order.created", "d-2", &changed(WOO, |order| order["id"] = json!(728))).await;
    let asked = "region requiredBy submittedAt lines { sku }";
    let (first, second) = (world.order(&first, asked).await, world.order(&second, asked).await);
    assert_eq!((&first["region"], &first["lines"][1]["sku"]), (&json!("NORTH"), &Value::Null));
    assert_eq!((&second["region"], &second["lines"][1]["sku"]), (&json!("SOUTH"), &json!("LAMP-2")));
    let day = |order: &Value, name: &str| order[name].as_str().expect("a date")[..10].to_owned();
    assert_eq!(day(&second, "requiredBy"), day(&second, "submittedAt"));
});
