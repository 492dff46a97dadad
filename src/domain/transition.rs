//! Transition tables: data from which the guards, the refusals, `availableActions` and the diagram
//! in docs/workflow.md all come.

use super::permission::Action;
use super::refusal::{Refusal, RefusalCode};

/// One legal step of a lifecycle. `from` is `None` where the step creates the aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Transition<S: 'static> {
    /// The state the step starts in.
    pub from: Option<S>,
    /// What causes it.
    pub action: Action,
    /// The state it leads to; the same state where the step changes only details.
    pub to: S,
    /// The clause that asks for it.
    pub clause: &'static str,
}

/// A state with a transition table.
pub trait Lifecycle: Copy + Eq + std::fmt::Display + 'static {
    /// Every legal step.
    const TRANSITIONS: &'static [Transition<Self>];
    /// What the aggregate is called in messages.
    const NOUN: &'static str;

    /// Is there a step for this action out of this state?
    fn admits(self, action: Action) -> bool {
        Self::TRANSITIONS.iter().any(|row| row.from == Some(self) && row.action == action)
    }

    /// Is this very step legal?
    fn permits(self, action: Action, to: Self) -> bool {
        Self::TRANSITIONS.iter().any(|row| row.from == Some(self) && row.action == action && row.to == to)
    }

    /// The refusal for an action this state does not admit, naming the states that would.
    fn refuse(self, action: Action) -> Refusal {
        let rows = || Self::TRANSITIONS.iter().filter(move |row| row.action == action);
        let mut states: Vec<String> = rows().filter_map(|row| row.from).map(|s| s.to_string()).collect();
        states.dedup();
        // An action may also begin another of its kind: what is refused is the step.
        let step = rows().find(|row| row.from.is_some()).or_else(|| rows().next());
        let clause = step.map_or("R2.1", |row| row.clause);
        Refusal::new(
            RefusalCode::IllegalTransition,
            clause,
            format!(
                "The {} is {self}; {} needs it to be {}.",
                Self::NOUN,
                action.field_name(),
                if states.is_empty() { "new".to_owned() } else { states.join(" or ") },
            ),
        )
    }
}

/// Shorthand for a row of a table.
pub(crate) const fn step<S: Copy>(from: S, action: Action, to: S, clause: &'static str) -> Transition<S> {
    Transition { from: Some(from), action, to, clause }
}

/// Shorthand for the row that creates an aggregate.
pub(crate) const fn birth<S: Copy>(action: Action, to: S, clause: &'static str) -> Transition<S> {
    Transition { from: None, action, to, clause }
}
