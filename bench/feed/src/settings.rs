//! What to measure, on what, and how long.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The command line. `scripts/bench-feed` fills it in.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Two or three minutes: one round of everything, shorter
    #[arg(long)]
    pub quick: bool,
    /// Only these, such as fanout or memory; all when absent
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Folder of this run, for logs and data
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// The server's program
    #[arg(long, value_name = "FILE")]
    pub product: PathBuf,
    /// Folder of the Node.js peer
    #[arg(long, value_name = "DIR")]
    pub node_folder: PathBuf,
    /// Folder of pgbench and the like
    #[arg(long, value_name = "DIR")]
    pub postgres_programs: PathBuf,
    /// Cores of the server that is measured, as taskset takes them
    #[arg(long, default_value = "0", value_name = "LIST")]
    pub server_cores: String,
    /// Cores of everything else
    #[arg(long, default_value = "1", value_name = "LIST")]
    pub other_cores: String,
    /// File to write the results to, in Markdown
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Superuser of an empty PostgreSQL cluster
    #[arg(env = "BENCH_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    pub cluster: String,
}

impl Settings {
    /// Rounds of a comparison; their median is what counts.
    pub fn rounds(&self, full: usize) -> usize {
        if self.quick { 1 } else { full }
    }

    /// How long a round lasts.
    pub fn time(&self, full: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { full / 3.0 } else { full })
    }

    /// A file for what a server prints.
    pub fn log(&self, name: &str) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        self.folder.join(format!("{:02}-{name}.log", NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// Is this one to be run?
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}
