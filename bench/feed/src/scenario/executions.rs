//! G8: what many watch is computed once.

use super::Bench;
use crate::crowd::{Crowd, DOCUMENT, Plan};
use crate::report::Bound;
use crate::round::PATIENCE;
use crate::server::product::Product;

/// Counts of the server: how often a document was executed for an event, and how many groups there are.
pub const EXECUTIONS: &str = "ordergraph_feed_executions_total";
const GROUPS: &str = "ordergraph_feed_groups";

const SUBSCRIBERS: usize = 1_000;
const EVENTS: u64 = 10;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("executions").await?;
    let product = Product::start(settings, &database.node()).await?;
    let mut trigger = database.trigger(1).await?;
    let mut plan = Plan::new(product.address, SUBSCRIBERS, database.order_ids(1));
    plan.signer = Some(product.signer.clone());
    // Three documents; that it is spelled otherwise does not make a document another.
    plan.documents = vec![
        DOCUMENT.to_owned(),
        DOCUMENT.replace(" action }", " action actor { subject } }"),
        DOCUMENT.replace(" action }", " action note }"),
        DOCUMENT.replace(" { ", " {\n\t"),
    ];
    let crowd = Crowd::open(plan).await?;
    crowd.wake(&mut trigger).await?;
    let Some(before) = product.metric(EXECUTIONS).await else {
        bench.report.skip("G8", "executions = events x groups", "this server publishes no /metrics with that count");
        return Ok(());
    };
    let groups = product.metric(GROUPS).await.unwrap_or(3.0);
    bench
        .report
        .say(&format!("{SUBSCRIBERS} subscribers, 4 spellings of 3 documents, {groups} groups, {EVENTS} events"));
    trigger.for_all(EVENTS, &crowd.tally).await?;
    crowd.tally.wait_for(EVENTS * SUBSCRIBERS as u64, PATIENCE).await?;
    crowd.sound()?;
    let executions = product.metric(EXECUTIONS).await.unwrap_or(0.0) - before;
    let report = &mut bench.report;
    report.goal("G8", "groups of 3 documents in 4 spellings", groups, "", Bound::Exactly(3.0));
    report.goal(
        "G8",
        "executions of 10 events for these groups",
        executions,
        "",
        Bound::Exactly(groups * EVENTS as f64),
    );
    Ok(())
}
