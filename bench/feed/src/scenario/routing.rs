//! G4: each event concerns one subscriber, however many there are.

use super::Bench;
use crate::crowd::{Crowd, Plan};
use crate::histogram::median;
use crate::prepared::Database;
use crate::report::{Bound, Rounds as _, number};
use crate::round::{Round, Wave, closed_loop};
use crate::server::product::Product;

const MANY: usize = 10_000;
const FEW: usize = 100;
const OUTSTANDING: usize = 16;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("routing").await?;
    let product = Product::start(settings, &database.node()).await?;
    let (mut many, mut few, mut all_at_once) = (Vec::new(), Vec::new(), Vec::new());
    bench.report.say("16 events in a transaction, to 16 different subscribers; the next 16 when they have come");
    bench.report.rounds_head();
    for _ in 0..settings.rounds(3) {
        few.push(windows(bench, &database, &product, FEW, &mut Vec::new()).await?);
        many.push(windows(bench, &database, &product, MANY, &mut all_at_once).await?);
    }
    let report = &mut bench.report;
    let per_event = |rounds: &[Round]| median(rounds.iter().map(Round::micros_per_event));
    report.say(&format!(
        "\nserver CPU per event in windows of 16: {} us with 100 subscribers, {} us with 10,000",
        number(per_event(&few)),
        number(per_event(&many))
    ));
    report.say(&format!(
        "one event for each of 10,000 at once: {} us of CPU per event; {} events/s from the first to the last",
        number(per_event(&all_at_once)),
        number(median(all_at_once.iter().map(Round::sweep_rate)))
    ));
    let per_core = median(all_at_once.iter().map(|round| round.events / round.cpu.total()));
    report.goal("G4", "events for 1 of 10,000 per second and core", per_core, "", Bound::AtLeast(20_000.0));
    let spread = median(many.iter().map(|round| round.spread.quantile(0.99)));
    report.goal("G4", "from the first of 16 to each, p99", spread, " ms", Bound::AtMost(2.0));
    let late = median(many.iter().map(|round| round.latency.quantile(0.99)));
    report.goal("G4", "commit to receipt, 16 outstanding, p99", late, " ms", Bound::AtMost(2.0));
    let growth = median(many.iter().zip(&few).map(|(many, few)| many.micros_per_event() / few.micros_per_event()));
    report.goal("G4", "CPU per event, 10,000 / 100 subscribers", growth, "x", Bound::AtMost(1.25));
    Ok(())
}

/// A crowd of which each member follows its own order.
async fn windows(
    bench: &mut Bench<'_>,
    database: &Database,
    product: &Product,
    subscribers: usize,
    all_at_once: &mut Vec<Round>,
) -> anyhow::Result<Round> {
    let mut trigger = database.trigger(subscribers).await?;
    let mut plan = Plan::new(product.address, subscribers, database.order_ids(subscribers));
    plan.signer = Some(product.signer.clone());
    let crowd = Crowd::open(plan).await?;
    crowd.wake(&mut trigger).await?;
    product.process.quiet(std::time::Duration::from_secs(30)).await?;
    let mut next = 0;
    // Neighbours in the list are no neighbours on the network: 7,919 is prime.
    let mut choose = || {
        (0..OUTSTANDING)
            .map(|_| {
                next = (next + 7_919) % subscribers;
                next
            })
            .collect()
    };
    let time = bench.settings.time(4.0);
    let round = closed_loop(&crowd, &mut trigger, &product.process, Wave::Some(&mut choose), time).await?;
    bench.report.round(&number(subscribers as f64), &round);
    if subscribers == MANY {
        let mut everybody = || (0..MANY).collect();
        let wave = Wave::Some(&mut everybody);
        let round = closed_loop(&crowd, &mut trigger, &product.process, wave, bench.settings.time(2.0)).await?;
        bench.report.round("all", &round);
        all_at_once.push(round);
    }
    crowd.leave(&product.process).await?;
    Ok(round)
}
