//! `bench-throughput`: measures requests. `scripts/bench-throughput` runs it;
//! docs/benchmarks-throughput.md explains it.

#![allow(clippy::float_arithmetic, reason = "measurements are no money")]

mod capture;
mod database;
mod fill;
mod load;
mod operation;
mod pgbench;
mod postgraphile;
mod product;
mod replay;
mod round;
mod scenario;
mod settings;

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::Settings;

#[derive(Parser)]
#[command(about, version)]
enum Command {
    /// Measures
    Run(Box<Settings>),
    /// Names what can be measured
    List,
}

fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Run(settings) => {
            // One thread for the client: it must not take more than it needs.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut terminated = signal(SignalKind::terminate())?;
                // Whatever was started is killed when the scenario is dropped.
                tokio::select! {
                    outcome = scenario::run(&settings) => outcome,
                    _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
                    _ = terminated.recv() => Ok(ExitCode::from(143)),
                }
            })
        }
        Command::List => {
            for scenario in scenario::ALL {
                println!("{:8} {}", scenario.name, scenario.about);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
