//! How PostgreSQL finds what lists are narrowed and sorted by: with an index, whatever is given.

use ordergraph::domain::actor::Role;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::node::Making;
use crate::support::story::line;
use crate::support::wire::Wire;
use crate::support::{Kind, World, within_as};

/// So many rows of each table that no plan reads all of them for nothing.
const ROWS: u32 = 20_000;

/// Rows like those that are there, spread over two years.
async fn fill(world: &World) {
    let copies = [
        (
            "orders",
            "gen_random_uuid() AS id, 'N' || n AS number, NULL AS external_reference, \
             'n' || n || E'\\ncompany ' || n AS search, now() - n * interval '50 minutes' AS submitted_at, \
             current_date - n % 700 AS required_by, \
             (ARRAY['E_COMMERCE', 'OFFLINE_SALES', 'PARTNER_REFERRAL'])[1 + n % 3] AS channel, \
             (ARRAY['COMPLETED', 'IN_PROGRESS', 'CANCELLED', 'APPROVED'])[1 + n % 4] AS status, \
             (ARRAY['COMPLETED', 'EXECUTION', 'ENDED', 'ALLOCATION'])[1 + n % 4] AS stage, \
             (ARRAY['NORTH', 'SOUTH', 'EAST', 'WEST', 'CENTRE'])[1 + n % 5] AS region, \
             md5((n % 500)::text)::uuid AS customer_id",
        ),
        (
            "allocation",
            "md5('share ' || n)::uuid AS id, md5((n / 2)::text)::uuid AS order_id, \
             md5((n % 40)::text)::uuid AS unit_id, now() - n * interval '50 minutes' AS assigned_at",
        ),
        (
            "delivery",
            "gen_random_uuid() AS id, 'D' || n AS number, md5((n / 2)::text)::uuid AS order_id, \
             now() - n * interval '50 minutes' AS planned_at",
        ),
        (
            "ticket",
            "gen_random_uuid() AS id, 'T' || n AS number, md5((n / 2)::text)::uuid AS order_id, \
             md5((n % 40)::text)::uuid AS team_id, now() - n * interval '50 minutes' AS opened_at",
        ),
        (
            "review_case",
            "gen_random_uuid() AS id, gen_random_uuid() AS order_id, 'APPROVED' AS status, \
             (ARRAY['rita.reviewer', 'fiona.finance', NULL])[1 + n % 3] AS owner, NULL AS awaited_level, \
             now() - n * interval '50 minutes' AS waiting_since",
        ),
        (
            "stock_item",
            "gen_random_uuid() AS id, md5(n::text)::uuid AS product_id, 'S' || n AS sku, \
             md5((n % 40)::text)::uuid AS warehouse_id",
        ),
        (
            "stock_transfer",
            "gen_random_uuid() AS id, md5((n % 40)::text)::uuid AS from_warehouse_id, \
             md5((n % 41)::text)::uuid AS to_warehouse_id, md5(n::text)::uuid AS to_item_id, \
             (ARRAY['RECEIVED', 'CANCELLED', 'DISPATCHED', 'REQUESTED'])[1 + n % 4] AS status, \
             now() - n * interval '50 minutes' AS requested_at",
        ),
        (
            "stocktake",
            "gen_random_uuid() AS id, md5((n % 40)::text)::uuid AS warehouse_id, \
             (ARRAY['APPROVED', 'REJECTED', 'OPEN', 'COUNTED'])[1 + n % 4] AS status, \
             now() - n * interval '50 minutes' AS opened_at",
        ),
        (
            "stocktake_line",
            "gen_random_uuid() AS id, md5((n / 5)::text)::uuid AS stocktake_id, md5(n::text)::uuid AS stock_item_id",
        ),
        (
            "replenishment_request",
            "gen_random_uuid() AS id, md5(n::text)::uuid AS stock_item_id, \
             (ARRAY['RECEIVED', 'REJECTED', 'ORDERED', 'PROPOSED'])[1 + n % 4] AS status, \
             now() - n * interval '50 minutes' AS requested_at",
        ),
        (
            "backorder",
            "gen_random_uuid() AS id, md5('share ' || n)::uuid AS allocation_id, md5(n::text)::uuid AS stock_item_id, \
             now() - n * interval '50 minutes' AS created_at",
        ),
        (
            "stock_movement",
            "gen_random_uuid() AS id, md5((n % 4000)::text)::uuid AS stock_item_id, \
             now() - n * interval '50 minutes' AS moved_at",
        ),
        (
            "channel_delivery",
            "gen_random_uuid() AS id, md5((n % 40)::text)::uuid AS channel_id, 'R' || n AS recognized_by, \
             now() - n * interval '50 minutes' AS received_at, now() AS processed_at, 'E' || n AS reference, \
             md5((n / 2)::text)::uuid AS order_id, (ARRAY['TAKEN_IN', 'UNCHANGED', 'AMENDED', 'FAILED'])[1 + n % 4] AS outcome",
        ),
        ("customer", "gen_random_uuid() AS id, 'C' || n AS number"),
        ("product", "gen_random_uuid() AS id, 'P' || n AS sku, 'Category ' || n % 50 AS category"),
    ];
    for (table, new) in copies {
        let row = format!(
            "SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(one) || to_jsonb(new))).* \
             FROM (SELECT * FROM {table} LIMIT 1) AS one"
        );
        let sql =
            format!("INSERT INTO {table} {row}, LATERAL (SELECT {new} FROM generate_series(1, {ROWS}) AS n) AS new");
        assert_eq!(world.tamper(&sql).await, u64::from(ROWS), "{table}");
        world.tamper(&format!("VACUUM ANALYZE {table}")).await;
    }
}

/// A transfer, a stocktake, somebody who waits, and a request: something of each to copy.
async fn stock_operations(world: &std::sync::Arc<World>) {
    world.accepted(&[line("LASER-4", "14")]).await;
    let walt = world.person("walt.warehouse");
    let item = world.stock("LAMP-1", "AUR-N-WH").await["id"].clone();
    let units = world.actor(Role::Supervisor).data("{ units { id code } }", json!({})).await;
    let unit = |code: &str| {
        let all = units["units"].as_array().expect("units");
        all.iter().find(|unit| unit["code"] == code).expect("the unit")["id"].clone()
    };
    let request = json!({ "fromStockItemId": item, "toWarehouseId": unit("AUR-S-WH"), "quantity": "1" });
    world.actor(Role::Procurement).does("requestTransfer", request).await;
    let open = json!({ "warehouseId": unit("AUR-N-WH"), "stockItemIds": [item] });
    let stocktake = walt.does("openStocktake", open).await["stocktake"]["id"].clone();
    // Ended, so that its line can be copied: an item is under one count at a time.
    let reject = json!({ "stocktakeId": stocktake, "reason": "A test." });
    world.actor(Role::Admin).does("rejectStocktake", reject).await;
}

/// A list, what it is narrowed or sorted by, and the page.
fn questions(unit: &str) -> Vec<String> {
    let page = "nodes { id } pageInfo { endCursor hasNextPage }";
    let id = "T3JkZXI6MDAwMDAwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDA";
    let mut questions = Vec::new();
    let orders = [
        "statuses: [COMPLETED]",
        "statuses: [COMPLETED, CANCELLED]",
        "stages: [EXECUTION]",
        &format!("unitIds: [\"{unit}\"]"),
        "channels: [E_COMMERCE]",
        "regions: [\"NORTH\"]",
        "submittedFrom: \"2026-01-01T00:00:00Z\"",
        "submittedBefore: \"2026-01-01T00:00:00Z\"",
        "overdue: true",
        "overdue: false",
        "text: \"company 77\"",
        "text: \"company 77\", statuses: [COMPLETED], regions: [\"NORTH\", \"EAST\"], channels: [E_COMMERCE]",
    ];
    for filter in orders {
        questions.push(format!("orders(first: 20, filter: {{ {filter} }}) {{ {page} }}"));
    }
    for field in ["SUBMITTED_AT", "REQUIRED_BY", "NUMBER"] {
        for direction in ["ASCENDING", "DESCENDING"] {
            for bound in ["first: 20", "last: 20"] {
                questions
                    .push(format!("orders({bound}, sort: {{ field: {field}, direction: {direction} }}) {{ {page} }}"));
            }
        }
    }
    questions.push(format!("orders(first: 20, filter: {{ text: \"company 77\" }}) {{ totalCount {page} }}"));
    questions.push(format!(
        "order(by: {{ id: \"{id}\" }}) {{ lines {{ product {{ sku }} }} allocations {{ status unit {{ code }} \
         lines {{ quantity }} milestones {{ code }} inspections {{ attempt }} }} deliveries {{ number lines {{ quantity }} \
         trackingEvents {{ kind }} }} tickets {{ number }} settlement {{ quantity }} timeline(first: 30) {{ {page} }} }}"
    ));
    questions.push("order(by: { number: \"N7\" }) { lines { sku } customer { number } review { status } }".to_owned());
    for (list, filters) in [
        (
            "allocations",
            vec![
                String::new(),
                "escalated: true".to_owned(),
                "escalated: false".to_owned(),
                format!("orderId: \"{id}\""),
                format!("unitIds: [\"{unit}\"]"),
            ],
        ),
        ("deliveries", vec![String::new(), format!("orderId: \"{id}\"")]),
        ("tickets", vec![String::new(), format!("orderId: \"{id}\""), format!("teamIds: [\"{unit}\"]")]),
        ("stockItems", vec![String::new(), "skus: [\"S77\"]".to_owned(), format!("warehouseIds: [\"{unit}\"]")]),
    ] {
        for filter in filters {
            questions.push(format!("{list}(first: 20, filter: {{ {filter} }}) {{ {page} }}"));
        }
    }
    let channel = "U2FsZXNDaGFubmVsOjAwMDAwMDAwMDAwMDcwMDA4MDAwMDAwMDAwMDAwMDAw";
    for filter in [
        String::new(),
        format!("channelId: \"{channel}\""),
        format!("channelId: \"{channel}\", outcomes: [FAILED]"),
        "outcomes: [FAILED, NEEDS_ATTENTION]".to_owned(),
        "reference: \"E77\"".to_owned(),
        format!("orderId: \"{id}\""),
        "receivedFrom: \"2026-01-01T00:00:00Z\"".to_owned(),
    ] {
        questions.push(format!("channelDeliveries(first: 20, filter: {{ {filter} }}) {{ {page} }}"));
    }
    questions
        .push("salesChannels(first: 5) { nodes { health { lastReceivedAt failed waiting lagSeconds } } }".to_owned());
    questions.push(format!(
        "order(by: {{ externalReference: {{ channel: E_COMMERCE, account: \"shop\", reference: \"E77\" }} }}) \
         {{ id channelOrder {{ faults {{ code }} }} }} customers(first: 20) {{ {page} }}"
    ));
    questions.push(format!(
        "unallocatableOrders(first: 20) {{ {} }}",
        "nodes { since decisions { kind } } pageInfo { endCursor }"
    ));
    let entries = "nodes { order { id } owner { subject } } pageInfo { endCursor hasNextPage }";
    for narrowed in [
        "first: 20",
        "last: 20, sort: PRIORITY",
        "first: 20, filter: { mine: true }",
        "first: 20, filter: { taken: false, awaitedLevel: 1 }",
        "first: 20, filter: { amountFrom: \"100\", statuses: [UNDER_REVIEW] }",
        "first: 20, filter: { waitingBefore: \"2026-01-01T00:00:00Z\" }",
    ] {
        questions.push(format!("reviewQueue({narrowed}) {{ totalCount {entries} }}"));
    }
    for (list, filters) in [
        (
            "stockTransfers",
            vec![
                String::new(),
                "statuses: [DISPATCHED]".to_owned(),
                format!("fromWarehouseIds: [\"{unit}\"]"),
                format!("toWarehouseIds: [\"{unit}\"]"),
            ],
        ),
        ("stocktakes", vec![String::new(), "statuses: [OPEN]".to_owned(), format!("warehouseIds: [\"{unit}\"]")]),
        ("replenishmentRequests", vec![String::new(), "statuses: [PROPOSED]".to_owned()]),
        ("backorders", vec![String::new(), format!("warehouseIds: [\"{unit}\"]"), format!("orderId: \"{id}\"")]),
    ] {
        for filter in filters {
            questions.push(format!("{list}(first: 20, filter: {{ {filter} }}) {{ {page} }}"));
        }
    }
    let sums = "nodes { sku } pageInfo { endCursor hasNextPage }";
    questions.push(format!("productStock(first: 20) {{ {sums} }}"));
    questions.push(format!("productStock(first: 20, filter: {{ skus: [\"S77\"] }}) {{ {sums} }}"));
    questions.push(format!("productStock(first: 20, filter: {{ warehouseIds: [\"{unit}\"] }}) {{ {sums} }}"));
    let time = "from: \"2026-01-01T00:00:00Z\", to: \"2026-02-01T00:00:00Z\"";
    questions.push(format!("inventoryReport(first: 20, {time}) {{ nodes {{ turnover }} pageInfo {{ endCursor }} }}"));
    questions.push(format!("customers(first: 20) {{ {page} }}"));
    questions.push(format!("products(first: 20) {{ {page} }}"));
    questions.push(format!("products(first: 20, category: \"Category 7\") {{ {page} }}"));
    questions
}

/// A session with the settings of the server's own.
async fn session(world: &World) -> DatabaseConnection {
    let options = ConnectOptions::new(world.url()).max_connections(1).sqlx_logging(false).to_owned();
    let session = Database::connect(options).await.expect("a session");
    for setting in ["plan_cache_mode = force_generic_plan", "random_page_cost = 1.1", "jit = off"] {
        session.execute_unprepared(&format!("SET {setting}")).await.expect(setting);
    }
    session
}

/// The plan that serves every value of the parameters, as the server's sessions choose it.
async fn plan(session: &DatabaseConnection, sql: &str) -> String {
    let count = (1..100).take_while(|number| sql.contains(&format!("${number}"))).count();
    let nulls = vec!["NULL"; count].join(", ");
    let call = if count == 0 { "asked".to_owned() } else { format!("asked({nulls})") };
    session.execute_unprepared(&format!("PREPARE asked AS {sql}")).await.expect(sql);
    let explain = Statement::from_string(DbBackend::Postgres, format!("EXPLAIN EXECUTE {call}"));
    let rows = session.query_all_raw(explain).await.expect(sql);
    session.execute_unprepared("DEALLOCATE asked").await.expect("prepared");
    rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a line") + "\n").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_and_sort_finds_an_index() {
    let wire = &Wire::start().await;
    let through = |making: Making| Making { url: wire.before(&making.url), ..making };
    within_as(Kind::Postgres, through, |world| async move {
        let order = world.approved(&[line("LAMP-1", "1")]).await;
        let share = world.allocate(&order).await.remove(0);
        world.operator(&share.unit).does("acceptAllocation", share.input()).await;
        world.work(&share).await;
        world.pass(&share).await;
        let delivery = world.booked(&share, Some("EXPRESS")).await;
        world.arrive(&delivery).await;
        let problem = json!({ "orderId": order, "type": "OTHER", "subject": "x", "description": "y" });
        world.actor(Role::Sales).does("openTicket", problem).await;
        stock_operations(&world).await;
        let supervisor = world.actor(Role::Supervisor);
        let units = supervisor.data("{ units { id code } }", json!({})).await;
        let unit = units["units"][0]["id"].as_str().expect("an id").to_owned();
        let shop = world.shop("SHOPIFY", "planned", json!({})).await;
        shop.outcome("orders/create", "w-1", "{}").await;
        fill(&world).await;
        let session = session(&world).await;

        let mut bad: Vec<String> = Vec::new();
        let mut looked_at = 0;
        for question in questions(&unit) {
            let asked: (Value, Vec<String>) =
                wire.during(supervisor.data(&format!("{{ {question} }}"), json!({}))).await;
            for sql in asked.1 {
                let plan = plan(&session, &sql).await;
                looked_at += 1;
                let tables = [
                    "orders",
                    "review_case",
                    "allocation",
                    "delivery",
                    "ticket",
                    "stock_item",
                    "customer",
                    "product",
                    "channel_delivery",
                ];
                if tables.iter().any(|table| plan.contains(&format!("Seq Scan on {table} "))) {
                    bad.push(format!("{question}\n{sql}\n{plan}"));
                }
            }
        }
        assert!(looked_at > 40, "{looked_at} statements");
        assert!(bad.is_empty(), "{} read whole tables:\n{}", bad.len(), bad.join("\n\n"));
    })
    .await;
}
