//! Lets the server itself judge the rows: a small database in which every order has its history
//! holds every invariant.

use std::process::Stdio;

use anyhow::bail;
use tokio::process::Command;

use super::Bench;
use crate::database;
use crate::fill::{self, Amount};

const ORDERS: u64 = 1_000;
const NAME: &str = "bench_sound";

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let filled = fill::fill(bench.settings, NAME, &Amount { orders: ORDERS, histories: None }).await?;
    bench.report.say(&filled.summary);
    let output = Command::new(&bench.settings.product)
        .args(["verify", "--data-dir"])
        .arg(bench.settings.folder.join("data"))
        .env("ORDERGRAPH_DATABASE__URL", &filled.url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let (found, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    bench.report.say(&format!("verify: {}", said.lines().last().unwrap_or_default()));
    if !output.status.success() {
        let first: Vec<&str> = found.lines().take(5).collect();
        bail!("{} lines of violations, the first: {}", found.lines().count(), first.join("; "));
    }
    database::remove(&bench.settings.cluster, NAME).await
}
