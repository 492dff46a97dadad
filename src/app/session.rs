//! Who is asking: from the token's claims to an actor with a scope.

use std::sync::Arc;

use super::{App, Failure};
use crate::domain::actor::{Actor, Role, Scope, Visibility};
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

async fn scope(app: &App, identity: &Identity, roles: &[Role]) -> Result<Scope, Failure> {
    let store = app.store();
    // Whoever acts for a customer or partner is confined to it, whatever else the token says.
    if roles.contains(&Role::Customer) {
        let Some(number) = &identity.customer else {
            return Ok(Scope::Nothing);
        };
        let customer = reference::customer_by_number(store.reader(), number).await?;
        return Ok(customer.map_or(Scope::Nothing, |customer| Scope::Customer(customer.id)));
    }
    if roles.contains(&Role::Partner) {
        return Ok(identity.channel.clone().map_or(Scope::Nothing, Scope::Account));
    }
    let Some(code) = &identity.unit else {
        return Ok(Scope::Nothing);
    };
    let units = reference::all_units(store.reader()).await?;
    let Some(own) = units.iter().find(|unit| unit.code == *code) else {
        return Ok(Scope::Nothing);
    };
    if own.parent_id.is_none() {
        return Ok(Scope::All);
    }
    let below = units.iter().filter(|unit| reference::is_below(&units, unit.id, own.id)).map(|unit| unit.id);
    Ok(Scope::Units(below.collect()))
}
