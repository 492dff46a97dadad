//! The scenarios, one file each.

mod compare;
mod growth;
mod open;
mod reads;
mod sound;
mod sqlite;
mod writes;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use bench_common::report::{Bound, Report};

use crate::database;
use crate::fill::{self, Amount, Filled};
use crate::product::Product;
use crate::settings::Settings;

/// None may take longer, whatever hangs; and for each order that is filled in so much more.
const LONGEST: Duration = Duration::from_secs(600);
const LONGEST_PER_ORDER: Duration = Duration::from_millis(3);
/// Orders that a detail page is read of.
const HISTORIES: u64 = 1_000;

/// Something that can be measured.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// All of them, in the order they run in.
pub const ALL: [Scenario; 6] = [
    Scenario {
        name: "sound",
        about: "are the rows that are filled in rows the server would write? (`ordergraph verify`)",
    },
    Scenario { name: "reads", about: "R1 to R5 against pgbench and PostGraphile, 16 and 64 connections" },
    Scenario { name: "open", about: "R1 at 500 a second and W1 at 400, whatever the answers take" },
    Scenario { name: "writes", about: "W1 to W4 against pgbench with the server's own statements, and PostGraphile" },
    Scenario { name: "sqlite", about: "R1 and W1 on the embedded database" },
    Scenario { name: "growth", about: "R1 to R3, W1 and W2 on 10,000 and 100,000 orders, or as --growth says" },
];

/// What every scenario works with.
pub struct Bench<'a> {
    /// What to measure, and on what.
    pub settings: &'a Settings,
    /// Where findings go.
    pub report: Report,
    /// Goals, in the order of their names at the end.
    pub goals: Vec<Measured>,
    filled: Option<Filled>,
}

/// A figure with its goal: name, what, how much of what, and the bound.
pub type Measured = (&'static str, String, f64, &'static str, Bound);

impl Bench<'_> {
    /// A filled database of this size. The last one is kept, others are removed.
    pub async fn filled(&mut self, orders: u64) -> anyhow::Result<Filled> {
        let name = format!("bench_{orders}");
        if let Some(filled) = self.filled.take() {
            if filled.name == name {
                return Ok(filled);
            }
            database::remove(&self.settings.cluster, &filled.name).await?;
        }
        let began = Instant::now();
        let amount = Amount { orders, histories: Some(HISTORIES) };
        let filled = fill::fill(self.settings, &name, &amount).await?;
        self.report.say(&format!("filled in {:.0} s: {}", began.elapsed().as_secs_f64(), filled.summary));
        Ok(filled)
    }

    /// Keeps a database for the next scenario.
    pub fn keep(&mut self, filled: Filled) {
        self.filled = Some(filled);
    }

    /// The server's memory, and how long it took to start.
    pub fn memory(&mut self, when: &str, product: &Product) -> anyhow::Result<()> {
        let megabytes = product.process.memory()? / 1e6;
        let start = product.start.as_secs_f64() * 1e3;
        self.report.say(&format!("server {when}: {megabytes:.1} MB; it was ready {start:.0} ms after its start"));
        self.goals.push(("memory", format!("resident {when}"), megabytes, " MB", Bound::AtMost(64.0)));
        self.goals.push((
            "start",
            format!("to ready on an existing database, {when}"),
            start,
            " ms",
            Bound::AtMost(300.0),
        ));
        Ok(())
    }

    async fn run(&mut self, name: &str) -> anyhow::Result<()> {
        match name {
            "sound" => sound::run(self).await,
            "reads" => reads::run(self).await,
            "open" => open::run(self).await,
            "writes" => writes::run(self).await,
            "sqlite" => sqlite::run(self).await,
            "growth" => growth::run(self).await,
            other => bail!("there is no scenario {other}"),
        }
    }
}

/// Runs what is wanted. Fails when a scenario could not be run to its end, not when a goal is missed.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = settings.only.iter().find(|only| ALL.iter().all(|scenario| scenario.name != only.as_str())) {
        bail!("there is no scenario {unknown}; `scripts/bench-throughput --list` names them");
    }
    let largest = settings.growth.iter().copied().max().unwrap_or_default().max(settings.orders);
    let longest = LONGEST + LONGEST_PER_ORDER * u32::try_from(largest)?;
    let mut bench = Bench { settings, report: Report::default(), goals: Vec::new(), filled: None };
    for scenario in ALL.iter().filter(|scenario| settings.wants(scenario.name)) {
        bench.report.heading(&format!("{}: {}", scenario.name, scenario.about));
        let began = Instant::now();
        match tokio::time::timeout(longest, bench.run(scenario.name)).await {
            Ok(Ok(())) => bench.report.say(&format!("({:.0} s)", began.elapsed().as_secs_f64())),
            Ok(Err(error)) => bench.report.fail(scenario.name, &error),
            Err(_) => bench.report.fail(scenario.name, &anyhow::anyhow!("not finished after {longest:?}")),
        }
    }
    let mut goals = std::mem::take(&mut bench.goals);
    goals.sort_by(|one, other| one.0.cmp(other.0));
    bench.report.heading("All figures with a goal");
    for (name, what, measured, unit, bound) in goals {
        bench.report.goal(name, &what, measured, unit, bound);
    }
    bench.report.summary();
    if let Some(file) = &settings.report {
        bench.report.write(file)?;
    }
    Ok(if bench.report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
