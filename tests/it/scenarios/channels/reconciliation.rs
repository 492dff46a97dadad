//! What the channel's own list says and what is here (R1.3).

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::on_both_databases;
use crate::support::shop::changed;

const WOO: &str = "woocommerce/order_created_727_processing.json";
const RECONCILE: &str = "query($input: ReconcileChannelInput!) { reconcileChannel(input: $input) {
  matched differences { reference kind there here order { externalReference } } } }";

on_both_databases!(what_is_missing_or_different_is_named, |world| async move {
    let shop = world.shop("WOOCOMMERCE", "compared", json!({})).await;
    for (number, id) in [("d-1", 727), ("d-2", 728), ("d-3", 729), ("d-4", 730)] {
        shop.order("order.created", number, &changed(WOO, |order| order["id"] = json!(id))).await;
    }
    // Placed a year later: not what is asked for.
    let later = changed(WOO, |order| {
        order["id"] = json!(800);
        order["date_created_gmt"] = json!("2018-03-22T19:28:02");
    });
    shop.order("order.created", "d-5", &later).await;
    let entry = |reference: &str, amount: &str| json!({ "reference": reference, "amount": amount });
    let mut same = entry("727", "29.35");
    same["currencyCode"] = json!("USD");
    same["quantity"] = json!("3");
    same["cancelled"] = json!(false);
    let mut other = entry("728", "29.36");
    other["currencyCode"] = json!("EUR");
    other["quantity"] = json!("4");
    other["cancelled"] = json!(true);
    let input = |listing: Value| json!({ "input": { "channelId": shop.id, "from": "2017-03-22T00:00:00Z", "before": "2017-03-23T00:00:00Z", "listing": listing } });
    let supervisor = world.actor(Role::Supervisor);
    let listing = json!([same, other, entry("731", "5.00"), entry("729", "29.35"), entry("729", "29.35")]);
    let before = world.state().await;
    let found = supervisor.data(RECONCILE, input(listing)).await["reconcileChannel"].clone();
    let difference = |reference: &str, kind: &str, there: Value, here: Value, known: bool| {
        let order = if known { json!({ "externalReference": reference }) } else { Value::Null };
        json!({ "reference": reference, "kind": kind, "there": there, "here": here, "order": order })
    };
    let null = Value::Null;
    assert_eq!(
        found,
        json!({
            "matched": 2,
            "differences": [
                difference("728", "AMOUNT_DIFFERS", json!("29.36"), json!("29.35"), true),
                difference("728", "CURRENCY_DIFFERS", json!("EUR"), json!("USD"), true),
                difference("728", "QUANTITY_DIFFERS", json!("4"), json!("3"), true),
                difference("728", "CANCELLATION_DIFFERS", json!("cancelled"), json!("SUBMITTED"), true),
                difference("729", "LISTED_TWICE", null.clone(), null.clone(), true),
                difference("730", "MISSING_THERE", null.clone(), json!("18"), true),
                difference("731", "MISSING_HERE", json!("5.00"), null, false),
            ],
        })
    );
    assert_eq!(before, world.state().await);
    // A channel of another unit does not exist.
    let north = world.bearer(ordergraph::app::Identity {
        subject: "nora.north".to_owned(),
        roles: vec!["SUPERVISOR".to_owned()],
        unit: Some("AUR-N".to_owned()),
        ..Default::default()
    });
    assert_eq!(north.query(RECONCILE, input(json!([]))).await.code(), "NOT_FOUND");
    let many: Vec<Value> = (0..501).map(|number| json!({ "reference": number.to_string() })).collect();
    assert_eq!(supervisor.query(RECONCILE, input(json!(many))).await.code(), "BAD_USER_INPUT");
});
