//! The program's command line, run to its end.

use std::process::Stdio;

use tokio::process::Command;

/// What a command left behind.
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a command on a database, with no settings but the defaults.
pub async fn run(url: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordergraph"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORDERGRAPH_")) {
        command.env_remove(name);
    }
    let output = command
        .args(arguments)
        .args(["--database-url", url])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
