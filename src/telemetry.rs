//! Logs: to standard error, so that standard output stays for data.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{Config, LogFormat};

/// Starts logging.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let levels = EnvFilter::try_new(&config.log)?;
    // At trace level sea-orm prints the database's address with its password.
    let discreet = filter_fn(|line| !(line.target().starts_with("sea_orm") && *line.level() > Level::DEBUG));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let started = tracing_subscriber::registry().with(lines.with_filter(discreet).with_filter(levels)).try_init();
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}
