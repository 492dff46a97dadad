//! Orders and their lines.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{Price, order_line, orders};
use rust_decimal::Decimal;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, LikeExpr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::aggregate::{Aggregate, load_many};
use super::concerned::Parties;
use super::error::Result;
use super::row::{
    among, code, currency, from_json, from_json_or_blank, from_price, from_quantity, json, optional_code, price,
    quantity,
};
use super::work::{Saved, Work};
use super::write::Writes;
use super::{Store, scope};
use crate::domain::actor::{Actor, Scope};
use crate::domain::codes::codes;
use crate::domain::event::AggregateKind;
use crate::domain::ids::{CustomerId, OrderId, UnitId};
use crate::domain::intake::Channel;
use crate::domain::money::Currency;
use crate::domain::order::{LineQuantities, Order, OrderLine, OrderStatus, Stage, Unallocatable};

impl Aggregate for Order {
    const KIND: AggregateKind = AggregateKind::Order;
    type Rows = (orders::Model, Vec<order_line::Model>);

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
        Some(self.id)
    }
    fn unit_id(&self) -> Option<UnitId> {
        None
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        let search = [Some(&self.number), Some(&self.contact.company_name), self.external_reference.as_ref()];
        let row = orders::Model {
            id: self.id.0,
            version: self.version,
            number: self.number.clone(),
            channel: self.channel.code().to_owned(),
            account: self.account.clone(),
            external_reference: self.external_reference.clone(),
            digest: self.digest.clone(),
            fingerprint: self.fingerprint(),
            customer_id: self.customer_id.0,
            contact: json(&self.contact)?,
            region: self.region.clone(),
            delivery_address: json(&self.delivery_address)?,
            currency: self.currency.code().to_owned(),
            priority: self.priority.code().to_owned(),
            required_by: self.required_by,
            note: self.note.clone(),
            status: self.status.code().to_owned(),
            stage: self.stage().code().to_owned(),
            search: search.into_iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n"),
            submitted_by: self.submitted_by.clone(),
            submitted_at: self.submitted_at,
            completed_at: self.completed_at,
            rule_set_version: self.rule_set_version,
            cancellation: self.cancellation.as_ref().map(json).transpose()?,
            holds: json(&self.holds)?,
            unallocatable_since: self.unallocatable.map(|one| one.since),
            allocation_retry_at: self.unallocatable.map(|one| one.retry_at),
        };
        let lines = self.lines.iter().map(|line| line_row(self.id, line)).collect::<Result<_>>()?;
        Ok((row, lines))
    }

    fn from_rows((row, mut lines): Self::Rows) -> Result<Self> {
        lines.sort_by_key(|line| line.line_number);
        Ok(Self {
            id: OrderId(row.id),
            version: row.version,
            number: row.number,
            channel: code(&row.channel)?,
            account: row.account,
            external_reference: row.external_reference,
            digest: row.digest,
            customer_id: CustomerId(row.customer_id),
            contact: from_json_or_blank(row.contact)?,
            region: row.region,
            delivery_address: from_json_or_blank(row.delivery_address)?,
            currency: currency(&row.currency)?,
            priority: code(&row.priority)?,
            required_by: row.required_by,
            note: row.note,
            status: code(&row.status)?,
            submitted_by: row.submitted_by,
            submitted_at: row.submitted_at,
            completed_at: row.completed_at,
            rule_set_version: row.rule_set_version,
            cancellation: row.cancellation.map(from_json).transpose()?,
            holds: from_json_or_blank(row.holds)?,
            unallocatable: row
                .unallocatable_since
                .zip(row.allocation_retry_at)
                .map(|(since, retry_at)| Unallocatable { since, retry_at }),
            lines: lines.into_iter().map(line).collect::<Result<_>>()?,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query =
            orders::Entity::find().filter(among(orders::Column::Id, ids.to_vec())).order_by_asc(orders::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        let roots = query.all(db).await?;
        let lines = order_line::Entity::find().filter(among(order_line::Column::OrderId, ids.to_vec())).all(db).await?;
        let mut by_order: HashMap<Uuid, Vec<order_line::Model>> = HashMap::new();
        for line in lines {
            by_order.entry(line.order_id).or_default().push(line);
        }
        Ok(roots
            .into_iter()
            .map(|row| {
                let lines = by_order.remove(&row.id).unwrap_or_default();
                (row, lines)
            })
            .collect())
    }

    fn write((row, lines): &Self::Rows, before: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<orders::Entity>(row)?;
        let former = before.map_or(&[][..], |(_, lines)| lines);
        writes.parts::<order_line::Entity>(lines, former, |line| line.id)
    }

    fn concerns(&self, parties: &mut Parties, is_new: bool) {
        if is_new {
            parties.order(self);
        }
    }
    fn handed_on(self) -> Option<Saved> {
        Some(Saved::Order(Arc::new(self)))
    }
}

fn line_row(order: OrderId, line: &OrderLine) -> Result<order_line::Model> {
    let counts = &line.quantities;
    Ok(order_line::Model {
        id: line.id.0,
        order_id: order.0,
        line_number: line.line_number,
        product_id: line.product_id.map(|id| id.0),
        sku: line.sku.clone(),
        description: line.description.clone(),
        category: line.category.clone(),
        kind: line.kind.map(|kind| kind.code().to_owned()),
        unit_of_measure: line.unit_of_measure.clone(),
        specification: line.specification.clone(),
        unit_price: price(line.unit_price)?,
        discount_rate: price(line.discount_rate)?,
        total: price(line.total)?,
        ordered: quantity(counts.ordered)?,
        cancelled: quantity(counts.cancelled)?,
        allocated: quantity(counts.allocated)?,
        reserved: quantity(counts.reserved)?,
        produced: quantity(counts.produced)?,
        passed: quantity(counts.passed)?,
        dispatched: quantity(counts.dispatched)?,
        delivered: quantity(counts.delivered)?,
        confirmed: quantity(counts.confirmed)?,
        returned: quantity(counts.returned)?,
    })
}

fn line(row: order_line::Model) -> Result<OrderLine> {
    Ok(OrderLine {
        id: row.id.into(),
        line_number: row.line_number,
        product_id: row.product_id.map(Into::into),
        sku: row.sku,
        description: row.description,
        category: row.category,
        kind: optional_code(row.kind.as_ref())?,
        unit_of_measure: row.unit_of_measure,
        specification: row.specification,
        unit_price: from_price(row.unit_price),
        discount_rate: from_price(row.discount_rate),
        total: from_price(row.total),
        quantities: LineQuantities {
            ordered: from_quantity(row.ordered),
            cancelled: from_quantity(row.cancelled),
            allocated: from_quantity(row.allocated),
            reserved: from_quantity(row.reserved),
            produced: from_quantity(row.produced),
            passed: from_quantity(row.passed),
            dispatched: from_quantity(row.dispatched),
            delivered: from_quantity(row.delivered),
            confirmed: from_quantity(row.confirmed),
            returned: from_quantity(row.returned),
        },
    })
}

/// Orders that nothing will come of.
const GIVEN_UP: [OrderStatus; 3] = [OrderStatus::Rejected, OrderStatus::Cancelled, OrderStatus::Expired];

/// What the customer's other orders since a moment come to, by currency.
pub async fn totals_of_others(work: &Work, order: &Order, since: DateTime<Utc>) -> Result<Vec<(Currency, Decimal)>> {
    let due = Expr::col((order_line::Entity, order_line::Column::Total)).sum().cast_as("bigint");
    let select = Query::select()
        .column((orders::Entity, orders::Column::Currency))
        .expr_as(due, "due")
        .from(orders::Entity)
        .inner_join(
            order_line::Entity,
            Expr::col((order_line::Entity, order_line::Column::OrderId)).equals((orders::Entity, orders::Column::Id)),
        )
        .and_where(orders::Column::CustomerId.eq(order.customer_id.0))
        .and_where(orders::Column::SubmittedAt.gte(since))
        .and_where(orders::Column::Id.ne(order.id.0))
        .and_where(orders::Column::Status.is_not_in(GIVEN_UP.map(OrderStatus::code)))
        .group_by_col((orders::Entity, orders::Column::Currency))
        .order_by((orders::Entity, orders::Column::Currency), sea_orm::Order::Asc)
        .take();
    let rows = work.db().await?.query_all(&select).await?;
    rows.into_iter()
        .map(|row| {
            let due: i64 = row.try_get("", "due")?;
            Ok((currency(&row.try_get::<String>("", "currency")?)?, from_price(Price(due))))
        })
        .collect()
}

/// Numbers of the customer's other orders with the same lines since a moment.
pub async fn lookalikes(work: &Work, order: &Order, since: DateTime<Utc>) -> Result<Vec<String>> {
    Ok(orders::Entity::find()
        .filter(orders::Column::CustomerId.eq(order.customer_id.0))
        .filter(orders::Column::Fingerprint.eq(order.fingerprint()))
        .filter(orders::Column::Id.ne(order.id.0))
        .filter(orders::Column::SubmittedAt.gte(since))
        .filter(orders::Column::Status.is_not_in(GIVEN_UP.map(OrderStatus::code)))
        .select_only()
        .column(orders::Column::Number)
        .limit(5)
        .into_tuple()
        .all(work.db().await?)
        .await?)
}

/// Does the order exist for the scope?
pub async fn is_visible(store: &Store, scope: &Scope, id: OrderId) -> Result<bool> {
    Ok(orders::Entity::find_by_id(id.0).filter(scope::orders(scope)).count(store.reader()).await? > 0)
}

/// Orders by id, as far as they exist for the actor.
pub async fn visible(store: &Store, actor: &Actor, ids: &[OrderId]) -> Result<Vec<Order>> {
    let visible: Vec<Uuid> = orders::Entity::find()
        .filter(among(orders::Column::Id, ids.iter().map(|id| id.0)))
        .filter(scope::orders(&actor.scope))
        .select_only()
        .column(orders::Column::Id)
        .into_tuple()
        .all(store.reader())
        .await?;
    load_many(store.reader(), &visible, false).await
}

/// What a list of orders is narrowed by. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// One of these states.
    pub status: Option<Vec<OrderStatus>>,
    /// One of these stages.
    pub stage: Option<Vec<Stage>>,
    /// With a share in one of these units.
    pub units: Option<Vec<UnitId>>,
    /// One of these channels.
    pub channel: Option<Vec<Channel>>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In one of these regions.
    pub region: Option<Vec<String>>,
    /// Submitted at or after this moment.
    pub submitted_from: Option<DateTime<Utc>>,
    /// Submitted before this moment.
    pub submitted_before: Option<DateTime<Utc>>,
    /// Late, or not late, as of the date.
    pub overdue: Option<(bool, NaiveDate)>,
    /// Text in the number, the company's name or the external reference.
    pub text: Option<String>,
}

/// The ways to name an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// By its identity.
    Id(OrderId),
    /// By the number people use.
    Number(String),
    /// By the submitter's own number on a channel.
    ExternalReference {
        /// The channel.
        channel: Channel,
        /// The account it came over; any, where absent.
        account: Option<String>,
        /// The submitter's number.
        reference: String,
    },
}

/// Where an order stands in a list that is sorted so.
pub(super) fn sort_key(order: &Order, field: OrderSortField) -> (String, Uuid) {
    let value = match field {
        OrderSortField::SubmittedAt => order.submitted_at.to_rfc3339(),
        OrderSortField::RequiredBy => order.required_by.to_string(),
        OrderSortField::Number => order.number.clone(),
    };
    (value, order.id.0)
}

codes! {
    /// What orders are sorted by. Equal ones follow in the order of their submission.
    OrderSortField {
        /// The moment of submission.
        SubmittedAt = "SUBMITTED_AT",
        /// The date the customer expects delivery by.
        RequiredBy = "REQUIRED_BY",
        /// The number.
        Number = "NUMBER",
    }
}

pub(super) fn condition(actor: &Actor, filter: &OrderFilter) -> Condition {
    let mut all = scope::orders(&actor.scope);
    if let Some(status) = &filter.status {
        all = all.add(among(orders::Column::Status, status.iter().map(|one| one.code())));
    }
    if let Some(stage) = &filter.stage {
        all = all.add(among(orders::Column::Stage, stage.iter().map(|one| one.code())));
    }
    if let Some(units) = &filter.units {
        all = all.add(scope::orders(&Scope::Units(units.clone())));
    }
    if let Some(channel) = &filter.channel {
        all = all.add(among(orders::Column::Channel, channel.iter().map(|one| one.code())));
    }
    if let Some(customer) = filter.customer {
        all = all.add(orders::Column::CustomerId.eq(customer.0));
    }
    if let Some(region) = &filter.region {
        all = all.add(among(orders::Column::Region, region.clone()));
    }
    if let Some(from) = filter.submitted_from {
        all = all.add(orders::Column::SubmittedAt.gte(from));
    }
    if let Some(before) = filter.submitted_before {
        all = all.add(orders::Column::SubmittedAt.lt(before));
    }
    if let Some((late, today)) = filter.overdue {
        let finals = OrderStatus::ALL.iter().filter(|status| status.is_final()).map(|status| status.code());
        let overdue =
            Condition::all().add(orders::Column::RequiredBy.lt(today)).add(orders::Column::Status.is_not_in(finals));
        all = all.add(if late { overdue } else { overdue.not() });
    }
    if let Some(text) = &filter.text {
        let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        all = all.add(
            Expr::col((orders::Entity, orders::Column::Search))
                .like(LikeExpr::new(format!("%{escaped}%")).escape('\\')),
        );
    }
    all
}

/// How many orders the filter leaves.
pub async fn count(store: &Store, actor: &Actor, filter: &OrderFilter) -> Result<u64> {
    Ok(orders::Entity::find().filter(condition(actor, filter)).count(store.reader()).await?)
}
