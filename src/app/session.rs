//! Who is asking: from the token's claims to an actor with a scope.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::{App, Failure};
use crate::domain::actor::{Actor, Role, Scope, Visibility};
use crate::domain::ids::OrderId;
use crate::domain::permission::readers;
use crate::store::reference;

/// What a verified token says of its bearer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The stable subject.
    pub subject: String,
    /// Codes of the roles held; unknown ones are ignored.
    pub roles: Vec<String>,
    /// Code of the unit in which, and below which, staff roles are held.
    pub unit: Option<String>,
    /// Number of the customer the bearer acts for.
    pub customer: Option<String>,
    /// The channel account of a partner's or shop's system.
    pub channel: Option<String>,
    /// The order whose tracking link the bearer holds.
    pub order: Option<OrderId>,
}

/// One caller's dealings with the application during one request or connection.
#[derive(Clone)]
pub struct Session {
    /// What all requests share.
    pub app: Arc<App>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// What decides which part of the world they see.
    pub visibility: Arc<Visibility>,
    /// The newest position of the log when the session began.
    pub began_at: i64,
    /// The request's id, for the trace.
    pub request_id: Arc<str>,
}

impl Session {
    /// A session of the bearer of a token, with the roles that still count. A token that names a
    /// unit or customer that does not exist has nothing in its scope.
    pub async fn open(app: &Arc<App>, identity: &Identity, request_id: &str) -> Result<Self, Failure> {
        let held: Vec<Role> = identity.roles.iter().filter_map(|code| code.parse().ok()).collect();
        app.access.ensure_current().await?;
        let roles = app.access.effective(&identity.subject, &held);
        // The token's own roles confine its bearer: losing one of them must never widen the scope.
        let scope = if roles.is_empty() { Scope::Nothing } else { scope(app, identity, &held).await? };
        Ok(Self::of(app, Actor { subject: identity.subject.clone(), roles, scope }, request_id))
    }

    /// A session of an actor.
    pub fn of(app: &Arc<App>, actor: Actor, request_id: &str) -> Self {
        let visibility = Arc::new(actor.visibility());
        let began_at = app.feed.tip();
        Self { app: app.clone(), actor: Arc::new(actor), visibility, began_at, request_id: request_id.into() }
    }

    /// Fails unless the caller may ask for this root field.
    pub fn may_read(&self, field: &str) -> Result<(), Failure> {
        if self.actor.is_any(readers(field)) {
            return Ok(());
        }
        let names: Vec<&str> = readers(field).iter().copied().map(Role::code).collect();
        Err(Failure::Forbidden(format!("{field} takes one of the roles {}.", names.join(", "))))
    }
}

/// A unit that moves, or a customer that is renumbered, changes nobody's scope later than this: as soon as
/// access that was taken away is gone.
const FRESH: Duration = Duration::from_secs(1);
/// Scopes kept at most; bounds the memory.
const MOST_SCOPES: usize = 10_000;

/// What a token confines its bearer to.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Confines {
    Customer(String),
    Unit(String),
}

/// Scopes as they were read a moment ago. What did not exist is not kept: a unit or customer that was just
/// added is found.
#[derive(Default)]
pub(super) struct Scopes(RwLock<HashMap<Confines, (Instant, Scope)>>);

impl Scopes {
    async fn get(&self, app: &App, of: Confines) -> Result<Scope, Failure> {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, scope)) = known.get(&of).filter(|(as_of, _)| as_of.elapsed() <= FRESH) {
                return Ok(scope.clone());
            }
        }
        let as_of = Instant::now();
        let read = match &of {
            Confines::Customer(number) => of_customer(app, number).await?,
            Confines::Unit(code) => of_unit(app, code).await?,
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_SCOPES {
            known.clear();
        }
        if read == Scope::Nothing {
            known.remove(&of);
        } else {
            known.insert(of, (as_of, read.clone()));
        }
        Ok(read)
    }
}

async fn scope(app: &App, identity: &Identity, roles: &[Role]) -> Result<Scope, Failure> {
    // Whoever acts for a customer or partner is confined to it, whatever else the token says.
    if roles.contains(&Role::LinkHolder) {
        return Ok(identity.order.map_or(Scope::Nothing, Scope::Order));
    }
    if roles.contains(&Role::Customer) {
        let Some(number) = &identity.customer else {
            return Ok(Scope::Nothing);
        };
        return app.scopes.get(app, Confines::Customer(number.clone())).await;
    }
    if roles.contains(&Role::Partner) {
        return Ok(identity.channel.clone().map_or(Scope::Nothing, Scope::Account));
    }
    match &identity.unit {
        Some(code) => app.scopes.get(app, Confines::Unit(code.clone())).await,
        None => Ok(Scope::Nothing),
    }
}

async fn of_customer(app: &App, number: &str) -> Result<Scope, Failure> {
    let customer = reference::customer_by_number(app.store().reader(), number).await?;
    Ok(customer.map_or(Scope::Nothing, |customer| Scope::Customer(customer.id)))
}

async fn of_unit(app: &App, code: &str) -> Result<Scope, Failure> {
    let units = reference::all_units(app.store().reader()).await?;
    let Some(own) = units.iter().find(|unit| unit.code == *code) else {
        return Ok(Scope::Nothing);
    };
    if own.parent_id.is_none() {
        return Ok(Scope::All);
    }
    let below = units.iter().filter(|unit| reference::is_below(&units, unit.id, own.id)).map(|unit| unit.id);
    Ok(Scope::Units(below.collect()))
}
