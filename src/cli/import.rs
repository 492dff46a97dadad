//! `import`: takes a catalogue, and orders from a file. docs/import.md is its contract.

mod batch;
pub(super) mod line;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use tokio::io::BufReader;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::{self, Endpoint, Fault, UNREACHABLE, UserError};
use crate::app::{App, Failure, SystemClock};
use crate::config::Config;
use crate::domain::intake::Channel;
use crate::feed::{Feed, FeedSettings};
use crate::seed::catalogue::{Catalogue, Imported};
use line::{OrderForm, RawLine, next_line};

/// Takes an order in; says whether it was here before.
pub(super) const SUBMIT: &str = "mutation($input: SubmitOrderInput!) { submitOrder(input: $input) { duplicate order { id status } userErrors { code message path } } }";

/// What to import, and where to.
#[derive(Debug, Args)]
pub struct Import {
    /// Catalogue to take before any orders: units, customers, products, stock
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Orders as JSON Lines, comma-separated values or a spreadsheet; see docs/import.md
    #[arg(value_name = "FILE", required_unless_present_any = ["catalogue", "template"])]
    orders: Option<PathBuf>,
    /// Server to submit the orders to, instead of the configured database
    #[arg(long, value_name = "URL", requires = "token")]
    url: Option<String>,
    /// The caller's token for that server
    #[arg(long, value_name = "TOKEN", requires = "url")]
    token: Option<String>,
    /// Channel account that E_COMMERCE and PARTNER_REFERRAL orders belong to
    #[arg(long, value_name = "ACCOUNT", default_value = "import", conflicts_with = "url")]
    account: String,
    #[command(flatten)]
    how: batch::How,
    /// Print an empty file with an example instead: CSV, XLSX or JSONL
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["orders", "catalogue", "url"])]
    template: Option<String>,
    /// The language of the template's headers: en or zh
    #[arg(long, value_name = "LANGUAGE", default_value = "en", requires = "template")]
    lang: String,
}

impl Import {
    /// Imports; 0 when every line was taken now or before, 1 when one was bad.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if let Some(format) = &self.template {
            batch::print_template(format, &self.lang, self.how.historical)?;
            return Ok(ExitCode::SUCCESS);
        }
        let catalogue = self.catalogue.as_deref().map(read_catalogue).transpose()?;
        // Found out before a catalogue is put in that its orders would not follow.
        if let Some(file) = &self.orders {
            std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        }
        let engine = if catalogue.is_some() || self.url.is_none() { Some(Engine::start(config).await?) } else { None };
        let outcome = self.all(catalogue, engine.as_ref(), config).await;
        if let Some(engine) = engine {
            engine.stop().await?;
        }
        outcome
    }

    async fn all(
        &self,
        catalogue: Option<Catalogue>,
        engine: Option<&Engine>,
        config: &Config,
    ) -> anyhow::Result<ExitCode> {
        if let (Some(catalogue), Some(engine)) = (catalogue, engine) {
            let Imported { reference, stock } = put_catalogue(catalogue, &engine.app).await?;
            println!("catalogue: {reference} rows and {stock} stock items were new");
        }
        let Some(file) = &self.orders else {
            return Ok(ExitCode::SUCCESS);
        };
        let tally = match (&self.url, &self.token, engine) {
            (Some(url), Some(token), _) if self.how.is_of_a_whole(file) => {
                let (client, url, token) = (call::client(false)?, call::api_url(url)?, token.clone());
                batch::Remote(Endpoint { client, url, token }).take(file, &self.how).await?
            }
            // Line by line: what a token may submit differs from channel to channel.
            (Some(url), Some(token), _) => feed(file, &Submitters::over_http(url, token)?, usize::MAX).await?,
            (_, _, Some(engine)) => batch::here(&engine.app, file, &self.how, &self.account, &config.imports).await?,
            _ => bail!("there is neither a server nor a database to import to"),
        };
        println!("{} taken, {} duplicates, {} refused", tally.taken, tally.duplicates, tally.refused);
        Ok(if self.how.is_fine(&tally) { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Reads a catalogue as a whole: it refers back and forth.
pub(super) fn read_catalogue(file: &Path) -> anyhow::Result<Catalogue> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no catalogue", file.display()))
}

/// Puts a catalogue in. What is wrong with it is for whoever runs this command, not for a log.
pub(super) async fn put_catalogue(catalogue: Catalogue, app: &Arc<App>) -> anyhow::Result<Imported> {
    let put = catalogue.put(app).await.map_err(|failure| match failure {
        Failure::Internal(cause) => anyhow::Error::msg(cause),
        Failure::Refused(refusals) => {
            let reasons: Vec<String> = refusals.0.into_iter().map(|refusal| refusal.message).collect();
            anyhow::Error::msg(reasons.join("\n"))
        }
        other => other.into(),
    });
    put.context("the catalogue cannot be used")
}

/// The application on the configured database, without a server before it.
pub(super) struct Engine {
    pub(super) app: Arc<App>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Engine {
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        let store = super::open(config, config.database.migrate).await?;
        if !store.is_current().await? {
            bail!("the database's schema is not up to date: run `ordergraph migrate` first");
        }
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let feed = Feed::start(&store, FeedSettings::default(), &tasks, &stop).await?;
        Ok(Self { app: App::new(store, feed, Arc::new(SystemClock)), tasks, stop })
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.app.store().clone().close().await?;
        Ok(())
    }
}

/// Who submits: sales staff what was sold offline, a shop's or partner's system everything else.
pub(super) struct Submitters {
    pub(super) sales: Endpoint,
    pub(super) partner: Endpoint,
}

impl Submitters {
    fn over_http(url: &str, token: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint { client: call::client(false)?, url: call::api_url(url)?, token: token.to_owned() };
        Ok(Self { sales: endpoint.clone(), partner: endpoint })
    }

    /// Submits an order.
    pub(super) async fn submit(&self, order: &OrderForm) -> Result<Submitted, Fault> {
        let endpoint = match order.channel {
            Channel::OfflineSales => &self.sales,
            Channel::ECommerce | Channel::PartnerReferral => &self.partner,
        };
        let mut data = endpoint.call(SUBMIT, &json!({"input": order})).await?;
        serde_json::from_value(data["submitOrder"].take()).map_err(|error| Fault {
            code: UNREACHABLE.to_owned(),
            message: format!("the answer is not understood: {error}"),
        })
    }
}

/// What `submitOrder` answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submitted {
    pub(super) duplicate: Option<bool>,
    pub(super) order: Option<OrderRow>,
    pub(super) user_errors: Vec<UserError>,
}

/// An order that was taken in.
#[derive(Debug, Deserialize)]
pub(super) struct OrderRow {
    pub(super) id: String,
    pub(super) status: crate::domain::order::OrderStatus,
}

/// What came of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Lines that became new orders.
    pub(super) taken: u64,
    /// Lines that were orders before.
    pub(super) duplicates: u64,
    /// Bad lines.
    pub(super) refused: u64,
}

/// Submits the orders of a file line by line, at most so many. A bad line is told on standard error
/// and does not stop the others; an error means that the file could not be read to its end.
pub(super) async fn feed(file: &Path, submitters: &Submitters, limit: usize) -> anyhow::Result<Tally> {
    let unreadable = || format!("{} cannot be read", file.display());
    let opened = tokio::fs::File::open(file).await.with_context(unreadable)?;
    let bar = progress_bar(opened.metadata().await.map_or(0, |metadata| metadata.len()));
    bar.set_style(
        ProgressStyle::with_template("{bar:40} {percent:>3} % {bytes}/{total_bytes} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut reader = BufReader::with_capacity(64 * 1024, opened);
    let mut tally = Tally::default();
    let (mut number, mut seen) = (0, 0);
    while seen < limit {
        number += 1;
        let Some(line) = next_line(&mut reader, number).await.with_context(unreadable)? else {
            break;
        };
        if !line.is_blank() {
            seen += 1;
            take(&line, submitters, &mut tally, &bar).await?;
        }
        bar.inc(line.length);
        bar.set_message(format!("{seen} orders, {} refused", tally.refused));
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// A bar on standard error, only where that is a terminal.
pub(super) fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

async fn take(line: &RawLine, submitters: &Submitters, tally: &mut Tally, bar: &ProgressBar) -> anyhow::Result<()> {
    let faults = match line.order() {
        Err(message) => vec![bad_line(line, "MALFORMED", None, &message)],
        Ok(order) => match submitters.submit(&order).await {
            Ok(answer) if answer.user_errors.is_empty() => {
                if answer.duplicate == Some(true) {
                    tally.duplicates += 1;
                } else {
                    tally.taken += 1;
                }
                return Ok(());
            }
            Ok(answer) => answer
                .user_errors
                .iter()
                .map(|error| bad_line(line, &error.code, error.path.as_deref(), &error.message))
                .collect(),
            // No line would fare better.
            Err(fault) if matches!(fault.code.as_str(), UNREACHABLE | "UNAUTHENTICATED" | "FORBIDDEN") => {
                bail!("line {}: {fault}", line.number)
            }
            Err(fault) => vec![bad_line(line, &fault.code, None, &fault.message)],
        },
    };
    tally.refused += 1;
    bar.suspend(|| faults.iter().for_each(|fault| eprintln!("{fault}")));
    Ok(())
}

fn bad_line(line: &RawLine, code: &str, path: Option<&[String]>, message: &str) -> String {
    let path = path.map_or_else(|| "-".to_owned(), |path| path.join("."));
    format!("line {}: {code} {path}: {message}", line.number)
}
