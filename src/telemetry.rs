//! Logs: to standard error, so that standard output stays for data.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Config, LogFormat};

/// Starts logging. At trace level sea-orm prints the database's address with its password: never.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{},sea_orm=warn,sqlx=warn", config.log))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}
