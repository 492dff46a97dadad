//! What else the machine did meanwhile: figures of a disturbed round say little.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::process::Cpu;

/// Shares of a core from which a round counts as disturbed.
const OTHERS: f64 = 0.15;
const STEAL: f64 = 0.05;

/// The processor time of everybody at a moment.
pub struct Watch {
    began: Instant,
    all: f64,
    steal: f64,
    ours: f64,
}

/// What was not ours, in cores.
#[derive(Clone, Copy, Default, Debug)]
pub struct Disturbance {
    /// Taken by other programs of this machine.
    pub others: f64,
    /// Taken by other machines of this host.
    pub steal: f64,
}

impl Disturbance {
    /// Is it so much that the figures are in doubt?
    pub fn matters(self) -> bool {
        self.others > OTHERS || self.steal > STEAL
    }
}

impl Watch {
    /// Begins to watch. Ours are this process, its children, and those below the PostgreSQL server.
    pub fn start() -> Self {
        let (all, steal) = machine();
        Self { began: Instant::now(), all, steal, ours: ours() }
    }

    /// What the others took since then.
    pub fn disturbance(&self) -> Disturbance {
        let seconds = self.began.elapsed().as_secs_f64();
        let (all, steal) = machine();
        let ours = ours() - self.ours;
        Disturbance { others: ((all - self.all - ours) / seconds).max(0.0), steal: (steal - self.steal) / seconds }
    }
}

/// Seconds all programs ran (user, nice, system), and those that the host kept for others.
fn machine() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let seconds = |field: usize| fields.get(field).copied().unwrap_or(0.0) / 100.0;
    (seconds(0) + seconds(1) + seconds(2), seconds(7))
}

/// Processor seconds of everything that belongs to the benchmark, also of what has ended.
fn ours() -> f64 {
    seconds(&postmaster().into_iter().chain([std::process::id()]).collect::<Vec<_>>())
}

/// Processor seconds of these processes, of all below them, and of their children that have ended.
fn seconds(roots: &[u32]) -> f64 {
    let running: f64 = below(roots).into_iter().filter_map(|id| Some(Cpu::of(id)?.total())).sum();
    running + roots.iter().filter_map(|id| Some(Cpu::of_ended_children(*id)?.total())).sum::<f64>()
}

/// The PostgreSQL server's first process, as the script says.
fn postmaster() -> Option<u32> {
    std::env::var("BENCH_POSTMASTER").ok()?.parse().ok()
}

/// Processor seconds of the whole PostgreSQL server so far, with the processes that have ended.
pub fn postgres_seconds() -> f64 {
    postmaster().map_or(0.0, |postmaster| seconds(&[postmaster]))
}

/// All processes of the PostgreSQL server.
pub fn postgres() -> Vec<u32> {
    postmaster().map_or_else(Vec::new, |postmaster| below(&[postmaster]))
}

/// These processes and all that descend from them.
fn below(roots: &[u32]) -> Vec<u32> {
    let parents: BTreeMap<u32, u32> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, parent(id)?)))
        .collect();
    let belongs = |id: u32| {
        std::iter::successors(Some(id), |id| parents.get(id).copied()).any(|ancestor| roots.contains(&ancestor))
    };
    parents.keys().copied().filter(|id| belongs(*id)).collect()
}

fn parent(id: u32) -> Option<u32> {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    line.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// How many connections the kernel turned away since it started because a queue was full.
pub fn listen_overflows() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let column = lines.next()?.split_whitespace().position(|name| name == "ListenOverflows")?;
    lines.next()?.split_whitespace().nth(column)?.parse().ok()
}
