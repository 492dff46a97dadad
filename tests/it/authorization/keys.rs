//! Keys of partners' systems and tracking links: what they open, for how long, and how that ends.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::story::{line, of, order_id, own_submission};
use crate::support::{Actor, World, on_both_databases};

const VIEWER: &str = "{ viewer { roles scope account } }";
const LIST: &str = "query($filter: AccessKeyFilter) { accessKeys(filter: $filter) {
  totalCount nodes { id kind label account order { id } hint status lastUsedAt createdBy { subject } } } }";

fn partner(world: &Arc<World>, account: &str) -> Actor {
    world.bearer(Identity {
        subject: format!("shop.{account}"),
        roles: vec!["PARTNER".to_owned()],
        channel: Some(account.to_owned()),
        ..Identity::default()
    })
}

async fn partner_key(world: &Arc<World>, account: &str) -> Value {
    world.shop("PARTNER", account, json!({})).await;
    world.actor(Role::Admin).does("createPartnerKey", json!({ "account": account, "label": "Shop server" })).await
}

/// A customer with an order, and a link to it.
async fn link(world: &Arc<World>) -> (Actor, String, Value) {
    let customer = world.customer("C-1001");
    let order = order_id(&customer.does("submitOrder", own_submission(&[line("LAMP-1", "2")])).await);
    let payload = customer.does("createTrackingLink", json!({ "orderId": order })).await;
    (customer, order, payload)
}

on_both_databases!(a_partners_key_opens_its_account_and_nothing_else, |world| async move {
    let payload = partner_key(&world, "north-shop").await;
    let secret = text(&payload["secret"]);
    assert!(secret.starts_with("ogk_") && secret.len() == 47, "{secret}");
    let key = world.key_bearer(&secret);
    let viewer = key.data(VIEWER, json!({})).await["viewer"].clone();
    assert_eq!(viewer, json!({ "roles": ["PARTNER"], "scope": "ACCOUNT", "account": "north-shop" }));

    let mut submission = own_submission(&[line("LAMP-1", "1")]);
    submission["channel"] = json!("PARTNER_REFERRAL");
    submission["customerNumber"] = json!("C-1001");
    let order = order_id(&key.does("submitOrder", submission).await);
    let seen = |actor: Actor| async move {
        actor.data("{ orders { nodes { id } } }", json!({})).await["orders"]["nodes"].clone()
    };
    assert_eq!(seen(key.clone()).await, json!([{ "id": order }]));
    assert_eq!(seen(partner(&world, "north-shop")).await, json!([{ "id": order }]));
    assert_eq!(seen(partner(&world, "south-shop")).await, json!([]));

    let all = world.actor(Role::Supervisor).data(LIST, json!({ "filter": { "account": "north-shop" } })).await;
    let hint = &secret[secret.len() - 4..];
    let mut found = all["accessKeys"]["nodes"][0].clone();
    let used = found["lastUsedAt"].take();
    assert!(used.is_string(), "when it was used is noted: {all}");
    let expected = json!({
        "id": payload["accessKey"]["id"], "kind": "PARTNER", "label": "Shop server", "account": "north-shop",
        "order": null, "hint": hint, "status": "ACTIVE", "lastUsedAt": null, "createdBy": { "subject": "ada.admin" },
    });
    assert_eq!(found, expected);
    // The partner sees its own keys, another one not, and neither who made them.
    let own = partner(&world, "north-shop").data(LIST, json!({})).await;
    assert_eq!((&own["accessKeys"]["totalCount"], &own["accessKeys"]["nodes"][0]["hint"]), (&json!(1), &json!(hint)));
    assert_eq!(partner(&world, "south-shop").data(LIST, json!({})).await["accessKeys"]["totalCount"], 0);
    // Neither the key nor its digest is kept where anybody reads it.
    let supervisor = world.actor(Role::Supervisor);
    let told =
        "{ events(first: 5, filter: { aggregateKinds: [ACCESS_KEY] }) { events { kind changes { field value } } } }";
    let events = supervisor.data(told, json!({})).await;
    assert_eq!(events["events"]["events"][0]["kind"], "ACCESS_KEY_CREATED");
    assert!(!events.to_string().contains("digest"), "{events}");
});

on_both_databases!(a_tracking_link_opens_one_order_as_its_customer_sees_it, |world| async move {
    let (customer, order, payload) = link(&world).await;
    let other = order_id(&customer.does("submitOrder", own_submission(&[line("CABLE-5", "1")])).await);
    let holder = world.key_bearer(&text(&payload["secret"]));
    let viewer = holder.data(VIEWER, json!({})).await["viewer"].clone();
    assert_eq!(viewer, json!({ "roles": ["LINK_HOLDER"], "scope": "ORDER", "account": null }));
    let found = holder.data("{ orders { totalCount nodes { id status } } }", json!({})).await;
    assert_eq!(found["orders"], json!({ "totalCount": 1, "nodes": [{ "id": order, "status": "SUBMITTED" }] }));
    let by_id = "query($id: ID!) { order(by: { id: $id }) { id } node(id: $id) { id } }";
    let foreign = holder.data(by_id, json!({ "id": other })).await;
    assert_eq!(foreign, json!({ "order": null, "node": null }));
    // It is for following: nothing else is open, the link itself included.
    let before = world.state().await;
    for (action, input) in [
        ("cancelOrder", json!({ "orderId": order, "reason": "Mine now." })),
        ("submitOrder", own_submission(&[line("LAMP-1", "1")])),
        ("createTrackingLink", json!({ "orderId": order })),
    ] {
        assert_eq!(holder.fails(action, input).await, "FORBIDDEN", "{action}");
    }
    assert_eq!(holder.query(LIST, json!({})).await.code(), "FORBIDDEN");
    assert_eq!(before, world.state().await);
    // The question goes to the customer, and whoever holds the link may answer it.
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", of(&order)).await;
    reviewer.does("requestClarification", json!({ "orderId": order, "question": "Which bulb?" })).await;
    holder.does("answerClarification", json!({ "orderId": order, "answer": "The warm one." })).await;
    assert_eq!(world.status(&order).await, "UNDER_REVIEW");
});

on_both_databases!(a_stream_that_a_key_opened_ends_with_the_key, |world| async move {
    let (customer, order, payload) = link(&world).await;
    let secret = text(&payload["secret"]);
    let holder = world.key_bearer(&secret);
    let follow = "subscription($order: ID!) { orderProgress(orderId: $order) { order { status } } }";
    let mut stream = holder.subscribe(follow, json!({ "order": order })).await;
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    stream.until(|update| update["orderProgress"]["order"]["status"] == "UNDER_REVIEW").await;

    let key = &payload["accessKey"];
    let input =
        json!({ "accessKeyId": key["id"], "expectedVersion": key["version"], "reason": "Sent to the wrong address." });
    let revoked = customer.does("revokeAccessKey", input.clone()).await["accessKey"].clone();
    assert_eq!((&revoked["status"], &revoked["version"]), (&json!("REVOKED"), &json!(2)));
    let closed = tokio::time::timeout(Duration::from_secs(2), stream.closed()).await.expect("closed in time");
    assert_eq!(closed, 4403);
    let later = holder.query(VIEWER, json!({})).await;
    assert_eq!(later.code(), "UNAUTHENTICATED");
    // Once is enough.
    let again = json!({ "accessKeyId": key["id"], "reason": "Once more." });
    customer.refused_for("revokeAccessKey", again, &[("ILLEGAL_TRANSITION", "R13.1")]).await;
});

on_both_databases!(a_key_is_told_once_and_has_an_end, |world| async move {
    let admin = world.actor(Role::Admin);
    world.shop("PARTNER", "north-shop", json!({})).await;
    let input = json!({ "account": "north-shop", "idempotencyKey": "the-key" });
    let first = admin.does("createPartnerKey", input.clone()).await;
    let second = admin.does("createPartnerKey", input).await;
    assert_eq!(first["accessKey"]["id"], second["accessKey"]["id"]);
    assert!(first["secret"].is_string() && second["secret"].is_null(), "{first} {second}");

    let before = world.state().await;
    let at = |days| (Utc::now() + chrono::Duration::days(days)).to_rfc3339();
    let until = |days| json!({ "account": " ", "expiresAt": at(days) });
    admin.refused_for("createPartnerKey", until(-1), &[("REQUIRED", "R1.4"), ("DATE_IN_PAST", "R13.1")]).await;
    admin.refused_for("createPartnerKey", until(732), &[("REQUIRED", "R1.4"), ("DATE_TOO_FAR", "R13.1")]).await;
    // Administrators of a part of the group have no say in it.
    let local = world.bearer(Identity {
        subject: "anna.admin".to_owned(),
        roles: vec!["ADMIN".to_owned()],
        unit: Some("AUR-N".to_owned()),
        ..Identity::default()
    });
    local.refused_for("createPartnerKey", json!({ "account": "north-shop" }), &[("ROLE_NOT_PERMITTED", "R13.1")]).await;
    let nobodys = json!({ "account": "nobodys-shop" });
    admin.refused_for("createPartnerKey", nobodys, &[("UNKNOWN_CHANNEL", "R1.5")]).await;
    assert_eq!(before, world.state().await);
    // A key that nobody made, and one that has expired.
    assert_eq!(world.key_bearer("ogk_nobodys").query(VIEWER, json!({})).await.code(), "UNAUTHENTICATED");
    let soon =
        json!({ "account": "north-shop", "expiresAt": (Utc::now() + chrono::Duration::seconds(1)).to_rfc3339() });
    let secret = text(&admin.does("createPartnerKey", soon).await["secret"]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.key_bearer(&secret).query(VIEWER, json!({})).await.code(), "UNAUTHENTICATED");
});
