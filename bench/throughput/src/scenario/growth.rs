//! What it takes when there is ten times as much.

use anyhow::Context;
use bench_common::report::{Bound, number};

use super::Bench;
use super::writes::ours;
use crate::fill::Filled;
use crate::load::{Target, closed_loop};
use crate::operation::reads::Read;
use crate::operation::writes::Write;
use crate::product::Product;
use crate::round::{Before, Round, Rounds};

/// As many as the server has cores, so that requests do not wait for each other.
const CONNECTIONS: usize = 2;
const SECONDS: f64 = 1.5;
/// Copies that one round may write to.
pub const SLICE: u64 = 250;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let mut sizes = bench.settings.growth.clone();
    // A database that is there already is measured before it is thrown away.
    sizes.sort_by_key(|size| (*size != bench.settings.orders, *size));
    let mut found: Vec<(u64, Vec<(&'static str, f64)>)> = Vec::new();
    for size in sizes {
        let filled = bench.filled(size).await?;
        let outcome = measure(bench, &filled).await;
        bench.keep(filled);
        found.push((size, outcome?));
    }
    found.sort_by_key(|(size, _)| *size);
    let Some((least, base)) = found.first() else { return Ok(()) };
    for (size, figures) in found.iter().skip(1) {
        for ((name, time), (_, before)) in figures.iter().zip(base) {
            let what = format!("p50 on {} orders, of that on {}", number(*size as f64), number(*least as f64));
            bench.goals.push((name, what, time / before, "x", Bound::AtMost(1.3)));
        }
    }
    Ok(())
}

async fn measure(bench: &mut Bench<'_>, filled: &Filled) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let settings = bench.settings;
    let product = Product::start(settings, Some(&filled.url), "data").await?;
    let token = product.signer.token("SALES", "sam.sales")?;
    let mut figures = Vec::new();
    for read in [Read::R1, Read::R2, Read::R3] {
        let query = read.query();
        let target = Target {
            address: product.address,
            headers: format!("authorization: Bearer {token}\r\n"),
            expected: read.expected(),
        };
        let mut rounds = Rounds::default();
        for round in 0..settings.rounds() as u64 {
            let bodies = |number: u64| Some(read.body(&query, filled, (round + 1_000) << 32 | number));
            let before = Before::now(Some(&product.process))?;
            let answers =
                closed_loop(&target, CONNECTIONS, settings.time(SECONDS), &bodies).await.context(read.name())?;
            rounds.0.push(before.round(Some(&product.process), answers)?);
        }
        figures.push((read.name(), say(bench, read.name(), &rounds)));
    }
    for write in [Write::W1, Write::W2] {
        let mut rounds = Rounds::default();
        for round in 0..settings.rounds() as u64 {
            let before = Before::now(Some(&product.process))?;
            let answers = ours(bench, filled, write, &product, CONNECTIONS, SLICE, 800_000 + round).await?;
            rounds.0.push(before.round(Some(&product.process), answers)?);
        }
        figures.push((write.name(), say(bench, write.name(), &rounds)));
    }
    product.process.stop().await?;
    Ok(figures)
}

fn say(bench: &mut Bench<'_>, name: &str, rounds: &Rounds) -> f64 {
    let p50 = rounds.median(|round: &Round| round.latency.quantile(0.5));
    let mark = rounds.disturbed().map_or_else(String::new, |by| {
        format!(" (disturbed: others {:.2}, steal {:.2} of a core)", by.others, by.steal)
    });
    let p99 = rounds.median(|round| round.latency.quantile(0.99));
    bench.report.say(&format!("{name}, {CONNECTIONS} connections: p50 {p50:.2} ms, p99 {p99:.2} ms{mark}"));
    p50
}
