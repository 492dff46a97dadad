//! Contenders in turn, and what comes of it: a line of each, and the goals.

use bench_common::report::{Bound, number};

use super::Bench;
use crate::product::Product;
use crate::round::{Round, Rounds};

/// Connections that a comparison is made with.
pub const CONNECTIONS: [usize; 2] = [16, 64];

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    Ours,
    Pgbench,
    Postgraphile,
}

/// Goals: share of pgbench at 16 and 64 connections, and how often as fast as PostGraphile.
const GOALS: &[(&str, f64, f64, Option<f64>)] = &[
    ("R1", 0.35, 0.70, Some(2.5)),
    ("R2", 1.2, 1.5, Some(5.0)),
    ("R3", 0.75, 1.1, Some(4.0)),
    ("R4", 0.5, 0.8, None),
    ("R5", 0.5, 0.8, None),
    ("W1", 0.95, 1.3, Some(1.6)),
    ("W2", 0.95, 1.3, Some(2.4)),
    ("W3", 0.95, 1.3, None),
    ("W4", 0.95, 1.3, None),
];

/// Rounds of one operation at one number of connections.
pub struct Table<'a> {
    product: &'a Product,
    rounds: [Rounds; 3],
}

impl<'a> Table<'a> {
    /// Begins a table.
    pub fn new(bench: &mut Bench<'_>, product: &'a Product) -> Self {
        bench.report.say("Ratios are taken within each round, then their median; the other figures are medians.\n");
        bench.report.say("| | conn. | who | per s | of pgbench | p50 ms | p99 ms | server us | database us | |");
        bench.report.say("| - | ---: | - | ---: | ---: | ---: | ---: | ---: | ---: | - |");
        Self { product, rounds: Default::default() }
    }

    /// Keeps a measurement.
    pub fn add(&mut self, who: Contender, round: Round) {
        self.rounds[who as usize].0.push(round);
    }

    /// Lets the server go on; others are measured while it is stopped, so that it takes nothing then.
    pub async fn wake(&self) -> anyhow::Result<()> {
        self.product.process.signal("CONT").await
    }

    /// Lets the server finish what it does by itself, and stops it.
    pub async fn rest(&self) -> anyhow::Result<()> {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        self.product.process.signal("STOP").await
    }

    /// Says what was found, and begins anew.
    pub fn finish(&mut self, bench: &mut Bench<'_>, name: &'static str, connections: usize) {
        let rounds = std::mem::take(&mut self.rounds);
        let share = |who: usize| {
            let pairs = rounds[who].0.iter().zip(&rounds[1].0).map(|(one, limit)| one.rate / limit.rate);
            bench_common::histogram::median(pairs)
        };
        for (who, label) in ["ours", "pgbench", "PostGraphile"].into_iter().enumerate() {
            if rounds[who].0.is_empty() {
                continue;
            }
            let mark = rounds[who].disturbed().map_or_else(String::new, |disturbance| {
                format!("disturbed: others {:.2}, steal {:.2} of a core", disturbance.others, disturbance.steal)
            });
            let of = |figure: fn(&Round) -> f64| rounds[who].median(figure);
            bench.report.say(&format!(
                "| {name} | {connections} | {label} | {} | {:.2} | {:.1} | {:.1} | {:.0} | {:.0} | {mark} |",
                number(of(|round| round.rate)),
                share(who),
                of(|round| round.latency.quantile(0.5)),
                of(|round| round.latency.quantile(0.99)),
                of(|round| round.server),
                of(|round| round.database),
            ));
        }
        let Some((_, few, many, peer)) = GOALS.iter().find(|goal| goal.0 == name) else { return };
        let wanted = if connections == CONNECTIONS[0] { *few } else { *many };
        let what = format!("{connections} connections, share of pgbench");
        bench.goals.push((name, what, share(0), "x", Bound::AtLeast(wanted)));
        if let (Some(wanted), false) = (peer, rounds[2].0.is_empty()) {
            let pairs = rounds[0].0.iter().zip(&rounds[2].0).map(|(one, peer)| one.rate / peer.rate);
            let times = bench_common::histogram::median(pairs);
            let what = format!("{connections} connections, against PostGraphile");
            bench.goals.push((name, what, times, "x", Bound::AtLeast(*wanted)));
        }
    }
}
