//! What channels delivered. A delivery is a record of what came from outside and what came of it, not an
//! aggregate: what it does to orders is in their events.

use chrono::{DateTime, Utc};
use entity::{channel_body, channel_delivery as delivery, sales_channel};
use sea_orm::sea_query::{Condition, Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::super::error::{Result, StoreError};
use super::super::page::{Keyset, Page, page};
use super::super::row::{among, code, from_json_or_blank, json};
use super::super::work::Work;
use super::super::{Store, scope};
use crate::domain::actor::{Actor, Scope};
use crate::domain::channel::delivery::{ChannelDelivery, DeliveryOutcome, GRACE, Header, MOST_ATTEMPTS, pause};
use crate::domain::ids::{ChannelDeliveryId, OrderId, SalesChannelId};

/// A delivery whose signature was found right.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its new identity.
    pub id: ChannelDeliveryId,
    /// The channel.
    pub channel_id: SalesChannelId,
    /// What it is recognized by when it comes again.
    pub recognized_by: String,
    /// The channel's own number for it.
    pub delivery_number: Option<String>,
    /// What it is about.
    pub topic: String,
    /// Headers worth keeping.
    pub headers: Vec<Header>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// Keeps a delivery; durable when it returns. False if it was kept before.
pub async fn keep(store: &Store, incoming: Incoming) -> Result<bool> {
    let row = delivery::Model {
        id: incoming.id.0,
        channel_id: incoming.channel_id.0,
        recognized_by: incoming.recognized_by,
        delivery_number: incoming.delivery_number,
        topic: incoming.topic,
        headers: json(&incoming.headers)?,
        received_at: incoming.received_at,
        outcome: DeliveryOutcome::Received.code().to_owned(),
        remark: None,
        reference: None,
        order_id: None,
        attempts: 0,
        due_at: incoming.received_at + GRACE,
        processed_at: None,
        processed_by: None,
    };
    let body = channel_body::Model { id: incoming.id.0, body: incoming.body };
    let tx = store.begin().await?;
    let known =
        OnConflict::columns([delivery::Column::ChannelId, delivery::Column::RecognizedBy]).do_nothing().to_owned();
    let kept = delivery::Entity::insert_many([row.into_active_model().reset_all()])
        .on_conflict(known)
        .exec_without_returning(&tx)
        .await;
    let is_new = match kept {
        Ok(rows) => rows > 0,
        Err(sea_orm::DbErr::RecordNotInserted) => false,
        Err(error) => {
            tx.rollback().await?;
            return Err(error.into());
        }
    };
    if is_new {
        channel_body::Entity::insert(body.into_active_model().reset_all()).exec_without_returning(&tx).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

fn record(row: delivery::Model) -> Result<ChannelDelivery> {
    Ok(ChannelDelivery {
        id: row.id.into(),
        channel_id: row.channel_id.into(),
        delivery_number: row.delivery_number,
        topic: row.topic,
        headers: from_json_or_blank(row.headers)?,
        received_at: row.received_at,
        outcome: code(&row.outcome)?,
        remark: row.remark,
        reference: row.reference,
        order_id: row.order_id.map(Into::into),
        attempts: row.attempts,
        processed_at: row.processed_at,
        processed_by: row.processed_by,
    })
}

/// Deliveries whose channel exists for the scope.
fn in_scope(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        // The channel itself, which processes what it delivered.
        Scope::Account(account) => {
            let own = Condition::all().add(sales_channel::Column::Code.eq(account.as_str()));
            Condition::all().add(delivery::Column::ChannelId.in_subquery(channels_where(own)))
        }
        other => Condition::all().add(delivery::Column::ChannelId.in_subquery(channels_where(scope::channels(other)))),
    }
}

fn channels_where(condition: Condition) -> sea_orm::sea_query::SelectStatement {
    Query::select().column(sales_channel::Column::Id).from(sales_channel::Entity).cond_where(condition).take()
}

/// The delivery, if it exists for the caller; locked, so that it is processed by one at a time.
pub async fn locked(work: &Work, id: ChannelDeliveryId) -> Result<ChannelDelivery> {
    let row = delivery::Entity::find_by_id(id.0)
        .filter(in_scope(&work.actor().scope))
        .lock_exclusive()
        .one(work.db().await?)
        .await?;
    record(row.ok_or(StoreError::NotFound)?)
}

/// The body of a delivery that was found visible before, unless an operator has removed it.
pub async fn body_of(db: &impl ConnectionTrait, id: ChannelDeliveryId) -> Result<Option<Vec<u8>>> {
    let row = channel_body::Entity::find_by_id(id.0).one(db).await?;
    Ok(row.map(|row| row.body))
}

/// What came of processing a delivery.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What came of it.
    pub outcome: DeliveryOutcome,
    /// The same in words.
    pub remark: Option<String>,
    /// The channel's number of the order.
    pub reference: Option<String>,
    /// The order.
    pub order_id: Option<OrderId>,
}

/// Records what came of a locked delivery, in the same transaction as that.
pub async fn settle(work: &Work, id: ChannelDeliveryId, settled: &Settled) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::Outcome, settled.outcome.code().into())
        .col_expr(delivery::Column::Remark, Expr::value(settled.remark.clone()))
        .col_expr(delivery::Column::Reference, Expr::value(settled.reference.clone()))
        .col_expr(delivery::Column::OrderId, Expr::value(settled.order_id.map(|id| id.0)))
        .col_expr(delivery::Column::ProcessedAt, Expr::value(work.now()))
        .col_expr(delivery::Column::ProcessedBy, Expr::value(work.actor().subject.clone()))
        .filter(delivery::Column::Id.eq(id.0))
        .exec(work.db().await?)
        .await?;
    Ok(())
}

/// A delivery that nobody has processed yet, with its channel's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The delivery.
    pub id: ChannelDeliveryId,
    /// The code of its channel.
    pub code: String,
}

/// What was kept and not processed, those first that have waited longest.
pub async fn due(store: &Store, now: DateTime<Utc>, limit: u64) -> Result<Vec<Due>> {
    let rows: Vec<(Uuid, Uuid)> = delivery::Entity::find()
        .filter(delivery::Column::Outcome.eq(DeliveryOutcome::Received.code()))
        .filter(delivery::Column::DueAt.lte(now))
        .order_by_asc(delivery::Column::DueAt)
        .limit(limit)
        .select_only()
        .columns([delivery::Column::Id, delivery::Column::ChannelId])
        .into_tuple()
        .all(store.reader())
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let codes: Vec<(Uuid, String)> = sales_channel::Entity::find()
        .filter(among(sales_channel::Column::Id, rows.iter().map(|(_, channel)| *channel)))
        .select_only()
        .columns([sales_channel::Column::Id, sales_channel::Column::Code])
        .into_tuple()
        .all(store.reader())
        .await?;
    let code_of = |channel| codes.iter().find(|(id, _)| *id == channel).map(|(_, code)| code.clone());
    Ok(rows.into_iter().filter_map(|(id, channel)| Some(Due { id: id.into(), code: code_of(channel)? })).collect())
}

/// Says that it could not be processed: it is tried again later, or left to somebody if that would not help.
pub async fn postpone(
    store: &Store,
    id: ChannelDeliveryId,
    cause: &str,
    for_good: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(row) = delivery::Entity::find_by_id(id.0).one(store.writer()).await? else {
        return Ok(());
    };
    let attempts = row.attempts.saturating_add(1);
    let gives_up = for_good || attempts >= MOST_ATTEMPTS;
    let mut update = delivery::Entity::update_many()
        .col_expr(delivery::Column::Attempts, Expr::value(attempts))
        .col_expr(delivery::Column::Remark, Expr::value(cause))
        .col_expr(delivery::Column::DueAt, Expr::value(now + pause(attempts)));
    if gives_up {
        update = update
            .col_expr(delivery::Column::Outcome, DeliveryOutcome::Failed.code().into())
            .col_expr(delivery::Column::ProcessedAt, Expr::value(now));
    }
    // Whoever processed it meanwhile has the last word.
    update
        .filter(delivery::Column::Id.eq(id.0))
        .filter(delivery::Column::Outcome.eq(DeliveryOutcome::Received.code()))
        .exec(store.writer())
        .await?;
    Ok(())
}

/// What a list of deliveries is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Over this channel.
    pub channel: Option<SalesChannelId>,
    /// With one of these outcomes.
    pub outcomes: Option<Vec<DeliveryOutcome>>,
    /// About the order with this number at the channel.
    pub reference: Option<String>,
    /// About this order.
    pub order: Option<OrderId>,
    /// Received at or after this moment.
    pub received_from: Option<DateTime<Utc>>,
    /// Received before this moment.
    pub received_before: Option<DateTime<Utc>>,
}

fn condition(actor: &Actor, filter: &DeliveryFilter) -> Condition {
    let outcomes =
        filter.outcomes.as_ref().map(|all| among(delivery::Column::Outcome, all.iter().map(|one| one.code())));
    in_scope(&actor.scope)
        .add_option(filter.channel.map(|id| delivery::Column::ChannelId.eq(id.0)))
        .add_option(outcomes)
        .add_option(filter.reference.as_ref().map(|reference| delivery::Column::Reference.eq(reference.as_str())))
        .add_option(filter.order.map(|id| delivery::Column::OrderId.eq(id.0)))
        .add_option(filter.received_from.map(|from| delivery::Column::ReceivedAt.gte(from)))
        .add_option(filter.received_before.map(|before| delivery::Column::ReceivedAt.lt(before)))
}

/// A page of the deliveries that exist for the actor, newest first.
pub async fn deliveries(
    store: &Store,
    actor: &Actor,
    filter: &DeliveryFilter,
    keyset: Keyset,
) -> Result<Page<ChannelDelivery>> {
    let query = delivery::Entity::find().filter(condition(actor, filter));
    page(query, delivery::Column::ReceivedAt, delivery::Column::Id, true, keyset, store.reader(), |row| {
        (row.received_at.to_rfc3339(), row.id)
    })
    .await?
    .map(record)
}

/// How many deliveries the filter leaves.
pub async fn count_deliveries(store: &Store, actor: &Actor, filter: &DeliveryFilter) -> Result<u64> {
    Ok(delivery::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Deliveries by id, as far as they exist for the actor.
pub async fn deliveries_by_ids(
    store: &Store,
    actor: &Actor,
    ids: &[ChannelDeliveryId],
) -> Result<Vec<ChannelDelivery>> {
    let rows = delivery::Entity::find()
        .filter(among(delivery::Column::Id, ids.iter().map(|id| id.0)))
        .filter(in_scope(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(record).collect()
}

/// How a channel does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When something came over it last.
    pub last_received_at: Option<DateTime<Utc>>,
    /// Deliveries that could not be processed.
    pub failed: u64,
    /// Deliveries that wait to be processed.
    pub waiting: u64,
    /// When the one that waits longest came.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Deliveries about orders that somebody must look at.
    pub needing_attention: u64,
}

/// How a channel does.
pub async fn health(store: &Store, channel: SalesChannelId) -> Result<Health> {
    let of_channel = || delivery::Entity::find().filter(delivery::Column::ChannelId.eq(channel.0));
    let with = |outcome: DeliveryOutcome| of_channel().filter(delivery::Column::Outcome.eq(outcome.code()));
    let moment = |query: sea_orm::Select<delivery::Entity>| {
        query.limit(1).select_only().column(delivery::Column::ReceivedAt).into_tuple::<DateTime<Utc>>()
    };
    let newest = moment(of_channel().order_by_desc(delivery::Column::ReceivedAt));
    let oldest = moment(with(DeliveryOutcome::Received).order_by_asc(delivery::Column::ReceivedAt));
    Ok(Health {
        last_received_at: newest.one(store.reader()).await?,
        failed: with(DeliveryOutcome::Failed).count(store.reader()).await?,
        waiting: with(DeliveryOutcome::Received).count(store.reader()).await?,
        waiting_since: oldest.one(store.reader()).await?,
        needing_attention: with(DeliveryOutcome::NeedsAttention).count(store.reader()).await?,
    })
}
