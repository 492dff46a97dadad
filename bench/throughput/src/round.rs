//! One measurement: what was answered, and what it cost whom.

use bench_common::histogram::{Histogram, median};
use bench_common::machine::{Disturbance, Watch, postgres_seconds};
use bench_common::process::Process;

use crate::load::Answers;

/// What a measurement showed.
#[derive(Clone, Default)]
pub struct Round {
    /// Answers per second.
    pub rate: f64,
    /// Answers in all.
    pub count: u64,
    /// Times of the answers.
    pub latency: Histogram,
    /// Microseconds of processor time per answer, of the server; 0 where there is none.
    pub server: f64,
    /// The same, of the database.
    pub database: f64,
    /// What else the machine did.
    pub disturbance: Disturbance,
}

/// Figures of the processes before a measurement.
pub struct Before {
    watch: Watch,
    server: f64,
    database: f64,
}

impl Before {
    /// Reads them.
    pub fn now(server: Option<&Process>) -> anyhow::Result<Self> {
        let server = server.map(Process::cpu).transpose()?.unwrap_or_default().total();
        Ok(Self { watch: Watch::start(), server, database: postgres_seconds() })
    }

    /// Reads them again.
    pub fn round(self, server: Option<&Process>, answers: Answers) -> anyhow::Result<Round> {
        let spent = server.map(Process::cpu).transpose()?.unwrap_or_default().total() - self.server;
        let each = 1e6 / (answers.count.max(1) as f64);
        Ok(Round {
            rate: answers.count as f64 / answers.seconds.max(0.001),
            count: answers.count,
            latency: answers.latency,
            server: spent * each,
            database: (postgres_seconds() - self.database) * each,
            disturbance: self.watch.disturbance(),
        })
    }
}

/// The rounds of one contender.
#[derive(Default)]
pub struct Rounds(pub Vec<Round>);

impl Rounds {
    /// The median of a figure.
    pub fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.0.iter().map(figure))
    }

    /// The most that others took of the machine.
    pub fn disturbed(&self) -> Option<Disturbance> {
        self.0
            .iter()
            .map(|round| round.disturbance)
            .filter(|disturbance| disturbance.matters())
            .max_by(|one, other| (one.others + one.steal).total_cmp(&(other.others + other.steal)))
    }
}
