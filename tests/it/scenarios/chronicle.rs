//! What watchers are told of an order, and what they should be told.

use ordergraph::seed::PEOPLE;
use serde_json::Value;

use crate::support::{Actor, Subscription};

/// Everything a customer could ask of an order, so that whatever leaks would show.
pub const PROGRESS: &str = "subscription($id: ID!, $after: String, $snapshot: Boolean! = true) {
  orderProgress(orderId: $id, after: $after, snapshot: $snapshot) {
    cursor
    event { kind sequence note actor { subject name } changes { field value } unit { code } aggregateKind }
    order {
      number status stage version submittedBy { subject name } total { amount currencyCode }
      holds { reason placedBy { subject name } }
      review { reviewer { subject name } decision { decidedBy { subject name } reason } }
      clarifications { question askedBy { subject name } answeredBy { subject name } }
      cancellation { reason requestedBy { subject name } }
      allocations { status acceptedBy { subject name } declineReason decision { reason decidedBy { subject name } }
        milestones { code status responsible { subject name } blockCause blockMeasure }
        inspections { attempt result findings inspector { subject name } checklist { item note } }
        reservations { quantity } backorders { quantity } availableActions { action } }
      deliveries { status cost { amount } plannedBy { subject name } options { method reason }
        trackingEvents { kind recordedBy { subject name } } confirmations { confirmedBy { subject name } } }
      tickets { status resolution openedBy { subject name } contacts { summary plan contactedBy { subject name } } }
      settlement { amount { amount } }
      timeline(first: 100) { nodes { kind note actor { subject name } changes { field } } }
    }
  }
}";

pub const EVENTS: &str = "subscription($after: String) { orderEvents(after: $after) {
  cursor event { kind sequence aggregateId actor { subject } } order { number status } } }";

/// What happened, in order; a minus marks what is for the group's own people only.
#[derive(Default)]
pub struct Chronicle(pub Vec<&'static str>);

impl Chronicle {
    pub fn saw(&mut self, kinds: &[&'static str]) {
        self.0.extend(kinds);
    }

    pub fn staff(&self) -> Vec<String> {
        let name = |kind: &&str| kind.trim_start_matches('-').to_owned();
        self.0.iter().map(name).collect()
    }

    pub fn public(&self) -> Vec<String> {
        let shown = self.0.iter().filter(|kind| !kind.starts_with('-'));
        shown.map(|kind| (*kind).to_owned()).collect()
    }
}

pub fn kinds(messages: &[Value], field: &str) -> Vec<String> {
    let kind = |one: &Value| one[field]["event"]["kind"].as_str().unwrap_or("SNAPSHOT").to_owned();
    messages.iter().map(kind).collect()
}

/// Positions in the log, read from the cursors that somebody was given.
pub async fn positions(reader: &Actor, messages: &[Value], field: &str) -> Vec<i64> {
    let mut positions = Vec::new();
    for message in messages {
        let cursor = message[field]["cursor"].as_str().expect("a cursor");
        positions.push(reader.world.position(reader, cursor).await);
    }
    positions
}

pub async fn collect(subscription: &mut Subscription, count: usize) -> Vec<Value> {
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(subscription.next().await);
    }
    messages
}

pub fn discreet(messages: &[Value]) {
    let text = serde_json::to_string(messages).expect("JSON");
    for person in PEOPLE.iter().filter(|person| !person.name.is_empty()) {
        for word in [person.subject, person.name].into_iter().filter(|word| *word != "system") {
            assert!(!text.contains(word), "a customer was told of {word}");
        }
    }
}
