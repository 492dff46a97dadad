//! Server processes: started, perhaps on a core of their own, measured from outside, and ended for certain.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// `/proc` counts processor time in hundredths of a second on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server. It is killed when this is dropped.
pub struct Process {
    child: Child,
    /// Its process id; `taskset` becomes the program, so that they are one.
    pub id: u32,
}

/// Processor time of a process since it began, in seconds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cpu {
    /// In the program itself.
    pub user: f64,
    /// In the kernel on its behalf.
    pub kernel: f64,
}

impl Cpu {
    /// Of a process; nothing when there is none.
    pub fn of(id: u32) -> Option<Self> {
        Self::read(id, 11)
    }

    /// Of those of its children that have ended and that it has waited for.
    pub fn of_ended_children(id: u32) -> Option<Self> {
        Self::read(id, 13)
    }

    fn read(id: u32, first: usize) -> Option<Self> {
        let line = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name may hold anything; what follows the last parenthesis is well-formed.
        let fields: Vec<&str> = line.rsplit(')').next()?.split_whitespace().collect();
        let seconds = |field: usize| Some(fields.get(field)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
        Some(Self { user: seconds(first)?, kernel: seconds(first + 1)? })
    }

    /// In both.
    pub fn total(self) -> f64 {
        self.user + self.kernel
    }

    /// Since then.
    pub fn since(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, kernel: self.kernel - earlier.kernel }
    }
}

/// Which cores a program may use, as `taskset` takes them; all that this process may when empty.
pub type Cores<'a> = &'a str;

impl Process {
    /// Starts a program. What it prints goes to `log` and the same name with `.err`.
    pub fn start(
        cores: Cores<'_>,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let file = |path: &Path| {
            std::fs::File::create(path)
                .map(Stdio::from)
                .with_context(|| format!("{} cannot be written", path.display()))
        };
        let mut command = if cores.is_empty() {
            Command::new(program)
        } else {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", cores]).arg(program);
            pinned
        };
        command.args(arguments);
        // Settings of whoever runs this must not reach a server that is to be as it comes.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORDERGRAPH_")) {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let child = command
            .stdin(Stdio::null())
            .stdout(file(log)?)
            .stderr(file(&log.with_extension("err"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let id = child.id().context("the process ended at once")?;
        Ok(Self { child, id })
    }

    /// Its processor time so far.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        Cpu::of(self.id).with_context(|| format!("process {} is gone", self.id))
    }

    /// Its resident memory, in bytes.
    pub fn memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }

    /// Waits until it has nothing to do for half a second.
    pub async fn quiet(&self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        let mut last = self.cpu()?.total();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.cpu()?.total();
            // A poll now and then is no work.
            if now - last < 0.03 {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("process {} is still busy after {patience:?}", self.id);
            }
            last = now;
        }
    }

    /// Has it ended by itself?
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal, such as `STOP`.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id.to_string()]).status().await?;
        if !sent.success() {
            bail!("process {} took no {name}", self.id);
        }
        Ok(())
    }

    /// Asks it to stop, and kills it when it does not.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.id.to_string()]).status().await?;
        if tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    /// Kills it, as a crash would.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
