//! G5: what a subscription that waits costs.

use std::time::Duration;

use super::Bench;
use crate::crowd::{Crowd, Plan};
use crate::prepared::Database;
use crate::process::Process;
use crate::report::{Bound, number};
use crate::server::product::Product;

const KB: f64 = 1024.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// One arrangement of sockets, subscriptions and orders.
struct Case {
    sockets: usize,
    per_socket: usize,
    orders: usize,
}

/// Resident bytes while all wait.
struct Found {
    /// More than before they came.
    idle: f64,
    /// Of the whole server.
    total: f64,
}

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let database = bench.database("memory").await?;
    bench
        .report
        .say("| sockets x subscriptions | orders | idle | after an event | left behind | second time | connect CPU |");
    bench.report.say("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let single = measure(bench, &database, &Case { sockets: 2_000, per_socket: 1, orders: 1 }).await?;
    let shared = measure(bench, &database, &Case { sockets: 10_000, per_socket: 1, orders: 1 }).await?;
    let own = measure(bench, &database, &Case { sockets: 10_000, per_socket: 1, orders: 10_000 }).await?;
    let stacked = measure(bench, &database, &Case { sockets: 200, per_socket: 50, orders: 50 }).await?;
    let wide = measure(bench, &database, &Case { sockets: 10_000, per_socket: 5, orders: 50 }).await?;
    // As many as the server admits by default, on the way to 20,000 in 160 MB.
    let most = match bench.settings.quick {
        true => None,
        false => Some(measure(bench, &database, &Case { sockets: 19_000, per_socket: 1, orders: 1 }).await?),
    };

    let each = |found: &Found, count: f64| found.idle / count / KB;
    // What a socket costs is known from those with one subscription.
    let socket = shared.idle / 10_000.0;
    let extra = |found: &Found, sockets: f64, subscriptions: f64| {
        (found.idle - sockets * socket) / (subscriptions - sockets) / KB
    };
    let report = &mut bench.report;
    report.goal("G5", "idle subscriber, 2,000, one document", each(&single, 2_000.0), " KB", Bound::AtMost(6.0));
    report.goal("G5", "idle subscriber, 10,000, one document", each(&shared, 10_000.0), " KB", Bound::AtMost(6.0));
    report.goal("G5", "idle subscriber, 10,000, each its own order", each(&own, 10_000.0), " KB", Bound::AtMost(8.0));
    report.goal(
        "G5",
        "further subscription, 200 sockets x 50",
        extra(&stacked, 200.0, 10_000.0),
        " KB",
        Bound::AtMost(1.5),
    );
    report.goal(
        "G5",
        "further subscription, 10,000 sockets x 5",
        extra(&wide, 10_000.0, 50_000.0),
        " KB",
        Bound::AtMost(1.5),
    );
    if let Some(most) = most {
        report.goal("G5", "the whole server with 19,000 sockets", most.total / KB / KB, " MB", Bound::AtMost(152.0));
    }
    Ok(())
}

async fn measure(bench: &mut Bench<'_>, database: &Database, case: &Case) -> anyhow::Result<Found> {
    let product = Product::start(bench.settings, &database.node()).await?;
    let plan = |sockets: usize| {
        let mut plan = Plan::new(product.address, sockets, database.order_ids(case.orders));
        plan.per_socket = case.per_socket;
        plan.signer = Some(product.signer.clone());
        plan
    };
    let mut trigger = database.trigger(case.orders).await?;
    // What the first sockets load is not theirs.
    let first = Crowd::open(plan(20)).await?;
    first.wake(&mut trigger).await?;
    first.leave(&product.process).await?;
    let before = settled(&product.process).await?;

    let cpu = product.process.cpu()?;
    let crowd = Crowd::open(plan(case.sockets)).await?;
    let subscriptions = crowd.subscribers as f64;
    let idle = settled(&product.process).await? - before;
    let connect = product.process.cpu()?.since(cpu).total();
    crowd.wake(&mut trigger).await?;
    let used = settled(&product.process).await? - before;
    crowd.leave(&product.process).await?;
    let left = settled(&product.process).await? - before;
    let second = match bench.settings.quick {
        true => f64::NAN,
        false => {
            let again = Crowd::open(plan(case.sockets)).await?;
            let second = settled(&product.process).await? - before;
            again.leave(&product.process).await?;
            second
        }
    };

    let each = |bytes: f64| match bytes.is_nan() {
        true => "-".to_owned(),
        false => format!("{:.2} KB", bytes / subscriptions / KB),
    };
    bench.report.say(&format!(
        "| {} x {} | {} | {} ({:.1} MB) | {} | {:.1} MB | {} | {:.0} us |",
        number(case.sockets as f64),
        case.per_socket,
        number(case.orders as f64),
        each(idle),
        idle / KB / KB,
        each(used),
        left / KB / KB,
        each(second),
        connect * 1e6 / subscriptions,
    ));
    product.process.kill().await?;
    Ok(Found { idle, total: before + idle })
}

/// Resident memory when nothing happens any more.
async fn settled(process: &Process) -> anyhow::Result<f64> {
    process.quiet(PATIENCE).await?;
    process.memory()
}
