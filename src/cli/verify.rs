//! `verify`: proves a database sound, or says which row is not.

use std::process::ExitCode;

use clap::Args;

use crate::config::Config;
use crate::store::verify;

/// How to report.
#[derive(Debug, Args)]
pub struct Verify {
    /// Print violations as JSON Lines
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Checks every invariant; 0 when all hold, 1 when one is broken.
    pub async fn run(&self, config: &Config) -> anyhow::Result<ExitCode> {
        let store = super::open(config, false).await?;
        let report = verify::verify(&store).await?;
        store.close().await?;
        for violation in &report.violations {
            if self.json {
                let line = serde_json::json!({
                    "invariant": violation.invariant,
                    "table": violation.table,
                    "id": violation.id,
                    "message": violation.message,
                });
                println!("{line}");
            } else {
                println!("{} {} {}: {}", violation.invariant, violation.table, violation.id, violation.message);
            }
        }
        eprintln!(
            "{} orders, {} stock items, {} events looked at; {} violations",
            report.orders,
            report.stock_items,
            report.events,
            report.violations.len()
        );
        Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
