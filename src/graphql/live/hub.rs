//! Where subscriptions are opened, grouped and ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_graphql::{Executor, Request, Response, ServerError};
use futures::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::document::{Document, Operation, selected};
use super::execution::Frame;
use super::group::{End, Group, Parts};
use super::in_flight::InFlight;
use super::member::{Member, Messages};
use super::sharing::{Sharing, sharing};
use super::shelf::Keeper;
use super::stats::Stats;
use super::update::{Admission, Opening, Update};
use super::work::Work;
use crate::app::read::subscription::{StreamFailure, piece, resume};
use crate::app::{App, Failure, Session};
use crate::domain::actor::{Role, Visibility};
use crate::feed::{Feed, Listener};
use crate::graphql::context::{attach, code};
use crate::graphql::{ApiSchema, trusting_schema};
use crate::http::auth::Identity;
use crate::http::error::{self, coded};
use crate::http::{Caller, Language, LastEventId};

/// What the members of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    document: Arc<str>,
    values: Arc<str>,
    visibility: Arc<Visibility>,
    language: Language,
    /// Whose name may stand in the results; nobody's in results that are shared.
    subject: Option<String>,
    /// Differs where nothing is shared at all.
    alone: Option<u64>,
}

/// The subscriptions of one node. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    schema: ApiSchema,
    /// Executes what was admitted before, without judging it again for every event.
    trusting: ApiSchema,
    app: Arc<App>,
    groups: Mutex<HashMap<Key, Arc<Group>>>,
    /// One copy of each document, however many groups there are for other values.
    documents: Mutex<HashMap<Arc<str>, Weak<Document>>>,
    /// What callers see, by what their tokens say; for those who ask for a cursor in between.
    visibilities: Mutex<HashMap<Claims, Arc<Visibility>>>,
    in_flight: InFlight,
    keeper: Keeper,
    work: Work,
    executions: Semaphore,
    openings: Semaphore,
    catch_ups: Semaphore,
    stats: Stats,
    ids: AtomicU64,
}

/// What of a token decides what its bearer sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Claims {
    roles: Vec<String>,
    unit: Option<String>,
    customer: Option<String>,
    channel: Option<String>,
}

impl From<&Identity> for Claims {
    fn from(identity: &Identity) -> Self {
        Self {
            roles: identity.roles.clone(),
            unit: identity.unit.clone(),
            customer: identity.customer.clone(),
            channel: identity.channel.clone(),
        }
    }
}

/// A subscription that is admitted: who asks for what, and where it begins.
struct Admitted {
    session: Session,
    caller: Caller,
    opening: Opening,
    operation: Operation,
    sharing: Sharing,
}

impl Hub {
    /// The hub of an application.
    pub fn new(schema: ApiSchema, app: &Arc<App>) -> Self {
        let settings = app.feed().settings();
        let hub = Self(Arc::new(Inner {
            schema,
            trusting: trusting_schema(),
            executions: Semaphore::new(settings.executions.max(1)),
            openings: Semaphore::new(settings.executions.max(1)),
            catch_ups: Semaphore::new(settings.catch_ups.max(1)),
            app: app.clone(),
            groups: Mutex::default(),
            documents: Mutex::default(),
            visibilities: Mutex::default(),
            in_flight: InFlight::default(),
            keeper: Keeper::default(),
            work: Work::start(settings.executions),
            stats: Stats::default(),
            ids: AtomicU64::new(1),
        }));
        tokio::spawn(follow_access(Arc::downgrade(&hub.0), app.access().watch()));
        hub
    }

    /// What it counts.
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// The schema for documents that are known to be valid.
    pub(in crate::graphql) fn trusting(&self) -> &ApiSchema {
        &self.0.trusting
    }

    pub(super) fn feed(&self) -> &Feed {
        self.0.app.feed()
    }

    pub(super) fn work(&self) -> &Work {
        &self.0.work
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    pub(super) fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    /// The newest cursor for a caller: everything up to it is handed to its subscriptions. None for
    /// callers without subscriptions.
    pub fn newest_cursor(&self, caller: &Caller) -> Option<String> {
        let claims = Claims::from(&**caller.identity.as_ref()?);
        // Read before what is in flight: what was told up to here is there.
        let told = self.feed().tip();
        let settled = self.0.in_flight.settled(told);
        let visibilities = self.0.visibilities.lock().unwrap_or_else(PoisonError::into_inner);
        visibilities.get(&claims).map(|visibility| self.feed().cursor(settled, visibility))
    }

    fn remember(&self, identity: &Identity, visibility: &Arc<Visibility>) {
        const MOST: usize = 10_000;
        let mut visibilities = self.0.visibilities.lock().unwrap_or_else(PoisonError::into_inner);
        if visibilities.len() >= MOST {
            // Whoever is missing goes without a cursor in between.
            visibilities.clear();
        }
        visibilities.insert(identity.into(), visibility.clone());
    }

    pub(super) async fn may_execute(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed; without a permit it would only be less bounded.
        self.0.executions.acquire().await.ok()
    }

    /// Whoever opens a subscription waits here for its turn.
    pub async fn may_open(&self) -> Option<SemaphorePermit<'_>> {
        self.0.openings.acquire().await.ok()
    }

    pub(super) async fn may_catch_up(&self) -> Option<SemaphorePermit<'_>> {
        self.0.catch_ups.acquire().await.ok()
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Key, Arc<Group>>> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a subscription for a caller.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn open(&self, request: Request, session: Session, caller: Caller) -> Result<Messages, Vec<ServerError>> {
        let last_event = request
            .data
            .get(&std::any::TypeId::of::<LastEventId>())
            .and_then(|data| data.downcast_ref::<LastEventId>())
            .map(|last| last.0.clone())
            .filter(|last| !last.is_empty());
        let mut admitted = self.admit(request, session, caller).await?;
        admitted.opening.after = admitted.opening.after.take().or(last_event);
        let refuse = |failure: StreamFailure| vec![refusal(&failure, &admitted.caller.request_id)];
        let after = match &admitted.opening.after {
            Some(cursor) => Some(resume(&admitted.session, cursor).await.map_err(refuse)?),
            None => None,
        };
        let snapshot = admitted.opening.snapshot && after.is_none();
        let conduct = self.feed().conduct();
        let mut early = Vec::new();
        if conduct.read_then_register || conduct.sends_both {
            early = self.read_early(&admitted, after).await;
        }
        let after = if early.is_empty() { after } else { None };
        let mut member = self.join(admitted, after);
        if conduct.sends_both {
            member.next = 0;
        }
        if snapshot {
            // It is in its group by now: the state is read behind the place it follows from.
            let update = Update {
                cursor: self.feed().cursor(member.next, &member.group.session.visibility).into(),
                event: None,
                position: member.next,
                skipped: 0,
            };
            member.own = member.group.execute(vec![update]).await.into();
        }
        member.own.extend(early);
        // It is in its group by now: a change of roles that it slipped past shows here.
        if member.group.end_one(member.slot, |identity| self.change(identity, &member.group.session.visibility)) {
            Stats::count(&self.stats().revocations);
        }
        self.stats().subscriptions.fetch_add(1, Ordering::Relaxed);
        Ok(Messages(Some(member)))
    }

    /// Executes the document once to learn what it follows; whatever is wrong with it shows now.
    async fn admit(
        &self,
        mut request: Request,
        session: Session,
        caller: Caller,
    ) -> Result<Admitted, Vec<ServerError>> {
        let mut document = request.parsed_query().map_err(|error| vec![error])?.clone();
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        let admission = Admission::default();
        let request = attach(request, Some(session.clone())).data(admission.clone());
        let responses: Vec<Response> = Executor::execute_stream(&self.0.schema, request, None).collect().await;
        let mut errors: Vec<ServerError> = responses.into_iter().flat_map(|response| response.errors).collect();
        if !errors.is_empty() {
            let mut response = Response::from_errors(std::mem::take(&mut errors));
            error::finish_errors(&mut response, &caller.request_id);
            return Err(response.errors);
        }
        let root = selected(&mut document, name.as_deref()).map(|one| one.selection_set.node.clone());
        let sharing = root.map_or(Sharing::Nobody, |root| sharing(&document, &root));
        match (admission.take(), Operation::of(document, name, variables)) {
            (Some(opening), Some(mut operation)) => {
                operation.document = self.one_copy(operation.document);
                Ok(Admitted { session, caller, opening, operation, sharing })
            }
            _ => Err(vec![coded(error::code::GRAPHQL_VALIDATION_FAILED, "A subscription selects exactly one field.")]),
        }
    }

    fn one_copy(&self, document: Arc<Document>) -> Arc<Document> {
        const SWEEP: usize = 1_024;
        let mut documents = self.0.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = documents.get(&document.text).and_then(Weak::upgrade) {
            return known;
        }
        if documents.len() % SWEEP == SWEEP - 1 {
            documents.retain(|_, known| known.strong_count() > 0);
        }
        documents.insert(document.text.clone(), Arc::downgrade(&document));
        document
    }

    fn key(&self, admitted: &Admitted) -> Key {
        let actor = &admitted.session.actor;
        let is_shared = match admitted.sharing {
            Sharing::All => true,
            Sharing::Staff => !actor.is_external(),
            Sharing::Nobody => false,
        };
        let conduct = self.feed().conduct();
        let visibility = if conduct.share_across_classes {
            Arc::new(crate::domain::actor::Actor::system().visibility())
        } else {
            admitted.session.visibility.clone()
        };
        Key {
            document: admitted.operation.document.text.clone(),
            values: admitted.operation.values.clone(),
            visibility,
            language: admitted.caller.language,
            subject: (!is_shared && !conduct.share_across_classes).then(|| actor.subject.clone()),
            alone: (!self.feed().settings().sharing).then(|| self.next_id()),
        }
    }

    fn next_id(&self) -> u64 {
        self.0.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a place in the group of those who ask the same, behind a position or from now on.
    fn join(&self, admitted: Admitted, after: Option<i64>) -> Member {
        let key = self.key(&admitted);
        let Admitted { mut session, caller, opening, operation, .. } = admitted;
        let identity = caller.identity.unwrap_or_else(|| Arc::new(nobody()));
        self.remember(&identity, &session.visibility);
        // What is shared is executed as somebody without a name.
        if key.subject.is_none() {
            session.actor = Arc::new(session.visibility.nobody());
        }
        let mut groups = self.groups();
        if let Some(group) = groups.get(&key).filter(|group| group.is_over()).cloned() {
            self.dissolve(&mut groups, &group);
        }
        let group = match groups.entry(key.clone()) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let parts = Parts { id: self.next_id(), key, interest: opening.interest, operation, session };
                let group = Group::new(self.clone(), parts);
                let listener: Arc<dyn Listener> = group.clone();
                group.begin(self.feed().listen(&group.topics, listener));
                self.stats().groups.fetch_add(1, Ordering::Relaxed);
                entry.insert(group).clone()
            }
        };
        // A member first, then where it begins: what comes in between is kept for it.
        let slot = group.join(identity, after.unwrap_or(i64::MAX));
        let next = after.unwrap_or_else(|| self.feed().tip());
        drop(groups);
        Member::new(group, slot, next)
    }

    /// A member leaves its group; a group without members ends.
    pub(super) fn leave(&self, group: &Arc<Group>, slot: usize) {
        self.stats().subscriptions.fetch_sub(1, Ordering::Relaxed);
        let mut groups = self.groups();
        if group.leave(slot) && groups.get(&group.key).is_some_and(|known| known.id == group.id) {
            self.dissolve(&mut groups, group);
        }
    }

    fn dissolve(&self, groups: &mut HashMap<Key, Arc<Group>>, group: &Group) {
        groups.remove(&group.key);
        self.feed().unlisten(&group.topics, group.id);
        self.stats().groups.fetch_sub(1, Ordering::Relaxed);
    }

    /// Looks at everybody's roles again: whoever holds others than when the subscription began is told
    /// nothing more.
    fn recheck(&self) {
        let groups: Vec<Arc<Group>> = self.groups().values().cloned().collect();
        let ended = |group: &Arc<Group>| group.end(|identity| self.change(identity, &group.session.visibility));
        let count: usize = groups.iter().map(ended).sum();
        self.stats().revocations.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// What the caller's roles as they are now mean for a subscription that began with others.
    fn change(&self, identity: &Identity, began_with: &Visibility) -> Option<End> {
        let roles: Vec<Role> = identity.roles.iter().filter_map(|code| code.parse().ok()).collect();
        let mut roles = self.0.app.access().effective(&identity.subject, &roles);
        roles.sort_unstable();
        roles.dedup();
        if roles == began_with.roles() || self.feed().conduct().trust_for_ever {
            None
        } else if roles.is_empty() {
            Some(End::AccessRevoked)
        } else {
            Some(End::RolesChanged)
        }
    }

    /// What a naive hub does before it registers anybody.
    async fn read_early(&self, admitted: &Admitted, after: Option<i64>) -> Vec<Frame> {
        let (Some(after), feed) = (after, self.feed()) else { return Vec::new() };
        let tip = feed.tip();
        let interest = &admitted.opening.interest;
        let Ok(found) = piece(feed, &admitted.session.actor, interest, after, tip, usize::MAX).await else {
            return Vec::new();
        };
        let parts = Parts {
            id: 0,
            key: self.key(admitted),
            interest: interest.clone(),
            operation: admitted.operation.clone(),
            session: admitted.session.clone(),
        };
        let group = Group::new(self.clone(), parts);
        group.execute(group.updates(found.events)).await
    }
}

/// Looks at everybody's roles again whenever access changes, as long as the hub lives.
async fn follow_access(hub: Weak<Inner>, mut changes: tokio::sync::watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        let Some(hub) = hub.upgrade() else { return };
        Hub(hub).recheck();
    }
}

fn nobody() -> Identity {
    Identity::default()
}

fn refusal(failure: &StreamFailure, request_id: &str) -> ServerError {
    match failure {
        StreamFailure::Cursor(error) => coded(error.code(), error.to_string()),
        StreamFailure::Request(Failure::Internal(cause)) => {
            tracing::error!(request_id, cause, "a subscription could not be opened");
            error::internal(request_id)
        }
        StreamFailure::Request(other) => coded(code(other), other.to_string()),
    }
}
