//! Orders handed in as files (R1.2, R1.4, R1.5).

use std::sync::Arc;

use ordergraph::domain::actor::Role;
use serde_json::{Value, json};

use crate::support::files::{counts, faults};
use crate::support::{World, on_both_databases};

const HEADERS: &str = "channel,externalReference,customerNumber,companyName,contactName,phone,currencyCode,requiredWithinDays,street,city,countryCode,sku,quantity";

fn row(reference: &str, sku: &str, quantity: &str) -> String {
    format!("OFFLINE_SALES,{reference},C-2001,Lantern Ltd,Li,123,CNY,14,1 Lantern Road,Hangzhou,CN,{sku},{quantity}")
}

fn file(rows: &[String]) -> String {
    format!("{HEADERS}\r\n{}\r\n", rows.join("\r\n"))
}

async fn orders(world: &Arc<World>) -> i64 {
    world.number("SELECT COUNT(*) FROM orders").await
}

async fn order_by(world: &Arc<World>, channel: &str, reference: &str, fields: &str) -> Value {
    let document = format!(
        "query {{ order(by: {{ externalReference: {{ channel: {channel}, reference: \"{reference}\" }} }}) {{ {fields} }} }}"
    );
    world.actor(Role::Supervisor).data(&document, json!({})).await["order"].clone()
}

fn fault(row: i64, column: &str, code: &str) -> (i64, String, String) {
    (row, column.to_owned(), code.to_owned())
}

on_both_databases!(rows_of_one_order_become_its_lines_wherever_they_stand, |world| async move {
    let sales = world.actor(Role::Sales);
    let rows = [row("A-1", "LAMP-1", "2"), row("A-2", "LAMP-1", "1"), row("A-1", "LASER-4", "1.5")];
    let import = sales.imported("format=csv&fileName=orders.csv", file(&rows), "REJECT_FAILED_ROWS").await;
    assert_eq!((import["status"].as_str(), counts(&import)), (Some("COMPLETED"), [3, 2, 2, 2, 0, 0, 0]));
    assert_eq!(import["layout"], "STANDARD");
    let found =
        order_by(&world, "OFFLINE_SALES", "A-1", "status submittedBy { subject } lines { sku quantities { ordered } }")
            .await;
    assert_eq!(
        found,
        json!({
            "status": "SUBMITTED",
            "submittedBy": { "subject": "sam.sales" },
            "lines": [
                { "sku": "LAMP-1", "quantities": { "ordered": "2" } },
                { "sku": "LASER-4", "quantities": { "ordered": "1.5" } },
            ],
        })
    );
    // The same again is known, whatever it is written in; something else under the same number is refused.
    let changed = [row("A-1", "LAMP-1", "2"), row("A-1", "LASER-4", "1.5"), row("A-2", "LAMP-1", "9")];
    let again = sales.imported("format=csv", file(&changed).replace(',', ";"), "REJECT_FAILED_ROWS").await;
    assert_eq!((again["status"].as_str(), counts(&again)), (Some("COMPLETED_WITH_FAULTS"), [3, 2, 2, 0, 1, 1, 1]));
    assert_eq!(faults(&again), [fault(4, "externalReference", "EXTERNAL_REFERENCE_CONFLICT")]);
    assert_eq!(orders(&world).await, 2);
    assert_eq!(world.number("SELECT COUNT(*) FROM import_piece").await, 0, "files are not kept for longer");
});

on_both_databases!(each_policy_does_what_it_says_with_a_bad_row, |world| async move {
    let sales = world.actor(Role::Sales);
    let rows = |name: &str| {
        [
            row(&format!("{name}-1"), "LAMP-1", "2"),
            row(&format!("{name}-2"), "NONE-1", "1e3"),
            row(&format!("{name}-3"), "LAMP-1", "0"),
        ]
    };
    let expected = [fault(3, "quantity", "BAD_USER_INPUT"), fault(4, "quantity", "QUANTITY_NOT_POSITIVE")];

    let all = sales.imported("format=csv", file(&rows("all")), "REJECT_EVERYTHING").await;
    assert_eq!((all["status"].as_str(), counts(&all)), (Some("REJECTED"), [3, 3, 3, 0, 0, 2, 2]));
    assert_eq!(faults(&all), expected);
    assert_eq!(orders(&world).await, 0, "nothing is taken");

    let some = sales.imported("format=csv", file(&rows("some")), "REJECT_FAILED_ROWS").await;
    assert_eq!((some["status"].as_str(), counts(&some)), (Some("COMPLETED_WITH_FAULTS"), [3, 3, 3, 1, 0, 2, 2]));
    assert_eq!(faults(&some), expected);

    let skip = sales.imported("format=csv", file(&rows("skip")), "IGNORE_FAILED").await;
    assert_eq!((skip["status"].as_str(), counts(&skip)), (Some("COMPLETED"), [3, 3, 3, 1, 0, 2, 2]));
    assert_eq!(orders(&world).await, 2);

    let good = [row("all-1", "LAMP-1", "2"), row("all-9", "LAMP-1", "1")];
    let all = sales.imported("format=csv", file(&good), "REJECT_EVERYTHING").await;
    assert_eq!((all["status"].as_str(), counts(&all)), (Some("COMPLETED"), [2, 2, 2, 2, 0, 0, 0]));
    assert_eq!(orders(&world).await, 4);
});

on_both_databases!(a_dry_run_finds_everything_and_takes_nothing, |world| async move {
    let sales = world.actor(Role::Sales);
    let rows = [row("A-1", "LAMP-1", "2"), row("A-2", "NONE-1", "1")];
    let id = sales.uploaded("format=csv", file(&rows)).await;
    sales.does("importOrders", json!({ "importBatchId": id, "dryRun": true })).await;
    let checked = sales.import_at_rest(&id).await;
    assert_eq!((checked["status"].as_str(), counts(&checked)), (Some("CHECKED"), [2, 2, 2, 1, 0, 1, 1]));
    assert_eq!(faults(&checked), [fault(3, "sku", "UNKNOWN_SKU")]);
    assert_eq!(orders(&world).await, 0);
    // The same file is then taken for good; an older view of it is not acted on.
    let stale = json!({ "importBatchId": id, "expectedVersion": 1 });
    assert_eq!(sales.fails("importOrders", stale).await, "VERSION_CONFLICT");
    sales.does("importOrders", json!({ "importBatchId": id, "expectedVersion": checked["version"] })).await;
    let taken = sales.import_at_rest(&id).await;
    assert_eq!((taken["status"].as_str(), counts(&taken)), (Some("COMPLETED_WITH_FAULTS"), [2, 2, 2, 1, 0, 1, 1]));
    assert_eq!(taken["faults"]["totalCount"], 1, "faults are not listed twice");
    let again = json!({ "importBatchId": id });
    sales.refused_for("importOrders", again.clone(), &[("ILLEGAL_TRANSITION", "R1.2")]).await;
    sales.refused_for("cancelImport", again, &[("ILLEGAL_TRANSITION", "R1.2")]).await;
});

on_both_databases!(lines_of_json_are_one_order_each, |world| async move {
    let sales = world.actor(Role::Sales);
    let order = |reference: &str, line: Value| {
        json!({
            "channel": "OFFLINE_SALES", "externalReference": reference, "customerNumber": "C-2001", "region": "NORTH",
            "currencyCode": "CNY", "requiredWithinDays": 9, "contact": {},
            "deliveryAddress": { "street": "1 Road", "city": "Wuhan", "countryCode": "CN" }, "lines": [line],
        })
        .to_string()
    };
    let lamp = json!({ "sku": "LAMP-1", "quantity": "1" });
    let lines = [
        order("J-1", lamp.clone()),
        String::new(),
        order("J-1", lamp.clone()),
        order("J-1", json!({ "sku": "LAMP-1", "quantity": "2" })),
        order("J-2", json!({ "sku": "LAMP-1", "quantity": 2 })),
        order("J-3", json!({ "sku": "NONE", "quantity": "x" })),
        order("J-4", json!({ "sku": "NONE", "quantity": "1" })),
        "no order".to_owned(),
    ];
    for (dry, status) in [(true, "CHECKED"), (false, "COMPLETED_WITH_FAULTS")] {
        let id = sales.uploaded("format=jsonl", lines.join("\n")).await;
        sales.does("importOrders", json!({ "importBatchId": id, "dryRun": dry })).await;
        let import = sales.import_at_rest(&id).await;
        assert_eq!((import["status"].as_str(), counts(&import)), (Some(status), [7, 7, 7, 1, 1, 5, 5]), "{import}");
        let expected = [
            fault(4, "externalReference", "EXTERNAL_REFERENCE_CONFLICT"),
            fault(5, "", "MALFORMED"),
            fault(6, "lines.0.quantity", "BAD_USER_INPUT"),
            fault(7, "lines.0.sku", "UNKNOWN_SKU"),
            fault(8, "", "MALFORMED"),
        ];
        assert_eq!(faults(&import), expected);
    }
});

on_both_databases!(bad_rows_come_back_with_what_is_wrong_and_can_be_sent_again, |world| async move {
    let sales = world.actor(Role::Sales);
    let rows =
        [row("A-1", "LAMP-1", "2"), row("B-1", "NONE-1", "1"), row("B-1", "LAMP-1", "3"), row("+C", "LAMP-1", "=1+1")];
    let import = sales.imported("format=csv", file(&rows), "REJECT_FAILED_ROWS").await;
    let url = import["faultsUrl"].as_str().expect("an address");
    let fetched = sales.fetch(url).await;
    assert_eq!((fetched.status, fetched.kind.as_str()), (200, "text/csv; charset=utf-8"));
    let text = fetched.text();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').trim_end().split("\r\n").collect();
    assert_eq!(lines[0], format!("{HEADERS},faults"));
    assert_eq!(lines[1], format!("{},row 3: UNKNOWN_SKU sku: No product has this SKU.", row("B-1", "NONE-1", "1")));
    assert_eq!(lines[2], format!("{},row 4: another row of the same order is bad", row("B-1", "LAMP-1", "3")));
    assert!(lines[3].contains(",'+C,") && lines[3].contains(",'=1+1,"), "no cell begins a formula: {}", lines[3]);
    assert_eq!(lines.len(), 4);
    // Corrected and sent again, with the column of faults still in it.
    let corrected = text.replace("NONE-1", "LAMP-1").replace("'=1+1", "2");
    let again = sales.imported("format=csv", corrected, "REJECT_FAILED_ROWS").await;
    assert_eq!((again["status"].as_str(), counts(&again)), (Some("COMPLETED"), [3, 2, 2, 2, 0, 0, 0]));
    assert_eq!(order_by(&world, "OFFLINE_SALES", "+C", "status").await["status"], "SUBMITTED");

    let partner = world.actor(Role::Partner);
    assert_eq!(partner.fetch(url).await.status, 404, "it does not exist for others");
    assert_eq!(world.actor(Role::Warehouse).fetch(url).await.status, 403);
    assert_eq!(world.anonymous().fetch(url).await.status, 401);
});

on_both_databases!(files_that_cannot_be_read_fail_as_a_whole, |world| async move {
    let sales = world.actor(Role::Sales);
    for (query, bytes, reason) in [
        ("format=csv", b"colour,quantity\r\nred,1\r\n".to_vec(), "No column is called \"colour\""),
        ("format=csv", b"externalReference\r\nA\r\n".to_vec(), "There is no column quantity."),
        ("format=csv", b"externalReference,quantity,orderNumber\r\nA,1,B\r\n".to_vec(), "comes twice"),
        ("format=xlsx", b"externalReference,quantity\r\nA,1\r\n".to_vec(), "is no spreadsheet"),
    ] {
        let import = sales.imported(query, bytes, "IGNORE_FAILED").await;
        assert_eq!(import["status"], "FAILED", "{import}");
        assert!(import["reason"].as_str().expect("a reason").contains(reason), "{import}");
    }
    assert_eq!(sales.upload("format=csv", Vec::new()).await.status, 422);
    assert_eq!(sales.upload("format=pdf", b"x".to_vec()).await.status, 400);
    assert_eq!(sales.upload("format=csv&colour=red", b"x".to_vec()).await.status, 400);
    assert_eq!(orders(&world).await, 0);
});

on_both_databases!(partners_import_over_their_own_account_and_see_only_their_own, |world| async move {
    let (partner, sales) = (world.actor(Role::Partner), world.actor(Role::Sales));
    let own = file(&[row("P-1", "LAMP-1", "1").replace("OFFLINE_SALES", "E_COMMERCE"), row("P-2", "LAMP-1", "1")]);
    let import = partner.imported("format=csv", own, "REJECT_FAILED_ROWS").await;
    assert_eq!(counts(&import), [2, 2, 2, 1, 0, 1, 1]);
    assert_eq!(faults(&import), [fault(3, "channel", "CHANNEL_NOT_ALLOWED")]);
    assert_eq!(order_by(&world, "E_COMMERCE", "P-1", "account").await["account"], "lumen-shop");
    let theirs = sales.uploaded("format=csv", file(&[row("S-1", "LAMP-1", "1")])).await;
    assert_eq!(partner.import(&theirs).await, Value::Null);
    assert_eq!(partner.fails("importOrders", json!({ "importBatchId": theirs })).await, "NOT_FOUND");
    let list = "{ importBatches(first: 10) { totalCount nodes { id } } }";
    assert_eq!(partner.data(list, json!({})).await["importBatches"]["totalCount"], 1);
    assert_eq!(world.actor(Role::Supervisor).data(list, json!({})).await["importBatches"]["totalCount"], 2);
    // Staff take over a shop's file on its account, as the shop's own system would have handed it in.
    let shop = file(&[
        row("P-1", "LAMP-1", "1").replace("OFFLINE_SALES", "E_COMMERCE"),
        row("P-3", "LAMP-1", "1").replace("OFFLINE_SALES", "E_COMMERCE"),
    ]);
    let taken = sales.imported("format=csv&account=lumen-shop", shop, "REJECT_FAILED_ROWS").await;
    assert_eq!(counts(&taken), [2, 2, 2, 1, 1, 0, 0]);
    assert_eq!(partner.upload("format=csv&account=other", b"x".to_vec()).await.status, 422);
    assert_eq!(sales.upload("format=csv&historical=true", b"x".to_vec()).await.status, 422);
    assert_eq!(world.actor(Role::Supervisor).upload("format=csv", b"x".to_vec()).await.status, 403);
});

on_both_databases!(progress_is_followed_live, |world| async move {
    let sales = world.actor(Role::Sales);
    let rows: Vec<String> = (0..600).map(|number| row(&format!("N-{number}"), "LAMP-1", "1")).collect();
    let id = sales.uploaded("format=csv", file(&rows)).await;
    let document = "subscription($ids: [ID!]) { importProgress(importBatchIds: $ids) { event { kind } importBatch { status counts { handled taken } } } }";
    let mut followed = world.actor(Role::Supervisor).subscribe(document, json!({ "ids": [id] })).await;
    sales.does("importOrders", json!({ "importBatchId": id })).await;
    let seen = followed.until(|message| message["importProgress"]["importBatch"]["status"] == "COMPLETED").await;
    let last = seen.last().expect("a message");
    assert_eq!(last["importProgress"]["importBatch"]["counts"], json!({ "handled": 600, "taken": 600 }));
    assert_eq!(orders(&world).await, 600);
    // Each order is an event of its own, for those who follow orders.
    assert_eq!(world.number("SELECT COUNT(*) FROM event WHERE kind = 'ORDER_SUBMITTED'").await, 600);
});

on_both_databases!(an_import_is_stopped_and_what_was_taken_stays, |world| async move {
    let sales = world.actor(Role::Sales);
    let id = sales.uploaded("format=csv", file(&[row("A-1", "LAMP-1", "1")])).await;
    sales.does("cancelImport", json!({ "importBatchId": id, "reason": "The wrong file." })).await;
    let import = sales.import(&id).await;
    assert_eq!((import["status"].as_str(), import["reason"].as_str()), (Some("CANCELLED"), Some("The wrong file.")));
    assert_eq!(world.number("SELECT COUNT(*) FROM import_piece").await, 0);
    sales.refused_for("importOrders", json!({ "importBatchId": id }), &[("ILLEGAL_TRANSITION", "R1.2")]).await;
    assert_eq!(orders(&world).await, 0);
});
