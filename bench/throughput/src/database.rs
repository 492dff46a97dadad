//! PostgreSQL as the benchmark uses it: databases, plain statements, COPY.

use anyhow::Context;
use futures::TryStreamExt;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};

/// A plain statement, or several.
pub async fn run(connection: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.with_context(|| sql.to_owned())?;
    Ok(())
}

/// The first column of all rows, as text.
pub async fn texts(connection: &mut PgConnection, sql: &str) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .persistent(false)
        .fetch_all(connection)
        .await
        .with_context(|| sql.to_owned())?;
    rows.iter().map(|row| Ok(row.try_get::<Option<String>, _>(0)?.unwrap_or_default())).collect()
}

/// The first column of the first row.
pub async fn text(connection: &mut PgConnection, sql: &str) -> anyhow::Result<String> {
    texts(connection, sql).await?.into_iter().next().with_context(|| format!("no row: {sql}"))
}

/// A count.
pub async fn count(connection: &mut PgConnection, sql: &str) -> anyhow::Result<i64> {
    Ok(text(connection, &format!("SELECT ({sql})::text")).await?.parse()?)
}

/// Connects.
pub async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(url).await.context("no connection to PostgreSQL")
}

/// Makes an empty database. Every session of it gets the plan settings that the server gives its own
/// sessions, so that nobody is compared with a worse plan.
pub async fn create(cluster: &str, name: &str) -> anyhow::Result<String> {
    let mut connection = connect(cluster).await?;
    run(&mut connection, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    run(&mut connection, &format!("CREATE DATABASE {name}")).await?;
    for setting in ["plan_cache_mode = force_generic_plan", "random_page_cost = 1.1"] {
        run(&mut connection, &format!("ALTER DATABASE {name} SET {setting}")).await?;
    }
    let (server, _) = cluster.rsplit_once('/').context("the cluster's URL names no database")?;
    Ok(format!("{server}/{name}"))
}

/// Removes a database.
pub async fn remove(cluster: &str, name: &str) -> anyhow::Result<()> {
    run(&mut connect(cluster).await?, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// The rows a query finds, in the text format of COPY.
pub async fn copied_rows(connection: &mut PgConnection, query: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut stream = connection.copy_out_raw(&format!("COPY ({query}) TO STDOUT")).await?;
    let mut all = Vec::new();
    while let Some(bytes) = stream.try_next().await? {
        all.extend_from_slice(&bytes);
    }
    drop(stream);
    Ok(all.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()).map(<[u8]>::to_vec).collect())
}

/// Columns of a table that are written, in order; not those that the database numbers itself.
pub async fn columns(connection: &mut PgConnection, table: &str) -> anyhow::Result<Vec<String>> {
    texts(
        connection,
        &format!(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' \
               AND NOT COALESCE(is_identity = 'YES' OR is_generated = 'ALWAYS' OR column_default LIKE 'nextval%', false) \
             ORDER BY ordinal_position"
        ),
    )
    .await
}
