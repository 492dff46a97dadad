//! Group 9: what an event costs depends on whom it concerns, not on how many others there are.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ordergraph::domain::actor::Role;
use ordergraph::feed::Conduct;
use serde_json::json;

use super::{Verdict, proven};
use crate::support::crowd::{Crowd, Line, Wish};
use crate::support::measured::Measured;
use crate::support::node::{Making, Site};
use crate::support::{Kind, log, rows};

const FEW: usize = 100;
const MANY: usize = 2_000;
const PER_SOCKET: usize = 100;
/// Events of one measurement, and measurements of which the least disturbed counts.
const EVENTS: usize = 1_000;
const ROUNDS: usize = 4;
/// The goal is 1.25, which the benchmark measures without anything else on the machine.
const GROWTH: f64 = 1.6;

/// A subscriber of an order nobody has; it takes up what anybody's place takes up.
fn bystander() -> Wish {
    let id = URL_SAFE_NO_PAD.encode(format!("Order:{}", uuid::Uuid::now_v7().simple()));
    let document = "subscription($id: ID) { orderEvents(filter: { orderId: $id }) { event { id } } }";
    Wish { document: document.to_owned(), variables: json!({ "id": id }) }
}

async fn flat(kind: Kind, conduct: Conduct) -> Verdict {
    let site = Site::new(kind).await;
    let measured = Measured::start(Making { conduct, ..site.making() }, &site.key).await;
    let address = measured.node.address;
    let order = site.orders(&[address], 1).await.remove(0);
    site.log().await?;
    let token = site.token(Role::Supervisor);
    let after = site.client(Role::Supervisor).cursor(&[address]).await;
    let document = "subscription($id: ID, $after: String) { orderEvents(after: $after, filter: { orderId: $id }) { event { id } } }";
    let own = Wish { document: document.to_owned(), variables: json!({ "id": order, "after": after }) };
    let concerned = Crowd::enter(address, vec![Line { token: token.clone(), wishes: vec![own] }]).await;
    measured.node.until_open((1, 1)).await?;
    let bystanders = |count: usize| -> Vec<Line> {
        let wishes: Vec<Wish> = (0..count).map(|_| bystander()).collect();
        wishes.chunks(PER_SOCKET).map(|wishes| Line { token: token.clone(), wishes: wishes.to_vec() }).collect()
    };
    let (mut others, mut costs, mut sent) = (Vec::new(), Vec::new(), 0);
    for count in [FEW, MANY] {
        others.push(
            Crowd::enter(address, bystanders(count - usize::try_from(measured.node.open().1).expect("some"))).await,
        );
        measured.node.until_open((count as i64, count as i64)).await.expect("everybody is let in");
        let mut least = Duration::MAX;
        for _ in 0..ROUNDS {
            let before = measured.used().processor;
            rows::many(&site.db, log::uuid_of(&order), EVENTS, 100).await;
            sent += EVENTS as u64;
            concerned.until(sent, Duration::from_secs(60)).await?;
            least = least.min(measured.used().processor - before);
        }
        costs.push(least);
    }
    assert_eq!(others.iter().map(Crowd::received).sum::<u64>(), 0, "others are told of it");
    drop((concerned, others));
    measured.end().await;
    site.end().await;
    let growth = costs[1].as_secs_f64() / costs[0].as_secs_f64();
    let found = format!(
        "{EVENTS} events cost {:?} among {FEW} and {:?} among {MANY} subscribers: {growth:.2}",
        costs[0], costs[1]
    );
    println!("{found}");
    if growth <= GROWTH { Ok(()) } else { Err(found) }
}

proven!(
    /// An event for one of many costs what an event for one of few does.
    cost_flat_in_n: flat, on postgres, fails with broadcast_to_all
);
