//! Debian's NATS server, as a bus between nodes.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use tokio::net::TcpStream;

use crate::process::Process;
use crate::settings::Settings;

/// A running NATS server.
pub struct Nats {
    _process: Process,
    /// Its address, as clients want it.
    pub url: String,
}

impl Nats {
    /// Starts one and waits until it listens.
    pub async fn start(settings: &Settings) -> anyhow::Result<Self> {
        let port = super::free_port()?;
        let arguments = ["--addr", "127.0.0.1", "--port", &port.to_string()];
        let process =
            Process::start(&settings.other_cores, Path::new("nats-server"), &arguments, &[], &settings.log("nats"))?;
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self { _process: process, url: format!("nats://127.0.0.1:{port}") });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("nats-server did not become ready; its log is in the run's folder");
    }
}
