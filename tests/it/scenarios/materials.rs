//! Bills of materials of several levels, whether what they need is there, and what is reserved of it for
//! what is made to order (R4.6).

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use ordergraph::seed::catalogue::Catalogue;
use serde_json::{Value, json};

use crate::support::story::line;
use crate::support::{World, on_both_databases};

async fn bill(world: &Arc<World>, arguments: &str) -> Value {
    let document = format!(
        "{{ billOfMaterials({arguments}) {{ quantity depth version leafQuantity leafTotals {{ sku quantity }} \
         lines {{ level sku quantityPerUnit quantity isLeaf parent {{ sku }} product {{ name }} }} }} }}"
    );
    world.actor(Role::Procurement).data(&document, json!({})).await["billOfMaterials"].clone()
}

async fn availability(world: &Arc<World>, sku: &str, quantity: &str, within_days: i64, unit: Option<&str>) -> Value {
    let date = (chrono::Utc::now() + chrono::Duration::days(within_days)).date_naive().to_string();
    let document = "query($sku: String!, $quantity: Decimal!, $date: Date!, $unit: ID) { \
        materialAvailability(sku: $sku, quantity: $quantity, date: $date, unitId: $unit) { \
        sufficient availableOn lines { level sku required available incoming fromStock toMake missing availableOn lateReason } \
        shortages { sku missing lateReason } } }";
    let variables = json!({ "sku": sku, "quantity": quantity, "date": date, "unit": unit });
    world.actor(Role::Supervisor).data(document, variables).await["materialAvailability"].clone()
}

async fn unit(world: &Arc<World>, code: &str) -> String {
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
    let units = units["units"].as_array().expect("units");
    let found = units.iter().find(|one| one["code"] == code).expect("the unit");
    found["id"].as_str().expect("an id").to_owned()
}

/// Level, SKU, required, from stock, to make, missing.
fn brief(found: &Value) -> Value {
    let row = |one: &Value| {
        json!([one["level"], one["sku"], one["required"], one["fromStock"], one["toMake"], one["missing"]])
    };
    found["lines"].as_array().expect("lines").iter().map(row).collect()
}

on_both_databases!(a_desk_is_made_of_frames_that_are_made_of_legs, |world| async move {
    let desk = bill(&world, "sku: \"DESK-Y\", quantity: \"2\"").await;
    assert_eq!((&desk["depth"], &desk["version"], &desk["quantity"]), (&json!(2), &json!(0), &json!("2")));
    let rows: Vec<Value> = desk["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|one| {
            json!([
                one["level"],
                one["sku"],
                one["parent"]["sku"],
                one["quantityPerUnit"],
                one["quantity"],
                one["isLeaf"]
            ])
        })
        .collect();
    assert_eq!(
        json!(rows),
        json!([
            [1, "FRAME-H", "DESK-Y", "2", "4", false],
            [2, "LEG-ST", "FRAME-H", "2", "8", true],
            [2, "SCREW-8", "FRAME-H", "6", "24", true],
            [1, "SCREW-8", "DESK-Y", "8", "16", true],
            [1, "TOP-OAK", "DESK-Y", "1", "2", true],
        ])
    );
    assert_eq!(
        desk["leafTotals"],
        json!([
            { "sku": "LEG-ST", "quantity": "8" }, { "sku": "SCREW-8", "quantity": "40" }, { "sku": "TOP-OAK", "quantity": "2" },
        ])
    );
    assert_eq!(desk["leafQuantity"], "50");
    assert_eq!(desk["lines"][0]["product"]["name"], "Desk frame");
    // What is bought is made of nothing; what nobody knows is nothing.
    assert_eq!(bill(&world, "sku: \"SCREW-8\"").await["depth"], 0);
    assert_eq!(bill(&world, "sku: \"NO-1\"").await, Value::Null);
    let nothing = "{ billOfMaterials(sku: \"DESK-Y\", quantity: \"0\") { depth } }";
    assert_eq!(world.actor(Role::Procurement).query(nothing, json!({})).await.code(), "BAD_USER_INPUT");
});

on_both_databases!(a_bill_of_materials_is_set_and_never_leads_in_a_circle, |world| async move {
    let procurement = world.actor(Role::Procurement);
    let set = |sku: &str, components: Value| json!({ "sku": sku, "components": components });
    let of = |sku: &str, quantity: &str| json!({ "sku": sku, "quantity": quantity });
    // Over two levels, and at once.
    let round = set("LEG-ST", json!([of("DESK-Y", "1")]));
    procurement.refused_for("setBillOfMaterials", round, &[("BILL_OF_MATERIALS_CYCLE", "R4.6")]).await;
    let own = set("LEG-ST", json!([of("LEG-ST", "1")]));
    procurement.refused_for("setBillOfMaterials", own, &[("BILL_OF_MATERIALS_CYCLE", "R4.6")]).await;
    let wrong = set(
        "FRAME-H",
        json!([of("LEG-ST", "0"), of("NO-1", "1"), of("LEG-ST", "2"), of("LEG-ST", "1.0001"),
        { "sku": "SCREW-8", "quantity": "1", "effectiveFrom": "2026-02-01", "effectiveUntil": "2026-01-01" }]),
    );
    let found = procurement.refused("setBillOfMaterials", wrong).await;
    let told: Vec<(&str, &str)> = found.iter().map(|one| (one.code.as_str(), one.path.as_str())).collect();
    assert_eq!(
        told,
        [
            ("QUANTITY_NOT_POSITIVE", "components.0.quantity"),
            ("UNKNOWN_SKU", "components.1.sku"),
            ("REPEATED", "components.2.sku"),
            ("QUANTITY_PRECISION", "components.3.quantity"),
            ("REPEATED", "components.3.sku"),
            ("MALFORMED", "components.4.effectiveUntil"),
        ]
    );
    procurement.refused_for("setBillOfMaterials", set("NO-1", json!([])), &[("UNKNOWN_SKU", "R4.6")]).await;
    // A leg is made of wire from a day on, and of more of it later.
    let mut early = of("WIRE-C", "1.5");
    early["effectiveFrom"] = json!("2026-01-01");
    early["effectiveUntil"] = json!("2026-06-30");
    let mut late = of("WIRE-C", "2");
    late["effectiveFrom"] = json!("2026-07-01");
    let mut input = set("LEG-ST", json!([late, early]));
    input["expectedVersion"] = json!(0);
    let payload = procurement.does("setBillOfMaterials", input.clone()).await;
    assert_eq!(payload["billOfMaterials"]["version"], 1);
    for (day, quantity) in [("2025-12-31", None), ("2026-06-30", Some("12")), ("2026-07-01", Some("16"))] {
        let desk = bill(&world, &format!("sku: \"DESK-Y\", quantity: \"2\", onDate: \"{day}\"")).await;
        assert_eq!(desk["depth"], if quantity.is_some() { 3 } else { 2 }, "{day}");
        let wire = desk["leafTotals"].as_array().expect("totals").iter().find(|one| one["sku"] == "WIRE-C");
        assert_eq!(wire.and_then(|one| one["quantity"].as_str()), quantity, "{day}");
    }
    // Whoever has seen an older one is told so, and what is taken away is gone.
    assert_eq!(procurement.fails("setBillOfMaterials", input).await, "VERSION_CONFLICT");
    let payload = procurement.does("setBillOfMaterials", set("LEG-ST", json!([]))).await;
    assert_eq!(payload["billOfMaterials"]["version"], 2);
    assert_eq!(bill(&world, "sku: \"DESK-Y\"").await["depth"], 2);
    // The frame's came with the catalogue: the first one that is set takes its place as a whole.
    procurement.does("setBillOfMaterials", set("FRAME-H", json!([of("LEG-ST", "3")]))).await;
    let frame = bill(&world, "sku: \"FRAME-H\"").await;
    assert_eq!(frame["leafTotals"], json!([{ "sku": "LEG-ST", "quantity": "3" }]));
    let events = "{ events(first: 5, filter: { aggregateKinds: [BILL_OF_MATERIALS] }) { events { kind sequence } } }";
    world.settled().await;
    let told = world.actor(Role::Supervisor).data(events, json!({})).await;
    let kinds: Vec<&Value> =
        told["events"]["events"].as_array().expect("events").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["BILL_OF_MATERIALS_SET"; 3]);
});

on_both_databases!(two_who_set_bills_at_once_cannot_close_a_circle, |world| async move {
    for _ in 0..5 {
        let set = |sku: &str, part: &str| {
            let procurement = world.actor(Role::Procurement);
            let input = json!({ "sku": sku, "components": [{ "sku": part, "quantity": "1" }] });
            async move { procurement.act("setBillOfMaterials", input).await }
        };
        let (one, other) = tokio::join!(set("LAMP-1", "CABLE-5"), set("CABLE-5", "LAMP-1"));
        let refused = [&one, &other]
            .iter()
            .filter(|answer| answer.data()["setBillOfMaterials"]["userErrors"][0]["code"] == "BILL_OF_MATERIALS_CYCLE")
            .count();
        assert_eq!(refused, 1, "{} {}", one.text, other.text);
        for sku in ["LAMP-1", "CABLE-5"] {
            world.actor(Role::Admin).does("setBillOfMaterials", json!({ "sku": sku, "components": [] })).await;
        }
    }
});

on_both_databases!(what_lies_in_stock_is_used_before_it_is_made, |world| async move {
    let south = unit(&world, "AUR-S").await;
    // Forty tops, three frames, 160 legs, 1,000 screws.
    let found = availability(&world, "DESK-Y", "10", 5, Some(&south)).await;
    assert_eq!(
        brief(&found),
        json!([
            [0, "DESK-Y", "10", "0", "10", "0"],
            [1, "FRAME-H", "20", "3", "17", "0"],
            [1, "TOP-OAK", "10", "10", "0", "0"],
            [2, "LEG-ST", "34", "34", "0", "0"],
            [2, "SCREW-8", "182", "182", "0", "0"],
        ])
    );
    assert_eq!(found["sufficient"], true);
    assert_eq!(found["availableOn"], chrono::Utc::now().date_naive().to_string());
    let found = availability(&world, "DESK-Y", "42", 5, Some(&south)).await;
    assert_eq!(found["sufficient"], false);
    assert_eq!(found["availableOn"], Value::Null);
    assert_eq!(
        found["shortages"],
        json!([
            { "sku": "TOP-OAK", "missing": "2", "lateReason": "NOTHING_INCOMING" },
            { "sku": "LEG-ST", "missing": "2", "lateReason": "NOTHING_INCOMING" },
        ])
    );
    // The north has none of it, and what nobody may see is not there.
    let north = unit(&world, "AUR-N").await;
    assert_eq!(availability(&world, "DESK-Y", "1", 5, Some(&north)).await["sufficient"], false);
    let document = "query($unit: ID, $date: Date!) { materialAvailability(sku: \"DESK-Y\", quantity: \"1\", date: $date, unitId: $unit) { sufficient } }";
    let soon = (chrono::Utc::now() + chrono::Duration::days(2)).date_naive().to_string();
    let asked = world.operator("AUR-N").data(document, json!({ "unit": south, "date": soon })).await;
    assert_eq!(asked["materialAvailability"], Value::Null);
    let own = world.operator("AUR-N").data(document, json!({ "date": soon })).await;
    assert_eq!(own["materialAvailability"]["sufficient"], false, "only the own stock counts");
    let late = world.operator("AUR-N").query(document, json!({ "date": "2020-01-01" })).await;
    assert_eq!(late.code(), "BAD_USER_INPUT");
});

on_both_databases!(a_desk_made_to_order_takes_frames_first_and_parts_for_the_rest, |world| async move {
    let (order, shares) = world.accepted(&[line("DESK-Y", "4")]).await;
    assert_eq!(shares[0].unit, "AUR-S");
    // Eight frames: three lie there, five are made of ten legs and thirty screws.
    let reserved = [("FRAME-H", "3", "3"), ("TOP-OAK", "40", "4"), ("LEG-ST", "160", "10"), ("SCREW-8", "1000", "62")];
    for (sku, on_hand, reserved) in reserved {
        assert_eq!(world.counts(sku, "AUR-S-WH").await, (on_hand.into(), reserved.into()), "{sku}");
    }
    let found = availability(&world, "DESK-Y", "1", 5, None).await;
    assert_eq!(brief(&found)[1], json!([1, "FRAME-H", "2", "0", "2", "0"]), "what is reserved is nobody else's");
    world.work(&shares[0]).await;
    let used = [("FRAME-H", "0"), ("TOP-OAK", "36"), ("LEG-ST", "150"), ("SCREW-8", "938")];
    for (sku, left) in used {
        assert_eq!(world.counts(sku, "AUR-S-WH").await, (left.into(), "0".into()), "{sku}");
    }
    let produced = world.order(&order, "lines { quantities { produced reserved } }").await;
    assert_eq!(produced["lines"], json!([{ "quantities": { "produced": "4", "reserved": "0" } }]));
});

on_both_databases!(a_desk_waits_for_what_is_missing_on_the_lowest_level, |world| async move {
    let (_, shares) = world.accepted(&[line("DESK-Y", "41")]).await;
    let document = "query($id: ID!) { node(id: $id) { ... on Allocation { backorders { sku: product { sku } quantity status } } } }";
    let asked = || async { world.actor(Role::Supervisor).data(document, json!({ "id": shares[0].id })).await };
    // 82 frames less 3 take 158 of 160 legs; of 41 tops there are 40.
    let expected = json!([{ "sku": { "sku": "TOP-OAK" }, "quantity": "1", "status": "WAITING" }]);
    assert_eq!(asked().await["node"]["backorders"], expected);
    let top = world.stock("TOP-OAK", "AUR-S-WH").await["id"].clone();
    let payload =
        world.actor(Role::Procurement).does("receiveStock", json!({ "stockItemId": top, "quantity": "1" })).await;
    assert_eq!(payload["filledAllocations"].as_array().map(Vec::len), Some(1));
    assert_eq!(asked().await["node"]["backorders"][0]["status"], "FILLED");
});

on_both_databases!(a_bicycle_of_a_real_maker_takes_48_parts_and_421_pieces, |world| async move {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/adventureworks/materials.json");
    let read =
        || -> Catalogue { serde_json::from_slice(&std::fs::read(file).expect("the fixture")).expect("a catalogue") };
    read().put(&world.app).await.expect("it is taken");
    let again = read().put(&world.app).await.expect("it is taken again");
    assert_eq!((again.reference, again.stock), (0, 0), "what is known stays as it is");
    let bicycle = bill(&world, "sku: \"BK-R93R-62\"").await;
    assert_eq!(bicycle["depth"], 4);
    assert_eq!(bicycle["leafTotals"].as_array().map(Vec::len), Some(48));
    assert_eq!(bicycle["leafQuantity"], "421");
    let direct = bicycle["lines"].as_array().expect("lines").iter().filter(|line| line["level"] == 1).count();
    assert_eq!(direct, 14);
    // Its parts came into effect one after the other.
    for (day, parts, pieces) in [("2010-05-20", 4, "40"), ("2010-10-01", 28, "172"), ("2010-03-01", 0, "0")] {
        let then = bill(&world, &format!("sku: \"BK-R93R-62\", onDate: \"{day}\"")).await;
        assert_eq!(then["leafTotals"].as_array().map(Vec::len), Some(parts), "{day}");
        assert_eq!(then["leafQuantity"], pieces, "{day}");
    }
    let north_america = unit(&world, "AW-NA").await;
    let found = availability(&world, "BK-R93R-62", "1", 30, Some(&north_america)).await;
    assert_eq!(found["sufficient"], true);
    let many = availability(&world, "BK-R93R-62", "5000", 30, Some(&north_america)).await;
    assert_eq!(many["sufficient"], false);
    for one in many["lines"].as_array().expect("lines") {
        let number = |field: &str| one[field].as_str().expect("a number").parse::<i64>().expect("pieces");
        assert_eq!(number("required"), number("fromStock") + number("toMake") + number("missing"), "{one}");
        assert!(number("fromStock") <= number("available"), "{one}");
    }
    assert_eq!(found["lines"].as_array().expect("lines").iter().filter(|one| one["level"] == 0).count(), 1);
});
