//! pgbench: the limit. Prepared statements, written by hand or taken from the server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use bench_common::histogram::Histogram;
use tokio::process::Command;

use crate::load::Answers;
use crate::settings::Settings;

/// How long it goes on.
pub enum Extent {
    /// So long.
    Time(Duration),
    /// So many transactions of each client.
    Each(u64),
}

/// Of how many transactions one's time is written down: writing all down would slow it.
const SAMPLED: &str = "0.2";
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a script on so many connections.
pub async fn run(
    settings: &Settings,
    url: &str,
    script: &Path,
    clients: usize,
    extent: Extent,
    variables: &[(&str, i64)],
) -> anyhow::Result<Answers> {
    let log = settings.log("pgbench");
    let folder = settings.folder.join(format!("{}.times", log.file_stem().unwrap_or_default().to_string_lossy()));
    std::fs::create_dir(&folder)?;
    let mut command = Command::new(settings.postgres_programs.join("pgbench"));
    command.args(["--no-vacuum", "--protocol=prepared", "--log", "--jobs=2", "--log-prefix=t"]);
    command.args(["--sampling-rate", SAMPLED, "--client", &clients.to_string()]);
    match extent {
        // pgbench knows whole seconds only.
        Extent::Time(time) => command.args(["--time", &time.as_secs_f64().round().max(1.0).to_string()]),
        Extent::Each(count) => command.args(["--transactions", &count.max(1).to_string()]),
    };
    for (name, value) in variables {
        command.arg(format!("--define={name}={value}"));
    }
    command.arg("--file").arg(script).arg(url).current_dir(&folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.context("pgbench hangs")?.context("pgbench")?;
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split([' ', '/']).find(|word| !word.is_empty())?.parse::<f64>().ok()
    };
    let rate = figure("tps =");
    let count = figure("number of transactions actually processed:");
    let (Some(rate), Some(count), true) = (rate, count, output.status.success()) else {
        bail!("pgbench: {text}\n{}", errors.lines().take(10).collect::<Vec<_>>().join("\n"));
    };
    if figure("number of failed transactions:").is_some_and(|failed| failed > 0.0) || errors.contains("ERROR:") {
        bail!("pgbench: {text}\n{errors}");
    }
    let mut latency = Histogram::default();
    for file in std::fs::read_dir(&folder)? {
        for line in std::fs::read_to_string(file?.path())?.lines() {
            if let Some(micros) = line.split(' ').nth(2).and_then(|field| field.parse().ok()) {
                latency.record(Duration::from_micros(micros));
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(Answers { count: count as u64, seconds: count / rate, latency })
}
