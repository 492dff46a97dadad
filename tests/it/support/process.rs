//! A node as a process of its own, which can be killed, stopped and resumed.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct Launch {
    pub database_url: String,
    /// Whose tokens it takes: a folder with a demo key.
    pub key: PathBuf,
    /// Settings by the names of their environment variables.
    pub settings: Vec<(String, String)>,
    /// The address to listen on; a free port when it is 0.
    pub listen: SocketAddr,
}

impl Launch {
    pub fn new(database_url: &str, key: &Path) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { database_url: database_url.to_owned(), key: key.to_owned(), settings: Vec::new(), listen }
    }

    pub fn with(mut self, setting: &str, value: impl ToString) -> Self {
        self.settings.push((setting.to_owned(), value.to_string()));
        self
    }
}

/// Killed with its value. What it logged is shown when the test fails.
pub struct Process {
    pub address: SocketAddr,
    launch: Launch,
    child: Child,
    folder: TempDir,
}

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Process {
    pub async fn start(launch: Launch) -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::copy(launch.key.join("demo.key"), folder.path().join("demo.key")).expect("the demo key");
        Self::start_in(launch, folder).await
    }

    async fn start_in(launch: Launch, folder: TempDir) -> Self {
        let log = |name: &str| {
            let path = folder.path().join(name);
            File::options().create(true).append(true).open(path).expect("a log file")
        };
        // What an earlier process in this folder said of its address is no longer true.
        std::fs::write(folder.path().join("stdout"), "").expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordergraph"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORDERGRAPH_")) {
            command.env_remove(name);
        }
        let child = command
            .args(["serve", "--listen", &launch.listen.to_string(), "--database-url", &launch.database_url])
            .arg("--data-dir")
            .arg(folder.path())
            .envs(launch.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut process = Self { address: launch.listen, launch, child, folder };
        process.address = process.listening().await;
        process
    }

    async fn listening(&mut self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let said = std::fs::read_to_string(self.folder.path().join("stdout")).expect("its output");
            let address = said.split_once("listens on http://").and_then(|(_, rest)| rest.split([' ', '\n']).next());
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                return address;
            }
            if let Some(status) = self.child.try_wait().expect("its status") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not come up:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything it logged, also in its earlier lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    fn signal(&self, name: &str) {
        let id = self.id();
        let sent = std::process::Command::new("kill").args([name, &id.to_string()]).status().expect("kill");
        assert!(sent.success(), "kill {name} {id}");
    }

    /// Ends it without any chance to say goodbye.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// It hangs.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// It goes on as if nothing had been.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").expect("its status")
    }

    /// The same node again, at the same address.
    pub async fn again(mut self) -> Self {
        let _ = self.child.kill().await;
        let launch = Launch { listen: self.address, ..self.launch.clone() };
        let folder = std::mem::replace(&mut self.folder, TempDir::new().expect("a folder"));
        Self::start_in(launch, folder).await
    }

    /// The process as the system knows it.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a process that runs")
    }
}

/// Bytes of memory that a process holds.
pub fn resident_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("what the kernel says of it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its resident size");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") * 1024
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(6_000);
            let from = (from..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            eprintln!("--- the node at {} logged at the end:\n{}", self.address, &log[from..]);
        }
    }
}
