//! G6: an ordinary day: 10 events a second to 1,000 subscribers.

use std::time::Duration;

use super::Bench;
use crate::crowd::{Crowd, Plan};
use crate::histogram::median;
use crate::report::{Bound, Rounds as _};
use crate::round::{Round, paced};
use crate::server::peer::Peer;
use crate::server::product::Product;

const SUBSCRIBERS: usize = 1_000;
const EVERY: Duration = Duration::from_millis(100);

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("paced").await?;
    let product = Product::start(settings, &database.node()).await?;
    let raw = Peer::raw(settings).await?;
    let mut trigger = database.trigger(1).await?;
    let time = settings.time(8.0);
    bench.report.rounds_head();
    let mut ours = Vec::new();
    for _ in 0..settings.rounds(3) {
        let mut plan = Plan::new(product.address, SUBSCRIBERS, database.order_ids(1));
        plan.signer = Some(product.signer.clone());
        let crowd = Crowd::open(plan).await?;
        crowd.wake(&mut trigger).await?;
        let round = paced(&crowd, &mut trigger, &product.process, EVERY, time).await?;
        crowd.leave(&product.process).await?;
        bench.report.round("ours", &round);
        ours.push(round);
    }
    let crowd = Crowd::open(Plan::new(raw.address, SUBSCRIBERS, vec!["any".to_owned()])).await?;
    let mut raw_trigger = raw.trigger();
    crowd.wake(&mut raw_trigger).await?;
    let round = paced(&crowd, &mut raw_trigger, &raw.process, EVERY, time).await?;
    crowd.leave(&raw.process).await?;
    bench.report.round("raw", &round);

    let report = &mut bench.report;
    let late = median(ours.iter().map(|round| round.latency.quantile(0.99)));
    report.goal("G6", "10 events/s to 1,000, commit to receipt, p99", late, " ms", Bound::AtMost(30.0));
    let busy = median(ours.iter().map(Round::busy)) * 100.0;
    report.goal("G6", "10 events/s to 1,000, server core", busy, " %", Bound::AtMost(20.0));
    Ok(())
}
