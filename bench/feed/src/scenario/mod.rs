//! The scenarios, one file each.

mod burst;
mod executions;
mod fanout;
mod latency;
mod memory;
mod paced;
mod routing;
mod storm;
mod writers;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::database::Model;
use crate::prepared::{Database, Prepared};
use crate::report::Report;
use crate::settings::Settings;

/// None may take longer, whatever hangs.
const LONGEST: Duration = Duration::from_secs(420);

/// Something that can be measured.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// All of them, in the order they run in.
pub const ALL: [Scenario; 9] = [
    Scenario {
        name: "fanout",
        about: "G1, G2: one event to 1,000 and 10,000 subscribers of one document; raw and Node.js",
    },
    Scenario { name: "burst", about: "G3: 16 events at once to 1,000 subscribers; raw" },
    Scenario { name: "routing", about: "G4: events that each concern 1 of 10,000 subscribers, and 1 of 100" },
    Scenario { name: "memory", about: "G5: resident memory per idle subscription" },
    Scenario { name: "paced", about: "G6: 10 events a second to 1,000 subscribers" },
    Scenario {
        name: "latency",
        about: "G7: commit to the last of 1,000 sockets; SQLite, two nodes, two nodes with NATS",
    },
    Scenario { name: "executions", about: "G8: executions are events times groups" },
    Scenario { name: "writers", about: "G10: what eventing costs those who write" },
    Scenario { name: "storm", about: "G12: 5,000 sockets come back at once" },
];

/// What every scenario works with.
pub struct Bench<'a> {
    /// What to measure, and on what.
    pub settings: &'a Settings,
    /// Where findings go.
    pub report: Report,
    prepared: Option<Arc<Prepared>>,
}

impl Bench<'_> {
    /// The template of all databases; made when it is first wanted.
    pub async fn prepared(&mut self) -> anyhow::Result<Arc<Prepared>> {
        if let Some(prepared) = &self.prepared {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(Prepared::make(self.settings).await?);
        self.prepared = Some(Arc::clone(&prepared));
        Ok(prepared)
    }

    /// A database of its own for a scenario.
    pub async fn database(&mut self, name: &str) -> anyhow::Result<Database> {
        self.prepared().await?.database(name).await
    }

    /// The order of the demo group that commands may be given for.
    pub async fn model(&mut self) -> anyhow::Result<Model> {
        Ok(self.prepared().await?.model.clone())
    }

    async fn run(&mut self, name: &str) -> anyhow::Result<()> {
        match name {
            "fanout" => fanout::run(self).await,
            "burst" => burst::run(self).await,
            "routing" => routing::run(self).await,
            "memory" => memory::run(self).await,
            "paced" => paced::run(self).await,
            "latency" => latency::run(self).await,
            "executions" => executions::run(self).await,
            "writers" => writers::run(self).await,
            "storm" => storm::run(self).await,
            other => bail!("there is no scenario {other}"),
        }
    }
}

/// Runs what is wanted. Fails when a scenario could not be run to its end, not when a goal is missed.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = settings.only.iter().find(|only| ALL.iter().all(|scenario| scenario.name != only.as_str())) {
        bail!("there is no scenario {unknown}; `scripts/bench-feed --list` names them");
    }
    let mut bench = Bench { settings, report: Report::default(), prepared: None };
    let mut unfinished = false;
    for scenario in ALL.iter().filter(|scenario| settings.wants(scenario.name)) {
        bench.report.heading(&format!("{}: {}", scenario.name, scenario.about));
        let began = Instant::now();
        match tokio::time::timeout(LONGEST, bench.run(scenario.name)).await {
            Ok(Ok(())) => bench.report.say(&format!("({:.0} s)", began.elapsed().as_secs_f64())),
            Ok(Err(error)) => bench.report.fail(scenario.name, &error),
            Err(_) => bench.report.fail(scenario.name, &anyhow::anyhow!("not finished after {LONGEST:?}")),
        }
        unfinished = !bench.report.failures.is_empty();
    }
    bench.report.summary();
    if let Some(file) = &settings.report {
        bench.report.write(file)?;
    }
    Ok(if unfinished { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
