//! Many clients at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::process::Process;
use crate::socket::Socket;
use crate::tally::{Clock, Faults, Positions, Tally};
use crate::token::Signer;
use crate::trigger::Trigger;

/// Sockets that are being opened at the same time, except in a storm.
const OPENING: usize = 128;
/// A server keeps the number of sockets per person small.
const SOCKETS_PER_SUBJECT: usize = 10;

/// The document all of them use: nine fields, as a page that follows an order would select.
pub const DOCUMENT: &str = "subscription Watch($order: ID!, $after: String) { \
     orderProgress(orderId: $order, after: $after, snapshot: false) { \
     cursor event { id kind sequence occurredAt aggregateKind aggregateId action } } }";

/// Who watches what.
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// The path sockets are opened at.
    pub path: &'static str,
    /// How many sockets.
    pub sockets: usize,
    /// How many subscriptions on each.
    pub per_socket: usize,
    /// One order for all, or one for each subscription.
    pub orders: Vec<String>,
    /// The documents, taken in turn.
    pub documents: Vec<String>,
    /// The roles of the watchers, taken in turn.
    pub roles: Vec<&'static str>,
    /// Signs their tokens; none where nobody looks at them.
    pub signer: Option<Signer>,
    /// Where each goes on.
    pub resume: Option<Positions>,
    /// Sockets to open at the same time.
    pub opening: usize,
    /// Whether to keep the last cursors.
    pub cursors: bool,
}

impl Plan {
    /// Single subscriptions of one document to these orders.
    pub fn new(server: SocketAddr, sockets: usize, orders: Vec<String>) -> Self {
        Self {
            server,
            path: "/graphql",
            sockets,
            per_socket: 1,
            orders,
            documents: vec![DOCUMENT.to_owned()],
            roles: vec!["SUPERVISOR"],
            signer: None,
            resume: None,
            opening: OPENING,
            cursors: false,
        }
    }

    /// How many subscriptions.
    pub fn subscribers(&self) -> usize {
        self.sockets * self.per_socket
    }

    fn payload(&self, subscriber: usize) -> Json {
        let order = &self.orders[subscriber % self.orders.len()];
        let after = self.resume.as_ref().and_then(|resume| resume.cursors.get(subscriber)?.as_deref());
        json!({"query": self.documents[subscriber % self.documents.len()], "variables": {"order": order, "after": after}})
    }

    fn token(&self, socket: usize) -> anyhow::Result<String> {
        let role = self.roles[socket % self.roles.len()];
        // Distinct for each role, since a person's roles are those of the token.
        let subject =
            format!("bench-{}-{}", role.to_ascii_lowercase(), socket / self.roles.len() / SOCKETS_PER_SUBJECT);
        self.signer.as_ref().map_or_else(|| Ok("none".to_owned()), |signer| signer.token(role, &subject))
    }
}

/// Clients that are connected and have subscribed. Dropping it hangs up.
pub struct Crowd {
    /// What they receive.
    pub tally: Arc<Tally>,
    /// How many subscriptions they hold.
    pub subscribers: usize,
    followers: JoinSet<()>,
}

impl Crowd {
    /// Connects and subscribes them all. That the subscriptions are live only [`Crowd::wake`] tells.
    pub async fn open(plan: Plan) -> anyhow::Result<Self> {
        let subscribers = plan.subscribers();
        let clock = if plan.orders.len() > 1 { Clock::Own } else { Clock::Shared };
        let tally = Arc::new(Tally::new(clock, subscribers, plan.cursors));
        if let Some(resume) = &plan.resume {
            tally.expect(resume.next.clone());
        }
        let tokens = (0..plan.sockets).map(|socket| plan.token(socket)).collect::<anyhow::Result<Vec<_>>>()?;
        let places = Arc::new(Semaphore::new(plan.opening));
        let plan = Arc::new(plan);
        let mut opening = JoinSet::new();
        for (number, token) in tokens.into_iter().enumerate() {
            let (plan, places) = (Arc::clone(&plan), Arc::clone(&places));
            opening.spawn(async move {
                let _place = places.acquire().await?;
                let mut socket = Socket::open(plan.server, plan.path, &token).await?;
                let first = number * plan.per_socket;
                let payloads = (first..first + plan.per_socket).map(|subscriber| plan.payload(subscriber)).collect();
                socket.subscribe(first, payloads).await?;
                anyhow::Ok(socket)
            });
        }
        let mut followers = JoinSet::new();
        while let Some(opened) = opening.join_next().await {
            let socket = opened?.context("a socket could not be opened")?;
            let tally = Arc::clone(&tally);
            followers.spawn(async move {
                let code = socket.follow(&tally).await;
                tally.closed(code);
            });
        }
        Ok(Self { tally, subscribers, followers })
    }

    /// Makes events until every subscriber has received one: from then on nothing may be missing.
    pub async fn wake(&self, trigger: &mut Trigger) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut silent = self.tally.silent();
        while !silent.is_empty() {
            if Instant::now() > deadline {
                bail!("{} of {} never received an event; {:?}", silent.len(), self.subscribers, self.tally.faults());
            }
            trigger.for_each(&silent, &self.tally).await?;
            let patience = Instant::now() + Duration::from_secs(3);
            while !silent.is_empty() && Instant::now() < patience {
                tokio::time::sleep(Duration::from_millis(20)).await;
                silent = self.tally.silent();
            }
        }
        // The last event may still be on its way to those who heard an earlier one.
        let mut before = u64::MAX;
        let mut received = 0;
        while received != before {
            before = received;
            tokio::time::sleep(Duration::from_millis(250)).await;
            received += self.tally.take().messages;
        }
        self.sound()
    }

    /// Fails if anything was lost, doubled, unreadable or closed.
    pub fn sound(&self) -> anyhow::Result<()> {
        let faults = self.tally.faults();
        if faults != Faults::default() {
            bail!("not every subscriber received each event once and in order: {faults:?}");
        }
        Ok(())
    }

    /// Hangs up and waits until the server has nothing left to do with them.
    pub async fn leave(mut self, server: &Process) -> anyhow::Result<()> {
        self.followers.shutdown().await;
        server.quiet(Duration::from_secs(20)).await
    }
}
