//! The tables of rounds; the rest of the report is what all benchmarks share.

pub use bench_common::report::{Bound, Report, number};

use crate::round::Round;

/// Tables of rounds.
pub trait Rounds {
    /// A round as a line of a table: see [`Rounds::rounds_head`].
    fn round(&mut self, server: &str, round: &Round);

    /// The head of a table of rounds.
    fn rounds_head(&mut self);
}

impl Rounds for Report {
    fn round(&mut self, server: &str, round: &Round) {
        let mark = if round.disturbance.matters() {
            format!("disturbed: others {:.2}, steal {:.2} of a core", round.disturbance.others, round.disturbance.steal)
        } else {
            String::new()
        };
        let first = match round.reaction.total() {
            0 => "-".to_owned(),
            _ => format!("{:.1}", round.reaction.quantile(0.5)),
        };
        self.say(&format!(
            "| {server:8} | {:>9} | {:>9} | {:>7.2} | {:>9.2} | {first:>8} | {:>6.1} | {:>6.1} | {:>3.0} % | {mark} |",
            number(round.rate()),
            number(round.sweep_rate()),
            round.user_micros(),
            round.kernel_micros(),
            round.latency.quantile(0.5),
            round.latency.quantile(0.99),
            round.busy() * 100.0,
        ));
    }
    fn rounds_head(&mut self) {
        self.say("| server   |    msgs/s |   sweep/s | user us | kernel us | first ms | p50 ms | p99 ms |  core | |");
        self.say("| -------- | --------: | --------: | ------: | --------: | -------: | -----: | -----: | ----: | - |");
    }
}
