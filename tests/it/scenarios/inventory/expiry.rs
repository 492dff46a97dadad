//! Reservations that nobody begins to work on in time, and the queue of those who wait.

use chrono::Duration;
use ordergraph::app::due::DUTIES;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{asked, counts, item};
use crate::support::World;
use crate::support::actor::text;
use crate::support::on_both_databases;
use crate::support::story::{line, of, submission};

/// The rules' term, and a day.
const TERM: Duration = Duration::days(15);

/// What the clock does with stock so much later, by duty.
async fn done(world: &std::sync::Arc<World>, later: Duration) -> Vec<(&'static str, usize)> {
    let of_stock = |name: &str| ["let reservations expire", "fill backorders"].contains(&name);
    world.done_later(later, DUTIES).await.into_iter().filter(|(name, _)| of_stock(name)).collect()
}

async fn set_aside(world: &std::sync::Arc<World>, order: &str) -> Value {
    let selection = "lines { quantities { reserved } } allocations { status reservations { quantity status } \
                     backorders { quantity filled status } }";
    world.order(order, selection).await
}

on_both_databases!(what_nobody_works_on_goes_to_those_who_wait, |world| async move {
    // Twelve lasers: nine for an order nobody begins, three for one at work, and five that are waited for.
    let (idle, _) = world.accepted(&[line("LASER-4", "9")]).await;
    let (_, working) = world.accepted(&[line("LASER-4", "3")]).await;
    let (waiting, _) = world.accepted(&[line("LASER-4", "5")]).await;
    let milestone = world.open_milestones(&working[0]).await.remove(0).0;
    world.operator("AUR-N").does("startMilestone", json!({ "milestoneId": milestone })).await;
    let before = set_aside(&world, &idle).await;
    assert_eq!(before["allocations"][0]["reservations"], json!([{ "quantity": "9", "status": "ACTIVE" }]));
    assert_eq!(done(&world, Duration::days(13)).await, [], "not yet");
    let state = world.state().await;
    let laser = item(&world, "LASER-4", "AUR-N-WH").await;
    let system = world.actor(Role::System);
    assert_eq!(system.fails("expireReservations", json!({ "stockItemId": laser })).await, "NOT_FOUND");
    assert_eq!(state, world.state().await);

    assert_eq!(done(&world, TERM).await, [("let reservations expire", 1)]);
    // Five of the nine went to the order that waited; four came back to the one that lost them, which waits
    // for the other five at the end of the queue.
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "12", "0", "0"]);
    let after = set_aside(&world, &idle).await;
    assert_eq!(after["lines"][0]["quantities"]["reserved"], "4");
    assert_eq!(
        after["allocations"],
        json!([{
            "status": "ACCEPTED",
            "reservations": [{ "quantity": "9", "status": "EXPIRED" }, { "quantity": "4", "status": "ACTIVE" }],
            "backorders": [{ "quantity": "9", "filled": "4", "status": "PARTIALLY_FILLED" }],
        }])
    );
    assert_eq!(set_aside(&world, &waiting).await["lines"][0]["quantities"]["reserved"], "5");
    let expired = "SELECT COUNT(*) FROM event WHERE kind = 'ALLOCATION_RESERVATION_EXPIRED' AND actor = 'system'";
    assert_eq!(world.number(expired).await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM event WHERE kind = 'ORDER_UNRESERVED'").await, 1);
    // Once, however often the clock looks: what is at work, or was just given, is not due.
    assert_eq!(done(&world, TERM).await, []);
    // The queue tells who is next.
    let queue =
        asked(&world, "{ backorders { nodes { position missing ahead supply expectedAt explanation order { id } } } }")
            .await;
    assert_eq!(
        queue["backorders"]["nodes"],
        json!([{
            "position": 1, "missing": "5", "ahead": "0", "supply": null, "expectedAt": null,
            "explanation": "Number 1 of those who wait, 0 before it. No supply known that covers it.",
            "order": { "id": idle },
        }])
    );
});

on_both_databases!(what_a_cancelled_order_gives_back_is_given_out_by_the_clock, |world| async move {
    let (holder, _) = world.accepted(&[line("LASER-4", "12")]).await;
    let (waiting, _) = world.accepted(&[line("LASER-4", "2")]).await;
    let sales = world.actor(Role::Sales);
    sales.does("cancelOrder", json!({ "orderId": holder, "reason": "Called off." })).await;
    world.actor(Role::Dispatcher).does("answerCancellation", json!({ "orderId": holder, "grant": true })).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "0", "0", "12"]);
    assert_eq!(done(&world, Duration::zero()).await, [("fill backorders", 1)]);
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "2", "0", "10"]);
    assert_eq!(set_aside(&world, &waiting).await["lines"][0]["quantities"]["reserved"], "2");
    assert_eq!(done(&world, Duration::zero()).await, []);
});

on_both_databases!(the_queue_tells_place_and_day_of_each, |world| async move {
    let paul = world.actor(Role::Procurement);
    world.accepted(&[line("LASER-4", "12")]).await;
    let mut orders = Vec::new();
    for (quantity, priority) in [("3", "NORMAL"), ("2", "NORMAL"), ("4", "URGENT")] {
        let mut input = submission(&[line("LASER-4", quantity)]);
        input["priority"] = json!(priority);
        let order = text(&world.actor(Role::Sales).does("submitOrder", input).await["order"]["id"]);
        world.actor(Role::Reviewer).does("startReview", of(&order)).await;
        world.approve(&order).await;
        let share = world.allocate(&order).await.remove(0);
        world.operator("AUR-N").does("acceptAllocation", share.input()).await;
        orders.push(order);
    }
    // 3 + 2 + 4 are waited for, and six should lie there besides.
    let found = asked(&world, "{ replenishmentRequests { nodes { id quantity } } }").await;
    assert_eq!(found["replenishmentRequests"]["nodes"][0]["quantity"], "15");
    let request = found["replenishmentRequests"]["nodes"][0]["id"].clone();
    let it = |more: Value| {
        let mut input = more;
        input["replenishmentRequestId"] = request.clone();
        input
    };
    let places = || async {
        let asked =
            asked(&world, "{ backorders { nodes { order { id } position missing ahead supply expectedAt } } }").await;
        let nodes = asked["backorders"]["nodes"].as_array().expect("places").clone();
        orders
            .iter()
            .map(|order| {
                let one = nodes.iter().find(|one| one["order"]["id"] == order.as_str()).expect("a place");
                let day = one["expectedAt"].as_str().map_or("-", |day| &day[..10]).to_owned();
                let supply = one["supply"].as_str().unwrap_or("-").to_owned();
                format!("{} {} {} {supply} {day}", one["position"], text(&one["missing"]), text(&one["ahead"]))
            })
            .collect::<Vec<_>>()
    };
    // The urgent one comes first, then the older; what is only proposed is no supply.
    assert_eq!(places().await, ["2 3 4 - -", "3 2 7 - -", "1 4 0 - -"]);
    paul.does("approveReplenishment", it(json!({}))).await;
    assert_eq!(places().await, ["2 3 4 REPLENISHMENT -", "3 2 7 REPLENISHMENT -", "1 4 0 REPLENISHMENT -"]);
    // Eight are ordered for a day: two of nine are not covered by them, and the rest is proposed anew.
    let order = json!({ "supplier": "Beam Works", "expectedAt": "2999-05-01T00:00:00Z", "quantity": "8" });
    paul.does("orderReplenishment", it(order)).await;
    assert_eq!(places().await, ["2 3 4 REPLENISHMENT 2999-05-01", "3 2 7 - -", "1 4 0 REPLENISHMENT 2999-05-01"]);
    let one =
        asked(&world, &format!("{{ backorders(filter: {{ orderId: \"{}\" }}) {{ totalCount }} }}", orders[0])).await;
    assert_eq!(one["backorders"]["totalCount"], 1);
    let none = asked(&world, "{ backorders(filter: { skus: [\"LAMP-1\"] }) { totalCount nodes { id } } }").await;
    assert_eq!(none["backorders"], json!({ "totalCount": 0, "nodes": [] }));
});
