//! `ordergraph verify` finds what is broken: each test breaks a database on purpose, behind the
//! server's back, and mends it again.

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use ordergraph::domain::invariants::Violation;
use ordergraph::store::verify;
use serde_json::json;

use crate::support::story::line;
use crate::support::{World, on_both_databases};

async fn found(world: &Arc<World>) -> Vec<Violation> {
    verify::verify(world.app.store()).await.expect("a report").violations
}

/// The invariants that are broken, with the table and the row of each.
async fn named(world: &Arc<World>) -> Vec<(&'static str, &'static str, String)> {
    let mut named: Vec<_> = found(world)
        .await
        .into_iter()
        .map(|one| {
            assert!(!one.message.is_empty(), "{one:?}");
            (one.invariant, one.table, one.id)
        })
        .collect();
    named.sort();
    named
}

/// An id as the database writes it in a statement, and as people read it.
async fn id_of(world: &Arc<World>, table: &str, condition: &str) -> (String, String) {
    use crate::support::Kind;
    let rows = world.rows(&format!("SELECT id FROM {table} WHERE {condition}")).await;
    assert_eq!(rows.len(), 1, "{table} where {condition}");
    let id: uuid::Uuid = rows[0].try_get_by_index(0).expect("an id");
    let literal = match world.kind {
        Kind::Sqlite => format!("X'{}'", id.simple()),
        Kind::Postgres => format!("'{id}'"),
    };
    (literal, id.to_string())
}

/// The database itself refuses what cannot be; the checks are lifted to see whether `verify` would
/// find it, as in a database that was restored by hand.
async fn lift_checks(world: &Arc<World>, table: &str, impossible: &str) {
    use sea_orm::ConnectionTrait;
    world.tamper_unchecked(false).await;
    assert!(world.db.execute_unprepared(impossible).await.is_err(), "the database allowed it");
    if world.kind == crate::support::Kind::Sqlite {
        world.tamper_unchecked(true).await;
        return;
    }
    let checks = format!("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = '{table}'::regclass");
    for row in world.rows(&checks).await {
        let name: String = row.try_get_by_index(0).expect("a name");
        world.tamper(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}")).await;
    }
}

async fn change(world: &Arc<World>, sql: &str) {
    assert!(world.tamper(sql).await > 0, "nothing changed: {sql}");
}

on_both_databases!(stock_that_does_not_add_up_is_found, |world| async move {
    world.accepted(&[line("LAMP-1", "5")]).await;
    assert_eq!(named(&world).await, []);
    let (item, row) = id_of(&world, "stock_item", "sku = 'LAMP-1' AND reserved > 0").await;
    // Oversold: reserved above what is on hand.
    let oversold = format!("UPDATE stock_item SET reserved = on_hand + 1000 WHERE id = {item}");
    lift_checks(&world, "stock_item", &oversold).await;
    change(&world, &oversold).await;
    assert_eq!(
        named(&world).await,
        [
            ("NEVER_OVERSOLD", "stock_item", row.clone()),
            ("RESERVED_EQUALS_MOVEMENTS", "stock_item", row.clone()),
            ("RESERVED_EQUALS_RESERVATIONS", "stock_item", row.clone()),
            ("STATE_EQUALS_FOLD", "STOCK_ITEM", row.clone()),
        ]
    );
    change(&world, &format!("UPDATE stock_item SET reserved = 5000 WHERE id = {item}")).await;
    // A unit of the stock gone missing without a movement.
    change(&world, &format!("UPDATE stock_item SET on_hand = on_hand - 1000 WHERE id = {item}")).await;
    assert_eq!(
        named(&world).await,
        [("ON_HAND_EQUALS_MOVEMENTS", "stock_item", row.clone()), ("STATE_EQUALS_FOLD", "STOCK_ITEM", row.clone())]
    );
    change(&world, &format!("UPDATE stock_item SET on_hand = on_hand + 1000 WHERE id = {item}")).await;
    // A movement that was never made.
    change(
        &world,
        &format!("UPDATE stock_movement SET reserved_change = 4000 WHERE stock_item_id = {item} AND kind = 'RESERVE'"),
    )
    .await;
    assert_eq!(named(&world).await, [("RESERVED_EQUALS_MOVEMENTS", "stock_item", row)]);
    change(
        &world,
        &format!("UPDATE stock_movement SET reserved_change = 5000 WHERE stock_item_id = {item} AND kind = 'RESERVE'"),
    )
    .await;
    assert_eq!(named(&world).await, []);
});

on_both_databases!(counters_that_nobody_counted_are_found, |world| async move {
    let (_, shares) = world.accepted(&[line("LAMP-1", "5")]).await;
    world.work(&shares[0]).await;
    world.pass(&shares[0]).await;
    assert_eq!(named(&world).await, []);
    let (line_id, line_row) = id_of(&world, "order_line", "sku = 'LAMP-1'").await;
    let (_, order) = id_of(&world, "orders", "status = 'IN_PROGRESS'").await;
    let confirmed = format!("UPDATE order_line SET confirmed = 5000 WHERE id = {line_id}");
    lift_checks(&world, "order_line", &confirmed).await;
    change(&world, &confirmed).await;
    assert_eq!(
        named(&world).await,
        [
            ("CHAIN_OF_COUNTS", "order_line", line_row.clone()),
            ("COMPLETED_WHEN_CONFIRMED", "orders", order.clone()),
            ("LINE_EQUALS_SHARES", "order_line", line_row.clone()),
            ("PARTS_SUM_TO_WHOLE", "order_line", line_row.clone()),
            ("SETTLED_EQUALS_CONFIRMED", "order_line", line_row.clone()),
            ("STATE_EQUALS_FOLD", "ORDER", order.clone()),
        ]
    );
    change(&world, &format!("UPDATE order_line SET confirmed = -1000 WHERE id = {line_id}")).await;
    assert!(named(&world).await.contains(&("NEVER_NEGATIVE", "order_line", line_row.clone())));
    change(&world, &format!("UPDATE order_line SET confirmed = 0 WHERE id = {line_id}")).await;
    // More passed than any inspection accepted.
    let (share_line, share_row) = id_of(&world, "allocation_line", "sku = 'LAMP-1'").await;
    let (_, share) = id_of(&world, "allocation", "status = 'CLEARED'").await;
    let negative = format!("UPDATE allocation_line SET passed = -1000 WHERE id = {share_line}");
    lift_checks(&world, "allocation_line", &negative).await;
    change(&world, &format!("UPDATE allocation_line SET passed = 4000 WHERE id = {share_line}")).await;
    assert_eq!(
        named(&world).await,
        [
            ("LINE_EQUALS_SHARES", "order_line", line_row),
            ("PASSED_ONLY_BY_INSPECTION", "allocation_line", share_row.clone()),
            ("STATE_EQUALS_FOLD", "ALLOCATION", share.clone()),
        ]
    );
    change(&world, &format!("UPDATE allocation_line SET passed = 5000, planned = 1000 WHERE id = {share_line}")).await;
    assert_eq!(
        named(&world).await,
        [("PLANNED_EQUALS_DELIVERIES", "allocation_line", share_row), ("STATE_EQUALS_FOLD", "ALLOCATION", share)]
    );
    change(&world, &format!("UPDATE allocation_line SET planned = 0 WHERE id = {share_line}")).await;
    assert_eq!(named(&world).await, []);
});

on_both_databases!(an_approval_that_does_not_hold_is_found, |world| async move {
    world.approved(&[line("LAMP-1", "5")]).await;
    let (_, order) = id_of(&world, "orders", "status = 'APPROVED'").await;
    let (case, review) = id_of(&world, "review_case", "status = 'APPROVED'").await;
    let (line_id, _) = id_of(&world, "order_line", "sku = 'LAMP-1'").await;
    assert_eq!(named(&world).await, []);
    // More is wanted than was approved.
    change(&world, &format!("UPDATE order_line SET ordered = 6000 WHERE id = {line_id}")).await;
    assert_eq!(
        named(&world).await,
        [("APPROVED_AS_IT_IS", "orders", order.clone()), ("STATE_EQUALS_FOLD", "ORDER", order.clone())]
    );
    change(&world, &format!("UPDATE order_line SET ordered = 5000 WHERE id = {line_id}")).await;
    // Nobody has approved it.
    world.tamper("CREATE TEMPORARY TABLE kept AS SELECT approvals FROM review_case").await;
    change(&world, &format!("UPDATE review_case SET approvals = '[]' WHERE id = {case}")).await;
    assert_eq!(
        named(&world).await,
        [("APPROVED_AT_EVERY_LEVEL", "orders", order), ("STATE_EQUALS_FOLD", "REVIEW_CASE", review)]
    );
    change(&world, &format!("UPDATE review_case SET approvals = (SELECT approvals FROM kept) WHERE id = {case}")).await;
    assert_eq!(named(&world).await, []);
});

on_both_databases!(a_history_with_a_hole_is_found, |world| async move {
    world.under_review(&[line("LAMP-1", "5")]).await;
    let (id, order) = id_of(&world, "orders", "status = 'UNDER_REVIEW'").await;
    // Every event has its place; then the newest one of the order disappears.
    world.settled().await;
    change(&world, &format!("DELETE FROM event WHERE aggregate_id = {id} AND sequence = 2")).await;
    let broken = named(&world).await;
    assert!(broken.contains(&("SEQUENCE_WITHOUT_GAP", "ORDER", order.clone())), "{broken:?}");
    assert!(broken.contains(&("STATE_EQUALS_FOLD", "ORDER", order.clone())), "{broken:?}");
    assert!(broken.iter().any(|one| one.0 == "POSITIONS_WITHOUT_GAP" && one.1 == "event_log"), "{broken:?}");
    // What was deleted cannot be brought back; the rest of this world goes with it.
    for table in ["event", "review_case", "order_line", "orders"] {
        world
            .tamper(&format!(
                "DELETE FROM {table} WHERE {}",
                match table {
                    "event" => format!("order_id = {id}"),
                    "orders" => format!("id = {id}"),
                    _ => format!("order_id = {id}"),
                }
            ))
            .await;
    }
    world.tamper("DELETE FROM event_log WHERE event_id NOT IN (SELECT id FROM event)").await;
    assert_eq!(named(&world).await, []);
});

on_both_databases!(a_history_that_was_rewritten_is_found, |world| async move {
    world.under_review(&[line("LAMP-1", "5")]).await;
    world.settled().await;
    assert_eq!(named(&world).await, []);
    let position = world.number("SELECT MAX(position) FROM event_log").await;
    // Somebody puts the deed on somebody else; the state is as before.
    let of_last = "id = (SELECT event_id FROM event_log ORDER BY position DESC LIMIT 1)";
    let actor = world.rows(&format!("SELECT actor FROM event WHERE {of_last}")).await[0].try_get::<String>("", "actor");
    change(&world, &format!("UPDATE event SET actor = 'scapegoat' WHERE {of_last}")).await;
    assert_eq!(named(&world).await, [("CHAIN_UNBROKEN", "event_log", position.to_string())]);
    let actor = actor.expect("an actor");
    change(&world, &format!("UPDATE event SET actor = '{actor}' WHERE {of_last}")).await;
    assert_eq!(named(&world).await, []);
    // An event is taken out of the order of all events.
    world.tamper(&format!("CREATE TEMPORARY TABLE kept AS SELECT * FROM event_log WHERE position = {position}")).await;
    change(&world, &format!("DELETE FROM event_log WHERE position = {position}")).await;
    assert_eq!(named(&world).await, [("EVERY_EVENT_ONCE", "event_log", String::new())]);
    change(&world, "INSERT INTO event_log SELECT * FROM kept").await;
});

on_both_databases!(a_row_changed_by_hand_is_found, |world| async move {
    world.approved(&[line("LAMP-1", "5")]).await;
    let (id, order) = id_of(&world, "orders", "status = 'APPROVED'").await;
    change(&world, &format!("UPDATE orders SET priority = 'URGENT' WHERE id = {id}")).await;
    assert_eq!(named(&world).await, [("STATE_EQUALS_FOLD", "ORDER", order.clone())]);
    let message = found(&world).await.remove(0).message;
    assert!(message.contains("priority") && message.contains("URGENT"), "{message}");
    change(&world, &format!("UPDATE orders SET priority = 'NORMAL', status = 'COMPLETED' WHERE id = {id}")).await;
    assert_eq!(
        named(&world).await,
        [("COMPLETED_WHEN_CONFIRMED", "orders", order.clone()), ("STATE_EQUALS_FOLD", "ORDER", order.clone())]
    );
    change(&world, &format!("UPDATE orders SET status = 'APPROVED', version = version + 1 WHERE id = {id}")).await;
    assert!(named(&world).await.contains(&("SEQUENCE_WITHOUT_GAP", "ORDER", order)));
    change(&world, &format!("UPDATE orders SET version = version - 1 WHERE id = {id}")).await;
    assert_eq!(named(&world).await, []);
});

on_both_databases!(what_is_held_moved_or_counted_wrongly_is_found, |world| async move {
    let walt = world.person("walt.warehouse");
    let laser = world.stock("LASER-4", "AUR-N-WH").await;
    let hold = json!({ "stockItemId": laser["id"], "quantity": "2", "reason": "A test." });
    walt.does("holdStock", hold).await;
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
    let unit = |code: &str| {
        let all = units["units"].as_array().expect("units");
        all.iter().find(|unit| unit["code"] == code).expect("the unit")["id"].clone()
    };
    let request = json!({ "fromStockItemId": laser["id"], "toWarehouseId": unit("AUR-S-WH"), "quantity": "3" });
    let transfer = world.actor(Role::Procurement).does("requestTransfer", request).await["transfer"]["id"].clone();
    walt.does("dispatchTransfer", json!({ "transferId": transfer })).await;
    let open = json!({ "warehouseId": unit("AUR-N-WH"), "stockItemIds": [laser["id"]] });
    let stocktake = walt.does("openStocktake", open).await["stocktake"]["id"].clone();
    let count = json!({ "stocktakeId": stocktake, "stockItemId": laser["id"], "counted": "2" });
    walt.does("recordCount", count).await;
    walt.does("finishStocktake", json!({ "stocktakeId": stocktake })).await;
    world.actor(Role::FinanceApprover).does("approveStocktake", json!({ "stocktakeId": stocktake })).await;
    assert_eq!(named(&world).await, []);

    let (item, row) = id_of(&world, "stock_item", "quality_hold > 0").await;
    let oversold = format!("UPDATE stock_item SET quality_hold = on_hand + 1000 WHERE id = {item}");
    lift_checks(&world, "stock_item", &oversold).await;
    change(&world, &oversold).await;
    assert_eq!(
        named(&world).await,
        [
            ("HELD_EQUALS_MOVEMENTS", "stock_item", row.clone()),
            ("NEVER_OVERSOLD", "stock_item", row.clone()),
            ("STATE_EQUALS_FOLD", "STOCK_ITEM", row.clone()),
        ]
    );
    change(&world, &format!("UPDATE stock_item SET quality_hold = 2000 WHERE id = {item}")).await;

    let (_, row) = id_of(&world, "stock_transfer", "status = 'DISPATCHED'").await;
    change(&world, "UPDATE stock_transfer SET received = quantity").await;
    assert_eq!(
        named(&world).await,
        [
            ("RECEIVED_WHEN_ALL_ARRIVED", "stock_transfer", row.clone()),
            ("STATE_EQUALS_FOLD", "STOCK_TRANSFER", row.clone()),
            ("TRANSFER_EQUALS_MOVEMENTS", "stock_transfer", row),
        ]
    );
    change(&world, "UPDATE stock_transfer SET received = 0").await;

    let (_, row) = id_of(&world, "stocktake", "status = 'APPROVED'").await;
    change(&world, "UPDATE stocktake SET decided_by = 'walt.warehouse'").await;
    change(&world, "UPDATE stocktake_line SET open = (1 = 1)").await;
    assert_eq!(
        named(&world).await,
        [
            ("COUNTED_ONCE_AT_A_TIME", "stocktake", row.clone()),
            ("FOUR_EYES_ON_COUNTS", "stocktake", row.clone()),
            ("STATE_EQUALS_FOLD", "STOCKTAKE", row),
        ]
    );
    change(&world, "UPDATE stocktake SET decided_by = 'fiona.finance'").await;
    change(&world, "UPDATE stocktake_line SET open = (1 = 0)").await;
    assert_eq!(named(&world).await, []);
});
