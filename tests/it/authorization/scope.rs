//! What lies outside the caller's scope does not exist: no answer differs from the one about
//! something that never was.

use std::sync::Arc;

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::domain::ids::{AllocationId, DeliveryId, MilestoneId, OrderId, TicketId};
use ordergraph::graphql::ids::{GlobalId, encode};
use serde_json::{Value, json};

use crate::support::story::{Share, line, of, order_id, own_submission};
use crate::support::{Actor, World, on_both_databases};

/// Somebody's order with everything that can belong to one.
struct Belongings {
    order: String,
    number: String,
    share: Share,
    milestone: String,
    delivery: String,
    ticket: String,
}

async fn belongings(world: &Arc<World>) -> Belongings {
    let owner = world.customer("C-1001");
    let mut input = own_submission(&[line("LAMP-1", "3")]);
    input["externalReference"] = json!("SECRET-1");
    let payload = owner.does("submitOrder", input).await;
    let order = order_id(&payload);
    world.actor(Role::Reviewer).does("startReview", of(&order)).await;
    world.approve(&order).await;
    let share = world.allocate(&order).await.remove(0);
    world.operator(&share.unit).does("acceptAllocation", share.input()).await;
    let milestone = world.open_milestones(&share).await[0].0.clone();
    world.work(&share).await;
    world.pass(&share).await;
    let delivery = world.booked(&share, Some("EXPRESS")).await;
    world.arrive(&delivery).await;
    let problem = json!({ "orderId": order, "type": "TECHNICAL", "subject": "It hums", "description": "At night." });
    let opened = owner.does("openTicket", problem).await;
    Belongings {
        number: payload["order"]["number"].as_str().expect("a number").to_owned(),
        ticket: opened["ticket"]["id"].as_str().expect("an id").to_owned(),
        order,
        share,
        milestone,
        delivery,
    }
}

fn nobodys<T: GlobalId>() -> String {
    encode(T::from(uuid::Uuid::now_v7())).to_string()
}

/// Every question about something by its id, with the id that is asked for and one of nothing.
fn questions(own: &Belongings) -> Vec<(&'static str, String, String)> {
    let order = (own.order.clone(), nobodys::<OrderId>());
    let delivery = (own.delivery.clone(), nobodys::<DeliveryId>());
    let ticket = (own.ticket.clone(), nobodys::<TicketId>());
    let share = (own.share.id.clone(), nobodys::<AllocationId>());
    let milestone = (own.milestone.clone(), nobodys::<MilestoneId>());
    let mut questions = Vec::new();
    for document in [
        "query($id: ID!) { order(by: { id: $id }) { id number } }",
        "query($id: ID!) { deliveries(first: 5, filter: { orderId: $id }) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }",
        "query($id: ID!) { tickets(first: 5, filter: { orderId: $id }) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }",
        "query($id: ID!) { events(first: 50, filter: { orderId: $id }) { hasMore events { kind } } }",
        "query($id: ID!) { nodes(ids: [$id, $id]) { id } }",
        "mutation($id: ID!) { cancelOrder(input: { orderId: $id, reason: \"x\" }) { userErrors { message } } }",
        "mutation($id: ID!) { answerClarification(input: { orderId: $id, answer: \"x\" }) { userErrors { message } } }",
        "mutation($id: ID!) { openTicket(input: { orderId: $id, type: OTHER, subject: \"x\", description: \"y\" }) { userErrors { message } } }",
        "mutation($id: ID!) { cancelOrder(input: { orderId: $id, reason: \"x\", expectedVersion: 1 }) { userErrors { message } } }",
    ] {
        questions.push((document, order.0.clone(), order.1.clone()));
    }
    let confirm = "mutation($id: ID!) { confirmDelivery(input: { deliveryId: $id, evidence: { kind: CUSTOMER_RECEIPT, reference: \"x\" } }) { userErrors { message } } }";
    questions.push((confirm, delivery.0.clone(), delivery.1.clone()));
    for (theirs, none) in [order, delivery, ticket, share, milestone] {
        questions.push(("query($id: ID!) { node(id: $id) { id __typename } }", theirs, none));
    }
    questions
}

/// Nothing that the stranger asks tells the order from one that never was.
async fn nothing_exists(stranger: &Actor, own: &Belongings) {
    let before = stranger.world.state().await;
    for (document, theirs, none) in questions(own) {
        let about_theirs = stranger.query(document, json!({ "id": theirs })).await;
        let about_none = stranger.query(document, json!({ "id": none })).await;
        assert_eq!(about_theirs.timeless(), about_none.timeless(), "{document}");
        assert!(!about_theirs.text.contains(&own.number), "{document}");
        if document.starts_with("mutation") {
            assert_eq!(about_theirs.code(), "NOT_FOUND", "{document}");
        }
    }
    assert_eq!(before, stranger.world.state().await, "nothing left a trace");
    let by_number = "query($by: OrderRef!) { order(by: $by) { id } }";
    for by in [
        json!({ "number": own.number }),
        json!({ "externalReference": { "channel": "E_COMMERCE", "reference": "SECRET-1" } }),
    ] {
        let answer = stranger.query(by_number, json!({ "by": by })).await;
        assert_eq!(answer.data()["order"], Value::Null);
    }
    let stream = "subscription($id: ID!) { orderProgress(orderId: $id) { cursor order { number } } }";
    let mut answers = Vec::new();
    for id in [own.order.clone(), nobodys::<OrderId>()] {
        let answer = stranger.subscribe(stream, json!({ "id": id })).await.answer().await;
        let mut errors = if answer.is_array() { answer } else { answer["errors"].clone() };
        assert_eq!(errors[0]["extensions"]["code"], "NOT_FOUND");
        errors[0]["extensions"].as_object_mut().expect("extensions").remove("requestId");
        answers.push(errors);
    }
    assert_eq!(answers[0], answers[1]);
    let counts = "{ orders(first: 9) { totalCount nodes { number } } deliveries(first: 9) { totalCount }
                    events(first: 100) { events { kind } } found: orders(first: 9, filter: { text: \"SECRET\" }) { totalCount } }";
    assert_eq!(
        stranger.data(counts, json!({})).await,
        json!({
            "orders": { "totalCount": 0, "nodes": [] }, "deliveries": { "totalCount": 0 },
            "events": { "events": [] }, "found": { "totalCount": 0 },
        })
    );
}

on_both_databases!(a_customer_has_its_own_orders_only, |world| async move {
    let own = belongings(&world).await;
    let stranger = world.customer("C-1002");
    nothing_exists(&stranger, &own).await;
    let customers = "{ customers(first: 9) { totalCount nodes { number } } viewer { scope customer { number } } }";
    assert_eq!(
        stranger.data(customers, json!({})).await,
        json!({
            "customers": { "totalCount": 1, "nodes": [{ "number": "C-1002" }] },
            "viewer": { "scope": "CUSTOMER", "customer": { "number": "C-1002" } },
        })
    );
    let owners = world.customer("C-1001").data(customers, json!({})).await;
    assert_eq!(owners["customers"]["nodes"], json!([{ "number": "C-1001" }]));
    // Nor can it submit or be quoted for another.
    let mut input = own_submission(&[line("LAMP-1", "1")]);
    input["customerNumber"] = json!("C-1001");
    let refused = stranger.refused("submitOrder", input).await;
    assert_eq!((refused[0].code.as_str(), refused[0].path.as_str()), ("UNKNOWN_CUSTOMER", "customerNumber"));
});

on_both_databases!(a_partner_has_the_orders_of_its_account_only, |world| async move {
    let own = belongings(&world).await;
    let other = Identity {
        subject: "shop.moon".to_owned(),
        roles: vec!["PARTNER".to_owned()],
        channel: Some("moon-shop".to_owned()),
        ..Identity::default()
    };
    nothing_exists(&world.bearer(other), &own).await;
    let without =
        Identity { subject: "shop.none".to_owned(), roles: vec!["PARTNER".to_owned()], ..Identity::default() };
    nothing_exists(&world.bearer(without), &own).await;
});

on_both_databases!(a_token_of_a_place_that_is_not_there_opens_nothing, |world| async move {
    let own = belongings(&world).await;
    for identity in [
        Identity { customer: Some("C-9999".to_owned()), roles: vec!["CUSTOMER".to_owned()], ..Identity::default() },
        Identity { roles: vec!["CUSTOMER".to_owned()], ..Identity::default() },
        // Whoever acts for a customer is confined to it, whatever else the token says.
        Identity {
            customer: Some("C-1002".to_owned()),
            unit: Some("AUR".to_owned()),
            roles: vec!["CUSTOMER".to_owned(), "ADMIN".to_owned(), "SALES".to_owned()],
            ..Identity::default()
        },
    ] {
        let identity = Identity { subject: "odd".to_owned(), ..identity };
        nothing_exists(&world.bearer(identity), &own).await;
    }
    let staff = Identity {
        subject: "odd".to_owned(),
        unit: Some("NOWHERE".to_owned()),
        roles: vec!["SUPERVISOR".to_owned()],
        ..Identity::default()
    };
    let everything = "{ orders(first: 1) { totalCount } stockItems(first: 1) { totalCount } units { code } customers(first: 1) { totalCount }
                        allocations(first: 1) { totalCount } tickets(first: 1) { totalCount } events(first: 1) { events { kind } } }";
    assert_eq!(
        world.bearer(staff).data(everything, json!({})).await,
        json!({
            "orders": { "totalCount": 0 }, "stockItems": { "totalCount": 0 }, "units": [], "customers": { "totalCount": 0 },
            "allocations": { "totalCount": 0 }, "tickets": { "totalCount": 0 }, "events": { "events": [] },
        })
    );
});

on_both_databases!(a_unit_has_the_orders_it_has_a_share_in, |world| async move {
    let (north, _) = world.allocated(&[line("LAMP-1", "3")]).await;
    let (south, shares) = world.allocated(&[line("BENCH-X", "1")]).await;
    let olga = world.person("olga.operator");
    let counts =
        "{ orders(first: 9) { totalCount nodes { id } } allocations(first: 9) { totalCount nodes { unit { code } } }
                    stockItems(first: 50) { totalCount nodes { warehouse { code } } } }";
    let found = olga.data(counts, json!({})).await;
    assert_eq!(found["orders"], json!({ "totalCount": 1, "nodes": [{ "id": north }] }));
    assert_eq!(found["allocations"], json!({ "totalCount": 1, "nodes": [{ "unit": { "code": "AUR-N" } }] }));
    assert_eq!(found["stockItems"]["totalCount"], 11);
    let items = found["stockItems"]["nodes"].as_array().expect("items");
    assert!(items.iter().all(|item| item["warehouse"]["code"] == "AUR-N-WH"));
    assert_eq!(olga.fails("acceptAllocation", shares[0].input()).await, "NOT_FOUND");
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let ids = json!({ "ids": [south, north, shares[0].id] });
    assert_eq!(olga.data(document, ids).await["nodes"], json!([null, { "id": north }, null]));
    // A warehouse books goods into itself only.
    let item = world.stock("LAMP-1", "AUR-S-WH").await;
    let receipt = json!({ "stockItemId": item["id"], "quantity": "1" });
    assert_eq!(world.person("walt.warehouse").fails("receiveStock", receipt.clone()).await, "NOT_FOUND");
    world.person("wendy.warehouse").does("receiveStock", receipt).await;
});

on_both_databases!(people_outside_are_told_nothing_of_the_inside, |world| async move {
    let own = belongings(&world).await;
    let owner = world.customer("C-1001");
    let document = "query($id: ID!) { order(by: { id: $id }) {
        review { status } submittedBy { subject }
        allocations { acceptedBy { name } decision { reason } reservations { quantity } backorders { quantity } declineReason
          milestones { responsible { name } } inspections { inspector { name } checklist { item } } }
        deliveries { plannedBy { name } cost { amount } options { reason } trackingEvents { recordedBy { name } } }
        tickets { contacts { summary } } timeline(first: 50) { nodes { kind note actor { name } changes { field } } } } }";
    let answer = owner.query(document, json!({ "id": own.order })).await;
    let order = &answer.data()["order"];
    assert_eq!(order["submittedBy"], json!({ "subject": "customer.c-1001" }));
    assert_eq!(order["review"], Value::Null);
    let share = &order["allocations"][0];
    for inside in ["acceptedBy", "reservations", "backorders", "declineReason"] {
        assert_eq!(share[inside], Value::Null, "{inside}");
    }
    assert_eq!(share["inspections"], json!([{ "inspector": null, "checklist": null }]));
    assert_eq!(order["deliveries"][0]["plannedBy"], Value::Null);
    let kinds: Vec<&str> = order["timeline"]["nodes"]
        .as_array()
        .expect("a timeline")
        .iter()
        .map(|event| event["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(
        kinds,
        [
            "ORDER_SUBMITTED",
            "ORDER_REVIEW_STARTED",
            "ORDER_APPROVED",
            "ORDER_ALLOCATED",
            "ORDER_STARTED",
            "MILESTONE_STARTED",
            "MILESTONE_COMPLETED",
            "MILESTONE_STARTED",
            "MILESTONE_COMPLETED",
            "ORDER_PASSED",
            "INSPECTION_RECORDED",
            "DELIVERY_PLANNED",
            "DELIVERY_BOOKED",
            "ORDER_DISPATCHED",
            "DELIVERY_DISPATCHED",
            "ORDER_DELIVERED",
            "DELIVERY_ARRIVED",
            "TICKET_OPENED",
        ]
    );
    for person in ordergraph::seed::PEOPLE.iter().filter(|one| one.name.len() > 4 && one.subject != "system") {
        assert!(!answer.text.contains(person.name) && !answer.text.contains(person.subject), "{}", person.subject);
    }
});
