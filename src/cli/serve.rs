//! `serve`: the API server.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, SystemClock, access, due, import};
use crate::config::Config;
use crate::domain::actor::Role;
use crate::feed::Feed;
use crate::graphql::{self, Gateway};
use crate::http::auth::{DemoKey, DemoToken};
use crate::http::{Edge, Server};
use crate::imports;
use crate::metrics;
use crate::seed::person_for;
use crate::store::Store;
use crate::webhooks;

/// What to serve, and where.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// Address and port to listen on; anything but the loopback interface needs a real key
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Seed the demo group into an empty database; always done on the embedded one
    #[arg(long)]
    demo: bool,
    /// Leave an empty embedded database empty
    #[arg(long, conflicts_with = "demo")]
    no_demo: bool,
}

impl Serve {
    /// Serves until told to stop.
    pub async fn run(self, mut config: Config) -> anyhow::Result<ExitCode> {
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        let key = config.demo_key()?;
        if key.is_some() && !config.listen.ip().is_loopback() {
            bail!(
                "{} is no loopback address: configure a real key first (auth.jwks_url, auth.public_key_file or auth.secret_file), \
                 since the demo key is for trying things out",
                config.listen
            );
        }
        let store = super::open(&config, config.database.migrate).await?;
        if !store.is_current().await? {
            bail!("the database's schema is not up to date: run `ordergraph migrate` first");
        }
        if self.demo || (config.is_embedded() && !self.no_demo) {
            crate::seed::demo(&store, chrono::Utc::now()).await?;
        }
        let running = Running::start(&config, store).await?;
        let address = running.server.local_addr()?;
        if let Some(key) = &key {
            println!("{}", welcome(address, key)?);
        } else {
            println!("Listening on http://{address}");
        }
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        let drained = running.run(stop).await?;
        if !drained {
            tracing::warn!("some requests were still running when the time to drain was over");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A server with everything behind it.
pub(super) struct Running {
    pub(super) server: Server,
    pub(super) app: Arc<App>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    /// Starts everything that serves, on an open store.
    pub(super) async fn start(config: &Config, store: Store) -> anyhow::Result<Self> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let feed = Feed::start(&store, config.feed.clone(), &tasks, &stop).await?;
        let app = App::new(store, feed, Arc::new(SystemClock));
        // Whoever has lost access has lost it on a node that just started, too.
        app.access().reload().await?;
        tasks.spawn(access::follow(app.clone(), stop.clone()));
        tasks.spawn(due::follow(app.clone(), stop.clone()));
        tasks.spawn(import::follow(app.clone(), config.imports.clone(), stop.clone()));
        let ready = Arc::new(AtomicBool::new(false));
        let gateway = Gateway::new(&app);
        let hub = gateway.hub().clone();
        let authenticator = config.authenticator()?;
        let files = imports::routes(gateway.clone(), authenticator.clone(), config.imports.clone());
        let mut edge = Edge::new(gateway, authenticator)
            .routes(files)
            .settings(config.edge.clone())
            .schema_text(graphql::sdl())
            .ready(ready.clone())
            .routes(webhooks::routes(app.clone(), &config.edge));
        if config.edge.metrics.unwrap_or(config.listen.ip().is_loopback()) {
            let counters = edge.counters();
            edge = edge.routes(metrics::routes(app.clone(), hub, counters));
        }
        let server = edge.bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        ready.store(true, Ordering::Relaxed);
        Ok(Self { server, app, tasks, stop })
    }

    /// Serves until told to stop, then lets requests and background tasks end. Says whether all
    /// requests ended in time.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<bool> {
        let drained = self.server.run(stop).await;
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(Duration::from_secs(10), self.tasks.wait()).await.is_err() {
            tracing::warn!("background tasks did not end in time");
        }
        self.app.store().clone().close().await?;
        Ok(drained)
    }
}

/// The first Ctrl-C or SIGTERM begins the drain; the second ends the process.
async fn stop_on_signal(stop: CancellationToken) {
    for exit in [false, true] {
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated => {}
        }
        if exit {
            std::process::exit(130);
        }
        stop.cancel();
    }
}

/// What somebody who just started the demo needs: the address, a token per role, things to try.
fn welcome(address: SocketAddr, key: &DemoKey) -> anyhow::Result<String> {
    let mut text = format!(
        "\nordergraph listens on http://{address} - GraphiQL opens there.\n\nA token for each role, valid for 12 hours:\n"
    );
    let mut tokens = Vec::new();
    for person in Role::ALL.iter().filter_map(|role| person_for(*role)) {
        let identity = person.identity();
        let token = key.issue(&DemoToken {
            subject: identity.subject,
            roles: identity.roles,
            unit: identity.unit,
            customer: identity.customer,
            channel: identity.channel,
            lifetime: Duration::from_secs(12 * 3_600),
        })?;
        text.push_str(&format!("  {:<16} {token}\n", person.role.code()));
        tokens.push((person.role, token));
    }
    let token = |role| tokens.iter().find(|(known, _)| *known == role).map_or("", |(_, token)| token.as_str());
    text.push_str(&format!(
        "\nThree things to try:\n  \
         1. GraphiQL as a supervisor:  http://{address}/#token={}\n  \
         2. The orders in delivery:    curl -s http://{address}/graphql -H 'authorization: Bearer {}' -H 'content-type: application/json' \
         -d '{{\"query\":\"{{ orders(first: 5, filter: {{ stages: [DELIVERY] }}) {{ totalCount nodes {{ number status total {{ amount currencyCode }} }} }} }}\"}}'\n  \
         3. Everything, live:          curl -sN http://{address}/graphql/stream -H 'authorization: Bearer {}' -H 'content-type: application/json' \
         -d '{{\"query\":\"subscription {{ orderEvents {{ cursor event {{ kind }} order {{ number status }} }} }}\"}}'\n",
        token(Role::Supervisor),
        token(Role::Sales),
        token(Role::Supervisor),
    ));
    Ok(text)
}
