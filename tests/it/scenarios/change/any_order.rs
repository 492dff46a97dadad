//! Whatever is offered, answered, reviewed, taken back or let pass, in whatever order: a change goes through its
//! states as its table says, what was applied is what was shown, and a refusal changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Duration, Utc};
use ordergraph::app::due::DUTIES;
use ordergraph::domain::actor::Role;
use proptest::collection::vec;
use proptest::prelude::any;
use serde_json::{Value, json};

use super::{PREVIEW, change, is_as_said, line_of, short};
use crate::support::actor::text;
use crate::support::chance::live;
use crate::support::{Actor, World, on_both_databases};

/// Random negotiations, and steps of each.
const CASES: u32 = 3;
const STEPS: usize = 14;
/// The states an offer may be ended in.
const WAITING: &str = "AWAITING_CUSTOMER";
const ACCEPTED: &str = "ACCEPTED";

struct Negotiation {
    world: Arc<World>,
    order: String,
    panels: Value,
    /// The newest offer: its id, its alternatives, and where it must stand.
    offer: Option<(String, Vec<String>, &'static str)>,
    /// Offers that were tried: each asks for a later date than those before.
    offers: i64,
    told: Vec<String>,
}

impl Negotiation {
    fn is_open(&self) -> bool {
        matches!(self.offer, Some((_, _, WAITING | ACCEPTED)))
    }

    /// Calls a field and says whether it was done; when it was not, nothing has changed.
    async fn tried(&mut self, actor: &Actor, field: &str, input: Value) -> Result<Value, Value> {
        let before = self.world.state().await;
        let answer = actor.act(field, input.clone()).await;
        let payload = answer.data()[field].clone();
        let errors = payload["userErrors"].clone();
        self.told.push(format!("{field} {input} -> {errors}"));
        if errors == json!([]) {
            return Ok(payload);
        }
        assert_eq!(before, self.world.state().await, "refused, yet changed: {:#?}", self.told);
        Err(errors)
    }

    /// One that must be done exactly where the offer is in one of these states.
    async fn ends(&mut self, actor: &Actor, field: &str, more: Value, from: &[&str], to: &'static str) -> usize {
        let Some((id, options, state)) = self.offer.clone() else { return 0 };
        let mut input = json!({ "changeId": id, "reason": "Chance." });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let done = self.tried(actor, field, input).await;
        assert_eq!(done.is_ok(), from.contains(&state), "{field} of {state}: {:#?}", self.told);
        if done.is_ok() {
            self.offer = Some((id, options, to));
        }
        usize::from(done.is_ok())
    }

    async fn proposes(&mut self, dice: u8) -> usize {
        self.offers += 1;
        let soon = (Utc::now() + Duration::days(40 + self.offers)).date_naive().to_string();
        let options = match dice % 5 {
            0 => json!([{ "kind": "REDUCE_QUANTITY", "lineId": self.panels, "quantity": (dice % 3 + 1).to_string() }]),
            1 => json!([{ "kind": "LATER_DATE", "date": soon }, { "kind": "CANCEL_LINE", "lineId": self.panels }]),
            2 => json!([{ "kind": "SUBSTITUTE", "lineId": self.panels, "substituteSku": "PANEL-8", "quantity": "1" }]),
            3 => json!([{ "kind": "SPLIT_DELIVERY" }]),
            _ => json!([{ "kind": "LATER_DATE", "date": soon }]),
        };
        let input = json!({ "orderId": self.order, "reason": "They are late.", "options": options });
        let done = self.tried(&self.world.actor(Role::Sales), "proposeOrderChange", input).await;
        match done {
            Ok(payload) => {
                assert!(!self.is_open(), "two offers at once: {:#?}", self.told);
                let made = &payload["orderChange"];
                let options = made["options"].as_array().expect("options").iter().map(|one| text(&one["id"])).collect();
                self.offer = Some((text(&made["id"]), options, WAITING));
                1
            }
            Err(errors) => {
                // Of what is no more there is nothing to reduce or split; a date can always be moved.
                assert!(self.is_open() || dice % 5 < 4, "{errors}: {:#?}", self.told);
                0
            }
        }
    }

    async fn accepts(&mut self, dice: u8) -> usize {
        let Some((id, options, state)) = self.offer.clone() else { return 0 };
        let option = &options[usize::from(dice) % options.len()];
        let input = json!({ "changeId": id, "optionId": option });
        let done = self.tried(&self.world.customer("C-2001"), "acceptOrderChange", input).await;
        assert_eq!(done.is_ok(), state == WAITING, "accepted when {state}: {:#?}", self.told);
        let Ok(payload) = done else { return 0 };
        let status = payload["orderChange"]["status"].clone();
        // Another product is reviewed before it is delivered instead.
        let chosen = self.chosen(&id).await;
        let expected = if chosen["kind"] == "SUBSTITUTE" { ACCEPTED } else { "APPLIED" };
        assert_eq!(status, expected, "{:#?}", self.told);
        self.offer = Some((id, options, expected));
        if expected == "APPLIED" {
            is_as_said(&self.world, &self.order, &chosen["preview"]).await;
        }
        1
    }

    async fn chosen(&self, id: &str) -> Value {
        let asked = format!("chosenOption {{ kind {PREVIEW} }}");
        change(&self.world.actor(Role::Supervisor), id, &asked).await["chosenOption"].clone()
    }

    async fn time_passes(&mut self) -> usize {
        let at = DUTIES.iter().position(|duty| duty.name == "offers expire").expect("the duty");
        let done = self.world.done_later(Duration::days(9), &DUTIES[at..=at]).await;
        let waited = matches!(self.offer, Some((_, _, WAITING)));
        self.told.push(format!("nine days pass: {done:?}"));
        assert_eq!(done, if waited { vec![("offers expire", 1)] } else { Vec::new() }, "{:#?}", self.told);
        if let (true, Some((_, _, state))) = (waited, &mut self.offer) {
            *state = "EXPIRED";
        }
        usize::from(waited)
    }

    /// Does a step, and says how many changes of state it was.
    async fn step(&mut self, (kind, dice): (u8, u8)) -> usize {
        let (customer, sales) = (self.world.customer("C-2001"), self.world.actor(Role::Sales));
        let done = match kind % 10 {
            0..=2 => self.proposes(dice).await,
            3..=5 => self.accepts(dice).await,
            6 => self.ends(&customer, "declineOrderChange", json!({}), &[WAITING], "DECLINED").await,
            7 => self.ends(&sales, "withdrawOrderChange", json!({}), &[WAITING, ACCEPTED], "WITHDRAWN").await,
            8 if dice % 4 == 0 => self.time_passes().await,
            _ => {
                let approve = dice % 2 == 0;
                let reviewer = self.world.actor(Role::Reviewer);
                let to = if approve { "APPLIED" } else { "DECLINED" };
                let more = json!({ "approve": approve });
                let done = self.ends(&reviewer, "reviewOrderChange", more, &[ACCEPTED], to).await;
                if let (1, true, Some((id, ..))) = (done, approve, self.offer.clone()) {
                    is_as_said(&self.world, &self.order, &self.chosen(&id).await["preview"]).await;
                }
                done
            }
        };
        if let Some((id, _, state)) = &self.offer {
            let seen = change(&self.world.actor(Role::Supervisor), id, "status").await;
            assert_eq!(seen, json!({ "status": state }), "{:#?}", self.told);
        }
        done
    }
}

on_both_databases!(in_whatever_order_a_change_is_negotiated, |world| async move {
    let done = AtomicUsize::new(0);
    live((CASES, 0), &vec((any::<u8>(), any::<u8>()), STEPS), async |steps| {
        let (order, _) = short(&world).await;
        let panels = line_of(&world, &order, "PANEL-9").await;
        let world = world.clone();
        let mut negotiation = Negotiation { world, order, panels, offer: None, offers: 0, told: Vec::new() };
        for step in steps {
            done.fetch_add(negotiation.step(step).await, Ordering::Relaxed);
        }
        // What is still open is no part of the next.
        negotiation.time_passes().await;
    });
    // Had little happened, nothing would have been tested.
    let done = done.into_inner();
    assert!(done >= 6, "only {done} changes of state");
});
