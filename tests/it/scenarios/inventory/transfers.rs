//! Transfers between warehouses: on their way, received in parts, lost, given up.

use futures::future::join_all;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{asked, counts, item, look, unit};
use crate::support::actor::text;
use crate::support::on_both_databases;
use crate::support::story::line;

on_both_databases!(goods_travel_and_the_difference_is_kept, |world| async move {
    // 24 panels lie in the south, where thirty are wanted: six are waited for.
    let dispatcher = world.actor(Role::Dispatcher);
    let (walt, wendy) = (world.person("walt.warehouse"), world.person("wendy.warehouse"));
    let (order, shares) = world.allocated(&[line("PANEL-9", "30")]).await;
    let south = unit(&world, "AUR-S").await;
    let moved = json!({ "allocationId": shares[0].id, "unitId": south, "reason": "A test." });
    let moved = dispatcher.does("reassignAllocation", moved).await;
    let share = text(&moved["allocation"]["id"]);
    world.operator("AUR-S").does("acceptAllocation", json!({ "allocationId": share })).await;
    assert_eq!(counts(&world, "PANEL-9", "AUR-S-WH").await, ["24", "24", "0", "0"]);

    let expected = (chrono::Utc::now() + chrono::Duration::days(3)).to_rfc3339();
    let request = json!({
        "fromStockItemId": item(&world, "PANEL-9", "AUR-N-WH").await,
        "toWarehouseId": unit(&world, "AUR-S-WH").await,
        "quantity": "10", "reason": "Six are waited for.", "expectedAt": expected,
    });
    // Whoever sees one of the warehouses only cannot ask for what lies in the other.
    assert_eq!(walt.fails("requestTransfer", request.clone()).await, "NOT_FOUND");
    let mut odd = request.clone();
    odd["toWarehouseId"] = json!(unit(&world, "AUR-N-WH").await);
    odd["expectedAt"] = json!("2020-01-01T00:00:00Z");
    odd["quantity"] = json!("0");
    dispatcher
        .refused_for(
            "requestTransfer",
            odd,
            &[("QUANTITY_NOT_POSITIVE", "R1.4"), ("DATE_IN_PAST", "R4.3"), ("REPEATED", "R4.3")],
        )
        .await;
    let transfer = dispatcher.does("requestTransfer", request).await["transfer"].clone();
    assert_eq!(transfer["status"], "REQUESTED");
    let of = |more: Value| {
        let mut input = json!({ "transferId": transfer["id"] });
        for (name, value) in more.as_object().expect("fields") {
            input[name] = value.clone();
        }
        input
    };
    assert_eq!(counts(&world, "PANEL-9", "AUR-N-WH").await, ["60", "0", "0", "60"], "nothing is reserved by asking");
    wendy.refused_for("dispatchTransfer", of(json!({})), &[("ROLE_NOT_PERMITTED", "R4.1")]).await;
    wendy.refused_for("receiveTransfer", of(json!({ "quantity": "1" })), &[("ILLEGAL_TRANSITION", "R4.3")]).await;

    let sent = walt.does("dispatchTransfer", of(json!({}))).await["transfer"].clone();
    assert_eq!((&sent["status"], &sent["inTransit"]), (&json!("DISPATCHED"), &json!("10")));
    assert_eq!(counts(&world, "PANEL-9", "AUR-N-WH").await, ["50", "0", "0", "50"]);
    assert_eq!(look(&world, "PANEL-9", "AUR-S-WH", "incoming").await["incoming"], "10");
    dispatcher.refused_for("cancelTransfer", of(json!({ "reason": "Late." })), &[("ILLEGAL_TRANSITION", "R4.3")]).await;

    // Whoever waits is told when it comes, and with what.
    let queue = asked(
        &world,
        "{ backorders { totalCount nodes { position missing ahead supply expectedAt order { id } transfer { id } \
         replenishmentRequest { id } } } }",
    )
    .await;
    assert_eq!(queue["backorders"]["totalCount"], 1);
    let place = &queue["backorders"]["nodes"][0];
    assert_eq!((&place["position"], &place["missing"], &place["ahead"]), (&json!(1), &json!("6"), &json!("0")));
    assert_eq!((&place["supply"], &place["transfer"]["id"]), (&json!("TRANSFER"), &transfer["id"]));
    assert_eq!(place["order"]["id"], order.as_str());
    assert!(text(&place["expectedAt"])[..10] == expected[..10]);

    let first = wendy.does("receiveTransfer", of(json!({ "quantity": "4" }))).await;
    assert_eq!(first["filledAllocations"], json!([{ "id": share }]));
    assert_eq!(first["transfer"]["status"], "PARTIALLY_RECEIVED");
    assert_eq!(counts(&world, "PANEL-9", "AUR-S-WH").await, ["28", "28", "0", "0"]);
    wendy.refused_for("receiveTransfer", of(json!({ "quantity": "6.001" })), &[("QUANTITY_EXCEEDED", "R4.1")]).await;
    wendy.does("receiveTransfer", of(json!({ "quantity": "3" }))).await;
    assert_eq!(counts(&world, "PANEL-9", "AUR-S-WH").await, ["31", "30", "0", "1"]);
    walt.refused_for("closeTransferShort", of(json!({ "reason": "x" })), &[("ROLE_NOT_PERMITTED", "R4.1")]).await;
    let closed = wendy.does("closeTransferShort", of(json!({ "reason": "Three fell off the lorry." }))).await;
    assert_eq!(
        closed["transfer"],
        json!({
            "id": transfer["id"], "version": 5, "number": transfer["number"], "status": "CLOSED_SHORT",
            "quantity": "10", "received": "7", "inTransit": "0", "lost": "3",
        })
    );
    assert_eq!(look(&world, "PANEL-9", "AUR-S-WH", "incoming").await["incoming"], "0");
    // Both warehouses see it, and what moved by it.
    let listed = "{ stockTransfers(filter: { statuses: [CLOSED_SHORT] }) { totalCount nodes { number endedReason \
                  fromWarehouse { code } } } }";
    for person in [&walt, &wendy] {
        let found = person.data(listed, json!({})).await;
        assert_eq!(found["stockTransfers"]["totalCount"], 1);
        assert_eq!(found["stockTransfers"]["nodes"][0]["endedReason"], "Three fell off the lorry.");
    }
    let movement = "movements(first: 1) { nodes { kind onHandChange transfer { number } } }";
    let out = look(&world, "PANEL-9", "AUR-N-WH", movement).await;
    assert_eq!(
        out["movements"]["nodes"],
        json!([{ "kind": "TRANSFER_OUT", "onHandChange": "-10", "transfer": { "number": transfer["number"] } }])
    );
});

on_both_databases!(a_transfer_takes_only_what_is_free, |world| async move {
    world.accepted(&[line("LASER-4", "9")]).await;
    let procurement = world.actor(Role::Procurement);
    let walt = world.person("walt.warehouse");
    let request = json!({
        "fromStockItemId": item(&world, "LASER-4", "AUR-N-WH").await,
        "toWarehouseId": unit(&world, "AUR-S-WH").await, "quantity": "4",
    });
    let transfer = procurement.does("requestTransfer", request.clone()).await["transfer"]["id"].clone();
    let it = json!({ "transferId": transfer });
    walt.refused_for("dispatchTransfer", it.clone(), &[("STOCK_MISSING", "R4.2")]).await;
    let cancelled = json!({ "transferId": transfer, "reason": "There is not enough." });
    procurement.does("cancelTransfer", cancelled.clone()).await;
    walt.refused_for("dispatchTransfer", it, &[("ILLEGAL_TRANSITION", "R4.3"), ("STOCK_MISSING", "R4.2")]).await;
    procurement.refused_for("cancelTransfer", cancelled, &[("ILLEGAL_TRANSITION", "R4.3")]).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "9", "0", "3"]);
});

on_both_databases!(
    /// Reservations and transfers race for the same twelve lasers: together they never get more.
    what_is_transferred_is_not_reserved_and_the_other_way_round,
    |world| async move {
        let mut shares = Vec::new();
        for _ in 0..8 {
            shares.push(world.allocated(&[line("LASER-4", "1")]).await.1.remove(0));
        }
        let procurement = world.actor(Role::Procurement);
        let request = json!({
            "fromStockItemId": item(&world, "LASER-4", "AUR-N-WH").await,
            "toWarehouseId": unit(&world, "AUR-S-WH").await, "quantity": "2",
        });
        let mut transfers = Vec::new();
        for _ in 0..6 {
            transfers.push(procurement.does("requestTransfer", request.clone()).await["transfer"]["id"].clone());
        }
        let (walt, olga) = (world.person("walt.warehouse"), world.operator("AUR-N"));
        let sending = join_all(transfers.iter().map(|id| {
            let (walt, input) = (walt.clone(), json!({ "transferId": id }));
            async move { walt.act("dispatchTransfer", input).await }
        }));
        let accepting = join_all(shares.iter().map(|share| olga.act("acceptAllocation", share.input())));
        let (sent, accepted) = futures::future::join(sending, accepting).await;
        for answer in &accepted {
            assert_eq!(answer.data()["acceptAllocation"]["userErrors"], json!([]));
        }
        let sent = sent.iter().filter(|one| one.data()["dispatchTransfer"]["userErrors"] == json!([])).count();
        let [on_hand, reserved, _, available] = counts(&world, "LASER-4", "AUR-N-WH").await;
        assert_eq!(on_hand, (12 - 2 * sent).to_string());
        let reserved: usize = reserved.parse().expect("a number");
        assert!(reserved + 2 * sent <= 12, "{reserved} reserved, {sent} sent");
        // Whoever found nothing waits, and less than a transfer's worth is left over.
        let waiting = world.number("SELECT COUNT(*) FROM backorder WHERE status = 'WAITING'").await;
        assert_eq!(usize::try_from(waiting).expect("a count"), 8 - reserved);
        assert!(waiting == 0 || available == "0", "{available} are free while {waiting} wait");
    }
);
