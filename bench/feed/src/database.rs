//! PostgreSQL as another node would write it. All SQL is here.
//!
//! Rows are copies of rows that the server wrote itself, with other ids. Which columns there are is
//! asked of the database, so that a further column does no harm.

use anyhow::{Context, bail};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

/// The database all others are copied from.
pub const TEMPLATE: &str = "bench_template";

/// A connection that writes events.
pub struct Writer {
    connection: PgConnection,
    write: String,
}

/// An order that the server made, and a template for others.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its id.
    pub order: String,
    /// An event of it that everybody may see.
    event: i64,
}

struct Column {
    name: String,
    kind: String,
    generated: bool,
}

/// A plain statement.
async fn run(connection: &mut PgConnection, sql: String) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await.with_context(|| sql)?;
    Ok(())
}

async fn texts(connection: &mut PgConnection, sql: String) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(AssertSqlSafe(sql.clone())).fetch_all(connection).await.with_context(|| sql)?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The address of a database of the same cluster.
pub fn address(cluster: &str, database: &str) -> String {
    cluster.rsplit_once('/').map_or_else(|| cluster.to_owned(), |(server, _)| format!("{server}/{database}"))
}

/// Makes a database; a copy of the template, or an empty one.
pub async fn create(cluster: &str, name: &str, copy: bool) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(cluster).await?;
    run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    let template = if copy { format!("TEMPLATE {TEMPLATE}") } else { String::new() };
    run(&mut connection, format!("CREATE DATABASE {name} {template}")).await?;
    Ok(address(cluster, name))
}

async fn columns(connection: &mut PgConnection, table: &str) -> anyhow::Result<Vec<Column>> {
    let rows = sqlx::query(
        "SELECT column_name::text, udt_name::text, \
                COALESCE(is_identity = 'YES' OR is_generated = 'ALWAYS' OR column_default LIKE 'nextval%', false) \
         FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 \
         ORDER BY ordinal_position",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    if rows.is_empty() {
        bail!("there is no table {table}");
    }
    rows.iter()
        .map(|row| Ok(Column { name: row.try_get(0)?, kind: row.try_get(1)?, generated: row.try_get(2)? }))
        .collect()
}

/// An order of the demo group that is on its way and has an event, with that event.
pub async fn model(database: &str) -> anyhow::Result<Model> {
    let mut connection = PgConnection::connect(database).await?;
    let row = sqlx::query(
        "SELECT orders.id::text, event.id FROM orders JOIN event ON event.order_id = orders.id \
         WHERE event.aggregate_kind = 'ORDER' AND event.public AND orders.stage IN ('ALLOCATION', 'EXECUTION') \
           AND orders.holds::text = '[]' \
         ORDER BY orders.submitted_at, orders.id, event.id DESC LIMIT 1",
    )
    .fetch_one(&mut connection)
    .await
    .context("the demo group has no order that can be copied")?;
    Ok(Model { order: row.try_get(0)?, event: row.try_get(1)? })
}

/// Copies an order so many times; the ids of the copies.
pub async fn copy_orders(database: &str, model: &Model, count: usize) -> anyhow::Result<Vec<String>> {
    let mut connection = PgConnection::connect(database).await?;
    let unique = texts(
        &mut connection,
        "SELECT DISTINCT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) \
         WHERE indrelid = 'orders'::regclass AND indisunique AND NOT indisprimary AND atttypid = 'text'::regtype"
            .to_owned(),
    )
    .await?;
    let columns = columns(&mut connection, "orders").await?;
    let value = |column: &Column| match column.name.as_str() {
        "id" => "md5('bench ' || copy)::uuid".to_owned(),
        // Nobody else names a channel so; the combination is what must be unique.
        "channel" => "model.channel".to_owned(),
        name if unique.iter().any(|unique| unique == name) => {
            format!("'BENCH-' || lpad(copy::text, 6, '0') /* {name} */")
        }
        name => format!("model.{name}"),
    };
    let names: Vec<&str> =
        columns.iter().filter(|column| !column.generated).map(|column| column.name.as_str()).collect();
    let values: Vec<String> = columns.iter().filter(|column| !column.generated).map(value).collect();
    let sql = format!(
        "INSERT INTO orders ({}) SELECT {} FROM orders AS model CROSS JOIN generate_series(1, {count}) AS copy \
         WHERE model.id = '{}'",
        names.join(", "),
        values.join(", "),
        model.order
    );
    run(&mut connection, sql).await?;
    run(&mut connection, "ANALYZE".to_owned()).await?;
    let sql =
        format!("SELECT md5('bench ' || copy)::uuid::text FROM generate_series(1, {count}) AS copy ORDER BY copy");
    texts(&mut connection, sql).await
}

/// An order's version.
pub async fn version(database: &str, order: &str) -> anyhow::Result<u64> {
    let mut connection = PgConnection::connect(database).await?;
    let row =
        sqlx::query("SELECT version FROM orders WHERE id = $1::uuid").bind(order).fetch_one(&mut connection).await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?)?)
}

/// The columns of an event that the writer sets, and where each value comes from: `written` is the
/// order with its new version, `model` the event that is copied.
async fn event_columns(connection: &mut PgConnection, model: &Model) -> anyhow::Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for column in columns(connection, "event").await? {
        let name = column.name;
        if column.generated || name == "position" {
            continue;
        }
        let value = match name.as_str() {
            "aggregate_id" | "order_id" => "written.id".to_owned(),
            "sequence" => "written.version - $2::bigint + step".to_owned(),
            "occurred_at" => "clock_timestamp()".to_owned(),
            // Whatever names the order must name the new one.
            _ if matches!(column.kind.as_str(), "text" | "varchar" | "jsonb") => format!(
                "replace(replace(model.{name}::text, '{order}', written.id::text), '{}', replace(written.id::text, '-', ''))::{}",
                model.order.replace('-', ""),
                column.kind,
                order = model.order,
            ),
            _ => format!("model.{name}"),
        };
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Is there a table events wait in for their position?
async fn has_waiting(connection: &mut PgConnection) -> anyhow::Result<bool> {
    let row = sqlx::query("SELECT to_regclass('event_waiting') IS NOT NULL").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

impl Writer {
    /// Connects, and learns how events are written.
    pub async fn connect(database: &str, model: &Model) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(database).await?;
        let pairs = event_columns(&mut connection, model).await?;
        let (names, values): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
        let waiting = if has_waiting(&mut connection).await? {
            ", waiting AS (INSERT INTO event_waiting (event_id) SELECT id FROM event_written)"
        } else {
            ""
        };
        let write = format!(
            "WITH written AS (UPDATE orders SET version = orders.version + $2::bigint \
               FROM unnest($1::text[]) AS wanted WHERE orders.id = wanted::uuid RETURNING orders.id, orders.version), \
             event_written AS (INSERT INTO event ({}) SELECT {} FROM written CROSS JOIN generate_series(1, $2::bigint) AS step \
               CROSS JOIN (SELECT * FROM event WHERE id = {}) AS model ORDER BY step RETURNING id) {waiting} \
             SELECT count(*) FROM event_written",
            names.join(", "),
            values.join(", "),
            model.event,
        );
        Ok(Self { connection, write })
    }

    /// Commits so many events of each of these orders, in one transaction.
    pub async fn events(&mut self, orders: &[String], each: u64) -> anyhow::Result<()> {
        let written: i64 = sqlx::query(AssertSqlSafe(self.write.clone()))
            .bind(orders)
            .bind(i64::try_from(each)?)
            .fetch_one(&mut self.connection)
            .await?
            .try_get(0)?;
        let wanted = orders.len() as u64 * each;
        if u64::try_from(written)? != wanted {
            bail!("{written} of {wanted} events were written");
        }
        Ok(())
    }

    /// Tells the relay, as a node does after its commits.
    pub async fn notify(&mut self) -> anyhow::Result<()> {
        sqlx::query("NOTIFY ordergraph_waiting").execute(&mut self.connection).await?;
        Ok(())
    }
}

/// The transaction of a writer, for pgbench: an order's new version and its event; with `eventing`
/// also what makes the relay see it.
pub async fn transaction(database: &str, model: &Model, eventing: bool) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(database).await?;
    let columns = columns(&mut connection, "event").await?;
    let columns: Vec<&Column> =
        columns.iter().filter(|column| !column.generated && column.name != "position").collect();
    let mut values = Vec::new();
    for column in &columns {
        values.push(match column.name.as_str() {
            "aggregate_id" | "order_id" => "md5('bench ' || :copy)::uuid".to_owned(),
            "sequence" => ":version::bigint".to_owned(),
            "occurred_at" => "clock_timestamp()".to_owned(),
            name => {
                let sql = format!("SELECT quote_nullable({name}::text) FROM event WHERE id = {}", model.event);
                let literal = texts(&mut connection, sql).await?.pop().context("the model's event is gone")?;
                format!("{}::{}", without_colons(&literal), column.kind)
            }
        });
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let event = format!("INSERT INTO event ({}) VALUES ({})", names.join(", "), values.join(", "));
    // One statement, as the server sends it.
    let event = if eventing && has_waiting(&mut connection).await? {
        format!("WITH written AS ({event} RETURNING id) INSERT INTO event_waiting (event_id) SELECT id FROM written")
    } else {
        event
    };
    Ok(format!(
        "\\set copy random(1, {})\nBEGIN;\n\
         UPDATE orders SET version = version + 1 WHERE id = md5('bench ' || :copy)::uuid RETURNING version \\gset\n\
         {event};\nCOMMIT;\n",
        crate::prepared::ORDERS,
    ))
}

/// A literal in which pgbench finds no variable of its own: those begin with a colon.
fn without_colons(literal: &str) -> String {
    let literal = literal.trim_start();
    // With an E in front where there is a backslash, and without one where there is none.
    let text = literal.strip_prefix("E'").or_else(|| literal.strip_prefix('\''));
    text.map_or_else(|| literal.to_owned(), |text| format!("E'{}", text.replace(':', "\\x3a")))
}

/// How many events wait for their position; nothing when they wait in no table.
pub async fn waiting(database: &str) -> anyhow::Result<Option<i64>> {
    let mut connection = PgConnection::connect(database).await?;
    if !has_waiting(&mut connection).await? {
        return Ok(None);
    }
    let row = sqlx::query("SELECT count(*) FROM event_waiting").fetch_one(&mut connection).await?;
    Ok(Some(row.try_get(0)?))
}
