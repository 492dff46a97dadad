//! Stocktakes: counted against the books of the moment, approved by somebody else, never below what is reserved
//! without saying so.

use futures::future::join;
use ordergraph::app::Identity;
use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use super::{asked, counts, item, unit};
use crate::support::actor::text;
use crate::support::on_both_databases;
use crate::support::story::line;
use crate::support::{Actor, World};

async fn opened(world: &std::sync::Arc<World>, skus: &[&str], blind: bool) -> String {
    let mut items = Vec::new();
    for sku in skus {
        items.push(item(world, sku, "AUR-N-WH").await);
    }
    let input = json!({
        "warehouseId": unit(world, "AUR-N-WH").await, "stockItemIds": items, "blind": blind,
    });
    text(&world.person("walt.warehouse").does("openStocktake", input).await["stocktake"]["id"])
}

async fn count(who: &Actor, stocktake: &str, sku: &str, counted: &str) -> Value {
    let item = item(&who.world, sku, "AUR-N-WH").await;
    let input = json!({ "stocktakeId": stocktake, "stockItemId": item, "counted": counted });
    who.does("recordCount", input).await["stocktake"].clone()
}

fn of(stocktake: &str) -> Value {
    json!({ "stocktakeId": stocktake })
}

/// Book, counted and variance of each line, and whether it is within the tolerance.
fn lines(stocktake: &Value) -> Vec<String> {
    let lines = stocktake["lines"].as_array().expect("lines");
    let mut told: Vec<String> = lines
        .iter()
        .map(|one| {
            let part = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            let within = &one["withinTolerance"];
            format!("{} {} {} {} {within}", part("sku"), part("book"), part("counted"), part("variance"))
        })
        .collect();
    told.sort();
    told
}

on_both_databases!(a_variance_is_booked_when_somebody_else_approves, |world| async move {
    let walt = world.person("walt.warehouse");
    let fiona = world.actor(Role::FinanceApprover);
    let stocktake = opened(&world, &["LAMP-1", "LAMP-2", "LASER-4"], true).await;
    // The same item is not counted twice at once, and only by those of the warehouse.
    let double = json!({ "warehouseId": unit(&world, "AUR-N-WH").await, "category": "Lighting" });
    let found = walt.refused("openStocktake", double.clone()).await;
    assert!(found.iter().all(|one| one.code == "ALREADY_UNDER_COUNT"), "{found:?}");
    assert_eq!(world.person("wendy.warehouse").fails("openStocktake", double).await, "NOT_FOUND");
    let nothing = json!({ "warehouseId": unit(&world, "AUR-N-WH").await, "category": "Ships" });
    walt.refused_for("openStocktake", nothing, &[("TOO_FEW", "R4.1")]).await;
    walt.refused_for("finishStocktake", of(&stocktake), &[("COUNT_INCOMPLETE", "R4.1")]).await;

    let counted = count(&walt, &stocktake, "LAMP-1", "390").await;
    assert_eq!(lines(&counted)[0], "LAMP-1 - 390 - null", "blind: nobody sees the books before all is counted");
    // Twenty lamps are promised and five arrive after the count: the variance stays what it was.
    world.accepted(&[line("LAMP-1", "20")]).await;
    let lamp = item(&world, "LAMP-1", "AUR-N-WH").await;
    walt.does("receiveStock", json!({ "stockItemId": lamp, "quantity": "5" })).await;
    count(&walt, &stocktake, "LAMP-2", "119").await;
    count(&walt, &stocktake, "LASER-4", "13").await;
    count(&walt, &stocktake, "LASER-4", "12").await;
    fiona.refused_for("approveStocktake", of(&stocktake), &[("ILLEGAL_TRANSITION", "R4.1")]).await;
    let finished = walt.does("finishStocktake", of(&stocktake)).await["stocktake"].clone();
    assert_eq!(finished["status"], "COUNTED");
    assert_eq!(lines(&finished), ["LAMP-1 400 390 -10 false", "LAMP-2 120 119 -1 true", "LASER-4 12 12 0 true"]);
    let late = json!({ "stocktakeId": stocktake, "stockItemId": lamp, "counted": "400" });
    walt.refused_for("recordCount", late, &[("ILLEGAL_TRANSITION", "R4.1")]).await;
    assert_eq!(counts(&world, "LAMP-1", "AUR-N-WH").await, ["405", "20", "0", "385"], "nothing is booked yet");

    // Whoever counted does not approve, whatever else they are.
    let both = world.bearer(Identity {
        subject: "walt.warehouse".to_owned(),
        roles: vec!["WAREHOUSE".to_owned(), "ADMIN".to_owned()],
        unit: Some("AUR".to_owned()),
        ..Identity::default()
    });
    both.refused_for("approveStocktake", of(&stocktake), &[("SEPARATION_OF_DUTIES", "R4.1")]).await;
    assert_eq!(walt.fails("approveStocktake", of(&stocktake)).await, "FORBIDDEN");
    let approved = fiona.does("approveStocktake", of(&stocktake)).await["stocktake"].clone();
    assert_eq!(approved["status"], "APPROVED");
    assert_eq!(counts(&world, "LAMP-1", "AUR-N-WH").await, ["395", "20", "0", "375"]);
    assert_eq!(counts(&world, "LAMP-2", "AUR-N-WH").await, ["119", "0", "0", "119"]);
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["12", "0", "0", "12"]);
    fiona.refused_for("approveStocktake", of(&stocktake), &[("ILLEGAL_TRANSITION", "R4.1")]).await;
    // What ended may be counted anew; a rejected count books nothing.
    let again = opened(&world, &["LAMP-1"], false).await;
    assert_eq!(lines(&count(&walt, &again, "LAMP-1", "1").await), ["LAMP-1 395 1 -394 null"]);
    let input = json!({ "stocktakeId": again, "reason": "One shelf only." });
    world.actor(Role::Admin).does("rejectStocktake", input).await;
    assert_eq!(counts(&world, "LAMP-1", "AUR-N-WH").await, ["395", "20", "0", "375"]);
    let listed = asked(&world, "{ stocktakes { nodes { status openedBy { subject } decidedBy { subject } } } }").await;
    assert_eq!(
        listed["stocktakes"]["nodes"],
        json!([
            { "status": "REJECTED", "openedBy": { "subject": "walt.warehouse" }, "decidedBy": { "subject": "ada.admin" } },
            { "status": "APPROVED", "openedBy": { "subject": "walt.warehouse" },
              "decidedBy": { "subject": "fiona.finance" } },
        ])
    );
});

on_both_databases!(small_variances_are_booked_at_once_and_what_turned_up_is_given_out, |world| async move {
    let walt = world.person("walt.warehouse");
    // Twelve screens of cable are nothing: one of 900 too many. And a laser that is waited for turns up.
    let (_, waiting) = world.accepted(&[line("LAMP-2", "121")]).await;
    let stocktake = opened(&world, &["LAMP-2", "CABLE-5"], false).await;
    count(&walt, &stocktake, "LAMP-2", "121").await;
    count(&walt, &stocktake, "CABLE-5", "899").await;
    let finished = walt.does("finishStocktake", of(&stocktake)).await;
    assert_eq!(finished["stocktake"]["status"], "APPROVED");
    assert_eq!(finished["filledAllocations"], json!([{ "id": waiting[0].id }]));
    assert_eq!(counts(&world, "LAMP-2", "AUR-N-WH").await, ["121", "121", "0", "0"]);
    assert_eq!(counts(&world, "CABLE-5", "AUR-N-WH").await, ["899", "0", "0", "899"]);
});

on_both_databases!(what_is_reserved_and_not_there_is_taken_back_from_the_newest, |world| async move {
    let walt = world.person("walt.warehouse");
    let fiona = world.actor(Role::FinanceApprover);
    // Twelve lasers: five are being delivered, four and three are reserved.
    let (_, picked) = world.accepted(&[line("LASER-4", "5")]).await;
    let milestone = world.open_milestones(&picked[0]).await.remove(0).0;
    for step in ["startMilestone", "completeMilestone"] {
        world.operator("AUR-N").does(step, json!({ "milestoneId": milestone })).await;
    }
    let (older, _) = world.accepted(&[line("LASER-4", "4")]).await;
    let (newer, _) = world.accepted(&[line("LASER-4", "3")]).await;
    let stocktake = opened(&world, &["LASER-4"], false).await;
    // Seven are there: three of the newest are not, and two of the one before.
    count(&walt, &stocktake, "LASER-4", "7").await;
    walt.does("finishStocktake", of(&stocktake)).await;
    let before = world.state().await;
    let answer = fiona.act("approveStocktake", of(&stocktake)).await;
    let refusal = answer.data()["approveStocktake"]["userErrors"][0].clone();
    assert_eq!((&refusal["code"], &refusal["clause"]), (&json!("STOCK_RESERVED"), &json!("R4.2")));
    let number = |order: String| {
        let world = world.clone();
        async move { text(&world.order(&order, "number").await["number"]) }
    };
    let (older_number, newer_number) = (number(older.clone()).await, number(newer.clone()).await);
    assert_eq!(
        text(&refusal["message"]),
        format!(
            "LASER-4: 5 of what is reserved or put aside were not found. 7 can be taken back, newest first: \
             {newer_number} has 3, {older_number} has 4."
        )
    );
    assert_eq!(before, world.state().await);
    let input = json!({ "stocktakeId": stocktake, "releaseReservations": true, "reason": "Counted three times." });
    fiona.does("approveStocktake", input).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["7", "7", "0", "0"]);
    let selection = "lines { quantities { reserved } } allocations { reservations { quantity status } \
                     backorders { quantity status } }";
    let share = |reservations: Value, missing: &str| json!([{ "reservations": reservations, "backorders": [{ "quantity": missing, "status": "WAITING" }] }]);
    let found = world.order(&older, selection).await;
    assert_eq!(found["lines"][0]["quantities"]["reserved"], "2");
    assert_eq!(found["allocations"], share(json!([{ "quantity": "2", "status": "ACTIVE" }]), "2"));
    let found = world.order(&newer, selection).await;
    assert_eq!(found["lines"][0]["quantities"]["reserved"], "0");
    assert_eq!(found["allocations"], share(json!([{ "quantity": "3", "status": "RELEASED" }]), "3"));
    // Procurement is told of what is waited for now.
    let requests =
        asked(&world, "{ replenishmentRequests(filter: { statuses: [PROPOSED] }) { nodes { quantity } } }").await;
    assert_eq!(requests["replenishmentRequests"]["nodes"], json!([{ "quantity": "11" }]));

    // What was taken from its place already cannot be taken back: the count is to be repeated.
    let stocktake = opened(&world, &["LASER-4"], false).await;
    count(&walt, &stocktake, "LASER-4", "4").await;
    walt.does("finishStocktake", of(&stocktake)).await;
    let input = json!({ "stocktakeId": stocktake, "releaseReservations": true });
    fiona.refused_for("approveStocktake", input, &[("STOCK_RESERVED", "R4.2")]).await;
    assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["7", "7", "0", "0"]);
});

on_both_databases!(
    /// An approval that takes away what is free and an acceptance that wants it race: whatever comes first, no
    /// more is promised than lies there.
    a_count_and_a_reservation_race,
    |world| async move {
        let walt = world.person("walt.warehouse");
        let fiona = world.actor(Role::FinanceApprover);
        for round in 0..4 {
            let stocktake = opened(&world, &["LASER-4"], false).await;
            let [on_hand, ..] = counts(&world, "LASER-4", "AUR-N-WH").await;
            let less: i64 = on_hand.parse::<i64>().expect("a number") - 2;
            count(&walt, &stocktake, "LASER-4", &less.to_string()).await;
            walt.does("finishStocktake", of(&stocktake)).await;
            let share = world.allocated(&[line("LASER-4", "3")]).await.1.remove(0);
            let input = json!({ "stocktakeId": stocktake, "releaseReservations": true });
            let operator = world.operator("AUR-N");
            let (approved, accepted) =
                join(fiona.act("approveStocktake", input), operator.act("acceptAllocation", share.input())).await;
            assert_eq!(accepted.data()["acceptAllocation"]["userErrors"], json!([]), "round {round}");
            assert_eq!(approved.data()["approveStocktake"]["userErrors"], json!([]), "round {round}");
            assert_eq!(world.violations().await, Vec::<String>::new(), "round {round}");
        }
        // Eight of twelve were lost, twelve are wanted.
        assert_eq!(counts(&world, "LASER-4", "AUR-N-WH").await, ["4", "4", "0", "0"]);
    }
);
