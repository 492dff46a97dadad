//! Group 4: what nodes tell each other gets lost, doubled and reordered, and the database goes away;
//! what subscribers receive stays the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ordergraph::domain::actor::Role;
use ordergraph::feed::{Conduct, FeedSettings};

use super::{Verdict, patience, proven};
use crate::support::load::{Load, Plan, work};
use crate::support::lossy::{Losses, Lossy};
use crate::support::node::{Making, Node, Site};
use crate::support::proxy::{Mode, Proxy, host_of};
use crate::support::seed::Seed;
use crate::support::watcher::Watcher;
use crate::support::{Kind, log, nats_url};

/// The node that subscribers are at has no listener while others commit.
async fn deaf(kind: Kind, conduct: Conduct) -> Verdict {
    const LISTENERS: &str = "FROM pg_stat_activity \
                             WHERE datname = current_database() AND application_name = 'ordergraph listener'";
    let site = Site::new(kind).await;
    // The relay: it was there first.
    let writing = site.node(Conduct::default()).await;
    let orders = site.orders(&[writing.address], 1).await;
    site.log().await?;
    let proxy = Proxy::before(host_of(site.url())).await;
    let making = Making { url: proxy.through(site.url()), conduct, ..site.making() };
    let reading = Node::start(making, &site.key).await;
    let start = log::read(&site.db).await.len();
    let after = site.client(Role::Supervisor).cursor(&[writing.address]).await;
    let watcher = Watcher::begin(site.watch(&[reading.address], Some(after))).await;
    let dispatcher = site.client(Role::Dispatcher);
    let mut soonest = Duration::MAX;
    for round in 0..3 {
        proxy.set(Mode::Refuse);
        let refused = proxy.counts.refused.load(Ordering::Relaxed);
        assert!(site.run(&format!("SELECT pg_terminate_backend(pid) {LISTENERS}")).await > 0);
        while proxy.counts.refused.load(Ordering::Relaxed) == refused {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        work(&dispatcher, &[writing.address], &orders[0], 1).await;
        let log = site.log().await?;
        let placed = Instant::now();
        let expected = log::part(&log[start..], 0, log::of_orders);
        let arrived = watcher.receives(&expected, patience(conduct)).await;
        proxy.set(Mode::Forward);
        arrived.map_err(|error| format!("round {round}: {error}"))?;
        let last = watcher.record().received.last().expect("one").at;
        soonest = soonest.min(last.saturating_duration_since(placed));
        // The listener comes back.
        let begun = Instant::now();
        while site.number(&format!("SELECT COUNT(*) {LISTENERS}")).await < 2 {
            assert!(begun.elapsed() < Duration::from_secs(30), "the listener stays away");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // The machine may be slow once, not every time.
    assert!(soonest < Duration::from_secs(1), "{soonest:?}");
    drop(watcher);
    reading.end().await;
    writing.end().await;
    site.end().await;
    Ok(())
}

proven!(
    /// A lost NOTIFY costs a poll at most.
    notify_lost: deaf, on postgres, fails with trust_hints
);

/// NATS loses, doubles and reorders on the way to every node.
async fn garbled(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let mut seed = Seed::new(10);
    let losses = Losses { dropped: 10, doubled: 10, swapped: 10 };
    let nats = nats_url();
    let (mut proxies, mut nodes) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let proxy = Proxy::lossy(host_of(&nats), Lossy::new(losses, seed.fork())).await;
        let feed = FeedSettings { nats_url: proxy.through(&nats), ..FeedSettings::default() };
        nodes.push(Node::start(Making { feed, conduct, ..site.making() }, &site.key).await);
        proxies.push(proxy);
    }
    let addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
    let orders = site.orders(&addresses, 4).await;
    site.log().await?;
    let start = log::read(&site.db).await.len();
    let after = site.client(Role::Supervisor).cursor(&addresses).await;
    let mut watchers = Vec::new();
    for address in &addresses {
        watchers.push(Watcher::begin(site.watch(&[*address], Some(after.clone()))).await);
    }
    // One at a time: a hint that is lost is not made good by the next one.
    let dispatcher = site.client(Role::Dispatcher);
    for _ in 0..15 {
        work(&dispatcher, &addresses, &orders[0], 1).await;
        let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
        for watcher in &watchers {
            watcher.receives(&expected, patience(conduct)).await?;
        }
    }
    // And many at once.
    let plan = Plan { client: dispatcher, nodes: addresses, orders, workers: 4, rest: Duration::from_millis(10) };
    let load = Load::start(plan, &mut seed);
    let did = |which: fn(&crate::support::proxy::Counts) -> &AtomicU64| {
        proxies.iter().map(|proxy| which(&proxy.counts).load(Ordering::Relaxed)).sum::<u64>()
    };
    let begun = Instant::now();
    while did(|counts| &counts.dropped) < 5 || did(|counts| &counts.doubled) < 5 || did(|counts| &counts.swapped) < 5 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the proxy does no harm");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    load.stop().await;
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    for watcher in &watchers {
        watcher.receives(&expected, patience(conduct)).await?;
    }
    drop(watchers);
    for node in nodes {
        node.end().await;
    }
    site.end().await;
    Ok(())
}

proven!(
    /// Exactly once and in order over a NATS that keeps no promise.
    nats_dup_reorder_drop: garbled, on postgres, fails with trust_hints
);

/// NATS is away from the beginning, comes, goes and comes back: that costs latency only.
async fn away(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let nats = nats_url();
    let proxy = Proxy::before(host_of(&nats)).await;
    proxy.set(Mode::Refuse);
    let feed = FeedSettings { nats_url: proxy.through(&nats), ..FeedSettings::default() };
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(Node::start(Making { feed: feed.clone(), conduct, ..site.making() }, &site.key).await);
    }
    let addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
    let orders = site.orders(&addresses, 1).await;
    site.log().await?;
    let start = log::read(&site.db).await.len();
    let after = site.client(Role::Supervisor).cursor(&addresses).await;
    let watcher = Watcher::begin(site.watch(&addresses[1..], Some(after))).await;
    for mode in [Mode::Refuse, Mode::Forward, Mode::Stall, Mode::Refuse, Mode::Forward] {
        proxy.set(mode);
        if mode == Mode::Refuse {
            proxy.cut();
        }
        work(&site.client(Role::Dispatcher), &addresses[..1], &orders[0], 3).await;
        let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
        watcher.receives(&expected, patience(conduct)).await.map_err(|error| format!("{mode:?}: {error}"))?;
    }
    assert!(proxy.counts.refused.load(Ordering::Relaxed) > 0 && proxy.counts.cut.load(Ordering::Relaxed) > 0);
    drop(watcher);
    for node in nodes {
        node.end().await;
    }
    site.end().await;
    Ok(())
}

proven!(
    /// Without NATS everything comes, a little later.
    nats_away: away, on postgres, fails with trust_hints
);
