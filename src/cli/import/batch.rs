//! A file of orders taken as a whole: into the configured database, or by a server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::Tally;
use crate::app::import::file::FileLimits;
use crate::app::import::template::{Language, template};
use crate::app::import::{StartImport, Upload, UploadLimits, work_through};
use crate::app::{App, Failure, Guarded, Session, perform, read};
use crate::cli::call::{Endpoint, Fault};
use crate::domain::actor::{Actor, Role, Scope};
use crate::domain::ids::ImportBatchId;
use crate::domain::import::{ErrorPolicy, FileFormat, FileLayout, ImportBatch, ImportSettings, ImportStatus};
use crate::domain::intake::Channel;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// Between two looks at an import that somebody works on.
const LOOK: Duration = Duration::from_millis(200);

/// How a file is taken, and what it leaves open.
#[derive(Debug, Args)]
pub struct How {
    /// What the file is: CSV, XLSX or JSONL; told by its name when absent
    #[arg(long, value_name = "FORMAT", value_parser = code::<FileFormat>)]
    format: Option<FileFormat>,
    /// Whose columns it has: STANDARD, TAOBAO, JD or YOUZAN; recognized by its headers when absent
    #[arg(long, value_name = "LAYOUT", value_parser = code::<FileLayout>)]
    layout: Option<FileLayout>,
    /// Only check the file: tell every fault and take nothing
    #[arg(long)]
    dry_run: bool,
    /// What becomes of bad orders: REJECT_EVERYTHING, REJECT_FAILED_ROWS or IGNORE_FAILED
    #[arg(long, value_name = "POLICY", value_parser = code::<ErrorPolicy>, default_value = "REJECT_FAILED_ROWS")]
    error_policy: ErrorPolicy,
    /// Orders of the past: kept with their own dates, without any work or stock
    #[arg(long)]
    pub(super) historical: bool,
    /// The channel of orders that name none: E_COMMERCE, OFFLINE_SALES or PARTNER_REFERRAL
    #[arg(long, value_name = "CHANNEL", value_parser = code::<Channel>)]
    channel: Option<Channel>,
    /// The customer of orders that name none, such as a shop's collective customer
    #[arg(long, value_name = "NUMBER")]
    customer: Option<String>,
    /// The region code of orders that name none
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// The currency of orders that name none
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Days to delivery of orders that name no date
    #[arg(long, value_name = "DAYS")]
    within_days: Option<i32>,
}

fn code<T: std::str::FromStr<Err = crate::domain::codes::UnknownCode>>(text: &str) -> Result<T, String> {
    text.to_uppercase().replace('-', "_").parse().map_err(|error: crate::domain::codes::UnknownCode| error.to_string())
}

impl How {
    /// What a file is, by what was said or by its name; JSON Lines when neither tells.
    pub(super) fn format(&self, file: &Path) -> FileFormat {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        self.format.unwrap_or(match extension.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "txt" => FileFormat::Csv,
            "xlsx" => FileFormat::Xlsx,
            _ => FileFormat::Jsonl,
        })
    }

    /// Is it to be taken as a server takes it, not line by line?
    pub(super) fn is_of_a_whole(&self, file: &Path) -> bool {
        self.format(file) != FileFormat::Jsonl
            || self.dry_run
            || self.historical
            || self.error_policy != ErrorPolicy::RejectFailedRows
    }

    /// 1 when an order was bad and that matters.
    pub(super) fn is_fine(&self, tally: &Tally) -> bool {
        tally.refused == 0 || self.error_policy == ErrorPolicy::IgnoreFailed
    }
}

/// Prints an empty file of a format to standard output.
pub(super) fn print_template(format: &str, language: &str, historical: bool) -> anyhow::Result<()> {
    let format = code::<FileFormat>(format).map_err(anyhow::Error::msg)?;
    let bytes = template(format, Language::of(language), historical)?;
    std::io::stdout().write_all(&bytes)?;
    Ok(())
}

/// Takes a file into the configured database, whether a server runs on it or not.
pub(super) async fn here(
    app: &Arc<App>,
    file: &Path,
    how: &How,
    account: &str,
    limits: &FileLimits,
) -> anyhow::Result<Tally> {
    // Whoever may write to the database may import whatever they like.
    let actor = Actor { subject: "import".to_owned(), roles: vec![Role::Sales, Role::Admin], scope: Scope::All };
    let session = Session::of(app, actor, "import");
    let limits = FileLimits { file_bytes: u64::MAX, rows: u32::MAX - 1, ..limits.clone() };
    let settings = ImportSettings {
        layout: how.layout,
        channel: how.channel,
        account: Some(account.to_owned()),
        customer_number: how.customer.clone(),
        region: how.region.clone(),
        currency_code: how.currency.clone(),
        required_within_days: how.within_days,
        historical: how.historical,
    };
    let id = keep(&session, file, how.format(file), settings, &limits).await?;
    let (dry_run, error_policy) = (how.dry_run, how.error_policy);
    let start = StartImport { batch_id: id, dry_run, error_policy, expected_version: None };
    told(perform(&session, Guarded { command: start, idempotency_key: None }).await)?;
    let (bar, never) = (super::progress_bar(0), CancellationToken::new());
    let batch = loop {
        let batch = one(&session, id).await?;
        show(&bar, &batch);
        if batch.status != ImportStatus::Running {
            break batch;
        }
        // A server on the same database may have been quicker.
        let looking = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Ok(batch) = one(&session, id).await {
                    show(&bar, &batch);
                }
            }
        };
        if batch.is_free(app.clock.now()) {
            tokio::select! {
                worked = work_through(app, &batch, &limits, &never) => told(worked)?,
                () = looking => {}
            }
        } else {
            tokio::time::sleep(LOOK).await;
        }
    };
    bar.finish_and_clear();
    let mut after = 0;
    loop {
        let rows = read::import::bad_rows(&session, id, after).await?;
        let Some((last, _)) = rows.last() else { break };
        after = last.number;
        for fault in rows.iter().flat_map(|(_, faults)| faults) {
            eprintln!(
                "line {}: {} {}: {}",
                fault.row,
                fault.code,
                fault.column.as_deref().unwrap_or("-"),
                fault.message
            );
        }
    }
    tally(&batch)
}

fn tally(batch: &ImportBatch) -> anyhow::Result<Tally> {
    if matches!(batch.status, ImportStatus::Failed | ImportStatus::Cancelled) {
        bail!("{}", batch.reason.as_deref().unwrap_or("the import was cancelled"));
    }
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let counts = &batch.counts;
    Ok(Tally { taken: count(counts.taken), duplicates: count(counts.duplicates), refused: count(counts.refused) })
}

/// What went wrong is for whoever runs this command, not for a log.
fn told<T>(outcome: Result<T, Failure>) -> anyhow::Result<T> {
    outcome.map_err(|failure| match failure {
        Failure::Internal(cause) => anyhow::Error::msg(cause),
        Failure::Refused(refusals) => {
            let reasons: Vec<String> = refusals.0.into_iter().map(|refusal| refusal.message).collect();
            anyhow::Error::msg(reasons.join(" "))
        }
        other => other.into(),
    })
}

fn show(bar: &ProgressBar, batch: &ImportBatch) {
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    bar.set_length(count(batch.counts.orders));
    bar.set_position(count(batch.counts.handled));
    bar.set_message(format!("{} orders, {} refused", batch.counts.handled, batch.counts.refused));
}

async fn one(session: &Session, id: ImportBatchId) -> anyhow::Result<ImportBatch> {
    let found = read::import::by_ids(session, &[id]).await?;
    found.into_iter().next().context("the import is gone")
}

async fn keep(
    session: &Session,
    file: &Path,
    format: FileFormat,
    settings: ImportSettings,
    limits: &FileLimits,
) -> anyhow::Result<ImportBatchId> {
    let unreadable = || format!("{} cannot be read", file.display());
    let mut opened = tokio::fs::File::open(file).await.with_context(unreadable)?;
    let mut upload = Upload::begin(session, UploadLimits { file_bytes: limits.file_bytes })?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match opened.read(&mut piece).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                upload.abandon().await;
                return Err(error).with_context(unreadable);
            }
        };
        upload.take(&piece[..read]).await?;
    }
    let name = file.file_name().and_then(|name| name.to_str()).map(|name| name.chars().take(200).collect());
    told(upload.end(session, format, name, settings).await)
}

/// A server that takes files.
pub(super) struct Remote(pub(super) Endpoint);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Followed {
    status: ImportStatus,
    reason: Option<String>,
    counts: Counts,
    faults: Faults,
}

#[derive(Deserialize)]
struct Counts {
    orders: u64,
    handled: u64,
    taken: u64,
    duplicates: u64,
    refused: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Faults {
    nodes: Vec<Told>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

#[derive(Deserialize)]
struct Told {
    row: u64,
    code: String,
    column: Option<String>,
    message: String,
}

const FOLLOW: &str = "query($id: ID!, $after: String) { importBatch(id: $id) { status reason \
    counts { orders handled taken duplicates refused } \
    faults(first: 100, after: $after) { nodes { row code column message } pageInfo { endCursor hasNextPage } } } }";

impl Remote {
    /// Hands a file to a server, and waits for what comes of it.
    pub(super) async fn take(&self, file: &PathBuf, how: &How) -> anyhow::Result<Tally> {
        let bytes = tokio::fs::read(file).await.with_context(|| format!("{} cannot be read", file.display()))?;
        let mut url = self.0.url.clone();
        url.set_path(&format!("{}/imports", url.path().trim_end_matches('/').trim_end_matches("/graphql")));
        let query = [
            ("format", Some(how.format(file).code().to_owned())),
            ("fileName", file.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
            ("layout", how.layout.map(|layout| layout.code().to_owned())),
            ("channel", how.channel.map(|channel| channel.code().to_owned())),
            ("customerNumber", how.customer.clone()),
            ("region", how.region.clone()),
            ("currencyCode", how.currency.clone()),
            ("requiredWithinDays", how.within_days.map(|days| days.to_string())),
            ("historical", how.historical.then(|| "true".to_owned())),
            ("dryRun", Some(how.dry_run.to_string())),
            ("errorPolicy", Some(how.error_policy.code().to_owned())),
        ];
        url.query_pairs_mut().extend_pairs(query.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?))));
        let answer = self.0.client.post(url).bearer_auth(&self.0.token).body(bytes).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("the server answers {status}: {text}");
        }
        let sent: serde_json::Value = serde_json::from_str(&text).context("the answer is not understood")?;
        self.follow(sent["id"].as_str().context("the answer names no import")?).await
    }

    async fn look(&self, id: &str, after: Option<&str>) -> anyhow::Result<Followed> {
        let asked = self.0.call(FOLLOW, &json!({ "id": id, "after": after })).await;
        let mut data = asked.map_err(|fault: Fault| anyhow::Error::msg(fault.to_string()))?;
        serde_json::from_value(data["importBatch"].take()).context("the answer is not understood")
    }

    async fn follow(&self, id: &str) -> anyhow::Result<Tally> {
        let bar = super::progress_bar(0);
        let mut found = loop {
            let found = self.look(id, None).await?;
            bar.set_length(found.counts.orders);
            bar.set_position(found.counts.handled);
            if found.status != ImportStatus::Running {
                break found;
            }
            tokio::time::sleep(LOOK).await;
        };
        bar.finish_and_clear();
        loop {
            for told in &found.faults.nodes {
                let place = told.column.as_deref().unwrap_or("-");
                eprintln!("line {}: {} {place}: {}", told.row, told.code, told.message);
            }
            if !found.faults.page_info.has_next_page {
                break;
            }
            let after = found.faults.page_info.end_cursor.clone();
            found = self.look(id, after.as_deref()).await?;
        }
        if matches!(found.status, ImportStatus::Failed | ImportStatus::Cancelled) {
            bail!("{}", found.reason.as_deref().unwrap_or("the import was cancelled"));
        }
        let Counts { taken, duplicates, refused, .. } = found.counts;
        Ok(Tally { taken, duplicates, refused })
    }
}
