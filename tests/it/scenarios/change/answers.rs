//! What comes of an offer in the end: an order that has moved on, one that is cancelled by agreement, and
//! several who answer at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use ordergraph::app::{App, Clock, due};
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{change, choice, line_of, offered, short};
use crate::support::actor::text;
use crate::support::story::line;
use crate::support::{World, on_both_databases};

on_both_databases!(an_order_that_has_moved_on_is_not_changed, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "5")]).await;
    let lamps = line_of(&world, &order, "LAMP-1").await;
    let later = (Utc::now() + chrono::Duration::days(40)).date_naive().to_string();
    let (id, options) = offered(
        &world,
        &order,
        json!([
            { "kind": "CANCEL_LINE", "lineId": lamps },
            { "kind": "REDUCE_QUANTITY", "lineId": lamps, "quantity": "2" },
            { "kind": "LATER_DATE", "date": later },
        ]),
    )
    .await;
    world.work(&shares[0]).await;
    world.pass(&shares[0]).await;
    let customer = world.customer("C-2001");
    for option in &options[..2] {
        customer.refused_for("acceptOrderChange", choice(&id, option), &[("ORDER_CHANGE_STALE", "R4.3")]).await;
    }
    // A date can be moved as long as the order is not through.
    customer.does("acceptOrderChange", choice(&id, &options[2])).await;
    let found = world.order(&order, "requiredBy timeline(last: 3) { nodes { kind } }").await;
    assert_eq!(found["requiredBy"], later);
    let kinds: Vec<&Value> =
        found["timeline"]["nodes"].as_array().expect("events").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["ORDER_CHANGE_ACCEPTED", "ORDER_CHANGED", "ORDER_CHANGE_APPLIED"]);
});

on_both_databases!(whoever_has_the_link_may_choose, |world| async move {
    let (order, _) = short(&world).await;
    let panels = line_of(&world, &order, "PANEL-9").await;
    let options =
        json!([{ "kind": "REDUCE_QUANTITY", "lineId": panels, "quantity": "10" }, { "kind": "SPLIT_DELIVERY" }]);
    let (id, options) = offered(&world, &order, options).await;
    let secret =
        text(&world.customer("C-2001").does("createTrackingLink", json!({ "orderId": order })).await["secret"]);
    let holder = world.key_bearer(&secret);
    let seen =
        change(&holder, &id, "status proposedBy { name } options { kind preview { difference { amount } } }").await;
    assert_eq!((&seen["status"], &seen["proposedBy"]), (&json!("AWAITING_CUSTOMER"), &Value::Null));
    holder.does("acceptOrderChange", choice(&id, &options[0])).await;
    assert_eq!(change(&holder, &id, "status").await, json!({ "status": "APPLIED" }));
    holder
        .refused_for(
            "declineOrderChange",
            json!({ "changeId": id, "reason": "No." }),
            &[("ILLEGAL_TRANSITION", "R4.3")],
        )
        .await;
});

on_both_databases!(when_every_line_is_cancelled_the_order_is, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "5"), line("CABLE-5", "1")]).await;
    for sku in ["LAMP-1", "CABLE-5"] {
        let id = line_of(&world, &order, sku).await;
        let (id, options) = offered(&world, &order, json!([{ "kind": "CANCEL_LINE", "lineId": id }])).await;
        world.actor(Role::Sales).does("acceptOrderChange", choice(&id, &options[0])).await;
    }
    let found =
        world.order(&order, "status amountDue { amount } cancellation { reason } allocations { id status }").await;
    assert_eq!(
        found,
        json!({
            "status": "CANCELLED", "amountDue": { "amount": "0" },
            "cancellation": { "reason": "Every line was cancelled by agreement." },
            "allocations": [{ "id": shares[0].id, "status": "CANCELLED" }],
        })
    );
    assert_eq!(world.counts("LAMP-1", "AUR-N-WH").await, ("400".into(), "0".into()));
    assert_eq!(world.counts("CABLE-5", "AUR-N-WH").await, ("900".into(), "0".into()));
});

on_both_databases!(fewer_desks_take_fewer_parts, |world| async move {
    let (order, shares) = world.accepted(&[line("DESK-Y", "42")]).await;
    let desks = line_of(&world, &order, "DESK-Y").await;
    let asked = "query($id: ID!) { shortageOptions(orderId: $id) { lines { missing } } }";
    let found = world.actor(Role::Sales).data(asked, json!({ "id": order })).await;
    assert_eq!(found["shortageOptions"]["lines"], json!([{ "missing": "2" }]));
    let (id, options) =
        offered(&world, &order, json!([{ "kind": "REDUCE_QUANTITY", "lineId": desks, "quantity": "2" }])).await;
    world.customer("C-2001").does("acceptOrderChange", choice(&id, &options[0])).await;
    // Eighty frames: three lie there, seventy-seven are made.
    for (sku, reserved) in [("FRAME-H", "3"), ("TOP-OAK", "40"), ("LEG-ST", "154"), ("SCREW-8", "782")] {
        assert_eq!(world.counts(sku, "AUR-S-WH").await.1, reserved, "{sku}");
    }
    world.work(&shares[0]).await;
    let produced = world.order(&order, "lines { quantities { produced open } }").await;
    assert_eq!(produced["lines"], json!([{ "quantities": { "produced": "40", "open": "40" } }]));
    let (id, options) = match world
        .actor(Role::Sales)
        .refused(
            "proposeOrderChange",
            json!({
                "orderId": order, "reason": "Too late.", "options": [{ "kind": "CANCEL_LINE", "lineId": desks }],
            }),
        )
        .await
        .as_slice()
    {
        [one] => (one.code.clone(), one.path.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!((id.as_str(), options.as_str()), ("QUANTITY_EXCEEDED", "options.0.quantity"), "what is made is made");
});

on_both_databases!(every_fault_of_an_offer_is_told_at_once, |world| async move {
    let (order, _) = world.accepted(&[line("LAMP-1", "5")]).await;
    let lamps = line_of(&world, &order, "LAMP-1").await;
    let offer = json!({ "orderId": order, "reason": " ", "answerWithinHours": 0, "options": [
        { "kind": "LATER_DATE", "date": "2020-01-01" },
        { "kind": "LATER_DATE" },
        { "kind": "SPLIT_DELIVERY" },
        { "kind": "REDUCE_QUANTITY", "lineId": lamps, "quantity": "5" },
        { "kind": "REDUCE_QUANTITY", "lineId": lamps, "quantity": "0.0001" },
        { "kind": "SUBSTITUTE", "lineId": lamps, "substituteSku": "NO-1", "unitPrice": "-1" },
        { "kind": "CANCEL_LINE" },
    ] });
    let mut found: Vec<(String, String)> = world
        .actor(Role::Dispatcher)
        .refused("proposeOrderChange", offer)
        .await
        .into_iter()
        .map(|one| (one.code, one.path))
        .collect();
    found.sort();
    let expected = [
        ("AMOUNT_OUT_OF_RANGE", "answerWithinHours"),
        ("AMOUNT_OUT_OF_RANGE", "options.5.unitPrice"),
        ("DATE_IN_PAST", "options.0.date"),
        ("ORDER_CHANGE_NOT_POSSIBLE", "options.0.date"),
        ("ORDER_CHANGE_NOT_POSSIBLE", "options.2"),
        ("QUANTITY_EXCEEDED", "options.3.quantity"),
        ("QUANTITY_PRECISION", "options.4.quantity"),
        ("REQUIRED", "options.1.date"),
        ("REQUIRED", "options.6.lineId"),
        ("REQUIRED", "reason"),
        ("UNKNOWN_SKU", "options.5.substituteSku"),
    ];
    assert_eq!(found, expected.map(|(code, path)| (code.to_owned(), path.to_owned())));
});

/// A clock that is ahead.
struct Ahead(chrono::Duration);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        chrono::SubsecRound::trunc_subsecs(Utc::now(), 6) + self.0
    }
}

/// How many offers the clock ends when it is so much later.
async fn later(world: &Arc<World>, by: chrono::Duration) -> usize {
    let app = App::new(world.app.store().clone(), world.app.feed().clone(), Arc::new(Ahead(by)));
    let at = due::DUTIES.iter().position(|duty| duty.name == "offers expire").expect("the duty");
    due::perform_all(&app, &due::DUTIES[at..=at]).await.into_iter().map(|(_, count)| count).sum()
}

on_both_databases!(an_offer_that_nobody_answers_ends, |world| async move {
    let (order, _) = short(&world).await;
    let input = json!({ "orderId": order, "reason": "Late.", "answerWithinHours": 5, "options": [{ "kind": "SPLIT_DELIVERY" }] });
    let payload = world.actor(Role::Dispatcher).does("proposeOrderChange", input).await;
    let id = text(&payload["orderChange"]["id"]);
    assert_eq!(later(&world, chrono::Duration::hours(4)).await, 0);
    assert_eq!(later(&world, chrono::Duration::hours(6)).await, 1);
    assert_eq!(later(&world, chrono::Duration::hours(7)).await, 0, "once");
    let seen = change(&world.customer("C-2001"), &id, "status availableActions { allowed }").await;
    assert_eq!(seen, json!({ "status": "EXPIRED", "availableActions": [{ "allowed": false }, { "allowed": false }] }));
    let list = "{ orderChanges(first: 5, filter: { statuses: [EXPIRED] }) { totalCount nodes { id order { id } } } }";
    let found = world.customer("C-2001").data(list, json!({})).await;
    assert_eq!(found["orderChanges"], json!({ "totalCount": 1, "nodes": [{ "id": id, "order": { "id": order } }] }));
    assert_eq!(world.customer("C-2002").data(list, json!({})).await["orderChanges"]["totalCount"], 0);
    // The next offer is open, is declined with a reason, and stays on record.
    let (next, _) = offered(&world, &order, json!([{ "kind": "SPLIT_DELIVERY" }])).await;
    world.customer("C-2001").does("declineOrderChange", json!({ "changeId": next, "reason": "We wait." })).await;
    let seen = world.order(&order, "changes { status answerReason }").await;
    assert_eq!(
        seen["changes"],
        json!([{ "status": "EXPIRED", "answerReason": null }, { "status": "DECLINED", "answerReason": "We wait." }])
    );
});

on_both_databases!(of_those_who_answer_at_once_one_wins, |world| async move {
    for round in 0..4 {
        let (order, shares) = world.accepted(&[line("LAMP-1", "6"), line("CABLE-5", "1")]).await;
        world.work(&shares[0]).await;
        let lamps = line_of(&world, &order, "LAMP-1").await;
        let (id, options) =
            offered(&world, &order, json!([{ "kind": "REDUCE_QUANTITY", "lineId": lamps, "quantity": "2" }])).await;
        let accept = choice(&id, &options[0]);
        let why = json!({ "changeId": id, "reason": "A race." });
        let inspection = json!({ "allocationId": shares[0].id, "checklist": World::checklist("GOODS", true) });
        let attempts = [
            (world.customer("C-2001"), "acceptOrderChange", accept.clone()),
            (world.actor(Role::Sales), "acceptOrderChange", accept),
            (world.customer("C-2001"), "declineOrderChange", why.clone()),
            (world.actor(Role::Dispatcher), "withdrawOrderChange", why),
        ];
        let turn = attempts.iter().cycle().skip(round).take(attempts.len());
        let answers =
            join_all(turn.map(|(actor, field, input)| async move { (*field, actor.act(field, input.clone()).await) }));
        let inspector = world.actor(Role::Inspector);
        let (answers, inspected, _) = tokio::join!(
            answers,
            inspector.act("recordInspection", inspection),
            later(&world, chrono::Duration::days(9))
        );
        assert_eq!(inspected.data()["recordInspection"]["userErrors"], json!([]));
        let won: Vec<&str> = answers
            .iter()
            .filter(|(field, answer)| answer.data()[*field]["userErrors"] == json!([]))
            .map(|(field, _)| *field)
            .collect();
        let status = text(&change(&world.actor(Role::Sales), &id, "status").await["status"]);
        let lines = world.order(&order, "lines { sku quantities { open allocated reserved passed } }").await;
        let open = text(&lines["lines"][0]["quantities"]["open"]);
        match status.as_str() {
            "APPLIED" => assert_eq!((won, open.as_str()), (vec!["acceptOrderChange"], "4")),
            "DECLINED" => assert_eq!((won, open.as_str()), (vec!["declineOrderChange"], "6")),
            "WITHDRAWN" => assert_eq!((won, open.as_str()), (vec!["withdrawOrderChange"], "6")),
            "EXPIRED" => assert_eq!((won, open.as_str()), (Vec::<&str>::new(), "6")),
            // The inspection came first, and nobody took the offer away.
            other => panic!("{other}"),
        }
        assert_eq!(world.violations().await, Vec::<String>::new());
    }
});
