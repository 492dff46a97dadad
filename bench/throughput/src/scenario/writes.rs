//! W1 to W4 against pgbench with the server's own statements, and W1 and W2 against PostGraphile.

use anyhow::{Context, bail};
use bench_common::report::number;

use super::compare::{CONNECTIONS, Contender, Table};
use super::{Bench, growth};
use crate::fill::Filled;
use crate::load::{self, Bodies, closed_loop};
use crate::operation::writes::{Target, WRITES, Write};
use crate::pgbench::{self, Extent};
use crate::postgraphile::Postgraphile;
use crate::product::Product;
use crate::round::Before;
use crate::{capture, database, postgraphile, replay};

/// Seconds of one measurement, at most.
const SECONDS: f64 = 3.0;
/// Copies that samples of statements are taken from, and those that are PostGraphile's and growth's.
const SAMPLED: u64 = 30;
const OTHERS: u64 = 2 * postgraphile::MILESTONES + 3 * growth::SLICE;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let filled = bench.filled(bench.settings.orders).await?;
    let outcome = measure(bench, &filled).await;
    bench.keep(filled);
    outcome
}

async fn measure(bench: &mut Bench<'_>, filled: &Filled) -> anyhow::Result<()> {
    let settings = bench.settings;
    let mut scripts = Vec::new();
    for write in WRITES {
        let samples = capture::samples(settings, filled, write).await.with_context(|| write.name())?;
        let counts: Vec<String> = samples.iter().map(|step| step[0].statements.len().to_string()).collect();
        bench.report.say(&format!("{}: {} statements in one mutation", write.name(), counts.join(", then ")));
        for statement in samples.iter().take(1).flat_map(|step| &step[0].statements) {
            let text: String =
                statement.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
            bench.report.say(&format!("    {text}"));
        }
        let script = settings.folder.join(format!("{}.sql", write.name()));
        std::fs::write(&script, replay::script(filled, write, &samples).await?)?;
        scripts.push(script);
    }
    let product = Product::start(settings, Some(&filled.url), "data").await?;
    let peer = Postgraphile::start(settings, filled).await?;
    let mut table = Table::new(bench, &product);
    let mut appeared = Vec::new();
    let mut run = 1;
    for (write, script) in WRITES.into_iter().zip(&scripts) {
        let slice = match write.template(filled)? {
            Some(template) => {
                let kept = if write == Write::W2 { SAMPLED + OTHERS } else { SAMPLED };
                template.copies.saturating_sub(kept) / (settings.rounds() * 4) as u64
            }
            None => u64::MAX,
        };
        let mut rows = (0, 0);
        for connections in CONNECTIONS {
            for _ in 0..settings.rounds() {
                run += 1;
                table.wake().await?;
                let count = Counted::before(filled, write).await?;
                let before = Before::now(Some(&product.process))?;
                let answers = ours(bench, filled, write, &product, connections, slice, run).await?;
                let round = before.round(Some(&product.process), answers)?;
                rows = (rows.0 + round.count, rows.1 + count.after("ours", round.count).await?);
                let answered = round.count;
                table.add(Contender::Ours, round);
                let mut connection = database::connect(&filled.url).await?;
                crate::fill::placed(&mut connection).await?;
                table.rest().await?;

                let count = Counted::before(filled, write).await?;
                let before = Before::now(None)?;
                let answers = theirs(bench, filled, write, script, connections, slice, answered).await?;
                let round = before.round(None, answers)?;
                count.after("pgbench", round.count).await?;
                table.add(Contender::Pgbench, round);

                if let Some(asked) = peer.write(write) {
                    peer.wake().await?;
                    let count = Counted::before(filled, write).await?;
                    let before = Before::now(Some(&peer.process))?;
                    let bodies = |number: u64| Some(asked.write_body(filled, write, run, number));
                    let answers = closed_loop(&asked.target, connections, settings.time(SECONDS), &bodies)
                        .await
                        .with_context(|| format!("PostGraphile {}", write.name()))?;
                    let round = before.round(Some(&peer.process), answers)?;
                    peer.rest().await?;
                    count.after("PostGraphile", round.count).await?;
                    table.add(Contender::Postgraphile, round);
                }
                // Nobody is to be told of what others wrote.
                database::run(&mut connection, "DELETE FROM event_waiting").await?;
            }
            table.finish(bench, write.name(), connections);
        }
        appeared.push(format!("{} {} of {}", write.name(), number(rows.1 as f64), number(rows.0 as f64)));
    }
    table.wake().await?;
    bench.report.say(&format!("\nrows that appeared, of answers: {}", appeared.join("; ")));
    bench.memory("after the writes", &product)?;
    peer.wake().await?;
    bench.report.say(&format!("PostGraphile after the writes: {:.0} MB", peer.process.memory()? / 1e6));
    peer.process.stop().await?;
    product.process.stop().await
}

/// Rows are counted before and after.
struct Counted<'a> {
    filled: &'a Filled,
    write: Write,
    before: i64,
}

impl<'a> Counted<'a> {
    async fn before(filled: &'a Filled, write: Write) -> anyhow::Result<Self> {
        let mut connection = database::connect(&filled.url).await?;
        Ok(Self { filled, write, before: database::count(&mut connection, write.counted()).await? })
    }

    async fn after(self, who: &str, answers: u64) -> anyhow::Result<u64> {
        let mut connection = database::connect(&self.filled.url).await?;
        let rows = u64::try_from(database::count(&mut connection, self.write.counted()).await? - self.before)?;
        if rows != answers {
            bail!("{} of {who}: {answers} were answered, but {rows} are in the database", self.write.name());
        }
        Ok(rows)
    }
}

/// Requests to the server, each to a copy of its own, until the time or the slice is over.
pub async fn ours(
    bench: &Bench<'_>,
    filled: &Filled,
    write: Write,
    product: &Product,
    connections: usize,
    slice: u64,
    run: u64,
) -> anyhow::Result<load::Answers> {
    let target = target(product, write)?;
    let copies = match write.template(filled)? {
        Some(template) => filled.take(template, slice),
        None => 0..u64::MAX,
    };
    if copies.is_empty() {
        bail!("no orders are left for {}", write.name());
    }
    let bodies: Bodies<'_> = &|number: u64| body(filled, write, &copies, number, run);
    let time = bench.settings.time(SECONDS);
    closed_loop(&target, connections, time, bodies).await.with_context(|| write.name().to_owned())
}

/// Where requests of a write go, as whom, and what must come back.
pub fn target(product: &Product, write: Write) -> anyhow::Result<load::Target> {
    let (role, subject) = write.person();
    Ok(load::Target {
        address: product.address,
        headers: format!("authorization: Bearer {}\r\n", product.signer.token(role, subject)?),
        expected: write.expected(),
    })
}

/// The request of a number: the first step of every copy, then the next.
pub fn body(filled: &Filled, write: Write, copies: &std::ops::Range<u64>, number: u64, run: u64) -> Option<String> {
    let count = copies.end - copies.start;
    let (step, copy) = (number / count.max(1), copies.start + number % count.max(1));
    if count == 0 || step >= write.steps() {
        return None;
    }
    write.body(filled, Target { copy, step, run }).ok()
}

async fn theirs(
    bench: &Bench<'_>,
    filled: &Filled,
    write: Write,
    script: &std::path::Path,
    clients: usize,
    slice: u64,
    answered: u64,
) -> anyhow::Result<load::Answers> {
    let (settings, url) = (bench.settings, &filled.url);
    let Some(template) = write.template(filled)? else {
        return pgbench::run(settings, url, script, clients, Extent::Time(settings.time(SECONDS)), &[]).await;
    };
    let copies = filled.take(template, slice);
    // About as many as the server did; each client has copies of its own.
    let each = (answered / clients as u64).max(1);
    let chunk = ((copies.end - copies.start) / clients as u64).min(each.div_ceil(write.steps()));
    if chunk == 0 {
        bail!("too few orders for {} over {clients} connections: --orders 20000 at least", write.name());
    }
    let each = Extent::Each(each.min(chunk * write.steps()));
    let variables = [("first", i64::try_from(copies.start)?), ("chunk", i64::try_from(chunk)?), ("counter", -1)];
    pgbench::run(settings, url, script, clients, each, &variables).await
}
