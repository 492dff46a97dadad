//! What is wrong with a request is said, all at once, and nothing comes of it.

use std::time::Duration;

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::ids::{OrderId, TicketId};
use ordergraph::graphql::ids::encode;
use ordergraph::http::auth::{DemoKey, DemoToken};
use serde_json::{Value, json};

use crate::support::actor::document;
use crate::support::story::{line, of, order_id, own_submission, submission};
use crate::support::{Actor, on_both_databases};

/// The codes and places of all faults of a submission; nothing has changed.
async fn faults(actor: &Actor, input: Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> =
        actor.refused("submitOrder", input).await.into_iter().map(|one| (one.code, one.path)).collect();
    found.sort();
    found
}

fn at(code: &str, path: &str) -> (String, String) {
    (code.to_owned(), path.to_owned())
}

on_both_databases!(every_fault_of_a_submission_is_told_at_once, |world| async move {
    let sales = world.actor(Role::Sales);
    let yesterday = (chrono::Utc::now() - chrono::Duration::days(1)).date_naive().to_string();
    let input = json!({
        "channel": "E_COMMERCE", "customerNumber": "C-9999", "currencyCode": "CNY", "requiredBy": yesterday,
        "deliveryAddress": { "street": " ", "city": "c".repeat(201), "countryCode": "cn" },
        "externalReference": "r".repeat(101),
        "lines": [
            line("LAMP-1", "0"), line("LAMP-1", "-1"), line("LAMP-0", "1"), { "quantity": "1" },
            line("LAMP-1", "1.0001"), { "sku": "LAMP-1", "quantity": "1", "unitPrice": "-0.01", "discountRate": "1.01" },
        ],
    });
    let expected = [
        at("AMOUNT_OUT_OF_RANGE", "lines.5.discountRate"),
        at("AMOUNT_OUT_OF_RANGE", "lines.5.unitPrice"),
        at("CHANNEL_NOT_ALLOWED", "channel"),
        at("DATE_IN_PAST", "requiredBy"),
        at("MALFORMED", "deliveryAddress.countryCode"),
        at("QUANTITY_NOT_POSITIVE", "lines.0.quantity"),
        at("QUANTITY_NOT_POSITIVE", "lines.1.quantity"),
        at("QUANTITY_PRECISION", "lines.4.quantity"),
        at("REQUIRED", "deliveryAddress.street"),
        at("REQUIRED", "lines.3.sku"),
        at("TOO_LONG", "deliveryAddress.city"),
        at("TOO_LONG", "externalReference"),
        at("UNKNOWN_CUSTOMER", "customerNumber"),
        at("UNKNOWN_SKU", "lines.2.sku"),
    ];
    assert_eq!(faults(&sales, input).await, expected);
});

on_both_databases!(single_faults_are_told_where_they_lie, |world| async move {
    let sales = world.actor(Role::Sales);
    let base = || submission(&[line("LAMP-1", "1")]);
    let with = |name: &str, value: Value| {
        let mut input = base();
        input[name] = value;
        input
    };
    let foreign = [at("CURRENCY_MISMATCH", "currencyCode"), at("CURRENCY_MISMATCH", "lines.0.sku")];
    assert_eq!(faults(&sales, with("currencyCode", json!("EUR"))).await, foreign);
    assert_eq!(faults(&sales, with("lines", json!([]))).await, [at("TOO_FEW", "lines")]);
    let many: Vec<Value> = (0..501).map(|_| line("LAMP-1", "1")).collect();
    assert_eq!(faults(&sales, with("lines", json!(many))).await, [at("TOO_MANY", "lines")]);
    let both = with("requiredBy", json!("2999-01-01"));
    assert_eq!(faults(&sales, both).await, [at("EXACTLY_ONE_REQUIRED", "requiredBy")]);
    let never = with("requiredWithinDays", Value::Null);
    assert_eq!(faults(&sales, never).await, [at("EXACTLY_ONE_REQUIRED", "requiredBy")]);
    assert_eq!(faults(&sales, with("requiredWithinDays", json!(-1))).await, [at("DATE_IN_PAST", "requiredWithinDays")]);
    assert_eq!(faults(&sales, with("requiredWithinDays", json!(4000))).await, [at("MALFORMED", "requiredWithinDays")]);
    let large = with("lines", json!([line("LAMP-1", "99999999999999")]));
    assert_eq!(faults(&sales, large).await, [at("QUANTITY_PRECISION", "lines.0.quantity")]);
    assert_eq!(
        faults(&sales, with("idempotencyKey", json!("k".repeat(201)))).await,
        [at("TOO_LONG", "idempotencyKey")]
    );
    // Customers do not name their own prices.
    let mut own = own_submission(&[line("LAMP-1", "1")]);
    own["lines"][0]["unitPrice"] = json!("1");
    let customer = world.customer("C-1001");
    assert_eq!(faults(&customer, own).await, [at("ROLE_NOT_PERMITTED", "lines.0.unitPrice")]);
});

on_both_databases!(what_does_not_fit_the_schema_never_reaches_the_rules, |world| async move {
    let sales = world.actor(Role::Sales);
    let base = || submission(&[line("LAMP-1", "1")]);
    for name in ["channel", "currencyCode", "deliveryAddress", "lines"] {
        let mut input = base();
        input.as_object_mut().expect("an object").remove(name);
        assert_eq!(sales.fails("submitOrder", input).await, "GRAPHQL_VALIDATION_FAILED", "without {name}");
    }
    let quantity = |value: Value| json!([{ "sku": "LAMP-1", "quantity": value }]);
    for (name, value, code) in [
        ("priority", json!("HIGH"), "GRAPHQL_VALIDATION_FAILED"),
        ("note", json!(7), "GRAPHQL_VALIDATION_FAILED"),
        ("surprise", json!("!"), "GRAPHQL_VALIDATION_FAILED"),
        ("lines", quantity(json!(1.5)), "GRAPHQL_VALIDATION_FAILED"),
        ("lines", quantity(json!("1e3")), "BAD_USER_INPUT"),
        ("lines", quantity(json!("")), "BAD_USER_INPUT"),
        ("lines", quantity(json!("0.1234567890123456789012345678901")), "BAD_USER_INPUT"),
        ("currencyCode", json!("XXQ"), "BAD_USER_INPUT"),
        ("requiredBy", json!("31.12.2999"), "BAD_USER_INPUT"),
        ("note", json!("bell \u{7}"), "BAD_USER_INPUT"),
    ] {
        let mut input = base();
        input[name] = value;
        assert_eq!(sales.fails("submitOrder", input.clone()).await, code, "{input}");
    }
});

on_both_databases!(ids_are_of_one_type_and_one_spelling, |world| async move {
    let order = world.submitted(&[line("LAMP-1", "1")]).await;
    let reviewer = world.actor(Role::Reviewer);
    let ticket = encode(TicketId(uuid::Uuid::now_v7())).to_string();
    for id in [ticket, String::new(), "1".to_owned(), "%%%".to_owned(), format!("{order}="), order.to_lowercase()] {
        assert_eq!(reviewer.fails("startReview", of(&id)).await, "BAD_USER_INPUT", "{id:?}");
    }
    let nobody = encode(OrderId(uuid::Uuid::now_v7())).to_string();
    assert_eq!(reviewer.fails("startReview", of(&nobody)).await, "NOT_FOUND");
    reviewer.does("startReview", of(&order)).await;
});

on_both_databases!(a_stale_view_changes_nothing, |world| async move {
    let order = world.submitted(&[line("LAMP-1", "1")]).await;
    let reviewer = world.actor(Role::Reviewer);
    reviewer.does("startReview", json!({ "orderId": order, "expectedVersion": 1 })).await;
    for version in [1, 3, -1] {
        let before = world.state().await;
        let stale = json!({ "orderId": order, "expectedVersion": version });
        let answer = reviewer.act("approveOrder", stale).await;
        assert_eq!(answer.code(), "VERSION_CONFLICT");
        let extensions = &answer.body["errors"][0]["extensions"];
        assert_eq!(extensions["expectedVersion"], version);
        assert_eq!(extensions["foundVersion"], 2);
        assert_eq!(before, world.state().await);
    }
    reviewer.does("approveOrder", json!({ "orderId": order, "expectedVersion": 2 })).await;
});

on_both_databases!(the_same_key_has_one_effect_and_one_meaning, |world| async move {
    let sales = world.actor(Role::Sales);
    let mut input = submission(&[line("LAMP-1", "2")]);
    input["idempotencyKey"] = json!("key-1");
    let first = sales.does("submitOrder", input.clone()).await;
    let before = world.state().await;
    let again = sales.does("submitOrder", input.clone()).await;
    assert_eq!(first, again);
    assert_eq!(before, world.state().await, "the second time has no effect");
    input["lines"][0]["quantity"] = json!("3");
    assert_eq!(faults(&sales, input.clone()).await, [at("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")]);
    let order = order_id(&first);
    let other = json!({ "orderId": order, "reason": "x", "idempotencyKey": "key-1" });
    sales.refused_for("cancelOrder", other, &[("IDEMPOTENCY_KEY_REUSED", "R1.3")]).await;
    // Keys belong to whoever uses them.
    input["channel"] = json!("E_COMMERCE");
    input["customerNumber"] = Value::Null;
    let customers = world.customer("C-1001").does("submitOrder", input).await;
    assert_ne!(order_id(&customers), order);
    // What was refused may be mended and sent again under its key.
    let mut empty = submission(&[]);
    empty["idempotencyKey"] = json!("key-2");
    assert_eq!(faults(&sales, empty.clone()).await, [at("TOO_FEW", "lines")]);
    empty["lines"] = json!([line("LAMP-1", "4")]);
    sales.does("submitOrder", empty).await;
});

on_both_databases!(a_reference_stands_for_one_order, |world| async move {
    let sales = world.actor(Role::Sales);
    let mut input = submission(&[line("LAMP-1", "2")]);
    input["externalReference"] = json!("PO-77");
    let first = sales.does("submitOrder", input.clone()).await;
    assert_eq!(first["duplicate"], false);
    let before = world.state().await;
    let again = sales.does("submitOrder", input.clone()).await;
    assert_eq!((&again["duplicate"], &again["order"]), (&json!(true), &first["order"]));
    assert_eq!(before, world.state().await, "taken over once");
    let mut changed = input.clone();
    changed["lines"][0]["quantity"] = json!("3");
    assert_eq!(faults(&sales, changed).await, [at("EXTERNAL_REFERENCE_CONFLICT", "externalReference")]);
    // The same reference on another channel is another's.
    input["channel"] = json!("E_COMMERCE");
    input["customerNumber"] = Value::Null;
    let customers = world.customer("C-1001").does("submitOrder", input.clone()).await;
    assert_eq!(customers["duplicate"], false);
    // Of a reference that another customer used, nothing more is told than that it is taken.
    let answer = world.customer("C-1002").act("submitOrder", input).await;
    assert_eq!(answer.data()["submitOrder"]["userErrors"][0]["code"], "EXTERNAL_REFERENCE_CONFLICT");
    assert!(!answer.text.contains(customers["order"]["number"].as_str().expect("a number")));
});

on_both_databases!(too_much_is_refused_before_it_is_looked_at, |world| async move {
    let sales = world.actor(Role::Sales);
    let before = world.state().await;
    let large = format!("{{ viewer {{ subject }} }} # {}", "x".repeat(10 * 1024 * 1024));
    let answer = sales.query(&large, json!({})).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "BODY_TOO_LARGE"));
    let long = format!("{{ viewer {{ subject }} }} # {}", "x".repeat(70 * 1024));
    assert_eq!(sales.query(&long, json!({})).await.code(), "DOCUMENT_TOO_LARGE");
    let aliases: String = (0..2_000).map(|index| format!("a{index}: eventCursor ")).collect();
    assert_eq!(sales.query(&format!("{{ {aliases} }}"), json!({})).await.code(), "DOCUMENT_TOO_MANY_TOKENS");
    let fewer: String = (0..60).map(|index| format!("a{index}: eventCursor ")).collect();
    assert_eq!(sales.query(&format!("{{ {fewer} }}"), json!({})).await.code(), "DOCUMENT_TOO_MANY_ALIASES");
    let mut deep = "id".to_owned();
    for _ in 0..20 {
        deep = format!("allocations {{ order {{ {deep} }} }}");
    }
    let deep = format!("{{ orders(first: 1) {{ nodes {{ {deep} }} }} }}");
    assert_eq!(sales.query(&deep, json!({})).await.code(), "DOCUMENT_TOO_DEEP");
    let wide = "{ orders(first: 3) { nodes { allocations { order { allocations { order { deliveries { trackingEvents { id } } } } } } } } }";
    assert_eq!(sales.query(wide, json!({})).await.codes(), Vec::<String>::new(), "an honest question");
    let costly = wide.replace("first: 3", "first: 100");
    assert_eq!(sales.query(&costly, json!({})).await.code(), "GRAPHQL_VALIDATION_FAILED");
    for page in [
        "orders(first: 100000) { nodes { id } }",
        "orders(first: -1) { nodes { id } }",
        "orders(first: 1, after: \"x\") { nodes { id } }",
    ] {
        assert_eq!(sales.query(&format!("{{ {page} }}"), json!({})).await.code(), "BAD_USER_INPUT", "{page}");
    }
    let ids: Vec<String> = (0..101).map(|_| encode(OrderId(uuid::Uuid::now_v7())).to_string()).collect();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(sales.query(nodes, json!({ "ids": ids })).await.code(), "BAD_USER_INPUT");
    assert_eq!(
        sales.query("{ orders(first: 1) { nodes { secret } } }", json!({})).await.code(),
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(sales.query("{ orders(", json!({})).await.code(), "GRAPHQL_PARSE_FAILED");
    assert_eq!(sales.post("{".to_owned()).await.status, 400);
    assert_eq!(sales.post("[]".to_owned()).await.status, 400);
    assert_eq!(before, world.state().await);
});

on_both_databases!(tokens_that_are_not_ours_open_nothing, |world| async move {
    let sales = world.actor(Role::Sales);
    let expired = world.token(&sales.identity, Duration::ZERO);
    let folder = tempfile::tempdir().expect("a folder");
    let stranger = DemoKey::load_or_create(folder.path()).expect("a key");
    let forged = stranger
        .issue(&DemoToken {
            subject: "sam.sales".to_owned(),
            roles: vec!["SALES".to_owned()],
            unit: Some("AUR".to_owned()),
            customer: None,
            channel: None,
            lifetime: Duration::from_secs(60),
        })
        .expect("a token");
    let good = sales.token.clone().expect("a token");
    let (head, signature) = good.rsplit_once('.').expect("a signed token");
    let unsigned = format!("{}.{}.", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", head.split_once('.').expect("two parts").1);
    let altered = format!("{head}.{}", signature.chars().rev().collect::<String>());
    // A token counts to the end of its last second.
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for token in [expired, forged, unsigned, altered, "nonsense".to_owned(), String::new()] {
        let before = world.state().await;
        let body =
            json!({ "query": document("submitOrder"), "variables": { "input": submission(&[line("LAMP-1", "1")]) } });
        let answer = sales.with_token(token.clone()).post(body.to_string()).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHENTICATED"), "{token:?}");
        assert_eq!(before, world.state().await);
    }
    let nobody = world.bearer(Identity { subject: "x".to_owned(), ..Identity::default() });
    assert_eq!(nobody.fails("submitOrder", submission(&[])).await, "FORBIDDEN");
});
