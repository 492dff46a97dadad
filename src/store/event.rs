//! The event log: an aggregate's own history at once after its commit, the common feed by position.

use chrono::{DateTime, Utc};
use entity::{event, meta};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Condition, Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement, TransactionTrait,
};
use uuid::Uuid;

use super::error::{Result, StoreError};
use super::page::{Keyset, Page, page};
use super::row::code;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::event::{AggregateKind, EventKind};
use crate::domain::ids::{OrderId, TicketId, UnitId};
use crate::domain::permission::Action;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Identity within this database.
    pub id: i64,
    /// Its place among all events; none until it was given one, shortly after the commit.
    pub position: Option<i64>,
    /// What it happened to.
    pub aggregate_kind: AggregateKind,
    /// Which one.
    pub aggregate_id: Uuid,
    /// The aggregate's version after it.
    pub sequence: i64,
    /// What happened.
    pub kind: EventKind,
    /// What was done.
    pub action: Action,
    /// The order it belongs to.
    pub order_id: Option<OrderId>,
    /// The unit it concerns.
    pub unit_id: Option<UnitId>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// A reason or remark, for the group's own people.
    pub note: Option<String>,
    /// Which fields changed, and to what (RFC 7386).
    pub changes: serde_json::Value,
}

fn event(row: event::Model) -> Result<Event> {
    Ok(Event {
        id: row.id,
        position: row.position,
        aggregate_kind: code(&row.aggregate_kind)?,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        kind: code(&row.kind)?,
        action: code(&row.action)?,
        order_id: row.order_id.map(Into::into),
        unit_id: row.unit_id.map(Into::into),
        actor: row.actor,
        occurred_at: row.occurred_at,
        note: row.note,
        changes: row.changes,
    })
}

const EPOCH: &str = "epoch";

/// Gives the log its epoch if it has none: a random name that changes when the log does not
/// continue, as after a restore.
pub async fn ensure_epoch(store: &Store) -> Result<()> {
    let epoch = Uuid::now_v7().simple().to_string();
    let row = meta::ActiveModel { key: Set(EPOCH.to_owned()), value: Set(epoch) };
    let inserted = meta::Entity::insert(row)
        .on_conflict(OnConflict::column(meta::Column::Key).do_nothing().to_owned())
        .exec_without_returning(store.writer())
        .await;
    match inserted {
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The log's epoch.
pub async fn epoch(store: &Store) -> Result<String> {
    let row = meta::Entity::find_by_id(EPOCH.to_owned()).one(store.reader()).await?;
    row.map(|row| row.value).ok_or_else(|| StoreError::Corrupt("the log has no epoch".to_owned()))
}

/// The newest position.
pub async fn tip(store: &Store) -> Result<i64> {
    let newest: Option<Option<i64>> =
        event::Entity::find().select_only().expr(Expr::cust("MAX(position)")).into_tuple().one(store.reader()).await?;
    Ok(newest.flatten().unwrap_or(0))
}

/// What of the log is looked for. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this order.
    pub order: Option<OrderId>,
    /// One of these kinds.
    pub kinds: Option<Vec<EventKind>>,
    /// Of one of these kinds of aggregates.
    pub aggregates: Option<Vec<AggregateKind>>,
    /// Of this ticket.
    pub ticket: Option<TicketId>,
    /// Concerning one of these units.
    pub units: Option<Vec<UnitId>>,
}

fn condition(actor: &Actor, filter: &EventFilter) -> Condition {
    Condition::all()
        .add(scope::events(actor))
        .add_option(filter.order.map(|id| event::Column::OrderId.eq(id.0)))
        .add_option(filter.kinds.as_ref().map(|kinds| event::Column::Kind.is_in(kinds.iter().map(|kind| kind.code()))))
        .add_option(
            filter
                .aggregates
                .as_ref()
                .map(|kinds| event::Column::AggregateKind.is_in(kinds.iter().map(|kind| kind.code()))),
        )
        .add_option(filter.ticket.map(|id| event::Column::AggregateId.eq(id.0)))
        .add_option(filter.units.as_ref().map(|units| event::Column::UnitId.is_in(units.iter().map(|id| id.0))))
}

/// Events after a position and up to another, as far as they exist for the actor, oldest first.
pub async fn after(
    store: &Store,
    actor: &Actor,
    filter: &EventFilter,
    after: i64,
    upto: i64,
    limit: u64,
) -> Result<Vec<Event>> {
    let rows = event::Entity::find()
        .filter(condition(actor, filter))
        .filter(event::Column::Position.gt(after))
        .filter(event::Column::Position.lte(upto))
        .order_by_asc(event::Column::Position)
        .limit(limit)
        .all(store.reader())
        .await?;
    rows.into_iter().map(event).collect()
}

/// An order's own history, oldest first, readable at once after each commit.
pub async fn timeline(store: &Store, actor: &Actor, order: OrderId, keyset: Keyset) -> Result<Page<Event>> {
    let filter = EventFilter { order: Some(order), ..EventFilter::default() };
    let query = event::Entity::find().filter(condition(actor, &filter));
    // Rows of one order are written under the order's lock: their ids rise as they were committed.
    page(query, event::Column::Id, event::Column::AggregateId, false, keyset, store.reader(), |row| {
        (row.id.to_string(), row.aggregate_id)
    })
    .await?
    .map(event)
}

/// Events by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[i64]) -> Result<Vec<Event>> {
    let rows = event::Entity::find()
        .filter(scope::events(actor))
        .filter(event::Column::Id.is_in(ids.to_vec()))
        .all(store.reader())
        .await?;
    rows.into_iter().map(event).collect()
}

/// How many events there are, whoever they are for.
pub async fn count(store: &Store) -> Result<u64> {
    Ok(event::Entity::find().count(store.reader()).await?)
}

/// How many events an order's history has for the actor.
pub async fn count_timeline(store: &Store, actor: &Actor, order: OrderId) -> Result<u64> {
    let filter = EventFilter { order: Some(order), ..EventFilter::default() };
    Ok(event::Entity::find().filter(condition(actor, &filter)).count(store.reader()).await?)
}

/// Gives positions to events that have none, oldest first, at most `limit`; PostgreSQL only. Says
/// how many, and tells the other nodes where there were any.
pub async fn give_positions(db: &DatabaseConnection, limit: i64) -> Result<u64> {
    #[derive(FromQueryResult)]
    struct Given {
        tip: Option<i64>,
        count: i64,
    }
    let tx = db.begin().await?;
    let statement = Statement::from_sql_and_values(
        tx.get_database_backend(),
        "WITH base AS (SELECT COALESCE(MAX(position), 0) AS tip FROM event), \
              next AS (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS step FROM \
                       (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT $1) AS waiting), \
              given AS (UPDATE event SET position = base.tip + next.step FROM base, next \
                        WHERE event.id = next.id RETURNING event.position) \
         SELECT MAX(position) AS tip, COUNT(*) AS count FROM given",
        [limit.into()],
    );
    let given = Given::find_by_statement(statement).one(&tx).await?;
    let count = given.as_ref().map_or(0, |given| given.count);
    if let Some(tip) = given.and_then(|given| given.tip) {
        let notify = Statement::from_sql_and_values(
            tx.get_database_backend(),
            "SELECT pg_notify('ordergraph_log', $1)",
            [tip.to_string().into()],
        );
        tx.execute_raw(notify).await?;
    }
    tx.commit().await?;
    Ok(count.unsigned_abs())
}
