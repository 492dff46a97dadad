//! What makes events happen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::json;

use crate::database::Writer;
use crate::http::Http;
use crate::tally::Tally;

const PLACE_HOLD: &str = "mutation Hold($input: PlaceHoldInput!) { placeHold(input: $input) { \
     order { holds { id } } userErrors { message } } }";
const RELEASE_HOLD: &str = "mutation Release($input: ReleaseHoldInput!) { releaseHold(input: $input) { \
     order { version } userErrors { message } } }";

/// A way to make events.
pub enum Trigger {
    /// A peer that keeps no log is told over HTTP.
    Fire(Fire),
    /// Rows in PostgreSQL, written as another node would write them.
    Rows(Rows),
    /// Commands over the API.
    Commands(Commands),
}

/// Tells a peer.
pub struct Fire {
    /// The peer.
    pub http: Http,
    /// The sequence of the next event.
    pub next: u64,
}

/// Writes rows.
pub struct Rows {
    /// The database.
    pub writer: Writer,
    /// The orders in the order of the subscribers; one for all.
    pub orders: Arc<Vec<String>>,
    /// The sequence of the next event of the first order.
    pub next: u64,
}

/// Places holds on an order and releases them.
pub struct Commands {
    /// A node.
    pub http: Http,
    /// Somebody who may.
    pub token: String,
    /// The order, by global id.
    pub order: String,
    /// The sequence of the next event.
    pub next: u64,
    /// The hold that is open.
    pub hold: Option<String>,
}

impl Trigger {
    /// Makes so many events that concern everybody. Their moment is the one from which on others
    /// can know of them, which is returned: the commit, or the call.
    pub async fn for_all(&mut self, count: u64, tally: &Tally) -> anyhow::Result<Instant> {
        // What arrives before the moment is known is measured from here.
        let next = match self {
            Self::Fire(fire) => &mut fire.next,
            Self::Rows(rows) => &mut rows.next,
            Self::Commands(commands) => &mut commands.next,
        };
        let from = *next;
        *next += count;
        let mut begun = Instant::now();
        tally.begin_shared(from, count, begun);
        match self {
            Self::Fire(fire) => {
                let answer = fire.http.post(&format!("/fire?from={from}&count={count}"), "").await?;
                if answer.status != 200 {
                    bail!("/fire was answered {}: {}", answer.status, answer.body);
                }
            }
            Self::Rows(rows) => {
                rows.writer.events(&rows.orders[..1], count).await?;
                begun = Instant::now();
                tally.begin_shared(from, count, begun);
                rows.writer.notify().await?;
            }
            Self::Commands(commands) => {
                for sequence in from..from + count {
                    begun = Instant::now();
                    tally.begin_shared(sequence, 1, begun);
                    commands.run().await?;
                }
            }
        }
        Ok(begun)
    }

    /// Makes one event for each of these subscribers, in one transaction. Returns its moment.
    pub async fn for_each(&mut self, subscribers: &[usize], tally: &Tally) -> anyhow::Result<Instant> {
        let Self::Rows(rows) = self else { return self.for_all(1, tally).await };
        if rows.orders.len() == 1 {
            return self.for_all(1, tally).await;
        }
        // Several may follow the same order.
        let numbers: BTreeSet<usize> = subscribers.iter().map(|subscriber| subscriber % rows.orders.len()).collect();
        let orders: Vec<String> = numbers.into_iter().map(|number| rows.orders[number].clone()).collect();
        tally.begin_own(subscribers, Instant::now());
        rows.writer.events(&orders, 1).await?;
        let begun = Instant::now();
        tally.begin_own(subscribers, begun);
        rows.writer.notify().await?;
        Ok(begun)
    }
}

impl Commands {
    async fn run(&mut self) -> anyhow::Result<()> {
        match self.hold.take() {
            None => {
                let input = json!({"input": {"orderId": self.order, "reason": "Measured."}});
                let data = self.http.graphql(&self.token, PLACE_HOLD, input).await?;
                let holds =
                    data["placeHold"]["order"]["holds"].as_array().with_context(|| format!("refused: {data}"))?;
                let open = holds.last().and_then(|hold| hold["id"].as_str()).context("no hold is open")?;
                self.hold = Some(open.to_owned());
            }
            Some(hold) => {
                let input = json!({"input": {"orderId": self.order, "holdId": hold}});
                let data = self.http.graphql(&self.token, RELEASE_HOLD, input).await?;
                if data["releaseHold"]["order"].is_null() {
                    bail!("refused: {data}");
                }
            }
        }
        Ok(())
    }
}
