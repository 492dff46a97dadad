//! Access that is taken away and given back (R13.1, R13.2): a token says which roles its bearer holds,
//! a restriction in force says which of them no longer count.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::actor::{Act, Actor, Role, Scope};
use super::codes::codes;
use super::event::{EventKind, Happening};
use super::ids::AccessRestrictionId;
use super::intake::{LONG_TEXT, text};
use super::order::role_blockers;
use super::permission::Action;
use super::refusal::{Refusal, RefusalCode as Code, Refusals};
use super::transition::{Lifecycle, Transition, birth, step};

/// Characters a subject may have; a token's is no longer.
const LONGEST_SUBJECT: usize = 255;

codes! {
    /// Where a restriction of access stands.
    AccessRestrictionStatus {
        /// The roles it names do not count.
        InForce = "IN_FORCE",
        /// Access was given back; it is kept as evidence.
        Lifted = "LIFTED",
    }
}

use AccessRestrictionStatus::*;

impl Lifecycle for AccessRestrictionStatus {
    const NOUN: &'static str = "access restriction";
    const TRANSITIONS: &'static [Transition<Self>] =
        &[birth(Action::RevokeAccess, InForce, "R13.1"), step(InForce, Action::RestoreAccess, Lifted, "R13.1")];
}

/// Access that somebody lost, and perhaps got back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessRestriction {
    /// Identity.
    pub id: AccessRestrictionId,
    /// Counts the changes.
    pub version: i64,
    /// The subject of the tokens it applies to.
    pub subject: String,
    /// The role that does not count; all of them when there is none.
    pub role: Option<Role>,
    /// Where it stands.
    pub status: AccessRestrictionStatus,
    /// Why access was taken away.
    pub reason: String,
    /// Who took it away.
    pub restricted_by: String,
    /// When.
    pub restricted_at: DateTime<Utc>,
    /// Who gave it back.
    pub lifted_by: Option<String>,
    /// When.
    pub lifted_at: Option<DateTime<Utc>>,
    /// Why it was given back.
    pub lift_reason: Option<String>,
}

/// What is asked for when access is to be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// The subject of the tokens it shall apply to.
    pub subject: String,
    /// The role that shall no longer count; all of them when there is none.
    pub role: Option<Role>,
    /// Why.
    pub reason: String,
}

/// What stands between the actor and an action on somebody's access, whatever state it is in.
fn rights(action: Action, subject: &str, actor: &Actor) -> Refusals {
    let mut refusals = role_blockers(action, actor);
    refusals.require(actor.scope == Scope::All, || {
        Refusal::new(Code::RoleNotPermitted, "R13.1", "Access is a matter for administrators of the head unit.")
    });
    refusals.require(actor.subject != subject, || {
        Refusal::new(
            Code::SeparationOfDuties,
            "R13.1",
            "Nobody decides about the own access; ask another administrator.",
        )
    });
    refusals
}

/// Takes access away. `in_force` says whether the same is restricted already.
pub fn revoke(asked: Revocation, in_force: bool, act: &Act<'_>) -> Result<AccessRestriction, Refusals> {
    let mut refusals = rights(Action::RevokeAccess, &asked.subject, act.actor);
    text(&mut refusals, "subject", Some(&asked.subject), true, LONGEST_SUBJECT);
    text(&mut refusals, "reason", Some(&asked.reason), true, LONG_TEXT);
    refusals.require(!in_force, || {
        let message = "This access is taken away already; what is in force is in accessRestrictions.";
        Refusal::new(Code::AccessAlreadyRevoked, "R13.1", message)
    });
    refusals.into_result()?;
    Ok(AccessRestriction {
        id: act.id(),
        version: 0,
        subject: asked.subject,
        role: asked.role,
        status: InForce,
        reason: asked.reason,
        restricted_by: act.actor.subject.clone(),
        restricted_at: act.now,
        lifted_by: None,
        lifted_at: None,
        lift_reason: None,
    })
}

impl AccessRestriction {
    /// What stands between the actor and an action on this restriction, apart from the input.
    pub fn blockers(&self, action: Action, actor: &Actor) -> Refusals {
        let mut refusals = rights(action, &self.subject, actor);
        refusals.require(self.status.admits(action), || self.status.refuse(action));
        refusals
    }

    /// Gives the access back.
    pub fn lift(&mut self, reason: String, act: &Act<'_>) -> Result<Happening, Refusals> {
        let mut refusals = self.blockers(Action::RestoreAccess, act.actor);
        text(&mut refusals, "reason", Some(&reason), true, LONG_TEXT);
        refusals.into_result()?;
        self.status = Lifted;
        self.lifted_by = Some(act.actor.subject.clone());
        self.lifted_at = Some(act.now);
        self.lift_reason = Some(reason.clone());
        Ok(EventKind::AccessRestored.because(reason))
    }
}
