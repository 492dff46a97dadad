//! The embedded database: the demo group, and orders that are submitted while it is measured.

use anyhow::{Context, bail};
use bench_common::http::Http;
use bench_common::report::{Bound, number};
use serde_json::{Value as Json, json};

use super::Bench;
use crate::load::{Target, closed_loop};
use crate::operation::{body, expected, reads::Read, writes::Write};
use crate::product::Product;
use crate::round::{Before, Rounds};

const SECONDS: f64 = 4.0;
const CONNECTIONS: usize = 16;
/// Goods of the demo group.
const SKUS: [&str; 3] = ["LAMP-1", "LAMP-2", "CABLE-5"];
const COUNT: &str = "{ orders(first: 1) { totalCount } }";

pub async fn run(bench: &mut Bench<'_>) -> anyhow::Result<()> {
    let settings = bench.settings;
    let product = Product::start(settings, None, "sqlite").await?;
    let admin = product.signer.token("ADMIN", "ada.admin")?;
    let sales = product.signer.token("SALES", "sam.sales")?;
    let mut http = Http::to(product.address);
    let total = async |http: &mut Http| -> anyhow::Result<u64> {
        http.graphql(&admin, COUNT, json!({})).await?["orders"]["totalCount"].as_u64().context("no count")
    };
    let before_all = total(&mut http).await?;
    let (mut writes, mut reads) = (Rounds::default(), Rounds::default());
    for round in 0..settings.rounds() as u64 {
        let to = target(&product, &sales, Write::W1.expected());
        let bodies = |number: u64| Some(order(round, number));
        let before = Before::now(Some(&product.process))?;
        let answers = closed_loop(&to, CONNECTIONS, settings.time(SECONDS), &bodies).await.context("W1 on SQLite")?;
        writes.0.push(before.round(Some(&product.process), answers)?);

        let ids = ids(&mut http, &admin).await?;
        let query = Read::R1.query();
        let to = target(&product, &admin, expected(&[("lineNumber", 3)]));
        let bodies = |number: u64| Some(body(&query, &json!({"id": ids[(number % ids.len() as u64) as usize]})));
        let before = Before::now(Some(&product.process))?;
        let answers = closed_loop(&to, CONNECTIONS, settings.time(SECONDS), &bodies).await.context("R1 on SQLite")?;
        reads.0.push(before.round(Some(&product.process), answers)?);
    }
    let (rows, answers) = (total(&mut http).await? - before_all, writes.0.iter().map(|round| round.count).sum::<u64>());
    for (name, rounds, goal) in [("W1", &writes, 800.0), ("R1", &reads, 2_000.0)] {
        let mark = rounds.disturbed().map_or_else(String::new, |by| {
            format!(" (disturbed: others {:.2}, steal {:.2} of a core)", by.others, by.steal)
        });
        let rate = rounds.median(|round| round.rate);
        bench.report.say(&format!(
            "{name}: {}/s, p50 {:.1} ms, p99 {:.1} ms, server {:.0} us each{mark}",
            number(rate),
            rounds.median(|round| round.latency.quantile(0.5)),
            rounds.median(|round| round.latency.quantile(0.99)),
            rounds.median(|round| round.server),
        ));
        bench.goals.push((
            "SQLite",
            format!("{name} per second, {CONNECTIONS} connections"),
            rate,
            "",
            Bound::AtLeast(goal),
        ));
    }
    bench.report.say(&format!("{} orders appeared of {} answers", number(rows as f64), number(answers as f64)));
    if rows != answers {
        bail!("{answers} orders were answered, but {rows} are there");
    }
    let megabytes = product.process.memory()? / 1e6;
    bench.goals.push(("SQLite", "resident after the run".to_owned(), megabytes, " MB", Bound::AtMost(48.0)));
    product.process.stop().await?;
    // Errors that a retry hid from clients would be in the log.
    let mut locked = 0;
    for file in std::fs::read_dir(&settings.folder)? {
        let path = file?.path();
        if path.is_file() && path.to_string_lossy().contains("ordergraph") {
            locked += std::fs::read_to_string(&path).unwrap_or_default().matches("is locked").count();
        }
    }
    bench.goals.push(("SQLite", "times \"locked\" was logged".to_owned(), locked as f64, "", Bound::Exactly(0.0)));
    Ok(())
}

fn target(product: &Product, token: &str, expected: crate::load::Expected) -> Target {
    Target { address: product.address, headers: format!("authorization: Bearer {token}\r\n"), expected }
}

/// A new order of three lines.
fn order(round: u64, number: u64) -> String {
    let lines: Vec<Json> = SKUS
        .iter()
        .zip(1..)
        .map(|(sku, more)| json!({"sku": sku, "quantity": (number % 50 + more).to_string()}))
        .collect();
    let input = json!({
        "channel": "OFFLINE_SALES", "customerNumber": format!("C-200{}", number % 4 + 1), "currencyCode": "CNY",
        "requiredWithinDays": 20, "lines": lines, "idempotencyKey": format!("sqlite-{round}-{number}"),
        "deliveryAddress": {"street": "7 Harbour Street", "city": "Ningbo", "postalCode": "315000", "countryCode": "CN"},
    });
    body(Write::W1.query(0), &json!({"input": input}))
}

/// Orders of three lines.
async fn ids(http: &mut Http, token: &str) -> anyhow::Result<Vec<String>> {
    let query = "{ orders(first: 100, sort: {field: SUBMITTED_AT, direction: DESCENDING}) { nodes { id } } }";
    let data = http.graphql(token, query, json!({})).await?;
    let nodes = data["orders"]["nodes"].as_array().context("no orders")?;
    Ok(nodes.iter().filter_map(|node| Some(node["id"].as_str()?.to_owned())).collect())
}
