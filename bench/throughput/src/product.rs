//! The server itself, as it comes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;
use bench_common::http::Http;
use bench_common::process::Process;
use bench_common::token::Signer;

use crate::settings::Settings;

/// A running server.
pub struct Product {
    /// Its process.
    pub process: Process,
    /// Its address.
    pub address: SocketAddr,
    /// Signs tokens it accepts.
    pub signer: Signer,
    /// From its start to its being ready.
    pub start: Duration,
}

impl Product {
    /// Starts it and waits until it is ready; on the embedded database of its data folder when no
    /// other is named.
    pub async fn start(settings: &Settings, database: Option<&str>, data: &str) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let data = settings.folder.join(data);
        let (listen, folder) = (address.to_string(), data.display().to_string());
        let mut arguments = vec!["serve", "--listen", &listen, "--data-dir", &folder];
        let mut environment = Vec::new();
        if let Some(database) = database {
            // In the environment: arguments can be read by everybody.
            environment.push(("ORDERGRAPH_DATABASE__URL", database));
            arguments.push("--demo");
        }
        let log = settings.log("ordergraph");
        let began = Instant::now();
        let mut process = Process::start("", &settings.product, &arguments, &environment, &log)?;
        ready(&mut process, address, "/readyz", "ordergraph").await?;
        Ok(Self { process, address, signer: Signer::read(&data)?, start: began.elapsed() })
    }
}

/// A free port below those that outgoing connections take, so that it stays free.
pub fn free_port() -> anyhow::Result<u16> {
    for attempt in 0..200_u32 {
        let port = u16::try_from(20_000 + (std::process::id().wrapping_mul(7) + attempt * 37) % 12_000)?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free");
}

/// Waits until a server takes requests.
pub async fn ready(process: &mut Process, address: SocketAddr, path: &str, what: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline && !process.ended() {
        if let Ok(answer) = Http::to(address).get(path).await
            && answer.status < 500
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("{what} did not become ready; its log is in the run's folder");
}
