//! Documents that are written from the tables the program decides by, so that they cannot be wrong:
//! docs/workflow.md and docs/permissions.md.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::domain::access::AccessRestrictionStatus;
use crate::domain::access_key::AccessKeyStatus;
use crate::domain::actor::Role;
use crate::domain::allocation::AllocationStatus;
use crate::domain::change::OrderChangeStatus;
use crate::domain::channel::SalesChannelStatus;
use crate::domain::delivery::DeliveryStatus;
use crate::domain::import::ImportStatus;
use crate::domain::inventory::{ReplenishmentStatus, StocktakeStatus, TransferStatus};
use crate::domain::order::OrderStatus;
use crate::domain::permission::{Action, READS, permitted};
use crate::domain::progress::MilestoneStatus;
use crate::domain::ticket::TicketStatus;
use crate::domain::transition::Lifecycle;

const NOTICE: &str =
    "<!-- Written by the program; change the tables and run `UPDATE=1 cargo test --test it generated`. -->";

/// docs/workflow.md: a state diagram and a table for each lifecycle.
pub fn workflow() -> String {
    let mut text = format!(
        "{NOTICE}\n\n# Workflow\n\nEvery state and every legal step, from the transition tables in `src/domain`. \
         R… are the clauses of the regulation that ask for the step. Steps that lead to the state they \
         start in change only details; the diagrams leave them out, the tables name them.\n"
    );
    section::<OrderStatus>(&mut text, OrderStatus::ALL, |state| state.description());
    section::<OrderChangeStatus>(&mut text, OrderChangeStatus::ALL, |state| state.description());
    section::<AllocationStatus>(&mut text, AllocationStatus::ALL, |state| state.description());
    section::<MilestoneStatus>(&mut text, MilestoneStatus::ALL, |state| state.description());
    section::<ReplenishmentStatus>(&mut text, ReplenishmentStatus::ALL, |state| state.description());
    section::<TransferStatus>(&mut text, TransferStatus::ALL, |state| state.description());
    section::<StocktakeStatus>(&mut text, StocktakeStatus::ALL, |state| state.description());
    section::<DeliveryStatus>(&mut text, DeliveryStatus::ALL, |state| state.description());
    section::<TicketStatus>(&mut text, TicketStatus::ALL, |state| state.description());
    section::<AccessKeyStatus>(&mut text, AccessKeyStatus::ALL, |state| state.description());
    section::<ImportStatus>(&mut text, ImportStatus::ALL, |state| state.description());
    section::<SalesChannelStatus>(&mut text, SalesChannelStatus::ALL, |state| state.description());
    section::<AccessRestrictionStatus>(&mut text, AccessRestrictionStatus::ALL, |state| state.description());
    text
}

fn section<S: Lifecycle>(text: &mut String, states: &[S], describe: fn(S) -> &'static str) {
    let _ = write!(text, "\n## The {}\n\n```mermaid\nstateDiagram-v2\n", S::NOUN);
    // Several actions may lead from one state to another: one arrow with all of them.
    let mut arrows: Vec<(String, String, Vec<String>)> = Vec::new();
    for row in S::TRANSITIONS {
        if row.from == Some(row.to) {
            continue;
        }
        let from = row.from.map_or_else(|| "[*]".to_owned(), |from| from.to_string());
        let to = row.to.to_string();
        let label = format!("{} ({})", row.action.field_name(), row.clause);
        match arrows.iter_mut().find(|(start, end, _)| *start == from && *end == to) {
            Some((_, _, labels)) => labels.push(label),
            None => arrows.push((from, to, vec![label])),
        }
    }
    for (from, to, labels) in arrows {
        let _ = writeln!(text, "    {from} --> {to}: {}", labels.join(", "));
    }
    for state in states.iter().filter(|state| is_last(**state)) {
        let _ = writeln!(text, "    {state} --> [*]");
    }
    text.push_str("```\n\n| State | Meaning |\n| --- | --- |\n");
    for state in states {
        let _ = writeln!(text, "| {state} | {} |", describe(*state).trim());
    }
    text.push_str("\n| From | Action | To | Who | Clause |\n| --- | --- | --- | --- | --- |\n");
    for row in S::TRANSITIONS {
        let from = row.from.map_or_else(|| "–".to_owned(), |from| from.to_string());
        let (roles, _) = permitted(row.action);
        let _ = writeln!(
            text,
            "| {from} | `{}` | {} | {} | {} |",
            row.action.field_name(),
            row.to,
            codes(roles),
            row.clause
        );
    }
}

/// Nothing leads out of the state to another.
fn is_last<S: Lifecycle>(state: S) -> bool {
    S::TRANSITIONS.iter().all(|row| row.from != Some(state) || row.to == state)
}

fn codes(roles: &[Role]) -> String {
    let codes: Vec<&str> = roles.iter().map(|role| role.code()).collect();
    codes.join(", ")
}

fn who(roles: &[Role]) -> String {
    if roles.len() == Role::ALL.len() { "every role".to_owned() } else { codes(roles) }
}

/// docs/permissions.md: who may call which root field, and which fields a role may call.
pub fn permissions() -> String {
    let mut text = format!(
        "{NOTICE}\n\n# Permissions\n\nWho may call which root field of the schema, from the one table that also \
         decides. What lies outside the caller's scope does not exist for the caller: it is not found, rather than forbidden.\n\n\
         ## Reading: Query and Subscription\n\n| Field | Roles | Limited to |\n| --- | --- | --- |\n"
    );
    for row in READS {
        let _ = writeln!(text, "| `{}` | {} | {} |", row.field, who(row.roles), row.limit);
    }
    text.push_str(
        "\n## Writing: Mutation\n\n| Field | What it does | Roles | Limited to |\n| --- | --- | --- | --- |\n",
    );
    let actions: BTreeMap<String, Action> = Action::ALL.iter().map(|action| (action.field_name(), *action)).collect();
    for (field, action) in &actions {
        let (roles, limit) = permitted(*action);
        let what = action.description().trim();
        let _ = writeln!(text, "| `{field}` | {what} | {} | {limit} |", who(roles));
    }
    text.push_str("\n## By role\n\n| Role | Who that is | May write |\n| --- | --- | --- |\n");
    for role in Role::ALL {
        let fields: Vec<String> = actions
            .iter()
            .filter(|(_, action)| permitted(**action).0.contains(role))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        let _ = writeln!(text, "| {role} | {} | {} |", role.description().trim(), fields.join(", "));
    }
    text
}
