//! After-sales tickets.

use entity::ticket;
use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::error::Result;
use super::page::{Keyset, Page, page};
use super::row::{among, code, from_json, json};
use super::work::{Tracked, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::Actor;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{OrderId, TicketId, UnitId};
use crate::domain::ticket::{Ticket, TicketStatus, TicketType};

impl Aggregate for Ticket {
    const KIND: AggregateKind = AggregateKind::Ticket;
    type Rows = ticket::Model;

    fn key(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn set_version(&mut self, version: i64) {
        self.version = version;
    }
    fn order_id(&self) -> Option<OrderId> {
        Some(self.order_id)
    }
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.team_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(ticket::Model {
            id: self.id.0,
            version: self.version,
            number: self.number.clone(),
            order_id: self.order_id.0,
            order_line_id: self.order_line_id.map(|id| id.0),
            customer_id: self.customer_id.0,
            ticket_type: self.ticket_type.code().to_owned(),
            status: self.status.code().to_owned(),
            subject: self.subject.clone(),
            description: self.description.clone(),
            occurred_at: self.occurred_at,
            team_id: self.team_id.0,
            opened_by: self.opened_by.clone(),
            opened_at: self.opened_at,
            first_contact_due: self.first_contact_due,
            first_contact_at: self.first_contact_at,
            contacts: json(&self.contacts)?,
            resolution: self.resolution.clone(),
            resolved_at: self.resolved_at,
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            number: row.number,
            order_id: row.order_id.into(),
            order_line_id: row.order_line_id.map(Into::into),
            customer_id: row.customer_id.into(),
            ticket_type: code(&row.ticket_type)?,
            status: code(&row.status)?,
            subject: row.subject,
            description: row.description,
            occurred_at: row.occurred_at,
            team_id: row.team_id.into(),
            opened_by: row.opened_by,
            opened_at: row.opened_at,
            first_contact_due: row.first_contact_due,
            first_contact_at: row.first_contact_at,
            contacts: from_json(row.contacts)?,
            resolution: row.resolution,
            resolved_at: row.resolved_at,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query =
            ticket::Entity::find().filter(among(ticket::Column::Id, ids.to_vec())).order_by_asc(ticket::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<ticket::Entity>(row)
    }
}

/// A ticket within a command, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: TicketId) -> Result<Tracked<Ticket>> {
    work.visible_id::<ticket::Entity>(
        ticket::Column::Id,
        id.0,
        scope::tickets(&work.actor().scope),
        ticket::Column::Id,
    )
    .await?;
    work.find(id.0).await
}

/// What a list of tickets is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// One of these states.
    pub status: Option<Vec<TicketStatus>>,
    /// One of these types.
    pub ticket_type: Option<Vec<TicketType>>,
    /// About this order.
    pub order: Option<OrderId>,
    /// Handled by one of these teams.
    pub teams: Option<Vec<UnitId>>,
}

fn condition(actor: &Actor, filter: &TicketFilter) -> Condition {
    let mut all = Condition::all().add(scope::tickets(&actor.scope));
    if let Some(status) = &filter.status {
        all = all.add(among(ticket::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(types) = &filter.ticket_type {
        all = all.add(among(ticket::Column::TicketType, types.iter().map(|one| one.code())));
    }
    if let Some(order) = filter.order {
        all = all.add(ticket::Column::OrderId.eq(order.0));
    }
    if let Some(teams) = &filter.teams {
        all = all.add(among(ticket::Column::TeamId, teams.iter().map(|id| id.0)));
    }
    all
}

/// A page of the tickets that exist for the actor, newest first.
pub async fn list(store: &Store, actor: &Actor, filter: &TicketFilter, keyset: Keyset) -> Result<Page<Ticket>> {
    let query = ticket::Entity::find().filter(condition(actor, filter));
    page(query, ticket::Column::OpenedAt, ticket::Column::Id, true, keyset, store.reader(), |row| {
        (row.opened_at.to_rfc3339(), row.id)
    })
    .await?
    .map(Ticket::from_rows)
}

/// How many tickets the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &TicketFilter) -> Result<u64> {
    Ok(ticket::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}

/// Tickets by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[TicketId]) -> Result<Vec<Ticket>> {
    let rows = ticket::Entity::find()
        .filter(among(ticket::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::tickets(&actor.scope))
        .all(store.reader())
        .await?;
    rows.into_iter().map(Ticket::from_rows).collect()
}

/// The tickets of orders, as far as they exist for the actor.
pub async fn of_orders(store: &Store, actor: &Actor, orders: &[OrderId]) -> Result<Vec<Ticket>> {
    let ids: Vec<Uuid> = ticket::Entity::find()
        .filter(among(ticket::Column::OrderId, orders.iter().map(|id| id.0)))
        .filter(scope::tickets(&actor.scope))
        .select_only()
        .column(ticket::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &ids, false).await
}
