//! One measured round: events are made, everybody receives them, and the server is watched.

use std::time::{Duration, Instant};

use crate::crowd::Crowd;
use crate::histogram::Histogram;
use crate::machine::{Disturbance, Watch};
use crate::process::{Cpu, Process};
use crate::trigger::Trigger;

/// How long all may take to receive what was sent.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a round showed.
#[derive(Clone, Default)]
pub struct Round {
    /// Messages that were received.
    pub messages: f64,
    /// Events they carried.
    pub events: f64,
    /// Seconds it took in all.
    pub seconds: f64,
    /// Seconds between the first and the last arrival of each wave, summed.
    pub sweep: f64,
    /// Processor time of the server.
    pub cpu: Cpu,
    /// From the event to each arrival.
    pub latency: Histogram,
    /// From the first arrival of a wave to each, in a closed loop.
    pub spread: Histogram,
    /// From the event to the first arrival: the way through the log, in a closed loop.
    pub reaction: Histogram,
    /// What else the machine did.
    pub disturbance: Disturbance,
}

impl Round {
    /// Messages per second, the making of the events included.
    pub fn rate(&self) -> f64 {
        self.messages / self.seconds
    }

    /// Messages per second while they were being spread.
    pub fn sweep_rate(&self) -> f64 {
        self.messages / self.sweep
    }

    /// Microseconds of the server's program per message.
    pub fn user_micros(&self) -> f64 {
        self.cpu.user * 1e6 / self.messages
    }

    /// Microseconds of the kernel for the server per message.
    pub fn kernel_micros(&self) -> f64 {
        self.cpu.kernel * 1e6 / self.messages
    }

    /// Microseconds of both per event.
    pub fn micros_per_event(&self) -> f64 {
        self.cpu.total() * 1e6 / self.events
    }

    /// How busy the server kept its core.
    pub fn busy(&self) -> f64 {
        self.cpu.total() / self.seconds
    }
}

/// Whom the events of a wave concern.
pub enum Wave<'a> {
    /// Everybody, so many of them.
    All(u64),
    /// One for each of some subscribers, chosen anew for each wave.
    Some(&'a mut dyn FnMut() -> Vec<usize>),
}

/// A closed loop: the next wave begins when all have received the last.
pub async fn closed_loop(
    crowd: &Crowd,
    trigger: &mut Trigger,
    server: &Process,
    wave: Wave<'_>,
    time: Duration,
) -> anyhow::Result<Round> {
    measure(crowd, trigger, server, wave, time, None).await
}

/// Waves at fixed moments, whether or not the last one has been received.
pub async fn paced(
    crowd: &Crowd,
    trigger: &mut Trigger,
    server: &Process,
    every: Duration,
    time: Duration,
) -> anyhow::Result<Round> {
    measure(crowd, trigger, server, Wave::All(1), time, Some(every)).await
}

async fn measure(
    crowd: &Crowd,
    trigger: &mut Trigger,
    server: &Process,
    mut wave: Wave<'_>,
    time: Duration,
    every: Option<Duration>,
) -> anyhow::Result<Round> {
    crowd.tally.take();
    let (watch, cpu, began) = (Watch::start(), server.cpu()?, Instant::now());
    let mut round = Round::default();
    let mut ticks = every.map(tokio::time::interval);
    let mut expected = 0;
    while began.elapsed() < time {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let (begun, events, messages) = match &mut wave {
            Wave::All(count) => {
                let begun = trigger.for_all(*count, &crowd.tally).await?;
                (begun, *count, *count * crowd.subscribers as u64)
            }
            Wave::Some(choose) => {
                let chosen = choose();
                let begun = trigger.for_each(&chosen, &crowd.tally).await?;
                (begun, chosen.len() as u64, chosen.len() as u64)
            }
        };
        round.events += events as f64;
        expected += messages;
        if ticks.is_none() {
            crowd.tally.wait_for(messages, PATIENCE).await?;
            expected -= messages;
            let received = crowd.tally.take();
            if let Some(first) = received.first {
                round.reaction.record(first.saturating_duration_since(begun));
            }
            round.add(received);
        }
    }
    crowd.tally.wait_for(expected, PATIENCE).await?;
    round.seconds = began.elapsed().as_secs_f64();
    round.cpu = server.cpu()?.since(cpu);
    round.disturbance = watch.disturbance();
    round.add(crowd.tally.take());
    crowd.sound()?;
    Ok(round)
}

impl Round {
    fn add(&mut self, received: crate::tally::Received) {
        self.messages += received.messages as f64;
        self.sweep += received.sweep.as_secs_f64();
        self.latency.add(&received.latency);
        self.spread.add(&received.spread);
    }
}
