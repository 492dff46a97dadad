//! What to measure, on what, and how long.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The command line. `scripts/bench-throughput` fills it in.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// One short round of everything: about 3 minutes
    #[arg(long)]
    pub quick: bool,
    /// Only these, such as reads or writes; all when absent
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Orders of the database that everything is measured on
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub orders: u64,
    /// Sizes that `growth` compares
    #[arg(long, value_delimiter = ',', default_value = "10000,100000", value_name = "N,N")]
    pub growth: Vec<u64>,
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
    /// What the PostgreSQL server logs
    #[arg(long, value_name = "FILE")]
    pub postgres_log: PathBuf,
    /// File to write the results to, in Markdown
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Superuser of an empty PostgreSQL cluster
    #[arg(env = "BENCH_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    pub cluster: String,
}

impl Settings {
    /// Rounds of a comparison; their median is what counts.
    pub fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// How long a measurement lasts.
    pub fn time(&self, full: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { full / 2.0 } else { full })
    }

    /// A file for what a server prints.
    pub fn log(&self, name: &str) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        self.folder.join(format!("{:03}-{name}.log", NUMBER.fetch_add(1, Ordering::Relaxed)))
    }

    /// Is this one to be run?
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}
