//! What the product is compared with: the limit, and Node.js.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;

use crate::http::Http;
use crate::process::Process;
use crate::settings::Settings;
use crate::trigger::{Fire, Trigger};

/// A running peer.
pub struct Peer {
    /// Its process.
    pub process: Process,
    /// Its address.
    pub address: SocketAddr,
}

impl Peer {
    /// Starts the raw socket server.
    pub async fn raw(settings: &Settings) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("where am I?")?;
        Self::start(settings, &own, &["raw", "--listen"], "raw").await
    }

    /// Starts graphql-ws on Node.js.
    pub async fn node(settings: &Settings) -> anyhow::Result<Self> {
        let script = settings.node_folder.join("server.mjs").display().to_string();
        Self::start(settings, Path::new("node"), &[&script], "node").await
    }

    async fn start(settings: &Settings, program: &Path, arguments: &[&str], name: &str) -> anyhow::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()?));
        let listen = address.to_string();
        let mut arguments = arguments.to_vec();
        arguments.push(&listen);
        let mut process = Process::start(
            &settings.server_cores,
            program,
            &arguments,
            &[("NODE_ENV", "production")],
            &settings.log(name),
        )?;
        super::ready(&mut process, address, name).await?;
        Ok(Self { process, address })
    }

    /// What makes it send events.
    pub fn trigger(&self) -> Trigger {
        Trigger::Fire(Fire { http: Http::to(self.address), next: 1 })
    }

    /// Shows it a message of the product, so that it sends as many bytes.
    pub async fn imitate(&self, message: &[u8]) -> anyhow::Result<()> {
        Http::to(self.address).post("/template", &String::from_utf8_lossy(message)).await?;
        Ok(())
    }
}
