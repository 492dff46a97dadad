//! G3: 16 events at once, which a good server writes together.

use super::Bench;
use super::fanout::{peer, ratio};
use crate::crowd::{Crowd, Plan};
use crate::report::{Bound, Rounds as _};
use crate::round::{Round, Wave, closed_loop};
use crate::server::peer::Peer;
use crate::server::product::Product;

const SUBSCRIBERS: usize = 1_000;
const OUTSTANDING: u64 = 16;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("burst").await?;
    let product = Product::start(settings, &database.node()).await?;
    let raw = Peer::raw(settings).await?;
    let (mut trigger, mut raw_trigger) = (database.trigger(1).await?, raw.trigger());
    let time = settings.time(3.0);
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    bench.report.rounds_head();
    for number in 0..settings.rounds(3) {
        let mut plan = Plan::new(product.address, SUBSCRIBERS, database.order_ids(1));
        plan.signer = Some(product.signer.clone());
        let crowd = Crowd::open(plan).await?;
        crowd.wake(&mut trigger).await?;
        let round = closed_loop(&crowd, &mut trigger, &product.process, Wave::All(OUTSTANDING), time).await?;
        if let (0, Some(sample)) = (number, crowd.tally.sample()) {
            raw.imitate(&sample).await?;
        }
        crowd.leave(&product.process).await?;
        bench.report.round("ours", &round);
        ours.push(round);
        let round =
            peer(raw.address, &raw.process, &mut raw_trigger, SUBSCRIBERS, Wave::All(OUTSTANDING), time).await?;
        bench.report.round("raw", &round);
        limit.push(round);
    }
    let report = &mut bench.report;
    report.goal(
        "G3",
        "burst of 16, ours / raw, spreading",
        ratio(&ours, &limit, Round::sweep_rate),
        "x",
        Bound::AtLeast(2.0),
    );
    report.say(&format!("with the commit and the relay in the loop: {:.2}", ratio(&ours, &limit, Round::rate)));
    Ok(())
}
