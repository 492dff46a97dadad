//! G10: the same transactions, with and without what eventing adds to them.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

use super::Bench;
use crate::database::{self, Writer};
use crate::histogram::median;
use crate::prepared::Database;
use crate::report::{Bound, number};
use crate::server::product::Product;

/// How often the nodes' hints to the relay are sent at most.
const HINTS: Duration = Duration::from_millis(5);

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let database = bench.database("writers").await?;
    let model = bench.model().await?;
    let plain = settings.folder.join("plain.sql");
    let eventing = settings.folder.join("eventing.sql");
    std::fs::write(&plain, database::transaction(&database.url, &model, false).await?)?;
    std::fs::write(&eventing, database::transaction(&database.url, &model, true).await?)?;
    // The database may use the whole machine here, as the relay does not need a core.
    let cores = format!("{},{}", settings.server_cores, settings.other_cores);
    affinity(&cores).await?;
    let outcome = compare(bench, &database, &plain, &eventing).await;
    affinity(&settings.other_cores).await?;
    outcome
}

async fn compare(
    bench: &mut Bench<'_>,
    database: &Database,
    plain: &std::path::Path,
    eventing: &std::path::Path,
) -> anyhow::Result<()> {
    let settings = bench.settings;
    let seconds = settings.time(5.0).as_secs().max(2);
    bench.report.say("| clients | without | with a relay | cost | left to the relay |");
    bench.report.say("| ---: | ---: | ---: | ---: | ---: |");
    for clients in [8, 32] {
        let mut costs = Vec::new();
        for _ in 0..settings.rounds(5) {
            let without = pgbench(bench, database, plain, clients, seconds).await?;
            let product = Product::start(settings, &database.node()).await?;
            let mut writer = Writer::connect(&database.url, &database.prepared.model).await?;
            let hints = tokio::spawn(async move {
                loop {
                    writer.notify().await?;
                    tokio::time::sleep(HINTS).await;
                }
                #[expect(unreachable_code, reason = "names the type of the error")]
                anyhow::Ok(())
            });
            let with = pgbench(bench, database, eventing, clients, seconds).await;
            hints.abort();
            let with = with?;
            let left = database::waiting(&database.url).await?;
            product.process.stop().await?;
            bench.report.say(&format!(
                "| {clients} | {} tps | {} tps | {:.1} % | {} |",
                number(without),
                number(with),
                (1.0 - with / without) * 100.0,
                left.map_or_else(|| "no such table".to_owned(), |left| number(left as f64)),
            ));
            costs.push((1.0 - with / without) * 100.0);
        }
        bench.report.goal(
            "G10",
            &format!("cost of eventing, {clients} clients"),
            median(costs),
            " %",
            Bound::AtMost(20.0),
        );
    }
    Ok(())
}

async fn pgbench(
    bench: &Bench<'_>,
    database: &Database,
    script: &std::path::Path,
    clients: u32,
    seconds: u64,
) -> anyhow::Result<f64> {
    let output = Command::new(bench.settings.postgres_programs.join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--client", &clients.to_string(), "--time", &seconds.to_string()])
        .arg("--file")
        .arg(script)
        .arg(&database.url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    match rate {
        Some(rate) if output.status.success() => Ok(rate),
        _ => bail!("pgbench: {}\n{text}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Lets all of PostgreSQL's processes run on these cores.
async fn affinity(cores: &str) -> anyhow::Result<()> {
    for process in crate::machine::postgres() {
        // One that has ended in the meantime has no affinity.
        let _ = Command::new("taskset")
            .args(["-p", "-c", cores, &process.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
    }
    Ok(())
}
