//! Group 2: from history to live without a seam, wherever one begins and whatever is written meanwhile.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;

use super::{Verdict, patience, proven};
use crate::support::load::{Load, Plan};
use crate::support::node::Site;
use crate::support::seed::Seed;
use crate::support::watcher::{Watch, Watcher};
use crate::support::{Kind, log};

const TRIALS: usize = 400;
/// At the same time.
const ABREAST: usize = 8;

/// Subscribers begin at random places of a log that grows under their hands.
async fn begin_anywhere(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let node = site.node(conduct).await;
    let nodes = vec![node.address];
    let client = site.client(Role::Supervisor);
    let beginning = client.cursor(&nodes).await;
    let start = log::read(&site.db).await.last().map_or(0, |entry| entry.position);
    let orders = site.orders(&nodes, 4).await;
    let mut seed = Seed::new(400);
    let plan = Plan {
        client: site.client(Role::Dispatcher),
        nodes: nodes.clone(),
        orders,
        workers: 4,
        rest: Duration::from_millis(10),
    };
    let load = Load::start(plan, &mut seed);
    // One who was there from the beginning: its cursors are the places to begin at.
    let witness = Arc::new(Watcher::begin(site.watch(&nodes, Some(beginning))).await);
    witness.until("the log has some length", |record| record.received.len() >= 40).await;

    let trials = stream::iter((0..TRIALS).map(|_| seed.fork())).map(|seed| {
        let (watch, witness) = (site.watch(&nodes, None), witness.clone());
        async move { trial(watch, &witness, seed, patience(conduct)).await }
    });
    let outcomes: Vec<Result<Trial, String>> = trials.buffer_unordered(ABREAST).collect().await;
    load.stop().await;
    let log = site.log().await?;
    let truth = log::part(&log, start, log::of_orders);
    witness.receives(&truth, patience(conduct)).await?;
    drop(witness);
    node.end().await;
    site.end().await;

    let mut wrong = Vec::new();
    for outcome in outcomes {
        let found = outcome.and_then(|trial| {
            let from = truth.iter().position(|event| *event == trial.after).expect("an event of the log") + 1;
            let expected = truth.get(from..from + trial.received.len()).unwrap_or(&truth[from..]);
            log::same(&trial.received, expected)
        });
        wrong.extend(found.err());
    }
    match wrong.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} of {TRIALS} trials went wrong, the first: {first}", wrong.len())),
    }
}

/// What one subscriber received behind an event.
struct Trial {
    after: i64,
    received: Vec<i64>,
}

/// Begins at a random place, and watches until well after it has caught up.
async fn trial(watch: Watch, witness: &Watcher, mut seed: Seed, patience: Duration) -> Result<Trial, String> {
    let (place, length) = {
        let record = witness.record();
        // Often near the end, where history and live meet.
        let length = record.received.len();
        let back = if seed.percent(70) { seed.below(8.min(length)) } else { seed.below(length) };
        (record.received[length - 1 - back].clone(), back)
    };
    let watcher = Watcher::start(Watch { after: Some(place.cursor), ..watch });
    let wanted = length + 4 + seed.below(8);
    watcher.try_until(patience, |record| record.received.len() >= wanted).await?;
    Ok(Trial { after: place.event.expect("an event"), received: watcher.events() })
}

proven!(
    /// Exactly once and in order, wherever one begins.
    handoff_fuzz: begin_anywhere, on sqlite postgres, fails with read_then_register sends_both
);
