//! The databases of the scenarios: each a copy of one with the demo group and 10,000 more orders.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::database::{self, Model, Writer};
use crate::server::product::{Node, Product};
use crate::settings::Settings;
use crate::trigger::{Rows, Trigger};

/// As many orders as the largest crowd has members.
pub const ORDERS: usize = 10_000;

/// The template, and what is in it.
pub struct Prepared {
    cluster: String,
    /// The order that was copied.
    pub model: Model,
    /// The copies.
    pub orders: Arc<Vec<String>>,
}

/// A database of one scenario.
pub struct Database {
    /// Its address.
    pub url: String,
    /// What it was copied from.
    pub prepared: Arc<Prepared>,
}

impl Prepared {
    /// Lets the server seed a database and copies one of its orders.
    pub async fn make(settings: &Settings) -> anyhow::Result<Self> {
        let url = database::create(&settings.cluster, database::TEMPLATE, false).await?;
        let node = Node { database: Some(url.clone()), ..Node::default() };
        Product::start(settings, &node).await?.process.stop().await?;
        let model = database::model(&url).await?;
        let orders = database::copy_orders(&url, &model, ORDERS).await?;
        Ok(Self { cluster: settings.cluster.clone(), model, orders: Arc::new(orders) })
    }

    /// A copy for one scenario.
    pub async fn database(self: &Arc<Self>, name: &str) -> anyhow::Result<Database> {
        let url = database::create(&self.cluster, &format!("bench_{name}"), true).await?;
        Ok(Database { url, prepared: Arc::clone(self) })
    }
}

impl Database {
    /// A node on it.
    pub fn node(&self) -> Node {
        Node { database: Some(self.url.clone()), ..Node::default() }
    }

    /// The first so many orders, as the API names them.
    pub fn order_ids(&self, count: usize) -> Vec<String> {
        self.prepared.orders.iter().take(count).map(|order| global_id(order)).collect()
    }

    /// What writes events of the first so many orders.
    pub async fn trigger(&self, count: usize) -> anyhow::Result<Trigger> {
        let orders: Vec<String> = self.prepared.orders.iter().take(count).cloned().collect();
        let next = database::version(&self.url, &orders[0]).await? + 1;
        let writer = Writer::connect(&self.url, &self.prepared.model).await?;
        Ok(Trigger::Rows(Rows { writer, orders: Arc::new(orders), next }))
    }
}

/// An order's id as clients see it.
pub fn global_id(order: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("Order:{}", order.replace('-', "")))
}
