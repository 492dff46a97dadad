//! One order from submission to confirmation, by whoever's desk it lies on.

use chrono::{Duration, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::crew::Crew;
use super::state::{FRAGMENT, State, Step};
use crate::cli::call::{Fault, UserError};
use crate::cli::import::line::OrderForm;
use crate::cli::import::{SUBMIT, Submitted};
use crate::domain::actor::Role;
use crate::domain::intake::Channel;
use crate::domain::permission::Action;
use crate::domain::review::CheckKind;
use crate::seed::rules;

/// Steps that may fail for one order, because others were faster, before it is given up.
const MOST_SETBACKS: u32 = 8;

/// How far an order came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// To its end.
    Finished,
    /// It waits for goods; the id is to go on with.
    Waiting(String),
    /// It does not get on, and why.
    Stuck(String),
}

/// Submits an order and takes it as far as it goes.
pub(super) async fn submit(crew: &Crew, order: &OrderForm) -> Outcome {
    let role = match order.channel {
        Channel::OfflineSales => Role::Sales,
        Channel::ECommerce | Channel::PartnerReferral => Role::Partner,
    };
    let submitted = crew.call(role, SUBMIT, &json!({"input": order})).await;
    let answer: Submitted = match submitted.and_then(|data| read(&data, "/submitOrder")) {
        Ok(answer) => answer,
        Err(fault) => return Outcome::Stuck(format!("not submitted: {fault}")),
    };
    match answer.order {
        Some(row) if row.status == crate::domain::order::OrderStatus::Completed => Outcome::Finished,
        Some(row) => advance(crew, &row.id, &order.external_reference).await,
        None => Outcome::Stuck(format!("not taken: {}", reasons(&answer.user_errors))),
    }
}

/// Takes an order as far as it goes.
pub(super) async fn advance(crew: &Crew, id: &str, reference: &str) -> Outcome {
    match steps(crew, id, reference).await {
        Ok(outcome) => outcome,
        Err(fault) => Outcome::Stuck(fault.to_string()),
    }
}

async fn steps(crew: &Crew, id: &str, reference: &str) -> Result<Outcome, Fault> {
    let mut role = Role::FinanceApprover;
    let mut asked = vec![role];
    let mut setbacks = 0;
    let mut waivers = Vec::new();
    let mut state = look(crew, role, id).await?;
    while !state.is_finished() {
        if let Some(step) = state.next_step() {
            let taken = take(crew, role, &state, &step, reference, &waivers).await;
            let failed = match taken {
                Ok(Taken::Done(next)) => {
                    state = *next;
                    asked = vec![role];
                    continue;
                }
                Ok(Taken::Refused(errors)) => {
                    waivers = named_checks(&errors);
                    format!("{}: {}", step.action, reasons(&errors))
                }
                Err(fault) if is_contention(&fault) => format!("{}: {fault}", step.action),
                Err(fault) => return Err(fault),
            };
            setbacks += 1;
            if setbacks > MOST_SETBACKS {
                return Ok(Outcome::Stuck(failed));
            }
            state = look(crew, role, id).await?;
            continue;
        }
        let desk = state.desks().into_iter().find(|desk| !asked.contains(desk));
        match desk {
            Some(desk) => {
                role = desk;
                asked.push(role);
                state = look(crew, role, id).await?;
            }
            None if state.waits_for_stock() => return Ok(Outcome::Waiting(state.id)),
            None => {
                let (status, number) = (state.status, &state.number);
                let blockers = state.blockers();
                return Ok(Outcome::Stuck(format!("{number} {status}, {role} sees: {blockers}")));
            }
        }
    }
    Ok(Outcome::Finished)
}

/// Did others change the same things first? Then it is looked at and decided anew.
fn is_contention(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "VERSION_CONFLICT" | "RESOURCE_EXHAUSTED" | "TIMEOUT")
}

async fn look(crew: &Crew, role: Role, id: &str) -> Result<State, Fault> {
    let document = format!("query($id: ID!) {{ order(by: {{id: $id}}) {{ ...State }} }}{FRAGMENT}");
    let data = crew.call(role, &document, &json!({"id": id})).await?;
    read(&data, "/order")
}

enum Taken {
    Done(Box<State>),
    Refused(Vec<UserError>),
}

async fn take(
    crew: &Crew,
    role: Role,
    state: &State,
    step: &Step,
    reference: &str,
    waivers: &[CheckKind],
) -> Result<Taken, Fault> {
    let field = step.action.field_name();
    let (selection, pointer) = answer_of(step.action);
    let name = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let document = format!(
        "mutation($input: {name}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code message path }} }} }}{FRAGMENT}"
    );
    let mut input = input_of(state, step, waivers);
    // The same step of the same order has one effect, also when a run is repeated.
    input["idempotencyKey"] = format!("simulate:{reference}:{}:{}", step.action, step.target).into();
    let data = crew.call(role, &document, &json!({"input": input})).await?;
    let errors: Vec<UserError> = read(&data, &format!("/{field}/userErrors"))?;
    if errors.is_empty() {
        let state = read(&data, &format!("/{field}{pointer}"))?;
        return Ok(Taken::Done(Box::new(state)));
    }
    Ok(Taken::Refused(errors))
}

/// Where a payload shows the order, as a selection and as a pointer into the answer.
fn answer_of(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::AcceptAllocation | Action::RecordInspection => {
            ("allocation { order { ...State } }", "/allocation/order")
        }
        Action::StartMilestone | Action::CompleteMilestone => {
            ("milestone { allocation { order { ...State } } }", "/milestone/allocation/order")
        }
        Action::PlanDelivery | Action::BookDelivery => ("delivery { order { ...State } }", "/delivery/order"),
        _ => ("order { ...State }", "/order"),
    }
}

fn input_of(state: &State, step: &Step, refused: &[CheckKind]) -> Value {
    let target = &step.target;
    let number = step.delivery_number.as_deref().unwrap_or_default();
    // Shops send single pieces, resellers' orders go on pallets. All of them are shipped, so that
    // the cheapest method, which is to let the customer fetch it, is no choice.
    let (method, carrier) = if state.channel == Channel::ECommerce {
        ("EXPRESS", "Example Express")
    } else {
        ("FREIGHT", "Example Freight")
    };
    let moment = |moment: chrono::DateTime<Utc>| moment.to_rfc3339_opts(SecondsFormat::Micros, true);
    match step.action {
        Action::StartReview | Action::AllocateOrder => {
            json!({"orderId": target, "expectedVersion": state.version})
        }
        Action::ApproveOrder => {
            let mut checks = state.undecided_checks();
            checks.extend(refused);
            checks.sort_unstable();
            checks.dedup();
            let waivers: Vec<Value> = checks.into_iter().map(waiver).collect();
            json!({"orderId": target, "expectedVersion": state.version, "waivers": waivers})
        }
        Action::StartMilestone | Action::CompleteMilestone => json!({"milestoneId": target}),
        Action::RecordInspection => {
            let rules = rules::first(|_| String::new(), Vec::new());
            let items = step.kind.map_or(&[][..], |kind| rules.checklist_for(kind));
            let checklist: Vec<Value> = items.iter().map(|item| json!({"item": item, "passed": true})).collect();
            json!({"allocationId": target, "checklist": checklist})
        }
        Action::PlanDelivery => json!({"allocationId": target, "method": method}),
        Action::BookDelivery => json!({
            "deliveryId": target,
            "carrier": carrier,
            "trackingNumber": format!("EX-{number}"),
            "appointment": moment(Utc::now() + Duration::days(1)),
        }),
        Action::RecordTrackingEvent => json!({
            "deliveryId": target,
            "carrier": carrier,
            "carrierEventId": format!("{number}-delivered"),
            "kind": "DELIVERED",
            "occurredAt": moment(Utc::now()),
        }),
        Action::ConfirmDelivery => json!({
            "deliveryId": target,
            "evidence": {"kind": "SIGNED_SLIP", "reference": format!("slip {number}")},
        }),
        Action::DispatchDelivery => json!({"deliveryId": target}),
        _ => json!({"allocationId": target}),
    }
}

fn waiver(check: CheckKind) -> Value {
    let reason = match check {
        CheckKind::DuplicateSuspect => {
            "The source has several orders of this customer with the same lines; each was placed."
        }
        CheckKind::FinanceLimit => "The order was paid; the limit does not stand in the way.",
        _ => "Looked at by a person, and in order.",
    };
    json!({"check": check, "reason": reason})
}

/// Checks that came to need a decision only after the review was read: such a refusal begins with
/// the check's code. Another order of the same customer may have been submitted in between.
fn named_checks(errors: &[UserError]) -> Vec<CheckKind> {
    errors
        .iter()
        .filter(|error| error.code == "CHECK_NEEDS_DECISION")
        .filter_map(|error| error.message.split(':').next()?.parse().ok())
        .collect()
}

fn reasons(errors: &[UserError]) -> String {
    let each = errors.iter().map(|error| {
        let path = error.path.as_ref().map_or_else(String::new, |path| format!(" {}", path.join(".")));
        format!("{}{path}: {}", error.code, error.message)
    });
    each.collect::<Vec<_>>().join("; ")
}

/// Reads a part of an answer.
pub(super) fn read<T: for<'de> Deserialize<'de>>(data: &Value, pointer: &str) -> Result<T, Fault> {
    let part = data.pointer(pointer).unwrap_or(&Value::Null);
    T::deserialize(part).map_err(|error| Fault {
        code: "INTERNAL".to_owned(),
        message: format!("the answer is not understood at {pointer}: {error}"),
    })
}
