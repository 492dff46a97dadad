//! A group: everybody who asks the same of the same part of the world. It executes once per event and
//! keeps the newest results for those who have not taken them yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use slab::Slab;

use super::document::Operation;
use super::execution::{Frame, execute};
use super::hub::{Hub, Key};
use super::shelf::Shelf;
use super::stats::Stats;
use super::update::Update;
use crate::app::Session;
use crate::app::read::event::Event;
use crate::app::read::subscription::Interest;
use crate::feed::{Listener, Topic};
use crate::http::auth::Identity;

/// Events that are executed together.
const BATCH: usize = 64;
/// Events that may wait to be executed; whoever follows then goes on from the log.
const MOST_PENDING: usize = 10_000;
/// Results that are kept for whoever comes back in a moment.
const KEPT_FRAMES: usize = 64;
/// Results that are kept at most for members that have not taken them.
const MOST_FRAMES: usize = 256;
const MOST_BYTES: usize = 128 << 10;

/// Why a member's subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The log began anew.
    Resync,
    /// The caller holds other roles now.
    RolesChanged,
    /// The caller may do nothing any more.
    AccessRevoked,
}

/// What a member finds.
pub enum Taken {
    /// The next result.
    Frame(Frame),
    /// Nothing yet; the waker is called when there is.
    Nothing,
    /// Results that are not kept any more.
    Behind,
    /// Nothing more.
    Ended(End),
}

/// Everybody who asks the same.
pub struct Group {
    pub(super) id: u64,
    pub(super) hub: Hub,
    pub(super) key: Key,
    pub(super) interest: Interest,
    pub(super) topics: Vec<Topic>,
    pub(super) operation: Operation,
    pub(super) session: Session,
    /// One at a time reads the log for the group; the next finds what it brought.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What it brought.
    pub(super) shelf: Shelf,
    state: Mutex<State>,
    /// The log began anew: positions mean something else now.
    is_over: AtomicBool,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    members: Slab<Member>,
    /// Events that are to be executed, oldest first.
    pending: VecDeque<Arc<Event>>,
    /// The newest event that was heard of.
    heard: i64,
    is_running: bool,
    /// The first event that is not handed out yet, as the hub knows it.
    in_flight: Option<i64>,
    /// Results, oldest first. Every event after `floor` that was executed is among them.
    ring: VecDeque<Frame>,
    bytes: usize,
    floor: i64,
}

struct Member {
    identity: Arc<Identity>,
    /// Everything up to here was taken.
    next: i64,
    waker: Option<Waker>,
    end: Option<End>,
}

/// What a group is made of.
pub struct Parts {
    pub id: u64,
    pub key: Key,
    pub interest: Interest,
    pub operation: Operation,
    pub session: Session,
}

impl Group {
    pub(super) fn new(hub: Hub, parts: Parts) -> Arc<Self> {
        let Parts { id, key, interest, operation, session } = parts;
        Arc::new_cyclic(|me| Self {
            topics: interest.topics(&session.actor),
            id,
            hub,
            key,
            interest,
            operation,
            session,
            turn: tokio::sync::Mutex::default(),
            shelf: Shelf::default(),
            state: Mutex::default(),
            is_over: AtomicBool::new(false),
            me: me.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is told of everything behind this position from now on.
    pub(super) fn begin(&self, position: i64) {
        let mut state = self.state();
        state.floor = position;
        state.heard = state.heard.max(position);
    }

    /// A new member that has seen everything up to a position.
    pub(super) fn join(&self, identity: Arc<Identity>, next: i64) -> usize {
        let mut state = self.state();
        // Whoever ends all members marks the group first: nobody slips in between.
        let end = self.is_over().then_some(End::Resync);
        state.members.insert(Member { identity, next, waker: None, end })
    }

    /// A member leaves; says whether it was the last.
    pub(super) fn leave(&self, slot: usize) -> bool {
        let mut state = self.state();
        state.members.try_remove(slot);
        state.members.is_empty()
    }

    /// Did the log begin anew since it began? Then nobody joins it any more: what it has heard and kept
    /// is of another log.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Events behind this one are executed by the group; what is not is to be read from the log.
    pub(super) fn floor(&self) -> i64 {
        self.state().floor
    }

    /// The next result of a member behind a position.
    pub(super) fn take(&self, slot: usize, next: i64, waker: &Waker) -> Taken {
        let mut state = self.state();
        let State { members, ring, floor, .. } = &mut *state;
        let Some(member) = members.get_mut(slot) else { return Taken::Ended(End::Resync) };
        member.next = next;
        if let Some(end) = member.end {
            return Taken::Ended(end);
        }
        if next < *floor {
            return Taken::Behind;
        }
        let index = ring.partition_point(|frame| frame.position <= next);
        let Some(frame) = ring.get(index).cloned() else {
            if !member.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                member.waker = Some(waker.clone());
            }
            return Taken::Nothing;
        };
        member.next = frame.position;
        if members.len() == 1 {
            // Nobody else will want it.
            state.forget(index + 1);
        }
        Taken::Frame(frame)
    }

    /// Ends the subscriptions of members.
    pub(super) fn end(&self, of: impl Fn(&Identity) -> Option<End>) -> usize {
        let mut wakers = Vec::new();
        let mut count = 0;
        for (_, member) in &mut self.state().members {
            if member.end.is_none()
                && let Some(end) = of(&member.identity)
            {
                member.end = Some(end);
                count += 1;
                wakers.extend(member.waker.take());
            }
        }
        wakers.into_iter().for_each(Waker::wake);
        count
    }

    /// Ends the subscription of one member, if it has to.
    pub(super) fn end_one(&self, slot: usize, of: impl Fn(&Identity) -> Option<End>) -> bool {
        let mut state = self.state();
        let Some(member) = state.members.get_mut(slot) else { return false };
        let end = of(&member.identity);
        member.end = member.end.or(end);
        end.is_some()
    }

    /// Executes what is pending until nothing is.
    pub(super) async fn run(&self) {
        loop {
            let events: Vec<Arc<Event>> = {
                let mut state = self.state();
                let count = state.pending.len().min(BATCH);
                // Whatever is executed, and everything after it, is not handed out yet.
                let first = state.pending.front().and_then(|event| event.position);
                self.hub.in_flight().moved(&mut state.in_flight, first);
                if count == 0 {
                    state.is_running = false;
                    return;
                }
                state.pending.drain(..count).collect()
            };
            let upto = events.last().and_then(|event| event.position).unwrap_or_default();
            let updates = self.updates(events);
            self.hub.stats().executions.fetch_add(updates.len() as u64, Ordering::Relaxed);
            let frames = execute(self.hub.trusting(), &self.operation, &self.session, updates).await;
            let wakers = self.state().append(frames, upto);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Events as updates; of several events of one thing only the newest, where that is the rule.
    pub(super) fn updates(&self, events: Vec<Arc<Event>>) -> Vec<Update> {
        let feed = self.hub.feed();
        let mut updates: Vec<Update> = Vec::with_capacity(events.len());
        for event in events {
            let mut skipped = 0;
            if self.interest.conflates && !feed.conduct().tells_every_state {
                let same =
                    |known: &Update| known.event.as_ref().is_some_and(|one| one.aggregate_id == event.aggregate_id);
                if let Some(index) = updates.iter().position(same) {
                    skipped = updates.remove(index).skipped + 1;
                }
            }
            let position = event.position.unwrap_or_default();
            let cursor = feed.cursor(position, &self.session.visibility).into();
            updates.push(Update { cursor, event: Some(event), position, skipped });
        }
        updates
    }

    /// Executes updates in order, for whoever is not served by the workers.
    pub(super) async fn execute(&self, updates: Vec<Update>) -> Vec<Frame> {
        let stats = self.hub.stats();
        stats.executions.fetch_add(updates.len() as u64, Ordering::Relaxed);
        let _permit = self.hub.may_execute().await;
        execute(self.hub.trusting(), &self.operation, &self.session, updates).await
    }
}

impl Listener for Group {
    fn id(&self) -> u64 {
        self.id
    }

    fn hear(&self, event: &Arc<Event>) {
        let position = event.position.unwrap_or_default();
        if !self.interest.wants(event, &self.session.actor) {
            return;
        }
        let mut state = self.state();
        // An event with several topics of the group is heard several times.
        if position <= state.heard {
            return;
        }
        state.heard = position;
        Stats::count(&self.hub.stats().matches);
        if state.pending.len() >= MOST_PENDING {
            state.overrun(position);
            return;
        }
        state.pending.push_back(event.clone());
        if !state.is_running
            && let Some(me) = self.me.upgrade()
        {
            state.is_running = true;
            self.hub.in_flight().moved(&mut state.in_flight, Some(position));
            self.hub.work().give(&me);
        }
    }

    fn resync(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        let count = self.end(|_| Some(End::Resync));
        self.hub.stats().resyncs.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl State {
    /// Keeps results, and gives the wakers of those who wait for them.
    fn append(&mut self, frames: Vec<Frame>, upto: i64) -> Vec<Waker> {
        // What waited when everything was dropped is read from the log.
        let floor = self.floor;
        for frame in frames.into_iter().filter(|frame| frame.position > floor) {
            self.bytes += frame.body.len();
            self.ring.push_back(frame);
        }
        let excess = self.ring.len().saturating_sub(KEPT_FRAMES);
        if excess > 0 {
            // What everybody has taken goes first; what somebody has not, only when it is too much.
            let taken = self.members.iter().map(|(_, member)| member.next).min().unwrap_or(upto);
            let everybody_has = self.ring.partition_point(|frame| frame.position <= taken);
            self.forget(excess.min(everybody_has));
            while self.ring.len() > MOST_FRAMES || (self.bytes > MOST_BYTES && self.ring.len() > 1) {
                self.forget(1);
            }
        }
        self.members.iter_mut().filter_map(|(_, member)| member.waker.take()).collect()
    }

    /// Drops the oldest results.
    fn forget(&mut self, count: usize) {
        for frame in self.ring.drain(..count) {
            self.bytes -= frame.body.len();
            self.floor = self.floor.max(frame.position);
        }
    }

    /// More came than can be executed: everybody goes on from the log.
    fn overrun(&mut self, position: i64) {
        self.pending.clear();
        self.ring.clear();
        self.bytes = 0;
        self.floor = position;
        for (_, member) in &mut self.members {
            if let Some(waker) = member.waker.take() {
                waker.wake();
            }
        }
    }
}
