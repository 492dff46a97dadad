//! The scenarios, one file each.

mod sound;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use bench_common::report::Report;

use crate::database;
use crate::fill::{self, Amount, Filled};
use crate::settings::Settings;

/// None may take longer, whatever hangs.
const LONGEST: Duration = Duration::from_secs(600);
/// Orders that a detail page is read of.
const HISTORIES: u64 = 2_000;

/// Something that can be measured.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// All of them, in the order they run in.
pub const ALL: [Scenario; 1] = [
    Scenario { name: "sound", about: "are the rows that are filled in rows the server would write? (`ordergraph verify`)" },
];

/// What every scenario works with.
pub struct Bench<'a> {
    /// What to measure, and on what.
    pub settings: &'a Settings,
    /// Where findings go.
    pub report: Report,
    filled: Option<Filled>,
}

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

    async fn run(&mut self, name: &str) -> anyhow::Result<()> {
        match name {
            "sound" => sound::run(self).await,
            other => bail!("there is no scenario {other}"),
        }
    }
}

/// Runs what is wanted. Fails when a scenario could not be run to its end, not when a goal is missed.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = settings.only.iter().find(|only| ALL.iter().all(|scenario| scenario.name != only.as_str())) {
        bail!("there is no scenario {unknown}; `scripts/bench-throughput --list` names them");
    }
    let mut bench = Bench { settings, report: Report::default(), filled: None };
    for scenario in ALL.iter().filter(|scenario| settings.wants(scenario.name)) {
        bench.report.heading(&format!("{}: {}", scenario.name, scenario.about));
        let began = Instant::now();
        match tokio::time::timeout(LONGEST, bench.run(scenario.name)).await {
            Ok(Ok(())) => bench.report.say(&format!("({:.0} s)", began.elapsed().as_secs_f64())),
            Ok(Err(error)) => bench.report.fail(scenario.name, &error),
            Err(_) => bench.report.fail(scenario.name, &anyhow::anyhow!("not finished after {LONGEST:?}")),
        }
    }
    bench.report.summary();
    if let Some(file) = &settings.report {
        bench.report.write(file)?;
    }
    Ok(if bench.report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
