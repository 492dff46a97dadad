//! Channels that orders come over, and the keys they sign with.

mod delivery;
mod order;

use std::collections::BTreeSet;

use entity::{channel_key, customer, product, sales_channel};
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
use crate::domain::channel::{SalesChannel, SecretKey};
use crate::domain::event::AggregateKind;
use crate::domain::ids::{ChannelSecretId, OrderId, SalesChannelId, UnitId};
use crate::domain::reference::Customer;

pub use delivery::{
    DeliveryFilter, Due, Health, Incoming, Settled, body_of, count_deliveries, deliveries, deliveries_by_ids, due,
    health, keep, locked, postpone, settle,
};
pub use order::{faults_of, known_order, of_orders, placed_between};

impl Aggregate for SalesChannel {
    const KIND: AggregateKind = AggregateKind::SalesChannel;
    type Rows = sales_channel::Model;

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
        None
    }
    fn unit_id(&self) -> Option<UnitId> {
        Some(self.unit_id)
    }

    fn to_rows(&self) -> Result<Self::Rows> {
        Ok(sales_channel::Model {
            id: self.id.0,
            version: self.version,
            code: self.code.clone(),
            name: self.name.clone(),
            kind: self.kind.code().to_owned(),
            channel: self.channel.code().to_owned(),
            unit_id: self.unit_id.0,
            status: self.status.code().to_owned(),
            secrets: json(&self.secrets)?,
            settings: json(&self.settings)?,
            created_at: self.created_at,
        })
    }

    fn from_rows(row: Self::Rows) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            version: row.version,
            code: row.code,
            name: row.name,
            kind: code(&row.kind)?,
            channel: code(&row.channel)?,
            unit_id: row.unit_id.into(),
            status: code(&row.status)?,
            secrets: from_json(row.secrets)?,
            settings: from_json(row.settings)?,
            created_at: row.created_at,
        })
    }

    async fn fetch(db: &impl ConnectionTrait, ids: &[Uuid], lock: bool) -> Result<Vec<Self::Rows>> {
        let mut query = sales_channel::Entity::find()
            .filter(among(sales_channel::Column::Id, ids.to_vec()))
            .order_by_asc(sales_channel::Column::Id);
        if lock {
            query = query.lock_exclusive();
        }
        Ok(query.all(db).await?)
    }

    fn write(row: &Self::Rows, _: Option<&Self::Rows>, writes: &mut Writes) -> Result<()> {
        writes.root::<sales_channel::Entity>(row)
    }
}

/// The channel, if it exists for the caller; locked.
pub async fn visible(work: &Work, id: SalesChannelId) -> Result<Tracked<SalesChannel>> {
    work.visible_id::<sales_channel::Entity>(
        sales_channel::Column::Id,
        id.0,
        scope::channels(&work.actor().scope),
        sales_channel::Column::Id,
    )
    .await?;
    work.find(id.0).await
}

/// Is there a channel under this code already? Who asks at the same moment fails when it is saved.
pub async fn code_taken(work: &Work, code: &str) -> Result<bool> {
    let query = sales_channel::Entity::find().filter(sales_channel::Column::Code.eq(code));
    Ok(query.count(work.db().await?).await? > 0)
}

/// Those of the SKUs that exist.
pub async fn known_skus(work: &Work, skus: &[String]) -> Result<BTreeSet<String>> {
    if skus.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found: Vec<String> = product::Entity::find()
        .filter(among(product::Column::Sku, skus.to_vec()))
        .select_only()
        .column(product::Column::Sku)
        .into_tuple()
        .all(work.reference())
        .await?;
    Ok(found.into_iter().collect())
}

/// Keeps a key under its secret, in the same transaction as the secret.
pub fn keep_key(work: &Work, channel: SalesChannelId, secret: ChannelSecretId, key: &SecretKey) -> Result<()> {
    let row = channel_key::Model { id: secret.0, channel_id: channel.0, key: key.0.clone() };
    work.write(|writes| writes.new_row::<channel_key::Entity>(&row))
}

/// Wipes keys that do not count any more.
pub async fn wipe_keys(work: &Work, secrets: &[ChannelSecretId]) -> Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    channel_key::Entity::update_many()
        .col_expr(channel_key::Column::Key, "".into())
        .filter(among(channel_key::Column::Id, secrets.iter().map(|id| id.0)))
        .exec(work.db().await?)
        .await?;
    Ok(())
}

/// The keys of secrets, for those who verify what was signed with them.
pub async fn keys(store: &Store, secrets: &[ChannelSecretId]) -> Result<Vec<SecretKey>> {
    let found: Vec<String> = channel_key::Entity::find()
        .filter(among(channel_key::Column::Id, secrets.iter().map(|id| id.0)))
        .filter(channel_key::Column::Key.ne(""))
        .select_only()
        .column(channel_key::Column::Key)
        .into_tuple()
        .all(store.reader())
        .await?;
    Ok(found.into_iter().map(SecretKey).collect())
}

/// The channel with this code, whoever asks.
pub async fn by_code(store: &Store, code: &str) -> Result<Option<SalesChannel>> {
    let row = sales_channel::Entity::find().filter(sales_channel::Column::Code.eq(code)).one(store.reader()).await?;
    row.map(SalesChannel::from_rows).transpose()
}

/// A channel that was reached through one of its deliveries.
pub async fn of_delivery(work: &Work, id: SalesChannelId) -> Result<SalesChannel> {
    let found = load_many::<SalesChannel>(work.db().await?, &[id.0], false).await?;
    found.into_iter().next().ok_or(super::StoreError::NotFound)
}

/// A page of the channels that exist for the actor, by code.
pub async fn list(store: &Store, actor: &Actor, keyset: Keyset) -> Result<Page<SalesChannel>> {
    let query = sales_channel::Entity::find().filter(scope::channels(&actor.scope));
    page(query, sales_channel::Column::Code, sales_channel::Column::Id, false, keyset, store.reader(), |row| {
        (row.code.clone(), row.id)
    })
    .await?
    .map(SalesChannel::from_rows)
}

/// How many channels there are for the actor.
pub async fn count(store: &Store, actor: &Actor) -> Result<u64> {
    Ok(sales_channel::Entity::find().filter(scope::channels(&actor.scope)).count(store.reader()).await?)
}

/// Channels by id, as far as they exist for the actor.
pub async fn by_ids(store: &Store, actor: &Actor, ids: &[SalesChannelId]) -> Result<Vec<SalesChannel>> {
    let visible: Condition = scope::channels(&actor.scope);
    let rows = sales_channel::Entity::find()
        .filter(among(sales_channel::Column::Id, ids.iter().map(|id| id.0)))
        .filter(visible)
        .all(store.reader())
        .await?;
    rows.into_iter().map(SalesChannel::from_rows).collect()
}

/// Adds a customer that a channel brought. Somebody who adds the same at the same moment fails.
pub fn add_customer(work: &Work, new: &Customer) -> Result<()> {
    let row = customer::Model {
        id: new.id.0,
        number: new.number.clone(),
        company_name: new.contact.company_name.clone(),
        contact_name: new.contact.contact_name.clone(),
        email: new.contact.email.clone(),
        phone: new.contact.phone.clone(),
        customer_group: new.group.clone(),
        region: new.region.clone(),
        currency: new.currency.code().to_owned(),
        credit_limit: None,
        licences: None,
    };
    work.write(|writes| writes.new_row::<customer::Entity>(&row))
}
