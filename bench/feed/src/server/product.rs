//! The product itself, as it comes.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::http::{Http, metric};
use crate::process::Process;
use crate::settings::Settings;
use crate::token::Signer;

/// How a node is started.
#[derive(Clone, Default)]
pub struct Node {
    /// PostgreSQL; the embedded database of `data` when absent.
    pub database: Option<String>,
    /// Where hints go besides.
    pub nats: Option<String>,
    /// Its data folder; the run's common one when absent, so that nodes know each other's tokens.
    pub data: Option<PathBuf>,
    /// Its port; a free one when absent.
    pub port: Option<u16>,
    /// Its cores; the server's when absent.
    pub cores: Option<String>,
}

/// A running node.
pub struct Product {
    /// Its process.
    pub process: Process,
    /// Its address.
    pub address: SocketAddr,
    /// Signs tokens it accepts.
    pub signer: Signer,
}

impl Product {
    /// Starts a node and waits until it is ready.
    pub async fn start(settings: &Settings, node: &Node) -> anyhow::Result<Self> {
        let port = node.port.map_or_else(super::free_port, Ok)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let data = node.data.clone().unwrap_or_else(|| settings.folder.join("data"));
        let (listen, folder) = (address.to_string(), data.display().to_string());
        let mut arguments = vec!["serve", "--listen", &listen, "--data-dir", &folder];
        let mut environment = Vec::new();
        if let Some(database) = &node.database {
            // In the environment: arguments can be read by everybody.
            environment.push(("ORDERGRAPH_DATABASE__URL", database.as_str()));
            arguments.push("--demo");
        }
        if let Some(nats) = &node.nats {
            environment.push(("ORDERGRAPH_FEED__NATS_URL", nats.as_str()));
        }
        let cores = node.cores.as_deref().unwrap_or(&settings.server_cores);
        let log = settings.log("ordergraph");
        let mut process = Process::start(cores, &settings.product, &arguments, &environment, &log)?;
        super::ready(&mut process, address, "ordergraph").await?;
        Ok(Self { process, address, signer: Signer::read(&data)? })
    }

    /// A figure it publishes about itself; nothing when it does not.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let page = Http::to(self.address).get("/metrics").await.ok()?;
        (page.status == 200).then(|| metric(&page.body, name)).flatten()
    }
}
