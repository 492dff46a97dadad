//! Group 14: a node goes without anybody losing anything, and everybody coming back at once is nothing
//! to fear.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ordergraph::domain::actor::Role;
use ordergraph::feed::FeedSettings;
use serde_json::json;

use super::{Verdict, is_caught};
use crate::support::client::Client;
use crate::support::crowd::{Crowd, Heard, Line, Wish};
use crate::support::load::{Load, Plan, work};
use crate::support::node::{Making, Node, Site};
use crate::support::process::{Launch, Process};
use crate::support::seed::Seed;
use crate::support::watcher::{Incident, ORDER_EVENTS};
use crate::support::{Kind, log};

const SOCKETS: usize = 1_000;
/// Over which a node spreads the ends of its sockets.
const SPREAD: Duration = Duration::from_secs(5);

fn launch(site: &Site) -> Launch {
    site.launch()
        .with("ORDERGRAPH_EDGE__SOCKET__PER_CALLER", SOCKETS)
        .with("ORDERGRAPH_EDGE__DRAIN_SPREAD_MILLISECONDS", SPREAD.as_millis())
        .with("ORDERGRAPH_EDGE__DRAIN_NOTICE_SECONDS", 2)
}

/// So many sockets with a subscription each, behind a cursor.
fn lines(site: &Site, cursors: impl Iterator<Item = String>) -> Vec<Line> {
    let token = site.token(Role::Supervisor);
    let wish = |after| Wish { document: ORDER_EVENTS.to_owned(), variables: json!({ "after": after }) };
    cursors.map(|after| Line { token: token.clone(), wishes: vec![wish(after)] }).collect()
}

/// Asks the node as long as it says that it is ready, and then the other one, as a balancer does that
/// looks twice a second. Gives what went wrong.
async fn balanced(client: &Client, leaving: SocketAddr, staying: SocketAddr, until: Instant) -> Vec<String> {
    let probe = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    let (mut wrong, mut node, mut looked) = (Vec::new(), leaving, Instant::now());
    while Instant::now() < until {
        if node == leaving && looked.elapsed() > Duration::from_millis(500) {
            looked = Instant::now();
            let ready = probe.get(format!("http://{leaving}/readyz")).send().await;
            if !ready.is_ok_and(|answer| answer.status().is_success()) {
                node = staying;
            }
        }
        match client.ask(node, "{ viewer { roles } }", &json!({})).await {
            Ok(answer) if answer["errors"].is_null() => {}
            other => wrong.push(format!(
                "{other:?} by {}",
                if node == leaving { "the one that leaves" } else { "the one that stays" }
            )),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(node, staying, "it never said that it leaves");
    wrong
}

/// All ends have the code, within the time and spread over it.
fn are_spread(heard: &[Heard], begun: Instant) -> Verdict {
    let mut buckets = [0; 40];
    for heard in heard {
        match heard.incidents.as_slice() {
            [(at, Incident::Closed(1012, _))] => {
                let half = usize::try_from(at.saturating_duration_since(begun).as_millis() / 500).expect("fits");
                buckets[half.min(buckets.len() - 1)] += 1;
            }
            other => return Err(format!("a socket ended with {other:?} instead of 1012")),
        }
    }
    println!("ends by half seconds: {buckets:?}");
    let fullest = buckets.iter().max().expect("some");
    if *fullest > heard.len() / 4 {
        return Err(format!("{fullest} of {} sockets end within half a second: {buckets:?}", heard.len()));
    }
    Ok(())
}

/// A node with a thousand sockets leaves under load; everybody goes on at the other.
async fn leaves(end: impl AsyncFnOnce(&mut Process), is_polite: bool) -> Verdict {
    let site = Site::new(Kind::Postgres).await;
    let mut leaving = Process::start(launch(&site)).await;
    let staying = Process::start(launch(&site)).await;
    let orders = site.orders(&[staying.address], 4).await;
    let start = site.log().await?.len();
    let after = site.client(Role::Supervisor).cursor(&[staying.address]).await;
    let mut crowd = Crowd::enter(leaving.address, lines(&site, (0..SOCKETS).map(|_| after.clone()))).await;
    let plan = Plan {
        client: site.client(Role::Dispatcher),
        nodes: vec![staying.address],
        orders,
        workers: 2,
        rest: Duration::from_millis(200),
    };
    let load = Load::start(plan, &mut Seed::new(14));
    crowd.until(2 * SOCKETS as u64, Duration::from_secs(60)).await.expect("they are told of something");
    let begun = Instant::now();
    let balancer = {
        let (client, from, to) = (site.client(Role::Supervisor), leaving.address, staying.address);
        tokio::spawn(async move { balanced(&client, from, to, begun + Duration::from_secs(6)).await })
    };
    tokio::time::sleep(Duration::from_millis(600)).await;
    let asked = Instant::now();
    end(&mut leaving).await;
    crowd.until_ended(SPREAD * 4).await?;
    let first = crowd.heard();
    let spread = are_spread(&first, asked);
    // Elsewhere, behind what each has received.
    let cursors = first.iter().map(|heard| heard.cursors[0].clone().unwrap_or_else(|| after.clone()));
    let crowd = Crowd::enter(staying.address, lines(&site, cursors)).await;
    let failed = balancer.await.expect("it looked");
    load.stop().await;
    let expected = log::part(&site.log().await?[start..], 0, log::of_orders);
    let before: usize = first.iter().map(|heard| heard.events[0].len()).sum();
    crowd.until((SOCKETS * expected.len() - before) as u64, Duration::from_secs(60)).await?;
    for (first, second) in first.iter().zip(crowd.heard()) {
        log::same(&[first.events[0].as_slice(), second.events[0].as_slice()].concat(), &expected)?;
    }
    drop(crowd);
    if is_polite {
        assert!(leaving.ended().await.success(), "{}", leaving.log());
    }
    drop((leaving, staying));
    site.end().await;
    spread?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} requests failed, the first: {first}", failed.len())),
    }
}

/// SIGTERM: every socket is told to come again, spread over time; no request fails; nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain() {
    leaves(async |node| node.terminate(), true).await.unwrap_or_else(|found| panic!("{found}"));
}

/// A node that just ends loses nothing either, but is not polite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_fails_with_a_node_that_just_ends() {
    is_caught("no drain", leaves(async |node| node.kill().await, false).await);
}

/// How often the system turned connections away because nobody accepted them.
fn overflows() -> u64 {
    let text = std::fs::read_to_string("/proc/net/netstat").expect("the kernel counts");
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let names = lines.next().expect("names").split(' ');
    let values = lines.next().expect("values").split(' ');
    let found = names.zip(values).find(|(name, _)| *name == "ListenOverflows");
    found.and_then(|(_, value)| value.parse().ok()).expect("a number")
}

/// Everybody loses the connection, misses some events and comes back in the same moment.
async fn storms(feed: FeedSettings, sockets: usize) -> Verdict {
    const MISSED: usize = 20;
    let site = Site::new(Kind::Postgres).await;
    let node = Node::start(Making { feed, ..site.making() }, &site.key).await;
    let nodes = [node.address];
    let order = site.orders(&nodes, 1).await.remove(0);
    let start = site.log().await?.len();
    let after = site.client(Role::Supervisor).cursor(&nodes).await;
    let client = site.client(Role::Dispatcher);
    let crowd = Crowd::enter(node.address, lines(&site, (0..sockets).map(|_| after.clone()))).await;
    work(&client, &nodes, &order, 1).await;
    crowd.until(sockets as u64, Duration::from_secs(60)).await?;
    let cursors: Vec<String> = crowd.heard().iter().map(|heard| heard.cursors[0].clone().expect("a cursor")).collect();
    drop(crowd);
    node.until_open((0, 0)).await?;
    work(&client, &nodes, &order, MISSED).await;
    let expected = log::part(&site.log().await?[start + 1..], 0, log::of_orders);
    let (overflown, executions) = (overflows(), node.count(|stats| &stats.executions));
    let begun = Instant::now();
    let crowd = Crowd::storm(node.address, lines(&site, cursors.into_iter())).await;
    crowd.until((sockets * MISSED) as u64, Duration::from_secs(90)).await?;
    let executions = node.count(|stats| &stats.executions) - executions;
    println!("{sockets} sockets were back after {:?}, with {executions} executions", begun.elapsed());
    for heard in crowd.heard() {
        log::same(&heard.events[0], &expected)?;
    }
    drop(crowd);
    let overflown = overflows() - overflown;
    node.end().await;
    site.end().await;
    if overflown > 0 {
        return Err(format!("{overflown} connections were turned away by the system"));
    }
    if executions > MISSED as u64 {
        return Err(format!("{executions} executions for {MISSED} events that {sockets} have missed"));
    }
    Ok(())
}

/// Thousands come back at once: all are let in, and what they missed is executed once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconnect_storm() {
    storms(FeedSettings::default(), 2_000).await.unwrap_or_else(|found| panic!("{found}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconnect_storm_fails_without_sharing() {
    is_caught("no sharing", storms(FeedSettings { sharing: false, ..FeedSettings::default() }, 200).await);
}
