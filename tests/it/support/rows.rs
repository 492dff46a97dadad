//! Rows of events as a writer leaves them, within a transaction that the test holds open.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};
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
