//! G12: the server falls over, and all come back at once to a new one, with what they missed.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::Bench;
use super::executions::EXECUTIONS;
use crate::crowd::{Crowd, Plan};
use crate::machine::listen_overflows;
use crate::report::{Bound, number};
use crate::round::PATIENCE;
use crate::server::free_port;
use crate::server::product::Product;

const SUBSCRIBERS: usize = 5_000;
const MISSED: u64 = 20;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("storm").await?;
    let mut node = database.node();
    node.port = Some(free_port()?);
    let product = Product::start(settings, &node).await?;
    let mut trigger = database.trigger(1).await?;
    let plan = |product: &Product| {
        let mut plan = Plan::new(product.address, SUBSCRIBERS, database.order_ids(1));
        plan.signer = Some(product.signer.clone());
        plan.cursors = true;
        plan
    };
    let crowd = Crowd::open(plan(&product)).await?;
    crowd.wake(&mut trigger).await?;
    let positions = crowd.tally.positions();
    product.process.kill().await?;
    drop(crowd);

    // Nobody listens to this tally: the events are for those who come back.
    let nobody = crate::tally::Tally::new(crate::tally::Clock::Shared, 0, false);
    trigger.for_all(MISSED, &nobody).await?;

    let product = Product::start(settings, &node).await?;
    let overflows = listen_overflows();
    let executions = product.metric(EXECUTIONS).await;
    let mut plan = plan(&product);
    plan.resume = Some(positions);
    plan.opening = SUBSCRIBERS;
    let began = Instant::now();
    let crowd = Crowd::open(plan).await?;
    let opened = began.elapsed();
    crowd.tally.wait_for(MISSED * SUBSCRIBERS as u64, 2 * PATIENCE).await?;
    let resumed = began.elapsed();
    // Somebody who is sent something twice is sent it now.
    tokio::time::sleep(Duration::from_millis(500)).await;
    crowd.sound()?;
    let overflows = listen_overflows().zip(overflows).map(|(now, then)| now - then).context("no TcpExt figures")?;
    let executed = match executions {
        Some(before) => product.metric(EXECUTIONS).await.map(|now| now - before),
        None => None,
    };
    let cpu = product.process.cpu()?.total();
    crowd.leave(&product.process).await?;

    let report = &mut bench.report;
    report.say(&format!(
        "{} sockets acknowledged after {:.2} s, everything missed received after {:.2} s, {} us of CPU per socket",
        number(SUBSCRIBERS as f64),
        opened.as_secs_f64(),
        resumed.as_secs_f64(),
        number(cpu * 1e6 / SUBSCRIBERS as f64)
    ));
    report.goal("G12", "5,000 at once, all resumed after", resumed.as_secs_f64(), " s", Bound::AtMost(10.0));
    report.goal("G12", "connections refused by a full queue", overflows as f64, "", Bound::Exactly(0.0));
    match executed {
        Some(executed) => {
            report.goal("G12", "executions for 20 missed events", executed, "", Bound::AtMost(MISSED as f64))
        }
        None => report.skip("G12", "executions <= missed events", "this server publishes no /metrics with that count"),
    }
    Ok(())
}
