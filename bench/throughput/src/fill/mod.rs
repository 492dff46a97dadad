//! Fills a database: what the server made by itself, many times over, through COPY.

pub mod reference;
pub mod stencil;
pub mod studio;
pub mod template;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bench_common::http::Http;
use sqlx::postgres::PgConnection;

use self::reference::{GOODS, OWN, Reference, SERVICES, sku};
use self::stencil::{OWN_PRODUCTS, PRODUCTS, identity};
use self::studio::{Goal, Studio};
use self::template::{PLANS, TABLES, Template};
use crate::database;
use crate::product::Product;
use crate::settings::Settings;

/// Bytes that are sent to COPY at once.
const CHUNK: usize = 1 << 18;
/// How long the server may take to give all events their place.
const PLACING: Duration = Duration::from_secs(120);

/// What a database is filled with.
pub struct Amount {
    /// Orders.
    pub orders: u64,
    /// How many copies of an order have their whole history: all when absent, else so many of those
    /// that a detail page is read of. Others have state without events.
    pub histories: Option<u64>,
}

/// A filled database.
pub struct Filled {
    /// Its address.
    pub url: String,
    /// Its name.
    pub name: String,
    /// What was copied.
    pub templates: Vec<Template>,
    /// Who and what there is.
    pub reference: Reference,
    /// Orders with their whole history that a detail page can be read of.
    pub histories: u64,
    /// When it was filled, in seconds since 1970.
    pub filled_at: i64,
    /// What writes have not used up yet.
    pub pools: Pools,
    /// Rows of some tables.
    pub summary: String,
}

/// Copies that nobody has written to yet, by the number of their template.
#[derive(Default)]
pub struct Pools(std::cell::RefCell<std::collections::BTreeMap<u32, u64>>);

impl Filled {
    /// Takes so many copies that nobody has written to; fewer at the end. The number of the first.
    pub fn take(&self, template: &Template, count: u64) -> std::ops::Range<u64> {
        let mut pools = self.pools.0.borrow_mut();
        let next = pools.entry(template.number).or_default();
        let range = *next..(*next + count).min(template.copies);
        *next = range.end;
        range
    }

    /// The template of a goal; the first when there are several.
    pub fn template(&self, goal: Goal) -> anyhow::Result<&Template> {
        self.templates.iter().find(|template| template.goal == goal).context("no such template")
    }
}

/// Makes and fills a database.
pub async fn fill(settings: &Settings, name: &str, amount: &Amount) -> anyhow::Result<Filled> {
    let url = database::create(&settings.cluster, name).await?;
    let product = Product::start(settings, Some(&url), "data").await?;
    let mut studio = Studio::new(Http::to(product.address), product.signer.clone());
    studio.empty("LASER-4").await?;
    let mut played = Vec::new();
    for (goal, origin, _) in PLANS {
        let together = if *goal == Goal::Backordered { 3 } else { 1 };
        let mut orders = Vec::new();
        for _ in 0..together {
            orders.push(studio.play(*goal, *origin).await.with_context(|| format!("{goal:?} {origin:?}"))?);
        }
        played.push(orders);
    }
    let mut connection = database::connect(&url).await?;
    placed(&mut connection).await?;
    product.process.stop().await?;

    let mut templates = Vec::new();
    for (number, ((goal, _, share), orders)) in PLANS.iter().zip(&played).enumerate() {
        let copies = (amount.orders * share / 1_000 / orders.len() as u64).max(2);
        let copies = if *goal == Goal::Backordered { copies.min(OWN) } else { copies };
        templates.push(Template::cut(&mut connection, u32::try_from(number)?, *goal, orders, copies).await?);
    }
    let reference = Reference { customers: (amount.orders / 80).max(40) / 4 * 4 };
    let histories = amount.histories.unwrap_or(u64::MAX).min(templates[0].copies);
    let began = Instant::now();
    copy(&mut connection, &templates, &reference, amount).await?;
    let copied = began.elapsed();

    let product = Product::start(settings, Some(&url), "data").await?;
    placed(&mut connection).await?;
    let placed = began.elapsed() - copied;
    product.process.stop().await?;
    database::run(&mut connection, "VACUUM ANALYZE").await?;
    database::run(&mut connection, "CHECKPOINT").await?;
    let summary = format!(
        "{} (COPY and indexes {:.0} s, places of events {:.0} s)",
        summary(&mut connection).await?,
        copied.as_secs_f64(),
        placed.as_secs_f64()
    );
    let filled_at = database::count(&mut connection, "SELECT extract(epoch FROM now())::bigint").await?;
    let pools = Pools::default();
    Ok(Filled { url, name: name.to_owned(), templates, reference, histories, filled_at, pools, summary })
}

async fn copy(
    connection: &mut PgConnection,
    templates: &[Template],
    reference: &Reference,
    amount: &Amount,
) -> anyhow::Result<()> {
    send(connection, "product (id, sku, name, kind, category, unit_of_measure, list_price, currency)", &products())
        .await?;
    send(connection, &format!("customer ({})", reference::CUSTOMER_COLUMNS), &reference.customer_rows()).await?;
    let last = database::count(connection, "SELECT coalesce(max(id), 0) FROM event").await?;
    // A million rows are faster put in without indexes, which are made again as they were.
    let indexes = "FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
                   WHERE relnamespace = current_schema()::regnamespace AND NOT EXISTS \
                     (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1";
    let definitions = database::texts(connection, &format!("SELECT pg_get_indexdef(indexrelid) {indexes}")).await?;
    for name in database::texts(connection, &format!("SELECT indexrelid::regclass::text {indexes}")).await? {
        database::run(connection, &format!("DROP INDEX {name}")).await?;
    }
    for (index, (table, _)) in TABLES.iter().enumerate() {
        let columns = database::columns(connection, table).await?.join(", ");
        let mut stream = connection.copy_in_raw(&format!("COPY {table} ({columns}) FROM STDIN")).await?;
        let mut rows = Vec::with_capacity(2 * CHUNK);
        for template in templates {
            let copies = match (*table, amount.histories) {
                ("event", Some(histories)) if template.number == 0 => histories.min(template.copies),
                ("event", Some(_)) => 0,
                _ => template.copies,
            };
            for copy in 0..copies {
                let variant = template.variant(copy, reference.customers);
                for stencil in &template.rows[index] {
                    stencil.write(&variant, reference, &mut rows);
                }
                if rows.len() >= CHUNK {
                    stream.send(rows.as_slice()).await?;
                    rows.clear();
                }
            }
        }
        stream.send(rows.as_slice()).await?;
        stream.finish().await.with_context(|| format!("COPY {table}"))?;
    }
    for definition in definitions {
        database::run(connection, &definition).await?;
    }
    database::run(connection, &format!("INSERT INTO event_waiting (event_id) SELECT id FROM event WHERE id > {last}"))
        .await
}

async fn send(connection: &mut PgConnection, target: &str, rows: &[u8]) -> anyhow::Result<()> {
    let mut stream = connection.copy_in_raw(&format!("COPY {target} FROM STDIN")).await?;
    stream.send(rows).await?;
    stream.finish().await.with_context(|| target.to_owned())?;
    Ok(())
}

fn products() -> Vec<u8> {
    let mut rows = Vec::new();
    let general = (0..GOODS + SERVICES).map(|number| (PRODUCTS, number, number >= GOODS));
    let own = (0..OWN).map(|number| (OWN_PRODUCTS, number, false));
    for (series, number, service) in general.chain(own) {
        let kind = if service { "SERVICE\tServices\tHUR" } else { "GOODS\tLighting\tEA" };
        let (id, sku) = (identity(series, 0, number), sku(series, number));
        rows.extend_from_slice(format!("{id}\t{sku}\tArticle {sku}\t{kind}\t189000\tCNY\n").as_bytes());
    }
    rows
}

/// Waits until every event has its place in the feed.
pub async fn placed(connection: &mut PgConnection) -> anyhow::Result<()> {
    let deadline = Instant::now() + PLACING;
    loop {
        let left = database::count(connection, "SELECT count(*) FROM event_waiting").await?;
        if left == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{left} events still wait for their place after {PLACING:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn summary(connection: &mut PgConnection) -> anyhow::Result<String> {
    let mut parts = Vec::new();
    for table in
        ["orders", "order_line", "allocation", "allocation_line", "milestone", "delivery", "product", "ticket", "event"]
    {
        let count = database::count(connection, &format!("SELECT count(*) FROM {table}")).await?;
        parts.push(format!("{} {table}", bench_common::report::number(count as f64)));
    }
    let size = database::text(connection, "SELECT pg_size_pretty(pg_database_size(current_database()))").await?;
    Ok(format!("{}; {size}", parts.join(", ")))
}
