//! Rows of events as a writer leaves them, within a transaction that the test holds open.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement};
use uuid::Uuid;

/// Writes an event about this order, as a command does: the row, and that it waits for a position.
/// Gives its number.
pub async fn event(tx: &DatabaseTransaction, order: Uuid) -> i64 {
    // Like the order's first event, but of a thing of its own, so that its sequence is right.
    let insert = Statement::from_sql_and_values(
        tx.get_database_backend(),
        "INSERT INTO event (aggregate_kind, aggregate_id, sequence, kind, action, order_id, customer_id, account, \
         unit_id, public, actor, request_id, occurred_at, note, changes) \
         SELECT 'TICKET', $1, 1, kind, action, order_id, customer_id, account, unit_id, public, actor, request_id, \
         occurred_at, note, changes FROM event WHERE order_id = $2 AND sequence = 1 AND aggregate_kind = 'ORDER' \
         RETURNING id",
        [Uuid::now_v7().into(), order.into()],
    );
    let row = tx.query_one_raw(insert).await.expect("inserted").expect("the order has a first event");
    let id: i64 = row.try_get_by_index(0).expect("a number");
    tx.execute_unprepared(&format!("INSERT INTO event_waiting (event_id) VALUES ({id})")).await.expect("it waits");
    id
}

/// Writes so many events about this order at once, each with a change of so many bytes. On SQLite
/// they have their positions; their links in the chain of hashes are none.
pub async fn many(db: &DatabaseConnection, order: Uuid, count: usize, bytes: usize) {
    const COLUMNS: &str = "aggregate_kind, aggregate_id, sequence, kind, action, order_id, customer_id, account, \
                           unit_id, public, actor, request_id, occurred_at, note, changes";
    const COPIED: &str = "1, kind, action, order_id, customer_id, account, unit_id, public, actor, request_id, \
                          occurred_at, note";
    const FIRST: &str = "order_id = $1 AND sequence = 1 AND aggregate_kind = 'ORDER'";
    let run = |sql: String| async move {
        let values = if sql.contains("$1") { vec![order.into()] } else { Vec::new() };
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), &sql, values)).await.expect(&sql);
    };
    match db.get_database_backend() {
        DbBackend::Postgres => {
            run(format!(
                "WITH written AS (INSERT INTO event ({COLUMNS}) \
                 SELECT 'TICKET', gen_random_uuid(), {COPIED}, jsonb_build_object('x', repeat('x', {bytes})) \
                 FROM event, generate_series(1, {count}) WHERE {FIRST} RETURNING id) \
                 INSERT INTO event_waiting (event_id) SELECT id FROM written"
            ))
            .await;
        }
        _ => {
            run("BEGIN IMMEDIATE".to_owned()).await;
            run(format!(
                "INSERT INTO event ({COLUMNS}) \
                 WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count}) \
                 SELECT 'TICKET', randomblob(16), {COPIED}, '{{\"x\":\"{}\"}}' FROM event, number WHERE {FIRST}",
                "x".repeat(bytes)
            ))
            .await;
            run("INSERT INTO event_log (position, event_id, hash) \
                 SELECT (SELECT MAX(position) FROM event_log) + ROW_NUMBER() OVER (ORDER BY id), id, zeroblob(32) \
                 FROM event WHERE id > (SELECT MAX(event_id) FROM event_log)"
                .to_owned())
            .await;
            run("COMMIT".to_owned()).await;
        }
    }
}
