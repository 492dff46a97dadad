//! A PostgreSQL cluster of a test's own, for tests that do to it what the shared one must not suffer.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

/// Stopped and removed with its value.
pub struct Cluster {
    /// A superuser's address of it.
    pub url: String,
    folder: PathBuf,
}

/// How it stops.
#[derive(Clone, Copy, Debug)]
pub enum Halt {
    /// Open connections are ended in order.
    Fast,
    /// As if the power had gone.
    Immediate,
}

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres")
}

async fn run(arguments: &[&str]) -> String {
    let output = Command::new(script())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("scripts/postgres can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scripts/postgres {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

impl Cluster {
    pub async fn start() -> Self {
        // Not a `TempDir`: another user owns what is in it, and the script removes it.
        let folder = std::env::temp_dir().join(format!("og-pg-{}", uuid::Uuid::now_v7().simple()));
        let url = run(&["start", folder.to_str().expect("a plain path")]).await;
        Self { url, folder }
    }

    fn folder(&self) -> &str {
        self.folder.to_str().expect("a plain path")
    }

    pub async fn halt(&self, how: Halt) {
        let how = match how {
            Halt::Fast => "fast",
            Halt::Immediate => "immediate",
        };
        run(&["halt", self.folder(), how]).await;
    }

    pub async fn resume(&self) {
        run(&["resume", self.folder()]).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = std::process::Command::new(script()).args(["stop", self.folder()]).stdin(Stdio::null()).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the cluster in {} was not removed", self.folder());
        }
    }
}
