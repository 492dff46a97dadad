//! pgbench: the limit. Prepared statements, written by hand or taken from the server.

use std::collections::BTreeMap;
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

/// Seconds in which all clients must have been at work together for their rate to be taken from it.
const TOGETHER: f64 = 0.3;
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
    command.args(["--client", &clients.to_string()]);
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
    let mut times = Vec::new();
    for file in std::fs::read_dir(&folder)? {
        times.extend(std::fs::read_to_string(file?.path())?.lines().filter_map(Time::read));
    }
    std::fs::remove_dir_all(&folder)?;
    let (rate, latency) = steady(&times, rate);
    Ok(Answers { count: count as u64, seconds: count / rate, latency })
}

/// A transaction: of whom, how long it took, and when it ended.
struct Time {
    client: u32,
    taken: Duration,
    ended: f64,
}

impl Time {
    /// From a line of the log: client, number, microseconds, script, and the end in two parts.
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(' ').collect();
        Some(Self {
            client: fields.first()?.parse().ok()?,
            taken: Duration::from_micros(fields.get(2)?.parse().ok()?),
            ended: fields.get(4)?.parse::<f64>().ok()? + fields.get(5)?.parse::<f64>().ok()? / 1e6,
        })
    }
}

/// Rate and times while all clients were at work with every statement prepared: a connection's first
/// transaction parses and plans them all, which a server's kept connections do once in their lives.
fn steady(times: &[Time], overall: f64) -> (f64, Histogram) {
    let mut spans: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for time in times {
        let span = spans.entry(time.client).or_insert((time.ended, time.ended));
        *span = (span.0.min(time.ended), span.1.max(time.ended));
    }
    let begin = spans.values().map(|span| span.0).fold(0.0, f64::max);
    let end = spans.values().map(|span| span.1).fold(f64::MAX, f64::min);
    let mut latency = Histogram::default();
    for time in times.iter().filter(|time| time.ended > begin && time.ended <= end) {
        latency.record(time.taken);
    }
    if end - begin >= TOGETHER {
        return (latency.total() as f64 / (end - begin), latency);
    }
    let mut latency = Histogram::default();
    for time in times {
        latency.record(time.taken);
    }
    (overall, latency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_transactions_of_all_do_not_count() {
        let line = |client: u32, ended: f64| Time { client, taken: Duration::from_millis(1), ended };
        let times: Vec<Time> =
            (0..10).flat_map(|second| [line(1, f64::from(second)), line(2, f64::from(second) + 2.0)]).collect();
        let (rate, latency) = steady(&times, 99.0);
        assert_eq!(latency.total(), 14);
        assert!((rate - 2.0).abs() < 0.01, "{rate}");
    }

    #[test]
    fn a_line_of_the_log_is_read() {
        let time = Time::read("3 17 2500 0 1700000000 250000").expect("a time");
        assert_eq!((time.client, time.taken), (3, Duration::from_micros(2_500)));
    }
}
