//! `export`: the event log for process-mining tools.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::import::Engine;
use crate::app::mining::{self, LogForm};
use crate::config::Config;

/// What to export, and how.
#[derive(Debug, Args)]
pub struct Export {
    /// File to write; there must be none yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Form of the file
    #[arg(long, value_enum)]
    form: Form,
    /// Only events after this position of the log, such as the one the last export ended with
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// OCEL 2.0, an SQLite database
    OcelSqlite,
    /// OCEL 2.0, JSON
    OcelJson,
    /// XES, with every order as a case
    Xes,
}

impl Export {
    /// Exports, and says where the next export goes on.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if self.file.exists() {
            bail!("{} is there already", self.file.display());
        }
        let form = match self.form {
            Form::OcelSqlite => LogForm::OcelSqlite,
            Form::OcelJson => LogForm::OcelJson,
            Form::Xes => LogForm::Xes,
        };
        let engine = Engine::start(config).await?;
        let outcome = mining::export(&engine.app, self.after, form, &self.file).await;
        engine.stop().await?;
        let exported = outcome.with_context(|| format!("{} could not be written", self.file.display()))?;
        println!("{} events; the next export goes on with --after {}", exported.events, exported.position);
        Ok(ExitCode::SUCCESS)
    }
}
