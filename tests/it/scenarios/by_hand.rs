//! Shares split, merged and moved by hand (R3.3): what is reserved follows, or becomes free.

use futures::future::join_all;
use ordergraph::domain::actor::Role;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::allocation::{held, row, unit};
use crate::support::actor::text;
use crate::support::on_both_databases;
use crate::support::story::{Share, line};

on_both_databases!(shares_are_split_and_merged_with_what_is_reserved, |world| async move {
    let dispatcher = world.actor(Role::Dispatcher);
    let (north, south, services) =
        (unit(&world, "AUR-N").await, unit(&world, "AUR-S").await, unit(&world, "AUR-V").await);
    // Of seventy panels sixty are in the north, ten are waited for.
    let (order, shares) = world.accepted(&[line("PANEL-9", "70")]).await;
    let line_of = |share: String| {
        let dispatcher = dispatcher.clone();
        async move {
            let document = "query($id: ID!) { node(id: $id) { ... on Allocation { lines { id } } } }";
            dispatcher.data(document, json!({ "id": share })).await["node"]["lines"][0]["id"].clone()
        }
    };
    let split = |share: &str, line: &Value, quantity: &str, unit: &Value| {
        json!({ "allocationId": share, "unitId": unit, "reason": "Half is urgent.",
                "parts": [{ "lineId": line, "quantity": quantity }] })
    };
    let line_id = line_of(shares[0].id.clone()).await;
    let at = &shares[0].id;
    dispatcher
        .refused_for("splitAllocation", split(at, &line_id, "71", &south), &[("QUANTITY_EXCEEDED", "R3.3")])
        .await;
    dispatcher
        .refused_for("splitAllocation", split(at, &line_id, "70", &south), &[("QUANTITY_EXCEEDED", "R3.3")])
        .await;
    dispatcher
        .refused_for("splitAllocation", split(at, &line_id, "1", &services), &[("NO_CAPABLE_UNIT", "R3.1")])
        .await;
    // Within the unit nothing becomes free: what stays keeps what is reserved, what leaves waits with the rest.
    let payload = dispatcher.does("splitAllocation", split(at, &line_id, "20", &north)).await;
    let statuses: Vec<&Value> =
        payload["allocations"].as_array().expect("allocations").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["ACCEPTED", "ACCEPTED"]);
    assert_eq!(held(&world, &order).await, [row("AUR-N", "20", "10"), row("AUR-N", "50", "50")]);
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "60".into()));
    let [rest, gone] = [0, 1].map(|index: usize| text(&payload["allocations"][index]["id"]));
    dispatcher
        .refused_for("splitAllocation", split(at, &line_id, "1", &south), &[("ILLEGAL_TRANSITION", "R3.3")])
        .await;
    // To another unit: what was reserved for the part is free, what it waited for is not waited for.
    let line_id = line_of(gone.clone()).await;
    let payload = dispatcher.does("splitAllocation", split(&gone, &line_id, "15", &south)).await;
    assert_eq!(payload["allocations"][1]["unit"]["code"], "AUR-S");
    let (small, moved) = (text(&payload["allocations"][0]["id"]), text(&payload["allocations"][1]["id"]));
    assert_eq!(held(&world, &order).await, [row("AUR-N", "5", "5"), row("AUR-N", "50", "50"), row("AUR-S", "15", "0")]);
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "55".into()));
    let found = world.order(&order, "lines { quantities { allocated reserved open } }").await;
    assert_eq!(found["lines"][0]["quantities"], json!({ "allocated": "70", "reserved": "55", "open": "70" }));
    world.operator("AUR-S").does("acceptAllocation", json!({ "allocationId": moved })).await;
    assert_eq!(world.counts("PANEL-9", "AUR-S-WH").await, ("24".into(), "15".into()));

    let merge =
        |kept: &str, given: &str| json!({ "allocationId": kept, "otherAllocationId": given, "reason": "One van." });
    dispatcher.refused_for("mergeAllocations", merge(&rest, &moved), &[("SHARES_DO_NOT_FIT", "R3.3")]).await;
    dispatcher.refused_for("mergeAllocations", merge(&rest, &rest), &[("SHARES_DO_NOT_FIT", "R3.3")]).await;
    let payload = dispatcher.does("mergeAllocations", merge(&rest, &small)).await;
    assert_eq!(payload["allocation"]["id"], rest);
    assert_eq!(held(&world, &order).await, [row("AUR-N", "55", "55"), row("AUR-S", "15", "15")]);
    dispatcher.refused_for("mergeAllocations", merge(&rest, &small), &[("SHARES_DO_NOT_FIT", "R3.3")]).await;
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("60".into(), "55".into()));
    // The merged share is worked on, inspected and delivered like any other.
    let whole = Share { id: rest, kind: "GOODS".to_owned(), unit: "AUR-N".to_owned() };
    world.work(&whole).await;
    world.pass(&whole).await;
    let delivery = world.booked(&whole, Some("FREIGHT")).await;
    world.arrive(&delivery).await;
    assert_eq!(world.counts("PANEL-9", "AUR-N-WH").await, ("5".into(), "0".into()));
});

on_both_databases!(parts_of_what_is_made_follow_the_share, |world| async move {
    // Two benches need two tops, eight legs and 32 screws.
    let (order, shares) = world.accepted(&[line("BENCH-X", "2")]).await;
    let document = "query($id: ID!) { node(id: $id) { ... on Allocation { lines { id }
        reservations { status quantity product { sku } } milestones { code status } } } }";
    let dispatcher = world.actor(Role::Dispatcher);
    let found = dispatcher.data(document, json!({ "id": shares[0].id })).await["node"].clone();
    let split = json!({ "allocationId": shares[0].id, "unitId": unit(&world, "AUR-S").await, "reason": "One at a time.",
        "parts": [{ "lineId": found["lines"][0]["id"], "quantity": "0.5" }] });
    let payload = dispatcher.does("splitAllocation", split).await;
    let mut parts = Vec::new();
    for share in payload["allocations"].as_array().expect("allocations") {
        let found = dispatcher.data(document, json!({ "id": share["id"] })).await["node"].clone();
        assert_eq!(found["milestones"].as_array().map(Vec::len), Some(4));
        let mut own: Vec<String> = found["reservations"]
            .as_array()
            .expect("reservations")
            .iter()
            .map(|one| format!("{} {} {}", text(&one["product"]["sku"]), text(&one["quantity"]), text(&one["status"])))
            .collect();
        own.sort();
        parts.push(own);
    }
    assert_eq!(parts[0], ["LEG-ST 6 ACTIVE", "SCREW-8 24 ACTIVE", "TOP-OAK 1.5 ACTIVE"]);
    assert_eq!(parts[1], ["LEG-ST 2 ACTIVE", "SCREW-8 8 ACTIVE", "TOP-OAK 0.5 ACTIVE"]);
    assert_eq!(world.counts("SCREW-8", "AUR-S-WH").await, ("1000".into(), "32".into()));
    world.actor(Role::Sales).does("cancelOrder", json!({ "orderId": order, "reason": "Enough." })).await;
    world.operator("AUR-S").does("answerCancellation", json!({ "orderId": order, "grant": true })).await;
    assert_eq!(world.counts("SCREW-8", "AUR-S-WH").await, ("1000".into(), "0".into()));
});

on_both_databases!(
    /// Dispatchers split, merge and move the same shares while the unit accepts: each does one after the other.
    rivals_never_lose_a_quantity_or_a_reservation,
    |world| async move {
        let (order, shares) = world.allocated(&[line("PANEL-9", "40")]).await;
        let dispatcher = world.actor(Role::Dispatcher);
        let (north, south) = (unit(&world, "AUR-N").await, unit(&world, "AUR-S").await);
        for round in 0..6 {
            let found = world.order(&order, "allocations { id status unit { code } lines { id quantity } }").await;
            let live: Vec<Value> = found["allocations"]
                .as_array()
                .expect("allocations")
                .iter()
                .filter(|one| one["status"] == "ASSIGNED" || one["status"] == "ACCEPTED")
                .cloned()
                .collect();
            let mut rivals = Vec::new();
            for (index, share) in live.iter().enumerate() {
                let to = if (index + round) % 2 == 0 { &north } else { &south };
                let quantity: Decimal = text(&share["lines"][0]["quantity"]).parse().expect("a decimal");
                let half = (quantity / Decimal::TWO).round_dp(3).to_string();
                let other = &live[(index + 1) % live.len()]["id"];
                let inputs = [
                    ("splitAllocation", json!({ "allocationId": share["id"], "unitId": to, "reason": "A race.",
                        "parts": [{ "lineId": share["lines"][0]["id"], "quantity": half }] })),
                    ("mergeAllocations", json!({ "allocationId": share["id"], "otherAllocationId": other, "reason": "A race." })),
                    ("reassignAllocation", json!({ "allocationId": share["id"], "unitId": to, "reason": "A race." })),
                ];
                for (field, input) in inputs {
                    let dispatcher = dispatcher.clone();
                    rivals.push(tokio::spawn(async move { dispatcher.act(field, input).await.code() }));
                }
                let operator = world.operator(share["unit"]["code"].as_str().expect("a code"));
                let input = json!({ "allocationId": share["id"] });
                rivals.push(tokio::spawn(async move { operator.act("acceptAllocation", input).await.code() }));
            }
            for code in join_all(rivals).await {
                let code = code.expect("an answer");
                // A share that was moved away meanwhile does not exist for its former unit.
                assert!(["", "NOT_FOUND"].contains(&code.as_str()), "{code}");
            }
            let sum: Decimal = held(&world, &order).await.iter().map(|one| one.1.parse::<Decimal>().expect("a decimal")).sum();
            assert_eq!(sum, Decimal::from(40));
            assert_eq!(world.violations().await, Vec::<String>::new());
        }
        assert!(world.number("SELECT COUNT(*) FROM allocation").await > 6, "something happened");
        assert!(!shares.is_empty());
    }
);
