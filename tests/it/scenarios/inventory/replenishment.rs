//! Procurement: told once per breach, decides, orders, receives, gives up (R4.3, R4.4).

use futures::future::join_all;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{asked, counts, item, look};
use crate::support::actor::text;
use crate::support::on_both_databases;
use crate::support::story::line;

const REQUESTS: &str = "{ replenishmentRequests { nodes { id status reason quantity received outstanding } } }";

async fn requests(world: &std::sync::Arc<crate::support::World>) -> Vec<Value> {
    let found = asked(world, REQUESTS).await;
    found["replenishmentRequests"]["nodes"].as_array().expect("requests").clone()
}

on_both_databases!(procurement_decides_orders_and_receives, |world| async move {
    let paul = world.actor(Role::Procurement);
    let cursor = paul.data("{ eventCursor }", json!({})).await["eventCursor"].clone();
    let following = "subscription($after: String) { stockAlerts(after: $after) { event { kind } stockItem { sku } } }";
    let mut alerts = paul.subscribe(following, json!({ "after": cursor })).await;
    let lamp = item(&world, "LAMP-2", "AUR-N-WH").await;
    // 120 lie there; below 130 procurement is told, and orders fifty at least.
    let policy = |point: &str| json!({ "stockItemId": lamp, "reorderPoint": point, "reorderQuantity": "50", "safetyStock": "5" });
    paul.refused_for("setReorderPolicy", policy("-1"), &[("QUANTITY_PRECISION", "R4.4")]).await;
    paul.does("setReorderPolicy", policy("130")).await;
    let told = alerts.next().await;
    assert_eq!(told["stockAlerts"]["event"]["kind"], "REPLENISHMENT_REQUESTED");
    assert_eq!(told["stockAlerts"]["stockItem"]["sku"], "LAMP-2");
    let all = requests(&world).await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["status"], &all[0]["reason"], &all[0]["quantity"]),
        (&json!("PROPOSED"), &json!("BELOW_REORDER_POINT"), &json!("50"))
    );
    let id = all[0]["id"].clone();
    let of = |more: Value| {
        let mut input = json!({ "replenishmentRequestId": id });
        for (name, value) in more.as_object().expect("fields") {
            input[name] = value.clone();
        }
        input
    };
    let order = of(json!({ "supplier": "Glow Ltd", "supplierReference": "G-1", "expectedAt": "2999-01-01T00:00:00Z" }));
    paul.refused_for("orderReplenishment", order.clone(), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    assert_eq!(world.actor(Role::Warehouse).fails("approveReplenishment", of(json!({}))).await, "FORBIDDEN");
    paul.does("approveReplenishment", of(json!({}))).await;
    paul.refused_for("rejectReplenishment", of(json!({ "reason": "No." })), &[("ILLEGAL_TRANSITION", "R4.5")]).await;
    assert_eq!(look(&world, "LAMP-2", "AUR-N-WH", "incoming").await["incoming"], "50");
    paul.does("orderReplenishment", order).await;
    // The supplier names another day.
    let past = of(json!({ "supplier": "Glow Ltd", "expectedAt": "2020-01-01T00:00:00Z" }));
    paul.refused_for("orderReplenishment", past, &[("DATE_IN_PAST", "R4.3")]).await;
    paul.does("orderReplenishment", of(json!({ "supplier": "Glow Ltd", "expectedAt": "2999-02-01T00:00:00Z" }))).await;

    // What is on its way is not asked for again; what is wanted beyond it is.
    world.accepted(&[line("LAMP-2", "20")]).await;
    assert_eq!(requests(&world).await.len(), 1, "130 + 5 − 100 is less than the fifty that are coming");
    world.accepted(&[line("LAMP-2", "40")]).await;
    let all = requests(&world).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[1]["status"], &all[1]["quantity"]), (&json!("PROPOSED"), &json!("25")), "130 + 5 − 60 − 50");

    let goods = |quantity: &str| json!({ "stockItemId": lamp, "quantity": quantity, "replenishmentRequestId": id });
    paul.does("receiveStock", goods("20")).await;
    paul.refused_for("cancelReplenishment", of(json!({ "reason": "x" })), &[("ILLEGAL_TRANSITION", "R4.5")]).await;
    // A tenth more than was ordered is accepted: 55 in all.
    paul.refused_for("receiveStock", goods("35.001"), &[("QUANTITY_EXCEEDED", "R4.3")]).await;
    paul.does("receiveStock", goods("35")).await;
    let all = requests(&world).await;
    assert_eq!(
        (&all[0]["status"], &all[0]["received"], &all[0]["outstanding"]),
        (&json!("RECEIVED"), &json!("55"), &json!("0"))
    );
    paul.refused_for("receiveStock", goods("1"), &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    assert_eq!(counts(&world, "LAMP-2", "AUR-N-WH").await, ["175", "60", "0", "115"]);
});

on_both_databases!(what_a_supplier_does_not_bring_is_asked_for_again, |world| async move {
    let paul = world.actor(Role::Procurement);
    // Twelve lasers: sixteen are wanted, so that four are waited for and six should lie there.
    world.accepted(&[line("LASER-4", "16")]).await;
    let all = requests(&world).await;
    assert_eq!((all.len(), &all[0]["reason"], &all[0]["quantity"]), (1, &json!("SHORTAGE"), &json!("10")));
    let of = |id: &Value| json!({ "replenishmentRequestId": id });
    let because = |id: &Value| json!({ "replenishmentRequestId": id, "reason": "The factory burned down." });
    paul.does("approveReplenishment", of(&all[0]["id"])).await;
    let laser = item(&world, "LASER-4", "AUR-N-WH").await;
    let goods = json!({ "stockItemId": laser, "quantity": "3" });
    // Goods that nobody named a request for count for the one that is closest to coming.
    paul.does("receiveStock", goods).await;
    let closed = paul.does("closeReplenishmentShort", because(&all[0]["id"])).await;
    assert_eq!(closed["replenishmentRequest"]["status"], "CLOSED_SHORT");
    let all = requests(&world).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[1]["status"], &all[1]["quantity"]), (&json!("PROPOSED"), &json!("7")));
    // What procurement does not want is not proposed at once, but with the next change.
    paul.does("rejectReplenishment", because(&all[1]["id"])).await;
    assert_eq!(requests(&world).await.len(), 2);
    world.accepted(&[line("LASER-4", "1")]).await;
    let all = requests(&world).await;
    assert_eq!((all.len(), &all[2]["quantity"]), (3, &json!("8")));
    paul.does("approveReplenishment", of(&all[2]["id"])).await;
    paul.does("cancelReplenishment", because(&all[2]["id"])).await;
    let all = requests(&world).await;
    let states: Vec<String> = all.iter().map(|one| text(&one["status"])).collect();
    assert_eq!(states, ["CLOSED_SHORT", "REJECTED", "CANCELLED", "PROPOSED"]);
    let filtered = asked(&world, "{ replenishmentRequests(filter: { statuses: [PROPOSED] }) { totalCount } }").await;
    assert_eq!(filtered["replenishmentRequests"]["totalCount"], 1);
});

on_both_databases!(
    /// Sixteen acceptances cross the lower limit at once: procurement is told once.
    a_breach_opens_one_request_however_many_cross_it,
    |world| async move {
        let mut shares = Vec::new();
        for _ in 0..16 {
            shares.push(world.allocated(&[line("LAMP-1", "22")]).await.1.remove(0));
        }
        let olga = world.operator("AUR-N");
        let answers = join_all(shares.iter().map(|share| olga.act("acceptAllocation", share.input()))).await;
        for answer in &answers {
            assert_eq!(answer.data()["acceptAllocation"]["userErrors"], json!([]));
        }
        // 400 − 352 are left, below the limit of sixty; twenty are the safety stock.
        assert_eq!(counts(&world, "LAMP-1", "AUR-N-WH").await, ["400", "352", "0", "48"]);
        let all = requests(&world).await;
        assert_eq!(all.len(), 1);
        assert_eq!((&all[0]["status"], &all[0]["quantity"]), (&json!("PROPOSED"), &json!("32")));
        let told = "SELECT COUNT(*) FROM event WHERE kind = 'REPLENISHMENT_REQUESTED'";
        assert_eq!(world.number(told).await, 1);
    }
);
