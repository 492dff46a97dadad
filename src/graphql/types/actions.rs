//! What the caller can do with a thing right now.

use async_graphql::SimpleObject;

use crate::app::read::actions as domain;
use crate::domain::permission::Action;
use crate::domain::refusal::RefusalCode;

/// Something the caller's roles may do with a thing, and whether it would succeed right now. What
/// the roles never permit is not listed.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct AvailableAction {
    /// The action; the mutation has the same name, `APPROVE_ORDER` being `approveOrder`.
    pub action: Action,
    /// Would it succeed now, given acceptable input?
    pub allowed: bool,
    /// Everything that stands in the way; empty when it is allowed.
    pub blocked_by: Vec<ActionBlocker>,
}

/// A reason why an action would be refused now.
#[derive(Clone, Debug, SimpleObject, macros::Written)]
pub struct ActionBlocker {
    /// The stable code.
    pub code: RefusalCode,
    /// The clause of the regulation that asks for it, such as `R2.6`.
    pub clause: Option<String>,
    /// What is wrong, in words.
    pub message: String,
}

impl From<domain::AvailableAction> for AvailableAction {
    fn from(available: domain::AvailableAction) -> Self {
        let blocked_by: Vec<ActionBlocker> = available
            .blockers
            .into_iter()
            .map(|refusal| ActionBlocker {
                code: refusal.code,
                clause: refusal.clause.map(|clause| clause.to_string()),
                message: refusal.message,
            })
            .collect();
        Self { action: available.action, allowed: blocked_by.is_empty(), blocked_by }
    }
}

/// All of them.
pub fn all(available: Vec<domain::AvailableAction>) -> Vec<AvailableAction> {
    available.into_iter().map(Into::into).collect()
}
