//! Group 5: the node that gives positions dies, hangs and comes back; two nodes tell the same story.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use sea_orm::TransactionTrait;

use super::{Verdict, patience, proven};
use crate::support::Kind;
use crate::support::load::{Acknowledged, Load, Plan, work};
use crate::support::log::{self, Entry};
use crate::support::node::{Making, Node, Site};
use crate::support::process::Process;
use crate::support::proxy::{Mode, Proxy, host_of};
use crate::support::rows;
use crate::support::seed::Seed;
use crate::support::watcher::Watcher;

/// The promise is five seconds; a machine that does other things as well may take longer.
const TAKEOVER: Duration = Duration::from_secs(15);

/// Waits until the log grows again. Says how long that took.
async fn grows(site: &Site, patience: Duration) -> Result<Duration, String> {
    let before = site.number("SELECT COUNT(*) FROM event_log").await;
    let begun = Instant::now();
    while site.number("SELECT COUNT(*) FROM event_log").await == before {
        if begun.elapsed() > patience {
            return Err(format!("no event was given a position for {patience:?}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(begun.elapsed())
}

/// What was acknowledged is there.
fn holds(log: &[Entry], done: &[Acknowledged]) -> Verdict {
    let known: std::collections::HashSet<(uuid::Uuid, i64)> =
        log.iter().map(|entry| (entry.aggregate, entry.sequence)).collect();
    match done.iter().find(|one| !known.contains(&(log::uuid_of(&one.order), one.version))) {
        Some(lost) => Err(format!("{lost:?} was acknowledged and is not in the log")),
        None => Ok(()),
    }
}

/// Which node is the relay now, as it says itself.
async fn relay(nodes: &[Option<Process>]) -> usize {
    let begun = Instant::now();
    loop {
        let terms = nodes.iter().enumerate().filter_map(|(at, node)| {
            let log = node.as_ref()?.log();
            let line = log.lines().filter(|line| line.contains("this node is the relay")).next_back()?;
            Some((line.split_whitespace().next()?.to_owned(), at))
        });
        // The youngest claim holds: lines begin with the time.
        if let Some((_, at)) = terms.max() {
            return at;
        }
        assert!(begun.elapsed() < TAKEOVER, "nobody becomes the relay");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Three nodes; the relay is killed in the middle of its work, and the next one hangs for longer than
/// it is trusted and then goes on as if nothing had been.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relay_failover() {
    let site = Site::new(Kind::Postgres).await;
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Some(Process::start(site.launch().with("ORDERGRAPH_LOG", "info,ordergraph::feed=debug")).await));
    }
    let addresses: Vec<SocketAddr> = nodes.iter().flatten().map(|node| node.address).collect();
    let orders = site.orders(&addresses, 6).await;
    let start = site.log().await.expect("a sound log").len();
    let after = site.client(Role::Supervisor).cursor(&addresses).await;
    let mut watchers = Vec::new();
    for first in 0..addresses.len() {
        let mut nodes = addresses.clone();
        nodes.rotate_left(first);
        watchers.push(Watcher::begin(site.watch(&nodes, Some(after.clone()))).await);
    }
    let mut seed = Seed::new(5);
    let plan = Plan {
        client: site.client(Role::Dispatcher),
        nodes: addresses.clone(),
        orders,
        workers: 6,
        rest: Duration::from_millis(10),
    };
    let load = Load::start(plan, &mut seed);
    grows(&site, TAKEOVER).await.expect("positions are given");

    let dead = relay(&nodes).await;
    let mut victim = nodes[dead].take().expect("it runs");
    victim.kill().await;
    let gap = grows(&site, TAKEOVER).await.expect("another node takes over from the dead one");
    println!("after kill -9 the next position came after {gap:?}");

    let hung = relay(&nodes).await;
    assert_ne!(hung, dead);
    let sleeper = nodes[hung].as_ref().expect("it runs");
    sleeper.pause();
    let gap = grows(&site, TAKEOVER).await.expect("another node takes over from the one that hangs");
    println!("after SIGSTOP the next position came after {gap:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    sleeper.resume();
    grows(&site, TAKEOVER).await.expect("positions are given");

    // The dead node comes back where it was.
    nodes[dead] = Some(victim.again().await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let done = load.stop().await;
    let log = site.log().await.expect("a sound log");
    holds(&log, &done).unwrap_or_else(|found| panic!("{found}"));
    let expected = log::part(&log[start..], 0, log::of_orders);
    for watcher in &watchers {
        watcher.receives(&expected, Duration::from_secs(40)).await.unwrap_or_else(|found| panic!("{found}"));
    }
    println!("{} commands, {} events", done.len(), expected.len());
    drop(watchers);
    drop(nodes);
    site.end().await;
}

/// The relay's way to the database swallows everything: it hangs, and its lock with it.
async fn swallowed(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let proxy = Proxy::before(host_of(site.url())).await;
    let making = Making { url: proxy.through(site.url()), conduct, ..site.making() };
    let first = Node::start(making, &site.key).await;
    let orders = site.orders(&[first.address], 1).await;
    site.log().await?;
    let second = site.node(conduct).await;
    let start = log::read(&site.db).await.len();
    let after = site.client(Role::Supervisor).cursor(&[second.address]).await;
    let watcher = Watcher::begin(site.watch(&[second.address], Some(after))).await;
    proxy.set(Mode::Stall);
    let client = site.client(Role::Dispatcher);
    let patience = if conduct == Conduct::default() { TAKEOVER } else { Duration::from_secs(8) };
    work(&client, &[second.address], &orders[0], 4).await;
    let expected_after = |log: Vec<Entry>| log::part(&log[start..], 0, log::of_orders);
    let arrived = watcher.try_until(patience, |record| record.received.len() >= 4).await;
    // It comes back and finds that it was replaced.
    proxy.set(Mode::Forward);
    arrived?;
    work(&client, &[second.address], &orders[0], 4).await;
    let expected = expected_after(site.log().await?);
    watcher.receives(&expected, patience).await?;
    drop(watcher);
    first.end().await;
    second.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// A relay that hangs loses its office.
    relay_hangs: swallowed, on postgres, fails with no_takeover
);

/// Commands at both nodes, and a foreign writer that commits late: subscribers at both see one order.
async fn told_twice(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let (one, other) = (site.node(conduct).await, site.node(conduct).await);
    let nodes = vec![one.address, other.address];
    let orders = site.orders(&nodes, 4).await;
    let start = site.log().await?.len();
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let mut watchers = Vec::new();
    for node in &nodes {
        watchers.push(Watcher::begin(site.watch(&[*node], Some(after.clone()))).await);
    }
    let late = site.connect().await.begin().await.expect("a transaction");
    let event = rows::event(&late, log::uuid_of(&orders[0])).await;
    let mut seed = Seed::new(2);
    let client = site.client(Role::Dispatcher);
    let load = Load::start(Plan { client, nodes, orders, workers: 4, rest: Duration::from_millis(5) }, &mut seed);
    watchers[0].try_until(patience(conduct), |record| record.received.len() >= 40).await?;
    late.commit().await.expect("committed");
    tokio::time::sleep(Duration::from_millis(300)).await;
    load.stop().await;
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    assert!(expected.contains(&event) && expected.len() > 40);
    for watcher in &watchers {
        watcher.receives(&expected, patience(conduct)).await?;
    }
    drop(watchers);
    one.end().await;
    other.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// A command on one node reaches subscribers on all, in the same order.
    two_nodes_same_order: told_twice, on postgres, fails with order_by_id
);
