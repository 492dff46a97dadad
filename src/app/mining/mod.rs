//! The event log for process-mining tools (R11.2): OCEL 2.0 in its relational and its JSON form, and XES for
//! tools that want one case per order.

mod json;
mod xes;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::{App, Failure};
use crate::domain::mining::occurrence;
use crate::store::log;
use crate::store::mining::EventLogFile;

/// Events read at once.
const SOME: u64 = 1_000;

/// The form of an exported log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// OCEL 2.0 as an SQLite database.
    OcelSqlite,
    /// OCEL 2.0 as JSON.
    OcelJson,
    /// XES: every order is a case.
    Xes,
}

/// What was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Events.
    pub events: u64,
    /// The position of the last: the next export goes on after it.
    pub position: i64,
}

/// Writes the events after a position, up to what is there now, into a new file.
///
/// # Errors
/// The database is away, or the file cannot be written.
pub async fn export(app: &App, after: i64, form: LogForm, path: &Path) -> Result<Exported, Failure> {
    let output = File::create_new(path).map_err(|error| unwritable(&error))?;
    let outcome = write(app, after, form, path, output).await;
    if outcome.is_err() {
        // Half a log is of no use, and would stand in the way of the next try.
        std::fs::remove_file(path).map_err(|error| unwritable(&error))?;
    }
    outcome
}

async fn write(app: &App, after: i64, form: LogForm, path: &Path, output: File) -> Result<Exported, Failure> {
    if form == LogForm::OcelSqlite {
        let (file, exported) = gather(app, after, path).await?;
        file.close().await?;
        return Ok(exported);
    }
    let folder = tempfile::tempdir().map_err(|error| unwritable(&error))?;
    let (mut file, exported) = gather(app, after, &folder.path().join("log.sqlite")).await?;
    let mut output = std::io::BufWriter::new(output);
    match form {
        LogForm::OcelJson => json::write(&mut file, &mut output).await?,
        LogForm::OcelSqlite | LogForm::Xes => xes::write(&mut file, &mut output).await?,
    }
    output.flush().map_err(|error| unwritable(&error))?;
    file.close().await?;
    Ok(exported)
}

async fn gather(app: &App, after: i64, path: &Path) -> Result<(EventLogFile, Exported), Failure> {
    // What comes while it is written is for the next export.
    let (_, newest) = log::bounds(app.store()).await?;
    let mut file = EventLogFile::create(path).await?;
    let mut exported = Exported { events: 0, position: after };
    loop {
        let events = log::all_after(app.store(), exported.position, newest, SOME).await?;
        let Some(last) = events.last() else { return Ok((file, exported)) };
        exported.events += events.len() as u64;
        exported.position = last.position.unwrap_or(newest);
        let occurrences: Vec<_> = events.iter().filter_map(occurrence).collect();
        file.add(&occurrences).await?;
    }
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::BadInput(format!("The file cannot be written: {error}."))
}
