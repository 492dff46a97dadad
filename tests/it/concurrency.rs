//! Many at once: stock is never sold twice, an order is taken once, and of two decisions one wins.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join, join_all};
use futures::{StreamExt, stream};
use ordergraph::domain::actor::Role;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::story::{line, of, submission};
use crate::support::{Kind, on_both_databases};

/// A price or quantity as it is told.
fn decimal(value: &Value) -> Decimal {
    value.as_str().expect("a decimal").parse().expect("a decimal")
}

on_both_databases!(
    /// 64 units' worth of acceptances race for the last twenty lasers and a few more.
    the_last_units_are_reserved_once,
    |world| async move {
        const RIVALS: usize = 64;
        // Twelve lie in the north: each wants one.
        let reviewer = world.actor(Role::FinanceApprover);
        let waiver = json!([{ "check": "DUPLICATE_SUSPECT", "reason": "A race." }]);
        let mut shares = Vec::new();
        for _ in 0..RIVALS {
            let order = world.submitted(&[line("LASER-4", "1")]).await;
            reviewer.does("startReview", of(&order)).await;
            reviewer.does("approveOrder", json!({ "orderId": order, "waivers": waiver })).await;
            shares.push(world.allocate(&order).await.remove(0));
        }
        assert!(shares.iter().all(|share| share.unit == "AUR-N"));
        let operator = world.operator("AUR-N");
        let answers = join_all(shares.iter().map(|share| operator.act("acceptAllocation", share.input()))).await;
        for answer in &answers {
            assert_eq!(answer.data()["acceptAllocation"]["userErrors"], json!([]));
        }
        assert_eq!(world.counts("LASER-4", "AUR-N-WH").await, ("12".into(), "12".into()));
        let reserved = world.number("SELECT CAST(SUM(quantity - consumed) AS BIGINT) FROM reservation").await;
        assert_eq!(reserved, 12_000);
        assert_eq!(world.number("SELECT COUNT(*) FROM reservation").await, 12);
        assert_eq!(world.number("SELECT COUNT(*) FROM backorder WHERE status = 'WAITING'").await, 52);
        assert_eq!(world.number("SELECT CAST(SUM(quantity) AS BIGINT) FROM backorder").await, 52_000);
        // One request to procurement, for all who wait and the stock that should be there.
        let asked = "{ replenishmentRequests(first: 9) { nodes { quantity status } } }";
        let requests = world.actor(Role::Supervisor).data(asked, json!({})).await;
        let wanted = 52 + 4 + 2;
        assert_eq!(
            requests["replenishmentRequests"]["nodes"],
            json!([{ "quantity": wanted.to_string(), "status": "PROPOSED" }])
        );
        // Receipts race as well: each item that comes in goes to exactly one who waits.
        let item = world.stock("LASER-4", "AUR-N-WH").await["id"].clone();
        let receipt = json!({ "stockItemId": item, "quantity": "5" });
        let warehouse = world.actor(Role::Warehouse);
        let receipts = join_all((0..8).map(|_| warehouse.act("receiveStock", receipt.clone()))).await;
        let mut filled = BTreeSet::new();
        for answer in &receipts {
            for one in answer.data()["receiveStock"]["filledAllocations"].as_array().expect("a list") {
                assert!(filled.insert(one["id"].to_string()), "filled twice");
            }
        }
        assert_eq!(filled.len(), 40);
        assert_eq!(world.counts("LASER-4", "AUR-N-WH").await, ("52".into(), "52".into()));
        assert_eq!(world.number("SELECT COUNT(*) FROM backorder WHERE status = 'WAITING'").await, 12);
    }
);

on_both_databases!(a_platform_that_retries_gets_one_order, |world| async move {
    let sales = world.actor(Role::Sales);
    let mut by_reference = submission(&[line("LAMP-1", "2")]);
    by_reference["externalReference"] = json!("PO-1");
    let mut by_key = submission(&[line("LAMP-1", "3")]);
    by_key["idempotencyKey"] = json!("once");
    for (input, orders) in [(by_reference, 1), (by_key, 2)] {
        let answers = join_all((0..16).map(|_| sales.act("submitOrder", input.clone()))).await;
        let ids: BTreeSet<String> = answers
            .iter()
            .map(|answer| {
                let payload = &answer.data()["submitOrder"];
                assert_eq!(payload["userErrors"], json!([]));
                payload["order"]["id"].to_string()
            })
            .collect();
        assert_eq!(ids.len(), 1, "the same order for everyone");
        assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, orders);
        assert_eq!(world.number("SELECT COUNT(*) FROM event WHERE kind = 'ORDER_SUBMITTED'").await, orders);
    }
});

on_both_databases!(
    /// A client that repeats itself before it was answered is answered alike, not refused for what its
    /// first try has brought about.
    the_same_request_many_times_at_once_is_one,
    |world| async move {
        let order = world.submitted(&[line("LAMP-1", "5")]).await;
        let dispatcher = world.actor(Role::Dispatcher);
        for round in 0..5 {
            let hold = json!({ "orderId": order, "reason": "A race.", "idempotencyKey": format!("hold {round}") });
            let answers = join_all((0..8).map(|_| dispatcher.act("placeHold", hold.clone()))).await;
            let held: Vec<&Value> = answers.iter().map(|answer| &answer.data()["placeHold"]["order"]["holds"]).collect();
            assert!(held.iter().all(|holds| holds.as_array().is_some_and(|holds| holds.len() == 1)), "{held:?}");
            let release = json!({
                "orderId": order, "holdId": held[0][0]["id"], "idempotencyKey": format!("release {round}")
            });
            for answer in join_all((0..8).map(|_| dispatcher.act("releaseHold", release.clone()))).await {
                assert_eq!(answer.data()["releaseHold"]["userErrors"], json!([]));
            }
        }
        let times = |kind| format!("SELECT COUNT(*) FROM event WHERE kind = '{kind}'");
        assert_eq!(world.number(&times("ORDER_HELD")).await, 5);
        assert_eq!(world.number(&times("ORDER_HOLD_RELEASED")).await, 5);
    }
);

on_both_databases!(of_two_decisions_exactly_one_wins, |world| async move {
    let (rita, fiona) = (world.actor(Role::Reviewer), world.actor(Role::FinanceApprover));
    for round in 0..10 {
        let order = world.under_review(&[line("LAMP-1", &(round + 1).to_string())]).await;
        let waiver = json!([{ "check": "DUPLICATE_SUSPECT", "reason": "A race." }]);
        let approve = rita.act("approveOrder", json!({ "orderId": order, "waivers": waiver }));
        let reject = fiona.act("rejectOrder", json!({ "orderId": order, "reason": "No." }));
        let (approved, rejected) = join(approve, reject).await;
        let done = |answer: &crate::support::actor::Answer, field: &str| {
            let errors = answer.data()[field]["userErrors"].as_array().expect("errors").clone();
            assert!(errors.iter().all(|error| error["code"] == "ILLEGAL_TRANSITION"), "{errors:?}");
            errors.is_empty()
        };
        let outcomes = (done(&approved, "approveOrder"), done(&rejected, "rejectOrder"));
        let expected = match outcomes {
            (true, false) => "APPROVED",
            (false, true) => "REJECTED",
            other => panic!("both or none: {other:?}"),
        };
        assert_eq!(world.status(&order).await, expected);
        let decided = "SELECT COUNT(*) FROM event WHERE kind = 'REVIEW_DECIDED' AND sequence = 2";
        assert_eq!(world.number(decided).await, round + 1);
    }
});

on_both_databases!(versions_let_one_of_many_through, |world| async move {
    let order = world.submitted(&[line("LAMP-1", "1")]).await;
    let dispatcher = world.actor(Role::Dispatcher);
    let hold = |number: usize| json!({ "orderId": order, "reason": format!("hold {number}"), "expectedVersion": 1 });
    let answers = join_all((0..12).map(|number| dispatcher.act("placeHold", hold(number)))).await;
    let mut codes: Vec<String> = answers.iter().map(|answer| answer.code()).collect();
    codes.sort();
    assert_eq!(codes[0], "");
    assert!(codes[1..].iter().all(|code| code == "VERSION_CONFLICT"), "{codes:?}");
    // Without a version in mind, all of them have their turn.
    let hold = |number: usize| json!({ "orderId": order, "reason": format!("hold {number}") });
    let answers = join_all((0..12).map(|number| dispatcher.act("placeHold", hold(number)))).await;
    assert!(answers.iter().all(|answer| answer.code().is_empty()));
    let held = world.order(&order, "version holds { reason }").await;
    assert_eq!((&held["version"], held["holds"].as_array().map(Vec::len)), (&json!(14), Some(13)));
});

on_both_databases!(whoever_hangs_up_leaves_nothing_half_done, |world| async move {
    const CALLERS: usize = 320;
    let sales = world.actor(Role::Sales);
    // A seed of its own for every run would hide a failure: this one is always the same.
    let mut seed: u64 = 0x00DD_BA11;
    let mut patience = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((seed >> 33) % 60_000)
    };
    let calls = (0..CALLERS).map(|number| {
        let (sales, patience) = (sales.clone(), patience());
        async move {
            let mut input = submission(&[line("LAMP-1", "1"), line("CABLE-5", "2")]);
            input["externalReference"] = json!(format!("CUT-{number}"));
            let answered = tokio::time::timeout(patience, sales.act("submitOrder", input)).await;
            // Dropping the future closes the connection.
            answered.ok().map(|answer| (number, answer.data()["submitOrder"]["order"]["id"].to_string()))
        }
    });
    let acknowledged: Vec<(usize, String)> = join_all(calls).await.into_iter().flatten().collect();
    // What was begun ends in its own time: nothing new for three seconds means that all of it has.
    let (mut known, mut quiet) = (-1, 0);
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let count = world.number("SELECT COUNT(*) FROM orders").await;
        quiet = if count == known { quiet + 1 } else { 0 };
        known = count;
        if quiet == 15 {
            break;
        }
    }
    assert_eq!(quiet, 15, "what was begun did not end within a minute");
    let kept = usize::try_from(known).expect("a count");
    assert!(kept >= acknowledged.len(), "{} acknowledged, {kept} kept", acknowledged.len());
    assert!(acknowledged.len() < CALLERS, "nobody was cut off");
    assert_eq!(world.number("SELECT COUNT(*) FROM order_line").await, 2 * known, "every order is whole");
    assert_eq!(world.number("SELECT COUNT(*) FROM event WHERE kind = 'ORDER_SUBMITTED'").await, known);
    for (number, id) in &acknowledged {
        let by = json!({ "externalReference": { "channel": "OFFLINE_SALES", "reference": format!("CUT-{number}") } });
        let found =
            sales.data("query($by: OrderRef!) { order(by: $by) { id lines { sku } } }", json!({ "by": by })).await;
        assert_eq!(found["order"]["id"].to_string(), *id);
        assert_eq!(found["order"]["lines"], json!([{ "sku": "LAMP-1" }, { "sku": "CABLE-5" }]));
    }
    if world.kind == Kind::Postgres {
        let idle = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(world.number(idle).await, 0);
    }
    // Retrying gives everybody their order, new or old, and nobody a second one.
    let retries = stream::iter(0..CALLERS).map(|number| {
        let sales = sales.clone();
        async move {
            let mut input = submission(&[line("LAMP-1", "1"), line("CABLE-5", "2")]);
            input["externalReference"] = json!(format!("CUT-{number}"));
            sales.does("submitOrder", input).await["duplicate"] == true
        }
    });
    let retries: Vec<bool> = retries.buffered(16).collect().await;
    assert_eq!(retries.iter().filter(|duplicate| **duplicate).count(), kept);
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 320);
});

on_both_databases!(deliveries_of_one_share_never_exceed_what_passed, |world| async move {
    let (order, shares) = world.accepted(&[line("LAMP-1", "10")]).await;
    world.work(&shares[0]).await;
    world.pass(&shares[0]).await;
    let lines = world.order(&order, "allocations { lines { id } }").await;
    let line_id = lines["allocations"][0]["lines"][0]["id"].clone();
    let logistics = world.actor(Role::Logistics);
    let plan =
        json!({ "allocationId": shares[0].id, "method": "EXPRESS", "lines": [{ "lineId": line_id, "quantity": "3" }] });
    let answers = join_all((0..8).map(|_| logistics.act("planDelivery", plan.clone()))).await;
    let refused = answers
        .iter()
        .filter(|answer| answer.data()["planDelivery"]["userErrors"][0]["code"] == "QUANTITY_EXCEEDED")
        .count();
    assert_eq!(refused, 5, "three deliveries of three fit into ten");
    let planned = world.order(&order, "allocations { lines { planned } } deliveries { id }").await;
    assert_eq!(decimal(&planned["allocations"][0]["lines"][0]["planned"]), Decimal::from(9));
    // The same delivery dispatched by many hands leaves once.
    let delivery = planned["deliveries"][0]["id"].clone();
    let booking = json!({ "deliveryId": delivery, "carrier": "Swift Parcel", "trackingNumber": "SP-1" });
    logistics.does("bookDelivery", booking).await;
    let input = json!({ "deliveryId": delivery });
    let answers = join_all((0..8).map(|_| logistics.act("dispatchDelivery", input.clone()))).await;
    let left = answers.iter().filter(|answer| answer.data()["dispatchDelivery"]["userErrors"] == json!([])).count();
    assert_eq!(left, 1);
    assert_eq!(world.counts("LAMP-1", "AUR-N-WH").await, ("397".into(), "7".into()));
});
