//! What the movements of a time say of stock items (R4.5): sums over whole histories, made by the database.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use entity::Quantity;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::domain::inventory::{Ageing, Flow, MovementKind, StockFigures, StockItem};
use crate::store::Store;
use crate::store::error::Result;
use crate::store::reference;
use crate::store::row::from_quantity;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Sums over the movements of a stock item.
#[derive(Clone, Copy, Debug, Default, FromQueryResult)]
struct SumsRow {
    item: Uuid,
    opening: i64,
    closing: i64,
    issued: i64,
    up_to_30: i64,
    up_to_90: i64,
    up_to_180: i64,
    older: i64,
}

/// The figures of stock items that were found visible before, over a time. One statement for all: what
/// came in is looked at newest first, until there is as much of it as was left.
pub async fn figures(
    store: &Store,
    items: Vec<StockItem>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<StockFigures>> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![from.into(), to.into()];
    values.extend([30, 90, 180].map(|days| Value::from(to - Duration::days(days))));
    let mut names = Vec::new();
    for item in &items {
        values.push(item.id.0.into());
        names.push(format!("${}", values.len()));
    }
    let issue = MovementKind::Issue.code();
    let sql = format!(
        "WITH moved AS (SELECT id, stock_item_id, kind, on_hand_change, moved_at FROM stock_movement \
         WHERE stock_item_id IN ({}) AND moved_at < $2), \
         total AS (SELECT stock_item_id, \
         SUM(CASE WHEN moved_at < $1 THEN on_hand_change ELSE 0 END) AS opening, \
         SUM(on_hand_change) AS closing, \
         SUM(CASE WHEN kind = '{issue}' AND moved_at >= $1 THEN -on_hand_change ELSE 0 END) AS issued \
         FROM moved GROUP BY stock_item_id), \
         layer AS (SELECT stock_item_id, moved_at, on_hand_change AS came, SUM(on_hand_change) OVER \
         (PARTITION BY stock_item_id ORDER BY moved_at DESC, id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) \
         AS newest FROM moved WHERE on_hand_change > 0), \
         left_over AS (SELECT layer.stock_item_id, layer.moved_at, CASE WHEN newest <= closing THEN came \
         ELSE closing - (newest - came) END AS quantity \
         FROM layer JOIN total ON total.stock_item_id = layer.stock_item_id WHERE newest - came < closing), \
         aged AS (SELECT stock_item_id, \
         SUM(CASE WHEN moved_at >= $3 THEN quantity ELSE 0 END) AS up_to_30, \
         SUM(CASE WHEN moved_at < $3 AND moved_at >= $4 THEN quantity ELSE 0 END) AS up_to_90, \
         SUM(CASE WHEN moved_at < $4 AND moved_at >= $5 THEN quantity ELSE 0 END) AS up_to_180, \
         SUM(CASE WHEN moved_at < $5 THEN quantity ELSE 0 END) AS older \
         FROM left_over GROUP BY stock_item_id) \
         SELECT total.stock_item_id AS item, CAST(opening AS BIGINT) AS opening, CAST(closing AS BIGINT) AS closing, \
         CAST(issued AS BIGINT) AS issued, CAST(COALESCE(up_to_30, 0) AS BIGINT) AS up_to_30, \
         CAST(COALESCE(up_to_90, 0) AS BIGINT) AS up_to_90, CAST(COALESCE(up_to_180, 0) AS BIGINT) AS up_to_180, \
         CAST(COALESCE(older, 0) AS BIGINT) AS older \
         FROM total LEFT JOIN aged ON aged.stock_item_id = total.stock_item_id",
        names.join(", "),
    );
    let db = store.reader();
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut sums: HashMap<Uuid, SumsRow> = HashMap::new();
    for row in db.query_all_raw(statement).await? {
        let row = SumsRow::from_query_result(&row, "")?;
        sums.insert(row.item, row);
    }
    let rules = reference::active_rules(db).await?;
    let days = Decimal::from((to - from).num_seconds()) / Decimal::from(DAY);
    let figures = items.into_iter().map(|item| {
        let sums = sums.get(&item.id.0).copied().unwrap_or_default();
        let quantity = |thousandths: i64| from_quantity(Quantity(thousandths));
        StockFigures {
            flow: Flow {
                opening: quantity(sums.opening),
                closing: quantity(sums.closing),
                issued: quantity(sums.issued),
            },
            ageing: Ageing {
                up_to_30_days: quantity(sums.up_to_30),
                up_to_90_days: quantity(sums.up_to_90),
                up_to_180_days: quantity(sums.up_to_180),
                over_180_days: quantity(sums.older),
            },
            days,
            overstock_days: rules.inventory.overstock_days,
            item,
        }
    });
    Ok(figures.collect())
}
