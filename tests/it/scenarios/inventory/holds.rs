//! Stock whose quality is in doubt.

use ordergraph::domain::actor::Role;
use serde_json::json;

use super::{counts, item, look};
use crate::support::on_both_databases;
use crate::support::story::line;

on_both_databases!(what_is_put_aside_is_not_promised, |world| async move {
    // Twelve lasers lie in the north; five are reserved.
    world.accepted(&[line("LASER-4", "5")]).await;
    let laser = item(&world, "LASER-4", "AUR-N-WH").await;
    let (walt, ines) = (world.person("walt.warehouse"), world.actor(Role::Inspector));
    let input = |quantity: &str| json!({ "stockItemId": laser, "quantity": quantity, "reason": "A cracked lens." });
    // What is reserved cannot be put aside.
    walt.refused_for("holdStock", input("8"), &[("QUANTITY_EXCEEDED", "R4.2")]).await;
    walt.refused_for(
        "holdStock",
        json!({ "stockItemId": laser, "quantity": "0", "reason": "" }),
        &[("REQUIRED", "R1.4"), ("QUANTITY_NOT_POSITIVE", "R1.4")],
    )
    .await;
    walt.does("holdStock", input("7")).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "5", "7", "0"]);
    // Another order waits although seven lie there; and nothing of them can be corrected away.
    let (_, waiting) = world.accepted(&[line("LASER-4", "4")]).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "5", "7", "0"]);
    let correction = json!({ "stockItemId": laser, "change": "-1", "reason": "One is missing." });
    walt.refused_for("adjustStock", correction, &[("STOCK_RESERVED", "R4.2")]).await;
    // The south does not even see it; only inspectors release and scrap.
    assert_eq!(world.person("wendy.warehouse").fails("holdStock", input("1")).await, "NOT_FOUND");
    assert_eq!(walt.fails("releaseHeldStock", input("1")).await, "FORBIDDEN");
    ines.refused_for("releaseHeldStock", input("7.001"), &[("QUANTITY_EXCEEDED", "R4.2")]).await;
    // Two are bad; of the others three go to the order that waits.
    ines.does("scrapHeldStock", input("2")).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["10", "5", "5", "0"]);
    let released = ines.does("releaseHeldStock", input("3")).await;
    assert_eq!(released["filledAllocations"], json!([{ "id": waiting[0].id }]));
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["10", "8", "2", "0"]);
    let movements = look(
        &world,
        "LASER-4",
        "AUR-N-WH",
        "movements(first: 5) { nodes { kind onHandChange reservedChange qualityHoldChange note movedBy { subject } } }",
    )
    .await;
    let nodes = movements["movements"]["nodes"].as_array().expect("movements");
    let told = |index: usize| {
        let one = &nodes[index];
        let names = ["kind", "onHandChange", "reservedChange", "qualityHoldChange"];
        names.map(|name| one[name].as_str().unwrap_or_default().to_owned())
    };
    // Of those at the same moment the later comes first.
    assert_eq!(told(0), ["RESERVE", "0", "3", "0"]);
    assert_eq!(told(1), ["QC_RELEASE", "0", "0", "-3"]);
    assert_eq!(told(2), ["SCRAP", "-2", "0", "-2"]);
    assert_eq!(told(3), ["QC_HOLD", "0", "0", "7"]);
    assert_eq!(nodes[2]["note"], "A cracked lens.");
    assert_eq!(nodes[2]["movedBy"]["subject"], "ines.inspector");
    let actions = ines
        .data(
            "query($id: ID!) { node(id: $id) { ... on StockItem { availableActions { action allowed } } } }",
            json!({ "id": laser }),
        )
        .await;
    assert_eq!(
        actions["node"]["availableActions"],
        json!([
            { "action": "HOLD_STOCK", "allowed": false },
            { "action": "RELEASE_HELD_STOCK", "allowed": true },
            { "action": "SCRAP_HELD_STOCK", "allowed": true },
        ])
    );
});
