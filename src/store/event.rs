//! Events: rows as they are, and an order's own history, readable at once after each commit. Their
//! order among each other is in `log`.

use std::collections::HashMap;

use entity::{event, event_log};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::error::Result;
use super::page::{Keyset, Page, page};
use super::row::{among, code, from_json, json};
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::ids::OrderId;

pub use crate::domain::event::{Event, EventFilter};

/// An event from its row and its place in the log.
pub(super) fn event(row: event::Model, position: Option<i64>) -> Result<Event> {
    Ok(Event {
        id: row.id,
        position,
        aggregate_kind: code(&row.aggregate_kind)?,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        kind: code(&row.kind)?,
        action: code(&row.action)?,
        order_id: row.order_id.map(Into::into),
        customer_id: row.customer_id.map(Into::into),
        account: row.account,
        unit_id: row.unit_id.map(Into::into),
        audience: row.audience.map(from_json).transpose()?.unwrap_or_default(),
        public: row.public,
        actor: row.actor,
        request_id: row.request_id,
        occurred_at: row.occurred_at,
        note: row.note,
        changes: row.changes,
    })
}

/// The row of an event that has no identity yet.
pub(super) fn row(event: &Event) -> Result<event::ActiveModel> {
    let audience = if event.audience.is_empty() { None } else { Some(json(&event.audience)?) };
    Ok(event::ActiveModel {
        id: NotSet,
        aggregate_kind: Set(event.aggregate_kind.code().to_owned()),
        aggregate_id: Set(event.aggregate_id),
        sequence: Set(event.sequence),
        kind: Set(event.kind.code().to_owned()),
        action: Set(event.action.code().to_owned()),
        order_id: Set(event.order_id.map(|id| id.0)),
        customer_id: Set(event.customer_id.map(|id| id.0)),
        account: Set(event.account.clone()),
        unit_id: Set(event.unit_id.map(|id| id.0)),
        audience: Set(audience),
        public: Set(event.public),
        actor: Set(event.actor.clone()),
        request_id: Set(event.request_id.clone()),
        occurred_at: Set(event.occurred_at),
        note: Set(event.note.clone()),
        changes: Set(event.changes.clone()),
    })
}

/// What the database can narrow a filter to; [`EventFilter::matches`] says the rest.
pub(super) fn narrowed(filter: &EventFilter) -> Condition {
    Condition::all()
        .add_option(filter.order.map(|id| event::Column::OrderId.eq(id.0)))
        .add_option(filter.kinds.as_ref().map(|kinds| event::Column::Kind.is_in(kinds.iter().map(|kind| kind.code()))))
        .add_option(
            filter
                .aggregates
                .as_ref()
                .map(|kinds| event::Column::AggregateKind.is_in(kinds.iter().map(|kind| kind.code()))),
        )
        .add_option(filter.ids.as_ref().map(|ids| event::Column::AggregateId.is_in(ids.clone())))
        .add_option(filter.ticket.map(|id| event::Column::AggregateId.eq(id.0)))
        .add_option(filter.units.as_ref().map(|units| event::Column::UnitId.is_in(units.iter().map(|id| id.0))))
}

/// The history of an order as far as it exists for the actor: whoever sees the order now sees what
/// led to it, also from before it came to them.
fn history(actor: &Actor, order: OrderId) -> sea_orm::Select<event::Entity> {
    event::Entity::find().filter(scope::events(actor)).filter(event::Column::OrderId.eq(order.0))
}

/// An order's own history, oldest first, readable at once after each commit.
pub async fn timeline(store: &Store, actor: &Actor, order: OrderId, keyset: Keyset) -> Result<Page<Event>> {
    // Rows of one order are written under the order's lock: their ids rise as they were committed.
    let found = page(
        history(actor, order),
        event::Column::Id,
        event::Column::AggregateId,
        false,
        keyset,
        store.reader(),
        |row: &event::Model| (row.id.to_string(), row.aggregate_id),
    )
    .await?;
    let ids: Vec<i64> = found.items.iter().map(|(_, row)| row.id).collect();
    let positions = positions(store, &ids).await?;
    found.map(|row| {
        let position = positions.get(&row.id).copied();
        event(row, position)
    })
}

/// Pages of the histories of orders, from rows with their positions.
pub(super) fn timelines(
    orders: &[Uuid],
    mut rows: Vec<(Option<i64>, event::Model)>,
    keyset: &Keyset,
) -> Result<HashMap<OrderId, Page<Event>>> {
    rows.sort_by_key(|(_, row)| row.id);
    let mut of: HashMap<Uuid, Vec<Event>> = orders.iter().map(|id| (*id, Vec::new())).collect();
    for (position, row) in rows {
        if let Some(events) = row.order_id.and_then(|id| of.get_mut(&id)) {
            events.push(event(row, position)?);
        }
    }
    let key = |event: &Event| (event.id.to_string(), event.aggregate_id);
    Ok(of.into_iter().map(|(id, events)| (OrderId(id), Page::cut(events, keyset, key))).collect())
}

/// Events by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[i64]) -> Result<Vec<Event>> {
    let rows = event::Entity::find()
        .filter(scope::events(actor))
        .filter(among(event::Column::Id, ids.to_vec()))
        .all(store.reader())
        .await?;
    let positions = positions(store, ids).await?;
    rows.into_iter()
        .map(|row| {
            let position = positions.get(&row.id).copied();
            event(row, position)
        })
        .collect()
}

/// The positions of events that have one.
async fn positions(store: &Store, ids: &[i64]) -> Result<HashMap<i64, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(i64, i64)> = event_log::Entity::find()
        .filter(among(event_log::Column::EventId, ids.to_vec()))
        .select_only()
        .columns([event_log::Column::EventId, event_log::Column::Position])
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(found.into_iter().collect())
}

/// How many events there are, whoever they are for.
pub async fn count(store: &Store) -> Result<u64> {
    Ok(event::Entity::find().count(store.reader()).await?)
}

/// How many events an order's history has for the actor.
pub async fn count_timeline(store: &Store, actor: &Actor, order: OrderId) -> Result<u64> {
    Ok(history(actor, order).count(store.reader()).await?)
}
