//! G1, G2: one event to everybody, and the next when all have it.

use std::net::SocketAddr;

use super::Bench;
use crate::crowd::{Crowd, Plan};
use crate::histogram::median;
use crate::process::Process;
use crate::report::{Bound, Rounds as _, number};
use crate::round::{Round, Wave, closed_loop};
use crate::server::peer::Peer;
use crate::server::product::Product;
use crate::trigger::Trigger;

/// One size of the crowd.
struct Size {
    subscribers: usize,
    rounds: usize,
    seconds: f64,
    against_raw: f64,
}

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    for size in [
        Size { subscribers: 1_000, rounds: 5, seconds: 3.0, against_raw: 0.65 },
        Size { subscribers: 10_000, rounds: 3, seconds: 4.0, against_raw: 0.85 },
    ] {
        compare(bench, &size).await?;
    }
    Ok(())
}

async fn compare(bench: &mut Bench<'_>, size: &Size) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("fanout").await?;
    let product = Product::start(settings, &database.node()).await?;
    let (raw, node) = (Peer::raw(settings).await?, Peer::node(settings).await?);
    let mut ours_trigger = database.trigger(1).await?;
    let (mut raw_trigger, mut node_trigger) = (raw.trigger(), node.trigger());
    let time = settings.time(size.seconds);

    let (mut ours, mut limit, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    bench.report.say(&format!("{} subscribers", number(size.subscribers as f64)));
    bench.report.rounds_head();
    for number in 0..settings.rounds(size.rounds) {
        let mut plan = Plan::new(product.address, size.subscribers, database.order_ids(1));
        plan.signer = Some(product.signer.clone());
        let crowd = Crowd::open(plan).await?;
        crowd.wake(&mut ours_trigger).await?;
        let round = closed_loop(&crowd, &mut ours_trigger, &product.process, Wave::All(1), time).await?;
        if number == 0
            && let Some(sample) = crowd.tally.sample()
        {
            raw.imitate(&sample).await?;
            bench.report.say(&format!("| a message has {} bytes; raw sends as many |", sample.len()));
        }
        crowd.leave(&product.process).await?;
        bench.report.round("ours", &round);
        ours.push(round);

        for (name, address, process, trigger, rounds) in [
            ("raw", raw.address, &raw.process, &mut raw_trigger, &mut limit),
            ("node", node.address, &node.process, &mut node_trigger, &mut theirs),
        ] {
            let round = peer(address, process, trigger, size.subscribers, Wave::All(1), time).await?;
            bench.report.round(name, &round);
            rounds.push(round);
        }
    }
    judge(bench, size, &ours, &limit, &theirs);
    Ok(())
}

/// A round of a peer, whose sockets need neither tokens nor orders.
pub async fn peer(
    address: SocketAddr,
    process: &Process,
    trigger: &mut Trigger,
    subscribers: usize,
    wave: Wave<'_>,
    time: std::time::Duration,
) -> anyhow::Result<Round> {
    let crowd = Crowd::open(Plan::new(address, subscribers, vec!["any".to_owned()])).await?;
    crowd.wake(trigger).await?;
    let round = closed_loop(&crowd, trigger, process, wave, time).await?;
    crowd.leave(process).await?;
    Ok(round)
}

/// The median of the ratios of rounds that were run side by side.
pub fn ratio(ours: &[Round], others: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    median(ours.iter().zip(others).map(|(ours, other)| figure(ours) / figure(other)))
}

fn judge(bench: &mut Bench<'_>, size: &Size, ours: &[Round], raw: &[Round], node: &[Round]) {
    let crowd = number(size.subscribers as f64);
    let middle = |rounds: &[Round], figure: fn(&Round) -> f64| number(median(rounds.iter().map(figure)));
    let report = &mut bench.report;
    report.say("");
    for (what, figure) in [
        ("msgs/s in the closed loop", Round::rate as fn(&Round) -> f64),
        ("msgs/s while spreading", Round::sweep_rate),
        ("user us per message", Round::user_micros),
        ("kernel us per message", Round::kernel_micros),
    ] {
        report.say(&format!(
            "medians, {what}: ours {}, raw {}, node {}",
            middle(ours, figure),
            middle(raw, figure),
            middle(node, figure)
        ));
    }
    let against = |what: &str| format!("N={crowd} {what}");
    let sweep = Round::sweep_rate;
    report.goal(
        "G1",
        &against("ours / raw, spreading"),
        ratio(ours, raw, sweep),
        "x",
        Bound::AtLeast(size.against_raw),
    );
    report.goal("G1", &against("user CPU, ours / raw"), ratio(ours, raw, Round::user_micros), "x", Bound::AtMost(1.6));
    // Node.js computes everybody's message before it writes the first: its sweep is only half its work.
    let whole = median(ours.iter().zip(node).map(|(ours, node)| ours.sweep_rate() / node.rate()));
    report.goal("G2", &against("ours spreading / node from call to last"), whole, "x", Bound::AtLeast(3.0));
    report.say(&format!(
        "with the commit and the relay in the loop: ours / raw {}, ours / node {}",
        number(ratio(ours, raw, Round::rate)),
        number(ratio(ours, node, Round::rate))
    ));
}
