//! What the movements of a time say of a stock item (R4.5).

use chrono::{Duration, Utc};
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::item;
use crate::support::on_both_databases;
use crate::support::story::line;

const REPORT: &str = "query($from: DateTime!, $to: DateTime!, $skus: [String!]) { \
    inventoryReport(from: $from, to: $to, filter: { skus: $skus }) { totalCount nodes { \
    stockItem { sku warehouse { code } } opening closing issued average turnover turnoverUnknown daysOfSupply \
    daysOfSupplyUnknown overstock ageing { upTo30Days upTo90Days upTo180Days over180Days } } } }";

on_both_databases!(turnover_supply_age_and_overstock_follow_their_formulas, |world| async move {
    let supervisor = world.actor(Role::Supervisor);
    // Twelve lasers; four are sold, six come in, one is lost.
    let (_, shares) = world.accepted(&[line("LASER-4", "4")]).await;
    world.work(&shares[0]).await;
    world.pass(&shares[0]).await;
    let delivery = world.booked(&shares[0], Some("EXPRESS")).await;
    world.arrive(&delivery).await;
    let laser = item(&world, "LASER-4", "AUR-N-WH").await;
    let walt = world.person("walt.warehouse");
    walt.does("receiveStock", json!({ "stockItemId": laser, "quantity": "6" })).await;
    walt.does("adjustStock", json!({ "stockItemId": laser, "change": "-1", "reason": "Lost." })).await;
    let ask = |from: chrono::DateTime<Utc>, to: chrono::DateTime<Utc>| {
        let supervisor = supervisor.clone();
        async move {
            let asked = json!({ "from": from.to_rfc3339(), "to": to.to_rfc3339(), "skus": ["LASER-4"] });
            let found = supervisor.data(REPORT, asked).await["inventoryReport"].clone();
            assert_eq!(found["totalCount"], 2);
            let nodes = found["nodes"].as_array().expect("figures").clone();
            let north = |one: &&Value| one["stockItem"]["warehouse"]["code"] == "AUR-N-WH";
            let mut north = nodes.iter().find(north).expect("the north").clone();
            let south = nodes.iter().find(|one| !north_of(one)).expect("the south").clone();
            north.as_object_mut().expect("figures").remove("stockItem");
            (north, south)
        }
    };
    let now = Utc::now() + Duration::minutes(1);
    // Ten days; the twelve have lain there for three weeks.
    let (north, south) = ask(now - Duration::days(10), now).await;
    assert_eq!(
        north,
        json!({
            "opening": "12", "closing": "13", "issued": "4", "average": "12.5",
            // 4 / 12.5, and 13 × 10 / 4.
            "turnover": "0.32", "turnoverUnknown": null, "daysOfSupply": "32.5", "daysOfSupplyUnknown": null,
            // 180 days use 72 pieces.
            "overstock": "0",
            "ageing": { "upTo30Days": "13", "upTo90Days": "0", "upTo180Days": "0", "over180Days": "0" },
        })
    );
    // Nothing ever lay in the south: no figure is made up.
    assert_eq!(
        (&south["turnover"], &south["turnoverUnknown"], &south["daysOfSupply"], &south["daysOfSupplyUnknown"]),
        (&Value::Null, &json!("NO_STOCK"), &Value::Null, &json!("NO_ISSUES"))
    );
    // A hundred days later it has aged, and what nobody asks for beyond the safety stock of two is too much.
    let (north, _) = ask(now + Duration::days(1), now + Duration::days(100)).await;
    assert_eq!(
        (&north["opening"], &north["closing"], &north["issued"], &north["turnover"], &north["overstock"]),
        (&json!("13"), &json!("13"), &json!("0"), &json!("0"), &json!("11"))
    );
    assert_eq!(
        (&north["daysOfSupply"], &north["daysOfSupplyUnknown"], &north["ageing"]["upTo180Days"]),
        (&Value::Null, &json!("NO_ISSUES"), &json!("13"))
    );
    let backwards = json!({ "from": now.to_rfc3339(), "to": now.to_rfc3339() });
    assert_eq!(supervisor.query(REPORT, backwards).await.code(), "BAD_USER_INPUT");
});

fn north_of(one: &Value) -> bool {
    one["stockItem"]["warehouse"]["code"] == "AUR-N-WH"
}

on_both_databases!(
    /// First in, first out: what is left is of the newest receipts, whatever they were.
    what_is_left_is_of_the_newest_that_came,
    |world| async move {
        let (_, shares) = world.accepted(&[line("LASER-4", "10")]).await;
        world.work(&shares[0]).await;
        world.pass(&shares[0]).await;
        let delivery = world.booked(&shares[0], Some("EXPRESS")).await;
        world.arrive(&delivery).await;
        let laser = item(&world, "LASER-4", "AUR-N-WH").await;
        world.person("walt.warehouse").does("receiveStock", json!({ "stockItemId": laser, "quantity": "3" })).await;
        // Twelve came 200 days ago, ten went, three came 40 days ago: two and three are left. The movements are
        // told to be older than they are; nothing else of the database says when they were.
        let days = |days: i64| (Utc::now() - Duration::days(days)).to_rfc3339();
        for (day, condition) in [(200, "on_hand_change > 3000"), (100, "kind = 'ISSUE'"), (40, "on_hand_change = 3000")] {
            let sql = format!("UPDATE stock_movement SET moved_at = '{}' WHERE {condition}", days(day));
            assert!(world.tamper(&sql).await > 0);
        }
        let asked = json!({
            "from": days(365), "to": Utc::now().to_rfc3339(), "skus": ["LASER-4"],
        });
        let found = world.actor(Role::Supervisor).data(REPORT, asked).await;
        let nodes = found["inventoryReport"]["nodes"].as_array().expect("figures").clone();
        let north = nodes.iter().find(|one| north_of(one)).expect("the north");
        assert_eq!(north["closing"], "5");
        assert_eq!(
            north["ageing"],
            json!({ "upTo30Days": "0", "upTo90Days": "3", "upTo180Days": "0", "over180Days": "2" })
        );
    }
);
