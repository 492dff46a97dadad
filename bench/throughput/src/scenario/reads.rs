//! R1 to R5 against pgbench, and R1 to R3 against PostGraphile.

use anyhow::{Context, bail};
use bench_common::http::Http;

use super::Bench;
use super::compare::{CONNECTIONS, Contender, Table};
use crate::database;
use crate::fill::Filled;
use crate::load::{Target, closed_loop};
use crate::operation::difference;
use crate::operation::reads::{READS, Read};
use crate::pgbench::{self, Extent};
use crate::postgraphile::Postgraphile;
use crate::product::Product;
use crate::round::Before;

/// Seconds of one measurement.
const SECONDS: f64 = 2.0;
/// Answers whose content is compared.
const COMPARED: u64 = 5;

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let filled = bench.filled(bench.settings.orders).await?;
    let outcome = measure(bench, &filled).await;
    bench.keep(filled);
    outcome
}

async fn measure(bench: &mut Bench<'_>, filled: &Filled) -> anyhow::Result<()> {
    let settings = bench.settings;
    let product = Product::start(settings, Some(&filled.url), "data").await?;
    let token = product.signer.token("SALES", "sam.sales")?;
    for read in READS {
        same_content(filled, &product, &token, read).await.with_context(|| read.name().to_owned())?;
    }
    let peer = Postgraphile::start(settings, filled).await?;
    let mut table = Table::new(bench, &product);
    for read in READS {
        let script = settings.folder.join(format!("{}.sql", read.name()));
        std::fs::write(&script, read.script(filled))?;
        let query = read.query();
        let target = Target {
            address: product.address,
            headers: format!("authorization: Bearer {token}\r\n"),
            expected: read.expected(),
        };
        for connections in CONNECTIONS {
            for round in 0..settings.rounds() {
                let numbers = |number: u64| (round as u64 + 1) << 32 | number;
                let time = settings.time(SECONDS);
                table.wake().await?;
                let before = Before::now(Some(&product.process))?;
                let bodies = |number: u64| Some(read.body(&query, filled, numbers(number)));
                let answers = closed_loop(&target, connections, time, &bodies).await.with_context(|| read.name())?;
                table.add(Contender::Ours, before.round(Some(&product.process), answers)?);
                table.rest().await?;

                let before = Before::now(None)?;
                let extent = Extent::Time(time);
                let answers = pgbench::run(settings, &filled.url, &script, connections, extent, &[]).await?;
                table.add(Contender::Pgbench, before.round(None, answers)?);

                if let Some(asked) = peer.read(read) {
                    peer.wake().await?;
                    let before = Before::now(Some(&peer.process))?;
                    let bodies = |number: u64| Some(asked.body(filled, read, numbers(number)));
                    let answers = closed_loop(&asked.target, connections, time, &bodies)
                        .await
                        .with_context(|| format!("PostGraphile {}", read.name()))?;
                    table.add(Contender::Postgraphile, before.round(Some(&peer.process), answers)?);
                    peer.rest().await?;
                }
            }
            table.finish(bench, read.name(), connections);
        }
    }
    table.wake().await?;
    bench.memory("after the reads", &product)?;
    bench.report.say(&format!("PostGraphile after the reads: {:.0} MB", peer.process.memory()? / 1e6));
    peer.wake().await?;
    peer.process.stop().await?;
    product.process.stop().await
}

/// The statement of pgbench must bring what the server answers.
async fn same_content(filled: &Filled, product: &Product, token: &str, read: Read) -> anyhow::Result<()> {
    let mut connection = database::connect(&filled.url).await?;
    let mut http = Http::to(product.address);
    for number in 0..COMPARED {
        let choice = read.choice(filled, number);
        let ours = http.graphql(token, &read.query(), read.variables(&choice)).await?;
        if let Err(wrong) = read.expected().check(ours.to_string().as_bytes()) {
            bail!("{wrong}");
        }
        let sql = read.statement_for(&choice);
        let theirs = database::text(&mut connection, &format!("SELECT ({sql})::text")).await?;
        let theirs = serde_json::from_str(&theirs)?;
        if let Some(difference) = difference(&ours, &theirs, "") {
            bail!("the statement brings something else than the server: {difference}");
        }
    }
    Ok(())
}
