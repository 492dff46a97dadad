//! Requests at fixed moments: what somebody waits for, also while others are answered.

use anyhow::Context;

use super::Bench;
use super::writes::{body, target};
use crate::fill::Filled;
use crate::load::{Answers, Target, closed_loop, open_loop};
use crate::operation::reads::Read;
use crate::operation::writes::Write;
use crate::product::Product;
use crate::round::{Before, Rounds};
use bench_common::report::{Bound, number};

const CONNECTIONS: usize = 64;
const SECONDS: f64 = 5.0;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let filled = bench.filled(bench.settings.orders).await?;
    let outcome = measure(bench, &filled).await;
    bench.keep(filled);
    outcome
}

async fn measure(bench: &mut Bench<'_>, filled: &Filled) -> anyhow::Result<()> {
    let settings = bench.settings;
    let product = Product::start(settings, Some(&filled.url), "data").await?;
    let query = Read::R1.query();
    let reads = Target {
        address: product.address,
        headers: format!("authorization: Bearer {}\r\n", product.signer.token("SALES", "sam.sales")?),
        expected: Read::R1.expected(),
    };
    let writes = target(&product, Write::W1)?;
    let read = |number: u64| Some(Read::R1.body(&query, filled, number));
    let write = |number: u64| body(filled, Write::W1, &(0..u64::MAX), number, 900_001);
    // Connections to the database are open and statements prepared when it counts.
    let warm = std::time::Duration::from_millis(700);
    closed_loop(&reads, CONNECTIONS, warm, &read).await?;
    let again = |number: u64| body(filled, Write::W1, &(0..u64::MAX), number, 900_000);
    closed_loop(&writes, CONNECTIONS, warm, &again).await?;
    for (name, target, bodies, rate, goal) in
        [("R1", &reads, &read as crate::load::Bodies<'_>, 500.0, 4.0), ("W1", &writes, &write, 400.0, 8.0)]
    {
        let mut rounds = Rounds::default();
        for round in 0..settings.rounds() as u64 {
            let before = Before::now(Some(&product.process))?;
            let numbered = |number: u64| bodies(round << 32 | number);
            let answers: Answers =
                open_loop(target, CONNECTIONS, rate, settings.time(SECONDS), &numbered).await.context(name)?;
            rounds.0.push(before.round(Some(&product.process), answers)?);
        }
        let of = |share: f64| rounds.median(|round| round.latency.quantile(share));
        let mark = rounds.disturbed().map_or_else(String::new, |by| {
            format!(" (disturbed: others {:.2}, steal {:.2} of a core)", by.others, by.steal)
        });
        bench.report.say(&format!(
            "{name} at {rate}/s: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms; {} answers{mark}",
            of(0.5),
            of(0.99),
            of(0.999),
            number(rounds.0.iter().map(|round| round.count as f64).sum()),
        ));
        bench.goals.push((name, format!("open loop at {rate}/s, p99"), of(0.99), " ms", Bound::AtMost(goal)));
    }
    product.process.stop().await
}
