//! What a mutation sends to the database: as few statements as it can, and nobody adds one unnoticed.
//! Why each is there is in docs/performance.md.

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::node::Making;
use crate::support::story::{Share, line, submission};
use crate::support::wire::Wire;
use crate::support::{Actor, Kind, World, within_as};

/// Performs a mutation and compares what it sends: the beginnings of its statements.
async fn sends(wire: &Wire, actor: &Actor, field: &str, input: Value, expected: &[&str]) -> Value {
    // The scope of whoever asks is read at most once a second, and whose keys were withdrawn more often; neither
    // is the mutation's.
    actor.data("{ __typename }", json!({})).await;
    let (payload, sent) = wire.during(actor.does(field, input)).await;
    let others = ["FROM \"org_unit\"", "FROM \"access_key\""];
    let is_own = |sql: &String| !others.iter().any(|other| sql.contains(other));
    let sent: Vec<String> = sent.into_iter().filter(is_own).collect();
    let fits = sent.len() == expected.len() && sent.iter().zip(expected).all(|(sql, start)| sql.starts_with(start));
    assert!(fits, "{field} sends {} statements instead of {expected:?}:\n{}", sent.len(), sent.join("\n"));
    payload
}

/// Everything is written in one statement, between what is read under its locks and the commit.
const WRITE: &str = "WITH \"rows_0\" AS (INSERT INTO";
const FACTS: &str = "SELECT \"rule_set\".\"version\"";
const ROOTS: &str = "SELECT \"orders\".\"id\" AS \"order_id\"";
const PARTS: &str = "SELECT 'order_line' AS part";

/// A mutation under a key of its own, as clients that may retry send it.
fn keyed(mut input: Value, key: &str) -> Value {
    input["idempotencyKey"] = json!(key);
    input
}

/// Brings a share to the customer's door.
async fn delivered(world: &std::sync::Arc<World>, share: &Share) -> String {
    world.work(share).await;
    world.pass(share).await;
    let delivery = world.booked(share, Some("EXPRESS")).await;
    world.arrive(&delivery).await;
    delivery
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_sends_what_is_documented_and_no_more() {
    let wire = &Wire::start().await;
    let through = |making: Making| Making { url: wire.before(&making.url), ..making };
    within_as(Kind::Postgres, through, |world| async move {
        let three = [line("LAMP-1", "1"), line("CABLE-5", "2"), line("LASER-4", "1")];
        let mut order = keyed(submission(&three), "an order");
        order["externalReference"] = json!("PO-7");
        let sales = world.actor(Role::Sales);
        sends(wire, &sales, "submitOrder", order.clone(), &["BEGIN", FACTS, WRITE, "COMMIT"]).await;
        // The same again finds its key taken as it would be written, and looks up what was answered. What it
        // answers is not in anybody's hands then, and is read.
        let replayed = wire.during(sales.does("submitOrder", order)).await.1;
        let begun = replayed.iter().filter(|sql| sql.as_str() == "BEGIN").count();
        assert_eq!(begun, 2, "{replayed:#?}");

        let (_, shares) = world.accepted(&[line("LAMP-1", "2")]).await;
        let operator = world.operator(&shares[0].unit);
        let milestone = world.open_milestones(&shares[0]).await.remove(0).0;
        let advance = |key: &str| keyed(json!({ "milestoneId": milestone }), key);
        let steps = ["BEGIN", ROOTS, PARTS, WRITE, "COMMIT"];
        sends(wire, &operator, "startMilestone", advance("begin"), &steps).await;
        sends(wire, &operator, "completeMilestone", advance("finish"), &steps).await;

        let delivery = delivered(&world, &shares[0]).await;
        let evidence = json!({ "kind": "SIGNED_SLIP", "reference": "S-1" });
        let receipt = keyed(json!({ "deliveryId": delivery, "evidence": evidence }), "received");
        sends(wire, &world.actor(Role::Logistics), "confirmDelivery", receipt, &steps).await;

        // All twelve are taken, and three wait for two each.
        world.accepted(&[line("LASER-4", "12")]).await;
        for _ in 0..3 {
            world.accepted(&[line("LASER-4", "2")]).await;
        }
        let item = world.stock("LASER-4", "AUR-N-WH").await["id"].clone();
        let goods = keyed(json!({ "stockItemId": item, "quantity": "12" }), "goods");
        let waiting = "SELECT \"backorder\"";
        let steps = [
            "BEGIN",
            waiting,
            ROOTS,
            PARTS,
            "SELECT \"stock_item\"",
            "SELECT \"replenishment_request\"",
            waiting,
            WRITE,
            "COMMIT",
        ];
        let filled = sends(wire, &world.actor(Role::Warehouse), "receiveStock", goods, &steps).await;
        assert_eq!(filled["filledAllocations"].as_array().map(Vec::len), Some(3));
        assert_eq!(world.violations().await, Vec::<String>::new());
    })
    .await;
}
