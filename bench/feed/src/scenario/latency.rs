//! G7: from a commit to the last of 1,000 sockets.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use super::Bench;
use crate::crowd::{Crowd, Plan};
use crate::database;
use crate::histogram::Histogram;
use crate::http::Http;
use crate::prepared::{Database, global_id};
use crate::report::Bound;
use crate::round::PATIENCE;
use crate::server::nats::Nats;
use crate::server::product::{Node, Product};
use crate::trigger::{Commands, Trigger};

const SUBSCRIBERS: usize = 1_000;
/// Between two events, so that each finds a quiet server.
const PAUSE: Duration = Duration::from_millis(30);

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    sqlite(bench).await?;
    let database = bench.database("latency").await?;
    two_nodes(bench, &database, None).await?;
    let nats = Nats::start(bench.settings).await?;
    let database = bench.database("latency").await?;
    if let Err(error) = two_nodes(bench, &database, Some(&nats)).await {
        bench.report.say(&format!("with NATS: {error:#}"));
        bench.report.skip(
            "G7",
            "two nodes and NATS, last of 1,000",
            "nodes did not start or deliver with feed.nats_url",
        );
    }
    Ok(())
}

/// One node, which is also the one that is told to change something.
async fn sqlite(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let node = Node { data: Some(bench.settings.folder.join("sqlite")), ..Node::default() };
    let product = Product::start(bench.settings, &node).await?;
    let token = product.signer.token("ADMIN", "bench-admin")?;
    let query =
        "{ orders(first: 50, filter: {stages: [ALLOCATION, EXECUTION]}) { nodes { id version holds { id } } } }";
    let mut http = Http::to(product.address);
    let data = http.graphql(&token, query, json!({})).await?;
    let nodes = data["orders"]["nodes"].as_array().context("no orders")?;
    let order =
        nodes.iter().find(|order| order["holds"].as_array().is_some_and(Vec::is_empty)).context("all are on hold")?;
    let next = order["version"].as_u64().context("no version")? + 1;
    let id = order["id"].as_str().context("no id")?.to_owned();
    let trigger = Trigger::Commands(Commands { http, token, order: id.clone(), next, hold: None });
    measure(bench, &product, &id, trigger, "SQLite", 30.0).await
}

/// One node is told to change something; the sockets are on the other.
async fn two_nodes(bench: &mut Bench<'_>, database: &Database, nats: Option<&Nats>) -> anyhow::Result<()> {
    let mut node = database.node();
    node.nats = nats.map(|nats| nats.url.clone());
    let writing = Node { cores: Some(bench.settings.other_cores.clone()), ..node.clone() };
    let writing = Product::start(bench.settings, &writing).await?;
    let watched = Product::start(bench.settings, &node).await?;
    let order = bench.model().await?.order;
    let next = database::version(&database.url, &order).await? + 1;
    let id = global_id(&order);
    let token = writing.signer.token("ADMIN", "bench-admin")?;
    let trigger =
        Trigger::Commands(Commands { http: Http::to(writing.address), token, order: id.clone(), next, hold: None });
    let what = if nats.is_some() { "two nodes and NATS" } else { "two nodes on PostgreSQL" };
    measure(bench, &watched, &id, trigger, what, 60.0).await
}

async fn measure(
    bench: &mut Bench<'_>,
    product: &Product,
    order: &str,
    mut trigger: Trigger,
    what: &str,
    goal: f64,
) -> anyhow::Result<()> {
    let mut plan = Plan::new(product.address, SUBSCRIBERS, vec![order.to_owned()]);
    plan.signer = Some(product.signer.clone());
    let crowd = Crowd::open(plan).await?;
    crowd.wake(&mut trigger).await?;
    let (mut from_request, mut from_answer) = (Histogram::default(), Histogram::default());
    let deadline = Instant::now() + bench.settings.time(8.0);
    while Instant::now() < deadline {
        crowd.tally.take();
        let asked = Instant::now();
        trigger.for_all(1, &crowd.tally).await?;
        let answered = Instant::now();
        crowd.tally.wait_for(SUBSCRIBERS as u64, PATIENCE).await?;
        let last = crowd.tally.last().unwrap_or(answered);
        from_request.record(last.saturating_duration_since(asked));
        from_answer.record(last.saturating_duration_since(answered));
        tokio::time::sleep(PAUSE).await;
    }
    crowd.sound()?;
    crowd.leave(&product.process).await?;
    let report = &mut bench.report;
    report.say(&format!(
        "{what}: {} commands; to the last socket from the request {:.1} / {:.1} ms, from the answer {:.1} / {:.1} ms (p50 / p99; the commit lies between)",
        from_request.total(),
        from_request.quantile(0.5),
        from_request.quantile(0.99),
        from_answer.quantile(0.5),
        from_answer.quantile(0.99),
    ));
    let what = format!("{what}, request to the last of 1,000, p99");
    report.goal("G7", &what, from_request.quantile(0.99), " ms", Bound::AtMost(goal));
    Ok(())
}
