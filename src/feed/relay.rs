//! PostgreSQL: one relay over all nodes gives committed events their positions, and tells everyone.
//!
//! Rows commit in any order, so neither ids nor times can be resumed from: a lower one may become
//! visible later. Positions are given after the commit, by one hand at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bus::Bus;
use super::conduct::Conduct;
use super::tail::Tail;
use crate::store::{Result, Store, lease, log};

/// Events that get their positions in one transaction.
const BATCH: u64 = 500;
/// The first and the longest rest between two transactions while events keep coming: the fewer the relay
/// needs, the more it leaves to writers. Who comes alone never waits.
const SHORTEST_REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(20);
/// After so many events what is left of them is thrown away.
const LITTER: usize = 10_000;
/// How long a missed hint can delay an event at most.
const POLL: Duration = Duration::from_millis(200);
/// Between two signs of life when nothing happens, and between two attempts to become the relay.
const BEAT: Duration = Duration::from_secs(1);
/// A holder that shows no life for so long is deposed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Stands for election until elected, then gives positions until told to stop or cut off.
pub async fn run(store: Store, bus: Bus, tail: Arc<Tail>, conduct: Conduct, stop: CancellationToken) {
    let node = Uuid::now_v7();
    while !stop.is_cancelled() {
        let outcome = term(&store, &bus, &tail, conduct, node, &stop).await;
        bus.lead(false);
        match outcome {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "this node's term as the relay, or its candidacy, ended"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BEAT) => {}
        }
    }
}

async fn term(
    store: &Store,
    bus: &Bus,
    tail: &Tail,
    conduct: Conduct,
    node: Uuid,
    stop: &CancellationToken,
) -> Result<()> {
    // The lock belongs to this one connection: whoever loses it is no longer the relay.
    let mut options = ConnectOptions::new(store.url().to_owned());
    options
        .max_connections(1)
        .min_connections(1)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|options| {
            options.application_name("ordergraph relay").options([
                ("idle_in_transaction_session_timeout", "5s"),
                // A node that vanished from the network is found out by the server.
                ("tcp_keepalives_idle", "3"),
                ("tcp_keepalives_interval", "1"),
                ("tcp_keepalives_count", "3"),
                ("plan_cache_mode", "force_generic_plan"),
                // What waits is nothing to the statistics most of the time, and a table full of what waited
                // before to whoever reads all of it.
                ("enable_seqscan", "off"),
                ("max_parallel_workers_per_gather", "0"),
                ("jit", "off"),
            ])
        });
    let connection = Database::connect(options).await?;
    let outcome = tokio::select! {
        () = stop.cancelled() => Ok(()),
        outcome = serve(store, &connection, bus, tail, conduct, node) => outcome,
    };
    connection.close().await?;
    outcome
}

async fn serve(
    store: &Store,
    connection: &DatabaseConnection,
    bus: &Bus,
    tail: &Tail,
    conduct: Conduct,
    node: Uuid,
) -> Result<()> {
    candidate(connection, conduct, node).await?;
    tracing::info!(%node, "this node is the relay");
    bus.lead(true);
    let mut waiting = bus.waiting();
    // Nobody else adds to the log from here on.
    let mut end = log::end(connection).await?;
    let mut beaten = None::<Instant>;
    let mut rest = Duration::ZERO;
    let mut litter = 0;
    loop {
        let now = Instant::now();
        let placed = lease::place(connection, node, &mut end, BATCH, bus.notifies_in_transaction()).await?;
        if !placed.is_empty() {
            beaten = Some(now);
            let full = placed.len() as u64 == BATCH;
            litter += placed.len();
            // This node need not read what it has just had in its hands.
            tail.offer(placed);
            bus.publish_log(end.position);
            if full && litter < LITTER {
                continue;
            }
        } else if beaten.is_none_or(|last| now.duration_since(last) >= BEAT) {
            beaten = Some(now);
            lease::beat(connection, node).await?;
        }
        if litter >= LITTER {
            litter = 0;
            tokio::spawn(tidy(store.clone()));
        }
        let at_once = waiting.next().now_or_never().is_some();
        rest = if at_once { (rest * 2).clamp(SHORTEST_REST, LONGEST_REST) } else { Duration::ZERO };
        tokio::select! {
            () = tokio::time::sleep(rest), if at_once => {}
            _ = waiting.next(), if !at_once => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// On a connection of the pool: the relay goes on meanwhile.
async fn tidy(store: Store) {
    if let Err(error) = lease::tidy(&store).await {
        tracing::warn!(%error, "what is left of placed events could not be thrown away; autovacuum will");
    }
}

/// Waits until this node is elected. Whoever holds the office but shows no life loses it.
async fn candidate(connection: &DatabaseConnection, conduct: Conduct, node: Uuid) -> Result<()> {
    let mut seen = (lease::pulse(connection).await?, Instant::now());
    while !lease::take(connection, node).await? {
        tokio::time::sleep(BEAT).await;
        let pulse = lease::pulse(connection).await?;
        if pulse != seen.0 {
            seen = (pulse, Instant::now());
        } else if seen.1.elapsed() >= PATIENCE && !conduct.no_takeover && lease::depose(connection).await? {
            tracing::warn!(?pulse, "the relay showed no life and was deposed");
            seen.1 = Instant::now();
        }
    }
    Ok(())
}
