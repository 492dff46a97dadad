//! `simulate`: a folder of real orders, driven through the public API from submission to
//! confirmation, by staff of the right roles. docs/simulation.md says what is proved by it.

mod crew;
mod facts;
mod order;
mod report;
mod state;
mod stock;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use futures::StreamExt;
use indicatif::ProgressStyle;
use tokio_util::sync::CancellationToken;

use super::import::{self, Tally};
use super::serve::Running;
use crate::app::App;
use crate::config::Config;
use crate::domain::order::OrderStatus;
use crate::store::{Store, event, verify};
use crew::Crew;
use facts::Folder;
use order::Outcome;
use stock::Received;

/// Rounds of procurement; more means that deliveries do not reach those who wait.
const MOST_ROUNDS: u32 = 20;

/// What to simulate.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Folder with catalogue.json, orders.jsonl and facts.json
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Take only the first N orders
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Orders that are worked on at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: u32,
    /// Channel account that the shop's orders belong to
    #[arg(long, value_name = "ACCOUNT", default_value = "adventure-works-shop")]
    account: String,
}

impl Simulate {
    /// Simulates; 0 when every order was completed and every figure is right, else 1.
    pub async fn run(self, mut config: Config) -> anyhow::Result<ExitCode> {
        let key = config.demo_key()?.context("a real key is configured: a simulation signs its own tokens")?;
        let folder = Folder::read(&self.folder, self.most()).await?;
        config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let store = super::open(&config, config.database.migrate).await?;
        if !store.is_current().await? {
            bail!("the database's schema is not up to date: run `ordergraph migrate` first");
        }
        let running = Running::start(&config, store).await?;
        let app = running.app.clone();
        let address = running.server.local_addr()?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(running.run(stop.clone()));
        let outcome = match Crew::new(address, &key, &folder.head, &self.account) {
            Ok(crew) => self.play(&app, &crew, folder).await,
            Err(error) => Err(error),
        };
        stop.cancel();
        serving.await??;
        Ok(if outcome? { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn most(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// The whole run; says whether everything is right.
    async fn play(&self, app: &Arc<App>, crew: &Crew, folder: Folder) -> anyhow::Result<bool> {
        let expected = folder.subtotals()?;
        let before = count_events(app.store()).await?;
        let imported = import::put_catalogue(folder.catalogue.clone(), app).await?;
        println!("Catalogue       {} rows and {} stock items were new", imported.reference, imported.stock);
        let started = Instant::now();
        let worked = self.work(crew, &folder).await?;
        let elapsed = started.elapsed();
        let after = count_events(app.store()).await?;

        let mut right = worked.stuck.is_empty();
        for line in &worked.stuck {
            println!("stuck: {line}");
        }
        let findings = report::findings(crew, &expected).await?;
        println!("Orders          {} of {}", findings.orders, expected.len());
        for (status, count) in &findings.by_status {
            println!("  {:<13} {count}", status.code());
        }
        right &= findings.orders == expected.len() as u64
            && findings.by_status.keys().all(|status| *status == OrderStatus::Completed);
        for line in report::unfinished_actions(crew, &findings.unfinished).await? {
            println!("not completed: {line}");
        }
        for line in &findings.wrong_amounts {
            println!("wrong amount: {line}");
        }
        right &= findings.wrong_amounts.is_empty();
        right &= self.compare(&folder, &findings);
        println!("Goods received  {} for {} requests", worked.received.quantity.normalize(), worked.received.requests);
        println!("Events          {after}, {} of them new", after - before);
        let milliseconds = elapsed.as_millis().max(1);
        println!(
            "Duration        {}.{} s, {} operations, {} orders/s",
            milliseconds / 1_000,
            milliseconds % 1_000 / 100,
            crew.calls(),
            tenths(u128::from(findings.orders) * 10_000 / milliseconds)
        );
        right &= sound(app.store()).await?;
        right &= self.again(app.store(), crew, &folder, &findings, &expected).await?;
        println!("{}", if right { "All is right." } else { "Something is wrong; see above." });
        Ok(right)
    }

    /// Compares the sum with the published one, to the cent; part of the orders has none.
    fn compare(&self, folder: &Folder, findings: &report::Findings) -> bool {
        let sum = findings.subtotal;
        if self.limit.is_some() && findings.orders != folder.facts.orders {
            println!("Subtotal        {sum}, as the file says");
            return true;
        }
        let published = folder.facts.published_subtotal_sum;
        let same = sum.round_dp(2) == published.round_dp(2);
        let verdict = if sum == published {
            "the same"
        } else if same {
            "the same to the cent"
        } else {
            "NOT the same"
        };
        println!("Subtotal        {sum}, published {published}: {verdict}");
        same && findings.orders == folder.facts.orders
    }

    /// Takes every order as far as it goes; brings what is missing; until nothing waits.
    async fn work(&self, crew: &Crew, folder: &Folder) -> anyhow::Result<Worked> {
        let mut worked = Worked::default();
        let bar = import::progress_bar(folder.orders.len() as u64);
        bar.set_style(
            ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed_precise} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let concurrency = usize::try_from(self.concurrency).unwrap_or(1);
        let mut waiting: Vec<(String, &str)> = Vec::new();
        let note = |reference, outcome, worked: &mut Worked| match outcome {
            Outcome::Finished => {
                bar.inc(1);
                None
            }
            Outcome::Waiting(id) => Some((id, reference)),
            Outcome::Stuck(why) => {
                worked.stuck.push(format!("{reference}: {why}"));
                None
            }
        };
        let mut submitting = futures::stream::iter(&folder.orders)
            .map(|one| async move {
                let outcome = order::submit(crew, one).await;
                (one.external_reference.as_str(), outcome)
            })
            .buffer_unordered(concurrency);
        while let Some((reference, outcome)) = submitting.next().await {
            waiting.extend(note(reference, outcome, &mut worked));
            bar.set_message(format!("{} wait for goods", waiting.len()));
        }
        for _ in 0..MOST_ROUNDS {
            if waiting.is_empty() {
                break;
            }
            let received = stock::replenish(crew).await?;
            worked.received.requests += received.requests;
            worked.received.quantity += received.quantity;
            let mut resumed = futures::stream::iter(std::mem::take(&mut waiting))
                .map(|(id, reference)| async move { (reference, order::advance(crew, &id, reference).await) })
                .buffer_unordered(concurrency);
            while let Some((reference, outcome)) = resumed.next().await {
                waiting.extend(note(reference, outcome, &mut worked));
            }
            bar.set_message(format!("{} wait for goods", waiting.len()));
        }
        let hopeless = waiting
            .iter()
            .map(|(_, reference)| format!("{reference}: waits for goods after {MOST_ROUNDS} rounds of procurement"));
        worked.stuck.extend(hopeless);
        bar.finish_and_clear();
        Ok(worked)
    }

    /// Imports the same orders once more: every one is known, and nothing changes.
    async fn again(
        &self,
        store: &Store,
        crew: &Crew,
        folder: &Folder,
        before: &report::Findings,
        expected: &std::collections::BTreeMap<facts::Key, rust_decimal::Decimal>,
    ) -> anyhow::Result<bool> {
        let events = count_events(store).await?;
        let tally = import::feed(&folder.orders_file, &crew.submitters()?, self.most()).await?;
        let after = report::findings(crew, expected).await?;
        let unchanged = count_events(store).await? == events && after.all_orders == before.all_orders;
        println!(
            "Imported again  {} taken, {} duplicates, {} refused; {} orders and {events} events, {}",
            tally.taken,
            tally.duplicates,
            tally.refused,
            after.all_orders,
            if unchanged { "as before" } else { "NOT as before" }
        );
        let duplicates = Tally { duplicates: expected.len() as u64, ..Tally::default() };
        Ok(unchanged && tally == duplicates)
    }
}

/// What was done.
#[derive(Debug, Default)]
struct Worked {
    stuck: Vec<String>,
    received: Received,
}

/// A number of tenths as a decimal.
fn tenths(count: u128) -> String {
    format!("{}.{}", count / 10, count % 10)
}

async fn count_events(store: &Store) -> anyhow::Result<u64> {
    Ok(event::count(store).await?)
}

/// Checks every invariant, as `verify` does.
async fn sound(store: &Store) -> anyhow::Result<bool> {
    let started = Instant::now();
    let report = verify::verify(store).await?;
    for violation in &report.violations {
        println!("{} {} {}: {}", violation.invariant, violation.table, violation.id, violation.message);
    }
    println!(
        "Verify          {} orders, {} stock items, {} events looked at in {} s; {} violations",
        report.orders,
        report.stock_items,
        report.events,
        started.elapsed().as_secs(),
        report.violations.len()
    );
    Ok(report.violations.is_empty())
}
