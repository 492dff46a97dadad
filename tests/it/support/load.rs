//! People at work: holds are placed on orders and released again, at a bounded rate.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::actor::text;
use super::client::Client;
use super::seed::Seed;

/// What the server said was done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledged {
    pub order: String,
    pub version: i64,
}

/// Who works on what, and how fast.
pub struct Plan {
    /// May place holds and release them.
    pub client: Client,
    pub nodes: Vec<SocketAddr>,
    pub orders: Vec<String>,
    pub workers: usize,
    /// Each worker rests so long on average between two commands.
    pub rest: Duration,
}

/// Work that goes on until it is stopped.
pub struct Load {
    stop: CancellationToken,
    workers: JoinSet<Vec<Acknowledged>>,
}

/// An order and what is done to it in turn.
struct Desk {
    order: String,
    hold: Option<String>,
}

impl Desk {
    /// Places a hold, or releases the one it placed. One event of the order, whatever else.
    async fn step(&mut self, client: &Client, nodes: &[SocketAddr]) -> Acknowledged {
        let payload = match self.hold.take() {
            None => {
                let input = json!({ "orderId": self.order, "reason": "A question came up." });
                let payload = client.does(nodes, "placeHold", input).await;
                let holds: &[Value] = payload["order"]["holds"].as_array().expect("holds");
                self.hold = holds.last().map(|hold| text(&hold["id"]));
                payload
            }
            Some(hold) => client.does(nodes, "releaseHold", json!({ "orderId": self.order, "holdId": hold })).await,
        };
        let version = payload["order"]["version"].as_i64().expect("a version");
        Acknowledged { order: self.order.clone(), version }
    }
}

impl Load {
    /// Each order has one worker, so that nobody waits for anybody.
    pub fn start(plan: Plan, seed: &mut Seed) -> Self {
        let stop = CancellationToken::new();
        let mut workers = JoinSet::new();
        for worker in 0..plan.workers {
            let orders = plan.orders.iter().skip(worker).step_by(plan.workers);
            let mut desks: Vec<Desk> = orders.map(|order| Desk { order: order.clone(), hold: None }).collect();
            let (client, mut nodes, stop) = (plan.client.clone(), plan.nodes.clone(), stop.clone());
            let (mut seed, rest) = (seed.fork(), plan.rest);
            workers.spawn(async move {
                let mut done = Vec::new();
                while !desks.is_empty() && !stop.is_cancelled() {
                    let node = seed.below(nodes.len());
                    nodes.rotate_left(node);
                    let desk = seed.below(desks.len());
                    done.push(desks[desk].step(&client, &nodes).await);
                    let rest = rest.mul_f64(f64::from(u32::try_from(seed.below(200)).expect("fits")) / 100.0);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(rest) => {}
                    }
                }
                done
            });
        }
        Self { stop, workers }
    }

    /// Lets everybody finish what they do, and says what was done.
    pub async fn stop(self) -> Vec<Acknowledged> {
        self.stop.cancel();
        let mut done: Vec<Acknowledged> = self.workers.join_all().await.into_iter().flatten().collect();
        done.sort();
        done
    }
}

/// So many commands one after the other, as fast as they go.
pub async fn work(client: &Client, nodes: &[SocketAddr], order: &str, steps: usize) -> Vec<Acknowledged> {
    let mut desk = Desk { order: order.to_owned(), hold: None };
    let mut done = Vec::new();
    for _ in 0..steps {
        done.push(desk.step(client, nodes).await);
    }
    done
}
