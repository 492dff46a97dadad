//! The log as it lies in the database: what everybody should have received.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use uuid::Uuid;

/// An event at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub position: i64,
    pub event: i64,
    pub aggregate_kind: String,
    pub aggregate: Uuid,
    pub sequence: i64,
    pub kind: String,
    pub order: Option<Uuid>,
    pub customer: Option<Uuid>,
    pub public: bool,
    /// Every unit it concerns.
    pub units: Vec<Uuid>,
}

/// Everything that has a position, in its order.
pub async fn read(db: &DatabaseConnection) -> Vec<Entry> {
    const SQL: &str = "SELECT l.position, e.id, e.aggregate_kind, e.aggregate_id, e.sequence, e.kind, e.order_id, \
                       e.customer_id, e.public, e.unit_id, e.audience FROM event_log l JOIN event e ON e.id = l.event_id ORDER BY l.position";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), SQL.to_owned())).await;
    let entry = |row: &sea_orm::QueryResult| {
        Ok::<_, sea_orm::DbErr>(Entry {
            position: row.try_get_by_index(0)?,
            event: row.try_get_by_index(1)?,
            aggregate_kind: row.try_get_by_index(2)?,
            aggregate: row.try_get_by_index(3)?,
            sequence: row.try_get_by_index(4)?,
            kind: row.try_get_by_index(5)?,
            order: row.try_get_by_index(6)?,
            customer: row.try_get_by_index(7)?,
            public: row.try_get_by_index(8)?,
            units: units(row.try_get_by_index(9)?, row.try_get_by_index(10)?),
        })
    };
    rows.expect("the log").iter().map(|row| entry(row).expect("an entry")).collect()
}

fn units(unit: Option<Uuid>, audience: Option<serde_json::Value>) -> Vec<Uuid> {
    let audience = audience.as_ref().and_then(|audience| audience.as_array()).into_iter().flatten();
    let parsed = audience.map(|unit| unit.as_str().and_then(|unit| unit.parse().ok()).expect("a unit"));
    unit.into_iter().chain(parsed).collect()
}

/// The part of the log behind a position of which this holds, as ids of events.
pub fn part(log: &[Entry], after: i64, of: impl Fn(&Entry) -> bool) -> Vec<i64> {
    log.iter().filter(|entry| entry.position > after && of(entry)).map(|entry| entry.event).collect()
}

/// Does it belong to orders, as `orderEvents` tells it to those who see everything?
pub fn of_orders(entry: &Entry) -> bool {
    !["STOCK_ITEM", "REPLENISHMENT_REQUEST"].contains(&entry.aggregate_kind.as_str())
}

/// How many committed events have no position.
pub async fn unplaced(db: &DatabaseConnection) -> i64 {
    const SQL: &str = "SELECT COUNT(*) FROM event WHERE id NOT IN (SELECT event_id FROM event_log)";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), SQL.to_owned())).await;
    row.expect("a count").expect("a row").try_get_by_index(0).expect("a number")
}

/// Every event has exactly one position, and positions are 1, 2, 3, … The events of one thing come
/// in the order in which they happened to it.
pub fn is_sound(log: &[Entry]) -> Result<(), String> {
    for (entry, wanted) in log.iter().zip(1..) {
        if entry.position != wanted {
            return Err(format!("position {wanted} is missing: {entry:?} comes instead"));
        }
    }
    let mut ids: Vec<i64> = log.iter().map(|entry| entry.event).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("event {} has two positions", pair[0]));
    }
    let mut sequences = std::collections::HashMap::new();
    for entry in log {
        let before = sequences.insert(entry.aggregate, entry.sequence).unwrap_or(0);
        if entry.sequence != before + 1 {
            return Err(format!("{entry:?} comes after version {before} of the same thing"));
        }
    }
    Ok(())
}

/// Was exactly this received, in this order?
pub fn same(received: &[i64], expected: &[i64]) -> Result<(), String> {
    if received == expected {
        return Ok(());
    }
    let missing: Vec<i64> = expected.iter().filter(|id| !received.contains(id)).copied().collect();
    let strange: Vec<i64> = received.iter().filter(|id| !expected.contains(id)).copied().collect();
    let doubled: Vec<i64> =
        received.iter().enumerate().filter(|(at, id)| received[..*at].contains(id)).map(|(_, id)| *id).collect();
    let at = received.iter().zip(expected).position(|(one, other)| one != other);
    let few = |events: Vec<i64>| match events.len() {
        0..=10 => format!("{events:?}"),
        count => format!("{:?} and {} more", &events[..10], count - 10),
    };
    Err(format!(
        "{} received, {} expected; they part at {at:?}; missing {}, not expected {}, double {}",
        received.len(),
        expected.len(),
        few(missing),
        few(strange),
        few(doubled),
    ))
}

/// The number of an event behind the id that clients see.
pub fn event_of(id: &str) -> i64 {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).expect("an id")).expect("text");
    let uuid = text.strip_prefix("Event:").and_then(|uuid| Uuid::try_parse(uuid).ok()).expect("an event's id");
    i64::try_from(uuid.as_u128()).expect("fits")
}

/// The identity behind the id of anything else that clients see.
pub fn uuid_of(id: &str) -> Uuid {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).expect("an id")).expect("text");
    Uuid::try_parse(text.split_once(':').expect("a type").1).expect("an identity")
}
