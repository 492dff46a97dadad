//! The servers that are compared.

pub mod nats;
pub mod peer;
pub mod product;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::http::Http;
use crate::process::Process;

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
pub async fn ready(process: &mut Process, address: SocketAddr, what: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline && !process.ended() {
        if let Ok(answer) = Http::to(address).get("/readyz").await
            && answer.status == 200
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{what} did not become ready; its log is in the run's folder");
}
