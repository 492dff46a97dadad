//! The whole inventory of AdventureWorks, as the API tells it: the published figures of its source.

use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use ordergraph::seed::catalogue::Catalogue;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::actor::text;
use crate::support::on_both_databases;

/// Products whose stock, over all locations, is less than their safety stock.
const BELOW_SAFETY_STOCK: i32 = 69;
/// Products whose stock, over all locations, is at most their reorder point.
const AT_OR_BELOW_REORDER_POINT: i32 = 8;
const PRODUCTS: i32 = 432;
const PIECES: i64 = 335_974;

on_both_databases!(the_inventory_of_adventureworks_adds_up, |world| async move {
    let file = include_str!("../../../../fixtures/adventureworks/inventory.json");
    let catalogue: Catalogue = serde_json::from_str(file).expect("a catalogue");
    let imported = catalogue.put(&world.app).await.expect("imported");
    assert_eq!(imported.stock, 1_069);
    let again: Catalogue = serde_json::from_str(file).expect("a catalogue");
    assert_eq!(again.put(&world.app).await.expect("imported").stock, 0, "what is known stays as it is");

    let supervisor = world.actor(Role::Supervisor);
    let units = supervisor.data("{ units { id code } }", json!({})).await;
    let warehouses: Vec<&Value> = units["units"]
        .as_array()
        .expect("units")
        .iter()
        .filter(|unit| text(&unit["code"]).starts_with("AWI-L"))
        .map(|unit| &unit["id"])
        .collect();
    assert_eq!(warehouses.len(), 14);
    let count = "query($filter: ProductStockFilter) { productStock(filter: $filter) { totalCount } }";
    for (name, value, expected) in [
        ("belowSafetyStock", true, BELOW_SAFETY_STOCK),
        ("belowSafetyStock", false, PRODUCTS - BELOW_SAFETY_STOCK),
        ("atOrBelowReorderPoint", true, AT_OR_BELOW_REORDER_POINT),
        ("atOrBelowReorderPoint", false, PRODUCTS - AT_OR_BELOW_REORDER_POINT),
    ] {
        let mut filter = json!({ "warehouseIds": warehouses });
        filter[name] = json!(value);
        let found = supervisor.data(count, json!({ "filter": filter })).await;
        assert_eq!(found["productStock"]["totalCount"], expected, "{name}: {value}");
    }

    // Page by page, forwards and backwards, it is the same list.
    let page = "query($filter: ProductStockFilter, $first: Int, $after: String, $last: Int, $before: String) { \
        productStock(filter: $filter, first: $first, after: $after, last: $last, before: $before) { \
        nodes { sku onHand reserved available safetyStock reorderPoint warehouses } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let filter = json!({ "warehouseIds": warehouses });
    let mut forwards: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let asked = json!({ "filter": filter, "first": 100, "after": after });
        let found = supervisor.data(page, asked).await["productStock"].clone();
        forwards.extend(found["nodes"].as_array().expect("nodes").iter().cloned());
        after = found["pageInfo"]["endCursor"].clone();
        if found["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let mut backwards: Vec<Value> = Vec::new();
    let mut before = Value::Null;
    loop {
        let asked = json!({ "filter": filter, "last": 90, "before": before });
        let found = supervisor.data(page, asked).await["productStock"].clone();
        let mut nodes = found["nodes"].as_array().expect("nodes").clone();
        nodes.append(&mut backwards);
        backwards = nodes;
        before = found["pageInfo"]["startCursor"].clone();
        if found["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
    }
    assert_eq!(forwards.len(), usize::try_from(PRODUCTS).expect("a count"));
    assert_eq!(forwards, backwards);
    let pieces: Decimal = forwards.iter().map(|one| text(&one["onHand"]).parse::<Decimal>().expect("a number")).sum();
    assert_eq!(pieces, Decimal::from(PIECES));
    let race = forwards.iter().find(|one| one["sku"] == "AR-5381").expect("the Adjustable Race");
    assert_eq!(
        *race,
        json!({
            "sku": "AR-5381", "onHand": "1085", "reserved": "0", "available": "1085", "safetyStock": "1000",
            "reorderPoint": "750", "warehouses": 3,
        })
    );

    // Whoever sees one location only is told of that one.
    let keeper = world.bearer(Identity {
        subject: "keeper".to_owned(),
        roles: vec![Role::Warehouse.code().to_owned()],
        unit: Some("AWI-L01".to_owned()),
        ..Identity::default()
    });
    let found = keeper.data("{ productStock { totalCount } stockItems { totalCount } }", json!({})).await;
    assert_eq!(found, json!({ "productStock": { "totalCount": 167 }, "stockItems": { "totalCount": 167 } }));
    let short = keeper.data("{ stockItems(filter: { belowSafetyStock: true }) { totalCount } }", json!({})).await;
    let rows: Value = serde_json::from_str(file).expect("JSON");
    let number = |row: &Value, name: &str| text(&row[name]).parse::<Decimal>().expect("a number");
    let expected = rows["stock"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["warehouse"] == "AWI-L01" && number(row, "onHand") < number(row, "safetyStock"));
    assert_eq!(short["stockItems"]["totalCount"], expected.count());
});
