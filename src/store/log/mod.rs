//! The order of all events. Positions are dense, given after the commit (on SQLite by the writing
//! transaction, which is alone), and chained by hash; whoever follows them misses nothing.

mod verify;

use entity::{event, event_log, event_waiting, meta};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CommonTableExpression, Expr, InsertStatement, OnConflict, Order, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, IdenStatic,
    IntoActiveModel, Iterable, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef, Select, Value,
};
use uuid::Uuid;

use crate::domain::event::chain::{self, Link, ORIGIN};
use crate::domain::event::{Event, EventFilter};
use crate::store::Store;
use crate::store::bulk;
use crate::store::error::{Result, StoreError};
use crate::store::event::{event, narrowed, row};
use crate::store::row::{among, among_found};

pub(in crate::store) use verify::verify;

/// Rows of one statement; bounds its parameters.
const CHUNK: usize = 500;

/// The last place of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its position; 0 of an empty log.
    pub position: i64,
    /// Its link of the hash chain.
    pub link: Link,
}

const EPOCH: &str = "epoch";
const CURSOR_KEY: &str = "cursor_key";

/// Gives the log its epoch if it has none: a random name that changes when the log does not
/// continue, as after a restore. And the key that cursors are sealed with.
pub async fn ensure_names(store: &Store) -> Result<()> {
    let random = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    for (key, value) in [(EPOCH, Uuid::now_v7().simple().to_string()), (CURSOR_KEY, random())] {
        let row = meta::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
        let inserted = meta::Entity::insert(row)
            .on_conflict(OnConflict::column(meta::Column::Key).do_nothing().to_owned())
            .exec_without_returning(store.writer())
            .await;
        match inserted {
            Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn name(store: &Store, key: &str) -> Result<String> {
    let row = meta::Entity::find_by_id(key.to_owned()).one(store.reader()).await?;
    row.map(|row| row.value).ok_or_else(|| StoreError::Corrupt(format!("the log has no {key}")))
}

/// The log's epoch.
pub async fn epoch(store: &Store) -> Result<String> {
    name(store, EPOCH).await
}

/// The secret that cursors are sealed with, the same on all nodes.
pub async fn cursor_key(store: &Store) -> Result<String> {
    name(store, CURSOR_KEY).await
}

/// The oldest and the newest position; (1, 0) of an empty log.
pub async fn bounds(store: &Store) -> Result<(i64, i64)> {
    let found: Option<(Option<i64>, Option<i64>)> = event_log::Entity::find()
        .select_only()
        .expr(Expr::cust("MIN(position)"))
        .expr(Expr::cust("MAX(position)"))
        .into_tuple()
        .one(store.reader())
        .await?;
    let (oldest, newest) = found.unwrap_or_default();
    Ok((oldest.unwrap_or(1), newest.unwrap_or(0)))
}

impl End {
    /// The end of a log whose last place this is.
    pub(in crate::store) fn of(last: &event_log::Model) -> Result<Self> {
        Ok(Self { position: last.position, link: link(&last.hash)? })
    }
}

/// The last place of the log.
pub async fn end(db: &impl ConnectionTrait) -> Result<End> {
    let last = event_log::Entity::find().order_by_desc(event_log::Column::Position).one(db).await?;
    match last {
        Some(row) => End::of(&row),
        None => Ok(End { position: 0, link: ORIGIN }),
    }
}

pub(in crate::store) fn link(bytes: &[u8]) -> Result<Link> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a link of the hash chain is not 32 bytes long".to_owned()))
}

fn place() -> RelationDef {
    event::Entity::belongs_to(event_log::Entity).from(event::Column::Id).to(event_log::Column::EventId).into()
}

/// Events with their places, in order.
pub(in crate::store) fn placed() -> Select<event::Entity> {
    event::Entity::find()
        .join(JoinType::InnerJoin, place())
        .column_as(event_log::Column::Position, "position")
        .column_as(event_log::Column::Hash, "hash")
        .order_by_asc(event_log::Column::Position)
}

/// A row of [`placed`].
#[derive(FromQueryResult)]
pub(in crate::store) struct Placed {
    #[sea_orm(nested)]
    pub(in crate::store) event: event::Model,
    pub(in crate::store) position: i64,
    pub(in crate::store) hash: Vec<u8>,
}

/// Everything after a position and up to another, oldest first, whoever it is for.
pub async fn all_after(store: &Store, after: i64, upto: i64, limit: u64) -> Result<Vec<Event>> {
    matching(store, &EventFilter::default(), after, upto, limit).await
}

/// What a naive reader would take for everything after an id: tests show that it is not.
#[doc(hidden)]
pub async fn by_id_after(store: &Store, after: i64, limit: u64) -> Result<Vec<Event>> {
    let rows = event::Entity::find()
        .filter(event::Column::Id.gt(after))
        .order_by_asc(event::Column::Id)
        .limit(limit)
        .all(store.reader())
        .await?;
    rows.into_iter().map(|row| event(row.clone(), Some(row.id))).collect()
}

/// What a filter looks for after a position and up to another, oldest first, whoever it is for.
pub async fn matching(store: &Store, filter: &EventFilter, after: i64, upto: i64, limit: u64) -> Result<Vec<Event>> {
    let rows = placed()
        .filter(narrowed(filter))
        .filter(event_log::Column::Position.gt(after))
        .filter(event_log::Column::Position.lte(upto))
        .limit(limit)
        .into_model::<Placed>()
        .all(store.reader())
        .await?;
    rows.into_iter().map(|row| event(row.event, Some(row.position))).collect()
}

/// What writes the events of a transaction on PostgreSQL, as parts of one statement. They wait for the
/// relay, since transactions commit in any order.
pub(in crate::store) fn waiting_events(events: &[Event]) -> Result<Vec<CommonTableExpression>> {
    let mut parts = Vec::new();
    for (number, events) in events.chunks(CHUNK).enumerate() {
        let written = format!("written_{number}");
        let rows = events.iter().map(row).collect::<Result<Vec<_>>>()?;
        let mut insert = match bulk_insert(&rows)? {
            Some(insert) => insert,
            None => event::Entity::insert_many(rows).into_query(),
        };
        insert.returning_col(event::Column::Id);
        let ids = Query::select().column("id").from(written.clone()).take();
        let mut wait = Query::insert();
        wait.into_table(event_waiting::Entity).columns([event_waiting::Column::EventId]);
        wait.select_from(ids).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        parts.push(CommonTableExpression::new().query(insert).table_name(written).to_owned());
        parts.push(CommonTableExpression::new().query(wait).table_name(format!("waiting_{number}")).to_owned());
    }
    Ok(parts)
}

/// The same rows in one value, when there are many.
fn bulk_insert(rows: &[event::ActiveModel]) -> Result<Option<InsertStatement>> {
    let columns: Vec<event::Column> =
        event::Column::iter().filter(|column| !matches!(column, event::Column::Id)).collect();
    let names: Vec<&'static str> = columns.iter().map(IdenStatic::as_str).collect();
    let values: Option<Vec<Vec<Value>>> = rows
        .iter()
        .map(|row| columns.iter().map(|column| row.get(*column).into_value()).collect::<Option<Vec<Value>>>())
        .collect();
    let select = values.and_then(|values| bulk::select("event", &names, &values));
    let Some(select) = select else { return Ok(None) };
    let mut insert = Query::insert();
    insert.into_table(event::Entity).columns(columns);
    insert.select_from(select).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Some(insert))
}

/// Writes the events of a transaction on SQLite, with their positions: it is the only one that writes.
pub(in crate::store) async fn append(tx: &DatabaseTransaction, events: &mut [Event]) -> Result<()> {
    for events in events.chunks_mut(CHUNK) {
        let rows = events.iter().map(row).collect::<Result<Vec<_>>>()?;
        let mut ids = event::Entity::insert_many(rows).exec_with_returning_keys(tx).await?;
        ids.sort_unstable();
        let places = chained(end(tx).await?, &ids, events);
        let places = places.into_iter().map(|place| place.into_active_model().reset_all());
        event_log::Entity::insert_many(places).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The places of events behind the end of the log; the events get their positions.
pub(in crate::store) fn chained(end: End, ids: &[i64], events: &mut [Event]) -> Vec<event_log::Model> {
    let mut end = end;
    ids.iter()
        .zip(events)
        .map(|(id, event)| {
            let position = end.position + 1;
            end = End { position, link: chain::link(&end.link, position, event) };
            event.position = Some(position);
            event_log::Model { position, event_id: *id, hash: end.link.to_vec() }
        })
        .collect()
}

/// Events that wait for a position, oldest first, at most `limit`, with their ids.
pub(in crate::store) async fn waiting(db: &impl ConnectionTrait, limit: u64) -> Result<(Vec<i64>, Vec<Event>)> {
    let waiting = Query::select()
        .column(event_waiting::Column::EventId)
        .from(event_waiting::Entity)
        .order_by(event_waiting::Column::EventId, Order::Asc)
        .limit(limit)
        .take();
    let rows = event::Entity::find()
        .filter(among_found(db, event::Column::Id, waiting))
        .order_by_asc(event::Column::Id)
        .all(db)
        .await?;
    let ids = rows.iter().map(|row| row.id).collect();
    let events = rows.into_iter().map(|row| event(row, None)).collect::<Result<_>>()?;
    Ok((ids, events))
}

/// Gives positions to all events that wait for one, after a migration of an embedded database.
pub(in crate::store) async fn place_all(store: &Store) -> Result<()> {
    loop {
        let tx = store.begin().await?;
        let (ids, mut events) = waiting(&tx, CHUNK as u64).await?;
        if events.is_empty() {
            return Ok(tx.rollback().await?);
        }
        let places = chained(end(&tx).await?, &ids, &mut events);
        let places = places.into_iter().map(|place| place.into_active_model().reset_all());
        event_log::Entity::insert_many(places).exec_without_returning(&tx).await?;
        let placed = among(event_waiting::Column::EventId, ids);
        event_waiting::Entity::delete_many().filter(placed).exec(&tx).await?;
        tx.commit().await?;
    }
}
