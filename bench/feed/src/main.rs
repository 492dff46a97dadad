//! `bench-feed`: measures the feed. `scripts/bench-feed` runs it; docs/benchmarks-feed.md explains it.

#![allow(clippy::float_arithmetic, reason = "measurements are no money")]

mod crowd;
mod database;
mod frame;
mod prepared;
mod raw;
mod report;
mod round;
mod scenario;
mod server;
mod settings;
mod socket;
mod tally;
mod trigger;

use std::net::SocketAddr;
use std::process::ExitCode;

use bench_common::{histogram, http, machine, process, token};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::Settings;

#[derive(Parser)]
#[command(about, version)]
enum Command {
    /// Measures
    Run(Box<Settings>),
    /// Serves the raw sockets that are the limit
    Raw {
        /// Address and port
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Names what can be measured
    List,
}

fn main() -> anyhow::Result<ExitCode> {
    match Command::parse() {
        Command::Raw { listen } => {
            // As the server does: a worker for each core it may use.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(raw::serve(listen))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(settings) => {
            // One core for the client.
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
                println!("{:12} {}", scenario.name, scenario.about);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
