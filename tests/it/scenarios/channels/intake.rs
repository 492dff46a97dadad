//! Orders as platforms send them: exact, whatever is missing.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{at, dollars, faults};
use crate::support::on_both_databases;
use crate::support::shop::{body, changed};

const WHOLE: &str = "status channel account externalReference submittedBy { subject } customer { number }
  contact { companyName contactName email phone } region note
  deliveryAddress { street city regionName postalCode countryCode } currencyCode total { amount currencyCode }
  lines { lineNumber sku description category specification unitPrice { amount } discountRate total { amount } quantities { ordered } }
  channelOrder { reference name placedAt changedAt cancelled channelTotal { amount currencyCode } shipping { amount currencyCode }
    tax { amount currencyCode } fees { amount currencyCode } faults { code path message } }";

on_both_databases!(an_order_of_which_much_is_missing_is_taken_in, |world| async move {
    let shop = world.shop("SHOPIFY", "tundra", json!({})).await;
    let order = shop.order("orders/create", "w-1", &body("shopify/orders_create_1073459963_multi_line.json")).await;
    let found = world.order(&order, WHOLE).await;
    let named = |name: &str| found[name].clone();
    assert_eq!(
        (named("status"), named("channel"), named("account"), named("externalReference"), named("region")),
        (json!("SUBMITTED"), json!("E_COMMERCE"), json!("tundra"), json!("1073459963"), json!("NORTH"))
    );
    assert_eq!(named("submittedBy"), json!({ "subject": "channel.tundra" }));
    assert_eq!(named("customer"), json!({ "number": "C-1001" }));
    assert_eq!(named("contact"), json!({ "companyName": "", "contactName": "", "email": null, "phone": null }));
    assert_eq!(named("total"), dollars("255.92"));
    let line = |number: i32, name: &str, price: &str, quantity: &str, total: &str| {
        json!({
            "lineNumber": number, "sku": null, "description": name, "category": name, "specification": null,
            "unitPrice": { "amount": price }, "discountRate": "0", "total": { "amount": total },
            "quantities": { "ordered": quantity },
        })
    };
    assert_eq!(
        named("lines"),
        json!([
            line(1, "Red Leather Coat", "129.99", "1", "129.99"),
            line(2, "Blue Suede Shoes", "85.95", "1", "85.95"),
            line(3, "Raspberry Beret", "19.99", "2", "39.98"),
        ])
    );
    let told = &found["channelOrder"];
    assert_eq!((&told["name"], &told["placedAt"]), (&json!("#1002"), &json!("2025-07-02T16:30:45Z")));
    assert_eq!((&told["channelTotal"], &told["tax"]), (&dollars("270.37"), &dollars("14.45")));
    let expected = [
        at("CONTACT_MISSING", "contact.contactName"),
        at("CONTACT_MISSING", "contact"),
        at("ADDRESS_MISSING", "deliveryAddress.street"),
        at("ADDRESS_MISSING", "deliveryAddress.city"),
        at("ADDRESS_MISSING", "deliveryAddress.countryCode"),
        at("SKU_MISSING", "lines.0.sku"),
        at("SKU_MISSING", "lines.1.sku"),
        at("SKU_MISSING", "lines.2.sku"),
        at("CURRENCY_MISMATCH", "currencyCode"),
        at("CHARGES_NOT_TAKEN_OVER", "total"),
    ];
    assert_eq!(faults(&found), expected);
    // What is missing is for the review to settle.
    world.actor(Role::Reviewer).does("startReview", json!({ "orderId": order })).await;
    let refused = world.actor(Role::Reviewer).refused("approveOrder", json!({ "orderId": order })).await;
    let clauses: Vec<_> = refused.iter().map(|one| (one.code.as_str(), one.clause.as_str())).collect();
    assert_eq!(clauses, [("CHECK_FAILED", "R2.2"), ("CHECK_FAILED", "R2.3")]);
    // It came once, whoever asks: as an event of the order with its channel's own.
    let kinds = world.order(&order, "timeline(first: 3) { nodes { kind } }").await;
    let kinds: Vec<_> =
        kinds["timeline"]["nodes"].as_array().expect("events").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds[..2], [json!("ORDER_SUBMITTED"), json!("CHANNEL_ORDER_RECEIVED")]);
});

on_both_databases!(numbers_and_prices_stay_exactly_what_they_were, |world| async move {
    let mapped = json!({ "skuMappings": [{ "externalSku": "IPOD2008RED", "sku": "LAMP-1" }] });
    let shop = world.shop("SHOPIFY", "north-shop", mapped).await;
    // Beyond what floats hold, and no number of the line that could be told from another.
    let sent = changed("shopify/orders_cancelled_450789469.json", |order| {
        order["id"] = json!(820_982_911_946_154_508_u64);
        order["cancelled_at"] = Value::Null;
        order["cancel_reason"] = Value::Null;
        order["line_items"][0]["current_quantity"] = json!(1);
    });
    let order = shop.order("orders/create", "w-1", &sent).await;
    let found = world.order(&order, WHOLE).await;
    assert_eq!(found["externalReference"], "820982911946154508");
    assert_eq!(
        found["contact"],
        json!({ "companyName": "Bob Norman", "contactName": "Bob Norman", "email": "bob.norman@mail.example.com", "phone": "+557734881234" })
    );
    assert_eq!(
        found["deliveryAddress"],
        json!({ "street": "Chestnut Street 92", "city": "Louisville", "regionName": "Kentucky", "postalCode": "40202", "countryCode": "US" })
    );
    // 199.00 less 3.34, 3.33 and 3.33, to the cent: as a rate where one of four decimals comes to that, and
    // else as the price after the discount.
    let lines = found["lines"].as_array().expect("lines");
    let priced: Vec<_> = lines
        .iter()
        .map(|line| (line["sku"].clone(), line["unitPrice"]["amount"].clone(), line["total"]["amount"].clone()))
        .collect();
    let (green, red, black) = (Value::Null, json!("LAMP-1"), Value::Null);
    let (price, after) = (json!("199"), json!("195.67"));
    assert_eq!(
        priced,
        [(green, price, json!("195.66")), (red, after.clone(), after.clone()), (black, after.clone(), after),]
    );
    assert_eq!(lines[1]["description"], "Desk lamp");
    assert_eq!(
        lines[0]["specification"],
        "Custom Engraving Front: Happy Birthday\nCustom Engraving Back: Merry Christmas"
    );
    // 587.00 and 11.94 taxes.
    assert_eq!((&found["total"], &found["channelOrder"]["channelTotal"]), (&dollars("587"), &dollars("598.94")));
    let expected = [
        at("SKU_UNKNOWN", "lines.0.sku"),
        at("SKU_UNKNOWN", "lines.2.sku"),
        at("CURRENCY_MISMATCH", "currencyCode"),
        at("CHARGES_NOT_TAKEN_OVER", "total"),
    ];
    assert_eq!(faults(&found), expected);
});

on_both_databases!(a_woocommerce_order_is_taken_in, |world| async move {
    let shop = world.shop("WOOCOMMERCE", "woo", json!({})).await;
    let order = shop.order("order.created", "d-1", &body("woocommerce/order_created_727_processing.json")).await;
    let found = world.order(&order, WHOLE).await;
    assert_eq!(found["externalReference"], "727");
    assert_eq!(
        found["contact"],
        json!({ "companyName": "John Doe", "contactName": "John Doe", "email": "john.doe@example.com", "phone": "(555) 555-5555" })
    );
    let told = &found["channelOrder"];
    assert_eq!(
        (&told["placedAt"], &told["changedAt"]),
        (&json!("2017-03-22T19:28:02Z"), &json!("2017-03-22T19:28:08Z"))
    );
    assert_eq!(
        (&found["total"], &told["channelTotal"], &told["shipping"], &told["tax"]),
        (&dollars("18"), &dollars("29.35"), &dollars("10"), &dollars("1.35"))
    );
    let lines = found["lines"].as_array().expect("lines");
    assert_eq!((&lines[0]["unitPrice"]["amount"], &lines[0]["quantities"]["ordered"]), (&json!("3"), &json!("2")));
    assert_eq!(lines[1]["specification"], "pa_color: black\nsize: M Test");
    let expected = [
        at("SKU_MISSING", "lines.0.sku"),
        at("SKU_UNKNOWN", "lines.1.sku"),
        at("CURRENCY_MISMATCH", "currencyCode"),
        at("CHARGES_NOT_TAKEN_OVER", "total"),
    ];
    assert_eq!(faults(&found), expected);
    // Payment and completion at the shop are no change of what is to be done here.
    let update = shop.outcome("order.updated", "d-2", &body("woocommerce/order_updated_727_completed.json")).await;
    assert_eq!((&update["outcome"], &update["order"]["id"]), (&json!("UNCHANGED"), &json!(order)));
    let found = world.order(&order, "version channelOrder { changedAt }").await;
    assert_eq!(found, json!({ "version": 1, "channelOrder": { "changedAt": "2017-03-22T19:30:35Z" } }));
});

on_both_databases!(tests_of_a_channel_make_no_order, |world| async move {
    let shop = world.shop("SHOPIFY", "tests", json!({})).await;
    let before = world.state().await;
    let test = shop.outcome("orders/create", "w-1", &body("shopify/orders_test_notification_9999.json")).await;
    assert_eq!(
        (&test["outcome"], &test["reference"], &test["order"]),
        (&json!("IGNORED"), &json!("123456"), &Value::Null)
    );
    let other = shop.outcome("refunds/create", "w-2", "{\"id\": 1}").await;
    assert_eq!(other["outcome"], "IGNORED");
    assert_eq!(before, world.state().await);
});

on_both_databases!(an_order_that_was_cancelled_before_it_came_comes_as_cancelled, |world| async move {
    let shop = world.shop("SHOPIFY", "born-cancelled", json!({})).await;
    let delivery = shop.outcome("orders/create", "w-1", &body("shopify/orders_cancelled_450789469.json")).await;
    assert_eq!((&delivery["outcome"], &delivery["order"]["status"]), (&json!("CANCELLED"), &json!("CANCELLED")));
    let order = delivery["order"]["id"].as_str().expect("an id");
    let found = world
        .order(order, "cancellation { reason requestedBy { subject } } lines { quantities { ordered open } }")
        .await;
    assert_eq!(found["cancellation"]["reason"], "Cancelled at the channel: other.");
    assert_eq!(found["lines"][0]["quantities"], json!({ "ordered": "1", "open": "0" }));
    // The same under another topic says nothing new.
    let again = shop.outcome("orders/cancelled", "w-2", &body("shopify/orders_cancelled_450789469.json")).await;
    assert_eq!(again["outcome"], "UNCHANGED");
});

on_both_databases!(each_buyer_can_be_a_customer_of_its_own, |world| async move {
    let policy = json!({ "customerPolicy": "PER_BUYER", "customerGroup": "WHOLESALE" });
    let shop = world.shop("SHOPIFY", "buyers", policy).await;
    let sent = |id: u64, email: Option<&str>| {
        changed("shopify/orders_create_1073459980_new_customer.json", |order| {
            order["id"] = json!(id);
            order["customer"] = email.map_or(Value::Null, |email| json!({ "email": email }));
            order["email"] = json!(email);
            order["contact_email"] = Value::Null;
        })
    };
    let customer =
        "customer { number group currencyCode contact { contactName } } channelOrder { faults { code path } }";
    let mut numbers = Vec::new();
    for (id, email) in
        [(1, Some("jane@example.com")), (2, Some("JANE@example.com")), (3, Some("eve@example.com")), (4, None)]
    {
        let number = format!("w-{id}");
        let order = shop.order("orders/create", &number, &sent(id, email)).await;
        let found = world.order(&order, customer).await;
        numbers.push(found["customer"]["number"].as_str().expect("a number").to_owned());
        if id == 1 {
            assert_eq!(found["customer"]["group"], "WHOLESALE");
            assert_eq!(found["customer"]["currencyCode"], "USD");
            assert_eq!(found["customer"]["contact"]["contactName"], "Jane Smith");
            assert_eq!(faults(&found), [at("SKU_UNKNOWN", "lines.0.sku")]);
        }
        let unknown = faults(&found).contains(&at("BUYER_UNKNOWN", "customerNumber"));
        assert_eq!(unknown, email.is_none());
    }
    assert!(numbers[0].starts_with("BUYERS-"), "{numbers:?}");
    assert_eq!(numbers[0], numbers[1]);
    assert_ne!(numbers[0], numbers[2]);
    assert_eq!(numbers[3], "C-1001");
});

on_both_databases!(two_shops_may_number_their_orders_alike, |world| async move {
    let first = world.shop("WOOCOMMERCE", "one", json!({})).await;
    let second = world.shop("WOOCOMMERCE", "two", json!({})).await;
    let sent = body("woocommerce/order_created_727_processing.json");
    let one = first.order("order.created", "d-1", &sent).await;
    let two = second.order("order.created", "d-1", &sent).await;
    assert_ne!(one, two);
    let by = |account: Option<&str>| json!({ "channel": "E_COMMERCE", "reference": "727", "account": account });
    let document =
        "query($by: ExternalReference!) { order(by: { externalReference: $by }) { id channelOrder { reference } } }";
    let supervisor = world.actor(Role::Supervisor);
    let found = supervisor.data(document, json!({ "by": by(Some("two")) })).await;
    assert_eq!(found["order"], json!({ "id": two, "channelOrder": { "reference": "727" } }));
    assert_eq!(supervisor.query(document, json!({ "by": by(None) })).await.code(), "BAD_USER_INPUT");
    // A partner's system sees its own, and nothing of what is for the group's people.
    let partner = world.bearer(ordergraph::app::Identity {
        subject: "shop.one".to_owned(),
        roles: vec!["PARTNER".to_owned()],
        channel: Some("one".to_owned()),
        ..Default::default()
    });
    let found = partner.data(document, json!({ "by": by(None) })).await;
    assert_eq!(found["order"], json!({ "id": one, "channelOrder": null }));
    // What came by webhook is not submitted once more, and the other way round.
    let mut input = crate::support::story::submission(&[crate::support::story::line("LAMP-1", "1")]);
    input["channel"] = json!("E_COMMERCE");
    input["externalReference"] = json!("727");
    partner.refused_for("submitOrder", input.clone(), &[("EXTERNAL_REFERENCE_CONFLICT", "R1.3")]).await;
    input["externalReference"] = json!("728");
    let submitted = partner.does("submitOrder", input).await;
    let late = changed("woocommerce/order_created_727_processing.json", |order| order["id"] = json!(728));
    let delivery = first.outcome("order.created", "d-2", &late).await;
    assert_eq!((&delivery["outcome"], &delivery["order"]["id"]), (&json!("UNCHANGED"), &submitted["order"]["id"]));
});
