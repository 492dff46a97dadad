//! Templates: orders the server made, as stencils, and how many copies of each there are.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use sqlx::postgres::PgConnection;

use super::reference::{GOODS, REGIONS, SERVICES};
use super::stencil::{Field, Known, Name, OWN_PRODUCTS, PRODUCTS, Stencil, Variant, identity};
use super::studio::{Goal, Origin, Played};
use crate::database;

/// What is made, and how many of a thousand orders are copies of it.
pub const PLANS: &[(Goal, Origin, u64)] = &[
    (Goal::Ticketed, Origin::Sales("C-2001"), 60),
    (Goal::Completed, Origin::Sales("C-2002"), 75),
    (Goal::Completed, Origin::Sales("C-2003"), 40),
    (Goal::Completed, Origin::Shop, 80),
    (Goal::Completed, Origin::Partner("C-1002"), 30),
    (Goal::Completed, Origin::Partner("C-1004"), 30),
    (Goal::Dispatched, Origin::Sales("C-2001"), 25),
    (Goal::Dispatched, Origin::Shop, 25),
    (Goal::Planned, Origin::Sales("C-2004"), 30),
    (Goal::Delivered, Origin::Sales("C-2003"), 120),
    (Goal::Working, Origin::Sales("C-2002"), 120),
    (Goal::Backordered, Origin::Sales("C-2001"), 180),
    (Goal::Submitted, Origin::Sales("C-2002"), 25),
    (Goal::Submitted, Origin::Shop, 25),
    (Goal::UnderReview, Origin::Partner("C-1003"), 25),
    (Goal::Clarification, Origin::Sales("C-2004"), 20),
    (Goal::Approved, Origin::Sales("C-2002"), 25),
    (Goal::Approved, Origin::Shop, 25),
    (Goal::OnHold, Origin::Sales("C-2004"), 20),
    (Goal::Rejected, Origin::Partner("C-1002"), 20),
    (Goal::Cancelled, Origin::Shop, 20),
];

/// Tables that are copied, and which of their rows belong to orders: `ORDERS` is their list.
pub const TABLES: &[(&str, &str)] = &[
    ("orders", "id IN (ORDERS)"),
    ("order_line", "order_id IN (ORDERS)"),
    ("review_case", "order_id IN (ORDERS)"),
    ("allocation_decision", "order_id IN (ORDERS)"),
    ("allocation", "order_id IN (ORDERS)"),
    ("allocation_line", OF_ALLOCATIONS),
    ("milestone", OF_ALLOCATIONS),
    ("reservation", OF_ALLOCATIONS),
    ("backorder", OF_ALLOCATIONS),
    ("inspection", OF_ALLOCATIONS),
    ("delivery", "order_id IN (ORDERS)"),
    ("delivery_line", OF_DELIVERIES),
    ("tracking_event", OF_DELIVERIES),
    ("settlement_record", "order_id IN (ORDERS)"),
    ("ticket", "order_id IN (ORDERS)"),
    ("stock_item", "id IN (ITEMS)"),
    ("stock_movement", "stock_item_id IN (ITEMS)"),
    ("replenishment_request", "stock_item_id IN (ITEMS)"),
    (
        "event",
        "aggregate_id IN (ORDERS) OR aggregate_id IN (ITEMS) OR aggregate_id IN (\
           SELECT id FROM review_case WHERE order_id IN (ORDERS) UNION ALL \
           SELECT id FROM allocation WHERE order_id IN (ORDERS) UNION ALL \
           SELECT id FROM delivery WHERE order_id IN (ORDERS) UNION ALL \
           SELECT id FROM ticket WHERE order_id IN (ORDERS) UNION ALL \
           SELECT id FROM replenishment_request WHERE stock_item_id IN (ITEMS))",
    ),
];
const OF_ALLOCATIONS: &str = "allocation_id IN (SELECT id FROM allocation WHERE order_id IN (ORDERS))";
const OF_DELIVERIES: &str = "delivery_id IN (SELECT id FROM delivery WHERE order_id IN (ORDERS))";
/// Stock items that orders wait for.
const ITEMS: &str = "SELECT stock_item_id FROM backorder WHERE filled < quantity AND allocation_id IN \
                     (SELECT id FROM allocation WHERE order_id IN (ORDERS))";

/// Orders that are copied together.
pub struct Template {
    pub number: u32,
    pub goal: Goal,
    /// How many copies there are.
    pub copies: u64,
    /// Stencils of each of [`TABLES`].
    pub rows: Vec<Vec<Stencil>>,
    /// Where what requests are about has its identity: of the services' milestones in order, of the
    /// deliveries (goods first), of the stock item that is waited for. The order's is in place 0.
    pub milestones: Vec<u32>,
    pub deliveries: Vec<u32>,
    pub stock_item: Option<u32>,
    region: u64,
    skus: Vec<&'static str>,
}

impl Template {
    /// Cuts the stencils out of what was played.
    pub async fn cut(
        connection: &mut PgConnection,
        number: u32,
        goal: Goal,
        played: &[Played],
        copies: u64,
    ) -> anyhow::Result<Self> {
        let first = played.first().context("nothing was played")?;
        let ids: Vec<String> = played.iter().map(|one| format!("'{}'", one.order)).collect();
        let within = |sql: &str| sql.replace("ITEMS", ITEMS).replace("ORDERS", &ids.join(", "));
        let names = names(connection, &within, first).await?;
        let shared: BTreeSet<String> = database::texts(
            connection,
            &within(
                "SELECT id::text FROM org_unit UNION ALL SELECT id::text FROM staff UNION ALL \
                 SELECT id::text FROM stock_item WHERE id NOT IN (ITEMS) UNION ALL SELECT id::text FROM product",
            ),
        )
        .await?
        .into_iter()
        .collect();
        let mut known = Known::new(names, shared);
        let mut rows = Vec::new();
        for (table, condition) in TABLES {
            let columns = database::columns(connection, table).await?.join(", ");
            let order = if *table == "event" { "ORDER BY event.id" } else { "" };
            let query = within(&format!("SELECT {columns} FROM {table} WHERE {condition} {order}"));
            let found = database::copied_rows(connection, &query).await?;
            rows.push(found.iter().map(|row| known.cut(row)).collect());
        }
        let places = async |connection: &mut PgConnection, sql: &str| -> anyhow::Result<Vec<u32>> {
            let found = database::texts(connection, &within(sql)).await?;
            Ok(found.iter().filter_map(|id| known.place(id)).collect())
        };
        let milestones = places(
            connection,
            "SELECT milestone.id::text FROM milestone JOIN allocation ON allocation.id = allocation_id \
             WHERE order_id IN (ORDERS) AND kind = 'SERVICE' ORDER BY sequence",
        )
        .await?;
        let deliveries = places(
            connection,
            "SELECT delivery.id::text FROM delivery JOIN allocation ON allocation.id = allocation_id \
             WHERE delivery.order_id IN (ORDERS) ORDER BY kind",
        )
        .await?;
        let stock_item = places(connection, "SELECT id::text FROM stock_item WHERE id IN (ITEMS)").await?;
        if played.len() == 1 && known.place(&first.order) != Some(0) {
            bail!("the order is not the first identity of its template");
        }
        let region =
            database::text(connection, &within("SELECT region FROM orders WHERE id IN (ORDERS) LIMIT 1")).await?;
        let region = REGIONS.iter().position(|known| *known == region).context("an unknown region")?;
        Ok(Self {
            number,
            goal,
            copies,
            rows,
            milestones,
            deliveries,
            stock_item: stock_item.first().copied(),
            region: region as u64,
            skus: first.skus.clone(),
        })
    }

    /// An identity of a copy.
    pub fn identity(&self, place: u32, copy: u64) -> String {
        identity(self.number, place, copy)
    }

    /// What is different about a copy; always the same for the same number.
    pub fn variant(&self, copy: u64, customers: u64) -> Variant {
        let random = |purpose: u64| mix(u64::from(self.number) << 48 | purpose << 40 | copy);
        let finished = matches!(self.goal, Goal::Ticketed | Goal::Completed | Goal::Rejected | Goal::Cancelled);
        let goods = random(1);
        let products = self.skus.iter().zip(0..).map(|(sku, index)| match *sku {
            "LASER-4" => (OWN_PRODUCTS, copy),
            "INSTALL" | "COURSE" => (PRODUCTS, GOODS + (goods + index) % SERVICES),
            _ => (PRODUCTS, (goods + index * 17) % GOODS),
        });
        Variant {
            template: self.number,
            number: copy,
            days: 1 + random(2) % if finished { 364 } else { 60 },
            seconds: i64::try_from(random(3) % 30_000).unwrap_or(0),
            customer: random(4) % (customers / 4) * 4 + self.region,
            products: products.collect(),
        }
    }
}

/// Texts that copies have others for.
async fn names(
    connection: &mut PgConnection,
    within: &impl Fn(&str) -> String,
    played: &Played,
) -> anyhow::Result<Vec<(String, Name)>> {
    let mut names = Vec::new();
    let unique = [
        ("SELECT number FROM orders WHERE id IN (ORDERS)", "OG-", 7),
        ("SELECT external_reference FROM orders WHERE id IN (ORDERS)", "REF-", 7),
        ("SELECT digest FROM orders WHERE id IN (ORDERS)", "", 59),
        ("SELECT fingerprint FROM orders WHERE id IN (ORDERS)", "", 59),
        ("SELECT number FROM delivery WHERE order_id IN (ORDERS)", "DL-", 7),
        ("SELECT tracking_number FROM delivery WHERE order_id IN (ORDERS)", "SP", 7),
        ("SELECT number FROM ticket WHERE order_id IN (ORDERS)", "TK-", 7),
        (
            "SELECT carrier_event_id FROM tracking_event WHERE delivery_id IN \
             (SELECT id FROM delivery WHERE order_id IN (ORDERS))",
            "EV",
            7,
        ),
    ];
    for (sql, prefix, digits) in unique {
        for text in database::texts(connection, &within(&format!("{sql} ORDER BY 1"))).await? {
            let part = u32::try_from(names.len() / 2).unwrap_or(u32::MAX);
            names.push((text.to_lowercase(), Name::Unique(prefix.to_lowercase(), digits, part)));
            names.push((text, Name::Unique(prefix.to_owned(), digits, part)));
        }
    }
    let customer = [
        ("id::text", Field::Id),
        ("number", Field::Code),
        ("company_name", Field::Name),
        ("lower(company_name)", Field::LowerName),
        ("contact_name", Field::Contact),
        ("email", Field::Email),
        ("phone", Field::Phone),
    ];
    for (column, field) in customer {
        let sql = format!("SELECT {column} FROM customer WHERE number = '{}'", played.customer);
        names.push((database::text(connection, &sql).await?, Name::Customer(field)));
    }
    for (index, sku) in played.skus.iter().enumerate() {
        for (column, field) in [("id::text", Field::Id), ("sku", Field::Code), ("name", Field::Name)] {
            let sql = format!("SELECT {column} FROM product WHERE sku = '{sku}'");
            names.push((database::text(connection, &sql).await?, Name::Product(index, field)));
        }
    }
    Ok(names)
}

/// A number as good as random, the same on every machine (splitmix64).
pub fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    // Positive for those who know no others.
    (bits ^ (bits >> 31)) >> 1
}
